"""Layout and spelling of masks."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiral.model import mask_text
from spiral.search import shape as shapes
from spiral.search.burnside import count

SHAPES = st.tuples(*[st.integers(1, 5)] * 3)


def test_matrices_lie_one_after_the_other_row_by_row():
    w1, w2, w3, w4 = shapes.matrices(np.arange(18), (3, 2, 2))
    assert w1.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert w2.tolist() == [[6, 7, 8], [9, 10, 11]]
    assert w3.tolist() == [[12, 13], [14, 15]]
    assert w4.tolist() == [[16, 17]]
    assert shapes.weight_count((3, 2, 2)) == 18


def test_spelled_row_by_row():
    flat = np.array([[1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]], bool)
    assert shapes.spell(flat, (2, 2, 2)) == ["10,11/01,11/00,01/11"]
    assert shapes.spell(np.zeros((0, 5), bool), (1, 1, 1)) == []


@given(shape=SHAPES, data=st.data())
def test_texts_are_read_back_as_the_method_reads_them(shape, data):
    size = shapes.weight_count(shape)
    flat = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    (text,) = shapes.spell(flat[None], shape)
    assert shapes.read(text)[0] == shape
    assert (shapes.read(text)[1] == flat).all()
    assert mask_text.parse(text, max(shape)).sum() == flat.sum()


@pytest.mark.parametrize("text", ["", "11/1/1", "11/1/1/1/1", "11/1/11/1", "12/1/1/1"])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(ValueError, match=r"expected 4 matrices|expected rows of"):
        shapes.read(text)


def test_spans():
    assert shapes.span("20..22") == range(20, 23)
    assert shapes.span("20") == range(20, 21)


@pytest.mark.parametrize(
    "text", ["", "a", "20..", "..22", "20-22", "20...22", "22..20"]
)
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match=r"expected a number|empty range"):
        shapes.span(text)


def test_every_shape_with_so_few_weights_and_no_other():
    found = shapes.every(10)
    assert found == sorted(
        shape
        for shape in product(range(1, 6), repeat=3)
        if min((*count(shape).by_nnz, 99)) <= 10
    )
    assert len(found) > 20
