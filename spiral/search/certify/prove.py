"""Prove lower bounds on the number of weights, and write down why."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from spiral.errors import ConfigError
from spiral.search import enumerate as masks
from spiral.search.certify import lines
from spiral.search.certify.exact import Certificate, Grid, certificate
from spiral.search.certify.halves import Halves
from spiral.search.certify.pieces import Wiring, structures, wiring
from spiral.search.certify.record import FORMAT
from spiral.search.certify.runs import Group
from spiral.search.shape import every
from spiral.tasks import catalogue, naming

SMALLEST, LARGEST = 4, 12
"""Weights of the sparsest network, and where the search for open masks ends."""


class Effort(NamedTuple):
    """How hard to look for good weights."""

    points: int = 100
    """Points of a group on the outer turn."""
    run: int = 8
    rounds: int = 36
    angles: int = 1500


class Count(NamedTuple):
    """Canonical masks of one number of weights, and those not ruled out."""

    open: int
    masks: int


def errors(threshold: str, points: int) -> int:
    """Return how many points may be wrong at an accuracy."""
    return points - ceil(Fraction(threshold) * points)


class Data(NamedTuple):
    """Points, labels, and the groups of points that may get weight."""

    x: Float32[np.ndarray, "D 2"]
    y: UInt8[np.ndarray, " D"]
    groups: list[Group]


def spiral(points: int, task: str) -> Data:
    """Return a Cubist Spiral, in groups of about so many points.

    Raises:
        ConfigError: The task is none.
    """
    known = catalogue.load(task)
    if known.curves is None:
        raise ConfigError(
            f"--task {task}: expected a task of the family cubist, whose points lie on "
            "the sides of polygons; of others nothing is proven"
        )
    _, values = naming.parsed(task, catalogue.FAMILIES)
    groups = lines.spiral_groups(known.curves, values["sides"], points)
    return Data(known.x, known.y, groups)


def open_masks(weights: int, known: Sequence[Halves], wrong: int) -> Count:
    """Count the masks of some number of weights that may reach an accuracy."""
    masks = [*_wirings(weights)]
    left = sum(not ruled_out(wires, known, wrong) for wires in masks)
    return Count(left, len(masks))


def ruled_out(wires: Wiring, known: Sequence[Halves], wrong: int) -> bool:
    """Return whether no network with a mask makes so few errors."""
    return all(
        any(halves.refutes(structure, wrong) for halves in known)
        for structure in structures(wires)
    )


def _wirings(weights: int, units: int | None = None) -> Iterator[Wiring]:
    """Yield the complete masks of some number of weights, up to renumbering.

    Args:
        weights: Output layer included.
        units: Units of layer 1; by default any number.
    """
    for shape in every(weights):
        if units not in (None, shape[0]):
            continue
        for block in masks.orbits(shape, range(weights, weights + 1)):
            for mask in block:
                yield wiring(mask, shape)


def _one_input(weights: int) -> Iterator[Wiring]:
    """Yield the masks of some number of weights that use a single input.

    With two units of layer 1 or more, one of them can read the other input instead:
    that makes a complete mask. A single unit can read both, with one weight more.
    """
    for wires in _wirings(weights):
        if len(wires.first) > 1 and all(len(inputs) == 1 for inputs in wires.first):
            yield from _reading_one(wires)
    for wires in _wirings(weights + 1, units=1):
        yield from _reading_one(wires)


def _reading_one(wires: Wiring) -> Iterator[Wiring]:
    """Yield a mask with all units of layer 1 reading the first input, or the second."""
    for axis in (0, 1):
        yield wires._replace(first=[frozenset({axis})] * len(wires.first))


def record(
    thresholds: Sequence[str], data: Data, effort: Effort, grid: Grid
) -> dict[str, Any]:
    """Prove bounds for accuracies and return the record of the proof.

    Args:
        thresholds: Accuracies, as decimal fractions.
        data: What networks are to classify.
        effort: How hard to look for good weights.
        grid: How finely to look at what lines cross.
    """
    of = lines.problem(data.x, data.groups, effort.run)
    wrong = {threshold: errors(threshold, len(data.x)) for threshold in thresholds}
    known = []
    for number in wrong.values():
        weights = lines.Program(of, number).solve(effort.rounds, effort.angles)
        known.append(Halves(certificate(of, weights, grid), of.x))
    return {
        "format": FORMAT,
        "points": len(data.y),
        "digest": sha256(data.x.tobytes() + data.y.tobytes()).hexdigest(),
        "certificates": [_as_json(halves.certificate) for halves in known],
        "bounds": [bound(text, number, known) for text, number in wrong.items()],
    }


def bound(threshold: str, wrong: int, known: Sequence[Halves]) -> dict[str, Any]:
    """Return what certificates prove at an accuracy that allows some wrong points."""
    counts: dict[str, Count] = {}
    for weights in range(SMALLEST, LARGEST + 1):
        counts[str(weights)] = open_masks(weights, known, wrong)
        flat = all(ruled_out(wires, known, wrong) for wires in _one_input(weights))
        if counts[str(weights)].open or not flat:
            break
    return {
        "threshold": threshold,
        "errors": wrong,
        "lines": max(halves.certificate.lines(wrong) for halves in known),
        "weights": weights,
        "open": {weights: [*count] for weights, count in counts.items()},
    }


def _as_json(of: Certificate) -> dict[str, Any]:
    """Return a certificate as it is recorded."""
    found = {**of._asdict(), "grid": of.grid._asdict()}
    weights = found.pop("weights")
    found["groups"] = [[*g, w] for g, w in zip(of.groups, weights, strict=True)]
    return found
