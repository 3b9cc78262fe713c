"""Learned weight maps in the engines that know them."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from spiral import engines
from spiral.engines import reparam as torch_side
from spiral.model import mlp
from spiral.protocol import reparam
from spiral.protocol.job import Adam, AdamW, Reparam, Sgd
from tests import mostly_slow, oracles
from tests.engines import begin, build, furthest, make_job, on_devices, some_masks
from tests.tolerances import tolerance

IDS = (1, 2, 3)
KINDS = list(reparam.MAPS)
CUT = ["top", "top_size", "soft_top"]
C = 1.5
BEGIN = 5
SETTING = {"scale": 1.4, "penalty": 0.01, "rate": 0.5, "decays": True}
W = mlp.is_weight(3)


def job_of(kind, ids=IDS, batch=128, **setting):
    job = make_job(ids, lr=np.full(len(ids), 0.05), batch=batch)
    here = Reparam(kind, np.full(job.plan.steps, C), **{**SETTING, **setting})
    return replace(job, plan=replace(job.plan, weight_map=here))


def state_of(job, ids=IDS, k=11, masked=False):
    """Return a state in which a map begins, with some numbers s."""
    state = begin(job, some_masks(ids) if masked else None)
    size = reparam.count(3, job.plan.weight_map.kind)
    drawn = [np.random.default_rng(i).uniform(-1.5, 0.5, size) for i in ids]
    counts = np.full((len(ids), 1), k)
    values = np.array(drawn, np.float32)
    return replace(state, step=BEGIN, adapters=values, active_counts=counts)


def theta_of(state):
    return np.concatenate([state.params, state.adapters], axis=1)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def gates_of(w, k):
    low, high = -50.0, 50.0
    for _ in range(200):
        tau = (low + high) / 2
        low, high = (
            (tau, high) if logistic(C * (abs(w) - tau)).sum() > k else (low, tau)
        )
    return logistic(C * (abs(w) - tau))


def pretended(kind, w, s, at, noise, k):
    """Return effective weights as gradients see them: near ``at``, cuts stand still."""
    w0, s0 = at
    if kind == "soft_threshold":
        each = np.repeat(s, [6, 9, 9, 3])
        return np.sign(w) * np.maximum(abs(w) - logistic(each), 0)
    if kind == "soft_top":
        kept = np.array(oracles.keep_top(list(abs(w0)), k))
        old = w0 * gates_of(w0, k)
        return w * gates_of(w, k) + np.where(kept, old, 0) - old
    if kind in CUT:
        size = np.abs if kind == "top_size" else np.array
        kept = np.array(oracles.keep_top(list(size(s0)), k))
        return np.where(kept, w, 0) + w0 * (size(s) - size(s0))
    return {
        "power": lambda: np.sign(w) * abs(w) ** C,
        "sigmoid": lambda: w * 1.4 * logistic(C * s),
        "hard_concrete": lambda: (
            w * np.clip(1.2 * logistic((noise + s) * 1.5) - 0.1, 0, 1)
        ),
        "product": lambda: w * s,
    }[kind]()


def penalty_of(kind, s):
    if kind == "sigmoid":
        return 0.01 * (1.4 * logistic(C * s)).sum()
    if kind == "hard_concrete":
        return 0.01 * logistic(s + 2 / 3 * np.log(11)).sum()
    return 0.0


@functools.cache
def by_hand(kind, masked, stop, k=11):
    """Steps in float64, slopes by central differences; the same for all engines."""
    job = job_of(kind)
    state = state_of(job, masked=masked)
    size = job.initial.shape[1]
    noise = torch_side.noise(job, state.step)
    draws = [next(noise).astype(np.float64) for _ in range(state.step, stop)]
    ends = []
    for n, start in enumerate(theta_of(state).astype(np.float64)):
        theta, speed = start, np.zeros(len(start))
        trains = np.concatenate([state.masks[n], np.ones(len(start) - size, bool)])
        for step in range(state.step, stop):
            x, y = (array[n] for array in job.batch_at(step))
            at, drawn = (theta[:size][W], theta[size:]), draws[step - state.step][n]

            def loss(t, x=x, y=y, at=at, drawn=drawn):
                params = t[:size].copy()
                params[W] = pretended(kind, t[:size][W], t[size:], at, drawn, k)
                return oracles.loss(params, x, y, 3) + penalty_of(kind, t[size:])

            slope = oracles.finite_differences(loss, theta) + 5e-4 * theta
            speed = 0.9 * speed + np.where(trains, slope, 0)
            pace = np.where(np.arange(len(theta)) < size, 0.05, 0.025)
            theta = theta - pace * speed
        ends.append(theta)
    return np.array(ends)


@pytest.fixture(params=on_devices("vmap", "reference"))
def name(request):
    return request.param


CASES = [(kind, masked) for masked in (False, True) for kind in KINDS]
QUICK = [*((kind, False) for kind in KINDS), ("sigmoid", True), ("top", True)]


@pytest.mark.parametrize("case", mostly_slow(CASES, QUICK), ids=str)
def test_agrees_with_steps_by_hand(name, case):
    kind, masked = case
    job = job_of(kind)
    state = state_of(job, masked=masked)
    found = build(name).advance(job, state, BEGIN + 3)
    expected = by_hand(kind, masked, BEGIN + 3)
    assert furthest(theta_of(found), expected) <= tolerance("steps_20", name)
    assert not found.params[~found.masks].any()
    assert furthest(theta_of(found), theta_of(state)) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_engines_agree(kind):
    job = job_of(kind)
    found, expected = (
        build(name).advance(job, state_of(job), BEGIN + 20)
        for name in ("vmap", "reference")
    )
    assert furthest(theta_of(found), theta_of(expected)) <= tolerance("steps_20")


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_on_the_way_and_neighbours_change_no_bit(name, kind):
    job, engine = job_of(kind), build(name)
    expected = engine.advance(job, state_of(job), BEGIN + 9)
    half = engine.advance(job, state_of(job), BEGIN + 4)
    got = engine.advance(job, half, BEGIN + 9)
    assert np.array_equal(theta_of(got), theta_of(expected))
    assert np.array_equal(got.moments, expected.moments)
    other = job_of(kind, (1, 8, 9))
    got = engine.advance(other, state_of(other, (1, 8, 9)), BEGIN + 9)
    assert np.array_equal(theta_of(got)[0], theta_of(expected)[0])
    assert not np.array_equal(theta_of(got)[1], theta_of(expected)[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("ids", "batch"),
    [
        (IDS, 128),
        pytest.param((1, 2, 3, 4, 5), 4992, marks=pytest.mark.slow),
    ],
)
def test_a_network_trains_alone_as_at_any_place_of_a_pack(kind, ids, batch):
    """To the bit, so that no logistic function may depend on torch's vectors."""
    stop = BEGIN + max(1, 1_500 // batch)
    pack = job_of(kind, ids, batch=batch)
    found = build("vmap").advance(pack, state_of(pack, ids), stop)
    for n in range(len(ids)):
        alone = job_of(kind, ids[n : n + 1], batch=batch)
        start = state_of(alone, ids[n : n + 1])
        single = build("vmap").advance(alone, start, stop)
        assert np.array_equal(theta_of(found)[n], theta_of(single)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_diverging_network_stays_in_its_row(name, kind):
    job = job_of(kind)
    wild = replace(job, lr=np.array([0.05, 1e9, 0.05]))
    with np.errstate(all="ignore"):
        calm, found = (
            build(name).advance(j, state_of(job), BEGIN + 5) for j in (job, wild)
        )
    assert not np.isfinite(theta_of(found)[1]).all()
    assert np.array_equal(theta_of(found)[[0, 2]], theta_of(calm)[[0, 2]])


NEUTRAL = {
    "soft_threshold": {"s": -200.0},
    "power": {"c": 1.0},
    "sigmoid": {"s": 0.0, "scale": 2.0},
    "hard_concrete": {"s": 50.0},
    "top": {"s": 0.3},
    "top_size": {"s": 0.3},
    "soft_top": {},
    "product": {"s": 1.0},
}
"""Numbers s that keep every weight as it is, where they do not train."""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("vmap", kind) for kind in KINDS),
        ("reference", "sigmoid"),
        ("reference", "top"),
    ],
)
def test_a_neutral_map_is_plain_training(name, kind):
    neutral = {"s": 0.0, "c": C, "scale": 1.0, **NEUTRAL[kind]}
    more = {"scale": neutral["scale"], "penalty": 0.0, "rate": 0.0, "decays": False}
    job = job_of(kind, **more)
    here = replace(job.plan.weight_map, curve=np.full(job.plan.steps, neutral["c"]))
    job = replace(job, plan=replace(job.plan, weight_map=here))
    state = state_of(job, k=27)
    state = replace(state, adapters=np.full_like(state.adapters, neutral["s"]))
    found = build(name).advance(job, state, BEGIN + 8)
    plain = replace(job, plan=replace(job.plan, weight_map=None))
    start = replace(state, adapters=None)
    expected = build(name).advance(plain, start, BEGIN + 8)
    assert furthest(found.params, expected.params) <= tolerance("steps_20", name)
    assert np.array_equal(found.adapters, state.adapters)


