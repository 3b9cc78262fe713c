"""``scratch`` and ``shuffled``: the mask of another method, trained from scratch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from spiral.methods.controls import wrapped
from spiral.methods.controls.wrapped import Wrappable, Wrapped, WrappedOptions
from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import reinit
from spiral.model import masks, mlp, schedules
from spiral.protocol import config
from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View
from spiral.tasks import cubist

Second = Literal["scratch_e", "scratch_b", "scratch_b_plus", "fine_tune"]

QUARTER = 0.25
"""Length of fine-tuning, as a share of the epochs (Liu et al.: 40 of 160)."""

FINE = 0.01
"""Learning rate of fine-tuning, as a share of the config's (Liu et al.)."""


class ScratchOptions(WrappedOptions):
    """Options of ``scratch``."""

    second_phase: Second = Field(
        "scratch_e",
        description="what follows the pruning: training from scratch for the same "
        "epochs, for the same budget of multiplications, for that and the epochs of "
        "fine-tuning, or fine-tuning of the weights",
    )
    cap: float = Field(
        2.0,
        ge=1,
        description="upper bound on an equal budget, in times the epochs",
        json_schema_extra=unit("-")
        | origin("Liu et al. 2019, units on ImageNet; their code for weights has none"),
    )
    restart: reinit.Restart = Field(
        "original", description="weights from which training from scratch begins"
    )
    second_epochs: int | None = Field(
        None,
        ge=1,
        description="epochs of the second phase; they follow from the other options",
        json_schema_extra=unit("epochs"),
    )


@dataclass(frozen=True)
class Scratch:
    """Scratch-E and Scratch-B (Liu et al., ICLR 2019, arXiv:1810.05270).

    Method ``of`` finds a mask as it always does. Then the network starts anew under
    this mask, with new weights, momentum and schedule; so the row measures the *mask*,
    and the row of the method itself measures mask and weights together.
    Scratch-E is how the combinatorial search scores a mask: the default law of initial
    weights, the mask, one training. With every weight kept it is the dense training.

    Scratch-B trains for E · min(cap, W/keep) epochs: as many multiplications, where the
    cap allows. It is 2, as theirs for units on ImageNet. Their code for single weights
    has none, but W/keep is 9 to 5,000 here, and without a cap GMP's masks get no more
    accurate. Scratch-B+ adds the epochs of fine-tuning. Fine-tuning keeps the weights
    of the whole training of ``of`` and goes on for a quarter of the epochs at 0.01 of
    the learning rate, constantly.

    Assumptions: from scratch, method ``of`` trains only until it last acts: nothing
    else decides its mask. Batches go on in the order of the config's seed rather than
    from its first epoch (equal orders where the mask is found before training).
    ``original`` weights are the config's own initial weights, those of other methods of
    its seed; the authors draw anew (``fresh``, ``he_out``). The budget of a network is
    its weights; biases count nothing.
    """

    of: Wrapped
    second_phase: Second
    restart: reinit.Restart
    second_epochs: int
    """Epochs of the second phase."""
    rewire: bool = False
    """Whether to permute the mask within each layer: ``shuffled``. The advantage of
    ``scratch`` over it is the effect of where weights are within layers (the shuffling
    of Frankle et al., ICLR 2021, arXiv:2009.08576)."""

    def plan(self, budget: Budget) -> Plan:
        """The plan of ``of``, until its last event or its end; then the second."""
        found = self.of.method.plan(budget)
        tuning = self.second_phase == "fine_tune"
        begin = found.steps if tuning else max(found.events, default=0)
        second = Budget(self.second_epochs, budget.steps_per_epoch)
        curves = schedules.curves(second.epochs, second.steps_per_epoch)
        if tuning:
            curves = {name: np.full(second.steps, FINE) for name in curves}
        after = Plan(second.steps, (0,), curves, exact=found.exact)
        return found.until(begin).then(after)

    def start(self, view: View) -> Any:
        """Remember what ``of`` remembers."""
        return self.of.start(view)

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Let ``of`` act; begin anew once the mask is found."""
        first = view.plan.first
        assert first is not None
        change = Change()
        if view.step in wrapped.whole(first).events:
            change, state = self.of.act(view, state)
        if view.step == first.steps:
            change = self._begin(view, change)
        return change, state

    def _begin(self, view: View, change: Change) -> Change:
        """Return the change that begins the second phase, with the status of ``of``."""
        kept = view.masks if change.masks is None else change.masks
        if self.rewire:
            kept = rewired(view, kept)
        params = view.params if change.params is None else change.params
        if self.second_phase != "fine_tune":
            params = reinit.restart(view, kept, self.restart)
        everything = np.ones(kept.shape, bool)
        ones = np.ones(len(kept))
        return Change(
            masks=kept,
            params=params,
            reset_momentum=everything,
            trainable=everything,
            lr_scale=ones,
            decay_scale=ones,
            variants=np.zeros(len(kept), np.int64),
            plain=True,
            status=change.status,
        )


def rewired(view: View, kept: Bool[np.ndarray, "N P"]) -> Bool[np.ndarray, "N P"]:
    """Return masks with as many weights in each layer, at random places."""
    weights = masks.of_weights(kept, view.width).copy()
    for n, row in enumerate(weights):
        drawn = view.stream(n, "rewire")
        for layer in mlp.layers(view.width):
            drawn.shuffle(row[layer.columns])
    return masks.with_biases(weights, view.width)


@dataclass(frozen=True)
class Recipe:
    """What an entry knows of either method."""

    inner: Wrappable
    rewire: bool

    def build(self, *, of: str, cap: float, **options: Any) -> Scratch:
        """Return the recipe over a method with its default options."""
        derived = {name: options.pop(name, None) for name in wrapped.DERIVED}
        method = self.inner.build(of, **derived)
        return Scratch(method, **options, rewire=self.rewire)

    def derive(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the inner options that follow, and the epochs of the second phase."""
        return {**self.inner.derive(table), "second_epochs": second_epochs(table)}

    def check(self, table: pd.DataFrame) -> list[Mistake]:
        """Weights cannot be fine-tuned at places where they were not trained."""
        found = self.inner.check(table)
        if self.rewire and (table["second_phase"] == "fine_tune").any():
            text = "shuffled masks have no weights to fine-tune; train from scratch"
            found.append(Mistake("second_phase", text, "fine_tune"))
        return found

    def cost_profile(
        self, table: pd.DataFrame, weights: int, sharing: np.ndarray
    ) -> CostProfile:
        """What ``of`` trains until its mask is found; then ``keep``, each by itself."""
        entry, configs = self.inner.configs(table)
        begun = entry.cost_profile(configs, weights, sharing)
        before, after = self._lengths(table.iloc[0])
        keep = table["keep"].to_numpy(np.float64)
        total = before + after
        last = np.full((1, len(table)), after / total)
        return CostProfile(
            np.concatenate([begun.kept, keep[None]]),
            np.concatenate([begun.share * before / total, last]),
        )

    def _lengths(self, shared: pd.Series) -> tuple[int, int]:
        """Return the steps of both phases of configs that train together."""
        options = {name: shared[name] for name in config.fields(ScratchOptions)}
        options = {n: None if pd.isna(value) else value for n, value in options.items()}
        per_epoch = cubist.POINTS // int(shared["batch"])
        plan = self.build(**options).plan(Budget(int(shared["epochs"]), per_epoch))
        assert plan.first is not None
        return plan.first.steps, plan.steps - plan.first.steps

    def gradients(self, table: pd.DataFrame) -> np.ndarray:
        """Return what the decisions of ``of`` cost."""
        entry, configs = self.inner.configs(table)
        return entry.gradients(configs)


