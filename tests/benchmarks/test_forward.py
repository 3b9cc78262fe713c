"""Forward masks in engine ``sparse``, against engine ``vmap``."""

from dataclasses import replace

import numpy as np
import pytest

from spiral import engines
from spiral.experiment import prepare
from spiral.protocol.job import TrainState
from tests.benchmarks.measure import at_most, seconds
from tests.methods import table

BARS = {"ste": 0.2, "dpf": 0.2, "iht": 0.2, "mdgf_linear": 0.5, "sr_ste": 0.2}
"""Method → processor time of a network, as a share of that in engine vmap, at most."""

STEPS = 390


@pytest.mark.benchmark
@pytest.mark.parametrize("name", BARS)
def test_the_kernel_is_worth_having(name):
    """32 networks of width 16 with 44 weights, from the first mask on."""
    configs = table(name, 32, width=16, keep=44, epochs=50)
    _, plan = prepare.planned(configs.iloc[0])
    job = prepare.make_job(configs, plan)
    step = int(np.flatnonzero(plan.weight_map.rest < 1)[0])
    counts = np.full((32, 1), 44)
    state = replace(TrainState.fresh(job), step=step, active_counts=counts)

    def taken(engine: str) -> float:
        trainer = engines.build(engine)
        trainer.advance(job, state, step + 2)  # compiles, traces
        return seconds(lambda: trainer.advance(job, state, step + STEPS))

    at_most(BARS[name], f"{name}: sparse", taken("sparse"), taken("vmap"))
