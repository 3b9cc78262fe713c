"""Groups of weights: where they lie, how each keeps its own number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.methods.parts import n_of_m
from spiral.model import groups, mlp
from spiral.model.groups import Scope
from tests import oracles

SCOPES = [
    Scope("global"),
    Scope("layer"),
    Scope("unit"),
    Scope("inputs", 2),
    Scope("inputs", 4),
    Scope("inputs", 2, 4),
]


def members(width: int, scope: Scope) -> list[list[int]]:
    """Return the parameters of every group, written out unit by unit."""
    found, place = [], 0
    everything: list[int] = []
    for outputs, inputs in oracles.shapes(width):
        rows = [
            list(range(place + r * inputs, place + (r + 1) * inputs))
            for r in range(outputs)
        ]
        whole = [place + i for i in range(outputs * inputs)]
        everything += whole
        if scope.kind == "layer":
            found.append(whole)
        if scope.kind == "unit":
            found += rows
        if scope.kind == "inputs":
            size = scope.size * scope.merged
            while inputs % size and size > scope.size:
                size //= 2
            if inputs % size:
                found.append(whole)
            else:
                cut = [r[i : i + size] for r in rows for i in range(0, inputs, size)]
                found += cut
        place += outputs * (inputs + 1)
    return [everything] if scope.kind == "global" else found


@pytest.mark.parametrize("scope", SCOPES, ids=str)
@pytest.mark.parametrize("width", [1, 3, 4, 8])
def test_every_group_keeps_its_number_of_largest_weights(scope, width):
    random = np.random.default_rng([width, SCOPES.index(scope)])
    params = random.normal(size=(3, mlp.param_count(width))).astype(np.float32)
    params[:, ::5] = np.round(params[:, ::5])  # ties
    params[2, 1] = np.nan
    own = members(width, scope)
    counts = np.stack([[random.integers(len(g) + 1) for g in own] for _ in range(3)])
    found = groups.top(params, counts, width, scope)
    expected = np.zeros(params.shape, bool)
    expected[:, ~oracles.is_weight(width)] = True
    for n in range(3):
        for group, keep in zip(own, counts[n], strict=True):
            expected[n, group] = oracles.keep_top(np.abs(params[n, group]), keep)
    assert np.array_equal(found, expected)
    assert np.array_equal(groups.survivors(found, width, scope), counts)
    assert groups.count(width, scope) == len(own)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([(4, 2), (8, 4), (16, 16), (6, 3)]))
def test_groups_of_inputs_are_those_of_patterns_decided_once(seed, case):
    width, group = case
    params = np.random.default_rng(seed).normal(size=(2, mlp.param_count(width)))
    counts = np.stack([_pattern(width, 1, group)] * 2)
    found = groups.top(params, counts, width, Scope("inputs", group))
    scores = np.abs(params[:, mlp.is_weight(width)])
    once = n_of_m.n_of_m(scores, width, 1, group)
    assert np.array_equal(found[:, mlp.is_weight(width)], once)


def _pattern(width: int, keep: int, group: int) -> np.ndarray:
    counts = []
    for outputs, inputs in oracles.shapes(width):
        whole = inputs % group
        number = 1 if whole else outputs * inputs // group
        counts += [outputs * inputs if whole else keep] * number
    return np.array(counts)


def test_values_are_left_as_they_are():
    params = np.random.default_rng(0).normal(size=(1, 37))
    before = params.copy()
    groups.top(params, np.array([[5]]), 3, Scope("global"))
    assert np.array_equal(params, before)
