"""A sweep file of another tool as the text of a grid to edit."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from spiral.errors import ConfigError
from spiral.model import mlp
from spiral.protocol.config import Config, fields
from spiral.sweep.grid import grid, yaml_nodes
from spiral.sweep.grid.imports import hydra, wandb
from spiral.sweep.grid.imports.found import Foreign, Left, Walk
from spiral.sweep.grid.imports.mapping import Mapped, Translation, translate
from spiral.sweep.grid.yaml_nodes import Mistakes

TOOLS = (wandb, hydra)
MAX_COMMENT = 200
FEWEST = 4
"""Integers in a row from which they are written as a range."""


class Imported(NamedTuple):
    """A grid made of a sweep file."""

    tool: str
    text: str
    """The grid, with what has no counterpart in comments."""
    mapped: list[Mapped]
    left: list[Left]
    mistakes: list[str]
    """What `plan` reports of the grid; none if every key was mapped."""


def read(path: Path) -> Imported:
    """Read a sweep file of W&B or Hydra.

    Raises:
        ConfigError: It is none, cannot be read, or is too large.
    """
    mistakes = Mistakes()
    root = yaml_nodes.read(path)
    tool = next((tool for tool in TOOLS if tool.recognises(root)), None)
    if tool is None:
        raise ConfigError(
            f"{path}: expected a W&B sweep (with the key parameters) or a Hydra sweep "
            "(with the key hydra, or a list of overrides), got neither"
        )
    found = tool.read(root, Walk(str(path), mistakes))
    mistakes.raise_any()
    made = translate(found.keys)
    left = sorted([*found.left, *made.left], key=lambda one: _line(one.place))
    text = "\n".join(_text(path, found, made, left)) + "\n"
    return Imported(
        found.tool, text, [*made.keys.values()], left, _mistakes(text, path.stem)
    )


def _line(place: str) -> tuple[int, ...]:
    """Return line and column of a place."""
    return tuple(int(part) for part in place.rsplit(":", 2)[1:])


def _mistakes(text: str, name: str) -> list[str]:
    """Return the mistakes of a grid."""
    try:
        grid.loads(text, name)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def _text(
    path: Path, found: Foreign, made: Translation, left: Sequence[Left]
) -> Iterator[str]:
    """Yield the lines of the grid."""
    yield comment(f"from {path.name}, a {found.tool}; edit it, then `plan` it")
    yield f"name: {value(found.about.get('name') or path.stem or 'imported')}"
    if found.about.get("description"):
        yield f"description: {value(found.about['description'])}"
    order = [*fields(Config)]
    rank = {name: number for number, name in enumerate(order)}
    for each in sorted(made.keys.values(), key=lambda m: rank.get(m.field, len(order))):
        source = " ".join(filter(None, (each.name or "added:", each.note)))
        yield f"{each.field}: {values(each.values)}  {comment(source)}"
    if _exceeds(made):
        yield f"where: keep <= weights  {comment('narrow networks have fewer weights')}"
    if left:
        yield ""
        yield comment("without counterpart:")
    for one in left:
        if one.suggested:
            yield comment(f"{one.field}: {values(one.suggested)}")
        yield comment(f"  {one.place}: {one.name}: {one.why}")


def _exceeds(made: Translation) -> bool:
    """Return whether some of the widths have fewer weights than ``keep`` asks for."""
    if "keep" not in made.keys:
        return False
    narrowest = mlp.weight_count(int(min(made.values("width"))))
    return max(made.values("keep")) > narrowest


def comment(text: str) -> str:
    """Return a comment of one line; text of the file cannot end it."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    cut = shown if len(shown) <= MAX_COMMENT else f"{shown[:MAX_COMMENT]} …"
    return f"# {cut}"


def values(several: Sequence[Any]) -> str:
    """Return values as a grid has them: one, a range, or a list."""
    if len(several) == 1:
        return value(several[0])
    if all(type(each) is int for each in several) and len(several) >= FEWEST:
        first, step, last = several[0], several[1] - several[0], several[-1]
        if step > 0 and list(several) == list(range(first, last + 1, step)):
            return f"{first}..{last}" + (f"..{step}" if step > 1 else "")
    return f"[{', '.join(map(value, several))}]"


def value(one: Any) -> str:
    """Return a value as YAML 1.2 has it, on one line."""
    if isinstance(one, bool) or one is None:
        return {True: "true", False: "false", None: "null"}[one]
    if isinstance(one, int | float):
        return repr(one)
    plain = yaml_nodes.scalar(yaml.ScalarNode("", one)) == one
    simple = plain and one.replace("_", "").replace("-", "").isalnum()
    return one if simple and one.isascii() else _quoted(one)


def _quoted(text: str) -> str:
    """Return a string in double quotes, with escapes where YAML needs them."""
    dumped: str = yaml.safe_dump(text, default_style='"', width=10**9)
    return dumped.rstrip("\n")
