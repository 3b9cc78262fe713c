"""Re-check a record of proven bounds; shares no code with the prover.

What a record claims and why it follows is in the docstring of the package.
"""

import hashlib
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Any

import numpy as np

from spiral.search.certify.verify_lines import wrong
from spiral.search.certify.verify_masks import (
    Case,
    Families,
    Mask,
    canonical,
    cases,
    masks,
)
from spiral.search.certify.verify_runs import runs_of
from spiral.search.certify.verify_sides import Side, sides


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
        self.certificate, self.sides = certificate, sides(certificate, x)
        self.weight = runs_of(certificate["groups"], certificate["run"]).weight
        self.limits: dict[tuple[int, int], np.ndarray] = {}

    def needed(self, errors: int) -> Fraction:
        """Return the weight that lines must cross."""
        of = self.certificate
        return of["total"] - errors * Fraction(*of["load"])

    def refutes(self, case: Case, errors: int) -> bool:
        """Return whether the families of a case cross too little."""
        needed = self.needed(errors)
        return sum(self._whole(*f) for f in case.whole) < needed or any(
            self._most(axes, parts) < needed for axes, parts in case.parts
        )

    def _whole(self, direction: int, lines: int) -> int:
        """Return what a family crosses at most of all pairs."""
        of = self.certificate
        known = of["capacity"] if direction < 0 else of["axis_capacity"][direction]
        total = 0
        while lines > len(known):
            total, lines = total + known[-1], lines - len(known)
        return total + known[lines - 1]

    def _most(self, axes: tuple[int, ...], parts: list[Families]) -> int:
        """Return what families cross in parts, for all positions and orientations."""
        most = 0
        for below in product((True, False), repeat=len(axes)):  # where units are off
            value: Any = 0
            for on, families in zip(
                product((False, True), repeat=len(axes)), parts, strict=True
            ):
                halves = [
                    self.sides[axis][int(up == low)]
                    for axis, up, low in zip(axes, on, below, strict=True)
                ]
                value = value + self._part(halves, families)
            most = max(most, int(value.max()))
        return most

    def _part(self, halves: list[Side], families: Families) -> np.ndarray:
        """Return what families cross within one half or two, by their positions."""
        total: Any = 0
        for direction, lines in families:
            here = [self._half(half, direction, lines) for half in halves]
            both = here[0] if len(here) == 1 else np.minimum.outer(here[0], here[1])
            total = total + np.minimum(both, self._whole(direction, lines))
        return np.minimum(total, self._limit(halves))

    def _limit(self, halves: list[Side]) -> np.ndarray:
        """Return the weight of the pairs that reach one half or both of two."""
        if len(halves) == 1:
            return halves[0].total
        key = id(halves[0]), id(halves[1])
        if key not in self.limits:
            one, other = (half.reach.astype(np.int64) for half in halves)
            self.limits[key] = (one * self.weight) @ other.T
        return self.limits[key]

    def _half(self, half: Side, direction: int, lines: int) -> np.ndarray:
        """Return what parallel lines cross within a half."""
        if direction < 0:
            return lines * half.single
        known = half.axis[direction]
        return known[:, lines - 1] if lines <= known.shape[1] else half.total


def _unproven(bound: dict[str, Any], known: list[Proof], points: int) -> list[str]:
    """Return which claims about an accuracy do not follow."""
    errors = points - ceil(Fraction(bound["threshold"]) * points)
    found = []
    if bound["errors"] != errors:
        found.append(f"expected {errors} errors, got {bound['errors']}")
    lines = max(ceil(p.needed(errors) / p.certificate["capacity"][0]) for p in known)
    if bound["lines"] > lines:
        found.append(f"expected at most {lines} lines, got {bound['lines']}")
    verdicts: dict[str, bool] = {}
    for weights in range(4, bound["weights"] + 1):
        every = {canonical(mask) for mask in masks(weights)}
        left = {m for m in every if not _ruled_out(m, known, errors, verdicts)}
        if left and weights < bound["weights"]:
            return [*found, f"{weights} weights are not ruled out: {min(left)}"]
        complete = {mask for mask in every if mask.reads_both()}
        counts = [len(left & complete), len(complete)]
        if bound["open"].get(str(weights)) != counts:
            found.append(f"expected {counts} open and all masks of {weights} weights")
    return found


def _ruled_out(
    mask: Mask, known: list[Proof], errors: int, verdicts: dict[str, bool]
) -> bool:
    """Return whether no network with a mask makes so few errors.

    Verdicts of cases are kept for other masks with the same.
    """
    for case in cases(mask):
        name = str(case)
        if name not in verdicts:
            verdicts[name] = any(proof.refutes(case, errors) for proof in known)
        if not verdicts[name]:
            return False
    return True
