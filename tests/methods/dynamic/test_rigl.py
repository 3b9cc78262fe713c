"""``rigl``: ERK masks, swaps, and what stays where it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spiral.experiment import prepare, training
from spiral.methods.parts import erk
from spiral.methods.registry import METHODS
from spiral.model import gradients, masks, mlp
from spiral.protocol.job import TrainState
from tests.methods import Drift, Still, decide, kept_weights, plan_at, table, view_of

USUAL = {
    "update_interval": 100,
    "update_end": 0.75,
    "first_update": 0,
    "counted_from": 0,
    "drop": 0.3,
    "least_swap": 0,
    "growth": "gradient",
    "layer_rounding": "exact",
    "zeros": "kept",
    "selection": "rank",
}


class Reckless(Drift):
    """Moves weights, and gives every kept entry a momentum."""

    def advance(self, job, state, stop):
        state = super().advance(job, state, stop)
        return replace(state, momentum=np.where(state.masks, np.float32(1), 0))


def acted(step, configs, params, kept, **options):
    """Return the state after one update at a step."""
    method = METHODS["rigl"].build(**{**USUAL, **options})
    shared = configs.iloc[0]
    job = prepare.make_job(configs, prepare.plan_of(method, shared))
    momentum = np.where(kept, np.float32(1), np.float32(0))
    state = TrainState(step, np.where(kept, params, np.float32(0)), kept, momentum)
    change, _ = method.act(training.viewer(job, configs)(job, state), None)
    return job, state, training.apply(change, state, "rigl")


def start(width=16, keep=40, n=3):
    configs = table("rigl", n, width=width, keep=keep, epochs=50)
    kept = decide(configs.assign(drop=0.0), Still()).masks
    params = np.stack([mlp.initial_params(seed, width) for seed in range(n)])
    return configs, params, kept


def test_events_every_100_steps_until_three_quarters():
    plan = plan_at(50, "rigl", **USUAL)
    assert plan.events == tuple(range(0, 14_601, 100))
    assert set(plan.replaced) == set(plan.events)


def test_zp24_updates_in_place_of_every_hundredth_step():
    """Its counter is 1 at the first step: update 100 sees the hundredth batch."""
    numbered = {"first_update": 100, "counted_from": 1}
    plan = plan_at(50, "rigl", **{**USUAL, **numbered})
    assert plan.events == (0, *range(99, 14_600, 100))
    assert 0 not in plan.replaced
    assert len(plan.replaced) == 146  # as counted in that code


@pytest.mark.parametrize(("first", "last"), [(0, 11_700), (1, 11_599)])
def test_zp24_stops_before_the_end_the_authors_at_it(first, last):
    """At 40 epochs three quarters are 11,700 steps, where the cosine is down to 0."""
    plan = plan_at(40, "rigl", **{**USUAL, "first_update": 100, "counted_from": first})
    assert plan.events[-1] == last


def test_steps_that_count_from_1_have_no_update_0():
    assert plan_at(50, "rigl", **{**USUAL, "counted_from": 1}).events[:2] == (0, 99)


@pytest.mark.parametrize("keep", [11, 20])
def test_layers_keep_the_budgets_of_erk_at_every_event(keep):
    engine = Drift()
    state = decide(table("rigl", 2, keep=keep), engine)
    history = [*engine.seen[1:], kept_weights(state)]
    for kept in history:
        full = masks.with_biases(kept, 3)
        assert (masks.layer_counts(full, 3) == erk.budgets(3, keep)).all()


def test_without_drop_the_mask_is_static():
    engine = Drift()
    state = decide(table("rigl", 2, drop=0.0), engine)
    for kept in engine.seen[1:]:
        assert np.array_equal(kept, kept_weights(state))


def test_the_cosine_is_of_the_number_of_the_step():
    """Of 40 weights that number 7,313 has 6 change, and 7,314 has 5."""
    share = 0.15 * (1 + np.cos(np.pi * np.array([7_312, 7_313]) / 14_625))
    assert (40 * share).astype(int).tolist() == [6, 5]
    for first, swaps in ((0, 6), (1, 5)):
        method = METHODS["rigl"].build(**{**USUAL, "counted_from": first})
        configs, params, kept = start(n=1)
        view = replace(view_of(configs, params, kept), step=7_312)
        assert method._swaps(view, np.array([[40]])).tolist() == [[swaps]]


@pytest.mark.parametrize("growth", ["gradient", "random"])
def test_an_update_swaps_the_share_of_the_cosine(growth):
    configs, params, kept = start(keep=200)
    for step in (100, 5_000, 10_000):
        _, before, after = acted(step, configs, params, kept, growth=growth, drop=1.0)
        old, new = masks.of_weights(kept, 16), masks.of_weights(after.masks, 16)
        share = 0.5 * (1 + np.cos(np.pi * step / 14_625))
        for layer, budget in zip(mlp.layers(16), erk.budgets(16, 200), strict=True):
            gone = (old & ~new)[:, layer.columns].sum(axis=1)
            assert (gone <= int(budget * share)).all()
        assert (old & ~new).any()
        assert before.step == step


def test_the_smallest_go_and_the_largest_gradients_come():
    configs, params, kept = start(keep=200)
    job, before, after = acted(7_000, configs, params, kept)
    slope = gradients.gradient(before.params, job.batch_at(7_000), 16)
    size, steep = np.abs(before.params), np.abs(slope)
    gone, come = kept & ~after.masks, after.masks & ~kept
    weight = mlp.is_weight(16)
    seen = 0
    for n in range(3):
        for layer in mlp.layers(16):
            here = np.zeros_like(weight)
            here[layer.weights] = True
            stayed = here & kept[n] & after.masks[n]
            never = here & ~kept[n] & ~after.masks[n]
            if (come[n] & here).any():
                seen += 1
                grown = steep[n][come[n] & here].min()
                assert grown >= steep[n][never].max() * (1 - 1e-5)
                assert size[n][gone[n] & here].max() <= size[n][stayed].max()
    assert seen > 3


def test_grown_weights_start_at_zero_without_momentum_and_others_stay():
    configs, params, kept = start(keep=200)
    _, before, after = acted(100, configs, params, kept)
    come = after.masks & ~kept
    assert come[:, mlp.is_weight(16)].any()
    assert not after.params[come].any()
    assert not after.momentum[come].any()
    both = kept & after.masks
    assert np.array_equal(after.params[both], before.params[both])
    assert np.array_equal(after.momentum[both], before.momentum[both])


def test_few_weights_hardly_move_unless_asked():
    configs, params, kept = start(keep=16)
    _, _, after = acted(7_000, configs, params, kept)
    assert np.array_equal(after.masks, kept)
    _, _, after = acted(7_000, configs, params, kept, least_swap=1)
    assert not np.array_equal(after.masks, kept)


def test_updates_take_the_place_of_a_training_step():
    engine = Still()
    decide(table("rigl", 1), engine)
    assert engine.steps[:3] == [(0, 0), (1, 100), (101, 200)]


def test_a_kept_zero_is_better_than_none_unless_asked():
    configs, params, kept = start(keep=200, n=1)
    places = np.flatnonzero(kept[0] & mlp.is_weight(16))
    zeroed = params.copy()
    zeroed[0, places] = 0
    calm = {"growth": "random", "drop": 0.0}
    _, _, after = acted(100, configs, zeroed, kept, **calm)
    assert np.array_equal(after.masks[0, places], kept[0, places])
    _, _, after = acted(100, configs, zeroed, kept, zeros="as_any", **calm)
    assert not after.masks[0, places].all()


def torch_update(size, steep, kept, swaps):
    """Swap weights of one layer as torch sorts them; all arrays are flat."""
    order = torch.topk(torch.tensor(np.where(kept, size, 0)), len(size)).indices
    stay = np.isin(np.arange(len(size)), order[: kept.sum() - swaps])
    order = torch.topk(torch.tensor(np.where(stay, -1, steep)), len(size)).indices
    return stay | np.isin(np.arange(len(size)), order[:swaps])


@pytest.mark.parametrize("zeros", [0, 5])
def test_selection_sorted_takes_what_torch_takes_among_equals(zeros):
    """Behind a dead layer all gradients are 0: nothing but the sort decides."""
    configs, params, kept = start(keep=200, n=2)
    dead = params.copy()
    dead[:, mlp.layers(16)[2].biases] = -9  # the third layer is silent
    for row, mask in zip(dead, kept, strict=True):
        row[np.flatnonzero(mask & mlp.is_weight(16))[-zeros:][:zeros]] = 0
    options = {"selection": "sorted", "zeros": "as_any"}
    job, before, after = acted(100, configs, dead, kept, **options)
    slope = gradients.gradient(before.params, job.batch_at(100), 16, kind=np.float32)
    share = 0.15 * (1 + np.cos(np.pi * 100 / 14_625))
    for n in range(2):
        for layer in mlp.layers(16):
            here = layer.weights
            size, steep = np.abs(before.params[n, here]), np.abs(slope[n, here])
            swaps = int(kept[n, here].sum() * share)
            expected = torch_update(size, steep, kept[n, here], swaps)
            assert np.array_equal(after.masks[n, here], expected)
    _, _, ranked = acted(100, configs, dead, kept, zeros="as_any")
    assert not np.array_equal(ranked.masks, after.masks)


def test_counts_of_zp24():
    state = decide(table("rigl", 1, width=16, keep=65, fidelity="zp24"), Still())
    assert kept_weights(state, 16).sum() == 68


def test_momentum_of_grown_weights_is_zero_in_a_whole_run():
    engine = Reckless()
    state = decide(table("rigl", 2, width=8, keep=60), engine)
    assert not state.momentum[~state.masks].any()
