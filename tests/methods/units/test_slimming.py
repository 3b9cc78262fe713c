"""``slimming`` takes as much from every unit's scale and removes the smallest."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.methods.units import slimming
from tests import oracles
from tests.methods import first_view, plan_at, table, view_of
from tests.methods.parts.test_hidden_units import greedy

OPTIONS = {
    "scope": "global",
    "remainder": "units",
    "interval": 39,
    "penalty": 1e-3,
    "penalty_rate": "base",
}


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


def test_the_penalty_follows_the_learning_rate_of_each_step():
    """39 steps of each schedule, before and after its drop: by the authors' law."""
    configs = table(
        "slimming",
        2,
        width=4,
        lr=0.2,
        epochs=10,
        at_epoch=9,
        schedule=["step", "cosine"],
        interval=390,
    )
    method = METHODS["slimming"].build(
        **OPTIONS | {"at_epoch": 9, "interval": 390, "penalty_rate": "scheduled"}
    )
    early = view_of(configs, *two(configs))
    for step, shares in (
        (390, (1, 1)),
        (4 * 390, (0.1, (1 + np.cos(0.3 * np.pi)) / 2)),
    ):
        view = replace(early, step=step)
        change, _ = method.act(view, None)
        amount = 0.2 * 1e-3 * 390 * np.array(shares)
        expected = slimming.shrunk(view.params, 4, amount)
        assert np.allclose(change.params, expected, atol=1e-7)
        assert not np.allclose(change.params[0], view.params[0])


def two(configs):
    """Return drawn parameters of two networks, and dense masks."""
    params = np.concatenate([drawn(0), drawn(1)])
    return params, np.ones(params.shape, bool)


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
