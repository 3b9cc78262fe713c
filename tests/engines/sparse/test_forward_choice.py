"""The choice of active weights, by a ranking."""

import numpy as np
import pytest

from spiral.engines.sparse.forward_choice import (
    ACTIVE,
    ALWAYS,
    HIDDEN,
    choose,
    empty,
    group_ends,
    set_factors,
)
from spiral.engines.sparse.forward_lists import padded
from spiral.model import groups, mlp
from spiral.model.groups import Scope
from tests.engines.sparse.test_forward_lists import states

SCOPES = [
    *(Scope(kind) for kind in ("global", "layer", "unit")),
    Scope("inputs", 2),
    Scope("inputs", 2, 2),
]


def wide(values: np.ndarray, width: int) -> np.ndarray:
    found = np.zeros(padded(width), np.float32)
    found[: len(values)] = values
    return found


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("width", [1, 4, 5])
@pytest.mark.parametrize("spread", [3, 10**6])
def test_the_choice_is_that_of_a_ranking(scope, width, spread):
    """From any earlier choice; few values give many ties."""
    random = np.random.default_rng([width, spread])
    size, first_last = mlp.param_count(width), group_ends(width, scope)
    for _ in range(20):
        old, new = random.integers(-spread, spread, (2, 1, size)).astype(np.float32)
        new[0, random.random(size) < 0.1] = np.nan
        if scope.kind != "global":  # where it would rank beside biases
            new[0, random.random(size) < 0.1] = np.inf
        sizes = groups.survivors(np.ones((1, size), bool), width, scope)
        counts = random.integers(0, sizes + 1)
        state = states(groups.top(old, counts, width, scope)[0], width)
        before = state.copy()
        changed = choose(wide(new[0], width).view(np.int32), state, *first_last)
        expected = groups.top(new, counts, width, scope)[0]
        assert (state[:size] != HIDDEN).tolist() == expected.tolist()
        assert changed == (state != before).any()


def test_hidden_weights_are_emptied_and_scaled():
    state = np.array([HIDDEN, ACTIVE, ALWAYS, HIDDEN], np.int32)
    params, factors = np.array([1, 2, 3, np.nan], np.float32), np.zeros(4, np.float32)
    empty(params, state)
    assert params.tolist() == [0, 2, 3, 0]
    set_factors(state, np.float32(0.25), factors)
    assert factors.tolist() == [0.25, 1, 1, 0.25]
