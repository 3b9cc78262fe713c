"""One self-contained page of all that a comparison finds; it loads nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup

from spiral import __version__
from spiral.errors import StoreError
from spiral.protocol.methods import Methods
from spiral.report.figures import rows as row_figures
from spiral.report.html import commands, headline, pictures, tables
from spiral.report.stats import compare
from spiral.results import atomic, load, provenance

HERE = Path(__file__).parent

LONG = 40
"""Lines from which a table is collapsed at first."""


def report(
    folders: Sequence[Path],
    methods: Methods,
    question: compare.Question | None = None,
) -> str:
    """Return the page of some launches; equal rows give equal pages.

    Args:
        folders: Results directories.
        methods: Those that this process knows.
        question: What to compare.

    Raises:
        ConfigError: A column or a threshold is not valid.
        StoreError: A folder holds no rows, or the file no frontier.
    """
    source = row_figures.read(folders, methods, question)
    found = compare.of_rows(
        source.rows,
        source.question,
        source.known,
        compare.Besides(
            partial(load.masks, folders),
            partial(load.networks, folders),
            source.pool,
            methods.options,
        ),
    )
    drawn, missing = pictures.of(source)
    return page(
        {
            "headline": headline.of(found.tables["excess"], found.question.by),
            "notes": [*source.notes, *found.notes],
            "tables": tables.of(found, folders),
            "pictures": drawn,
            "missing": missing,
            "runs": provenance.runs(folders, source.rows),
            "rows": len(source.rows),
            "command": commands.report(folders, source.question),
        }
    )


def write(text: str, path: Path) -> None:
    """Write a page; a crash leaves the old one.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        atomic.replace_atomically(path, text.encode(), path.parent)
    except FileExistsError:
        raise StoreError(f"cannot write {path}: its folder is a file") from None


def page(content: Mapping[str, object]) -> str:
    """Return the page: what comes from data is text there, never markup."""
    style, script = ((HERE / f"report.{kind}").read_text() for kind in ("css", "js"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        content,
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        digest=digest,
        long=LONG,
    )
