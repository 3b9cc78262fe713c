"""Weight maps: the network runs on some weights while all of them train."""

from dataclasses import replace

import numpy as np
import pytest

from spiral import engines
from spiral.model import mlp
from spiral.model.groups import Scope
from spiral.protocol.job import Budget, ForwardMask, Plan
from tests import oracles
from tests.engines import begin, build, furthest, make_job, on_devices, some_masks
from tests.tolerances import tolerance

IDS = (1, 2, 3)
ABLE = [n for n, e in engines.ENGINES.items() if "forward_mask" in e.weight_maps]
GROUPS = {
    "global": [[*range(27)]],
    "layer": [[*range(6)], [*range(6, 15)], [*range(15, 24)], [*range(24, 27)]],
}
SHOWN = {"global": [[5], [11], [26]], "layer": [[2, 3, 4, 1]] * 3}
HALF = 0.5


@pytest.fixture(params=on_devices(*ABLE))
def name(request):
    return request.param


def mapped_job(kind="global", rest=0.0, ids=IDS, mapped=None, **fields):
    """Return a job whose map has a D for all steps, or one for each."""
    own = {key: fields.pop(key) for key in ("gradient", "pull") if key in fields}
    own |= mapped or {}
    job = make_job(ids, **fields)
    steps = job.plan.steps
    shown = ForwardMask({0: Scope(kind)}, np.full(steps, rest, float), **own)
    return replace(job, plan=replace(job.plan, weight_map=shown))


def start(job, shown):
    return replace(begin(job), active_counts=np.array(shown)[: job.networks])


def advance(name, job, stop, shown=None):
    shown = SHOWN[job.plan.weight_map.scopes[0].kind] if shown is None else shown
    with np.errstate(all="ignore"):
        return build(name).advance(job, start(job, shown), stop)


def factors(params, kind, shown, rest):
    """Return by what each parameter of one network is multiplied, group by group."""
    found, weights = np.ones(37), np.flatnonzero(oracles.is_weight(3))
    for group, keep in zip(GROUPS[kind], shown, strict=True):
        places = weights[group]
        kept = oracles.keep_top(np.abs(params[places]), keep)
        found[places] = np.where(kept, 1.0, rest)
    return found


def twin(job, n, steps, kind, shown):
    """Return what plain float64 steps make of network n."""
    here = job.plan.weight_map
    params, velocity = job.initial[n].astype(np.float64), np.zeros(37)
    for step in range(steps):
        x, y = (part[n] for part in job.batch_at(step))
        if step % here.interval == 0:
            seen = factors(params, kind, shown, here.rest[step])
            params = np.where(here.stored & (seen < 1), 0, params)
        slope = oracles.gradient(params * seen, x, y, 3)
        if here.gradient == "chain":
            slope = slope * seen
        slope = slope + here.pull * (seen < 1) * params
        params, velocity = oracles.sgd_step(
            params, velocity, slope, np.ones(37, bool), 0.1, 0.9, 5e-4
        )
    return params


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("gradient", ["ste", "chain"])
@pytest.mark.parametrize(("rest", "pull"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2)])
def test_agrees_with_the_oracle(name, kind, gradient, rest, pull):
    job = mapped_job(kind, rest, gradient=gradient, pull=pull)
    got = advance(name, job, 20).params
    for n in range(3):
        expected = twin(job, n, 20, kind, SHOWN[kind][n])
        assert furthest(got[n], expected) <= tolerance("steps_20", name)


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("interval", [1, 3, 8])
@pytest.mark.parametrize("stored", [False, True])
def test_masks_are_chosen_at_intervals_and_may_empty_what_they_hide(
    name, kind, interval, stored
):
    job = mapped_job(kind, mapped={"interval": interval, "stored": stored})
    got = advance(name, job, 20)
    for n in range(3):
        expected = twin(job, n, 20, kind, SHOWN[kind][n])
        assert furthest(got.params[n], expected) <= tolerance("steps_20", name)
    assert (got.active is None) == (interval == 1)


@pytest.mark.parametrize("stored", [False, True])
def test_a_slower_mask_trains_otherwise(name, stored):
    jobs = [mapped_job(mapped={"interval": i, "stored": stored}) for i in (1, 8)]
    often, seldom = (advance(name, job, 20).params for job in jobs)
    assert furthest(often, seldom) > 100 * tolerance("steps_20", name)


def test_emptied_weights_keep_their_momentum(name):
    """With one step of each, a hidden weight of slope 0 moves by its momentum alone."""
    free = {"weight_decay": np.zeros(3), "lr": np.ones(3)}
    job = mapped_job(mapped={"stored": True}, **free)
    place = mlp.layers(3)[1].weights.start  # of layer 2: all of it is hidden
    job.initial[:, mlp.layers(3)[1].weights] *= 1e-3
    before = start(job, [[1], [1], [1]])
    before.momentum[:, place] = 1.0
    got = build(name).advance(job, before, 1)
    assert got.params[:, place] == pytest.approx([-0.9] * 3, abs=1e-6)


@pytest.mark.parametrize("k", [1, 5, 8, 11])
@pytest.mark.parametrize("stored", [False, True])
def test_a_stop_between_two_masks_changes_no_bit(name, k, stored):
    job = mapped_job(mapped={"interval": 8, "stored": stored})
    engine = build(name)
    half_way = engine.advance(job, start(job, SHOWN["global"]), k)
    got, expected = engine.advance(job, half_way, 20), advance(name, job, 20)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.momentum, expected.momentum)
    assert np.array_equal(got.active, expected.active)


