"""Which parameters a hidden unit has, its score, and which units stay."""

import json

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests import GOLDEN_FILES, oracles
from tests.methods import table

GOLDEN = json.loads((GOLDEN_FILES / "torch_pruning.json").read_text())


def weights(sizes):
    a, b, c = sizes
    return 2 * a + a * b + b * c + c


def greedy(scores, keep, alive, remainder):
    """Remove the worst unit that may go, until none may."""
    alive = alive.copy()
    while True:
        free = []
        for layer, unit in zip(*np.nonzero(alive), strict=True):
            sizes = alive.sum(axis=1)
            too_much = weights(sizes) > keep
            sizes[layer] -= 1
            fits = remainder == "units" or weights(sizes) >= keep
            if sizes[layer] and too_much and fits:
                score = scores[layer, unit]
                known = score == score
                free.append((known, score if known else 0, -layer, -unit))
        if not free:
            return alive
        *_, layer, unit = min(free)
        alive[-layer, -unit] = False


def test_a_unit_is_its_row_its_bias_and_its_column():
    # width 2: W1 0–3, b1 4–5, W2 6–9, b2 10–11, W3 12–15, b3 16–17, W4 18–19, b4 20
    first, second, third = (places.tolist() for places in hidden_units.members(2))
    assert first == [[0, 1, 4, 6, 8], [2, 3, 5, 7, 9]]
    assert second == [[6, 7, 10, 12, 14], [8, 9, 11, 13, 15]]
    assert third == [[12, 13, 16, 18], [14, 15, 17, 19]]


def test_torch_pruning_makes_the_same_groups():
    found = [np.sort(p, axis=1).tolist() for p in hidden_units.members(GOLDEN["width"])]
    assert found == GOLDEN["groups"]


@pytest.mark.parametrize("biases", ["score", "ignore"])
@pytest.mark.parametrize("aggregate", ["sum", "mean", "max", "prod", "first"])
def test_scores_of_a_unit_are_made_of_its_parameters_one_by_one(aggregate, biases):
    values = np.random.default_rng(0).random((2, mlp.param_count(4))) + 0.1
    found = hidden_units.scores(values, 4, aggregate, biases)
    for n, row in enumerate(values):
        parts = oracles.split(row, 4)
        for layer in range(3):
            for unit in range(4):
                (into, bias), (after, _) = parts[layer], parts[layer + 1]
                some = [*into[unit]]
                some += [bias[unit]] if biases == "score" else []
                some += [*after[:, unit]] if aggregate != "first" else []
                expected = {
                    "sum": sum(some),
                    "first": sum(some),
                    "mean": sum(some) / len(some),
                    "max": max(some),
                    "prod": np.prod(some) ** (1 / len(some)),
                }[aggregate]
                assert found[n, layer, unit] == pytest.approx(expected, rel=1e-12)


def test_layers_are_divided_by_what_their_scores_are_on_average():
    scores = np.array([[[1.0, -3.0], [0.0, 0.0], [2.0, 6.0]]])
    expected = {"none": scores, "mean": [[0.5, -1.5], [0, 0], [0.5, 1.5]]}
    expected |= {"max": [[1 / 3, -1], [0, 0], [1 / 3, 1]]}
    expected |= {"sum": [[0.25, -0.75], [0, 0], [0.25, 0.75]]}
    for how, values in expected.items():
        assert np.allclose(hidden_units.normalised(scores, how), values, rtol=1e-15)


def test_ranks_within_layers_start_at_the_lowest():
    scores = np.array([[[5.0, 1.0, np.nan], [2.0, 2.0, 3.0], [9.0, 8.0, 7.0]]])
    expected = [[[2, 1, 0], [1, 0, 2], [2, 1, 0]]]
    assert hidden_units.within_layers(scores).tolist() == expected


@pytest.mark.parametrize("remainder", ["units", "weights"])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_units_go_one_by_one_the_lowest_first(width, remainder):
    random = np.random.default_rng(width)
    keeps = np.arange(5, 2 * width * width + 3 * width + 1)
    scores = random.integers(0, 6, (len(keeps), 3, width)).astype(float)
    scores[random.random(scores.shape) < 0.1] = np.nan
    alive = random.random(scores.shape) < 0.8
    alive[:, :, 0] = True
    found = hidden_units.best(scores, keeps, alive, remainder)
    for row, keep, there, stay in zip(scores, keeps, alive, found, strict=True):
        assert np.array_equal(stay, greedy(row, keep, there, remainder))


def test_too_small_a_budget_leaves_one_unit_in_each_layer():
    found = hidden_units.best(np.ones((1, 3, 4)), np.array([2]))
    assert found.sum(axis=2).tolist() == [[1, 1, 1]]
    assert found[:, :, 0].all()  # of equals the first stays


def test_a_masked_network_computes_what_the_small_one_does():
    random = np.random.default_rng(2)
    params = random.standard_normal((1, mlp.param_count(5))).astype(np.float32)
    stay = np.zeros((1, 3, 5), bool)
    for layer, chosen in enumerate(([0, 3], [1, 2, 4], [2])):
        stay[0, layer, chosen] = True
    kept = hidden_units.mask_of(stay, params, np.array([17]))
    points = random.standard_normal((2, 100))
    parts = oracles.split(params[0].astype(float), 5)
    h, before = points, [True, True]
    for layer, (matrix, bias) in enumerate(parts):
        rows = stay[0, layer] if layer < 3 else [True]
        h = matrix[np.ix_(rows, before)] @ h + bias[rows][:, None]
        h, before = np.maximum(h, 0) if layer < 3 else h, rows
    masked = np.where(kept[0], params[0], 0).astype(float)
    assert np.allclose(mlp.logits(masked, points, 5), h[0], rtol=1e-12, atol=1e-12)
    assert masks.of_weights(kept, 5).sum() == weights((2, 3, 1))


def test_of_single_weights_the_largest_stay():
    params = np.arange(mlp.param_count(2), dtype=np.float32)[None]
    stay = np.array([[[True, True], [True, False], [True, False]]])
    kept = hidden_units.mask_of(stay, params, np.array([6]), "weights")
    size = np.where(masks.of_units(stay), masks.of_weights(params, 2), -1)
    assert masks.of_weights(kept, 2)[0].tolist() == oracles.keep_top(size[0], 6)


def test_fewer_weights_than_a_chain_needs_are_a_mistake():
    (mistake,) = hidden_units.check(table("spa", keep=4))
    assert mistake.field == "keep"
    assert "at least 5" in mistake.message
    assert hidden_units.check(table("spa", keep=5)) == []
    assert METHODS["obspa"].check(table("obspa", keep=4))
