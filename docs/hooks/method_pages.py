"""A page for each method, from its entry, its docstring and the shipped standings."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from spiral.cli import methods as told
from spiral.methods import registry
from spiral.methods.entry import Entry, method_class
from spiral.methods.registry import METHODS
from spiral.protocol import config
from spiral.report.figures import accuracy, style
from spiral.report.stats import standings
from spiral.report.text import standings as text
from spiral.search import best_known
from spiral.sweep.grid import shipped

FOLDER = "methods"

FAMILIES = {
    "controls": "Controls",
    "magnitude": "Magnitude",
    "at_init": "At initialisation",
    "dynamic": "Dynamic sparse training",
    "forward_mask": "Masks in the forward pass",
    "learned": "Learned masks",
    "second_order": "Second order",
    "layerwise": "Layer by layer",
    "units": "Hidden units",
    "retraining": "Retraining",
}
"""Folder below ``spiral/methods`` → its title."""

DEPARTS = ("Departure", "Assumption")
"""How the part of a docstring begins that tells a method from its source."""

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
CODE = re.compile(r"code: ([\w.\\-]+/[\w.\\-]+)")
"""The code of a method on GitHub, with underscores as ``_prose`` has them."""


def family(name: str) -> str:
    """Return the title of the family of a method: that of the folder of its class."""
    module = method_class(METHODS[name]).__module__
    return FAMILIES[module.split(".")[2]]


def nav() -> list[dict[str, list[str]]]:
    """Return the pages by family, in the order of the registry."""
    found: dict[str, list[str]] = {title: [] for title in FAMILIES.values()}
    for name in METHODS:
        found[family(name)].append(f"{FOLDER}/{name}.md")
    return [{title: pages} for title, pages in found.items()]


@cache
def ranked(width: int = standings.WIDTH) -> standings.Standings:
    """Return the standings at a width; without one, at that of the figures."""
    return standings.shipped(registry.options(), width)


@cache
def _scored(width: int) -> tuple[dict[str, dict[str, Any]], ...]:
    """Return the scores of each method at a width, and what tables show of them."""
    found = ranked(width)
    tables = found.scores, text.table(found)
    return tuple(table.set_index("method").to_dict("index") for table in tables)


@cache
def _widths() -> list[int]:
    """Return the widths of the standings."""
    return sorted(shipped.load("standard").configs["width"].unique().tolist())


@cache
def _known() -> accuracy.Known:
    """Return the best accuracy known of each size, of networks that fit."""
    fitting = best_known.within(best_known.load(), ranked().width)
    return {kind: best_known.best(fitting, kind) for kind in accuracy.KNOWN}


def files(drawn: Collection[str]) -> Iterator[tuple[str, str | bytes]]:
    """Yield the place and the content of every page and figure.

    Args:
        drawn: The methods of which the page of networks has one.
    """
    style.register(registry.looks())
    scored = {*ranked().scores["method"]}
    for name, entry in METHODS.items():
        yield f"{FOLDER}/{name}.md", page(name, entry, name in scored, name in drawn)
        if name in scored:
            yield f"{FOLDER}/{name}.svg", figure(name)


def page(name: str, entry: Entry, scored: bool, drawn: bool) -> str:
    """Return the page of a method.

    Args:
        name: Its name in a grid.
        entry: What the registry knows of it.
        scored: Whether it is in the standings.
        drawn: Whether the page of networks has one of it.
    """
    _, mechanism, departures = described(entry)
    parts = [
        f"# `{name}`",
        f"{_sentence(entry.summary)} {_classified(entry)}",
        _linked(entry.citation),
        mechanism,
        _score(name) if scored else _unscored(name),
        _network(name) if drawn else "",
        _options(entry),
        f"## Departures from the source\n\n{departures}" if departures else "",
        _use(name, scored),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def described(entry: Entry) -> tuple[str, str, str]:
    """Return what a method's docstring has: its title, mechanism and departures."""
    title, *paragraphs = _prose(told.notes(entry)).split("\n\n")
    starts = [n for n, text in enumerate(paragraphs) if text.startswith(DEPARTS)]
    first = starts[0] if starts else len(paragraphs)
    return title, "\n\n".join(paragraphs[:first]), "\n\n".join(paragraphs[first:])


