"""Families of tasks and their parameters: kinds of values, defaults, bounds."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from spiral.tasks.task import Raw

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
LONGEST = 18
"""Characters of the longest number in a name."""

SLIP = 1e-9
"""Rounding errors of a multiple: 0.07 is not exactly 7 · 0.01."""


class Kind(Protocol):
    """The legal values of a parameter."""

    @property
    def expected(self) -> str:
        """The legal values in words, to complete "expected"."""

    def read(self, value: object) -> Any:
        """Return a value given as text or by YAML; raise ValueError if illegal."""

    def write(self, value: Any) -> str:
        """Return the only text of a legal value that names contain."""


class Whole(NamedTuple):
    """Whole numbers within bounds."""

    least: int
    most: int

    @property
    def expected(self) -> str:
        """The legal values in words."""
        return f"a whole number from {self.least:,} to {self.most:,}"

    def read(self, value: object) -> int:
        """Return a value; raise ValueError if it is not legal."""
        found = number(value)
        if found != int(found) or not self.least <= found <= self.most:
            raise ValueError(self.expected)
        return int(found)

    def write(self, value: int) -> str:
        """Return the text of a value."""
        return str(value)


class Multiple(NamedTuple):
    """Multiples of a number of few decimals, within bounds."""

    of: float
    least: float
    most: float

    @property
    def expected(self) -> str:
        """The legal values in words."""
        return f"a multiple of {self.of:g} from {self.least:g} to {self.most:g}"

    def read(self, value: object) -> float:
        """Return a value; raise ValueError if it is not legal."""
        given = number(value)
        found = float(self.write(self.of * round(given / self.of)))
        if abs(found - given) > SLIP or not self.least <= found <= self.most:
            raise ValueError(self.expected)
        return found

    def write(self, value: float) -> str:
        """Return the text of a value, a whole number without a point."""
        return f"{value:g}"


class Sizes(NamedTuple):
    """Sizes of several layers, ``4-3-2`` or a list in YAML."""

    layers: int
    least: int
    most: int

    @property
    def expected(self) -> str:
        """The legal values in words."""
        example = "-".join(["4", "3", "2"][: self.layers])
        return f"{self.layers} sizes from {self.least} to {self.most} like {example}"

    def read(self, value: object) -> tuple[int, ...]:
        """Return a value; raise ValueError if it is not legal."""
        parts = value.split("-") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or len(parts) != self.layers:
            raise ValueError(self.expected)
        return tuple(Whole(self.least, self.most).read(part) for part in parts)

    def write(self, value: tuple[int, ...]) -> str:
        """Return the text of a value."""
        return "-".join(map(str, value))


def number(value: object) -> float:
    """Return a number given as text or by YAML; raise ValueError if it is none."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST or not NUMBER.fullmatch(text):
            raise ValueError("a number")
        return float(text)
    # A bool is an int, but `sides: true` is a mistake. Larger ones are beyond bounds.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    if not abs(value) < 10**LONGEST:
        raise ValueError("a number")
    return float(value)


class Parameter(NamedTuple):
    """A parameter of a family."""

    name: str
    kind: Kind
    default: Any
    meaning: str


POINTS = Parameter(
    "points", Whole(1_000, 1_000_000), 50_000, "number of points, approximately"
)


def anything(**_: Any) -> None:
    """Accept every combination of parameters."""


class Family(NamedTuple):
    """Tasks that differ in parameters; its name alone is that of the defaults."""

    name: str
    meaning: str
    build: Callable[..., Raw]
    """From the parameters, by name, to raw points; may raise ConfigError."""
    parameters: tuple[Parameter, ...]
    check: Callable[..., None] = anything
    """Raises ConfigError if no task has these parameters together."""
