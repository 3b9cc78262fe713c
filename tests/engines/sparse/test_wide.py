"""Products and edge lists give the same bits."""

from dataclasses import fields

import numpy as np
import pytest

from spiral.engines import build as engine
from spiral.engines import sparse
from spiral.engines.sparse import kernel
from spiral.engines.sparse.lists import LEAST_UNITS, WIDE, build, fill
from spiral.model import masks, mlp
from tests.engines import begin, furthest, make_job
from tests.tolerances import tolerance

UNEVEN = LEAST_UNITS + 3  # not a multiple of the rows of a product


def kept(width: int, share: float, networks: int = 2) -> np.ndarray:
    size = networks, mlp.weight_count(width)
    return masks.with_biases(np.random.default_rng(width).random(size) < share, width)


def completed(mask: np.ndarray, width: int) -> np.ndarray:
    """Return a mask with all weights between hidden units."""
    mask = mask.copy()
    for layer in mlp.layers(width)[1:3]:
        mask[:, layer.weights] = True
    return mask


def trained(monkeypatch, mask, width, fill, steps=12):
    monkeypatch.setattr(sparse, "fill", fill)
    job = make_job([1, 2], width=width)
    state = sparse.SparseEngine(loops=kernel).advance(job, begin(job, mask), steps)
    return [getattr(state, field.name) for field in fields(state)[1:]]


def same(mine, others):
    pairs = zip(mine, others, strict=True)
    return all(a is b is None or np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(("width", "share"), [(UNEVEN, 0.8), (128, 0.3), (128, 0.05)])
def test_products_give_the_bits_of_edges(monkeypatch, width, share):
    mask = kept(width, share)
    slots = {
        how: int(build(how(mask, width), width).slot_at[1])
        for how in (completed, as_is)
    }
    assert slots[completed] > WIDE
    edges = trained(monkeypatch, mask, width, as_is)
    products = trained(monkeypatch, mask, width, completed)
    assert same(edges, products)
    assert not same(edges, trained(monkeypatch, mask, width, as_is, steps=11))


def as_is(mask: np.ndarray, width: int) -> np.ndarray:
    return mask


def test_wide_networks_agree_with_the_reference():
    job, mask = make_job([1, 2], width=UNEVEN), kept(UNEVEN, 0.8)
    mine, right = (
        engine(name).advance(job, begin(job, mask), 20)
        for name in ("sparse", "reference")
    )
    assert furthest(mine.params, right.params) <= tolerance("steps_20")
    assert not mine.params[~mask].any()


def test_layers_that_keep_most_weights_are_filled():
    width = LEAST_UNITS
    mask = np.concatenate([kept(width, 0.9, 1), kept(width, 0.4, 1)])
    filled = fill(mask, width)
    for layer in mlp.layers(width):
        assert (filled[:, layer.biases] == mask[:, layer.biases]).all()
    first, second, third, output = (filled[0, x.weights] for x in mlp.layers(width))
    assert second.all()
    assert np.array_equal(first, mask[0, mlp.layers(width)[0].weights])
    assert np.array_equal(output, mask[0, mlp.layers(width)[3].weights])
    assert not third.all()  # fewer than 64 units are left that reach the output
    assert np.array_equal(filled[1], mask[1])


def test_no_dead_unit_gets_a_weight():
    width = UNEVEN
    mask = kept(width, 0.95, 1)
    matrices = mlp.matrices(mask, width)
    matrices[2][0][0, :, 7] = False  # unit 7 of layer 2 reaches no unit
    filled = fill(mask, width)
    before, after = (mlp.matrices(each, width)[1][0][0] for each in (mask, filled))
    assert np.array_equal(after[7], before[7])
    assert after[np.arange(width) != 7].all()


def test_narrow_networks_stay_as_they_are():
    mask = kept(LEAST_UNITS - 1, 0.95)
    assert fill(mask, LEAST_UNITS - 1) is mask
