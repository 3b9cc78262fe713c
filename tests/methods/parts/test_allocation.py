"""From scores to masks under every allocation."""

import re
from typing import get_args

import numpy as np
import pytest

from spiral.methods.parts import allocation, shares
from spiral.methods.parts.allocation import Allocation, choose, lamp, largest
from spiral.methods.parts.scores import sizes_left
from spiral.methods.parts.selection import select
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import first_view, table, view_of

ALLOCATIONS = get_args(Allocation)
QUOTAS = [*shares.RULES]
ALLOCATED = [
    name
    for name, entry in METHODS.items()
    if "allocation" in entry.options.model_fields and name != "npb"  # its own text
]
WAVE = {width: np.sin(np.arange(1, 2 * width**2 + 3 * width + 1)) for width in (3, 16)}
"""Weights sin 1, sin 2, …"""


def kept_of(scores, keep, allocation_, width, rule="rank"):
    return choose(scores, np.array(keep), allocation_, rule, width)


def rows(values, count):
    return np.tile(values, (count, 1))


def test_global_is_a_choice_among_all_weights():
    scores = np.random.default_rng(0).random((3, 27))
    keep = np.array([4, 11, 20])
    for rule in ("rank", "topk", "strict", "loose"):
        found = choose(scores, keep, "global", rule, 3)
        assert np.array_equal(found, select(scores, keep, rule))


@pytest.mark.parametrize("name", QUOTAS)
@pytest.mark.parametrize("rule", ["rank", "strict"])
def test_quotas_choose_in_each_layer(name, rule):
    scores = np.random.default_rng(1).random((3, 27))
    keep = np.array([4, 11, 20])
    found = choose(scores, keep, name, rule, 3)
    wanted = shares.quotas(keep, 3, name) - (rule == "strict")
    for layer, share in zip(mlp.layers(3), wanted.T, strict=True):
        for n in range(3):
            part = scores[n, layer.columns].tolist()
            expected = oracles.keep_top(part, max(0, int(share[n])))
            assert found[n, layer.columns].tolist() == expected


GOLDEN = {
    "global": [(1, 7, 8, 0), (1, 12, 12, 1), (1, 23, 19, 1), (4, 29, 31, 1)],
    "lamp": [(4, 4, 4, 4), (6, 7, 7, 6), (10, 13, 13, 8), (14, 21, 20, 10)],
}
"""Layer counts of 16, 26, 44 and 65 of the weights sin 1, sin 2, … at width 16. Those
of ``lamp`` are of jaeho-lee/layer-adaptive-sparsity, tools/pruners.py."""


@pytest.mark.parametrize("name", GOLDEN)
def test_layer_counts_of_a_wave(name):
    found = kept_of(rows(WAVE[16] ** 2, 4), [16, 26, 44, 65], name, 16)
    counts = shares.of_mask(found, 16).tolist()
    assert [tuple(row) for row in counts] == GOLDEN[name]


def test_lamp_masks_of_a_wave():
    """Sixteen of 27 weights; of jaeho-lee/layer-adaptive-sparsity, tools/pruners.py."""
    found = kept_of(WAVE[3][None] ** 2, [16], "lamp", 3)
    assert masks.to_bits(found[0]).hex() == "db24db60"


def test_lamp_in_two_steps_is_lamp_in_one():
    """Layer counts as those of the authors' code, which masks 360 and then 156."""
    scores = WAVE[16][None] ** 2
    first = kept_of(scores, [200], "lamp", 16)
    second = choose(scores, np.array([44]), "lamp", "rank", 16, first)
    assert shares.of_mask(first, 16).tolist() == [[25, 81, 82, 12]]
    assert shares.of_mask(second, 16).tolist() == [[10, 13, 13, 8]]
    assert np.array_equal(second, kept_of(scores, [44], "lamp", 16))


def test_lamp_scores_of_a_wave():
    """The first and the last layer of width 3, as the authors' definition has them."""
    found = lamp(WAVE[3][None] ** 2, 3)[0]
    first = [0.2885, 0.4735, 0.0064, 0.1892, 1, 0.0251]
    assert found[:6] == pytest.approx(first, abs=5e-5)
    assert found[-3:] == pytest.approx([0.0116, 0.3887, 1], abs=5e-5)


