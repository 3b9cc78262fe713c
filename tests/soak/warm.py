"""Loaded once by the server that children are forked from, so that they start at once.

Nothing here may start a thread: a child of a forked thread pool can hang.
"""

import shlex  # noqa: F401

import numpy as np

from spiral import cli, engines, experiment  # noqa: F401
from spiral.experiment import prepare, training
from spiral.sweep import launch, local, progress, status  # noqa: F401
from spiral.sweep.grid import grid

CONFIGS = grid.loads("{method: [gmp, random], keep: 12, width: 3, epochs: 1}").configs
for _, group in CONFIGS.groupby("method"):
    shared = group.iloc[0]
    method = prepare.build_method(shared)
    plan = prepare.plan_of(method, shared)
    engine = engines.build(prepare.engine_of(shared, plan))
    job = prepare.make_job(group, plan)
    state = training.train(engine, method, job, group)
    assert np.isfinite(engine.evaluate(job, state).loss).all()
