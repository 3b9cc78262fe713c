"""Adam and AdamW from the first step, and Nesterov's momentum, in all engines."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spiral import engines
from spiral.experiment import training
from spiral.model import gradients
from spiral.model.groups import Scope
from spiral.protocol.job import Adam, AdamW, Change, Controls, ForwardMask, Sgd
from tests import oracles
from tests.engines import CPU, begin, build, furthest, make_job, on_devices, some_masks
from tests.tolerances import tolerance

IDS = (1, 2, 3)
RATE = 0.01
OPTIMISERS = [Sgd(nesterov=True), Adam(), AdamW()]
ABLE = [
    case
    for optimiser in OPTIMISERS
    for case in on_devices(
        *(n for n in CPU if optimiser.name in engines.ENGINES[n].optimisers),
        option=optimiser,
    )
]
ADAM = [
    case
    for optimiser in (Adam(), AdamW())
    for case in on_devices("vmap", "reference", option=optimiser)
]


def job_of(optimiser, ids=IDS, **fields):
    n = len(ids)
    usual = {"lr": np.full(n, RATE), "weight_decay": np.full(n, 0.1)}
    job = make_job(ids, **{**usual, **fields})
    return replace(job, plan=job.plan.under(Controls(optimiser)))


def advance(name, job, stop, state=None, kept=None):
    with np.errstate(all="ignore"):
        return build(name).advance(job, state or begin(job, kept), stop)


def apply(state, **change):
    return training.apply(Change(**change), state, "method")


def by_hand(job, n, state, stop, born=None):
    """Train network n from fresh moments in float64.

    Returns its parameters, and which had slopes so small that rounding decides where
    they go, as Adam goes as far for these.
    """
    moving, w = state.moving[n], state.params[n].astype(np.float64)
    first, second = np.zeros((2, len(w)))
    noise = np.zeros(len(w), bool)
    born = np.full(len(w), state.step) if born is None else born
    decay = job.weight_decay[n]
    coupled = isinstance(job.plan.optimiser, Adam)
    for step in range(state.step, stop):
        x, y = (part[n] for part in job.batch_at(step))
        slope = oracles.gradient(w, x, y, job.width)
        noise |= (np.abs(slope) < 1e-5) & (slope != 0)
        slope = np.where(moving, slope + coupled * decay * w, 0)
        first, second = (
            beta * moment + (1 - beta) * power
            for beta, moment, power in ((0.9, first, slope), (0.999, second, slope**2))
        )
        k = step - born + 1
        size = np.sqrt(second / (1 - 0.999**k)) + 1e-8
        change = first / (1 - 0.9**k) / size + (not coupled) * decay * w
        w = np.where(moving, w - job.lr[n] * change, w)
    return w, noise


@pytest.mark.parametrize(("name", "optimiser"), ADAM)
def test_adam_agrees_with_steps_by_hand(name, optimiser):
    job, kept = job_of(optimiser), some_masks(IDS)
    trainable = some_masks((7, 8, 9))
    state = replace(begin(job, kept), trainable=trainable)
    found = advance(name, job, 10, state)
    for n in range(3):
        expected, noise = by_hand(job, n, state, 10)
        assert noise.mean() < 0.5
        gap = np.abs(found.params[n] - expected)
        assert gap[~noise].max() <= tolerance("adam", name)
    assert np.array_equal(found.params[~trainable], state.params[~trainable])


def test_adam_and_adamw_differ_by_where_the_penalty_acts():
    both = [advance("vmap", job_of(o), 10).params for o in (Adam(), AdamW())]
    assert furthest(*both) > 1000 * tolerance("adam")
    free = [
        advance("vmap", job_of(o, weight_decay=np.zeros(3)), 10).params
        for o in (Adam(), AdamW())
    ]
    assert np.array_equal(*free)


@pytest.mark.parametrize("optimiser", [Adam(), AdamW()])
def test_engines_agree(optimiser):
    job, kept = job_of(optimiser, width=4), some_masks(IDS, 4)
    found, expected = (
        advance(name, job, 100, kept=kept).params for name in ("vmap", "reference")
    )
    assert np.median(np.abs(found - expected)) <= tolerance("adam")
    assert furthest(found, job.initial) > 1000 * tolerance("adam")


@pytest.mark.parametrize(("name", "optimiser"), ABLE)
@pytest.mark.parametrize("k", [1, 7])
def test_a_stop_on_the_way_changes_no_bit(name, optimiser, k):
    job, kept = job_of(optimiser), some_masks(IDS)
    half = advance(name, job, k, kept=kept)
    got = advance(name, job, 20, half)
    expected = advance(name, job, 20, kept=kept)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.momentum, expected.momentum)


@pytest.mark.parametrize(("name", "optimiser"), ABLE)
def test_neighbours_change_no_bit(name, optimiser):
    """Not even one whose entries begin anew, which changes how all are computed."""
    mine, other = job_of(optimiser), job_of(optimiser, (1, 8, 9))
    found = advance(name, mine, 20)
    half = advance(name, other, 10)
    reset = np.zeros(half.params.shape, bool)
    reset[1] = True
    among = advance(name, other, 20, apply(half, reset_momentum=reset))
    assert np.array_equal(found.params[0], among.params[0])
    assert not np.array_equal(found.params[1], among.params[1])


@pytest.mark.parametrize(("name", "optimiser"), ABLE)
def test_a_diverging_network_stays_in_its_row(name, optimiser):
    calm = advance(name, job_of(optimiser), 60)
    rates = np.array([RATE, 1e30, RATE])
    wild = advance(name, job_of(optimiser, lr=rates), 60)
    assert not np.isfinite(wild.params[1]).all()
    assert np.array_equal(wild.params[[0, 2]], calm.params[[0, 2]])


@pytest.mark.parametrize(("name", "optimiser"), ABLE)
@pytest.mark.parametrize("rate", [RATE, 1e30])
def test_masked_entries_stay_zero(name, optimiser, rate):
    job, kept = job_of(optimiser, lr=np.full(3, rate)), some_masks(IDS)
    half = advance(name, job, 5)
    with np.errstate(all="ignore"):
        state = advance(name, job, 60, apply(half, masks=kept))
    assert np.isfinite(state.params).all() == (rate == RATE)
    for array in (state.params, state.momentum, *_moments(state)):
        assert np.array_equal(array[~kept], np.zeros((~kept).sum()))


def _moments(state):
    return [] if state.moments is None else [state.moments[:, 0], state.moments[:, 1]]


@pytest.mark.parametrize(("name", "optimiser"), ADAM)
def test_what_comes_back_or_is_reset_trains_as_at_a_first_step(name, optimiser):
    """A stale second moment would make it slow, an old count of steps too fast."""
    job, kept = job_of(optimiser), some_masks(IDS)
    half = advance(name, job, 6)
    away = advance(name, job, 12, apply(half, masks=kept))
    reset = some_masks((4, 5, 6))
    back = apply(away, masks=np.ones_like(kept), reset_momentum=reset)
    found = advance(name, job, 13, back)
    slopes = np.stack(
        [oracles.gradient(back.params[n], *_batch(job, n, 12), 3) for n in range(3)]
    )
    anew = ~kept | reset
    clear = anew & (np.abs(slopes) > 1e-4)
    if isinstance(optimiser, Adam):
        slopes = slopes + 0.1 * back.params
        step = -RATE * np.sign(slopes)
    else:
        step = -RATE * (np.sign(slopes) + 0.1 * back.params)
    assert clear.sum() > 20
    gap = np.abs(found.params - back.params - step)
    assert gap[clear].max() <= 1e-4 * RATE + tolerance("adam", name)
    assert np.median(gap[~anew]) > 0.01 * RATE


def _batch(job, n, step):
    return [part[n] for part in job.batch_at(step)]


@pytest.mark.parametrize(("name", "optimiser"), ADAM)
def test_a_reset_of_everything_is_a_fresh_optimiser(name, optimiser):
    job, kept = job_of(optimiser), some_masks(IDS)
    half = apply(advance(name, job, 10, kept=kept), reset_momentum=np.ones_like(kept))
    found = advance(name, job, 20, half)
    expected = advance(name, job, 20, replace(half, moments=None, born=None))
    assert np.array_equal(found.params, expected.params)


@pytest.mark.parametrize(("name", "optimiser"), ADAM)
@pytest.mark.parametrize("gradient", ["ste", "chain"])
def test_adam_trains_behind_a_forward_mask(name, optimiser, gradient):
    """All weights active is no mask; else the first step follows the mask's slope."""
    rest, pull = 0.3, 0.05
    job = job_of(optimiser, weight_decay=np.zeros(3))
    mask = ForwardMask(
        {0: Scope("global")}, np.full(job.plan.steps, rest), gradient, pull
    )
    plain, job = job, replace(job, plan=replace(job.plan, weight_map=mask))
    without, expected = advance(name, job, 5), advance(name, plain, 5)
    assert np.array_equal(without.params, expected.params)
    state = replace(begin(job), active_counts=np.full((3, 1), 10))
    found = advance(name, job, 1, state)
    for n in range(3):
        w = state.params[n].astype(np.float64)
        weights = oracles.is_weight(3)
        sizes = np.where(weights, np.abs(w), np.inf)
        active = sizes >= np.sort(np.abs(w[weights]))[-10]
        factor = np.where(active, 1.0, rest)
        slope = oracles.gradient(w * factor, *_batch(job, n, 0), 3)
        slope *= factor if gradient == "chain" else 1
        slope += np.where(active, 0, pull * w)
        clear = np.abs(slope) > 1e-4
        step = -RATE * np.sign(slope)
        gap = np.abs(found.params[n] - w - step)
        assert gap[clear].max() <= 1e-4 * RATE + tolerance("adam", name)


