"""Who goes on in a race."""

import numpy as np
import pandas as pd
import pytest

from spiral.search import halving

ROWS = pd.DataFrame(
    {
        "config_id": [*"edcba"],
        "loss": [0.5, 0.1, 0.7, np.nan, 0.5],
    }
)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.2, "d"), (0.21, "da"), (0.4, "da"), (0.6, "dae"), (0.8, "daec"), (1, "daecb")],
)
def test_the_lowest_losses_go_on_rounded_up_equals_by_id_diverged_last(share, expected):
    assert halving.survivors(ROWS, share) == {*expected}
    assert halving.survivors(ROWS[::-1], share) == {*expected}
