"""Forward masks in engine ``sparse``, beside the laws in ``tests/engines``."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from spiral import engines
from spiral.engines import sparse
from spiral.engines.sparse import forward
from spiral.model import groups
from spiral.model.groups import Scope
from spiral.protocol.job import ForwardMask, Sgd, TrainState
from spiral.protocol.plan import Controls
from tests import mostly_slow
from tests.engines import begin, furthest, make_job
from tests.tolerances import tolerance

IDS = range(1, 8)
HALVES = {"inputs": Scope("inputs", 2), "merged": Scope("inputs", 2, 2)}
SCOPES = {name: Scope(name) for name in ("global", "layer", "unit")} | HALVES


def job_of(scope="global", ids=IDS, width=6, rest=0.0, mapped=None, **fields):
    job = make_job(list(ids), width=width, **fields)
    rests = np.full(job.plan.steps, rest, float)
    here = ForwardMask({0: SCOPES[scope]}, rests, **(mapped or {}))
    return replace(job, plan=replace(job.plan, weight_map=here))


def start(job) -> TrainState:
    """Return a state in which about half of each group is active."""
    scope = job.plan.weight_map.scopes[0]
    whole = np.ones(job.initial.shape, bool)
    sizes = groups.survivors(whole, job.width, scope)
    return replace(begin(job), active_counts=(sizes + 1) // 2)


def run(engine, job, stop=60) -> TrainState:
    return engine.advance(job, start(job), stop)


@pytest.fixture(params=["sparse", "sparse-plain"])
def engine(request):
    return engines.build(request.param)


@functools.cache
def by_reference(scope, batch):
    return run(engines.build("reference"), job_of(scope, IDS[:2], batch=batch))


CASES = [(scope, batch) for scope in SCOPES for batch in (50, 128, 300)]
QUICK = [("global", 50), ("layer", 300), *((scope, 128) for scope in SCOPES)]


@pytest.mark.parametrize("case", mostly_slow(CASES, QUICK), ids=str)
def test_it_agrees_with_reference(engine, case):
    found = run(engine, job_of(case[0], IDS[:2], batch=case[1]))
    expected = by_reference(*case)
    assert furthest(found.params, expected.params) <= tolerance("steps_100")
    assert furthest(found.momentum, expected.momentum) <= tolerance("steps_100")


@pytest.mark.parametrize("rest", [0.0, 0.3])
@pytest.mark.parametrize("rule", [{"gradient": "chain"}, {"pull": 0.3}])
@pytest.mark.parametrize("interval", [1, 7])
def test_hidden_weights_train_as_in_reference(engine, rest, rule, interval):
    mapped = {"interval": interval, **rule}
    job = job_of(ids=IDS[:2], rest=rest, mapped=mapped, batch=200)
    found, expected = (run(e, job, 40) for e in (engine, engines.build("reference")))
    assert furthest(found.params, expected.params) <= tolerance("steps_100")


def test_nesterov_momentum(engine):
    job = job_of(ids=IDS[:2])
    job = replace(job, plan=job.plan.under(Controls(Sgd(nesterov=True))))
    found, expected = (run(e, job, 40) for e in (engine, engines.build("reference")))
    assert furthest(found.params, expected.params) <= tolerance("steps_100")
    assert furthest(found.params, run(engine, job_of(ids=IDS[:2]), 40).params) > 0.01


@pytest.mark.parametrize("width", [1, 2, 17])
def test_other_widths(engine, width):
    job = job_of(ids=IDS[:2], width=width)
    found, expected = (run(e, job, 20) for e in (engine, engines.build("reference")))
    assert furthest(found.params, expected.params) <= tolerance("steps_20")


def test_d_may_fall_to_zero_on_the_way(engine):
    job = job_of(ids=IDS[:2])
    rest = np.concatenate([np.ones(5), np.linspace(1, 0, 20), np.zeros(755)])
    here = replace(job.plan.weight_map, rest=rest)
    job = replace(job, plan=replace(job.plan, weight_map=here))
    found, expected = (run(e, job, 40) for e in (engine, engines.build("reference")))
    assert furthest(found.params, expected.params) <= tolerance("steps_100")
    half_way = engine.advance(job, start(job), 15)
    assert np.array_equal(engine.advance(job, half_way, 40).params, found.params)


def test_stretches_end_where_the_map_changes():
    rest = np.array([1, 1, 0.5, 0, 0, 1, 1.0])
    here = ForwardMask({0: Scope("global"), 4: Scope("layer")}, rest)
    found = list(forward.stretches(here, 0, 7))
    assert found == [(2, False), (4, True), (5, True), (7, False)]
    assert list(forward.stretches(here, 3, 4)) == [(4, True)]


@pytest.mark.parametrize("batch", [37, 128, 200])
def test_a_network_has_the_same_bits_in_every_pack(batch):
    """Alone, reordered, on two threads."""
    mapped = {"interval": 3}
    whole = run(sparse.SparseEngine(2), job_of(batch=batch, mapped=mapped))
    for some in ([4], [7, 4, 1], list(reversed(IDS))):
        part = run(sparse.SparseEngine(1), job_of(ids=some, batch=batch, mapped=mapped))
        for row, n in enumerate(some):
            assert part.params[row].tobytes() == whole.params[n - 1].tobytes()
            assert part.momentum[row].tobytes() == whole.momentum[n - 1].tobytes()
            assert part.active[row].tolist() == whole.active[n - 1].tolist()


@pytest.mark.parametrize("interval", [1, 3])
def test_networks_that_hide_nothing_are_plain_beside_others(engine, interval):
    job = job_of(mapped={"interval": interval})
    state = start(job)
    state.active_counts[2] = 2 * 6 * 6 + 3 * 6
    found = engine.advance(job, state, 30)
    plain = make_job(list(IDS), width=6)
    expected = engine.advance(plain, begin(plain), 30)
    assert found.params[2].tobytes() == expected.params[2].tobytes()
    assert not np.array_equal(found.params[1], expected.params[1])
    assert found.active is None or found.active[2].all()


def test_a_diverged_network_leaves_the_others_alone(engine):
    lr = np.full(len(IDS), 0.1)
    calm = run(engine, job_of(lr=lr.copy()))
    lr[3] = 1e6
    with np.errstate(all="ignore"):
        wild = run(engine, job_of(lr=lr))
    assert np.isnan(wild.params[3]).any()
    others = [0, 1, 2, 4, 5, 6]
    assert wild.params[others].tobytes() == calm.params[others].tobytes()
