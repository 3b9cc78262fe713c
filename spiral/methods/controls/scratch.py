"""``scratch`` and ``shuffled``: the mask of another method, trained from scratch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.controls import wrapped
from spiral.methods.controls.second_phase import QUARTER, Scratch, Second
from spiral.methods.controls.wrapped import Wrappable, WrappedOptions
from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import reinit
from spiral.model import mlp
from spiral.protocol import budgets, config
from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile


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
        plan = self.build(**options).plan(budgets.budget_of(shared))
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
