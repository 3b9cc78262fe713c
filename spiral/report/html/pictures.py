"""The figures of a page, as data in it, with text that stands for them."""

from base64 import b64encode
from typing import NamedTuple

from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import catalogue, files, search, style
from spiral.report.figures.entry import Entry
from spiral.report.figures.rows import Source
from spiral.report.html import commands
from spiral.search import best_known

LARGE = 300_000
"""Bytes of a drawing from which it is a bitmap: that is smaller then, and faster."""


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
    """A figure that cannot be drawn from these rows, and why."""

    name: str
    title: str
    reason: str


def of(source: Source) -> tuple[list[Picture], list[Missing]]:
    """Return the figures of these rows, and why the others cannot be drawn."""
    drawn, missing = [], []
    for entry in catalogue.FIGURES:
        if not entry.in_report:
            continue
        try:
            figure = entry.draw(source)
        except ConfigError as error:
            missing.append(Missing(entry.name, entry.title, str(error)))
            continue
        command = commands.figure(entry.name, source.folders, source.question)
        drawn.append(_picture(entry, figure, command, entry.bitmap))
    return [*drawn, *_best_known(source)], missing


def _picture(entry: Entry, figure: Figure, command: str, bitmap: bool) -> Picture:
    """Return a figure as data; a drawing is a bitmap, too, if it is large."""
    form, found = "svg+xml", b""
    if not bitmap:
        found = style.to_bytes(figure, ".svg")
    if bitmap or len(found) > LARGE:
        form, found = "png", style.to_bytes(figure, ".png")
    data = b64encode(found).decode()
    wide, high = (int(96 * inches) for inches in figure.get_size_inches())
    uri = f"data:image/{form};base64,{data}"
    alt = f"{entry.shows} {' '.join(figure.get_supxlabel().split())}".strip()
    return Picture(entry.name, entry.title, alt, uri, wide, high, command)


def _best_known(source: Source) -> list[Picture]:
    """Return the smallest networks known that reach the thresholds."""
    known = source.known
    if known is None:
        return []
    sizes = [best_known.fewest(known, t) for t in source.question.thresholds]
    leaders = best_known.leaders(known)
    chosen = leaders[leaders["nnz"].isin([size for size in sizes if size])]
    if chosen.empty:
        return []
    entries = chosen.to_dict("records")
    figure = search.inside([files.of_entry(e, source.task) for e in entries])
    command = commands.networks(chosen["nnz"].tolist(), source.question)
    return [_picture(catalogue.find("networks"), figure, command, bitmap=True)]
