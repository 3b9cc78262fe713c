"""The path of one network to fewer weights, against linear algebra spelled out."""

import numpy as np
import pytest

from spiral.methods.parts import shares, supports
from spiral.methods.second_order.path import Model, Network, Path, places
from spiral.model import masks, mlp
from tests import oracles

DEFAULTS = Model(
    matrix="gauss_newton",
    gradient_batch=1,
    damping=1e-3,
    compensate="joint",
    renewal=0.0,
    matrix_blocks="network",
    allocation="global",
    first_order=False,
)


def data(points=60):
    random = np.random.default_rng(5)
    x = random.standard_normal((points, 2))
    return x, (random.random(points) < 0.5).astype(np.float32)


def path(width=3, choose=supports.greedy, points=60, **options):
    return Path(DEFAULTS._replace(**options), choose, *data(points), width)


def dense(width=3, seed=0):
    size = mlp.param_count(width)
    params = np.random.default_rng([seed, width]).standard_normal(size)
    return Network(params, np.ones(size, bool))


def weights_of(network, width=3):
    return masks.of_weights(network.mask[None], width)[0]


def slow_matrix(network, width, kind, damping):
    """Return the curvature by central differences, point by point."""
    (x, y), params = data(), network.params
    rows = []
    for point in x:
        rows.append(
            oracles.finite_differences(
                lambda p, one=point[None]: float(oracles.logits(p, one, width)[0]),
                params,
            )
        )
    likely = 1 / (1 + np.exp(-oracles.logits(params, x, width)))
    weight = likely * (1 - likely) if kind == "gauss_newton" else (likely - y) ** 2
    found = sum(a * np.outer(row, row) for a, row in zip(weight, rows, strict=True))
    return found / len(x) + damping * np.eye(len(params))


def slow_greedy(network, count, matrix, width):
    """Solve for all that is left after every removal that is possible."""
    params, left = network.params, network.mask.copy()

    def rest(some):
        found = np.zeros(len(params))
        pull = matrix[np.ix_(some, ~some)] @ params[~some]
        own = matrix[np.ix_(some, some)]
        found[some] = params[some] + np.linalg.solve(own, pull)
        return found

    def cost(some):
        delta = rest(some) - params
        return delta @ matrix @ delta

    is_weight = oracles.is_weight(width)
    while (left & is_weight).sum() > count:
        without = {}
        for place in np.flatnonzero(left & is_weight):
            fewer = left.copy()
            fewer[place] = False
            without[place] = cost(fewer)
        left[min(without, key=without.get)] = False
    mask = masks.with_biases(left[is_weight][None], width)[0]
    return Network(np.where(mask, rest(left), 0), mask)


def assert_same(found, expected, atol=1e-12):
    assert np.array_equal(found.mask, expected.mask)
    assert np.allclose(found.params, expected.params, rtol=0, atol=atol)


@pytest.mark.parametrize("matrix", ["gauss_newton", "fisher"])
@pytest.mark.parametrize(("width", "count"), [(2, 9), (2, 4), (3, 20)])
def test_one_matrix_is_least_squares_after_each_removal(width, count, matrix):
    network = dense(width)
    found = path(width, matrix=matrix).walk(network, [count])[count]
    expected = slow_greedy(
        network, count, slow_matrix(network, width, matrix, 1e-3), width
    )
    assert_same(found, expected, 1e-5)


def test_a_matrix_is_renewed_where_the_share_is_left():
    """From 27 weights at 18, and from 18 at 12."""
    once, network = path(), dense()
    for count in (18, 12, 10):
        network = once.walk(network, [count])[count]
    found = path(renewal=0.7).walk(dense(), [10])[10]
    assert_same(found, network)


@pytest.mark.parametrize("allocation", ["global", "erk"])
@pytest.mark.parametrize("choose", [supports.greedy, supports.independent])
def test_one_path_serves_all_goals(choose, allocation):
    here = path(choose=choose, renewal=0.7, allocation=allocation)
    goals = [3, 11, 17, 18, 26]
    together = here.walk(dense(), goals)
    assert sorted(together) == goals
    for goal in goals:
        assert weights_of(together[goal]).sum() == goal
        assert_same(together[goal], here.walk(dense(), [goal])[goal], atol=0)


