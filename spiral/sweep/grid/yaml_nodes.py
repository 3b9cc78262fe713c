"""YAML with places: every value keeps its file:line:column for messages.

Scalars follow YAML 1.2, so that ``5e-4`` is a number and ``no`` and ``10:30`` are
strings; PyYAML by itself follows YAML 1.1. A duplicate key is an error; PyYAML would
silently keep the last one.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from spiral import formats
from spiral.errors import ConfigError

MAX_BYTES = 512 * 2**10
"""Takes a second to parse; larger grids should use ranges and listings."""
MAX_MISTAKES = 100
"""Stop after this many: a range of a million wrong values would report each."""
MAX_RANGE = 1_000_000
MAX_VALUES = 5_000_000
"""Over all keys of a file, as aliases and defaults could multiply ranges; equals the
limit on configs."""
RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?")
MAX_DIGITS = 18
"""Of a bound of a range, so that it fits into 64 bits."""
INTEGER = re.compile(r"[-+]?\d+")
FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
NULLS, TRUE, FALSE = ("", "~", "null"), ("true", "True"), ("false", "False")


@dataclass
class Mistakes:
    """Collects all mistakes of an input, to report them at once."""

    found: list[str] = field(default_factory=list)
    values: int = 0
    """Values expanded so far, over all keys."""

    def add(self, place: str, message: str) -> None:
        """Add one mistake; repeated ones are kept once.

        Raises:
            ConfigError: The limit of mistakes is reached.
        """
        text = f"{place}: {message}"
        if text not in self.found:
            self.found.append(text)
        if len(self.found) >= MAX_MISTAKES:
            self.raise_any()

    def count(self, place: str, values: int) -> None:
        """Count values before they are expanded.

        Raises:
            ConfigError: There are too many.
        """
        self.values += values
        if self.values > MAX_VALUES:
            self.add(
                place, f"expected at most {MAX_VALUES:,} values in a grid; split it"
            )
            self.raise_any()

    def raise_any(self) -> None:
        """Raise ConfigError if there are any."""
        if self.found:
            lines = sorted(self.found, key=_position)
            if len(lines) >= MAX_MISTAKES:
                lines.append(f"only the first {len(lines)} mistakes are listed")
            raise ConfigError("\n".join(lines))


def _position(mistake: str) -> tuple[int, ...]:
    """Return line and column of a mistake; mistakes without a place sort last."""
    match = re.search(r":(\d+):(\d+): ", mistake)
    return (int(match[1]), int(match[2])) if match else (sys.maxsize,)


class Item(NamedTuple):
    """One value and its place."""

    value: Any
    place: str


def read(path: Path) -> yaml.Node:
    """Read a file into YAML nodes.

    Raises:
        ConfigError: The file cannot be read or is not YAML, with the place.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # bounded: /dev/zero never ends
        if len(data) > MAX_BYTES:
            raise ConfigError(
                f"{path}: expected at most {MAX_BYTES >> 10} KB; split it"
            )
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected a grid in YAML, got {formats.kind(path)}: "
            f"not UTF-8 text (byte {error.start})"
        ) from None
    try:
        return parse(text, str(path))
    except ConfigError:
        kind = formats.kind(path)
        if kind in ("YAML", "text", "JSON", "an empty file"):
            raise
        raise ConfigError(f"{path}: expected a grid in YAML, got {kind}") from None


def parse(text: str, name: str) -> yaml.Node:
    """Parse YAML text into nodes; ``name`` is the file in messages."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"{where}: not valid YAML: {_plain(error)}") from None
    except yaml.YAMLError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{name}: not valid YAML: {reason}") from None
    except RecursionError:
        raise ConfigError(
            f"{name}: expected a grid, got YAML that is nested too deeply"
        ) from None
    if node is None:
        raise ConfigError(f"{name}:1:1: expected a grid, got an empty file; add blocks")
    node.start_mark.name = name
    return node


def _plain(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong with the YAML, without the parser's token names."""
    problem = str(error.problem)
    if re.search("<[a-z ]+>", problem):
        return (
            "this does not continue the lines above; check the indentation, quotes, "
            "brackets and colons"
        )
    return problem


