"""``str``: the L2 penalty lifts thresholds, which take their share of weights."""

import numpy as np
import pytest

from spiral.model import masks, mlp
from spiral.protocol import cuts
from tests.methods import act, table
from tests.methods.learned import SHORT, Noting, trained


def test_every_layer_starts_at_its_configs_threshold():
    change = act(table("str", 2, threshold_start=[-200.0, -3200.0]))
    assert change.adapters.tolist() == [[-200.0] * 4, [-3200.0] * 4]
    assert change.params is None


def test_thresholds_of_zero_slope_shrink_as_the_penalty_says():
    """At s = -200 the loss says nothing: SGD with momentum on λ/2·s² alone."""
    noting = Noting()
    trained(table("str", 1, schedule="constant", threshold_start=-200.0), noting)
    s, speed = -200.0, 0.0
    for _ in range(585):
        speed = 0.9 * speed + 5e-4 * s
        s -= 0.1 * speed
    assert noting.ends[0].adapters[0] == pytest.approx([s] * 4, rel=1e-4)


def test_weights_above_their_threshold_stay_and_lose_it():
    noting = Noting()
    starts = [-4.0, -2.0]
    configs = table("str", 2, keep=[9, 24], threshold_start=starts, **SHORT)
    state = trained(configs, noting)
    before, start = noting.ends[0], noting.starts[1]
    for n, keep in enumerate((9, 24)):
        scores = np.abs(before.params[n][mlp.is_weight(3)])
        each = np.repeat(cuts.sigmoid(before.adapters[n]), [6, 9, 9, 3])
        order = sorted(range(27), key=lambda i: each[i] - scores[i])
        kept = masks.of_weights(state.masks, 3)[n]
        assert np.flatnonzero(kept).tolist() == sorted(order[:keep])
        after = np.abs(start.params[n][mlp.is_weight(3)])
        expected = np.maximum(scores - each, 0) * kept
        assert after == pytest.approx(expected, abs=1e-6)
    assert (cuts.sigmoid(before.adapters[1]) > cuts.sigmoid(before.adapters[0])).all()
