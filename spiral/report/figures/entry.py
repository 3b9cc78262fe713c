"""What the catalogue of figures knows of each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from matplotlib.figure import Figure

Takes = Literal[
    "rows",
    "transfer",
    "budgets",
    "network",
    "trainings",
    "frontier",
    "tasks",
    "study",
]
"""Where the numbers come from: rows of launches (a ``rows.Source``), rows of several
tasks (``found``), rows of several budgets (``folders``, ``methods`` and ``where``), one
network (``out`` and ``config_id``), the trainings of a search (``out``), a frontier
(``path``), tasks (``names``), or what a study has measured (``found``)."""

Kind = Literal["sizes", "size", "levels", "flag", "count"]
"""The type of an option: whole numbers, one of them, accuracies, a flag, or what counts
as the size of a network."""


class Option(NamedTuple):
    """An option of a figure, beyond those of where its numbers come from."""

    name: str
    parameter: str
    """The argument of ``draw``."""
    kind: Kind
    help: str
    example: str | None = None


@dataclass(frozen=True)
class Entry:
    """A figure."""

    name: str
    """Of its command and of its file."""
    title: str
    shows: str
    """What is plotted, in a sentence; the text that stands for it on the page."""
    takes: Takes
    draw: Callable[..., Figure]
    options: tuple[Option, ...] = ()
    in_report: bool = False
    bitmap: bool = False
    """Whether the page has it as a bitmap: maps are smaller and faster as one."""
    aliases: tuple[str, ...] = ()
    """Former names of the command."""

    @property
    def command(self) -> str:
        """The command that draws it; ``diagnose`` measures before it draws."""
        group = "diagnose" if self.takes == "study" else "plot"
        return f"{group} {self.name}"
