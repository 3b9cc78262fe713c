"""Shares of layers: they add up, follow the rule, and never rise as others fall."""

import numpy as np
import pytest

from spiral.methods.parts import erk, shares
from spiral.model import mlp
from tests import oracles
from tests.methods import WIDTHS

RULES = [*shares.RULES]


def every_count(width, rule):
    return shares.quotas(np.arange(mlp.weight_count(width) + 1), width, rule)


def ideal(width, rule):
    """Return a layer's ideal share as a function of a time since all were dense."""
    shapes = oracles.shapes(width)
    return {
        "uniform": lambda i, time: shapes[i][0] * shapes[i][1] / (1 + time),
        "erk": lambda i, time: min(shapes[i][0] * shapes[i][1], sum(shapes[i]) / time),
        "igq": lambda i, time: 1 / (1 / (shapes[i][0] * shapes[i][1]) + time),
    }[rule]


@pytest.mark.parametrize("width", WIDTHS)
def test_sizes_of_layers_add_up_to_the_weights(width):
    sizes = shares.layer_sizes(width)
    assert sizes == [2 * width, width * width, width * width, width]
    assert sum(sizes) == mlp.weight_count(width)


def test_a_mask_has_its_weights_counted_by_layer():
    kept = np.zeros((2, 27), bool)
    kept[0, [0, 5, 6, 14, 15, 26]] = True
    assert shares.of_mask(kept, 3).tolist() == [[2, 2, 1, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize("width", [3, 16])
def test_shares_are_within_a_weight_of_the_proportion_and_add_up(width):
    total = mlp.weight_count(width)
    keep = np.arange(total + 1)
    found = shares.proportional(keep, width)
    assert np.array_equal(found.sum(axis=1), keep)
    exact = np.outer(keep, shares.layer_sizes(width)) / total
    assert np.abs(found - exact).max() < 1


def test_every_layer_gets_a_weight_where_there_are_enough():
    found = shares.at_least_one(np.array([1, 4, 15, 65]), 256)
    assert found.sum(axis=1).tolist() == [1, 4, 15, 65]
    assert (found[1:] >= 1).all()
    assert found.tolist()[1] == [1, 1, 1, 1]


def test_only_layers_that_would_be_empty_get_more_than_their_proportion():
    keep = np.arange(4, 65)
    plain, found = (
        share(keep, 256) for share in (shares.proportional, shares.at_least_one)
    )
    more = found > plain
    assert (found[more] == 1).all()
    assert (plain[more] == 0).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("width", [1, *WIDTHS])
def test_one_weight_more_goes_to_one_layer_and_none_loses_any(width, rule):
    found = every_count(width, rule)
    gained = np.diff(found, axis=0)
    assert (found[0] == 0).all()
    assert (gained >= 0).all()
    assert (gained.sum(axis=1) == 1).all()
    assert found[-1].tolist() == shares.layer_sizes(width)


@pytest.mark.parametrize("rule", ["uniform", "erk", "igq"])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_quotas_are_those_of_taking_weights_one_by_one(width, rule):
    sizes = shares.layer_sizes(width)
    for keep, found in enumerate(every_count(width, rule).tolist()):
        assert found == oracles.quotas(keep, sizes, ideal(width, rule))


@pytest.mark.parametrize("rule", ["uniform", "uniform_alive"])
def test_uniform_quotas_are_the_two_rules_for_equal_densities(rule):
    keep = np.arange(4, 561)
    same = {"uniform": shares.proportional, "uniform_alive": shares.at_least_one}
    found = shares.quotas(keep, 16, rule)
    assert np.array_equal(found, same[rule](keep, 16))


GOLDEN = {
    (16, "uniform"): [(1, 8, 7, 0), (1, 12, 12, 1), (3, 20, 20, 1), (4, 30, 29, 2)],
    (16, "uniform_alive"): [
        *((1, 7, 7, 1), (1, 12, 12, 1)),
        *((3, 20, 20, 1), (4, 30, 29, 2)),
    ],
    (16, "erk"): [(3, 5, 5, 3), (5, 8, 8, 5), (8, 14, 14, 8), (12, 21, 21, 11)],
    (16, "igq"): [(4, 4, 4, 4), (6, 8, 7, 5), (10, 13, 13, 8), (14, 21, 21, 9)],
}
"""Of 16, 26, 44 and 65 weights. Largest remainders give (13, 21, 21, 10) for the last:
then 44 to 65 weights is monotone, but not the steps between."""


@pytest.mark.parametrize(("width", "rule"), GOLDEN)
def test_quotas_of_width_16(width, rule):
    found = shares.quotas(np.array([16, 26, 44, 65]), width, rule)
    assert [tuple(row) for row in found.tolist()] == GOLDEN[width, rule]


def test_quotas_of_width_64():
    keep = np.array([44])
    assert shares.quotas(keep, 64, "erk").tolist() == [[7, 15, 15, 7]]
    assert shares.quotas(keep, 64, "igq").tolist() == [[11, 12, 11, 10]]


@pytest.mark.parametrize("width", [3, 16, 64])
def test_erk_quotas_are_within_a_weight_of_the_densities(width):
    keep = np.arange(1, 300) if width > 3 else np.arange(1, 28)
    sizes = np.array(shares.layer_sizes(width))
    exact = np.array([erk.densities(width, int(k)) * sizes for k in keep])
    assert np.abs(shares.quotas(keep, width, "erk") - exact).max() < 1


def test_erk_quotas_are_the_budgets_but_where_these_are_not_monotone():
    keep = np.arange(3, 301)
    budgets = np.array([erk.budgets(16, int(k)) for k in keep])
    rising = (np.diff(budgets, axis=0) < 0).any(axis=1)
    differ = (shares.quotas(keep, 16, "erk") != budgets).any(axis=1)
    assert differ.sum() == rising.sum() == 10


def ideal_gas(width, keep):
    """Shares 1/(1/n + f) that add up to keep, by bisection of f."""
    sizes, low, high = np.array(shares.layer_sizes(width), float), 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if (1 / (1 / sizes + middle)).sum() > keep:
            low = middle
        else:
            high = middle
    return 1 / (1 / sizes + high)


def test_ideal_gas_shares_before_rounding():
    """As computed from the definition of Vysogorets & Kempe."""
    expected = [9.785, 13.360, 13.360, 7.494]
    assert ideal_gas(16, 44) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("width", [3, 16, 64])
def test_ideal_gas_quotas_are_within_a_weight_of_the_shares(width):
    keep = np.arange(1, 300) if width > 3 else np.arange(1, 28)
    exact = np.array([ideal_gas(width, k) for k in keep])
    assert np.abs(shares.quotas(keep, width, "igq") - exact).max() < 1


def test_a_layer_gets_no_more_than_it_has_and_the_next_in_line_get_the_rest():
    left = np.array([[6, 9, 9, 3], [1, 9, 9, 3], [0, 2, 9, 1], [0, 9, 1, 1]])
    found = shares.quotas(np.full(4, 11), 3, "erk", left)
    assert found.tolist() == [[3, 3, 3, 2], [1, 4, 4, 2], [0, 2, 8, 1], [0, 9, 1, 1]]


@pytest.mark.parametrize("rule", RULES)
def test_limited_quotas_are_exact_and_add_nothing_where_no_limit_binds(rule):
    random = np.random.default_rng(RULES.index(rule))
    left = random.integers(0, [[7, 10, 10, 4]] * 500)
    keep = random.integers(0, left.sum(axis=1) + 1)
    free, found = (shares.quotas(keep, 3, rule, limit) for limit in (None, left))
    assert np.array_equal(found.sum(axis=1), keep)
    assert (found <= left).all()
    assert (found >= np.minimum(free, left)).all()


def test_too_few_weights_left_limit_nothing():
    left = np.array([[1, 1, 1, 1], [6, 9, 9, 3]])
    found = shares.quotas(np.array([11, 11]), 3, "erk", left)
    assert found.tolist() == [[3, 3, 3, 2], [3, 3, 3, 2]]
