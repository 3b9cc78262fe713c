"""Cuts: exact counts, and the published soft gates."""

import numpy as np
import pytest

from spiral.protocol import cuts, reparam

LADDER = np.array([[0.1, 0.2, 0.3, 0.5, 0.8, 1.0]])
FIVE_DIGITS = 5.1e-6


@pytest.mark.parametrize(
    ("c", "tau", "gates"),
    [
        (10, 0.65407, [0.00391, 0.01055, 0.02818, 0.17643, 0.81142, 0.96951]),
        (20, 0.65008, [0.00002, 0.00012, 0.00091, 0.04736, 0.95251, 0.99909]),
    ],
)
def test_soft_gates_are_the_fixed_point_of_the_published_iterations(c, tau, gates):
    """facebookresearch/spartan, sparsifier.py: SinkhornTopK, tolerance 1e-12."""
    found = cuts.threshold(LADDER, c, np.array([2]))
    assert found == pytest.approx([tau], abs=FIVE_DIGITS)
    mine = cuts.sigmoid(c * (LADDER - found[:, None]))[0]
    assert mine == pytest.approx(gates, abs=FIVE_DIGITS)
    assert mine.sum() == pytest.approx(2, rel=1e-8)


@pytest.mark.parametrize("c", [1e-3, 0.5, 20.0, 1e4])
def test_soft_gates_add_up_to_k_at_any_sharpness(c):
    sizes = np.abs(np.random.default_rng(3).normal(size=(28, 27)))
    k = np.arange(1, 29).clip(max=27)
    found = cuts.threshold(sizes, c, k)
    gates = cuts.sigmoid(c * (sizes - found[:, None]))
    assert gates.sum(axis=1) == pytest.approx(k, rel=1e-6)
    for n in range(28):  # a row does not depend on its neighbours
        assert cuts.threshold(sizes[n : n + 1], c, k[n : n + 1]) == found[n]


def test_a_diverged_row_leaves_its_neighbours_alone():
    sizes = np.abs(np.random.default_rng(3).normal(size=(2, 27)))
    calm = cuts.threshold(sizes, 5.0, np.array([4, 4]))
    sizes[1, 3] = np.nan
    with np.errstate(invalid="ignore"):
        wild = cuts.threshold(sizes, 5.0, np.array([4, 4]))
    assert wild[0] == calm[0]
    assert np.isnan(wild[1])


def test_cuts_are_global_or_by_layer():
    scores = np.random.default_rng(0).normal(size=(2, 27))
    both = cuts.highest(scores, np.array([[5], [9]]), 3)
    assert both.sum(axis=1).tolist() == [5, 9]
    assert (scores[0][both[0]].min() > scores[0][~both[0]].max()).all()
    shares = np.array([[1, 2, 3, 0], [6, 9, 9, 3]])
    found = cuts.highest(scores, shares, 3)
    assert [part.sum() for part in np.split(found[0], [6, 15, 24])] == [1, 2, 3, 0]
    assert found[1].all()
    everything = reparam.given("top", np.zeros((1, 37)), scores[:1], 1.0, None)
    assert everything[0].all()
