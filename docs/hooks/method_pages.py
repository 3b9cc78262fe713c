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
from spiral.report.text.document import interval
from spiral.search import best_known

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
CODE = re.compile(r"code: ([\w.-]+/[\w.-]+)")


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
def ranked() -> standings.Standings:
    """Return the standings at the width of the figures."""
    return standings.shipped(registry.options())


@cache
def _scored() -> tuple[dict[str, dict[str, Any]], ...]:
    """Return the scores of each method, and what tables show of them."""
    tables = ranked().scores, text.table(ranked())
    return tuple(table.set_index("method").to_dict("index") for table in tables)


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
    text = CODE.sub(r"code: [\1](https://github.com/\1)", text)
    return f"**Source:** {text}"


# ---- score and figure


def _score(name: str) -> str:
    """Return the gap and the rank of a method, and its figure."""
    found = ranked()
    line, shown = (lines[name] for lines in _scored())
    gap = f"{line['gap']:.2f} ({interval(line['gap_low'], line['gap_high'], 2)})"
    methods = len(found.scores)
    return f"""## How close it comes

The [normalised gap](../statistics.md#the-normalised-gap) **G** to the best known
networks is **{gap}**, where 0 is as good as they are and 1 is chance. Its rank is
**{shown["rank"]}** of {methods} methods. These are 95 % limits over {line["n"]:.0f}
seeds, at width {found.width} and {found.tried[0]} to {found.tried[-1]} weights, after
tuning over {line["settings"]:.0f} settings of learning rate and schedule. So few seeds
separate few methods and flatter those in front:
[Findings](../findings.md) has the leaders with 64 further seeds.

{_needed(shown["median"], found.tried[-1])}

![Median accuracy of {name} over the weights kept, and of the best networks known]\
({name}.svg)

```sh
spiral-sweep plot accuracy standard --methods {name} --width {found.width}
spiral-sweep rank
```
"""


def _needed(median: str, most: int) -> str:
    """Return in a sentence how many weights half of the seeds need for 95 %."""
    if median.startswith(">"):
        return (
            f"At no size up to {most} weights do half of the seeds reach 95 % accuracy."
        )
    return (
        f"Half of the seeds begin to reach 95 % accuracy at {median} weights; in "
        "brackets what that is beyond the best known."
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
