"""Preflight: check before training that a method fulfils its contract, on a few rows.

The method acts at all its events on a pack of ``ROWS`` networks of each width, then on
some of them in another order. Nothing trains in between, so the check costs about the
decisions for ten networks: well under a second for most methods.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from spiral.errors import MethodError
from spiral.experiment import contract, narrow, prepare, training
from spiral.model import masks
from spiral.protocol import budgets
from spiral.protocol.job import TrainJob, TrainState

ROWS = 4
FEW = 4
"""Up to this many epochs, acting only in the first is plausible."""
APART = [2, 0]
"""Rows of the pack on which the method acts again without the others."""


def check(configs: pd.DataFrame) -> None:
    """Run a method without training and raise any breach of its contract.

    Args:
        configs: Resolved configs of one method, with their ``config_id``.

    Raises:
        MethodError: The method raises, returns a wrong shape or type, modifies its
            view, keeps a number of weights other than requested, produces NaN, or
            decides on a network by the others of its pack. The message names the row.
    """
    for _, some in configs.groupby(["task", "width"]):
        _check(_different(some))


def hints(configs: pd.DataFrame) -> list[str]:
    """Return warnings about probable mistakes that breach no contract.

    If all events lie within the first of many epochs, one of them after the start, the
    author has probably given an epoch instead of a step, e.g. 25 for half of 50 epochs.

    Args:
        configs: Resolved configs of one method.
    """
    found = []
    lengths = ["task", "epochs", "batch"]
    for _, some in configs[configs["epochs"] > FEW].groupby(lengths):
        shared = some.iloc[0]
        try:
            _, plan = prepare.planned(shared)
        except MethodError:
            return []  # training raises it with its context
        events = (plan.whole or plan).events
        epochs, per_epoch = int(shared["epochs"]), budgets.steps_per_epoch(shared)
        if events and 0 < events[-1] < per_epoch:
            found.append(
                f"{shared['method']}: the last event is step {events[-1]}, in the "
                f"first of {epochs} epochs. Events are steps, not epochs (an epoch has "
                f"{per_epoch} steps); half of the training is budget.at(0.5)"
            )
    return found


def _different(configs: pd.DataFrame) -> pd.DataFrame:
    """Return a few configs of one width with distinct seeds and, if possible, keeps."""
    keeps = configs["keep"].unique()[:ROWS]
    found: list[pd.DataFrame] = []
    rest = configs
    while len(found) < ROWS and len(rest):
        wanted = rest[rest["keep"].isin([keeps[len(found) % len(keeps)]])]
        found.append((wanted if len(wanted) else rest).head(1))
        rest = rest[rest["seed"] != found[-1]["seed"].iloc[0]]
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
                f"{name}: {where} gets a different mask ({wrong} entries) "
                + _cause(bool((again.masks == together.masks).all()))
            )


def _cause(repeatable: bool) -> str:
    """Return why a mask differs, and what to do."""
    if repeatable:
        return (
            "when the other networks of the pack change: expected each network to be "
            "decided on its own. Axis 0 of every array is the networks; sort, sum and "
            "select along axis 1"
        )
    return (
        "on every call: expected equal masks for equal configs. Draw random numbers "
        "from view.stream(n, 'a name'), the stream of network n"
    )


def _decide(configs: pd.DataFrame) -> TrainState:
    """Return the state of each config after all events, without training.

    Raises:
        MethodError: The method breaches its contract.
    """
    method, plan = prepare.planned(configs.iloc[0])
    job = prepare.make_job(configs, plan)
    watch = _Watch(configs)
    try:
        state = training.train(watch, method, job, configs)
    except MethodError as error:
        raise narrow.narrowed(error, configs, _Watch) from error
    watch.compare()
    return state.take(np.arange(0, len(job.initial), plan.siblings))


def _faults(configs: pd.DataFrame, state: TrainState) -> Iterator[str]:
    """Yield a message for every faulty network."""
    shared = configs.iloc[0]
    _, plan = prepare.planned(shared)
    kept = masks.of_weights(state.masks, int(shared["width"])).sum(axis=1)
    for n, config in configs.iterrows():
        where = contract.row(config)
        if plan.exact and pd.notna(config["keep"]) and kept[n] != config["keep"]:
            yield (
                f"expected exactly {config['keep']} weights in {where}, got {kept[n]}; "
                "use masks.keep_top(scores, view.keep), or declare Plan(exact=False)"
            )
        bad = int((~np.isfinite(state.params[n])).sum())
        if bad:
            yield f"expected finite parameters in {where}, got {bad} NaN or infinite"


@dataclass
class _Watch:
    """A trainer that trains nothing and detects views that were modified in place."""

    configs: pd.DataFrame
    views: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Move to the next event."""
        self.compare()
        state = replace(
            state, step=stop, params=state.params.copy(), masks=state.masks.copy()
        )
        seen = {"params": state.params, "masks": state.masks, "initial": job.initial}
        self.views = [(name, array, array.copy()) for name, array in seen.items()]
        return state

    def compare(self) -> None:
        """Raise MethodError if the method modified an array of its last view."""
        for name, array, before in self.views:
            both_nan = np.isnan(array) & np.isnan(before)
            changed = ((array != before) & ~both_nan).any(axis=1)
            if changed.any():
                config = self.configs.iloc[int(changed.argmax())]
                raise MethodError(
                    f"{config['method']}: expected act to leave view.{name} unchanged, "
                    f"got it modified in place for {contract.row(config)}; copy the "
                    "array and return a Change"
                )
