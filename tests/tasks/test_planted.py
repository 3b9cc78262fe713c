"""Planted tasks: what their teachers prove."""

import numpy as np
import pytest

from spiral import tasks
from spiral.errors import ConfigError
from spiral.model import masks, mlp
from spiral.tasks import planted
from tests import oracles

CASES = [
    "planted(points=5000)",
    "planted(seed=1, shape=4-3-1, nnz=12, points=5000)",
    "planted(seed=2, shape=2-1-1, nnz=6, points=5000)",
]
NNZ = dict(zip(CASES, [16, 12, 6], strict=True))
WIDTH = dict(zip(CASES, [4, 4, 2], strict=True))
every = pytest.mark.parametrize("name", CASES)


def right(task, params, kind=np.float64):
    """Return which points a network of these parameters gets right."""
    return (oracles.logits(params.astype(kind), task.x, width_of(params)) > 0) == task.y


def width_of(params):
    return mlp.width_of(len(params))


@every
def test_the_teacher_has_as_many_weights_as_asked_all_on_paths(name):
    mask, params = tasks.load(name).planted
    width = WIDTH[name]
    assert width_of(params) == width
    kept = mask & mlp.is_weight(width)
    assert kept.sum() == NNZ[name] == masks.on_path(mask[None], width).sum()
    biased = masks.with_biases(masks.of_weights(mask[None], width), width)[0]
    assert np.array_equal(mask, biased)
    assert not params[~mask].any()
    assert params[kept].all()


@every
def test_the_teacher_gets_every_point_right_in_both_precisions(name):
    task = tasks.load(name)
    params = task.planted.weights
    assert params.dtype == np.float32
    assert right(task, params).all()
    z = mlp.logits(params, np.ascontiguousarray(task.x.T), WIDTH[name])
    assert z.dtype == np.float32
    assert np.array_equal(z > 0, task.y)
    assert np.abs(z).min() > 1e-3 / 2


@every
def test_every_weight_matters(name):
    task = tasks.load(name)
    mask, params = task.planted
    for place in np.flatnonzero(mask & mlp.is_weight(WIDTH[name])):
        fewer = params.copy()
        fewer[place] = 0
        assert right(task, fewer).mean() <= 0.99


@every
def test_classes_are_balanced_and_apart(name):
    task = tasks.load(name)
    assert 0.5 <= task.chance <= 0.7
    raw = task.x * task.scale.deviation + task.scale.mean
    ours, theirs = raw[task.y == 0][::3], raw[task.y == 1][::3]
    away = np.abs(ours[:, None] - theirs).max(axis=2)
    side = 2 / np.diff(np.unique(raw[:, 0].round(5))).min()
    assert away.min() > round(0.02 * side) * 2 / side
    assert np.abs(raw).max() < 1


@every
def test_no_straight_line_nearly_suffices(name):
    task = tasks.load(name)
    for angle in np.linspace(0, np.pi, 16, endpoint=False):
        along = task.x @ [np.cos(angle), np.sin(angle)]
        for threshold in np.quantile(along, np.linspace(0, 1, 41)):
            share = ((along > threshold) == task.y).mean()
            assert 0.1 < share < 0.9


def test_a_task_is_drawn_from_its_name_alone():
    family = tasks.FAMILIES["planted"]
    values = {"seed": 3, "shape": (3, 2, 1), "nnz": 9, "points": 2000}
    first, again = family.build(**values), family.build(**values)
    assert np.array_equal(first.points, again.points)
    assert np.array_equal(first.planted.weights, again.planted.weights)
    other = family.build(**{**values, "seed": 4})
    assert not np.array_equal(first.planted.weights, other.planted.weights)


def test_the_teacher_does_not_depend_on_the_number_of_points():
    """It is chosen on a coarse lattice, unless the fine one disagrees."""
    few, many = (
        tasks.FAMILIES["planted"].build(seed=1, shape=(4, 3, 1), nnz=12, points=points)
        for points in (5000, 20_000)
    )
    difference = few.planted.weights - many.planted.weights
    assert np.abs(difference).max() < 0.01 * np.abs(many.planted.weights).max()


def test_a_shape_that_computes_only_lines_has_no_teacher(monkeypatch):
    monkeypatch.setattr(planted, "DRAWS", 50)
    with pytest.raises(ConfigError, match="none; choose another seed"):
        tasks.load("planted(shape=1-1-1, nnz=5)")


@pytest.mark.parametrize("nnz", [7, 11])
def test_as_few_weights_as_units_need_and_all_there_are_fit_a_shape(nnz):
    """2-2-1: 4 + 4 + 2 + 1 weights; units need 2 + 2 + 2 + 1."""
    assert tasks.canonical(f"planted(shape=2-2-1, nnz={nnz})")


@pytest.mark.parametrize("nnz", [6, 12])
def test_fewer_or_more_weights_than_fit_a_shape_are_refused(nnz):
    with pytest.raises(ConfigError, match="expected nnz from 7 to 11 for shape 2-2-1"):
        tasks.canonical(f"planted(shape=2-2-1, nnz={nnz})")


@pytest.mark.parametrize(
    "given",
    ["4-3", "4-3-2-1", "0-1-1", "9-1-1", "4-3-x", "4--1", [4, 3], [4, 3, True], 432],
)
def test_a_shape_is_three_sizes(given):
    with pytest.raises(ConfigError, match="3 sizes from 1 to 8 like 4-3-2"):
        tasks.canonical({"planted": {"shape": given}})


def test_a_shape_may_be_a_list():
    name = tasks.canonical({"planted": {"shape": [4, 3, 1], "nnz": 12, "seed": 0}})
    assert name == "planted(shape=4-3-1, nnz=12)"


def test_near_points_are_cleared_from_a_lattice():
    grid = np.zeros((9, 9), np.int8)
    grid[4, 6] = 1
    assert np.argwhere(planted._highest(grid, 1)).tolist() == [
        [i, k] for i in (3, 4, 5) for k in (5, 6, 7)
    ]


def test_a_line_is_found():
    points = planted.lattice(12)
    across = planted.orders(points)
    x, y = points
    assert planted.by_a_line(x > 0.4, across) == 1
    assert planted.by_a_line(y < -0.1, across) == 1
    assert planted.by_a_line(x * y > 0, across) < 0.8
