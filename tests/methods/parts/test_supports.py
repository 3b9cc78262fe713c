"""What to keep of a quadratic model, against enumeration and least squares."""

from itertools import combinations

import numpy as np
import pytest

from spiral.methods.parts import supports
from spiral.methods.parts.brain_surgeon import STAYS
from spiral.methods.parts.supports import Quadratic

W = np.cos(np.arange(8) + 1.0)
X = np.sin(np.outer(np.arange(10) + 1, np.arange(8) + 2))


def model(weights=W, rows=X, damping=0.02, slope=None, groups=None):
    """Return the model of ‖X(w + δ) - Xw‖²/2 + damping·‖δ‖²/2 + slope·δ."""
    size = len(weights)
    return Quadratic(
        weights,
        rows.T @ rows + damping * np.eye(size),
        np.zeros(size) if slope is None else slope,
        np.zeros(size, int) if groups is None else np.array(groups),
    )


def fisher():
    """Return the model whose numbers the published codes were run on."""
    return model(rows=X / np.sqrt(10), damping=0.01)


def q(block, weights):
    delta = weights - block.weights
    return block.slope @ delta + delta @ block.matrix @ delta / 2


def best(block, kept):
    """Return the weights on a support that minimise q, by least squares."""
    values, vectors = np.linalg.eigh(block.matrix)
    rows = vectors.T * np.sqrt(values)[:, None]
    goal = rows @ block.weights - np.linalg.solve(rows.T, block.slope)
    found = np.zeros(len(kept))
    found[kept] = np.linalg.lstsq(rows[:, kept], goal, rcond=None)[0]
    return found


def mask(places, size=8):
    return np.isin(np.arange(size), places)


def places(kept):
    return np.flatnonzero(kept).tolist()


def all_supports(count, size=8):
    return [mask(some, size) for some in combinations(range(size), count)]


def optimum(block, count):
    size = len(block.weights)
    return min(all_supports(count, size), key=lambda kept: q(block, best(block, kept)))