def test_lamp_scores_are_those_of_the_definition():
    scores = np.random.default_rng(2).random((4, 27))
    scores[:, ::4] = 0.5  # ties
    found = lamp(scores, 3)
    for n in range(4):
        assert found[n] == pytest.approx(oracles.lamp(scores[n].tolist(), 3), rel=1e-12)


def test_the_largest_of_a_layer_has_a_lamp_score_of_exactly_one():
    scores = np.random.default_rng(3).random((1, mlp.weight_count(256)), np.float32)
    found = lamp(scores, 256)
    for layer in mlp.layers(256):
        part, scored = scores[0, layer.columns], found[0, layer.columns]
        assert scored.max() == scored[part.argmax()] == 1
    assert (found == 1).sum() == 4


def test_lamp_scores_rank_a_layer_as_the_scores_do_and_do_not_depend_on_its_scale():
    random = np.random.default_rng(4)
    scores = random.random((5, 27)).round(1)  # with ties
    scaled = scores.copy()
    for layer, power in zip(mlp.layers(3), (-300, 5, 0, 90), strict=True):
        scaled[:, layer.columns] *= 2.0**power
    found = lamp(scores, 3)
    assert np.array_equal(found, lamp(scaled, 3))
    for layer in mlp.layers(3):
        part = slice(layer.columns.start, layer.columns.stop)
        for keep in range(1, part.stop - part.start):
            counts = np.full(5, keep)
            assert np.array_equal(
                masks.keep_top(found[:, part], counts),
                masks.keep_top(scores[:, part], counts),
            )


def test_no_layer_with_a_positive_score_is_emptied_by_lamp():
    scores = np.random.default_rng(5).random((40, 27)) ** 20
    found = kept_of(scores, [4] * 40, "lamp", 3)
    assert (shares.of_mask(found, 3) == 1).all()


def test_scores_that_are_not_positive_rank_last_in_their_order_and_nan_behind_them():
    scores = np.array([[2.0, -1, 0, -3, np.nan, 1], [np.inf, 1, 0, 0, -np.inf, -2]])
    whole = np.concatenate([scores, np.full((2, 21), -4.0)], axis=1)
    found = lamp(whole, 3)[:, :6]
    expected = [[1, -1, 0, -3, -np.inf, 1 / 3], [1, 0, 0, 0, -np.inf, -2]]
    assert found == pytest.approx(np.array(expected))
    order = [np.argsort(-row, kind="stable").tolist() for row in found]
    assert order == [[0, 5, 2, 1, 3, 4], [0, 1, 2, 3, 5, 4]]


def test_a_layer_of_zeros_has_lamp_scores_of_zero():
    assert (lamp(np.zeros((1, 27)), 3) == 0).all()