def behind_a_mask(optimiser):
    """Return a job under a forward mask of the ten largest weights."""
    job = job_of(optimiser)
    rest = np.full(job.plan.steps, 0.3)
    mask = ForwardMask({0: Scope("global")}, rest, "ste", 0.05)
    return replace(job, plan=replace(job.plan, weight_map=mask))


NESTEROV = Sgd(nesterov=True)
KNOWING = on_devices(
    *(
        name
        for name in CPU
        if name != "reference"
        and engines.unsupported(name, behind_a_mask(NESTEROV).plan) is None
    )
)


@pytest.mark.parametrize("name", KNOWING)
def test_nesterov_trains_behind_a_forward_mask(name):
    job, plain = behind_a_mask(NESTEROV), behind_a_mask(Sgd())
    counts = np.full((3, 1), 10)
    found, expected, other = (
        advance(engine, each, 20, replace(begin(each), active_counts=counts)).params
        for engine, each in ((name, job), ("reference", job), (name, plain))
    )
    assert furthest(found, expected) <= tolerance("steps_20", name)
    assert furthest(found, other) > 1000 * tolerance("steps_20", name)


KINDS = {
    "sgd": lambda w: torch.optim.SGD(
        w, lr=RATE, momentum=0.9, weight_decay=0.1, nesterov=True
    ),
    "adam": lambda w: torch.optim.Adam(w, lr=RATE, weight_decay=0.1),
    "adamw": lambda w: torch.optim.AdamW(w, lr=RATE, weight_decay=0.1),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["nesterov", "adam", "adamw"])