def _prose(text: str) -> str:
    """Return text in which underscores and ``<`` outside of code are themselves."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([_<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _sentence(text: str) -> str:
    """Return a summary as a sentence."""
    return f"{_prose(text[0].upper() + text[1:])}."


def _classified(entry: Entry) -> str:
    """Return in a sentence what a method removes, when, and what trains."""
    kind = entry.taxonomy
    if kind.when == "never":
        return "It removes nothing."
    removed = {"weight": "weights", "neuron": "hidden units"}.get(kind.unit, kind.unit)
    return f"It removes {removed} {kind.when} training."


def _linked(citation: str) -> str:
    """Return a citation with links to the paper and its code."""
    text = ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", _prose(citation))
    return f"**Source:** {CODE.sub(_repository, text)}"


def _repository(found: re.Match[str]) -> str:
    """Return a link to a repository."""
    place = found[1].replace("\\", "")
    return f"code: [{found[1]}](https://github.com/{place})"


# ---- score and figure


def _score(name: str) -> str:
    """Return the gaps and ranks of a method, and its figure."""
    found = ranked()
    _, shown = (lines[name] for lines in _scored(found.width))
    return f"""## How close it comes

The [normalised gap](../statistics.md#the-normalised-gap) **G** to the best known
networks: 0 is as good as they are, 1 is chance.

{_gaps(name)}

The columns: the weights over which G is averaged, G with its 95 % interval over n
seeds, the limits of the rank, and the settings of learning rate and schedule tried. Few
seeds separate few methods and flatter those in front: [Findings](../findings.md) has
the leaders with 64 further seeds.

{_needed(shown["median"], found.width, found.tried[-1])}

![Median accuracy of {name} over the weights kept, and of the best networks known]\
({name}.svg)

```sh
spiral-sweep plot accuracy standard --methods {name} --width {found.width}
spiral-sweep rank --width {found.width}
```
"""


def _gaps(name: str) -> str:
    """Return a table of a method's gap and rank at each width of the standings."""
    head = ["width", "weights", "G", "rank", "settings", "n"]
    lines = [head, ["---"] * len(head)]
    for width in _widths():
        line, shown = (lines.get(name) for lines in _scored(width))
        if line is not None and shown is not None:
            sizes = f"{line['least']:.0f}–{line['most']:.0f}"
            rank = f"{shown['rank']} of {len(ranked(width).scores)}"
            counts = [f"{line[column]:.0f}" for column in ("settings", "n")]
            lines.append([str(width), sizes, f"**{shown['gap']}**", rank, *counts])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _needed(median: str, width: int, most: int) -> str:
    """Return in a sentence how many weights half of the seeds need for 95 %."""
    if median.startswith(">"):
        return (
            f"At width {width}, half of the seeds reach 95 % accuracy at no size up to "
            f"{most} weights."
        )
    return (
        f"At width {width}, half of the seeds begin to reach 95 % accuracy at {median} "
        "weights; in brackets what that is beyond the best known."
    )


def _unscored(name: str) -> str:
    """Return why a method has no rank."""
    return (
        f"`{name}` is not in the [standings](../methods.md#ranking): they rank methods "
        "that find masks."
    )


def _network(name: str) -> str:
    """Return a link to a network of a method, to look at, prune and train."""
    return f"[Open a network that `{name}` found](../gallery.html#a={name})"


def figure(name: str) -> bytes:
    """Return the accuracy of a method over the weights kept, as SVG."""
    found = ranked()
    lines = found.sizes[found.sizes["method"] == name]
    drawing = accuracy.accuracy(lines, {found.width: _known()})
    return style.to_bytes(drawing, ".svg")


# ---- options


def _options(entry: Entry) -> str:
    """Return a table of a method's options."""
    fields = config.fields(entry.options).values()
    if not fields:
        return "## Options\n\nNone but those of [all methods](../keys.md)."
    lines = ["| option | meaning | values | default |", "| --- | --- | --- | --- |"]
    for option in fields:
        cells = (
            f"`{option.name}`",
            option.description,
            told.legal_text(option.legal()) + _unit(option),
            _default(entry, option),
        )
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "## Options\n\n" + "\n".join(lines)


def _unit(option: config.ConfigField) -> str:
    """Return the unit of a number in brackets, if it has one."""
    return f" ({option.unit})" if option.unit not in (None, "-") else ""


def _default(entry: Entry, option: config.ConfigField) -> str:
    """Return the default of an option with its origin, and what presets set."""
    presets = told.presets(entry, option.name).items()
    values = [f"{value} under `{selector}`" for selector, value in presets]
    return "; ".join([told.default_text(option).removeprefix("default "), *values])


def _cell(text: str) -> str:
    """Return text that ends no cell of a table."""
    return _prose(text).replace("|", "\\|").replace("\n", " ")


def _use(name: str, scored: bool) -> str:
    """Return the commands with which readers go on."""
    train = f"spiral-sweep rank --method {name} --quick\n" if scored else ""
    return f"""## Use it

```sh
spiral-sweep methods {name}    # this page in short
{train}```

[All methods](../methods.md#all-methods) · [Write a grid](../grids.md)
"""