@pytest.mark.parametrize("name", ALLOCATIONS)
@pytest.mark.parametrize("width", [1, 3, 5])
def test_masks_are_nested_when_weights_go_one_by_one(name, width):
    """Whatever happens to the scores in between, and with every count exact."""
    random = np.random.default_rng(width)
    total = mlp.weight_count(width)
    kept = np.ones((20, total), bool)
    for keep in range(total, 3, -1):
        scores = random.random(kept.shape)
        found = choose(scores, np.full(20, keep), name, "rank", width, kept)
        assert (found.sum(axis=1) == keep).all()
        assert not (found & ~kept).any()
        kept = found


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_masks_of_fixed_scores_are_nested(name):
    scores = rows(WAVE[16] ** 2, 557)
    found = kept_of(scores, range(4, 561), name, 16)
    assert found.sum(axis=1).tolist() == [*range(4, 561)]
    assert not (found[:-1] & ~found[1:]).any()


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_a_row_does_not_depend_on_its_neighbours(name):
    random = np.random.default_rng(10)
    scores, kept = random.random((20, 27)), random.random((20, 27)) < 0.7
    keep = random.integers(4, kept.sum(axis=1) + 1)
    scores[3] = np.nan
    found = choose(scores, keep, name, "rank", 3, kept)
    for n in range(20):
        rows = slice(n, n + 1)
        alone = choose(scores[rows], keep[rows], name, "rank", 3, kept[rows])
        assert np.array_equal(found[rows], alone)


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_weights_that_are_gone_stay_so_where_a_layer_has_too_few_left(name):
    random = np.random.default_rng(6)
    scores, kept = random.random((50, 27)), random.random((50, 27)) < 0.5
    keep = random.integers(4, kept.sum(axis=1) + 1)
    found = choose(scores, keep, name, "rank", 3, kept)
    assert np.array_equal(found.sum(axis=1), keep)
    assert not (found & ~kept).any()


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_the_largest_are_chosen_by_their_squares_under_lamp_else_by_their_sizes(name):
    configs = table("magnitude", 4, keep=[4, 11, 20, 27])
    view = first_view(configs)
    sizes = sizes_left(view).astype(np.float64)
    scores = sizes**2 if name == "lamp" else sizes
    found = largest(view, view.keep, name)
    assert np.array_equal(found, choose(scores, view.keep, name, "rank", 3))


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_among_the_largest_no_pruned_weight_returns_even_where_kept_ones_are_zero(name):
    params = np.zeros((2, mlp.param_count(3)), np.float32)
    kept = np.random.default_rng(7).random((2, 27)) < 0.6
    configs = table("magnitude", 2, keep=int(kept.sum(axis=1).min()))
    view = view_of(configs, params, masks.with_biases(kept, 3))
    found = largest(view, view.keep, name)
    assert np.array_equal(found.sum(axis=1), view.keep)
    assert not (found & ~kept).any()


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_a_strict_rule_never_brings_a_pruned_weight_back(name):
    kept = np.random.default_rng(8).random((5, 27)) < 0.6
    configs = table("magnitude", 5)
    params = first_view(configs).params
    view = view_of(configs, params, masks.with_biases(kept, 3))
    found = largest(view, np.full(5, 27), name, "strict")
    assert np.array_equal(found, kept & found)


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_a_kept_weight_without_a_score_ranks_above_those_that_are_gone(name):
    random = np.random.default_rng(9)
    scores, kept = random.random((5, 27)), random.random((5, 27)) < 0.6
    scores[:, ::2], scores[:, 1::4] = np.nan, -np.inf
    found = choose(scores, kept.sum(axis=1), name, "rank", 3, kept)
    assert np.array_equal(found, kept)


def rows_of(**columns):
    return table("gmp", len(next(iter(columns.values()))), **columns)


def test_a_scope_contradicts_any_allocation_but_its_own():
    fine = rows_of(scope=["global"] * 6, allocation=[*ALLOCATIONS])
    assert allocation.check_scope(fine) == []
    assert (
        allocation.check_scope(rows_of(scope=["layer"], allocation=["uniform"])) == []
    )
    wrong = rows_of(scope=["layer"] * 2, allocation=["uniform", "erk"])
    (mistake,) = allocation.check_scope(wrong)
    assert mistake.field == "allocation"
    assert mistake.value == "erk"


def test_a_pattern_leaves_no_choice_of_shares():
    fine = table("acdc", 7, scope=["nm", *["global"] * 6])
    fine["allocation"] = ["global", *ALLOCATIONS]
    assert allocation.check_pattern(fine) == []
    (mistake,) = allocation.check_pattern(fine.assign(scope="uniform"))
    assert mistake.field == "allocation"


@pytest.mark.parametrize("name", ALLOCATED)
def test_a_method_explains_the_allocations_it_has_and_no_others(name):
    field = METHODS[name].options.model_fields["allocation"]
    words = set(re.findall(r"\w+", field.description))
    assert words & set(ALLOCATIONS) == set(get_args(field.annotation))


def test_the_option_names_the_origin_of_its_default():
    found = allocation.allocation_option("the authors", "erk")
    assert found.default == "erk"
    assert found.json_schema_extra == {"origin": "the authors"}
