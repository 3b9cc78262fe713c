"""One mask of each orbit, lazily, in blocks; listings are the same as texts."""

from itertools import islice, product

import numpy as np
import pytest

from spiral.model import mask_text
from spiral.search import enumerate as enumeration
from spiral.search.burnside import count
from spiral.search.canonical import canonical
from spiral.search.enumerate import listing, orbits
from tests.search import complete_masks, renumbered, unflat

TINY = [(1, 1, 1), (2, 1, 3), (1, 2, 3), (2, 3, 2), (3, 2, 2)]
SMALL = [*product(range(1, 5), range(1, 4), range(1, 4))]
LOPSIDED = [(2, 4, 3), (3, 4, 2), (1, 3, 5), (2, 2, 6), (2, 5, 2), (1, 6, 1), (9, 1, 2)]


def every(shape, **options) -> np.ndarray:
    return np.concatenate([*orbits(shape, **options)])


@pytest.mark.parametrize("shape", TINY)
def test_brute_force(shape):
    expected = {min(renumbered(found)) for found in complete_masks(shape)}
    found = [min(renumbered(unflat(row, shape))) for row in every(shape)]
    assert len(found) == len(expected)
    assert {*found} == expected


@pytest.mark.parametrize("shape", SMALL + LOPSIDED)
def test_as_many_as_counted(shape):
    found = every(shape)
    weights, masks = np.unique(found.sum(axis=1), return_counts=True)
    assert dict(zip(weights, masks, strict=True)) == count(shape).by_nnz
    assert len(np.unique(np.packbits(found, axis=1), axis=0)) == len(found)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 2), (3, 3, 2), (2, 4, 2), *TINY])
def test_every_mask_is_canonical(shape):
    found = every(shape)
    assert (canonical(found, shape)[0] == found).all()


@pytest.mark.parametrize("shape", [(3, 3, 3), (5, 3, 2), (2, 4, 3)])
def test_a_sample_of_larger_shapes_is_canonical(shape):
    found = every(shape)[::97]
    assert (canonical(found, shape)[0] == found).all()


def test_blocks_have_their_size_and_one_order():
    whole = every((3, 3, 2))
    for size in (1, 100, len(whole), 10**6):
        blocks = [*orbits((3, 3, 2), size=size)]
        assert [len(b) for b in blocks[:-1]] == [size] * (len(blocks) - 1)
        assert 0 < len(blocks[-1]) <= size
        assert (np.concatenate(blocks) == whole).all()


def test_blocks_are_not_overwritten():
    first, second = islice(orbits((3, 3, 2), size=10), 2)
    assert not np.shares_memory(first, second)


def test_a_shape_of_astronomic_size_begins_at_once():
    first, second = islice(orbits((16, 5, 9), size=10), 2)
    assert len(first) == len(second) == 10
    assert first.shape[1] == 2 * 16 + 16 * 5 + 5 * 9 + 9


@pytest.mark.parametrize("nnz", [range(0), range(19), range(15, 18), range(19, 99)])
def test_a_range_of_weights_leaves_out_all_others(nnz):
    whole = every((3, 3, 2))
    inside = [weights in nnz for weights in whole.sum(axis=1)]
    found = [*orbits((3, 3, 2), nnz)]
    assert sum(map(len, found)) == sum(inside)
    assert (np.concatenate([whole[:0], *found]) == whole[inside]).all()


def test_a_range_is_found_without_the_rest():
    lightest = every((16, 3, 3), nnz=range(38, 39))
    assert len(lightest) == count((16, 3, 3), range(38, 39)).canonical > 0


def test_too_large_a_shape_is_refused_before_the_first_block():
    with pytest.raises(ValueError, match="7 units in layer 2, got 8"):
        orbits((3, 8, 3))
    with pytest.raises(ValueError, match="three sizes"):
        orbits((3, 3))


def test_a_listing_spells_the_masks():
    texts = listing([3, 2, 2], "11..12")
    parsed = np.array([mask_text.parse(text, 3) for text in texts])
    assert len(texts) == len({*texts}) == 23 + 54
    assert {*parsed.sum(axis=1)} == {11, 12}
    assert len(listing([3, 2, 2])) == 273
    assert listing([3, 2, 2], "18") == ["11,11,11/111,111/11,11/11"]


def test_a_listing_too_long_is_refused_at_once(monkeypatch):
    with pytest.raises(
        ValueError, match="expected at most 1,000,000 masks, got 8,338,343"
    ):
        listing([7, 3, 3])
    monkeypatch.setattr(enumeration, "MOST", 273)
    assert len(listing([3, 2, 2])) == 273
    with pytest.raises(ValueError, match="three sizes"):
        listing([3, 2])
    with pytest.raises(ValueError, match="expected a number or a range"):
        listing([3, 2, 2], "12-13")
