"""Masks of the forward pass alone: the ``ste`` family, which never stops asking."""

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from pydantic import Field

from spiral import cubist, groups, masks, mlp
from spiral.config import Options
from spiral.groups import Scope
from spiral.job import Budget, Change, ForwardMask, Plan, View
from spiral.methods import nm
from spiral.methods.entry import CostProfile, Mistake

Kind = Literal["global", "layer", "nm"]
Gradient = Literal["ste", "chain"]
Decay = Literal["none", "linear", "exponential"]
Ramp = Literal["none", "stepwise", "geometric"]

MOST_FRAMES = 10
"""Frames of a stepwise ramp, however many weights there are (A2.5)."""

FADED = 1000
"""An exponential decay of its own length ends at 1/FADED (A2.4)."""


class FlowOptions(Options):
    """What all methods of the family have in common."""

    scope: Kind = Field(
        "global",
        description="rank over all layers, in each layer for itself, or N:M along "
        "inputs",
    )
    nm_keep: int = Field(2, ge=1, description="N of N:M: weights kept of each group")
    nm_group: int = Field(4, ge=2, description="M of N:M: weights of a group")
    gradient: Gradient = Field(
        "ste",
        description="of hidden weights: as if they were shown (ste), or of what they "
        "contribute (chain)",
    )
    begin: float = Field(
        0.0, ge=0, lt=1, description="fraction of training that is dense"
    )


@dataclass(frozen=True)
class Flow:
    """A network that shows its largest weights and trains them all.

    At every step the ``keep`` weights of largest absolute value make the mask m, and
    the network runs on w·(m + (1 - m)·D). The gradient with respect to that is given to
    w itself (``ste``) or multiplied with the factor (``chain``). After training the
    hidden weights become zero, once.

    Stages (A2.4): dense until ``begin``; then D falls and the mask tightens; from
    ``end`` on D is 0. Masks are chosen anew until training ends.

    Assumptions: ``scope: global`` ranks over all layers (A2.3; the authors' codes rank
    in a layer or in groups). ``layer`` shares ``keep`` in proportion to the layers'
    sizes, at least one weight each. N:M groups lie within a unit's inputs; layers that
    M does not divide stay dense. ``chain`` is what the papers describe, ``ste`` what
    their codes do (A2.1). Hardening is the only time that stored weights are masked
    (A2.6); the L2 penalty acts on all of them (A2.7). Biases are shown throughout and
    masked by the rule of Zhang & Papyan in the end.

    A stepwise ramp (A2.5) shows W - keep, then W/2, W/4 … and at last ``keep`` weights;
    with N:M, (M - 1):M, M/2:M … N:M. A geometric ramp keeps the density and shrinks the
    groups: 8N:8M, 4N:4M, 2N:2M, N:M, as far as a unit's inputs reach; else all layers,
    a layer, a unit, each group with as many weights as it shows at that moment.
    """

    scope: Kind
    nm_keep: int
    nm_group: int
    gradient: Gradient
    begin: float
    end: float = 1.0
    decay: Decay = "none"
    beta: float | None = None
    ramp: Ramp = "none"
    frames: int | None = None
    pull: float = 0.0

    def plan(self, budget: Budget) -> Plan:
        """One event at the beginning of each frame, one to harden."""
        first, last = self.span(budget)
        scopes = self.scopes()
        # as the authors' frames, these begin with an epoch where there are enough
        enough = last - first >= len(scopes) * budget.steps_per_epoch
        unit = budget.steps_per_epoch if enough else 1
        frame = (last - first) / len(scopes) / unit
        starts = [first + int(i * frame) * unit for i in range(len(scopes))]
        shown = ForwardMask(
            scopes=dict(zip(starts, scopes, strict=True)),
            rest=self.rest(budget),
            gradient=self.gradient,
            pull=self.pull,
        )
        return Plan.simple(budget, *starts, budget.steps, weight_map=shown)

    def span(self, budget: Budget) -> tuple[int, int]:
        """Return the steps between which weights are hidden by and by."""
        return budget.at(self.begin), budget.at(self.end)

    def rest(self, budget: Budget) -> Float[np.ndarray, " T"]:
        """Return D of every step: 1 before the first event."""
        first, last = self.span(budget)
        passed = np.arange(budget.steps) - first
        if self.decay == "linear":
            beta = 1 / (last - first) if self.beta is None else self.beta
            left = np.maximum(0.0, 1 - beta * passed)
        elif self.decay == "exponential":
            beta = log(FADED) / (last - first) if self.beta is None else self.beta
            left = np.exp(-beta * np.maximum(passed, 0))
        else:
            left = np.zeros(budget.steps)
        return np.where(passed < 0, 1.0, np.where(passed < last - first, left, 0.0))

    def scopes(self) -> list[Scope]:
        """Return who competes in each frame."""
        if self.scope == "nm":
            merged = (8, 4, 2, 1) if self.ramp == "geometric" else (1,) * self._count()
            return [Scope("inputs", self.nm_group, times) for times in merged]
        if self.ramp == "geometric":
            shrinking = [Scope("global"), Scope("layer"), Scope("unit")]
            return shrinking[self.scope == "layer" :]
        return [Scope(self.scope)] * self._count()

    def _count(self) -> int:
        """Return the number of frames, of equal groups."""
        return self.frames or 1 if self.ramp == "stepwise" else 1

    def start(self, view: View) -> tuple[int, np.ndarray]:
        """Remember how many frames have begun, and what the last one shows."""
        return 0, np.zeros((len(view.keep), 0), np.int64)

    def act(
        self, view: View, state: tuple[int, np.ndarray]
    ) -> tuple[Change, tuple[int, np.ndarray]]:
        """Begin a frame, or harden."""
        frame, before = state
        scopes = self.scopes()
        if frame == len(scopes):
            kept = groups.top(view.params, before, view.width, scopes[-1])
            hard = masks.with_biases(masks.of_weights(kept, view.width), view.width)
            return Change(masks=hard), state
        if self.ramp == "geometric" and frame and self.scope != "nm":
            kept = groups.top(view.params, before, view.width, scopes[frame - 1])
            shown = groups.survivors(kept, view.width, scopes[frame])
        else:
            shown = self._shown(view, frame, scopes[frame])
        return Change(active_counts=shown), (frame + 1, shown)

    def _shown(self, view: View, frame: int, scope: Scope) -> Int[np.ndarray, "N G"]:
        """Return how many weights each group shows in a frame."""
        last = frame == self._count() - 1 or self.ramp != "stepwise"
        if self.scope == "nm":
            each = self.nm_group - 1 if frame == 0 else self.nm_group >> frame
            each = self.nm_keep if last else max(self.nm_keep, each)
            return np.tile(pattern(view.width, scope, each), (len(view.keep), 1))
        total = mlp.weight_count(view.width)
        left = total - view.keep if frame == 0 else total >> frame
        counts = view.keep if last else np.maximum(view.keep, left)
        if self.scope == "global":
            return counts[:, None]
        return shares(counts, view.width)


