"""The paper's masks against its published lists and against brute force."""

import json
from itertools import product

import numpy as np
import pytest

from spiral.model import mask_text
from spiral.search import paper
from spiral.search.paper import PaperMasks, by_weights, texts
from tests import GOLDEN_FILES

PUBLISHED = json.loads((GOLDEN_FILES / "paper_masks.json").read_text())
SMALL = [(1, 1), (1, 3), (3, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4), (4, 2), (4, 3)]


def legal(rows: int, columns: int) -> list[tuple[str, ...]]:
    """Return all matrices without a zero row or column, by brute force."""
    lines = ["".join(digits) for digits in product("01", repeat=columns)]
    return [
        matrix
        for matrix in product(lines, repeat=rows)
        if all("1" in row for row in matrix)
        and all("1" in column for column in zip(*matrix, strict=True))
    ]


def ordered(rows: int, columns: int, nnz: int) -> list[str]:
    """Return the paper's list by sorting: row sums, then rows from the bottom up."""

    def listed(matrix):
        keys = [(row.count("1"), row) for row in matrix]
        return keys == sorted(keys, reverse=True) and sum(n for n, _ in keys) == nnz

    def position(matrix):
        places = [[i for i, d in enumerate(row) if d == "1"] for row in matrix]
        return [len(row) for row in places], places[::-1]

    every = sorted(filter(listed, legal(rows, columns)), key=position)
    return [",".join(matrix) for matrix in every]


@pytest.mark.parametrize("shape", PUBLISHED["counts"])
def test_every_matrix_has_as_many_masks_as_the_paper_lists(shape):
    rows, columns = map(int, shape.split("x"))
    found = by_weights(rows, columns)
    counts = {str(nnz): len(masks) for nnz, masks in found.items()}
    assert counts == PUBLISHED["counts"][shape]


@pytest.mark.parametrize(("shape", "first"), [("3x7", 3), ("3x6", 6)])
def test_the_cut_lists_begin_with_the_published_masks(shape, first):
    rows, columns = map(int, shape.split("x"))
    found = by_weights(rows, columns, first)
    joined = {str(n): [m.replace(",", "/") for m in found[n]] for n in found}
    assert joined == PUBLISHED["first"][shape]


@pytest.mark.parametrize(("rows", "columns"), SMALL)
def test_one_mask_is_listed_of_those_that_differ_in_the_order_of_rows(rows, columns):
    classes = {tuple(sorted(matrix)) for matrix in legal(rows, columns)}
    found = [
        m.split(",") for masks in by_weights(rows, columns).values() for m in masks
    ]
    assert len(found) == len(classes)
    assert {tuple(sorted(matrix)) for matrix in found} == classes


@pytest.mark.parametrize(("rows", "columns"), SMALL)
def test_masks_are_listed_in_the_papers_order(rows, columns):
    for nnz, found in by_weights(rows, columns).items():
        assert found == ordered(rows, columns, nnz)


def test_a_list_that_is_cut_is_the_beginning_of_the_whole():
    for nnz, found in by_weights(3, 4, 5).items():
        assert found == by_weights(3, 4)[nnz][:5]


# ---- whole networks


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({"shape": [3, 3, 3]}, 25_992),
        ({"shape": [3, 2, 2]}, 416),
        ({"shape": [7, 3, 3], "below": 33, "first": 3}, 63_208),
        ({"shape": [6, 3, 2], "below": 31, "first": 6}, 23_528),
    ],
)
def test_the_paper_trained_so_many_masks(arguments, count):
    found = texts(PaperMasks(**arguments))
    assert len(set(found)) == len(found) == count


@pytest.mark.parametrize("below", [None, 8, 10])
@pytest.mark.parametrize("first", [None, 1, 2])
def test_a_network_is_one_mask_of_each_matrix_with_few_weights_together(below, first):
    matrices = [
        [m for nnz in range(7) for m in ordered(rows, columns, nnz)[:cut]]
        for rows, columns, cut in [(3, 2, None), (2, 3, first), (2, 2, None)]
    ]
    expected = {
        "/".join([*three, "11"])
        for three in product(*matrices)
        if below is None or "".join(three).count("1") < below
    }
    found = texts(PaperMasks(shape=[3, 2, 2], below=below, first=first))
    assert len(found) == len(expected)
    assert set(found) == expected


def test_the_output_layer_is_dense_and_no_unit_is_without_weights():
    for text in texts(PaperMasks(shape=[4, 2, 3], below=11)):
        kept = mask_text.parse(text, 4).astype(int)
        first, second, third, output = np.split(kept, [8, 24, 40])
        assert output.tolist() == [1, 1, 1, 0]
        assert 0 < first.sum() + second.sum() + third.sum() < 11
        assert first.reshape(4, 2).any(axis=1).all()
        assert second.reshape(4, 4)[:2].any(axis=0).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"shape": [7, 3, 3]},
            "at most 1,000,000 masks, got 266,004,066; lower `below`",
        ),
        ({"shape": [3, 16, 16]}, "got more for 16x16"),
        ({"shape": [16, 3, 3], "first": 1}, "got more for 3x16"),
    ],
)
def test_too_many_masks_are_refused_before_they_are_made(arguments, words):
    with pytest.raises(ValueError, match=words):
        texts(PaperMasks(**arguments))


def test_the_largest_lists_of_the_paper_are_allowed():
    assert sum(map(len, by_weights(3, 7).values())) == 137_257 < paper.MOST
