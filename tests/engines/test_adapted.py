"""Adapters and AdamW in the engines that know them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spiral import engines
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import AdamW, Controls, Sgd
from tests import oracles
from tests.engines import begin, build, make_job, on_devices, some_masks
from tests.tolerances import tolerance

IDS = (1, 2, 3)
KNOWING = ["vmap", "reference"]
KINDS = ["lora", "lora_prune", "mask_lora", "scale_lora", None]
BEGIN = 5


def job_of(kind="mask_lora", optimiser=None, ids=IDS, **fields):
    here = None if kind is None else LowRank(kind, 2, 2.0, (0, 1, 2, 3))
    job = make_job(ids, **{"lr": np.full(len(ids), 0.01), **fields})
    optimiser = optimiser or AdamW(BEGIN)
    plan = replace(job.plan, weight_map=here, optimiser=optimiser)
    return replace(job, plan=plan)


def state_of(job, ids=IDS, share=True):
    """Return a pruned state in which adapters begin; half of the biases train."""
    state = begin(job, some_masks(ids))
    here, size = job.plan.weight_map, 0
    drawn = [np.random.default_rng(i) for i in ids]
    if here is not None:
        size = adapters.count(3, here)
    middle = 0.7 if here is not None and here.kind == "scale_lora" else 0.0
    values = [middle + random.standard_normal(size) * 0.3 for random in drawn]
    trains = [random.random(job.initial.shape[1]) < 0.5 for random in drawn]
    return replace(
        state,
        step=BEGIN,
        adapters=np.array(values, np.float32),
        trainable=np.array(trains) if share else None,
    )


def by_hand(job, state, stop):
    """Step by step in float64, slopes by central differences.

    Returns θ, and which of it had slopes too small for float32 on the way: AdamW goes
    as far for these, and rounding decides where.
    """
    here, size = job.plan.weight_map, job.initial.shape[1]
    start = theta_of(state).astype(np.float64)
    trains = np.concatenate([state.moving, np.ones(state.adapters.shape, bool)], axis=1)
    rates = job.rates(state, state.step, stop).astype(np.float64)
    noise = np.zeros(start.shape, bool)

    def loss(t, n, x, y):
        params = t[:size]
        if here is not None:
            mask = state.masks[n]
            params = adapters.effective(params, mask, t[size:], here, np.concatenate)
        return oracles.loss(params, x.astype(np.float64), y, 3)

    def slopes_of(n):
        def slopes(t, k):
            x, y = job.batch_at(state.step + k)
            found = oracles.finite_differences(lambda u: loss(u, n, x[n], y[n]), t)
            noise[n] |= trains[n] & (np.abs(found) < 1e-5)
            return np.where(trains[n], found, 0)

        return slopes

    ends = []
    for n in range(len(start)):
        theta = start[n]
        decay = np.where(trains[n], job.weight_decay[n], 0)
        if isinstance(job.plan.optimiser, Sgd):
            slopes, speed = slopes_of(n), np.zeros(len(theta))
            for k, rate in enumerate(rates[:, n]):
                speed = job.momentum[n] * speed + slopes(theta, k) + decay * theta
                theta = theta - rate * speed
            ends.append(theta)
        else:
            ends.append(oracles.adam(theta, slopes_of(n), rates[:, n], decay))
    return np.array(ends), noise


def theta_of(state):
    return np.concatenate([state.params, state.adapters], axis=1)


@pytest.fixture(params=on_devices(*KNOWING))
def name(request):
    return request.param


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimiser", [AdamW(BEGIN), Sgd()], ids=["adamw", "sgd"])
def test_agrees_with_steps_by_hand(name, kind, optimiser):
    job = job_of(kind, optimiser)
    state = state_of(job)
    found = build(name).advance(job, state, BEGIN + 3)
    expected, noise = by_hand(job, state, BEGIN + 3)
    gap = np.abs(theta_of(found) - expected)
    assert noise.mean() < 0.6
    if isinstance(optimiser, Sgd):
        assert gap.max() <= tolerance("steps_20", name)
    else:
        assert gap[~noise].max() <= tolerance("adam", name)
        assert gap.max() <= 2 * 3 * 0.01  # a rate a step, either way


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimiser", [AdamW(BEGIN), Sgd()], ids=["adamw", "sgd"])
def test_engines_agree(kind, optimiser):
    job = job_of(kind, optimiser)
    found, expected = (
        build(name).advance(job, state_of(job), BEGIN + 20) for name in KNOWING
    )
    gap = np.abs(theta_of(found) - theta_of(expected))
    if isinstance(optimiser, Sgd):
        assert gap.max() <= tolerance("steps_20")
    else:
        assert np.median(gap) <= tolerance("adam")


@pytest.mark.parametrize("optimiser", [AdamW(BEGIN), Sgd()], ids=["adamw", "sgd"])
def test_a_stop_on_the_way_changes_no_bit(name, optimiser):
    job, engine = job_of(optimiser=optimiser), build(name)
    half = engine.advance(job, state_of(job), BEGIN + 4)
    got = engine.advance(job, half, BEGIN + 9)
    expected = engine.advance(job, state_of(job), BEGIN + 9)
    assert np.array_equal(theta_of(got), theta_of(expected))
    assert np.array_equal(got.moments, expected.moments)


def test_neighbours_change_no_bit(name):
    mine, other = job_of(), job_of(ids=(1, 8, 9))
    found = build(name).advance(mine, state_of(mine), 25)
    with_others = build(name).advance(other, state_of(other, (1, 8, 9)), 25)
    assert np.array_equal(theta_of(found)[0], theta_of(with_others)[0])


def test_frozen_and_masked_entries_stay(name):
    job = job_of()
    state = state_of(job)
    found = build(name).advance(job, state, BEGIN + 20)
    still = ~state.moving
    assert np.array_equal(found.params[still], state.params[still])
    assert (found.params != state.params)[state.moving].mean() > 0.5
    assert not found.params[~state.masks].any()
    assert (found.adapters != state.adapters).all()


def test_before_a_method_begins_it_is_plain_sgd(name):
    job = job_of()
    plain = replace(job, plan=replace(job.plan, weight_map=None, optimiser=Sgd()))
    start = begin(job, some_masks(IDS))
    got, expected = (build(name).advance(j, start, BEGIN) for j in (job, plain))
    assert np.array_equal(got.params, expected.params)
    assert got.adapters is got.moments is None


def test_before_a_method_begins_it_is_the_optimiser_of_the_config(name):
    job = job_of()
    nesterov = Controls(Sgd(nesterov=True))
    start = begin(job, some_masks(IDS))
    late = replace(job, plan=job.plan.under(nesterov))
    usual = replace(job, plan=job.plan.plain().under(nesterov))
    got, expected = (build(name).advance(j, start, BEGIN) for j in (late, usual))
    assert np.array_equal(got.params, expected.params)
    other = build(name).advance(job, start, BEGIN)
    assert not np.array_equal(got.params, other.params)


def test_a_diverging_network_stays_in_its_row(name):
    job = job_of("lora", Sgd())
    wild = replace(job, lr=np.array([0.01, 1e9, 0.01]))
    with np.errstate(all="ignore"):
        calm_found, found = (
            build(name).advance(j, state_of(job), 30) for j in (job, wild)
        )
    assert not np.isfinite(theta_of(found)[1]).all()
    assert np.array_equal(theta_of(found)[[0, 2]], theta_of(calm_found)[[0, 2]])


def test_engine_sparse_says_what_it_lacks():
    plan = job_of().plan
    assert "optimiser 'adamw'" in str(engines.unsupported("sparse", plan))
    plan = replace(plan, optimiser=Sgd())
    assert "weight map 'low_rank'" in str(engines.unsupported("sparse", plan))
    name, _ = engines.choose("auto", plan)
    assert name == "vmap"


def test_threads_are_put_back(name):
    before = torch.get_num_threads()
    job = job_of()
    build(name).advance(job, state_of(job), BEGIN + 1)
    assert torch.get_num_threads() == before
