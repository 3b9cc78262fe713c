"""Before all training: whether a method keeps its contract on a few rows.

The method acts at all its events on a pack of ``ROWS`` networks of each width, and on
some of them in another order. Nothing trains in between, so this takes as long as the
decisions of some ten networks: well under a second for most methods.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from spiral import contract, experiment
from spiral.errors import MethodError
from spiral.model import masks
from spiral.protocol.job import TrainJob, TrainState
from spiral.tasks import cubist

ROWS = 4
FEW = 4
"""Epochs up to which acting in the first alone is nothing odd."""
APART = [2, 0]
"""Rows of the pack that act once more without the others."""


def check(configs: pd.DataFrame) -> None:
    """Let a method act, and raise what is wrong.

    Args:
        configs: Resolved configs of one method, with their ``config_id``.

    Raises:
        MethodError: The method raises, answers in the wrong shape or type, changes what
            it sees, keeps another number of weights than asked for, makes NaN, or
            decides on a network by what the others of its pack are. The row is named.
    """
    for _, some in configs.groupby("width"):
        _check(_different(some))


def hints(configs: pd.DataFrame) -> list[str]:
    """Return what breaks no contract and is hardly meant, in sentences.

    A method whose events all lie within the first of many epochs, one of them after the
    start, has likely named an epoch where a step is meant: 25 of 50 epochs is step 25.

    Args:
        configs: Resolved configs of one method.
    """
    found = []
    for _, some in configs[configs["epochs"] > FEW].groupby(["epochs", "batch"]):
        shared = some.iloc[0]
        try:
            plan = experiment.plan_of(experiment.build_method(shared), shared)
        except MethodError:
            return []  # training will say what is wrong
        events = (plan.whole or plan).events
        epochs, per_epoch = int(shared["epochs"]), cubist.POINTS // int(shared["batch"])
        if events and 0 < events[-1] < per_epoch:
            found.append(
                f"{shared['method']} acts for the last time at step {events[-1]}, in "
                f"the first of {epochs} epochs: an epoch has {per_epoch} steps, and "
                "events are steps. In the middle of training is budget.at(0.5)"
            )
    return found


def _different(configs: pd.DataFrame) -> pd.DataFrame:
    """Return some configs of one width that differ in seed, and in keep if they can."""
    keeps = configs["keep"].unique()[:ROWS]
    seeds = configs["seed"].unique()[:ROWS]
    found = []
    for n, seed in enumerate(seeds):
        own = configs[configs["seed"] == seed]
        wanted = own[own["keep"].isin([keeps[n % len(keeps)]])]
        found.append((wanted if len(wanted) else own).head(1))
    return pd.concat(found, ignore_index=True)


def _check(configs: pd.DataFrame) -> None:
    """Check one width."""
    name = configs["method"].iloc[0]
    together = _decide(configs)
    for text in _faults(configs, together):
        raise MethodError(f"{name}: {text}")
    order = [n for n in APART if n < len(configs)]
    apart = _decide(configs.iloc[order].reset_index(drop=True))
    for place, n in enumerate(order):
        wrong = int((apart.masks[place] != together.masks[n]).sum())
        if wrong:
            again = _decide(configs)
            where = contract.row(configs.iloc[n])
            raise MethodError(
                f"{name}: {where} gets another mask ({wrong} entries) "
                + _cause(bool((again.masks == together.masks).all()))
            )


def _cause(repeatable: bool) -> str:
    """Return why a mask differs, and what to do."""
    if repeatable:
        return (
            "when other networks stand beside it in the pack: expected each network to "
            "be decided on by itself. Axis 0 of every array is the networks; rank, sum "
            "and cut along axis 1"
        )
    return (
        "at every call: expected equal masks for equal configs. Draw from "
        "view.stream(n, 'a name'), the random stream of network n"
    )


def _decide(configs: pd.DataFrame) -> TrainState:
    """Return what a method makes of a pack that does not train, a state of each config.

    Raises:
        MethodError: It breaks its contract on the way.
    """
    shared = configs.iloc[0]
    method = experiment.build_method(shared)
    plan = experiment.plan_of(method, shared)
    job = experiment.make_job(configs, plan)
    watch = _Watch(configs)
    try:
        state = experiment.train(watch, method, job, configs)
    except MethodError as error:
        raise experiment.narrowed(error, configs, _Watch) from error
    watch.compare()
    return state.take(np.arange(0, len(job.initial), plan.siblings))


def _faults(configs: pd.DataFrame, state: TrainState) -> Iterator[str]:
    """Yield what is wrong with networks, each in words."""
    shared = configs.iloc[0]
    plan = experiment.plan_of(experiment.build_method(shared), shared)
    kept = masks.of_weights(state.masks, int(shared["width"])).sum(axis=1)
    for n, config in configs.iterrows():
        where = contract.row(config)
        if plan.exact and pd.notna(config["keep"]) and kept[n] != config["keep"]:
            yield (
                f"{where} keeps {kept[n]} weights, expected exactly {config['keep']}: "
                "masks.keep_top(scores, view.keep) does (or say Plan(exact=False))"
            )
        bad = int((~np.isfinite(state.params[n])).sum())
        if bad:
            yield f"{where} gets {bad} parameters that are NaN or infinite"


@dataclass
class _Watch:
    """Trains nothing; notes what a method could change in place."""

    configs: pd.DataFrame
    shown: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Move to the next event."""
        self.compare()
        state = replace(
            state, step=stop, params=state.params.copy(), masks=state.masks.copy()
        )
        seen = {"params": state.params, "masks": state.masks, "initial": job.initial}
        self.shown = [(name, array, array.copy()) for name, array in seen.items()]
        return state

    def compare(self) -> None:
        """Raise MethodError if what was shown last is no longer what it was."""
        for name, array, before in self.shown:
            both_nan = np.isnan(array) & np.isnan(before)
            changed = ((array != before) & ~both_nan).any(axis=1)
            if changed.any():
                config = self.configs.iloc[int(changed.argmax())]
                raise MethodError(
                    f"{config['method']}: act has changed view.{name} of "
                    f"{contract.row(config)} in place: expected it untouched; copy it, "
                    "and answer with a Change"
                )
