"""``grasp``: keep the weights that preserve the flow of gradients."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.reinit import Reinit, initial
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class GraspOptions(Options):
    """Options of ``grasp``."""

    fidelity: Fidelity = fidelity(selection="strict", reinit="xavier")
    selection: Literal["rank", "strict"] = Field(
        "rank",
        description="keep exactly `keep` weights, or those above the first removed",
    )
    reinit: Reinit = Field("none", description="initial law of the weights")
    per_class: int = Field(
        25,
        ge=1,
        le=1000,
        description="points of each class in the scoring batch",
        json_schema_extra=unit("points")
        | origin("code of Zhang & Papyan; the authors' is 10 for CIFAR-10"),
    )
    temperature: float = Field(
        200.0,
        gt=0,
        description="divisor of the logit in scoring",
        json_schema_extra=unit("-") | origin("authors' code"),
    )
    allocation: Allocation = allocation_option("Wang et al. 2020")


@dataclass(frozen=True)
class Grasp:
    """GraSP (Wang, Zhang & Grosse, ICLR 2020, arXiv:2002.07376).

    The score of a weight is -w · (Hg), with gradient g and Hessian H in the weights
    (not the biases) of the loss on as many points of either class; those of the highest
    scores are removed.

    Departures: the temperature divides the one logit; 25 points per class, as in the
    study of Zhang & Papyan (10 in the authors' code for ten classes); the scored
    weights are those that train. ``strict`` is what the code of Zhang & Papyan does: it
    removes all ties of the last removed, such as every weight of score 0.
    """

    selection: Literal["rank", "strict"]
    reinit: Reinit
    per_class: int
    temperature: float
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0, exact=self.selection == "rank")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Score once and remove the highest."""
        from spiral.model import gradients

        params = initial(view, self.reinit)
        batch, heat = balanced(view, self.per_class), self.temperature
        slope = gradients.gradient(params, batch, view.width, heat)
        slope[:, ~mlp.is_weight(view.width)] = 0
        bend = gradients.hessian_times(params, slope, batch, view.width, heat)
        flow = masks.of_weights(params * bend, view.width)  # minus the score
        keep = view.keep
        if self.selection == "strict":
            keep = first_removed(keep, mlp.weight_count(view.width))
        best = choose(flow, keep, self.allocation, self.selection, view.width)
        kept = masks.with_biases(best, view.width)
        status = np.where(_by_index(flow, view.keep), "degenerate", "")
        return Change(masks=kept, params=params, status=status), None


def balanced(view: View, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first points of either class among the training batches."""
    points, labels = view.batch(0)
    step = 1
    while np.minimum(labels.sum(1), (1 - labels).sum(1)).min() < per_class:
        more = view.batch(step)
        points, labels = (
            np.concatenate(pair, axis=1)
            for pair in zip((points, labels), more, strict=True)
        )
        step += 1
    order = np.argsort(labels, axis=1, kind="stable")
    zeros = (labels == 0).sum(axis=1, keepdims=True)
    places = np.arange(per_class)
    columns = np.broadcast_to(places, (len(labels), per_class))
    chosen = np.take_along_axis(
        order, np.concatenate([columns, zeros + places], axis=1), axis=1
    )
    return (
        np.take_along_axis(points, chosen[:, :, None], axis=1),
        np.take_along_axis(labels, chosen, axis=1),
    )


def first_removed(keep: np.ndarray, total: int) -> np.ndarray:
    """Return the rank of the best weight that is removed, rounded as they do."""
    ratio = 1 - (1 - keep / total)  # at times less than keep / total
    removed = np.floor(total * (1 - ratio)).astype(np.int64)
    return total - removed + 1


def _by_index(flow: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return whether the index alone decides which weights of score zero stay."""
    above, silent = (flow > 0).sum(axis=1), (flow == 0).sum(axis=1)
    return (above < keep) & (keep < above + silent)


ENTRY = Entry(
    build=Grasp,
    summary="lowest -w·Hg at initialisation: preserves the flow of gradients",
    citation="Wang et al., ICLR 2020, arXiv:2002.07376",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="-w·Hg",
        data="points of either class",
        second_phase="train",
    ),
    options=GraspOptions,
    gradients=lambda table: np.full(len(table), 3.0),
    colour="#E69F00",
    marker="h",
)
