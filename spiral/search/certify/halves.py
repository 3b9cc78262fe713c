"""What lines cross on one side of a dividing line parallel to an axis, exactly."""

from functools import reduce
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from spiral.search.certify import kernel
from spiral.search.certify.exact import Certificate, between, neighbours
from spiral.search.certify.pieces import ANY, Partition, Profile, Structure
from spiral.search.certify.runs import BITS, couple

AXIS_LINES = 12
"""Most parallel lines on one side; more are bounded as all of its weight."""


class Side(NamedTuple):
    """The pairs on one side of a dividing line, for each interval K of its position."""

    total: Int[np.ndarray, " K"]
    """Their weight."""
    single: Int[np.ndarray, " K"]
    """What a line in any direction crosses of them at most."""
    axis: Int[np.ndarray, "2 K T"]
    """What 1, 2, … lines cross of constant first, and of constant second coordinate."""

    def crossed(self, direction: int, lines: int) -> Int[np.ndarray, " K"]:
        """Return what parallel lines cross at most."""
        if direction == ANY:
            return np.minimum(lines * self.single, self.total)
        return self.axis[direction, :, lines - 1] if lines <= AXIS_LINES else self.total


class Halves:
    """Both sides of every position of a dividing line, for one certificate."""

    def __init__(self, certificate: Certificate, x: Int[np.ndarray, "D 2"]) -> None:
        self.certificate, self.x = certificate, x
        self.coupling = couple(certificate.groups, certificate.run)
        each = np.array(certificate.weights, np.int64)
        self.each = self.coupling.weights(each)
        self.reach = [self._reach(axis) for axis in (0, 1)]
        self.sides = [[self._side(which) for which in pair] for pair in self.reach]
        self.limits: dict[tuple[tuple[int, int], ...], Int[np.ndarray, ...]] = {}

    def refutes(self, structure: Structure, errors: int) -> bool:
        """Return whether no network of a structure is right often enough."""
        needed = self.certificate.needed(errors)
        return self.certificate.crossed(structure.whole) < needed or any(
            self.crossed(partition) < needed for partition in structure.partitions
        )

    def crossed(self, partition: Partition) -> int:
        """Return how much the families of a partition cross at most.

        Kinks may lie at any positions, and their units may be on at either side. A part
        lies within one half of each kink, so the bounds of all of these hold there.
        """
        most, kinks = 0, len(partition.axes)
        for flips in product((0, 1), repeat=kinks):
            total = np.zeros(1, np.int64)
            states = product((0, 1), repeat=kinks)
            for on, profile in zip(states, partition.parts, strict=True):
                if profile:
                    sides = tuple(o ^ f for o, f in zip(on, flips, strict=True))
                    part = self._part(
                        (*zip(partition.axes, sides, strict=True),), profile
                    )
                    total = total + part
            most = max(most, int(total.max()))
        return most

    def _part(
        self, chosen: tuple[tuple[int, int], ...], profile: Profile
    ) -> Int[np.ndarray, "..."]:
        """Return what families cross within halves, by the positions of all kinks."""
        halves = [self.sides[axis][side] for axis, side in chosen]
        total = np.zeros([len(half.total) for half in halves], np.int64)
        for direction, lines in profile:
            here = _least([half.crossed(direction, lines) for half in halves])
            total += np.minimum(here, self.certificate.crossed(((direction, lines),)))
        return np.minimum(total, self._limit(chosen))

    def _limit(self, chosen: tuple[tuple[int, int], ...]) -> Int[np.ndarray, "..."]:
        """Return the weight that reaches all of some halves, by their positions."""
        if chosen not in self.limits:
            limit = _least([self.sides[axis][side].total for axis, side in chosen])
            for i, j in combinations(range(len(chosen)), 2):
                one, other = (self.reach[a][s] for a, s in (chosen[i], chosen[j]))
                both = (one * self.each) @ other.T.astype(np.int64)
                shape = [n if k in (i, j) else 1 for k, n in enumerate(limit.shape)]
                limit = np.minimum(limit, both.reshape(shape))
            self.limits[chosen] = limit
        return self.limits[chosen]

    def _reach(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which pairs of runs reach below and above a dividing line, [K, pairs].

        The line lies between two multiples of a step; below it is what reaches below
        the upper one, above it what reaches above the lower one.
        """
        low, high = self._ends(axis)
        pairs, step = self.coupling.pairs, BITS - self.certificate.grid.positions
        least, most = low[pairs].min(axis=1), high[pairs].max(axis=1)
        k = np.arange(int(least.min()) >> step, (int(most.max()) >> step) + 1)[:, None]
        return least <= (k + 1) << step, most >= k << step

    def _side(self, which: np.ndarray) -> Side:
        """Return one side, given its pairs by position."""
        families = [self._families(chosen) for chosen in which]
        return Side(
            which @ self.each,
            np.array(self._singles(which), np.int64),
            np.array(families, np.int64).transpose(1, 0, 2),
        )

    def _ends(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and largest coordinate of each run."""
        way = np.zeros((2, 2), np.int64)
        way[:, axis] = 1
        low, high = np.empty((2, len(self.coupling.runs)), np.int64)
        kernel.spans(self.x, self.coupling.runs, way, low, high)
        return low, high

    def _singles(self, chosen: np.ndarray) -> list[int]:
        """Return how much a line in any direction crosses of some pairs of runs."""
        grid = self.certificate.grid
        parts = [(self.coupling.pairs[half], self.each[half]) for half in chosen]
        best = [0] * len(parts)
        for ends in neighbours(grid.half_steps):
            shift = BITS + grid.half_steps - grid.half_cells
            low, high = between(self.x, self.coupling, ends, shift)
            for k, (pairs, each) in enumerate(parts):
                if len(pairs):
                    best[k] = max(best[k], int(kernel.stack(low, high, pairs, each)[0]))
        return best

    def _families(self, chosen: np.ndarray) -> list[np.ndarray]:
        """Return what lines parallel to the axes cross of some pairs of runs."""
        pairs, each = self.coupling.pairs[chosen], self.each[chosen]
        shift, found = BITS - self.certificate.grid.half_cells, []
        for axis in (0, 1):
            low, high = (ends >> shift for ends in self._ends(axis))
            first = low.min()
            best = kernel.family(low - first, high - first, pairs, each, AXIS_LINES)
            found.append(best)
        return found


def _least(each: list[np.ndarray]) -> Int[np.ndarray, "..."]:
    """Return the least value, for all combinations of the positions of each."""
    return reduce(np.minimum.outer, each)
