"""``soft_filter`` silences units every epoch; they may return until the end."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.engines import sparse
from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.methods.units import soft_filter
from spiral.model import mlp
from tests import oracles
from tests.methods import Still, decide, first_view, kept_weights, plan_at, table
from tests.methods.parts.test_hidden_units import greedy

OPTIONS = {"scope": "global", "remainder": "units"}


def test_events_come_after_every_epoch():
    assert plan_at(4, "soft_filter", **OPTIONS).events == (390, 780, 1170, 1560)


def test_units_of_the_smallest_norm_say_nothing_and_keep_listening():
    configs = table("soft_filter", 2, width=4, keep=20, **OPTIONS)
    view = replace(first_view(configs), step=390)
    change, _ = METHODS["soft_filter"].build(**OPTIONS).act(view, None)
    assert change.masks is None
    for params, new in zip(view.params, change.params, strict=True):
        parts = oracles.split(params.astype(float), 4)
        norms = np.empty((3, 4))
        for layer, unit in np.ndindex(3, 4):
            (into, bias), (after, _) = parts[layer], parts[layer + 1]
            some = [*into[unit], bias[unit], *after[:, unit]]
            norms[layer, unit] = sum(v * v for v in some)
        stay = greedy(norms, 20, np.ones((3, 4), bool), "units")
        assert not stay.all()
        for layer, (weights, biases) in enumerate(oracles.split(new, 4)):
            before, old = oracles.split(params, 4)[layer]
            heard = stay[layer - 1] if layer else [True, True]
            assert np.array_equal(weights, np.where(heard, before, 0))
            assert np.array_equal(biases, old)


def test_a_silenced_unit_hears_gradients_and_a_deaf_one_does_not():
    """Why what a unit says is set to zero, and not what it hears."""
    view = first_view(table("soft_filter", 1, width=4))
    (x, y), stay = view.batch(0), np.ones((1, 3, 4), bool)
    stay[0, 1, 2] = False
    quiet = soft_filter.silenced(view.params, stay, 4)[0].astype(float)
    (places,) = hidden_units.members(4)[1][[2]]
    assert np.abs(oracles.gradient(quiet, x[0], y[0], 4)[places]).max() > 1e-5
    deaf = view.params[0].astype(float)
    deaf[places[:5]] = 0  # incoming weights and bias
    assert not oracles.gradient(deaf, x[0], y[0], 4)[places].any()


def test_after_the_last_epoch_they_are_removed():
    engine = Still()
    state = decide(table("soft_filter", 2, width=4, keep=20), engine)
    assert all(kept.all() for kept in engine.seen[:2])
    assert kept_weights(state, 4).sum(axis=1).max() <= 20
    size = np.abs(mlp.initial_params(0, 4))
    assert (np.abs(state.params[0]) <= size).all()


def test_they_come_back_when_they_train():
    class Noting(sparse.SparseEngine):
        def advance(self, job, state, stop):
            silent.append(state.params[0] == 0)
            state = super().advance(job, state, stop)
            regrown.append(state.params[0] != 0)
            return state

    silent, regrown = [], []
    decide(table("soft_filter", 1, width=4, keep=20), Noting())
    assert silent[1].any()
    assert regrown[1][silent[1]].all()


@pytest.mark.parametrize("remainder", ["units", "weights"])
def test_a_plan_promises_exact_counts_only_for_single_weights(remainder):
    plan = plan_at(50, "soft_filter", scope="layer", remainder=remainder)
    assert plan.exact == (remainder == "weights")
