"""Narrow an error of a method down to the first row that raises it.

A method acts on a whole pack at once, so its error does not name a row.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from spiral.errors import MethodError
from spiral.experiment import prepare
from spiral.experiment.training import train
from spiral.protocol.job import Trainer, TrainJob, TrainState


def narrowed(
    error: MethodError,
    configs: pd.DataFrame,
    engine_for: Callable[[pd.DataFrame], Trainer],
) -> MethodError:
    """Narrow an error down to the first row that raises it, by bisection.

    Halves of the pack are trained again up to the failing event, which costs at most
    twice the work of the pack.

    Args:
        error: The error that the pack raised.
        configs: The pack.
        engine_for: Returns a trainer for some of its rows.
    """
    while error.step is not None and len(configs) > 1:
        half = (len(configs) + 1) // 2
        for part in (configs.iloc[:half], configs.iloc[half:]):
            some = part.reset_index(drop=True)
            again = _raised(engine_for(some), some, error.step)
            if again is not None:
                error, configs = again, some
                break
        else:
            return MethodError(
                f"{error}; neither half of these rows raises it again: the method "
                "mixes the rows of a pack, or draws random numbers outside view.stream"
            )
    return error


def _raised(engine: Trainer, configs: pd.DataFrame, step: int) -> MethodError | None:
    """Return the error a method raises on some rows at a step, if any."""
    try:
        method, plan = prepare.planned(configs.iloc[0])
        job = prepare.make_job(configs, plan)
        train(_Until(engine, step), method, job, configs)
    except MethodError as error:
        return error if error.step == step else None
    except Exception:  # report the original error, not a new one
        return None
    return None


@dataclass(frozen=True)
class _Until:
    """A trainer that stops at an event."""

    engine: Trainer
    last: int

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train, or raise StopIteration past the last event."""
        if stop > self.last:
            raise StopIteration
        return self.engine.advance(job, state, stop)