def test_before_a_method_begins_it_is_plain_sgd(name):
    job = job_of("sigmoid")
    plain = replace(job, plan=replace(job.plan, weight_map=None, optimiser=Sgd()))
    got, expected = (build(name).advance(j, begin(job), 30) for j in (job, plain))
    assert np.array_equal(got.params, expected.params)
    assert got.adapters is None


def test_frozen_weights_keep_their_bits_while_the_numbers_train(name):
    job = job_of("top_size")
    state = state_of(job)
    frozen = replace(state, trainable=np.zeros(state.params.shape, bool))
    found = build(name).advance(job, frozen, BEGIN + 5)
    assert np.array_equal(found.params, state.params)
    assert (found.adapters != state.adapters).mean() > 0.5


def test_numbers_stay_within_their_bound(name):
    job = job_of("product", bound=0.5)
    found = build(name).advance(job, state_of(job), BEGIN + 5)
    assert np.abs(found.adapters).max() == 0.5
    assert np.abs(found.params).max() > 0.5


def test_label_smoothing_is_in_the_loss_and_not_in_its_sum(name):
    job = job_of("product", penalty=0.0)
    smooth = replace(job, plan=replace(job.plan, label_smoothing=0.1))
    start = replace(state_of(job), step=job.last_epoch)
    one, other = (build(name).advance(j, start, start.step + 1) for j in (job, smooth))
    assert np.array_equal(one.losses, other.losses)
    assert not np.array_equal(one.params, other.params)


