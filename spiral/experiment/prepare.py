"""From configs to a job: their method, its plan, the engine and the initial weights."""

from contextlib import suppress

import numpy as np
import pandas as pd

from spiral import engines
from spiral.errors import ConfigError, MethodError, UnsupportedJob
from spiral.experiment import contract, controls
from spiral.methods.entry import Mistake
from spiral.methods.registry import METHODS
from spiral.model import initial
from spiral.protocol import budgets, config
from spiral.protocol.job import Method, Plan, TrainJob
from spiral.tasks import catalogue


def planned(shared: pd.Series) -> tuple[Method, Plan]:
    """Return the method of a pack and its plan, given one of the configs.

    Raises:
        MethodError: The method cannot be built, or returned no valid plan.
    """
    method = build_method(shared)
    return method, plan_of(method, shared)


def build_method(shared: pd.Series) -> Method:
    """Build the method of a pack from the options that the pack shares."""
    entry = METHODS[shared["method"]]
    fields = config.fields(entry.options).values()
    values = {f.name: (f.kind, shared[f.name]) for f in fields if not f.per_network}
    options = {n: None if pd.isna(v) else kind(v) for n, (kind, v) in values.items()}
    with contract.blamed(entry.build, "building", shared.to_frame().T):
        return entry.build(**options)


def plan_of(method: Method, shared: pd.Series) -> Plan:
    """Return a method's plan, validated, under the config's controls.

    It is cut at ``stop_epoch``.

    Raises:
        MethodError: The method returned no valid plan.
        ConfigError: It leaves no place for the config's controls.
    """
    plan = own_plan(method, shared)
    if taken := controls.taken(plan, shared):
        raise ConfigError("; ".join(f"{field}: {text}" for field, text, _ in taken))
    plan = plan.under(controls.of(shared))
    stop = shared["stop_epoch"]
    if pd.isna(stop):
        return plan
    return plan.until(int(stop) * budgets.steps_per_epoch(shared))


def own_plan(method: Method, shared: pd.Series) -> Plan:
    """Return a method's plan, validated, as it is without controls.

    Raises:
        MethodError: The method returned no valid plan.
    """
    with contract.blamed(method, "plan", shared.to_frame().T):
        return contract.plan(method.plan(budgets.budget_of(shared)), shared["method"])


def refusals(table: pd.DataFrame) -> list[Mistake]:
    """Return the controls that configs of one method set and cannot set."""
    found = controls.contradictions(table)
    for _, shared in controls.touched(table).iterrows():
        with suppress(MethodError):  # reported when the configs are packed
            found += controls.taken(own_plan(build_method(shared), shared), shared)
    return found


def engine_of(shared: pd.Series, plan: Plan) -> str:
    """Return the name of the engine that trains a config.

    Raises:
        UnsupportedJob: No engine supports the plan; with the reasons.
    """
    name, reasons = engines.choose(shared["engine"], plan)
    if name is None:
        why = "; ".join(f"{engine}: {reason}" for engine, reason in reasons.items())
        raise UnsupportedJob(f"no engine supports method {shared['method']!r}: {why}")
    return name


def make_job(configs: pd.DataFrame, plan: Plan) -> TrainJob:
    """Draw initial weights and build the job, with siblings next to each other."""
    width = int(configs["width"].iloc[0])
    table = configs.loc[configs.index.repeat(plan.siblings)]
    drawn = zip(table["init"], table["init_seed"], strict=True)
    init = [initial.params(source, int(seed), width) for source, seed in drawn]
    return TrainJob(
        width=width,
        plan=plan,
        initial=np.stack(init),
        lr=table["lr"].to_numpy(np.float64),
        schedule=tuple(table["schedule"]),
        momentum=table["momentum"].to_numpy(np.float64),
        weight_decay=table["weight_decay"].to_numpy(np.float64),
        order_seeds=table["order_seed"].to_numpy(np.int64),
        batch=int(configs["batch"].iloc[0]),
        task=catalogue.load(str(configs["task"].iloc[0])),
    )
