"""Pruners against what their initial weights contain."""

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.report.stats import fixed_start
from tests.report import row, table


def started(*rows, seed=1):
    return table(*rows).assign(init_seed=pd.array([seed] * len(rows), "Int64"))


def masks(*pairs):
    """Return rows of a search from (weights, accuracy)."""
    return [row(method="mask", keep=None, nnz=n, accuracy=a) for n, a in pairs]


def test_the_best_within_the_same_weights_never_falls():
    found = fixed_start.contained(
        started(*masks((12, 0.7), (12, 0.8), (14, 0.6), (15, 0.9)))
    )
    assert found["nnz"].tolist() == [12, 14, 15]
    assert found["accuracy"].tolist() == [0.8, 0.8, 0.9]
    assert set(found["rows"]) == {4}


def test_pruners_are_summarised_for_each_initialisation_that_was_searched():
    one = started(*masks((12, 0.7)), row(keep=20, accuracy=0.6), row(method="dense"))
    two = started(*masks((13, 0.9)), row(keep=22, accuracy=0.8, seed=5), seed=2)
    never = started(row(keep=24), seed=3)
    other = started(row(keep=26, width=3), seed=1)
    rows = pd.concat([one, two, never, other], ignore_index=True)
    summary, contained = fixed_start.split(rows)
    lines = summary[["init_seed", "width", "method", "keep", "median"]]
    assert lines.to_numpy().tolist() == [
        [1, 16, "gmp", 20, 0.6],
        [2, 16, "gmp", 22, 0.8],
    ]
    assert contained[["init_seed", "accuracy"]].to_numpy().tolist() == [
        [1, 0.7],
        [2, 0.9],
    ]


@pytest.mark.parametrize(
    "rows",
    [
        started(row()),
        started(*masks((12, 0.7))),
        started(*masks((12, 0.7)), row(method="dense")),
        pd.concat([started(row()), started(*masks((12, 0.7)), seed=2)]),
    ],
    ids=["no search", "no pruner", "dense", "other weights"],
)
def test_without_both_it_says_what_is_needed(rows):
    with pytest.raises(ConfigError, match="fixed_init_95"):
        fixed_start.split(rows)