def random_problem(seed, size=12):
    """Return a model of twenty correlated rows."""
    random = np.random.default_rng(seed)
    mixed = np.eye(size) + random.standard_normal((size, size)) / 2
    rows = random.standard_normal((20, size)) @ mixed
    return model(random.standard_normal(size), rows, 0.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_to_go_is_the_cheapest_by_enumeration(seed):
    block = random_problem(seed)
    (kept,) = supports.greedy([block], np.array([1]))
    assert np.array_equal(kept, optimum(block, 11))


@pytest.mark.parametrize("slope", [None, np.sin(np.arange(8.0))])
@pytest.mark.parametrize("gone", [[7], [7, 4], [0, 1, 2, 3, 6]])
def test_joint_compensation_is_least_squares(gone, slope):
    block, kept = model(slope=slope), ~mask(gone)
    found = supports.compensated(block, kept, "joint")
    assert np.allclose(found, best(block, kept), rtol=0, atol=1e-12)


def test_numbers_of_the_published_inverses():
    """M-FAC and WoodFisher (IST-DASLab) agree with these to 2e-14."""
    block = fisher()
    diagonal = np.linalg.inv(block.matrix).diagonal()
    assert np.allclose(
        diagonal,
        [
            1.955335,
            2.312435,
            2.120701,
            2.177867,
            1.813076,
            2.109342,
            1.967658,
            2.417025,
        ],
        atol=1e-6,
    )
    assert np.allclose(
        W**2 / diagonal / 2,
        [
            0.074649,
            0.037445,
            0.231076,
            0.098089,
            0.022190,
            0.218534,
            0.144428,
            0.004379,
        ],
        atol=1e-6,
    )


def test_numbers_of_removing_one_weight():
    (kept,) = supports.greedy([fisher()], np.array([1]))
    assert places(~kept) == [7]
    found = supports.compensated(fisher(), kept, "joint")
    assert np.allclose(
        found,
        [0.51289, -0.451594, -1.034814, -0.645861, 0.288191, 0.947328, 0.771423, 0],
        atol=1e-6,
    )
    assert np.isclose(q(fisher(), found), 0.0043794, atol=1e-7)
    alone = supports.compensated(fisher(), kept, "single")
    assert np.allclose(found, alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("how", "cost"), [("none", 0.0284268), ("single", 0.0273192), ("joint", 0.0273132)]
)
def test_numbers_of_removing_two_weights(how, cost):
    (kept,) = supports.independent([fisher()], np.array([2]))
    assert places(~kept) == [4, 7]
    found = supports.compensated(fisher(), kept, how)
    assert np.isclose(q(fisher(), found), cost, atol=1e-7)
    assert (found[[4, 7]] == 0).all()


def test_one_by_one_costs_what_all_at_once_costs():
    block = fisher()
    (kept,) = supports.greedy([block], np.array([4]))
    rest, total = np.ones(8, bool), 0.0
    weights = block.weights
    while not np.array_equal(rest, kept):
        prices = {}
        for i in np.flatnonzero(rest & ~kept):
            fewer = rest & ~mask([i])
            prices[i] = q(block, best(block, fewer)) - q(block, weights)
        cheapest = min(prices, key=prices.get)
        rest, total = rest & ~mask([cheapest]), total + prices[cheapest]
        weights = best(block, rest)
    assert np.isclose(total, q(block, supports.compensated(block, kept, "joint")))


def test_the_brain_surgeon_is_not_optimal_and_exchanges_are_here():
    """Greedy removal, magnitude and CHITA's code all keep 2, 5 and 6."""
    block = model()
    (kept,) = supports.greedy([block], np.array([5]))
    assert places(kept) == places(np.abs(W) >= np.sort(np.abs(W))[-3]) == [2, 5, 6]
    assert np.isclose(q(block, best(block, kept)), 2.984464, atol=1e-6)
    assert places(optimum(block, 3)) == [0, 2, 5]
    for cost in ("joint", "none"):
        found = supports.swapped(block, kept, cost, 1e-4)
        assert places(found) == [0, 2, 5]
    assert np.isclose(q(block, best(block, found)), 2.730960, atol=1e-6)


@pytest.mark.parametrize("slope", [None, np.sin(3 * np.arange(8.0))])
@pytest.mark.parametrize("cost", ["joint", "none"])
def test_every_exchange_is_priced_as_if_it_were_made(cost, slope):
    block, kept = model(slope=slope), mask([1, 2, 6])

    def price(some):
        weights = best(block, some) if cost == "joint" else np.where(some, W, 0)
        return q(block, weights)

    inside, outside = np.flatnonzero(kept), np.flatnonzero(~kept)
    found = supports.SWAPS[cost](block, kept, inside, outside)
    for row, j in enumerate(inside):
        for column, i in enumerate(outside):
            after = (kept & ~mask([j])) | mask([i])
            assert np.isclose(found[row, column], price(after) - price(kept))


def test_the_published_objective_is_the_authors():
    """CBS (yuxwind/CBS, greedy_alg/greedy.py): change = β - α - γ, twice ours."""
    block, kept = model(), mask([2, 5, 6])
    inside, outside = np.flatnonzero(kept), np.flatnonzero(~kept)
    m, gone = block.matrix, np.where(kept, 0, W)
    alpha = 2 * W * (m @ gone) - m.diagonal() * W**2
    beta = 2 * W * (m @ gone) + m.diagonal() * W**2
    gamma = 2 * W[:, None] * m * W
    expected = beta[inside][:, None] - alpha[outside] - gamma[np.ix_(inside, outside)]
    found = supports.SWAPS["none"](block, kept, inside, outside)
    assert np.allclose(2 * found, expected)


def test_an_exchange_must_gain_enough():
    block, kept = model(), mask([2, 5, 6])
    gain = 2.984464 - 2.730960
    same = supports.swapped(block, kept, "joint", gain + 1e-5)
    assert np.array_equal(same, kept)
    assert places(supports.swapped(block, kept, "joint", gain - 1e-5)) == [0, 2, 5]


def test_on_random_problems_exchanges_beat_greedy_which_beats_size():
    found = {"size": [], "greedy": [], "swaps": []}
    for seed in range(50):
        block = random_problem(seed)
        lowest = q(block, best(block, optimum(block, 4)))
        sizes = supports.largest([block], [np.abs(block.weights)], np.array([4]))[0]
        (kept,) = supports.greedy([block], np.array([8]))
        swapped = supports.swapped(block, kept, "joint", 1e-9)
        for name, some in zip(found, (sizes, kept, swapped), strict=True):
            found[name].append(q(block, best(block, some)) / lowest)
    assert np.median(found["size"]) > 2 > np.median(found["greedy"]) > 1.05
    assert np.isclose(np.median(found["swaps"]), 1)
    optimal = {name: sum(np.isclose(each, 1)) for name, each in found.items()}
    assert optimal["size"] < 10 < optimal["greedy"] < 25 < 35 < optimal["swaps"]


@pytest.mark.parametrize("choose", [supports.greedy, supports.independent])
@pytest.mark.parametrize("matrix", [np.eye(8), X.T @ X + 1e9 * np.eye(8)])
def test_where_nothing_interacts_the_smallest_go_and_nothing_changes(choose, matrix):
    block = Quadratic(W, matrix, np.zeros(8), np.zeros(8, int))
    (kept,) = choose([block], np.array([5]))
    assert places(kept) == [2, 5, 6]
    for how in ("joint", "single", "none"):
        found = supports.compensated(block, kept, how)
        assert np.allclose(found, np.where(kept, W, 0), atol=1e-6)


@pytest.mark.parametrize("how", ["joint", "single", "none"])
def test_keeping_everything_changes_nothing(how):
    block = model(slope=np.ones(8))
    (kept,) = supports.greedy([block], np.array([0]))
    assert np.array_equal(supports.compensated(block, kept, how), W)


@pytest.mark.parametrize("choose", [supports.greedy, supports.independent])
def test_each_group_loses_what_it_should_and_biases_stay(choose):
    groups = [0, 1, STAYS, 1, 0, 1, 0, STAYS]
    (kept,) = choose([model(groups=groups)], np.array([2, 1]))
    assert kept[[2, 7]].all()
    assert (~kept)[[0, 4, 6]].sum() == 2
    assert (~kept)[[1, 3, 5]].sum() == 1


def test_exchanges_stay_within_a_group():
    kept = mask([2, 5, 6])
    other = np.where(mask([0]), 1, 0)  # the weight that should come in
    found = supports.swapped(model(groups=other), kept, "joint", 1e-4)
    assert not found[0]


def test_blocks_do_not_interact():
    """Two blocks are one whose matrix has zeros between them."""
    halves = [random_problem(0, 6), random_problem(1, 6)]
    matrix = np.zeros((12, 12))
    matrix[:6, :6], matrix[6:, 6:] = (block.matrix for block in halves)
    both = Quadratic(
        np.concatenate([block.weights for block in halves]),
        matrix,
        np.zeros(12),
        np.zeros(12, int),
    )
    for choose in (supports.greedy, supports.independent):
        (whole,) = choose([both], np.array([7]))
        assert np.array_equal(np.concatenate(choose(halves, np.array([7]))), whole)
