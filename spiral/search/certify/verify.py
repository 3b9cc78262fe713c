"""Re-check a record of proven bounds; shares no code with the prover.

What a record claims and why it follows is in the docstring of the package.
"""

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from spiral.search.certify.verify_lines import Half, halves, wrong
from spiral.search.certify.verify_masks import Case, Families, cases, masks


def mistakes(record: dict[str, Any], x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return a message per claim of a record that does not hold.

    Args:
        record: As read from JSON.
        x: Points, float32 [D, 2].
        y: Labels [D].
    """
    if record["digest"] != digest(x, y):
        return ["expected the digest of this data set, got another"]
    found = []
    for number, certificate in enumerate(record["certificates"]):
        found += [f"certificate {number}: {m}" for m in wrong(certificate, x, y)]
    if found:
        return found
    known = [Proof(certificate, x) for certificate in record["certificates"]]
    for bound in record["bounds"]:
        found += [
            f"accuracy {bound['threshold']}: {m}"
            for m in _unproven(bound, known, len(y))
        ]
    return found


def digest(x: np.ndarray, y: np.ndarray) -> str:
    """Return a digest of points and labels."""
    data = x.astype("<f4").tobytes() + y.astype("u1").tobytes()
    return hashlib.sha256(data).hexdigest()


class Proof:
    """A certificate whose capacities hold, with both sides of dividing lines."""

    def __init__(self, certificate: dict[str, Any], x: np.ndarray) -> None:
        self.certificate, self.halves = certificate, halves(certificate, x)

    def needed(self, errors: int) -> Fraction:
        """Return the weight that lines must cross."""
        of = self.certificate
        return of["total"] - errors * Fraction(*of["load"])

    def refutes(self, case: Case, errors: int) -> bool:
        """Return whether the families of a case cross too little."""
        needed = self.needed(errors)
        return sum(self._whole(*f) for f in case.whole) < needed or any(
            max(self._split(axis, off, on)) < needed for axis, off, on in case.splits
        )

    def _whole(self, direction: int, lines: int) -> int:
        """Return what a family crosses at most of all pairs."""
        of = self.certificate
        known = of["capacity"] if direction < 0 else of["axis_capacity"][direction]
        total = 0
        while lines > len(known):
            total, lines = total + known[-1], lines - len(known)
        return total + known[lines - 1]

    def _split(self, axis: int, off: Families, on: Families) -> Iterator[int]:
        """Yield what families cross if they lie on either side of a dividing line."""
        for below, above in self.halves[axis]:
            yield self._part(below, off) + self._part(above, on)
            yield self._part(below, on) + self._part(above, off)

    def _part(self, half: Half, families: Families) -> int:
        """Return what families cross at most of the pairs on one side."""
        total = 0
        for direction, lines in families:
            if direction < 0:
                here = lines * half.single
            else:
                known = [*half.axis[direction], half.total]
                here = known[min(lines, len(known)) - 1]
            total += min(here, self._whole(direction, lines))
        return min(total, half.total)


def _unproven(bound: dict[str, Any], known: list[Proof], points: int) -> list[str]:
    """Return which claims about an accuracy do not follow."""
    errors = points - ceil(Fraction(bound["threshold"]) * points)
    found = []
    if bound["errors"] != errors:
        found.append(f"expected {errors} errors, got {bound['errors']}")
    lines = max(ceil(p.needed(errors) / p.certificate["capacity"][0]) for p in known)
    if bound["lines"] > lines:
        found.append(f"expected at most {lines} lines, got {bound['lines']}")
    for weights in range(4, bound["weights"]):
        for mask in masks(weights):
            for case in cases(mask):
                if not any(proof.refutes(case, errors) for proof in known):
                    found.append(f"{weights} weights are not ruled out: {mask}")
                    return found
    return found
