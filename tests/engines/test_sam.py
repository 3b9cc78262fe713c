"""Sharpness-aware minimisation in the engines that know it."""

from dataclasses import replace

import numpy as np
import pytest

from spiral import engines
from spiral.protocol.job import Sam, Sgd
from tests import oracles
from tests.engines import advance, furthest, make_job, on_devices, some_masks
from tests.tolerances import tolerance

IDS = (1, 2, 3)


def job_of(radius, **fields):
    job = make_job(IDS, **fields)
    optimiser = Sam(radius) if radius else Sgd()
    return replace(job, plan=replace(job.plan, optimiser=optimiser))


def by_hand(job, kept, steps, radius):
    """Two gradients a step, in float64."""
    ends = []
    for n in range(len(IDS)):
        w = np.where(kept[n], job.initial[n], 0).astype(np.float64)
        speed = np.zeros(len(w))
        for step in range(steps):
            x, y = (a[n] for a in job.batch_at(step))
            first = np.where(kept[n], oracles.gradient(w, x, y, 3), 0)
            there = w + radius * first / np.linalg.norm(first)
            slope = oracles.gradient(there, x, y, 3) + 5e-4 * w
            speed = 0.9 * speed + np.where(kept[n], slope, 0)
            w = w - 0.1 * speed
        ends.append(w)
    return np.array(ends)


@pytest.mark.parametrize("name", on_devices("vmap", "reference"))
@pytest.mark.parametrize("radius", [0.05, 0.6])
def test_it_goes_by_the_gradient_uphill(name, radius):
    job, kept = job_of(radius), some_masks(IDS)
    found = advance(name, job, 20, kept)
    expected = by_hand(job, kept, 20, radius)
    assert furthest(found.params, expected) <= 10 * tolerance("steps_20", name)
    plain = advance(name, job_of(0), 20, kept)
    assert furthest(found.params, plain.params) > 1000 * tolerance("steps_20", name)
    assert not found.params[~kept].any()


def test_engine_sparse_declines():
    plan = job_of(0.1).plan
    assert "optimiser 'sam'" in str(engines.unsupported("sparse", plan))
    assert engines.choose("auto", plan)[0] == "vmap"