def test_losses_are_those_of_effective_weights_without_the_penalty(name):
    job = job_of("sigmoid")
    start = replace(state_of(job), step=job.last_epoch)
    found = build(name).advance(job, start, start.step + 1)
    x, y = job.batch_at(start.step)
    seen = reparam.effective(
        start.params, start.adapters, job.plan.weight_map, np.full(3, C)
    )
    expected = [oracles.loss(seen[n], x[n], y[n], 3) for n in range(3)]
    assert found.losses == pytest.approx(expected, abs=tolerance("loss", name))


def test_noise_depends_on_order_seed_and_step_alone():
    job = make_job((1, 2, 1), epochs=3, batch=10_000)  # four steps an epoch
    stream = torch_side.noise(job, 0)
    whole = [next(stream) for _ in range(10)]
    for start in (3, 4, 6):
        later = torch_side.noise(job, start)
        assert np.array_equal(next(later), whole[start])
        assert np.array_equal(next(later), whole[start + 1])
    alone = torch_side.noise(make_job((2,), epochs=3, batch=10_000), 5)
    assert np.array_equal(next(alone)[0], whole[5][1])
    assert np.array_equal(whole[5][0], whole[5][2])
    assert len({draw.tobytes() for draw in whole}) == 10
    values = np.concatenate([draw[:2].ravel() for draw in whole])
    assert (np.abs(values) <= np.log(1e6)).all()
    assert abs((values > 0).mean() - 0.5) < 0.1


@pytest.mark.parametrize("optimiser", [Adam(), AdamW(), Sgd(nesterov=True)])
def test_other_optimisers_know_the_rate_and_penalty_of_the_numbers(optimiser):
    job = job_of("product")
    job = replace(job, plan=replace(job.plan, optimiser=optimiser))
    found, expected = (
        build(name).advance(job, state_of(job), BEGIN + 2)
        for name in ("vmap", "reference")
    )
    gap = np.abs(theta_of(found) - theta_of(expected))
    assert np.median(gap) <= tolerance("steps_20")
    still = replace(job.plan.weight_map, rate=0.0)
    job = replace(job, plan=replace(job.plan, weight_map=still))
    found = build("vmap").advance(job, state_of(job), BEGIN + 2)
    assert np.array_equal(found.adapters, state_of(job).adapters)
    assert not np.array_equal(found.params, state_of(job).params)


@pytest.mark.parametrize("kind", ["power", "soft_top"])
def test_maps_without_numbers_know_adam(name, kind):
    job = job_of(kind)
    job = replace(job, plan=replace(job.plan, optimiser=Adam()))
    found, expected = (
        build(engine).advance(job, state_of(job), BEGIN + 2)
        for engine in (name, "vmap")
    )
    gap = np.abs(found.params - expected.params)
    assert np.median(gap) <= tolerance("steps_20", name)
    assert not np.array_equal(found.params, state_of(job).params)


def test_engine_sparse_says_what_it_lacks():
    plan = job_of("power").plan
    assert "weight map 'reparam'" in str(engines.unsupported("sparse", plan))
    assert engines.choose("auto", plan)[0] == "vmap"
