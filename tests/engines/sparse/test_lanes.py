"""Vectors of 64 and of 128 points give the same bits; which one suits a CPU."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from spiral.engines import cpu
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


ROWS = """
import numpy as np
from spiral.engines import cpu
from spiral.engines.sparse import SparseEngine
from tests.engines import begin, make_job, some_masks
from tests.engines.sparse.test_lanes import trained

job = make_job([0, 1, 2], width=6, batch=200)
found = trained(None, job, begin(job, some_masks([0, 1, 2], 6)), 400)
print(*(array.hex() for array in found))
"""


@pytest.mark.slow
def test_code_for_another_processor_gives_the_same_bits(tmp_path):
    """On whatever runs this, code for AVX2 and for this processor give equal rows."""
    outputs = []
    for features in (None, "+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2"):
        env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / str(len(outputs)))}
        if features:
            if cpu.instructions() not in {"AVX2", "AVX-512"}:
                pytest.skip("needs a processor with AVX2")
            env |= {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": features}
        run = [sys.executable, "-c", ROWS]
        done = subprocess.run(run, env=env, capture_output=True, text=True, check=True)
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 1000
