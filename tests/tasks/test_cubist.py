"""The data set against the published samples and a point-by-point twin."""

import json

import numpy as np
import pytest

from spiral import tasks
from spiral.errors import ConfigError
from spiral.tasks import cubist
from tests import GOLDEN_FILES, oracles
from tests.tolerances import tolerance

GOLDEN = json.loads((GOLDEN_FILES / "cubist_spiral.json").read_text())
DATA = cubist.load()


def test_counts():
    assert GOLDEN["points"] == cubist.POINTS == 49_982 == len(DATA.x) == len(DATA.y)
    assert GOLDEN["per_class"] == np.bincount(DATA.y).tolist() == [24_991] * 2


def test_class_0_comes_first():
    assert not DATA.y[:24_991].any()
    assert DATA.y[24_991:].all()


@pytest.mark.parametrize("sample", GOLDEN["samples"], ids=lambda s: str(s["index"]))
def test_published_sample(sample):
    assert DATA.x[sample["index"]] == pytest.approx(
        sample["x"], abs=tolerance("sample")
    )
    assert DATA.y[sample["index"]] == sample["label"]


def test_published_extent():
    assert DATA.x.min(axis=0) == pytest.approx(GOLDEN["min"], abs=tolerance("sample"))
    assert DATA.x.max(axis=0) == pytest.approx(GOLDEN["max"], abs=tolerance("sample"))


def test_the_tolerance_is_the_published_one():
    assert tolerance("sample") == GOLDEN["tolerance"]


def test_every_point_is_where_the_twin_puts_it():
    assert np.abs(DATA.x - oracles.spiral()).max() <= tolerance("point")


def test_mean_is_zero_and_unbiased_deviation_one():
    x = DATA.x.astype(np.float64)
    assert x.mean(axis=0) == pytest.approx([0, 0], abs=tolerance("moment"))
    assert x.std(axis=0, ddof=1) == pytest.approx([1, 1], abs=tolerance("moment"))


def test_a_corner_ends_one_segment_and_begins_the_next():
    """Both ends of a segment are points, so each of the 15 inner corners is double."""
    for start in (0, 24_991):
        x = DATA.x[start : start + 24_991]
        assert len(x) - len(np.unique(x, axis=0)) == 15


def test_types_and_read_only():
    assert (DATA.x.dtype, DATA.y.dtype) == (np.float32, np.uint8)
    for array in DATA:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_corners_start_at_zero():
    outer, inner = cubist.vertices()
    assert np.minimum(outer.min(axis=0), inner.min(axis=0)).tolist() == [0, 0]
    expected = np.array(oracles.arm(+1)) - oracles.arm(-1)
    assert outer - inner == pytest.approx(expected)


@pytest.mark.parametrize(
    ("turns", "sides"), [(1, 8), (1.5, 8), (2.5, 8), (3, 8), (2, 6), (2, 16), (1.5, 6)]
)
def test_other_turns_and_sides_are_where_the_twin_puts_them(turns, sides):
    task = tasks.load(tasks.canonical({"cubist": {"turns": turns, "sides": sides}}))
    twin = oracles.spiral(turns=turns, sides=sides)
    assert np.abs(task.x - twin).max() <= tolerance("point")
    assert [len(corners) for corners in task.curves] == [turns * sides + 1] * 2
    outer = oracles.walk(oracles.arm(+1, turns, sides))
    assert task.y.tolist() == [0] * len(outer) + [1] * (len(twin) - len(outer))


@pytest.mark.parametrize(("turns", "sides"), [(1.25, 6), (1.5, 7), (2.75, 10)])
def test_a_spiral_that_ends_within_a_side_is_refused(turns, sides):
    with pytest.raises(ConfigError, match="a whole number of segments"):
        tasks.canonical({"cubist": {"turns": turns, "sides": sides}})
