"""What lines cross: bounds hold for lines that are tried, and in brute force."""

from itertools import combinations, product

import numpy as np
import pytest

from spiral.search.certify import exact, lines, record, runs, verify_runs
from spiral.search.certify.pieces import ANY
from spiral.tasks import cubist
from tests import mostly_slow

FINE = exact.Grid(
    steps=8,
    cells=9,
    family_steps=4,
    family_cells=6,
    axis_cells=8,
    half_steps=4,
    half_cells=6,
)


def tiny(seed, each=4):
    """Return a few random points of two classes, and all pairs as groups."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-60, 60, (2 * each, 2)).astype(np.float32) / 32
    pairs = product(range(each), range(each, 2 * each))
    return x, [(a, a + 1, b, b + 1) for a, b in pairs]


def bipartitions(x):
    """Return every way in which a line splits points: around lines through two."""
    found = set()
    for i, j in combinations(range(len(x)), 2):
        (a, b), (c, d) = x[i], x[j]
        side = np.sign((x - x[i]) @ [b - d, c - a])
        for ends in product((-1, 1), repeat=2):
            split = side.copy()
            split[[i, j]] = ends
            if (split != 0).all():  # three in a row: other pairs give its splits
                found.add(tuple(split * split[0]))
    return [np.array(split) for split in found]


def fewest_lines(x, groups):
    """Return how many lines separate all pairs, by trying all sets of lines."""
    cover = [
        frozenset(k for k, g in enumerate(groups) if split[g[0]] != split[g[2]])
        for split in bipartitions(x)
    ]
    for count in range(1, len(x)):
        for chosen in combinations(cover, count):
            if len(frozenset().union(*chosen)) == len(groups):
                return count
    raise AssertionError("points coincide")


@pytest.mark.parametrize("seed", mostly_slow(range(8), range(2)))
def test_bounds_do_not_exceed_the_true_number_of_lines(seed):
    x, groups = tiny(seed)
    of = lines.problem(x, groups, 1)
    weights = lines.Program(of, 0).solve(12, 60)
    bound = exact.certificate(of, weights, FINE).lines(0)
    truth = fewest_lines(x.astype(float), groups)
    assert 1 <= bound <= truth


def test_four_corners_need_two_lines_and_two_are_proven():
    x = np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]], np.float32)
    groups = [(a, a + 1, b, b + 1) for a in (0, 1) for b in (2, 3)]
    of = lines.problem(x, groups, 1)
    found = exact.certificate(of, lines.Program(of, 0).solve(20, 100), FINE)
    assert found.lines(0) == fewest_lines(x, groups) == 2
    # One wrong point: a line parts it and its neighbours... from the opposite corner
    assert found.lines(1) <= 1


@pytest.fixture(scope="module")
def shipped():
    return record.read()["certificates"]


def crossing(certificate, points, way, places):
    """Return the weight of point pairs that lines {x : way·x = place} separate.

    Points in coupled runs are all paired, with equal parts of the weight.
    """
    found = verify_runs.runs_of(certificate["groups"], certificate["run"])
    state = np.searchsorted(places, points @ way)  # between which lines a point lies
    total = 0.0
    for one, other, weight in zip(found.one, found.other, found.weight, strict=True):
        a = state[found.starts[one] : found.stops[one]]
        b = state[found.starts[other] : found.stops[other]]
        total += weight * (a[:, None] != b).mean()
    return total


@pytest.mark.parametrize("number", range(3))
def test_lines_do_not_cross_more_than_recorded(shipped, number):
    certificate, rng = shipped[number], np.random.default_rng(number)
    points = cubist.load().x.astype(float)
    shares = []
    for count in (1, 2, 9):
        angle = rng.uniform(0, np.pi)
        way = np.array([np.cos(angle), np.sin(angle)])
        places = np.sort(rng.uniform(-1.6, 1.6, count))
        crossed = crossing(certificate, points, way, places)
        assert crossed <= certificate["capacity"][count - 1]
        axis = crossing(certificate, points, np.eye(2)[count % 2], places)
        assert axis <= certificate["axis_capacity"][count % 2][count - 1]
        shares.append(crossed / certificate["capacity"][count - 1])
    assert max(shares) > 0.2  # or the capacities would say nothing


def test_a_side_of_the_spiral_fills_the_capacity_of_a_line(shipped):
    certificate, points = shipped[0], cubist.load().x.astype(float)
    most = 0.0
    for a0, a1, b0, b1, weight in sorted(certificate["groups"], key=lambda g: -g[4])[
        :6
    ]:
        along = points[a1 - 1] - points[a0]
        way = np.array([-along[1], along[0]])
        middle = (points[a0] + points[b0]) / 2 @ way
        crossed = crossing(certificate, points, way, [middle])
        assert weight * 0.9 <= crossed <= certificate["capacity"][0]
        assert b1 > b0
        most = max(most, crossed)
    assert most > 0.8 * certificate["capacity"][0]


def test_a_line_through_an_arm_crosses_one_side_of_it():
    # Points of class 0 on a row between two rows of class 1, all in one direction
    x = np.array([[k / 8, y] for y in (0, 1, -1) for k in range(4)], np.float32)
    groups = [(0, 4, 4, 8), (0, 4, 8, 12)]
    of = lines.problem(x, groups, 4)
    found = exact.certificate(of, np.ones(2), FINE)
    assert found.total == 2 * exact.UNIT
    # Not both gaps: a horizontal line misses one side
    assert found.axis_capacity[1][:2] == [exact.UNIT, 2 * exact.UNIT]


def test_couplings_spread_weights_evenly():
    groups = [(0, 7, 10, 15), (0, 7, 20, 31)]
    coupling = runs.couple(groups, 3)
    load = np.zeros(31)
    for (one, other), share in zip(coupling.pairs, coupling.shares(), strict=True):
        for start, stop in coupling.runs[[one, other]]:
            load[start:stop] += share / (stop - start)
    np.testing.assert_allclose(load[:7], 2 / 7)
    np.testing.assert_allclose(load[10:15], 1 / 5)
    np.testing.assert_allclose(load[20:], 1 / 11)


def test_coordinates_are_exact_or_refused():
    x = cubist.load().x
    np.testing.assert_array_equal(runs.integer(x) / 2.0**runs.BITS, x)
    with pytest.raises(ValueError, match="multiples"):
        runs.integer(np.array([[1e-9, 0]], np.float32))


def test_directions_go_around_half_a_turn_without_gaps():
    ends = np.array([*exact.neighbours(3)])
    cross = ends[:, 0, 0] * ends[:, 1, 1] - ends[:, 0, 1] * ends[:, 1, 0]
    assert (cross > 0).all()
    assert (ends[1:, 0] == ends[:-1, 1]).all()
    assert ends[0, 0].tolist() == [8, 0]
    assert ends[-1, 1].tolist() == [-8, 0]


def test_families_beyond_the_recorded_ones_are_bounded_by_parts():
    certificate = exact.Certificate([], [], 1, FINE, [5, 9], ([4], [3, 4]), 100, (7, 2))
    assert certificate.crossed(((ANY, 2), (0, 1))) == 13
    assert certificate.crossed(((ANY, 5),)) == 9 + 9 + 5
    assert certificate.crossed(((0, 3), (1, 3))) == 12 + 7
    assert certificate.needed(3) == 100 - 11  # rounded against us
    assert certificate.lines(3) == 18