def place(node: yaml.Node, name: str) -> str:
    """Return file:line:column of a node."""
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def scalar(node: yaml.ScalarNode) -> Any:
    """Return a scalar's value by the rules of YAML 1.2; quoted means string."""
    text = node.value
    if node.style:
        return text
    if text in NULLS:
        return None
    if text in TRUE or text in FALSE:
        return text in TRUE
    # Python refuses to parse very long integers; no column could hold them anyway
    if INTEGER.fullmatch(text) and len(text) < 40:
        return int(text)
    if FLOAT.fullmatch(text):
        return float(text)
    return text


def mapping(
    node: yaml.Node, name: str, mistakes: Mistakes
) -> dict[str, tuple[str, yaml.Node]]:
    """Return key → (its place, value node); report duplicates and non-mappings."""
    found: dict[str, tuple[str, yaml.Node]] = {}
    if not isinstance(node, yaml.MappingNode):
        mistakes.add(place(node, name), "expected `key: value` lines")
        return found
    for key_node, value in node.value:
        where = place(key_node, name)
        if not isinstance(key_node, yaml.ScalarNode):
            mistakes.add(where, "expected a plain string as key")
        elif key_node.value in found:
            first = found[key_node.value][0]
            mistakes.add(
                where,
                f"{key_node.value}: expected once, got it again (first at {first})",
            )
        else:
            found[key_node.value] = (where, value)
    return found


Special = Callable[[yaml.MappingNode], list[Item]]
"""Reads the values of a mapping in place of a value."""


def items(
    node: yaml.Node, name: str, mistakes: Mistakes, special: Special | None = None
) -> list[Item]:
    """Return the values of one key: a scalar, a range ``a..b``, or a list of these.

    Mappings are allowed where ``special`` reads them.
    """
    several = isinstance(node, yaml.SequenceNode)
    found: list[Item] = []
    size = sum(map(_count, node.value if several else [node]))
    if size > MAX_RANGE:
        mistakes.add(place(node, name), f"expected at most {MAX_RANGE:,} values")
        return []
    mistakes.count(place(node, name), size)
    for part in node.value if several else [node]:
        if isinstance(part, yaml.ScalarNode):
            found += _expand(part, name, mistakes)
        elif special and isinstance(part, yaml.MappingNode):
            listed = special(part)
            mistakes.count(place(part, name), len(listed))
            found += listed
        else:
            what = "plain value" if several else "value or a list of values"
            mistakes.add(place(part, name), f"expected a {what}")
        if len(found) > MAX_RANGE:
            text = f"expected at most {MAX_RANGE:,} values"
            mistakes.add(place(node, name), text)
            return []
    if several and not node.value:
        mistakes.add(place(node, name), "expected a list of values, got an empty one")
    return found


def _count(node: yaml.Node) -> int:
    """Return how many values a part of a list expands to."""
    match = RANGE.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if match is None or max(map(len, match.groups(default=""))) > MAX_DIGITS:
        return 1
    length = (int(match[2]) - int(match[1])) // max(1, int(match[3] or 1)) + 1
    return length if 0 < length <= MAX_RANGE else 1  # _expand reports others


def _expand(node: yaml.ScalarNode, name: str, mistakes: Mistakes) -> Iterator[Item]:
    """Yield the values of one scalar; a range includes both ends."""
    where = place(node, name)
    match = RANGE.fullmatch(node.value) if not node.style else None
    if match is None:
        yield Item(scalar(node), where)
        return
    if max(map(len, match.groups(default=""))) > MAX_DIGITS:
        mistakes.add(where, f"range {node.value}: expected at most {MAX_DIGITS} digits")
        return
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if last < first or step == 0:
        mistakes.add(
            where, f"range {node.value}: expected low..high[..step], got an empty range"
        )
    elif (last - first) // step >= MAX_RANGE:
        mistakes.add(
            where, f"range {node.value}: expected at most {MAX_RANGE:,} values"
        )
    else:
        for value in range(first, last + 1, step):
            yield Item(value, where)
