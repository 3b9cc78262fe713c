"""A user's own file: one pruner that is right, and one for each way to be wrong."""

import numpy as np
import torch

from spiral.model import masks
from spiral.protocol.config import Options
from spiral.protocol.job import Change, Plan


class Largest:
    """Largest initial weights. The second sentence is no summary."""

    def plan(self, budget):
        return Plan.simple(budget, 0)

    def start(self, view):
        return None

    def scores(self, view):
        return np.abs(masks.of_weights(view.params, view.width))

    def keep(self, view):
        return view.keep

    def act(self, view, state):
        kept = masks.keep_top(self.scores(view), self.keep(view))
        return Change(masks=masks.with_biases(kept, view.width)), state


class Sharp(Largest):
    """A pruner with an option."""

    class Options(Options):
        power: float = 1.0

    def __init__(self, power):
        self.power = power

    def scores(self, view):
        return super().scores(view) ** self.power


class WeightsOnly(Largest):
    def act(self, view, state):
        return Change(masks=masks.keep_top(self.scores(view), view.keep)), state


class Tensor(Largest):
    def act(self, view, state):
        return Change(masks=torch.ones(view.params.shape, dtype=torch.bool)), state


class NoState(Largest):
    def act(self, view, state):
        return super().act(view, state)[0]


class OneLess(Largest):
    def keep(self, view):
        return view.keep - 1


class Raises(Largest):
    def scores(self, view):
        return np.zeros((3, 4)) @ np.zeros((3, 4))  # the line that is blamed


class NotANumber(Largest):
    def act(self, view, state):
        change, state = super().act(view, state)
        params = np.where(view.keep[:, None] == 20, np.nan, view.params)
        return Change(masks=change.masks, params=params.astype(np.float32)), state


class Neighbours(Largest):
    def scores(self, view):
        found = super().scores(view)
        return found - found.mean(axis=0)


class Unseeded(Largest):
    def scores(self, view):
        return np.random.default_rng().random(super().scores(view).shape)


class InPlace(Largest):
    def act(self, view, state):
        view.params[:] = 0
        return super().act(view, state)


class InPlaceThroughTorch(Largest):
    def act(self, view, state):
        address = view.params.__array_interface__["data"][0]
        shared = np.ndarray(view.params.shape, np.float32, _buffer(view, address))
        torch.from_numpy(shared)[1] *= 2
        return super().act(view, state)


def _buffer(view, address):
    import ctypes

    return (ctypes.c_char * view.params.nbytes).from_address(address)


class EventsFall(Largest):
    def plan(self, budget):
        return Plan.simple(budget, 5, 3)


class NeedsAnArgument(Largest):
    def __init__(self, strength):
        self.strength = strength


class Late(Largest):
    """Keeps too few, but only of weights that have been trained."""

    def plan(self, budget):
        return Plan.simple(budget, budget.steps)

    def keep(self, view):
        trained = (view.params != view.initial).any(axis=1)
        return view.keep - trained


class Half:
    def plan(self, budget):
        return Plan.simple(budget, 0)


class Clash(Largest):
    class Options(Options):
        interval: str = "a number elsewhere"


class Stern(Largest):
    class Options(Options):
        power: float


not_a_class = 3


class Epoch(Largest):
    """A pruner that names an epoch where a step is meant."""

    def plan(self, budget):
        return Plan.simple(budget, budget.epochs // 2)


class Middle(Largest):
    """What it means."""

    def plan(self, budget):
        return Plan.simple(budget, 0, budget.at(0.5))
