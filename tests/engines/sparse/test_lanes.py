"""Vectors of 64 and of 128 points give the same bits; which one suits a CPU."""

from dataclasses import fields, replace

import numpy as np
import pytest

from spiral.engines.sparse import SparseEngine
from spiral.model.groups import Scope
from spiral.protocol.job import ForwardMask, Sgd
from spiral.protocol.plan import Controls
from tests.engines import begin, make_job, some_masks

CONTROLS = [Controls(), Controls(Sgd(nesterov=True), label_smoothing=0.1)]


def trained(vector, job, state, stop):
    """Return the bytes of all that training and evaluation yield."""
    engine = SparseEngine(vector=vector)
    after = engine.advance(job, state, stop)
    found = engine.evaluate(job, after)
    arrays = [getattr(after, field.name) for field in fields(after)[1:]]
    arrays += [getattr(found, field.name) for field in fields(found)]
    return [array.tobytes() for array in arrays if array is not None]


@pytest.mark.parametrize("batch", [1, 50, 64, 65, 128, 129, 300])
@pytest.mark.parametrize("controls", CONTROLS, ids=["plain", "others"])
def test_both_give_the_same_bits(batch, controls):
    job = make_job([0, 1, 2], width=6, batch=batch)
    job = replace(job, plan=job.plan.under(controls))
    state = begin(job, some_masks([0, 1, 2], 6))
    stop = job.last_epoch + 3  # past the beginning of the last epoch, with its losses
    state = replace(state, step=stop - 20)
    assert trained(64, job, state, stop) == trained(128, job, state, stop)


@pytest.mark.parametrize("batch", [50, 128, 300])
@pytest.mark.parametrize("rest", [0.0, 0.3])
def test_under_a_forward_mask_too(batch, rest):
    job = make_job([0, 1, 2], width=6, batch=batch)
    rests = np.full(job.plan.steps, rest)
    job = replace(
        job,
        plan=replace(job.plan, weight_map=ForwardMask({0: Scope("global")}, rests)),
    )
    state = replace(begin(job), active_counts=np.array([[20], [30], [60]]))
    assert trained(64, job, state, 25) == trained(128, job, state, 25)


def test_a_diverged_network_too():
    job = make_job([0, 1], width=3)
    job = replace(job, lr=np.array([1e6, 0.1]))
    assert trained(64, job, begin(job), 40) == trained(128, job, begin(job), 40)