def test_the_reference_takes_the_steps_of_torchs_own_optimiser(optimiser):
    """Given the same slopes; the rates of engines are rounded to float32."""
    job, kept = job_of(optimiser), some_masks(IDS)
    found = advance("reference", job, 10, kept=kept)
    w, keep = torch.tensor(begin(job, kept).params[0]), torch.tensor(kept[0])
    usual, loss = KINDS[optimiser.name]([w]), gradients.loss_of_one(job.width)
    for step in range(10):
        x, y = (torch.tensor(part) for part in _batch(job, 0, step))
        place = w.clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(place, x.T, y), place)
        w.grad = torch.where(keep, slope, 0.0)
        usual.step()
    gap = np.abs(found.params[0] - w.numpy())
    assert np.median(gap) <= tolerance("float32")
    assert gap.max() <= tolerance("adam")


def test_engine_sparse_declines_adam_and_auto_goes_on():
    for optimiser in (Adam(), AdamW()):
        plan = job_of(optimiser).plan
        text = str(engines.unsupported("sparse", plan))
        assert f"optimiser '{optimiser.name}'" in text
        assert engines.choose("auto", plan)[0] == "vmap"
    plan = job_of(Sgd(nesterov=True)).plan
    assert engines.choose("auto", plan)[0] == "sparse"
