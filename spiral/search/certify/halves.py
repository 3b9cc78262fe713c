"""What lines cross on one side of a dividing line parallel to an axis, exactly."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from spiral.search.certify import kernel
from spiral.search.certify.exact import Certificate, between, neighbours
from spiral.search.certify.lines import ANY
from spiral.search.certify.pieces import Profile, Split, Structure
from spiral.search.certify.runs import BITS, couple


class Half(NamedTuple):
    """Some pairs: their weight, and how much of it lines cross at most."""

    total: int
    single: int
    axis: tuple[list[int], list[int]]
    """Of 1, 2, … lines of constant first coordinate; of constant second."""


class Halves:
    """Both sides of every position of a dividing line, for one certificate."""

    def __init__(self, certificate: Certificate, x: Int[np.ndarray, "D 2"]) -> None:
        self.certificate, self.x = certificate, x
        self.coupling = couple(certificate.groups, certificate.run)
        each = np.array(certificate.weights, np.int64)
        self.each = self.coupling.weights(each)
        self.sides = [[*self._sides(axis)] for axis in (0, 1)]
        chosen = [half for sides in self.sides for pair in sides for half in pair]
        singles = iter(self._singles(chosen))
        self.halves = [
            [
                (self._half(a, next(singles)), self._half(b, next(singles)))
                for a, b in sides
            ]
            for sides in self.sides
        ]

    def refutes(self, structure: Structure, errors: int) -> bool:
        """Return whether no network of a structure is right often enough."""
        needed = self.certificate.needed(errors)
        return self.certificate.crossed(structure.whole) < needed or any(
            self.crossed(split) < needed for split in structure.splits
        )

    def crossed(self, split: Split) -> int:
        """Return how much the families of a split cross at most.

        The kink may lie at any position, and its unit may be active on either side.
        """
        return max(
            self._part(one, first) + self._part(other, second)
            for one, other in self.halves[split.axis]
            for first, second in ((split.off, split.on), (split.on, split.off))
        )

    def _part(self, half: Half, profile: Profile) -> int:
        """Return how much families cross of the pairs on one side."""
        total = 0
        for direction, lines in profile:
            here = lines * half.single
            if direction != ANY:
                known = half.axis[direction]
                here = known[min(lines, len(known)) - 1]
                if lines > len(known):
                    here = half.total
            total += min(here, self.certificate.crossed(((direction, lines),)))
        return min(total, half.total)

    def _sides(self, axis: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield which pairs of runs reach below and above each interval of positions.

        The dividing line lies between two multiples of the step; below it is what
        reaches below the upper one.
        """
        low, high = self._ends(axis)
        pairs, step = self.coupling.pairs, BITS - self.certificate.grid.positions
        least, most = low[pairs].min(axis=1), high[pairs].max(axis=1)
        for k in range(int(least.min()) >> step, (int(most.max()) >> step) + 1):
            yield least <= (k + 1) << step, most >= k << step

    def _ends(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and largest coordinate of each run."""
        way = np.zeros((2, 2), np.int64)
        way[:, axis] = 1
        low, high = np.empty((2, len(self.coupling.runs)), np.int64)
        kernel.spans(self.x, self.coupling.runs, way, low, high)
        return low, high

    def _singles(self, chosen: list[np.ndarray]) -> list[int]:
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

    def _half(self, chosen: np.ndarray, single: int) -> Half:
        """Return one side."""
        pairs, each = self.coupling.pairs[chosen], self.each[chosen]
        shift, lines = BITS - self.certificate.grid.half_cells, AXIS_LINES
        families = []
        for axis in (0, 1):
            low, high = self._ends(axis)
            low, high = (low >> shift), (high >> shift)
            first = low.min()
            best, _ = kernel.family(low - first, high - first, pairs, each, lines)
            families.append(best.tolist())
        return Half(int(each.sum()), single, (families[0], families[1]))


AXIS_LINES = 12
"""Most parallel lines on one side; more are bounded as all of its weight."""
