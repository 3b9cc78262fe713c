"""The result columns of a trained pack: masks, parameters and evaluation in numbers."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Shaped

from spiral.model import masks
from spiral.protocol.job import Evaluation, Reparam, TrainJob, TrainState

Flags = Bool[np.ndarray, " N"]


def of_pack(
    job: TrainJob, state: TrainState, evaluation: Evaluation, keep: pd.Series
) -> dict[str, Any]:
    """Return the result columns that do not depend on the machine.

    Args:
        job: The pack.
        state: Its state after training.
        evaluation: Its networks on all points.
        keep: Weights that each config asks for; null where it asks for none.
    """
    own = slice(None, None, job.plan.siblings)  # the first sibling carries the row
    kept, params = state.masks[own], state.params[own]
    weights = masks.of_weights(kept, job.width)
    effective = masks.on_path(kept, job.width).sum(axis=1)
    layers = masks.layer_counts(kept, job.width)
    loss = evaluation.loss[own]
    finite = np.isfinite(params).all(axis=1) & np.isfinite(loss)
    nnz = weights.sum(axis=1)
    wrong = (keep != nnz).fillna(False).to_numpy(bool) & job.plan.exact
    said = None if state.status is None else state.status[own]
    trained = kept.sum(axis=1) if state.trained is None else state.trained[own]
    explored = np.zeros_like(kept) if state.explored is None else state.explored[own]
    return {
        "status": _status(finite, effective > 0, wrong, said),
        "accuracy": evaluation.correct[own] / job.task.points,
        "task_points": np.full(len(nnz), job.task.points),
        "task_chance": np.full(len(nnz), job.task.chance),
        "loss": loss,
        "entropy": evaluation.entropy[own],
        "running_loss": _running_loss(job, state)[own],
        "nnz": nnz,
        "nnz_params": kept.sum(axis=1),
        "trained_params": trained,
        "effective_nnz": effective,
        "connected": effective > 0,
        "explored": masks.of_weights(explored, job.width).mean(axis=1),
        **{f"nnz_{i + 1}": layers[:, i] for i in range(layers.shape[1])},
        "mask": [masks.to_bits(mask) for mask in kept],
        "weights": [p[m] for p, m in zip(params, kept, strict=True)],
    }


def _status(
    finite: Flags, connected: Flags, wrong: Flags, said: Shaped[np.ndarray, " N"] | None
) -> Shaped[np.ndarray, " N"]:
    """Return the status of each network: the worst of those that apply.

    Args:
        finite: Its parameters and loss are finite.
        connected: It has a path from input to output.
        wrong: It keeps another number of weights than it was asked to.
        said: The status that the method gave it, if any.
    """
    said = np.full(len(finite), "") if said is None else said
    cases = {
        "diverged": ~finite,
        "aborted": said == "aborted",
        "collapsed": ~connected,
        "degenerate": said == "degenerate",
        "infeasible": wrong,
    }
    return np.select([*cases.values()], [*cases], "ok")


def _running_loss(job: TrainJob, state: TrainState) -> np.ndarray:
    """Return the mean batch loss of the last epoch.

    NaN if it has no training step, or if ``stop_epoch`` ended a learned weight map: its
    batches saw θ(w, s), and the row has w.
    """
    if isinstance(job.plan.weight_map, Reparam) and state.adapters is not None:
        return np.full(job.networks, np.nan)
    window = range(job.last_epoch, job.plan.steps)
    trained = len(window) - sum(event in window for event in job.plan.replaced)
    return state.losses_so_far() / trained if trained else np.full(job.networks, np.nan)
