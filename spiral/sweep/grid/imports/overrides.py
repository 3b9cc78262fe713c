"""Values in the override grammar of Hydra: ``0.1,0.2``, ``range(1,5)`` and others.

Source: "Extended Override syntax" of Hydra's documentation. The grammar is parsed,
never evaluated.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.imports import numbers
from spiral.sweep.grid.imports.found import MAX_VALUES, Swept, too_many

CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
NAMED = re.compile(r"(\w+)\s*=\s*(.*)", re.DOTALL)
MAX_NESTED = 20
"""Brackets in one value."""
OPEN, CLOSE, QUOTES = "([{", ")]}", "'\""

LOGARITHMIC = "log"
"""The tag by which sweepers mark an interval as logarithmic."""


def parse(text: str) -> Swept:
    """Return the values of an override."""
    if sum(map(text.count, OPEN)) > MAX_NESTED:
        return Swept(why=f"expected at most {MAX_NESTED} brackets in a value")
    return _parsed(text)


def _parsed(text: str) -> Swept:
    """Return the values of a text with few brackets."""
    parts = split(text)
    if len(parts) > 1:
        return _choice(parts)
    call = CALL.fullmatch(text.strip())
    if call is None:
        return _choice([text])
    if call[1] not in FUNCTIONS:
        return Swept(why=f"{call[1]}(…) has no counterpart")
    return FUNCTIONS[call[1]](split(call[2]))


def split(text: str) -> list[str]:
    """Return the parts between commas that are in no brackets and quotes."""
    parts, begin, depth, quote = [], 0, 0, ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        elif letter in OPEN:
            depth += 1
        elif letter in CLOSE:
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:])]


def element(text: str) -> Any:
    """Return a value that is written as in YAML; None for what is no plain value."""
    if len(text) > 1 and text[0] in QUOTES and text[-1] == text[0]:
        return text[1:-1]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not text or text[0] in OPEN or "${" in text or CALL.fullmatch(text):
        return None
    return yaml_nodes.scalar(yaml.ScalarNode("", text))


def _choice(parts: list[str]) -> Swept:
    """Return the values of a list."""
    if len(parts) > MAX_VALUES:
        return too_many(len(parts))
    values = tuple(map(element, parts))
    if None in values:
        part = parts[values.index(None)][:40]
        return Swept(why=f"{part!r} is no plain value, and has no counterpart")
    return Swept(values)


def _arguments(parts: list[str], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of a call by their names, as in Python."""
    found = {}
    for name, part in zip(names, parts, strict=False):
        named = NAMED.fullmatch(part)
        key, text = (named[1], named[2]) if named else (name, part)
        found[key] = numbers.number(element(text))
    return found


def _range(parts: list[str]) -> Swept:
    """Return the numbers of ``range([start,] stop[, step])``, without the last."""
    given = _arguments(parts, ("start", "stop", "step"))
    if "stop" not in given:
        given = {"start": 0, "stop": given.get("start")}
    given.setdefault("step", 1)
    start, stop, step = (given.get(name) for name in ("start", "stop", "step"))
    if start is None or stop is None or step is None:
        return Swept(why="range: expected numbers")
    return numbers.steps(start, stop, step, False)


def _interval(parts: list[str], logarithmic: bool = False) -> Swept:
    """Suggest values of ``interval(start, end)``."""
    given = _arguments(parts, ("start", "end"))
    low, high = given.get("start"), given.get("end")
    if low is None or high is None:
        return Swept(why="interval: expected two numbers")
    return numbers.between(low, high, "an interval", logarithmic)


def _inner(parts: list[str]) -> Swept:
    """Return the values of a call that only orders them."""
    return _parsed(",".join(part for part in parts if not NAMED.fullmatch(part)))


def _tagged(parts: list[str]) -> Swept:
    """Return the values of ``tag(name, …, sweep)``."""
    call = CALL.fullmatch(parts[-1])
    if call and call[1] == "interval":
        return _interval(split(call[2]), LOGARITHMIC in parts[:-1])
    return _parsed(parts[-1])


def _cast(kind: Callable[[Any], Any]) -> Callable[[list[str]], Swept]:
    """Return what converts the values of a sweep."""

    def cast(parts: list[str]) -> Swept:
        found = _inner(parts)
        try:
            return found._replace(values=tuple(map(kind, found.values)))
        except (ValueError, OverflowError):
            return Swept(why=f"a value is no {kind.__name__}")

    return cast


def _none(parts: list[str]) -> Swept:
    """Return what cannot be known from the file alone."""
    return Swept(why="glob(…) names files of the program; list its values")


FUNCTIONS: dict[str, Callable[[list[str]], Swept]] = {
    "choice": _choice,
    "range": _range,
    "interval": _interval,
    "shuffle": _inner,
    "sort": _inner,
    "tag": _tagged,
    "int": _cast(int),
    "float": _cast(float),
    "str": _cast(str),
    "glob": _none,
}
