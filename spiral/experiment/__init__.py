"""Train one pack: configs in, rows out. Engines and methods meet only here."""

import time

import pandas as pd
import pyarrow as pa

from spiral import engines
from spiral.engines.paced import OnProgress, Paced
from spiral.errors import MethodError
from spiral.experiment import narrow, prepare, result_columns, training
from spiral.methods import registry
from spiral.results import columns


def run(configs: pd.DataFrame, on_progress: OnProgress | None = None) -> pa.Table:
    """Train one pack.

    Args:
        configs: Resolved configs that share method, width and plan (``sweep.packs``
            makes such packs), with their ``config_id``.
        on_progress: Called about once a second with the share of training done.

    Returns:
        One row per config, in the same order, with the columns of ``columns.schema()``.

    Raises:
        UnsupportedJob: No engine supports the plan.
        MethodError: The method breached its contract.
    """
    began = time.perf_counter()
    shared = configs.iloc[0]
    method, plan = prepare.planned(shared)
    engine = engines.build(prepare.engine_of(shared, plan))
    job = prepare.make_job(configs, plan)
    paced = engine if on_progress is None else Paced(engine, job.networks, on_progress)
    try:
        state = training.train(paced, method, job, configs)
    except MethodError as error:
        raise narrow.narrowed(error, configs, lambda part: engine) from error
    results = result_columns.of_pack(
        job, state, engine.evaluate(job, state), configs["keep"]
    )
    seconds = (time.perf_counter() - began) / len(configs)
    constants = {"engine_used": engine.name, "steps": plan.steps, "seconds": seconds}
    results |= {key: [value] * len(configs) for key, value in constants.items()}
    return columns.assemble(configs, results, registry.options())
