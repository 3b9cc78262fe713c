"""``npb``: layouts of masks whose weights all lie on paths, and how they are filled."""

from itertools import product

import numpy as np
import pytest

from spiral.methods.at_init import npb
from spiral.methods.parts import shares
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import act, chosen, first_view, table


def paths(kept, width):
    """Count the paths of a mask: the product of its matrices."""
    found = np.ones((2, 1))
    for matrix in oracles.weight_matrices(kept, width):
        found = matrix.astype(int) @ found
    return int(found.sum())


def laid_out(kept, width):
    """Return the units and counts of a mask."""
    parts = oracles.weight_matrices(kept, width)
    units = tuple(int(part.any(axis=1).sum()) for part in parts[:3])
    return units, tuple(int(part.sum()) for part in parts)


@pytest.mark.parametrize("allocation", ["erk", "igq"])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_every_count_is_met_and_every_weight_is_on_a_path(width, allocation):
    total = 2 * width * width + 3 * width
    size = np.random.default_rng(width).random(total)
    for keep, balance in product(range(4, total + 1), (0.0, 0.5, 1.0)):
        layout = npb.shape(width, keep, allocation, balance)
        kept = npb.filled(size, layout, width)
        assert kept.sum() == keep
        assert laid_out(kept, width) == layout
        full = masks.with_biases(kept[None], width)
        assert np.array_equal(masks.on_path(full, width)[0], kept)


@pytest.mark.parametrize("width", [16, 64, 256])
def test_counts_are_met_at_other_widths(width):
    total = 2 * width * width + 3 * width
    keep = [4, 5, 6, 26, 44, 65, 500, total - 1, total]
    change = act(table("npb", 9, width=width, keep=keep))
    assert chosen(change, width).sum(axis=1).tolist() == keep
    assert masks.on_path(change.masks, width).sum(axis=1).tolist() == keep


def test_bounds_are_those_of_all_masks_of_width_2():
    """Of 16,384 masks, those whose weights all lie on paths."""
    every = (np.arange(2**14)[:, None] >> np.arange(14)) & 1 == 1
    full = masks.with_biases(every, 2)
    whole = (masks.on_path(full, 2) == every).all(axis=1) & every.any(axis=1)
    seen: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for kept in every[whole]:
        units, counts = laid_out(kept, 2)
        seen.setdefault(units, []).append(counts)
    assert len(seen) == 8
    for units, counts in seen.items():
        low, high = npb.bounds(np.array([units]))
        assert low[0].tolist() == np.min(counts, axis=0).tolist()
        assert high[0].tolist() == np.max(counts, axis=0).tolist()


def best(width, keep, balance):
    """Return the best units, with the shares of ERK, one layout at a time."""
    quotas = shares.quotas(np.array([keep]), width, "erk")[0]
    found = {}
    for a, b, c in product(range(1, width + 1), repeat=3):
        ends = [(1, a), (a, b), (b, c), (c, 1)]
        fits = [max(e) <= n <= e[0] * e[1] for e, n in zip(ends, quotas, strict=True)]
        fits[0] = a <= quotas[0] <= 2 * a
        if all(fits):
            found[a, b, c] = a + b + c, np.prod(quotas) / (a * b * c)
    most = np.max([*found.values()], axis=0)
    mix = {u: np.array([balance, 1 - balance]) @ (v / most) for u, v in found.items()}
    return max(mix, key=lambda units: mix[units])


@pytest.mark.parametrize("keep", [26, 44, 65])
@pytest.mark.parametrize("balance", [0.0, 0.5, 0.7, 1.0])
def test_units_are_the_best_of_all_that_the_shares_allow(keep, balance):
    layout = npb.shape(16, keep, "erk", balance)
    quotas = shares.quotas(np.array([keep]), 16, "erk")[0]
    assert layout.counts == tuple(quotas)
    assert layout.units == best(16, keep, balance)


def test_from_few_units_with_many_paths_to_many_units_with_few():
    view = first_view(table("npb", 1, width=16))
    size = np.abs(view.params[0, mlp.is_weight(16)])
    assert npb.shape(16, 26, "erk", 0.0).units == (4, 2, 5)
    assert npb.shape(16, 26, "erk", 1.0).units == (5, 8, 5)
    counted = [
        paths(npb.filled(size, npb.shape(16, 26, "erk", balance), 16), 16)
        for balance in (0.0, 1.0)
    ]
    assert counted[0] > 3 * counted[1]


def test_large_units_and_weights_stay():
    """Width 2 by hand: unit 1 is larger in every layer, of inputs the second is."""
    size = np.array([0.1, 0.2, 0.3, 0.9, *[0.1, 0.2, 0.3, 0.4] * 2, 0.5, 0.6])
    kept = npb.filled(size, npb.Shape((1, 1, 1), (2, 1, 1, 1)), 2)
    assert np.flatnonzero(kept).tolist() == [2, 3, 7, 11, 13]
    kept = npb.filled(size, npb.Shape((2, 1, 2), (3, 2, 2, 2)), 2)
    assert np.flatnonzero(kept).tolist() == [1, 2, 3, 6, 7, 9, 11, 12, 13]


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_fewer_than_four_begin_a_path(keep):
    kept = npb.filled(np.ones(27), npb.shape(3, keep, "erk", 0.5), 3)
    counts = [int(m.sum()) for m in oracles.weight_matrices(kept, 3)]
    assert counts == [1] * keep + [0] * (4 - keep)
