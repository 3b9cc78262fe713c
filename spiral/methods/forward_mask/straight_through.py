"""The straight-through family: the forward pass is masked, all weights train.

One class and six settings of it: ``ste``, ``sr_ste``, ``mdgf_linear``, ``mdgf_exp``,
``sdgf_step`` and ``sdgf_geometric``.
"""

from dataclasses import dataclass, replace
from functools import partial
from math import log, log2
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy, nothing_to_derive
from spiral.methods.parts import n_of_m, shares
from spiral.methods.parts.allocation import allocation_option, check_pattern
from spiral.model import groups, masks, mlp
from spiral.model.groups import Scope
from spiral.protocol.config import Options, fields, preset, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, ForwardMask, Plan, View
from spiral.tasks import cubist

Kind = Literal["global", "layer", "nm"]
Fixed = Literal["global", "uniform", "uniform_alive", "erk", "igq"]
Gradient = Literal["ste", "chain"]
Decay = Literal["none", "linear", "exponential"]
Ramp = Literal["none", "stepwise", "geometric"]

MOST_FRAMES = 10
"""Assumption: no stepwise ramp has more frames, whatever the number of weights."""

FADED = 1000
"""Assumption: where β follows from the stages, an exponential decay ends at 1/FADED."""


class StraightThroughOptions(Options):
    """Options of the whole family."""

    scope: Kind = Field(
        "global",
        description="rank over all layers, within each layer separately, or N:M along "
        "inputs",
    )
    allocation: Fixed = allocation_option(
        "this project (the authors rank within layers)"
    )
    nm_keep: int = n_of_m.NM_KEEP
    nm_group: int = n_of_m.NM_GROUP
    gradient: Gradient = Field(
        "ste",
        description="gradient of inactive weights: as if they were active (ste), or "
        "scaled by what they contribute (chain)",
    )
    begin: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="fraction of training that is dense",
        json_schema_extra=unit("-"),
    )


@dataclass(frozen=True)
class StraightThrough:
    """A network that runs on its largest weights and trains them all.

    At every step the ``keep`` weights of largest absolute value make the mask m, and
    the network runs on w·(m + (1 - m)·D). The gradient with respect to that is given to
    w itself (``ste``) or multiplied by the factor (``chain``): the papers describe the
    second, their codes do the first. After training the inactive weights are set to
    zero, once; the stored weights are masked at no other time, and the L2 penalty acts
    on all of them.

    Stages: dense until ``begin``; then D falls and the mask tightens; from ``end`` on D
    is 0. Masks are chosen anew at every step until training ends.

    Assumptions: ``scope: global`` ranks over all layers, where the authors' codes rank
    within a layer or a group. ``layer`` shares ``keep`` in proportion to the layers'
    sizes, at least one weight each; any other ``allocation`` ranks within layers too,
    by its shares (not LAMP, whose shares would change at every step). N:M groups lie
    within a unit's inputs; layers whose inputs M does not divide stay dense. Biases are
    always active and masked by the rule of Zhang & Papyan in the end.

    A stepwise ramp has W - keep active weights in its first frame, then W/2, W/4 … and
    ``keep`` in the last; with N:M, (M - 1):M, M/2:M … N:M. A geometric ramp keeps the
    density and shrinks the groups: 8N:8M, 4N:4M, 2N:2M, N:M, as far as a unit's inputs
    reach; without N:M, all layers, a layer, a unit, each group with as many active
    weights as it has at that moment.
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
    allocation: Fixed = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event at the beginning of each frame, one to mask the weights."""
        first, last = self.span(budget)
        scopes = self.scopes()
        # as the authors' frames, these begin with an epoch where there are enough
        enough = last - first >= len(scopes) * budget.steps_per_epoch
        unit = budget.steps_per_epoch if enough else 1
        frame = (last - first) / len(scopes) / unit
        starts = [first + int(i * frame) * unit for i in range(len(scopes))]
        forward = ForwardMask(
            scopes=dict(zip(starts, scopes, strict=True)),
            rest=self.rest(budget),
            gradient=self.gradient,
            pull=self.pull,
        )
        return Plan.simple(budget, *starts, budget.steps, weight_map=forward)

    def span(self, budget: Budget) -> tuple[int, int]:
        """Return the steps between which inactive weights fade."""
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
        """Return which weights compete in each frame."""
        if self.scope == "nm":
            merged = (8, 4, 2, 1) if self.ramp == "geometric" else (1,) * self._count()
            return [Scope("inputs", self.nm_group, times) for times in merged]
        layered = self.scope == "layer" or self.allocation != "global"
        if self.ramp == "geometric":
            shrinking = [Scope("global"), Scope("layer"), Scope("unit")]
            return shrinking[layered:]
        return [Scope("layer" if layered else "global")] * self._count()

    def _count(self) -> int:
        """Return the number of frames of a ramp whose groups stay as they are."""
        return self.frames or 1 if self.ramp == "stepwise" else 1

    def start(self, view: View) -> tuple[int, np.ndarray]:
        """Remember how many frames have begun, and the active weights of the last."""
        return 0, np.zeros((len(view.keep), 0), np.int64)

    def act(
        self, view: View, state: tuple[int, np.ndarray]
    ) -> tuple[Change, tuple[int, np.ndarray]]:
        """Begin a frame, or mask the weights at the end."""
        frame, before = state
        scopes = self.scopes()
        if frame == len(scopes):
            kept = groups.top(view.params, before, view.width, scopes[-1])
            hard = masks.with_biases(masks.of_weights(kept, view.width), view.width)
            return Change(masks=hard), state
        if self.ramp == "geometric" and frame and self.scope != "nm":
            kept = groups.top(view.params, before, view.width, scopes[frame - 1])
            active = groups.survivors(kept, view.width, scopes[frame])
        else:
            active = self._active(view, frame, scopes[frame])
        return Change(active_counts=active), (frame + 1, active)

    def _active(self, view: View, frame: int, scope: Scope) -> Int[np.ndarray, "N G"]:
        """Return how many weights of each group are active in a frame."""
        last = frame == self._count() - 1 or self.ramp != "stepwise"
        if self.scope == "nm":
            each = self.nm_group - 1 if frame == 0 else self.nm_group >> frame
            each = self.nm_keep if last else max(self.nm_keep, each)
            return np.tile(pattern(view.width, scope, each), (len(view.keep), 1))
        total = mlp.weight_count(view.width)
        left = total - view.keep if frame == 0 else total >> frame
        counts = view.keep if last else np.maximum(view.keep, left)
        if self.allocation != "global":
            return shares.quotas(counts, view.width, self.allocation)
        if self.scope == "global":
            return counts[:, None]
        return shares.at_least_one(counts, view.width)