def second_epochs(table: pd.DataFrame) -> pd.Series:
    """Return the epochs of the second phase, rounded down."""
    epochs, keep, cap = (table[n].astype("Float64") for n in ("epochs", "keep", "cap"))
    ratio = table["width"].map(mlp.weight_count) / keep
    equal = epochs * ratio.clip(upper=cap)
    quarter = (epochs * QUARTER).clip(lower=1)
    second = table["second_phase"]
    found = epochs.mask(second == "scratch_b", equal)
    found = found.mask(second == "scratch_b_plus", equal + quarter)
    found = found.mask(second == "fine_tune", quarter)
    return found.map(np.floor, na_action="ignore").astype("Int64")


def _entry(recipe: Recipe, criterion: str, **own: Any) -> Entry:
    """Return the entry of either method."""
    as_wrapped = "that of method `of`"
    return Entry(
        build=recipe.build,
        taxonomy=Taxonomy(
            unit="weight",
            when="before",
            schedule="once",
            criterion=criterion,
            grow=criterion,
            allocation=as_wrapped,
            data=as_wrapped,
            cost="sparse",
            second_phase="re-initialise",
        ),
        options=ScratchOptions,
        derive=recipe.derive,
        same_as_none=recipe.inner.same_as_none,
        check=recipe.check,
        cost_profile=recipe.cost_profile,
        gradients=recipe.gradients,
        **own,
    )


def scratch(methods: Mapping[str, Entry]) -> Entry:
    """Return the entry of ``scratch``, given the methods whose masks it may take."""
    return _entry(
        Recipe(Wrappable(methods), rewire=False),
        "that of method `of`",
        summary="the mask of another method, trained from scratch or fine-tuned",
        citation="Liu et al., ICLR 2019, arXiv:1810.05270",
        colour="#0072B2",
        marker="s",
    )


def shuffled(methods: Mapping[str, Entry]) -> Entry:
    """Return the entry of ``shuffled``, given the methods whose masks it may take."""
    return _entry(
        Recipe(Wrappable(methods), rewire=True),
        "random",
        summary="the mask of another method, shuffled within layers, from scratch",
        citation="control; Frankle et al., ICLR 2021, arXiv:2009.08576",
        colour="#BBBBBB",
        marker="+",
    )
