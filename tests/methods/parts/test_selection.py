"""Rules from scores to masks; what each does with equal scores."""

import numpy as np
import pytest
import torch

from spiral.methods.parts import selection
from tests import oracles

COUNTS = np.array([0, 1, 3, 9, 9, 15, 26, 27])


def scores_with_ties():
    """Return scores [8, 27] two thirds of which are zero."""
    random = np.random.default_rng(0)
    drawn = random.random((8, 27))
    return np.where(drawn > 2 / 3, drawn, 0)


@pytest.mark.parametrize("rule", ["rank", "topk", "sorted"])
def test_three_rules_keep_exactly_so_many_of_the_best(rule):
    scores = scores_with_ties()
    kept = selection.select(scores, COUNTS, rule)
    assert kept.sum(axis=1).tolist() == COUNTS.tolist()
    for row, mask in zip(scores, kept, strict=True):
        assert row[mask].min(initial=1) >= row[~mask].max(initial=0)


def test_among_equals_rank_takes_the_lower_index_and_two_what_torch_finds():
    scores = scores_with_ties()
    found = {r: selection.select(scores, COUNTS, r) for r in ("rank", "topk", "sorted")}
    for n, count in enumerate(COUNTS.tolist()):
        row = torch.tensor(scores[n])
        some, every = torch.topk(row, count).indices, torch.topk(row, 27).indices
        assert found["rank"][n].tolist() == oracles.keep_top(scores[n].tolist(), count)
        assert set(np.flatnonzero(found["topk"][n])) == set(some.tolist())
        assert set(np.flatnonzero(found["sorted"][n])) == set(every[:count].tolist())
    assert not np.array_equal(found["rank"], found["topk"])
    assert not np.array_equal(found["topk"], found["sorted"])


def test_without_ties_they_are_the_same():
    scores = np.random.default_rng(1).random((8, 27))
    rank = selection.select(scores, COUNTS)
    assert np.array_equal(selection.select(scores, COUNTS, "topk"), rank)
    assert np.array_equal(selection.select(scores, COUNTS, "sorted"), rank)


def test_strict_keeps_one_too_few_and_no_ties_loose_all_of_them():
    scores, counts = np.array([[3.0, 1, 1, 0, 2], [0.0, 0, 0, 5, 0]]), np.array([3, 3])
    strict = selection.select(scores, counts, "strict")
    loose = selection.select(scores, counts, "loose")
    assert strict.tolist() == [[True, False, False, False, True], [0, 0, 0, 1, 0]]
    assert loose.tolist() == [[True, True, True, False, True], [1, 1, 1, 1, 1]]