def test_without_a_mask_in_force_one_is_chosen_at_once(name):
    """As after new counts: at a step that is no multiple of the interval."""
    slow, fast = (mapped_job(mapped={"interval": i}) for i in (8, 1))
    state = replace(start(slow, SHOWN["global"]), step=3)
    got, expected = (build(name).advance(job, state, 4) for job in (slow, fast))
    assert np.array_equal(got.params, expected.params)
    kept = oracles.keep_top(np.abs(state.params[0, oracles.is_weight(3)]), 5)
    assert got.active[0, oracles.is_weight(3)].tolist() == kept


def test_hidden_weights_train_and_are_not_masked(name):
    got = advance(name, mapped_job(), 20)
    plain = build(name).advance(make_job(), begin(make_job()), 20)
    assert (got.params[:, oracles.is_weight(3)] != 0).all()
    assert furthest(got.params, plain.params) > 1000 * tolerance("steps_20", name)
    assert got.masks.all()


@pytest.mark.parametrize("case", ["all shown", "nothing fades", "not yet begun"])
@pytest.mark.parametrize("gradient", ["ste", "chain"])
def test_a_map_that_hides_nothing_changes_no_bit(name, case, gradient):
    rest = 1.0 if case == "nothing fades" else 0.0
    job = mapped_job(rest=rest, gradient=gradient, pull=0.3)
    shown = [[27]] * 3 if case == "all shown" else SHOWN["global"]
    state = begin(job) if case == "not yet begun" else start(job, shown)
    got = build(name).advance(job, state, 20)
    plain = build(name).advance(make_job(), begin(make_job()), 20)
    assert np.array_equal(got.params, plain.params)
    assert np.array_equal(got.momentum, plain.momentum)


@pytest.mark.parametrize("gradient", ["ste", "chain"])
def test_one_step_is_the_slope_of_the_loss_at_what_is_shown(name, gradient):
    """By finite differences: in what is shown, or in the weights at a fixed mask."""
    free = {"momentum": np.zeros(3), "weight_decay": np.zeros(3), "lr": np.ones(3)}
    job = mapped_job(rest=HALF, gradient=gradient, **free)
    moved = job.initial[0] - advance(name, job, 1).params[0]
    x, y = (part[0] for part in job.batch_at(0))
    params = job.initial[0].astype(np.float64)
    seen = factors(params, "global", SHOWN["global"][0], HALF)

    def loss(at):
        return oracles.loss(at if gradient == "ste" else at * seen, x, y, 3)

    at = params * seen if gradient == "ste" else params
    expected = oracles.finite_differences(loss, at)
    assert furthest(moved, expected) <= tolerance("step_1", name)


def test_what_is_left_of_hidden_weights_is_read_at_every_step(name):
    job = mapped_job(rest=np.linspace(1, 0, 780))
    got = advance(name, job, 20).params
    for n in range(3):
        expected = twin(job, n, 20, "global", SHOWN["global"][n])
        assert furthest(got[n], expected) <= tolerance("steps_20", name)


def test_who_competes_may_change_at_an_event(name):
    job = make_job()
    scopes = {0: Scope("global"), 7: Scope("layer")}
    shown = ForwardMask(scopes, np.zeros(780))
    job = replace(job, plan=replace(job.plan, weight_map=shown))
    state = build(name).advance(job, start(job, SHOWN["global"]), 7)
    state = replace(state, active_counts=np.array(SHOWN["layer"]))
    got = build(name).advance(job, state, 9)
    late = {0: Scope("layer")}
    later = replace(job.plan, weight_map=replace(shown, scopes=late))
    expected = build(name).advance(replace(job, plan=later), state, 9)
    assert np.array_equal(got.params, expected.params)


@pytest.mark.parametrize("k", [1, 7])
def test_a_stop_on_the_way_changes_no_bit(name, k):
    job, engine = mapped_job(rest=HALF), build(name)
    half_way = engine.advance(job, start(job, SHOWN["global"]), k)
    got, expected = engine.advance(job, half_way, 20), advance(name, job, 20)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.momentum, expected.momentum)


def test_replaced_neighbours_change_no_bit(name):
    mine = advance(name, mapped_job(ids=(1, 2, 3)), 40, [[5], [11], [26]])
    other = advance(name, mapped_job(ids=(1, 8, 9)), 40, [[5], [3], [20]])
    assert np.array_equal(mine.params[0], other.params[0])
    assert not np.array_equal(mine.params[1], other.params[1])


def test_a_diverging_network_stays_in_its_row(name):
    calm = advance(name, mapped_job(), 40)
    wild = advance(name, mapped_job(lr=np.array([0.1, 1e6, 0.1])), 40)
    assert not np.isfinite(wild.params[1]).all()
    assert np.array_equal(wild.params[[0, 2]], calm.params[[0, 2]])


def test_masked_entries_stay_zero_under_a_map(name):
    job, kept = mapped_job(), some_masks(IDS)
    state = replace(begin(job, kept), active_counts=np.array([[5], [6], [7]]))
    got = build(name).advance(job, state, 20)
    assert not got.params[~kept].any()
    assert not got.momentum[~kept].any()
    assert (got.params[kept] != 0).all()


def test_running_losses_are_of_what_the_network_runs_on(name):
    job = mapped_job(rest=0.3, epochs=1, batch=10_000)
    found = advance(name, job, 1).losses
    x, y = job.batch_at(0)
    for n in range(3):
        params = job.initial[n].astype(np.float64)
        seen = params * factors(params, "global", SHOWN["global"][n], 0.3)
        expected = oracles.loss(seen, x[n], y[n], 3)
        assert found[n] == pytest.approx(expected, abs=tolerance("loss", name))


def test_sparse_trains_them_by_default():
    plan = Plan.simple(Budget(1, 390), weight_map=mapped_job().plan.weight_map)
    assert engines.choose("auto", plan) == ("sparse", {})