def pattern(width: int, scope: Scope, shown: int) -> Int[np.ndarray, " G"]:
    """Return what each group shows: ``shown`` in M; layers without groups, all."""
    found = []
    for part, layer in zip(groups.parts(width, scope), mlp.layers(width), strict=True):
        takes_part = layer.inputs % scope.size == 0
        each = part.size * shown // scope.size if takes_part else part.size
        found += [each] * (part.groups.stop - part.groups.start)
    return np.array(found)


def shares(keep: Int[np.ndarray, " N"], width: int) -> Int[np.ndarray, "N L"]:
    """Share weights among layers by size, at least one each where there are enough."""
    sizes = [layer.inputs * layer.outputs for layer in mlp.layers(width)]
    found = masks.allocate(keep, sizes).astype(np.int64)
    for layer in range(len(sizes)):
        poor = np.flatnonzero((found[:, layer] == 0) & (keep >= len(sizes)))
        found[poor, found[poor].argmax(axis=1)] -= 1
        found[poor, layer] = 1
    return found


def check(table: pd.DataFrame) -> list[Mistake]:
    """Stages must follow each other, and patterns meet the number of weights."""
    return [*_check_stages(table), *_check_patterns(table)]


def _check_stages(table: pd.DataFrame) -> list[Mistake]:
    found = []
    columns = ["begin", "end", "epochs", "batch"]
    rows = table[columns].fillna({"end": 1.0}).drop_duplicates()
    for begin, end, epochs, batch in rows.itertuples(index=False):
        budget = Budget(int(epochs), cubist.POINTS // int(batch))
        steps = budget.at(end) - budget.at(begin)
        if steps < MOST_FRAMES:
            text = f"{end:g} leaves {steps} steps after `begin`, {begin:g}; it takes "
            found.append(Mistake("end", text + f"{MOST_FRAMES} at least", end))
    return found


def _check_patterns(table: pd.DataFrame) -> list[Mistake]:
    found = []
    columns = ["width", "keep", "nm_keep", "nm_group"]
    rows = table[table["scope"] == "nm"][columns].drop_duplicates()
    for width, keep, some, group in rows.itertuples(index=False):
        right = nm.count(width, some, group)
        if some > group:
            found.append(Mistake("nm_keep", f"{some} of {group} is too many", some))
        elif keep != right:
            text = f"{some}:{group} keeps {right} weights of width {width}, not {keep}"
            found.append(Mistake("keep", text, keep))
    return found


def cost_profile(table: pd.DataFrame, weights: int, twins: np.ndarray) -> CostProfile:
    """A dense stage that twins share, then all weights still, each for itself."""
    begin = table["begin"].to_numpy(np.float64)
    kept = np.full((2, len(table)), float(weights))
    return CostProfile(kept, np.stack([begin / twins, 1 - begin]))
