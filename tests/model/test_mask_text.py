"""Mask texts are read into masks, or the error tells what is wrong with them."""

import pytest

from spiral.model import mask_text
from tests.methods import DENSE_3

SMALL = "11,10/11,01/10,01/11"


def test_rows_are_output_units_and_digits_inputs():
    found = mask_text.parse(SMALL, 2).astype(int).tolist()
    assert found == [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1]


def test_smaller_matrices_fill_the_leading_units():
    found = mask_text.parse("01,10/11/1,1,0/101", 3)
    assert found[:6].astype(int).tolist() == [0, 1, 1, 0, 0, 0]
    assert found[6:15].astype(int).tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert found[15:24].astype(int).tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0]
    assert found[24:].astype(int).tolist() == [1, 0, 1]


def test_the_full_mask_keeps_all():
    assert mask_text.parse(DENSE_3, 3).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 4 matrices separated by '/', got 1"),
        ("11/1/1", "expected 4 matrices separated by '/', got 3"),
        ("11/1/1/1/1", "expected 4 matrices separated by '/', got 5"),
        ("1/1/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("111/1/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("12/1/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("1a/1/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("11, 11/11/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("11,/11/1/1", "matrix 1: expected rows of 2 digits 0 or 1"),
        ("11/1//1", "matrix 3: expected rows of 1 digits 0 or 1"),
        ("11,11/1/1/1", "matrix 2: expected rows of 2 digits 0 or 1"),
        ("11/1/1,1/1", "matrix 4: expected rows of 2 digits 0 or 1"),
        ("11,11,11/111/1/1", "matrix 1: expected at most 2 rows, got 3"),
        ("11/1/1,1,1/111", "matrix 3: expected at most 2 rows, got 3"),
        ("11/1/1/1,1", "matrix 4: expected at most 1 rows, got 2"),
    ],
)
def test_parse_errors(text, words):
    with pytest.raises(ValueError, match=words):
        mask_text.parse(text, 2)