def test_a_goal_that_is_met_changes_nothing():
    network = path().walk(dense(), [12])[12]
    again = path().walk(network, [12, 20, 27])
    assert all(one is network for one in again.values())
    assert_same(path(first_order=True).walk(dense(), [27])[27], dense(), atol=0)


@pytest.mark.parametrize("blocks", ["network", "layer", "unit"])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_blocks_part_the_parameters(blocks, width):
    found = places(width, blocks)
    every = np.sort(np.concatenate(found))
    assert np.array_equal(every, np.arange(mlp.param_count(width)))
    assert len(found) == {"network": 1, "layer": 4, "unit": 3 * width + 1}[blocks]


def test_a_unit_has_its_row_and_its_bias():
    assert [p.tolist() for p in places(2, "unit")] == [
        [0, 1, 4],
        [2, 3, 5],
        [6, 7, 10],
        [8, 9, 11],
        [12, 13, 16],
        [14, 15, 17],
        [18, 19, 20],
    ]


@pytest.mark.parametrize(
    ("width", "count"), [(3, 4), (16, 4), (32, 4), (33, 100), (256, 769)]
)
def test_wide_networks_have_smaller_blocks(width, count):
    assert len(places(width, "auto")) == count


def test_blocks_are_a_matrix_without_what_lies_between():
    network, width = dense(), 3
    matrix = slow_matrix(network, width, "gauss_newton", 1e-3)
    own = np.zeros_like(matrix)
    for some in places(width, "layer"):
        own[np.ix_(some, some)] = matrix[np.ix_(some, some)]
    found = path(matrix_blocks="layer").walk(network, [15])[15]
    assert_same(found, slow_greedy(network, 15, own, width), 1e-5)


@pytest.mark.parametrize("rule", ["uniform", "erk", "igq", "uniform_alive"])
@pytest.mark.parametrize("blocks", ["network", "unit"])
def test_layers_keep_their_shares(rule, blocks):
    here = path(width=5, renewal=0.7, allocation=rule, matrix_blocks=blocks)
    for goal, network in here.walk(dense(5), [7, 20, 40]).items():
        counts = shares.of_mask(weights_of(network, 5)[None], 5)
        assert np.array_equal(counts, shares.quotas(np.array([goal]), 5, rule))


def test_a_diverged_network_is_pruned_by_size_and_stays_as_it_is():
    network = dense()
    network.params[5] = np.nan
    found = path(renewal=0.7).walk(network, [9])[9]
    size = np.nan_to_num(np.abs(network.params[oracles.is_weight(3)]))
    expected = masks.with_biases(masks.keep_top(size[None], np.array([9])), 3)[0]
    assert np.array_equal(found.mask, expected)
    left = np.where(expected, network.params, 0)
    assert np.array_equal(found.params, left, equal_nan=True)


def test_a_network_is_silent_if_its_output_is_a_constant():
    params = dense().params
    assert not path().silent(Network(params, np.ones(37, bool)))
    params[mlp.layers(3)[1].weights] = 0
    assert path().silent(Network(params, np.ones(37, bool)))


def test_the_gradient_moves_the_weights_that_stay():
    """With little curvature and a slope they go downhill."""
    found = path(first_order=True, damping=1e3).walk(dense(), [20])[20]
    plain = path(damping=1e3).walk(dense(), [20])[20]
    assert np.array_equal(found.mask, plain.mask)
    x, y = data()
    slope = oracles.gradient(dense().params, x, y, 3)
    moved = (found.params - plain.params)[found.mask]
    assert np.allclose(moved, -slope[found.mask] / 1e3, rtol=1e-2, atol=1e-6)


def test_the_hessian_serves_too():
    found = path(matrix="exact", damping=1.0).walk(dense(), [15])[15]
    assert weights_of(found).sum() == 15
    assert np.isfinite(found.params).all()
