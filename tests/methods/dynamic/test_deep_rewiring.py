"""``deepr``: signs are fixed, counts too, and zero is the way out."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.engines import sparse
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp, schedules
from tests.methods import Drift, decide, kept_weights, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update

WEIGHTS = mlp.is_weight(16)


def signs(configs, width):
    """Return the sign of every place: that of its initial weight."""
    drawn = [mlp.initial_params(int(seed), width) for seed in configs["init_seed"]]
    return np.sign(masks.of_weights(np.stack(drawn), width))


def test_updates_every_10_steps_and_after_training():
    events = plan_at(50, "deepr", **options("deepr")).events
    assert events == tuple(range(0, 19_501, 10))
    events = plan_at(2, "deepr", **options("deepr", update_interval=500)).events
    assert events == (0, 500, 780)


def test_layers_keep_their_shares():
    engine = Drift()
    state = decide(table("deepr", 2, keep=17), engine)
    history = [*engine.seen[1:], kept_weights(state)]
    assert len({kept.tobytes() for kept in history}) > 10
    for kept in history:
        full = masks.with_biases(kept, 3)
        assert (masks.layer_counts(full, 3) == erk_shares(3, 17)).all()


def test_after_training_every_weight_has_the_sign_of_its_place():
    configs = table("deepr", 3, width=16, keep=60, lr=0.2)
    state = decide(configs, sparse.SparseEngine())
    kept = kept_weights(state, 16)
    values = masks.of_weights(state.params, 16)
    assert (np.sign(values)[kept] == signs(configs, 16)[kept]).all()
    first = decide(configs.assign(update_interval=780, l1=0.0), Drift()).masks
    assert not np.array_equal(first, state.masks)


def test_what_crosses_zero_goes_and_nothing_else():
    configs, params, kept = start("deepr")
    places = np.flatnonzero(kept[0])[[0, 20, 40]]
    params[0, np.flatnonzero(WEIGHTS)[places]] *= -1
    params[1, np.flatnonzero(WEIGHTS)[np.flatnonzero(kept[1])[0]]] = 0
    seen = seen_at(100, configs, params, kept)
    change = update(seen, "deepr", l1=0.0)
    state, new = after(seen, change), change.reset_momentum[:, WEIGHTS]
    assert new.sum(axis=1).tolist() == [3, 1, 0]
    stays = masks.of_weights(state.masks, 16) & ~new
    assert np.flatnonzero(kept[0] & ~stays[0]).tolist() == places.tolist()
    values = masks.of_weights(state.params, 16)
    assert values[new] == pytest.approx(1e-6 * signs(configs, 16)[new], rel=1e-6)
    assert not masks.of_weights(state.momentum, 16)[new].any()
    assert np.array_equal(values[stays], masks.of_weights(seen.params, 16)[stays])


def test_without_penalty_and_crossing_it_is_static():
    seen = seen_at(100, *start("deepr"))
    state = after(seen, update(seen, "deepr", l1=0.0))
    assert np.array_equal(state.masks, seen.masks)
    assert np.array_equal(state.params, seen.params)
    assert np.array_equal(state.momentum, seen.masks.astype(np.float32))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_the_penalty_is_that_of_the_steps_since_the_last_update(schedule):
    configs, params, kept = start("deepr")
    seen = seen_at(15_600, configs.assign(schedule=schedule), params, kept)
    curve = schedules.curves(50, 390)[schedule]
    for step, steps in ((15_600, 10), (15_607, 7)):  # the first ends an epoch
        change = update(replace(seen, step=step), "deepr", l1=0.01)
        state = after(seen, change)
        stays = state.masks & seen.masks & ~_new(change, seen) & WEIGHTS
        moved = np.abs(seen.params) - np.abs(state.params)
        shift = 0.01 * 0.1 * curve[step - steps : step].sum()
        assert moved[stays] == pytest.approx(shift, abs=1e-7)
        lost = (seen.masks & WEIGHTS) & ~stays
        assert lost.any() or schedule != "constant"
        assert np.abs(seen.params)[lost].max(initial=0) <= shift + 1e-7


def _new(change, seen):
    """Return what starts anew; nothing where no weight went."""
    none = np.zeros(seen.params.shape, bool)
    return none if change.reset_momentum is None else change.reset_momentum


def test_biases_are_not_penalised():
    seen = seen_at(100, *start("deepr"))
    state = after(seen, update(seen, "deepr", l1=0.01))
    both = seen.masks & state.masks & ~WEIGHTS
    assert np.array_equal(state.params[both], seen.params[both])


def test_a_price_for_every_update():
    configs = table("deepr", 1, epochs=50)
    assert METHODS["deepr"].gradients(configs).tolist() == [4 * 1_950]
