"""The path of one network to fewer and fewer weights, by quadratic models."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped

from spiral.methods.parts import allocation, scores, shares, supports
from spiral.methods.parts.brain_surgeon import STAYS
from spiral.methods.parts.supports import Compensate, Kept, Quadratic
from spiral.model import masks, mlp

if TYPE_CHECKING:
    from spiral.model.curvature import Expansion

Blocks = Literal["auto", "network", "layer", "unit"]
Matrix = Literal["gauss_newton", "fisher", "exact"]
Choose = Callable[[Sequence[Quadratic], Int[np.ndarray, " G"]], list[Kept]]
"""What to keep of a model, given how many weights of each group to remove."""
Allocation = Literal["global", shares.Quota]
"""One ranking of all weights, or a share for each layer (``parts.shares``)."""
Places = Int[np.ndarray, " n"]


class Network(NamedTuple):
    """One network; masked parameters are 0."""

    params: Float64[np.ndarray, " P"]
    mask: Bool[np.ndarray, " P"]


class Model(NamedTuple):
    """How a network is modelled: options of the methods."""

    matrix: Matrix
    gradient_batch: int
    damping: float
    compensate: Compensate
    renewal: float
    matrix_blocks: Blocks
    allocation: Allocation
    first_order: bool
    """Whether the model has the gradient, too."""


@dataclass(frozen=True)
class Path:
    """Prunes one network to several counts, going on from each to the next."""

    model: Model
    choose: Choose
    points: Shaped[np.ndarray, "B 2"]
    labels: Shaped[np.ndarray, " B"]
    width: int

    def walk(self, network: Network, goals: Iterable[int]) -> dict[int, Network]:
        """Return the network with as many weights as each goal, or fewer if it has.

        All goals that lie between two counts at which the matrix is computed start from
        the network at the higher one.
        """
        found: dict[int, Network] = {}
        left = sorted(set(goals), reverse=True)
        while left:
            count = int(self._weights(network.mask).sum())
            least = max(left[-1], int(self.model.renewal * count))
            here = [goal for goal in left if goal >= least]
            blocks = self._blocks(network)
            if not all(np.isfinite(model.matrix).all() for _, model in blocks):
                return found | {goal: self._by_size(network, goal) for goal in left}
            for goal in here:
                found[goal] = self._cut(network, blocks, goal)
            left = left[len(here) :]
            if left:
                network = self._cut(network, blocks, least)
        return found

    def silent(self, network: Network) -> bool:
        """Return whether no input moves the output: the matrix says next to nothing."""
        first = np.arange(mlp.layers(self.width)[0].weights.stop)
        return not self._expansion(network).jacobian(first).any()

    def _weights(self, mask: Bool[np.ndarray, " P"]) -> Bool[np.ndarray, " W"]:
        return masks.of_weights(mask[None], self.width)[0]

    def _expansion(self, network: Network) -> "Expansion":
        from spiral.model import curvature

        return curvature.Expansion(network.params, self.points, self.labels, self.width)

    def _blocks(self, network: Network) -> list[tuple[Places, Quadratic]]:
        """Return the model of each block of what is left, and where that is."""
        expansion, found = self._expansion(network), []
        for every in places(self.width, self.model.matrix_blocks):
            own = every[network.mask[every]]
            if len(own):
                found.append((own, self._quadratic(network, expansion, own)))
        return found

    def _quadratic(
        self, network: Network, expansion: "Expansion", own: Places
    ) -> Quadratic:
        if self.model.matrix == "gauss_newton":
            matrix = expansion.gauss_newton(own)
        elif self.model.matrix == "fisher":
            matrix = expansion.fisher(own, self.model.gradient_batch)
        else:
            matrix = expansion.hessian(own)
        slope = np.zeros(len(own))
        if self.model.first_order:
            slope = expansion.gradients(own).mean(axis=0)
        return Quadratic(
            weights=network.params[own],
            matrix=matrix + self.model.damping * np.eye(len(own)),
            slope=slope,
            groups=self._groups[own],
        )

    @cached_property
    def _groups(self) -> Int[np.ndarray, " P"]:
        """Return what each parameter counts towards: all weights, or its layer's."""
        found = np.full(mlp.param_count(self.width), STAYS)
        for number, layer in enumerate(mlp.layers(self.width)):
            found[layer.weights] = 0 if self.model.allocation == "global" else number
        return found

    def _removals(self, network: Network, goal: int) -> Int[np.ndarray, " G"]:
        """Return how many weights of each group must go."""
        weights = self._weights(network.mask)[None]
        if self.model.allocation == "global":
            return weights.sum(axis=1) - goal
        have = shares.of_mask(weights, self.width)
        rule = self.model.allocation
        return (have - shares.quotas(np.array([goal]), self.width, rule, have))[0]

    def _cut(
        self, network: Network, blocks: list[tuple[Places, Quadratic]], goal: int
    ) -> Network:
        """Remove weights; those that stay compensate."""
        removals = self._removals(network, goal)
        if removals.sum() <= 0:
            return network
        params, mask = network.params.copy(), np.zeros(network.mask.shape, bool)
        chosen = self.choose([model for _, model in blocks], removals)
        for (own, model), kept in zip(blocks, chosen, strict=True):
            params[own] = supports.compensated(model, kept, self.model.compensate)
            mask[own] = kept
        return self._network(params, self._weights(mask))

    def _by_size(self, network: Network, goal: int) -> Network:
        """Remove the smallest weights of a network that has diverged."""
        weights = self._weights(network.mask)[None]
        size = scores.sizes(network.params[None], weights, self.width)
        keep, allocated = np.array([goal]), self.model.allocation
        kept = allocation.choose(size, keep, allocated, "rank", self.width, weights)
        return self._network(network.params, kept[0])

    def _network(
        self, params: Float64[np.ndarray, " P"], kept: Bool[np.ndarray, " W"]
    ) -> Network:
        """Return the network of these weights and of the biases that belong to them."""
        mask = masks.with_biases(kept[None], self.width)[0]
        return Network(np.where(mask, params, 0), mask)


def places(width: int, blocks: Blocks) -> list[Places]:
    """Return the parameters of each block: those of one network, layer or unit."""
    if blocks == "auto":
        blocks = "layer" if width <= 32 else "unit"
    if blocks == "network":
        return [np.arange(mlp.param_count(width))]
    found: list[Places] = []
    for layer in mlp.layers(width):
        weights = np.arange(layer.weights.start, layer.weights.stop)
        biases = np.arange(layer.biases.start, layer.biases.stop)
        rows = weights.reshape(layer.outputs, layer.inputs)
        units = np.concatenate([rows, biases[:, None]], axis=1)
        found += [np.sort(units.ravel())] if blocks == "layer" else [*units]
    return found
