"""The figures of a page, as data in it, with text that stands for them."""

from base64 import b64encode
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import catalogue, search, style
from spiral.report.figures.catalogue import Source
from spiral.report.figures.networks import Drawn
from spiral.report.html import commands
from spiral.search import best_known, network

LARGE = 300_000
"""Bytes of a drawing from which it is a bitmap: that is smaller then, and faster."""


class Kind(NamedTuple):
    """A kind of figure: its command, title and what it shows in words."""

    name: str
    title: str
    alt: str
    draw: Callable[[Source], Figure]
    is_map: bool = False
    """Maps are bitmaps; drawings only if they are large."""


class Picture(NamedTuple):
    """A figure as the page has it."""

    name: str
    title: str
    alt: str
    data: str
    """A data URI."""
    width: int
    """Pixels, of 96 to an inch."""
    height: int
    command: str


class Missing(NamedTuple):
    """A figure that these rows do not make, and why."""

    name: str
    title: str
    reason: str


KINDS = (
    Kind(
        "gaps",
        "Ranking",
        "Weights over the optimum that each method needs, with intervals; the table of "
        "gaps has the numbers.",
        catalogue.ranking,
    ),
    Kind(
        "accuracy",
        "Accuracy over the weights kept",
        "Median accuracy of each method over the weights kept, a panel for each width, "
        "with the best networks known; the table of groups has the numbers.",
        catalogue.accuracy,
    ),
    Kind(
        "width",
        "Accuracy over width",
        "Median accuracy of each method over the width of the hidden layers, a panel "
        "for each size; the table of groups has the numbers.",
        catalogue.over_width,
    ),
    Kind(
        "connected",
        "Connection",
        "Share of networks with a path from input to output, and weights on a path, "
        "over the weights kept.",
        catalogue.connected,
    ),
    Kind(
        "fixed",
        "From fixed initial weights",
        "Accuracy of pruners over the weights kept, against the best network that "
        "their initial weights contain.",
        catalogue.from_fixed,
    ),
    Kind(
        "fidelity",
        "Exact algorithms and the paper's code",
        "Probability that each method's exact version beats that of the paper's code.",
        catalogue.fidelity,
    ),
    Kind(
        "pairs",
        "Best networks of each method",
        "Decision maps of each method's best network, beside the best one known.",
        catalogue.best_maps,
        is_map=True,
    ),
)


def of(source: Source) -> tuple[list[Picture], list[Missing]]:
    """Return the figures that these rows make, and why the others are not there."""
    drawn, missing = [], []
    for kind in KINDS:
        try:
            figure = kind.draw(source)
        except ConfigError as error:
            missing.append(Missing(kind.name, kind.title, str(error)))
            continue
        command = commands.figure(kind.name, source.folders, source.question)
        drawn.append(_picture(kind, figure, command))
    drawn += [] if source.known is None else _optima(source)
    return drawn, missing


def _picture(kind: Kind, figure: Figure, command: str) -> Picture:
    """Return a figure as data."""
    form, found = "svg+xml", b""
    if not kind.is_map:
        found = style.to_bytes(figure, ".svg")
    if kind.is_map or len(found) > LARGE:
        form, found = "png", style.to_bytes(figure, ".png")
    data = b64encode(found).decode()
    wide, high = (int(96 * inches) for inches in figure.get_size_inches())
    uri = f"data:image/{form};base64,{data}"
    alt = f"{kind.alt} {' '.join(figure.get_supxlabel().split())}".strip()
    return Picture(kind.name, kind.title, alt, uri, wide, high, command)


def _optima(source: Source) -> list[Picture]:
    """Return the smallest networks known that reach the thresholds."""
    known = source.known
    if known is None:
        return []
    sizes = [best_known.optimum(known, t) for t in source.question.thresholds]
    leaders = best_known.leaders(known)
    chosen = leaders[leaders["nnz"].isin([size for size in sizes if size])]
    if chosen.empty:
        return []
    networks = [
        Drawn(
            f"{row['nnz']} weights, accuracy {row['accuracy']:.4f}",
            *network.unpacked(row["matrices"], np.asarray(row["params"])),
        )
        for row in chosen.to_dict("records")
    ]
    kind = Kind(
        "networks",
        "The sparsest networks known",
        "Graphs of the smallest networks known to reach the accuracies, with a map of "
        "where in the plane each neuron is active.",
        lambda _: search.inside(networks),
        is_map=True,
    )
    command = commands.networks(chosen["nnz"].tolist(), source.question)
    return [_picture(kind, kind.draw(source), command)]
