"""Balls of Frank-Wolfe: norms, corners, starts, against definitions and golden data."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.model import mlp
from spiral.protocol import norm_balls
from spiral.protocol.norm_balls import Cell
from tests import GOLDEN_FILES, oracles
from tests.tolerances import tolerance

GOLDEN = json.loads((GOLDEN_FILES / "frank_wolfe.json").read_text())
KINDS = ["k_support", "k_polytope", "group_k_support", "l2"]
LIMIT = 20 * tolerance("float64")


def vectors(seed=0, n=3, size=12):
    return np.random.default_rng(seed).normal(size=(n, size))


def support_norm(vector, k):
    """Try every r of the definition, in falling order of absolute values."""
    x = sorted(np.abs(vector), reverse=True)
    for r in range(k):
        rest = sum(x[k - r - 1 :])
        above = np.inf if k - r - 2 < 0 else x[k - r - 2]
        if above > rest / (r + 1) >= x[k - r - 1] - 1e-12:
            return (sum(v * v for v in x[: k - r - 1]) + rest**2 / (r + 1)) ** 0.5
    raise AssertionError


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_k_support_norm_is_its_definition(seed, k):
    x = vectors(seed)
    found = norm_balls.k_support_norm(np.abs(x), k)
    expected = [support_norm(row, k) for row in x]
    assert found == pytest.approx(expected, rel=LIMIT)


@pytest.mark.parametrize("k", [1, 3, 12])
def test_equal_values_have_a_norm_too(k):
    found = norm_balls.k_support_norm(np.full((1, 12), 0.3), k)
    assert found == pytest.approx([0.3 * 12 / k**0.5], rel=1e-12)
    assert norm_balls.k_support_norm(np.zeros((1, 12)), k) == 0


def test_limits_of_the_k_support_norm_are_l1_and_l2():
    x = np.abs(vectors())
    assert norm_balls.k_support_norm(x, 1) == pytest.approx(x.sum(axis=1), rel=LIMIT)
    l2 = np.linalg.norm(x, axis=1)
    assert norm_balls.k_support_norm(x, 12) == pytest.approx(l2, rel=LIMIT)


def test_limits_of_the_polytope_are_l1_and_l_infinity():
    x = vectors()
    one, all_ = (Cell("k_polytope", slice(0, 12), 12, k, 1.0) for k in (1, 12))
    assert norm_balls.gauge(one, x) == pytest.approx(np.abs(x).sum(axis=1), rel=LIMIT)
    assert norm_balls.gauge(all_, x) == pytest.approx(np.abs(x).max(axis=1), rel=LIMIT)


def test_groups_of_one_weight_are_no_groups():
    """A unit of one weight and a bias of 0."""
    x = vectors()
    group = Cell("group_k_support", slice(0, 24), 12, 4, 1.0)
    padded = np.concatenate([x, np.zeros_like(x)], axis=1)
    alone = Cell("k_support", slice(0, 12), 12, 4, 1.0)
    found, expected = norm_balls.gauge(group, padded), norm_balls.gauge(alone, x)
    assert found == pytest.approx(expected, rel=LIMIT)
    assert np.array_equal(
        norm_balls.chosen((group,), padded)[:, :12], norm_balls.chosen((alone,), x)
    )


def test_norms_are_the_authors():
    x = np.abs([GOLDEN["x"]])
    for k, norm in GOLDEN["norms"]:
        assert norm_balls.k_support_norm(x, k)[0] == pytest.approx(norm, rel=LIMIT)
    for k, norm in GOLDEN["polytope_norms"]:
        cell = Cell("k_polytope", slice(0, 12), 12, k, 1.0)
        assert norm_balls.gauge(cell, x)[0] == pytest.approx(norm, rel=LIMIT)


# ---- the balls of a network


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [1, 3, 16])
def test_balls_cover_every_parameter_once_in_order(kind, width):
    found = norm_balls.cells(width, kind, 0.3, 10.0)
    ends = [(cell.columns.start, cell.columns.stop) for cell in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == mlp.param_count(width)
    assert all(a[1] == b[0] for a, b in pairwise(ends))


def test_matrices_have_the_ball_and_biases_an_l2_ball():
    found = norm_balls.cells(16, "k_support", 0.3, 10.0)
    assert [cell.ball for cell in found] == ["k_support", "l2"] * 4
    assert [cell.k for cell in found[::2]] == [9, 76, 76, 4]
    grouped = norm_balls.cells(16, "group_k_support", 0.3, 10.0)
    assert [cell.ball for cell in grouped] == ["group_k_support"] * 3 + ["l2"] * 2
    assert [cell.k for cell in grouped[:3]] == [4] * 3
    assert [cell.units for cell in grouped[:3]] == [16] * 3


def test_k_is_at_least_one():
    assert norm_balls.cells(3, "k_support", 0.01, 1.0)[6].k == 1


def test_radii_follow_the_norm_of_the_initialisation():
    """√(outputs/3) for a matrix: 2.31 of 16 units."""
    for kind in KINDS:
        found = norm_balls.cells(16, kind, 0.3, 10.0)
        if kind != "group_k_support":
            assert found[2].diameter == pytest.approx(2 * 10 * 2.31, rel=0.01)
            twice = norm_balls.cells(16, kind, 0.3, 20.0)[2].diameter
            assert twice == pytest.approx(2 * found[2].diameter)
    polytope = norm_balls.cells(16, "k_polytope", 0.3, 10.0)[2]
    assert polytope.diameter == pytest.approx(2 * polytope.radius * 76**0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_is_scaled_ball_by_ball_and_only_where_it_is_outside(kind):
    stack = norm_balls.cells(3, kind, 0.5, 0.8)
    params = np.stack([mlp.initial_params(seed, 3) for seed in range(20)])
    found = norm_balls.inside(stack, params)
    shrunk = 0
    for cell in stack:
        before, after = params[:, cell.columns], found[:, cell.columns]
        size = norm_balls.gauge(cell, before.astype(np.float64))
        share = np.minimum(1, cell.radius / size)
        assert after == pytest.approx(before * share[:, None], rel=1e-6)
        assert (
            norm_balls.gauge(cell, after.astype(np.float64)) < 1.000001 * cell.radius
        ).all()
        shrunk += (size > cell.radius).sum()
    assert 0 < shrunk < 20 * len(stack)


def test_the_authors_radius_leaves_the_start_alone():
    params = np.stack([mlp.initial_params(seed, 16) for seed in range(10)])
    stack = norm_balls.cells(16, "k_support", 0.3, 10.0)
    assert np.array_equal(norm_balls.inside(stack, params), params)


@pytest.mark.parametrize("kind", KINDS)
def test_the_farthest_corner_lies_on_the_k_largest(kind):
    values = vectors(3, 4, 37)
    values[0] = np.round(values[0])  # ties
    stack = norm_balls.cells(3, kind, 0.4, 1.0)
    found = norm_balls.chosen(stack, values)
    for cell in stack:
        for row, kept in zip(
            values[:, cell.columns], found[:, cell.columns], strict=True
        ):
            if cell.ball == "group_k_support":
                size = (len(row) - cell.units) // cell.units
                unit = [
                    [*row[u * size : (u + 1) * size], row[cell.units * size + u]]
                    for u in range(cell.units)
                ]
                some = oracles.keep_top(
                    [float(np.linalg.norm(u)) for u in unit], cell.k
                )
                expected = [some[u] for u in range(cell.units) for _ in range(size)]
                expected += some
            else:
                expected = oracles.keep_top(list(np.abs(row)), cell.k)
            assert kept.tolist() == expected
