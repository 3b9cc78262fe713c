"""One numbering for all masks that differ in their numbering, and the way back."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.model import mask_text, masks, mlp
from spiral.search.canonical import Numbering, canonical, core, relabel
from spiral.search.enumerate import orbits
from spiral.search.shape import matrices, read, spell, weight_count
from tests.search import complete_masks, flat

SHAPES = st.tuples(*[st.integers(1, 7)] * 3)
SEEDS = st.integers(0, 2**32 - 1)


def random_masks(random, shape, n) -> np.ndarray:
    """Masks of every density, complete or not."""
    return random.random((n, weight_count(shape))) < random.random((n, 1))


def random_numbering(random, shape, n) -> Numbering:
    each = ([random.permutation(size) for _ in range(n)] for size in shape)
    return Numbering(*map(np.array, each))


def smallest(row, shape) -> list:
    """The definition: of all orders of layer 2 the one with the smallest reading."""
    w1, w2, w3, w4 = (part.astype(int).tolist() for part in matrices(row, shape))
    readings = []
    for order in permutations(range(shape[1])):
        first = sorted([w1[i], [w2[j][i] for j in order]] for i in range(shape[0]))
        third = sorted([w4[0][k], [w3[k][j] for j in order]] for k in range(shape[2]))
        units = [
            ([row[j] for _, row in third], [row[j] for _, row in first])
            for j in range(shape[1])
        ]
        degrees = [sum(column) for column, _ in units]
        readings.append((degrees, units, first, third))
    return [*min(readings)[2:]]


@given(shape=SHAPES, seed=SEEDS)
def test_relabelled_masks_have_one_form_and_lead_back(shape, seed):
    random = np.random.default_rng(seed)
    given_masks = random_masks(random, shape, 4)
    other = relabel(given_masks, shape, random_numbering(random, shape, 4))
    form, numbering = canonical(given_masks, shape)
    assert (canonical(other, shape)[0] == form).all()
    assert (relabel(given_masks, shape, numbering) == form).all()
    assert (relabel(form, shape, numbering.inverse()) == given_masks).all()
    for units, size in zip(numbering, shape, strict=True):
        assert (np.sort(units, axis=1) == np.arange(size)).all()


@settings(max_examples=50)
@given(shape=st.tuples(*[st.integers(1, 4)] * 3), seed=SEEDS)
def test_it_is_the_smallest_as_defined(shape, seed):
    given_masks = random_masks(np.random.default_rng(seed), shape, 3)
    for before, form in zip(given_masks, canonical(given_masks, shape)[0], strict=True):
        w1, w2, w3, w4 = (part.astype(int) for part in matrices(form, shape))
        first = [[a, b] for a, b in zip(w1.tolist(), w2.T.tolist(), strict=True)]
        third = [[a, b] for a, b in zip(w4[0].tolist(), w3.tolist(), strict=True)]
        assert smallest(before, shape) == [first, third]


def test_every_labelled_mask_has_the_form_of_one_orbit():
    labelled = np.array([flat(found) for found in complete_masks((3, 2, 2))])
    forms = np.unique(canonical(labelled, (3, 2, 2))[0], axis=0)
    (known,) = orbits((3, 2, 2))
    assert len(labelled) == 4375
    assert (forms == np.unique(known, axis=0)).all()


def masks_of(second: np.ndarray, third: np.ndarray):
    """One mask with dense outer layers, and the same one renumbered at random."""
    shape = (second.shape[1], len(second), len(third))
    first, last = np.ones(2 * shape[0], bool), np.ones(shape[2], bool)
    row = np.concatenate([first, second.ravel() > 0, third.ravel() > 0, last])[None]
    others = [
        relabel(row, shape, random_numbering(np.random.default_rng(seed), shape, 1))
        for seed in range(5)
    ]
    return np.concatenate([row, *others]), shape


def ring(*steps: int) -> np.ndarray:
    """Each of 16 units is linked to those so many places further."""
    return sum(np.roll(np.eye(16, dtype=int), step, axis=0) for step in steps)


DENSE = np.ones((16, 16))


@pytest.mark.parametrize(
    ("second", "third"),
    [
        (ring(0), DENSE),
        (ring(0), ring(0)),
        (ring(0, 1), ring(0, 5)),
        (ring(0, 8), ring(0, 4)),
        (DENSE, DENSE),
    ],
    ids=["pairs", "chains", "rings", "squares", "dense"],
)
def test_symmetric_masks_need_no_walk_through_all_orders(second, third):
    given_masks, shape = masks_of(second, third)
    assert len(np.unique(canonical(given_masks, shape)[0], axis=0)) == 1


def test_symmetric_units_beside_others_that_only_the_last_tell_apart():
    """Ten alike; two that differ in one neighbour of a neighbour."""
    second = np.zeros((14, 13))
    second[range(10), range(10)] = 1
    second[[10, 12], 10] = second[[11, 13], 11] = second[12, 12] = 1
    third = np.zeros((14, 14))
    third[range(12), range(12)] = third[12:, 12:] = 1
    given_masks, shape = masks_of(second, third)
    assert len(np.unique(canonical(given_masks, shape)[0], axis=0)) == 1


def test_symmetries_count_only_where_they_leave_the_placed_units():
    """Three times the same three units, all with one output."""
    second = np.kron(np.eye(3), [[1, 0], [0, 1], [1, 1]])
    given_masks, shape = masks_of(second, np.ones((1, 9)))
    assert len(np.unique(canonical(given_masks, shape)[0], axis=0)) == 1


def test_weights_and_biases_follow_the_units():
    random, shape = np.random.default_rng(0), (4, 4, 4)
    params = random.normal(size=mlp.param_count(4))
    weights = params[mlp.is_weight(4)][None]
    _, numbering = canonical(random.random(weights.shape) < 0.6, shape)
    moved, renamed = relabel(weights, shape, numbering), np.empty_like(params)
    renamed[mlp.is_weight(4)] = moved[0]
    hidden, old = mlp.layers(4)[:3], params.copy()
    for layer, units in zip(hidden, numbering, strict=True):
        renamed[layer.biases] = old[layer.biases][units[0]]
    renamed[-1] = params[-1]
    points = random.normal(size=(2, 50))
    assert (numbering.second[0] != np.arange(4)).any()
    np.testing.assert_allclose(
        mlp.logits(renamed, points, 4), mlp.logits(params, points, 4), rtol=1e-12
    )


def core_of(text: str, width: int):
    return core(masks.with_biases(mask_text.parse(text, width)[None], width)[0], width)


def test_a_core_has_the_units_between_inputs_and_output():
    # Unit 0 of layer 1 has no output, unit 2 of layer 2 no input, unit 1 of layer 3
    # neither.
    found = core_of("11,10,01/011,001,000/101,000,011/111", 4)
    assert found.shape == (2, 2, 2)
    assert spell(found.mask[None], found.shape) == ["10,01/11,01/10,01/11"]
    assert [units.tolist() for units in found.units] == [[1, 2], [0, 1], [0, 2]]
    (known,) = orbits((2, 2, 2))
    form = canonical(found.mask[None], found.shape)[0]
    assert (known == form).all(axis=1).sum() == 1


def test_constant_units_are_no_part_of_the_core():
    assert core_of("11,00/11,11/11,11/11", 2).shape == (1, 2, 2)


def test_a_core_without_an_input_is_in_no_enumeration():
    found = core_of("10,10/11,11/11,11/11", 2)
    (known,) = orbits((2, 2, 2))
    assert found.shape == (2, 2, 2)
    assert not (known == canonical(found.mask[None], (2, 2, 2))[0]).all(axis=1).any()


def test_a_collapsed_network_has_no_core():
    found = core_of("11,11/00,00/11,11/11", 2)
    assert found.shape == (0, 0, 0)
    form, numbering = canonical(found.mask[None], found.shape)
    assert form.shape == (1, 0)
    assert [units.shape for units in numbering] == [(1, 0)] * 3


@settings(max_examples=30)
@given(seed=SEEDS, width=st.integers(1, 6))
def test_cores_keep_what_lies_on_paths(seed, width):
    random = np.random.default_rng(seed)
    kept = random.random((1, mlp.weight_count(width))) < random.random()
    full = masks.with_biases(kept, width)
    found = core(full[0], width)
    assert found.mask.sum() == masks.on_path(full, width).sum()
    parts = matrices(found.mask, found.shape) if found.mask.any() else []
    for number, part in enumerate(parts):
        assert part.any(axis=1).all()
        assert part.any(axis=0).all() or number == 0


def test_the_numbering_of_a_text():
    shape, row = read("10,11,01/011,110/11,01/11")
    form, numbering = canonical(row[None], shape)
    assert spell(form, shape) == ["01,10,11/101,011/01,11/11"]
    assert [units.tolist() for units in numbering] == [[[2, 0, 1]], [[0, 1]], [[1, 0]]]
