"""Distances against all permutations, and what they cannot depend on."""

from itertools import permutations, product

import numpy as np
import pytest

from spiral.model import masks, mlp
from spiral.report.stats import mask_metric
from spiral.report.stats.mask_metric import assign, nearest
from spiral.search.canonical import canonical, core
from spiral.search.shape import matrices, read, spell, weight_count

SMALL = read("10,01,11/110,011/11,01/11")


def with_biases(weights, width):
    return masks.with_biases(np.asarray(weights, bool)[None], width)[0]


def random_mask(random, width, keep):
    kept = np.zeros(mlp.weight_count(width), bool)
    kept[random.choice(len(kept), min(keep, len(kept)), replace=False)] = True
    return with_biases(kept, width)


def embedded(target, width, random):
    """Return a target mask within a wider network, its units anywhere."""
    shape, flat = target
    places = [random.permutation(width)[:units] for units in shape]
    ends = [np.arange(2), *places, np.arange(1)]
    parts = []
    for part, layer, after, before in zip(
        matrices(flat, shape), mlp.layers(width), ends[1:], ends[:-1], strict=True
    ):
        whole = np.zeros((layer.outputs, layer.inputs), bool)
        whole[np.ix_(after, before)] = part
        parts.append(whole.ravel())
    return with_biases(np.concatenate(parts), width)


def padded(parts, wide):
    """Return matrices of a network so wide, zeros after the last unit."""
    sizes = [(wide, 2), (wide, wide), (wide, wide), (1, wide)]
    found = [np.zeros(size, int) for size in sizes]
    for whole, part in zip(found, parts, strict=True):
        whole[: part.shape[0], : part.shape[1]] = part
    return found


def slowly(mask, width, target):
    """Return the smallest Hamming distance over all permutations, and Jaccard's."""
    shape, flat = target
    wide = max(width, *shape)
    a = padded([weights for weights, _ in mlp.matrices(mask, width)], wide)
    b = padded(matrices(flat, shape), wide)
    orders = [np.array(order) for order in permutations(range(wide))]
    found = []
    for p1, p2, p3 in product(orders, repeat=3):
        moved = [
            a[0][p1],
            a[1][np.ix_(p2, p1)],
            a[2][np.ix_(p3, p2)],
            a[3][:, p3],
        ]
        pairs = list(zip(moved, b, strict=True))
        differ = sum(int((x != y).sum()) for x, y in pairs)
        union = sum(int((x | y).sum()) for x, y in pairs)
        found.append((differ, differ / union))
    return min(found)


@pytest.mark.parametrize("seed", range(12))
def test_small_distances_agree_with_all_permutations(seed):
    random = np.random.default_rng(seed)
    width = int(random.integers(1, 4))
    shape = tuple(int(units) for units in random.integers(1, 4, 3))
    flat = random.random(weight_count(shape)) < 0.7
    flat[0] = True
    mask = random_mask(random, width, int(random.integers(0, 25)))
    found = nearest(mask, width, [(shape, flat)])
    hamming, jaccard = slowly(mask, width, (shape, flat))
    assert found.exact
    assert (found.hamming, found.jaccard) == (hamming, pytest.approx(jaccard))


@pytest.mark.parametrize("width", [3, 16, 64])
def test_a_target_mask_is_at_zero_wherever_its_units_are(width):
    random = np.random.default_rng(width)
    for _ in range(5):
        mask = embedded(SMALL, width, random)
        assert nearest(mask, width, [SMALL]) == (0, 0, True)


def test_zero_is_the_distance_of_equal_canonical_masks_and_no_others():
    random = np.random.default_rng(5)
    shape = (3, 2, 2)
    flats = random.random((40, weight_count(shape))) < 0.8
    forms = spell(canonical(flats, shape)[0], shape)
    for flat, form in zip(flats, forms, strict=True):
        mask = embedded((shape, flat), 3, random)
        alike = [form == other for other in forms]
        zero = [nearest(mask, 3, [(shape, other)]).hamming == 0 for other in flats]
        assert zero == alike
    assert len(set(forms)) > 5


