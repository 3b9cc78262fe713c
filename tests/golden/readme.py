"""Rewrite the generated tables of the README and of ``docs/`` from what is shipped."""

import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

from spiral import tasks
from spiral.methods.registry import METHODS, options
from spiral.report.figures import catalogue
from spiral.report.stats import standings
from spiral.report.text import standings as standings_text
from spiral.results import data_sets
from spiral.search import frontier_file
from spiral.sweep.grid import shipped
from spiral.tasks import listing
from tests.golden import findings, paper, reference, several

ROOT = Path(__file__).parent.parent.parent
BEGIN, END = "<!-- {}: `make golden` -->\n", "\n<!-- end -->"


def leaders() -> str:
    """Return the leaders at width 16, for readers who know none of its terms."""
    head, lines = findings.leaders()
    shown = ["rank", "method", "gap"]
    places = [head.index(name) for name in shown]
    linked = [[_linked(line[place]) for place in places] for line in lines]
    return markdown(["rank", "method", "gap (95 % interval)"], linked)


def _linked(cell: str) -> str:
    """Return the name of a method as a link; other cells as they are."""
    name = cell.strip("`")
    return f"[{cell}](docs/methods.md#{name})" if name != cell else cell


def full_ranking() -> str:
    """Return the whole ranking and what its columns are."""
    return ranking(standings.shipped(options()))


def ranking(found: standings.Standings) -> str:
    """Return a ranking, its definitions, and the methods that are not ranked."""
    table = standings_text.table(found)
    table["method"] = [f"`{name}`" for name in table["method"]]
    others = [f"`{name}`" for name in METHODS if name not in {*found.scores["method"]}]
    meanings = standings_text.definitions(found).items()
    return "\n".join(
        [
            textwrap.fill(f"{standings_text.title(found)}.", 88),
            "",
            markdown([*table.columns], table.to_numpy()),
            "",
            *(
                textwrap.fill(f"- {name}: {text}.", 88, subsequent_indent="  ")
                for name, text in meanings
            ),
            "",
            *(textwrap.fill(f"Note: {text}.", 88) + "\n" for text in found.caveats),
            textwrap.fill(f"Not ranked: {', '.join(others)}.", 88),
        ]
    )


def every_method() -> str:
    """Return a line for each method: what it does, its class and its source."""
    lines = [
        [
            f'<a id="{name}"></a>`{name}`',
            entry.summary.replace("|", "\\|"),
            entry.taxonomy.when,
            entry.taxonomy.unit,
            entry.citation.replace("|", "\\|"),
        ]
        for name, entry in sorted(METHODS.items())
    ]
    return markdown(["method", "what it does", "prunes", "unit", "source"], lines)


def every_figure() -> str:
    """Return a line for each figure: its command, and what it shows."""
    lines = [[f"`{entry.command}`", entry.shows] for entry in catalogue.FIGURES]
    return markdown(["command", "what it shows"], lines)


def every_data_set() -> str:
    """Return a line for each shipped summary."""
    head = ["name", "what", "rows", "methods", "seeds", "networks", "version", "CPU"]
    lines = [
        [
            f"`{each.name}`",
            f"{each.meaning} (`{each.grid}`)",
            f"{each.rows:,}",
            each.methods,
            f"{each.seeds:,}",
            f"{each.networks:,}",
            each.versions,
            each.cpus or "not recorded",
        ]
        for each in data_sets.shipped(shipped.descriptions())
    ]
    return markdown(head, lines)


def every_frontier_column() -> str:
    """Return a line for each column of a frontier."""
    lines = [[f"`{name}`", text] for name, text in frontier_file.MEANINGS.items()]
    return markdown(["column", "meaning"], lines)


def every_task() -> str:
    """Return a line for each shipped task: its parameters with defaults."""
    lines = []
    for family in tasks.FAMILIES.values():
        settings = [f"`{p['name']}={p['value']}`" for p in listing.explained(family)]
        lines.append([f"`{family.name}`", family.meaning, ", ".join(settings)])
    return markdown(["task", "what it is", "parameters and their defaults"], lines)


TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "leaders"): leaders,
    ("docs/methods.md", "ranking"): full_ranking,
    ("docs/findings.md", "leaders"): lambda: markdown(*findings.leaders()),
    ("docs/findings.md", "leaders3"): lambda: markdown(*findings.leaders(width=3)),
    ("docs/findings.md", "leaders64"): lambda: markdown(*findings.leaders(width=64)),
    ("docs/findings.md", "widths"): lambda: markdown(*findings.widths()),
    ("docs/findings.md", "published"): lambda: markdown(*findings.published()),
    ("docs/findings.md", "parts"): lambda: markdown(*findings.parts()),
    ("docs/findings.md", "masks"): lambda: markdown(*findings.masks()),
    ("docs/findings.md", "transfer"): lambda: markdown(*several.gaps()),
    ("docs/findings.md", "agreement"): lambda: markdown(*several.ranks()),
    ("docs/findings.md", "phases"): lambda: markdown(*paper.phases()),
    ("docs/findings.md", "fixed"): lambda: markdown(*paper.fixed()),
    ("docs/findings.md", "exact"): lambda: markdown(*paper.exact()),
    ("docs/findings.md", "same_draw"): lambda: markdown(*paper.same_draw()),
    ("docs/findings.md", "draws"): lambda: markdown(*paper.draws()),
    ("docs/findings.md", "pruners"): lambda: markdown(*paper.pruners()),
    ("docs/lower-bounds.md", "turns"): lambda: markdown(*several.bounds()),
    ("docs/methods.md", "methods"): every_method,
    ("docs/columns.md", "columns"): lambda: markdown(*reference.results()),
    ("docs/engines.md", "engines"): lambda: markdown(*reference.engines()),
    ("docs/keys.md", "keys"): lambda: markdown(*reference.keys()),
    ("docs/keys.md", "options"): lambda: markdown(*reference.options_of_methods()),
    ("docs/data.md", "data"): every_data_set,
    ("docs/data.md", "frontier"): every_frontier_column,
    ("docs/figures.md", "figures"): every_figure,
    ("docs/tasks.md", "tasks"): every_task,
}
"""(page, name of the table) → what makes it."""


def markdown(head: list[str], lines: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def parts(text: str, name: str) -> tuple[str, str, str]:
    """Return what is before a generated table, the table, and what is after it."""
    begin = BEGIN.format(name)
    before, begun, rest = text.partition(begin)
    table, ended, after = rest.partition(END)
    assert all((begun, ended)), f"expected {begin.strip()}, a table, and {END.strip()}"
    return before, table, after


def rewrite() -> None:
    """Make every table anew in its page."""
    for (page, name), make in TABLES.items():
        path = ROOT / page
        before, _, after = parts(path.read_text(), name)
        path.write_text(before + BEGIN.format(name) + make() + END + after)


if __name__ == "__main__":
    rewrite()
