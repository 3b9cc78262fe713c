"""``slimming`` takes as much from every unit's scale and removes the smallest."""

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.methods.units import slimming
from tests import oracles
from tests.methods import first_view, plan_at, table
from tests.methods.parts.test_hidden_units import greedy

OPTIONS = {"scope": "global", "remainder": "units", "interval": 39, "penalty": 1e-3}


def rows(params, width=4):
    return [weights for weights, _ in oracles.split(params.astype(float), width)[:3]]


def drawn(seed=0):
    return np.random.default_rng(seed).standard_normal((1, 57)).astype(np.float32)


def test_every_scale_loses_the_same_down_to_zero():
    params, amount = drawn(), 0.9
    found = slimming.shrunk(params, 4, np.array([amount]))[0]
    gone = 0
    for before, after in zip(rows(params[0]), rows(found), strict=True):
        for old, new in zip(before, after, strict=True):
            scale = sum(v * v for v in old) ** 0.5
            expected = max(0.0, scale - amount)
            assert np.linalg.norm(new) == pytest.approx(expected, abs=1e-6)
            assert np.allclose(new * scale, old * expected, atol=1e-6)
            gone += expected == 0
    assert 0 < gone < 12
    for (_, biases), (_, new) in zip(
        oracles.split(params[0], 4), oracles.split(found, 4), strict=True
    ):
        assert np.array_equal(biases, new)
    assert np.array_equal(found[-5:], params[0, -5:])  # the output layer


def test_that_is_the_least_of_penalty_and_distance():
    """The proximal step: no other row has less of τ‖v‖ + ½‖v - w‖²."""
    params, amount = drawn(1), 0.4
    found = slimming.shrunk(params, 4, np.array([amount]))[0]
    random = np.random.default_rng(2)
    for before, after in zip(rows(params[0]), rows(found), strict=True):
        for old, new in zip(before, after, strict=True):

            def cost(row, old=old):
                return amount * np.linalg.norm(row) + ((row - old) ** 2).sum() / 2

            for step in 0.05 * random.standard_normal((50, len(new))):
                assert cost(new) <= cost(new + step) + 1e-6


def test_the_smallest_scales_of_all_layers_go():
    keeps = [5, 20, 33]
    configs = table("slimming", 3, width=4, seed=2, keep=keeps, at_epoch=0)
    view = first_view(configs)
    method = METHODS["slimming"].build(**OPTIONS | {"at_epoch": 0})
    change, _ = method.act(view, None)
    scales = np.array([np.linalg.norm(w, axis=1) for w in rows(view.params[0])])
    every = np.ones((3, 4), bool)
    stay = np.stack([greedy(scales, keep, every, "units") for keep in keeps])
    expected = hidden_units.mask_of(stay, view.params, np.array(keeps))
    assert np.array_equal(change.masks, expected)


def test_an_event_takes_the_penalty_of_the_steps_since_the_last():
    view = first_view(table("slimming", 1, width=4, lr=0.2))
    method = METHODS["slimming"].build(**OPTIONS | {"at_epoch": 1})
    change, _ = method.act(view, None)
    expected = slimming.shrunk(view.params, 4, np.array([0.2 * 1e-3 * 39]))
    assert change.masks is None
    assert np.array_equal(change.params, expected)
    assert plan_at(50, "slimming", at_epoch=1, **OPTIONS).events == tuple(
        range(39, 391, 39)
    )
