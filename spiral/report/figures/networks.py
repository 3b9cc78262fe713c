"""Networks as graphs: units as dots, or as maps of when they are active."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes

from spiral.model import masks, mlp
from spiral.report.figures import style
from spiral.tasks import catalogue

SIGNS = style.CLASSES
"""Negative and positive weights, in the colours of the class that each pushes the
output to, as in the viewer."""
INPUTS = ("x₁", "x₂")


class Drawn(NamedTuple):
    """A network to draw."""

    title: str
    mask: Bool[np.ndarray, " P"]
    params: Float[np.ndarray, " P"]
    width: int
    task: str = catalogue.DEFAULT
    """The task whose window and points its maps show."""


class Parts(NamedTuple):
    """What of a network is drawn, layer by layer."""

    units: list[np.ndarray]
    """The units of inputs, hidden layers and output that keep a weight."""
    alive: list[Bool[np.ndarray, " units"]]
    """Of these: whether they lie on a path from input to output."""
    weights: list[Float[np.ndarray, "out in"]]
    kept: list[Bool[np.ndarray, "out in"]]
    useful: list[Bool[np.ndarray, "out in"]]
    """Weights on a path."""


def parts(network: Drawn) -> Parts:
    """Split a network into what is drawn."""
    weights = [w for w, _ in mlp.matrices(network.params, network.width)]
    kept = [w for w, _ in mlp.matrices(network.mask, network.width)]
    flat = masks.on_path(network.mask[None], network.width)[0]
    useful = [
        flat[layer.columns].reshape(layer.outputs, layer.inputs)
        for layer in mlp.layers(network.width)
    ]
    units, ends = _units(kept), _units(useful)
    ends[0] = np.flatnonzero(useful[0].any(axis=0))
    alive = [np.isin(a, b) for a, b in zip(units, ends, strict=True)]
    return Parts(units, alive, weights, kept, useful)


def graph(axes: Axes, network: Drawn) -> None:
    """Draw a network: width of an edge by |w|, colour by sign, dead parts grey."""
    found = parts(network)
    places = [_heights(len(layer)) for layer in found.units]
    ends = [[(float(i), float(y)) for y in p] for i, p in enumerate(places)]
    _edges(axes, found, (ends, ends), found.alive)
    for layer, alive in zip(ends, found.alive, strict=True):
        for (x, y), lives in zip(layer, alive, strict=True):
            colour = style.INK if lives else style.PALE
            axes.plot([x], [y], "o", color=colour, markersize=6, zorder=3)
    for (x, y), name in zip(ends[0], INPUTS, strict=True):
        axes.annotate(name, (x - 0.12, y), ha="right", va="center")
    high = max(layer[0] for layer in places) + 0.2
    axes.set(xlim=(-0.5, 4.3), ylim=(-high, high), title=style.plain(network.title))
    axes.axis("off")


STEP = 1.2
"""Distance of maps of one layer, a map being 1."""
APART = 2.1
"""Distance of layers."""


def neurons(axes: Axes, network: Drawn, maps: Sequence[np.ndarray]) -> None:
    """Draw a network as a graph of maps: where in the plane each unit is active.

    Darker is more active, each unit by its own scale; the line is where it starts. The
    output shows its opinion. Units that are not on a path, or never active, are grey.

    Args:
        axes: Where to draw.
        network: Its weights.
        maps: Values of each layer's units on a square grid, [units, G, G], the lowest
            row first: inputs, hidden layers (before ReLU), output.
    """
    found = parts(network)
    shown = [m[units] for m, units in zip(maps, found.units, strict=True)]
    alive = [found.alive[0], *map(_living, shown[1:-1], found.alive[1:-1])]
    alive.append(found.alive[-1])
    ends = [
        [(APART * number, STEP * y) for y in _spread(len(layer))]
        for number, layer in enumerate(shown)
    ]
    out = [[(x + 0.5, y) for x, y in layer] for layer in ends]
    into = [[(x - 0.5, y) for x, y in layer] for layer in ends]
    _edges(axes, found, (out, into), alive)
    for number, layer in enumerate(ends):
        for (x, y), z, lives in zip(layer, shown[number], alive[number], strict=True):
            kind = "in" if number == 0 else "out" if number == len(ends) - 1 else "unit"
            _tile(axes, (x, y), z, kind if lives else "dead")
    for (x, y), name in zip(ends[0], INPUTS, strict=True):
        axes.annotate(name, (x - 0.62, y), ha="right", va="center")
    high = STEP * max(len(layer) for layer in shown) / 2 + 0.1
    axes.set(xlim=(-1.0, 4 * APART + 0.6), ylim=(-high, high), aspect="equal")
    axes.set_title(style.plain(network.title))
    axes.axis("off")


def tallest(network: Drawn) -> float:
    """Return how many inches high :func:`neurons` should be, at eight wide."""
    return 0.6 + 0.95 * max(len(units) for units in parts(network).units)


def _living(
    maps: Float[np.ndarray, "units G G"], on_path: Bool[np.ndarray, " units"]
) -> Bool[np.ndarray, " units"]:
    """Return which units are active anywhere and lie on a path."""
    return on_path & (maps > 0).any(axis=(1, 2))


def _tile(
    axes: Axes, centre: tuple[float, float], z: Float[np.ndarray, "G G"], kind: str
) -> None:
    """Draw the map of one unit, of half side 0.5."""
    x, y = centre
    area = (x - 0.5, x + 0.5, y - 0.5, y + 0.5)
    values = np.maximum(z, 0) / max(float(z.max()), 1e-30)
    looks: dict[str, tuple[np.ndarray, Any, tuple[float, float]]] = {
        "in": (z, "Greys", (float(z.min()), float(z.max()))),
        "unit": (values, "Purples", (0.0, 1.1)),
        "dead": (np.zeros_like(z), "Greys", (-0.15, 1.0)),
        "out": (np.tanh(z / 2), style.OPINION, (-1.0, 1.0)),
    }
    shade, colours, (low, high) = looks[kind]
    axes.imshow(
        shade, origin="lower", extent=area, cmap=colours, vmin=low, vmax=high, zorder=2
    )
    if kind in ("unit", "out") and z.min() < 0 < z.max():
        across, up = (np.linspace(a, a + 1, len(z)) for a in (area[0], area[2]))
        axes.contour(across, up, z, levels=[0.0], colors=style.INK, linewidths=0.7)
    colour = style.PALE if kind == "dead" else style.INK
    axes.add_patch(
        mpl.patches.Rectangle(
            (area[0], area[2]), 1, 1, fill=False, color=colour, zorder=4, linewidth=0.8
        )
    )


def _edges(
    axes: Axes,
    found: Parts,
    ends: tuple[list[list[tuple[float, float]]], list[list[tuple[float, float]]]],
    alive: list[Bool[np.ndarray, " units"]],
) -> None:
    """Draw kept weights from where units give to where units take."""
    out, into = ends
    sizes = [np.abs(w).max() for w in found.weights]
    largest = max(*map(float, sizes), 1e-30)
    for number, (w, k, u) in enumerate(
        zip(found.weights, found.kept, found.useful, strict=True)
    ):
        for j, after in enumerate(found.units[number + 1]):
            for i, before in enumerate(found.units[number]):
                if not k[after, before]:
                    continue
                lives = alive[number][i] and alive[number + 1][j] and u[after, before]
                value = float(w[after, before])
                (x0, y0), (x1, y1) = out[number][i], into[number + 1][j]
                axes.plot(
                    [x0, x1],
                    [y0, y1],
                    color=SIGNS[int(value > 0)] if lives else style.PALE,
                    lw=0.4 + 3.6 * abs(value) / largest,
                    zorder=1,
                )


def _units(kept: Sequence[Bool[np.ndarray, "out in"]]) -> list[np.ndarray]:
    """Return the units of every layer that have a weight, in or out."""
    hidden = [
        np.flatnonzero(before.any(axis=1) | after.any(axis=0))
        for before, after in pairwise(kept)
    ]
    return [np.arange(mlp.INPUTS), *hidden, np.arange(1)]


def _spread(count: int) -> Float[np.ndarray, " count"]:
    """Return places of units one apart, top first."""
    return (count - 1) / 2 - np.arange(count, dtype=np.float64)


def _heights(count: int) -> Float[np.ndarray, " count"]:
    """Return places of units, top first, closer where there are many."""
    return np.linspace(0.5, -0.5, count) * 2 * (count - 1) / max(count, 4)
