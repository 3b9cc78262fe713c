"""Rewiring: when, how many, and what is new."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.methods.parts import rewire, shares
from spiral.model import gradients, masks, mlp
from spiral.protocol.job import Budget
from tests.methods import chosen, first_view, table

SIZES = (6, 9, 9, 3)
ENDS = np.cumsum(SIZES)[:-1]


def sorted_by_layer(scores, allowed, counts):
    """Return the places of each layer's best allowed scores, one at a time."""
    found, start = np.zeros(27, bool), 0
    for size, count in zip(SIZES, counts, strict=True):
        places = [i for i in range(start, start + size) if allowed[i]]
        best = sorted(places, key=lambda i: (-scores[i], i))[:count]
        found[best] = True
        start += size
    return found


def view(n=3, **values):
    return first_view(table("rigl", n, **values))


@pytest.mark.parametrize(
    ("interval", "end", "expected"),
    [
        (390, 1.0, (0, 390)),
        (195, 1.0, (0, 195, 390, 585)),
        (195, 0.75, (0, 195, 390, 585)),
        (195, 0.74, (0, 195, 390)),
        (1_000, 1.0, (0,)),
    ],
)
def test_events_start_at_0_and_end_before_training_does(interval, end, expected):
    assert rewire.events(Budget(2, 390), interval, end) == expected


def test_first_masks_have_exact_shares_and_are_each_networks_own():
    seen = view(keep=[11, 11, 20])
    kept = chosen(rewire.first(seen, seen.keep, "erk", "some purpose"))
    expected = shares.quotas(seen.keep, 3, "erk")
    assert np.array_equal(shares.of_mask(kept, 3), expected)
    assert not np.array_equal(kept[0], kept[1])
    other = chosen(rewire.first(seen, seen.keep, "erk", "another"))
    assert not np.array_equal(kept, other)
    fewer = chosen(rewire.first(seen, seen.keep - 5, "global", "some purpose"))
    assert fewer.sum(axis=1).tolist() == [6, 6, 15]


def test_the_cosine_falls_from_share_to_least():
    assert rewire.cosine(0.3, 0, 1000) == pytest.approx(0.3)
    assert rewire.cosine(0.3, 500, 1000) == pytest.approx(0.15)
    assert rewire.cosine(0.3, 1000, 1000) == pytest.approx(0)
    assert rewire.cosine(0.5, 1000, 1000, 0.005) == pytest.approx(0.005)
    assert rewire.cosine(0.5, 500, 1000, 0.005) == pytest.approx(0.2525)


def test_the_best_stay_and_the_best_others_come():
    random = np.random.default_rng(0)
    kept = random.random((4, 27)) < 0.5
    worth, interest = random.integers(0, 4, (2, 4, 27)).astype(float)
    counts = shares.of_mask(kept, 3)
    swaps = counts // 2
    staying = rewire.stay(np.where(kept, worth, -1), counts - swaps, 3)
    grown = rewire.grow(staying, interest, swaps, 3)
    for n in range(4):
        expected = sorted_by_layer(worth[n], kept[n], (counts - swaps)[n])
        assert np.array_equal(staying[n], expected)
        come = sorted_by_layer(interest[n], ~expected, swaps[n])
        assert np.array_equal(grown[n], expected | come)
    assert np.array_equal(shares.of_mask(grown, 3), counts)


def test_noise_is_new_at_every_step_and_only_where_it_is_asked_for():
    seen = view()
    first = rewire.noise(seen, np.array([0, 2]))
    later = rewire.noise(replace(seen, step=5), np.array([0, 2]))
    assert not first[1].any()
    assert not (first[[0, 2]] == later[[0, 2]]).any()
    assert np.array_equal(first[2], rewire.noise(seen, np.array([2]))[2])


def test_steepness_is_the_dense_gradient_of_the_masked_network():
    seen = view(width=5, keep=20)
    kept = np.random.default_rng(1).random((3, 65)) < 0.4
    full = masks.with_biases(kept, 5)
    slope = gradients.gradient(seen.params * full, seen.batch(0), 5)
    expected = np.abs(masks.of_weights(slope, 5))
    assert rewire.steepness(seen, kept) == pytest.approx(expected, abs=1e-6)
    assert (expected[~kept] > 0).any()


def test_of_a_diverged_network_no_gradient_is_nan():
    seen = view()
    broken = replace(seen, params=np.full_like(seen.params, np.nan))
    assert not rewire.steepness(broken, np.ones((3, 27), bool)).any()


def test_what_did_not_stay_is_new_and_starts_at_its_fresh_value():
    seen = view(1)
    staying, kept = np.zeros((2, 1, 27), bool)
    staying[0, [0, 6]] = True
    kept[0, [0, 6, 7, 26]] = True
    fresh = np.arange(27.0)[None]
    found = rewire.change(seen, staying, kept, fresh)
    weights = mlp.is_weight(3)
    assert np.flatnonzero(found.reset_momentum[0, weights]).tolist() == [7, 26]
    assert not found.reset_momentum[0, ~weights].any()
    assert np.array_equal(masks.of_weights(found.masks, 3), kept)
    assert found.params[0, weights][[7, 26]].tolist() == [7, 26]
    old = ~found.reset_momentum
    assert np.array_equal(found.params[old], seen.params[old])
    zero = rewire.change(seen, staying, kept)
    assert not zero.params[zero.reset_momentum].any()