def pattern(width: int, scope: Scope, active: int) -> Int[np.ndarray, " G"]:
    """Return each group's active weights: ``active`` in M, or all without groups."""
    found = []
    for part, layer in zip(groups.parts(width, scope), mlp.layers(width), strict=True):
        divides = layer.inputs % scope.size == 0
        each = part.size * active // scope.size if divides else part.size
        found += [each] * (part.groups.stop - part.groups.start)
    return np.array(found)


def check(table: pd.DataFrame) -> list[Mistake]:
    """Stages must follow each other, and patterns keep ``keep`` weights."""
    found = []
    columns = ["begin", "end", "epochs", "batch"]
    rows = table[columns].fillna({"end": 1.0}).drop_duplicates()
    for begin, end, epochs, batch in rows.itertuples(index=False):
        budget = Budget(int(epochs), cubist.POINTS // int(batch))
        steps = budget.at(end) - budget.at(begin)
        if steps < MOST_FRAMES:
            text = f"expected an end at least {MOST_FRAMES} steps after `begin`, "
            text += f"{begin:g}; got {end:g}, {steps} steps after it"
            found.append(Mistake("end", text, end))
    return [*found, *check_pattern(table), *n_of_m.check(table)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense stage, a shared prefix; then all weights, each config for itself."""
    begin = table["begin"].to_numpy(np.float64)
    kept = np.full((2, len(table)), float(weights))
    return CostProfile(kept, np.stack([begin / sharing, 1 - begin]))


def derive_frames(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make as many frames as it takes to halve the active weights in each."""
    weights = table["width"].map(mlp.weight_count).astype(float)
    halvings = np.ceil(np.log2(weights / table["keep"].astype("Float64")))
    pairs = zip(table["nm_group"], table["nm_keep"], strict=True)
    of_pattern = [int(max(0.0, log2(m / n))) for m, n in pairs]
    halvings = halvings.where(table["scope"] != "nm", of_pattern)
    frames = (halvings + 1).clip(upper=MOST_FRAMES).astype("Int64")
    ramp = table["ramp"].fillna("stepwise")  # where it is no option
    return {"frames": frames.where(ramp == "stepwise")}


class SrSteOptions(StraightThroughOptions):
    """Options of ``sr_ste``."""

    pull: float = Field(
        2e-4,
        ge=0,
        description="extra L2 penalty on inactive weights, per step",
        json_schema_extra=unit("-"),
    )


class StagedOptions(StraightThroughOptions):
    """Options of the methods that mask in stages."""

    begin: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="fraction of training that is dense",
        json_schema_extra=unit("-"),
    )
    end: float = Field(
        0.8,
        gt=0,
        le=1,
        description="fraction of training from which inactive weights contribute "
        "nothing",
        json_schema_extra=unit("-"),
    )
    beta: float | None = Field(
        None,
        ge=0,
        description="how fast inactive weights fade, per step; None: done at `end`",
        json_schema_extra=unit("1/step"),
    )
    frames: int | None = Field(
        None,
        ge=1,
        description="frames of a stepwise ramp; None: as many as halve the active "
        "weights each time, at most ten",
        json_schema_extra=unit("frames"),
    )


class RampedOptions(StagedOptions):
    """Options of the methods whose inactive weights fade; the mask may tighten too."""

    ramp: Ramp = Field(
        "none",
        description="what else tightens: the number of active weights, or their groups",
    )


class MdgfLinearOptions(RampedOptions):
    """Options of ``mdgf_linear``; β per step is that of the authors' runs."""

    recipe: Literal["fit", "paper"] = preset(
        "fit",
        "fit: fades to 0 at `end`; paper: the authors' β, no other stages",
        {"paper": {"begin": 0.0, "end": 1.0, "beta": 2e-4}},
    )


class MdgfExpOptions(RampedOptions):
    """Options of ``mdgf_exp``; β per step is that of the authors' runs."""

    recipe: Literal["fit", "paper", "matched"] = preset(
        "fit",
        "fit: fades to 1/1000 at `end`; paper: the authors' β, no other stages; "
        "matched: β times steps as in the authors' run of 350 epochs",
        {
            "paper": {"begin": 0.0, "end": 1.0, "beta": 1e-4},
            "matched": {"begin": 0.0, "end": 1.0, "beta": 5.6e-4},
        },
    )


class FadedOptions(StagedOptions):
    """Options of the methods whose mask tightens; inactive weights may fade too."""

    decay: Decay = Field(
        "none", description="how inactive weights fade, beside the ramp"
    )


TAXONOMY = Taxonomy(
    unit="weight",
    when="during",
    schedule="gradual",
    criterion="magnitude",
    grow="magnitude",
    cost="dense",
)


def _entry(
    summary: str, options: type[Options], look: tuple[str, str], **setting: Any
) -> Entry:
    """Return the entry of one setting of the family."""
    colour, marker = look
    return Entry(
        build=partial(StraightThrough, **setting),
        summary=summary,
        citation="Bambhaniya et al. 2024, arXiv:2402.04744",
        taxonomy=TAXONOMY,
        colour=colour,
        marker=marker,
        options=options,
        check=check,
        derive=derive_frames if "frames" in fields(options) else nothing_to_derive,
        cost_profile=cost_profile,
    )


# D is 0: an inactive weight contributes nothing.
STE = replace(
    _entry(
        "runs on its largest weights and trains all of them",
        StraightThroughOptions,
        ("#4477AA", "o"),
    ),
    citation="Zhou et al., ICLR 2021, arXiv:2102.04010",
    taxonomy=replace(TAXONOMY, schedule="alternating"),
)

# λ(1 - m)·w in the gradient: the authors' λ = 2e-4 is weak beside an L2 penalty of
# 5e-4. As long as the learning rate times λ is below 1, a larger λ ends the flips of
# the mask.
SR_STE = replace(
    STE,
    summary="ste with an extra penalty on inactive weights",
    options=SrSteOptions,
    marker="s",
)

# D = 1 - βt, t steps after the dense stage.
MDGF_LINEAR = _entry(
    "inactive weights fade linearly while all train",
    MdgfLinearOptions,
    ("#228833", "^"),
    decay="linear",
)

# D = exp(-βt).
MDGF_EXP = _entry(
    "inactive weights fade exponentially while all train",
    MdgfExpOptions,
    ("#228833", "v"),
    decay="exponential",
)

# Half as many active weights in each frame.
SDGF_STEP = _entry(
    "half as many active weights in each frame, while all train",
    FadedOptions,
    ("#EE6677", "<"),
    ramp="stepwise",
)

# Groups of half the size in each frame: as many frames as there are kinds of groups.
SDGF_GEOMETRIC = replace(
    _entry(
        "weights compete in smaller groups in each frame, while all train",
        FadedOptions,
        ("#EE6677", ">"),
        ramp="geometric",
    ),
    derive=nothing_to_derive,
)