def test_weights_on_no_path_count():
    """One weight more, one less: each is one, though the latter kills a unit."""
    whole = with_biases(masks.block(3, np.array([SMALL[0]]))[0], 3)
    mask = embedded(SMALL, 3, np.random.default_rng(0))
    kept = np.flatnonzero(mask & mlp.is_weight(3))
    for place in kept:
        less = mask.copy()
        less[place] = False
        assert nearest(less, 3, [SMALL]).hamming == 1
    count = int(masks.of_weights(whole[None], 3).sum())
    assert nearest(whole, 3, [SMALL]).hamming == count - int(SMALL[1].sum())


def test_the_nearest_of_several_counts():
    other = read("11,11/11,11/11,11/11")
    mask = embedded(other, 16, np.random.default_rng(0))
    assert nearest(mask, 16, [SMALL]).hamming > 0
    assert nearest(mask, 16, [SMALL, other]) == (0, 0, True)


def test_an_empty_mask_lacks_everything():
    found = nearest(np.zeros(mlp.param_count(16), bool), 16, [SMALL])
    assert found == (int(SMALL[1].sum()), 1, True)


@pytest.mark.parametrize("width", [16, 64])
def test_a_dense_mask_holds_every_target(width):
    mask = np.ones(mlp.param_count(width), bool)
    found = nearest(mask, width, [SMALL])
    assert found.hamming == mlp.weight_count(width) - SMALL[1].sum()
    assert found.exact


def test_renumbering_a_mask_changes_nothing():
    random = np.random.default_rng(7)
    mask = random_mask(random, 16, 40)
    w1, w2, w3, w4 = (weights for weights, _ in mlp.matrices(mask, 16))
    p1, p2, p3 = (random.permutation(16) for _ in range(3))
    parts = [w1[p1], w2[np.ix_(p2, p1)], w3[np.ix_(p3, p2)], w4[:, p3]]
    moved = with_biases(np.concatenate([part.ravel() for part in parts]), 16)
    assert nearest(moved, 16, [SMALL]) == nearest(mask, 16, [SMALL])


def test_with_too_many_units_distances_are_bounds(monkeypatch):
    random = np.random.default_rng(0)
    found = []
    for _ in range(10):
        mask = random_mask(random, 16, 60)
        best = nearest(mask, 16, [SMALL])
        with monkeypatch.context() as patch:
            patch.setattr(mask_metric, "MOST", 20)  # 5 of some 16 units
            bound = nearest(mask, 16, [SMALL])
        assert best.exact
        assert not bound.exact
        assert bound.hamming >= best.hamming
        found.append(bound.hamming - best.hamming)
    assert max(found) > 0


def test_units_on_a_path_are_tried_first(monkeypatch):
    """A target hidden among better connected units that lead nowhere."""
    random = np.random.default_rng(0)
    mask = embedded(SMALL, 40, random)
    alive = core(mask, 40).units[1]
    dead = np.setdiff1d(np.arange(40), alive)
    second, third = (mlp.matrices(mask, 40)[i][0] for i in (1, 2))
    second[np.ix_(dead, np.arange(40))] = True  # a view: fills the mask
    assert not third[:, dead].any()
    monkeypatch.setattr(mask_metric, "MOST", 10)
    found = nearest(mask, 40, [SMALL])
    assert found.hamming == 40 * len(dead)
    assert found.exact  # shares all it could


@pytest.mark.parametrize("seed", range(6))
def test_assignments_agree_with_all_orders(seed):
    random = np.random.default_rng(seed)
    rows, columns = int(random.integers(1, 5)), int(random.integers(5, 7))
    gain = random.integers(0, 9, (rows, columns, 7)).astype(np.int8)
    expected = [
        max(
            sum(int(gain[r, c, n]) for r, c in enumerate(order))
            for order in permutations(range(columns), rows)
        )
        for n in range(7)
    ]
    assert assign(gain).tolist() == expected
