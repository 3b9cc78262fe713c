"""Describe the shipped data for machines: ``python tests/golden/croissant.py``.

Croissant is the vocabulary in which search engines and loaders of data sets read what
is in them. All that it says is read from the files, from the descriptions of columns,
and from the citation.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import mlcroissant as mlc
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from spiral.methods.registry import options
from spiral.results import columns, data_sets, provenance, summary
from spiral.search import frontier_file
from spiral.sweep.grid import shipped

ROOT = Path(__file__).parent.parent.parent
FOLDER = summary.SHIPPED.parent
FILE = FOLDER / "croissant.json"
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
VOCABULARY = "http://mlcommons.org/croissant/1.1"
PARQUET = "application/x-parquet"
MACHINE = ("system", "machine", "cpu", "instructions")
"""Facts in footers about the machine."""

LAUNCHED = {
    "exact": " (a part, as the page on data says)",
    "tasks": " with --set lr='[0.05, 0.1]' --set schedule=cosine",
}
"""Of which part of its grid a summary is, if not of all."""

SUMMARISED = {
    "budgets": " --with loss --with entropy --with running_loss",
    "draws": " --networks 40:0.95",
    "exact": " --networks 40:0.95",
    "fixed_init_95": " --networks 40:0.95",
    "fixed_init_995": " --networks 40:0.995",
    "gallery": " --networks 31:0",
    "pruners": " --networks 40:0.95",
    "random_init": " --networks 40:0.95",
    "same_draw": " --networks 40:0.95",
}
"""Options of the command ``summary``."""

NUMBERS = {"int64": mlc.DataType.INT64, "double": mlc.DataType.FLOAT64}
NUMBERS |= {"float": mlc.DataType.FLOAT32, "bool": mlc.DataType.BOOL}
"""Types of columns; all others are text or bytes, which are one type here."""


def described() -> dict[str, Any]:
    """Return the description of everything that is shipped."""
    sets = data_sets.shipped(shipped.descriptions())
    frontiers = sorted(FOLDER.glob("frontier*.parquet"))
    meanings = of_rows()
    tables = [(summary.shipped(each.name), meanings) for each in sets]
    tables += [(file, frontier_file.MEANINGS) for file in frontiers]
    files = [of_file(summary.shipped(e.name), made_by(e)) for e in sets]
    files += [of_file(file, of_frontier(file)) for file in frontiers]
    proofs = sorted(FOLDER.glob("bounds*.json"))
    files += [of_file(file, "proofs of lower bounds") for file in proofs]
    return mlc.Metadata(
        ctx=mlc.Context(conforms_to=VOCABULARY),
        name=CITATION["title"],
        description=" ".join(CITATION["abstract"].split())
        + " These are the rows of its own sweeps, one for each training, the best "
        "networks known of each size, and proofs that fewer weights do not suffice.",
        license=[LICENCE],
        version=CITATION["version"],
        date_published=datetime.fromisoformat(str(CITATION["date-released"])),
        creators=[mlc.Organization(name=who["name"]) for who in CITATION["authors"]],
        keywords=CITATION["keywords"],
        cite_as=citation(),
        distribution=files,
        record_sets=[of_table(file, meanings) for file, meanings in tables],
    ).to_json()


def citation() -> str:
    """Return how to cite the data, in BibTeX."""
    year = CITATION["date-released"].year
    return (
        f"@software{{spiral_sweep, title = {{{CITATION['title']}}}, author = "
        f"{{{{{CITATION['authors'][0]['name']}}}}}, version = {{{CITATION['version']}}}"
        f", year = {{{year}}}}}"
    )


def of_rows() -> dict[str, str]:
    """Return what each column of a row means; an option may mean several things."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in columns.explained(options()):
        unit = "" if each.unit == "-" else f" [{each.unit}]"
        users = found.setdefault(each.name, {}).setdefault(each.meaning + unit, [])
        users += each.methods or []
    return {
        name: "; ".join(
            f"{', '.join(users)}: {text}" if users else text
            for text, users in texts.items()
        )
        for name, texts in found.items()
    }


def made_by(found: data_sets.DataSet) -> str:
    """Return what a summary is of, and by which command, versions and machine."""
    facts = provenance.footer(summary.shipped(found.name))
    versions = [
        f"{called} {', '.join(facts[name])}"
        for name, called in provenance.VERSIONS.items()
        if facts.get(name)
    ]
    machine = [", ".join(facts[name]) for name in MACHINE if facts.get(name)]
    name, part = found.name, LAUNCHED.get(found.name, "")
    kept = SUMMARISED.get(name, "")
    return (
        f"{found.meaning}: {found.rows:,} rows. Made by `spiral-sweep launch "
        f"{found.grid} --out runs/{name}`{part} and `spiral-sweep summary runs/{name} "
        f"-o {name}.parquet{kept}`, with {', '.join(versions)}, on {', '.join(machine)}"
    )


def of_frontier(file: Path) -> str:
    """Return what a frontier is of."""
    named = (pq.read_schema(file).metadata or {}).get(frontier_file.TASK)
    task = named.decode() if named else "cubist"
    return (
        f"best networks known on the task {task} ({pq.read_metadata(file).num_rows}), "
        "with their weights; found by `spiral-sweep search evolve`, trained or polished"
    )


def of_file(file: Path, description: str) -> mlc.FileObject:
    """Return the description of a file beside this one."""
    data = file.read_bytes()
    return mlc.FileObject(
        id=file.name,
        name=file.name,
        description=description,
        content_url=file.relative_to(FOLDER).as_posix(),
        content_size=f"{len(data)} B",
        encoding_formats=[PARQUET if file.suffix == ".parquet" else "application/json"],
        sha256=hashlib.sha256(data).hexdigest(),
    )


def of_table(file: Path, meanings: dict[str, str]) -> mlc.RecordSet:
    """Return the description of a table: the type and meaning of its columns."""
    fields = [
        of_column(file, column, meanings[column.name])
        for column in pq.read_schema(file)
    ]
    return mlc.RecordSet(id=file.stem, name=file.stem, fields=fields)


def of_column(file: Path, column: pa.Field, meaning: str) -> mlc.Field:
    """Return the description of a column."""
    array = pa.types.is_list(column.type)
    kind = column.type.value_type if array else column.type
    return mlc.Field(
        id=f"{file.stem}/{column.name}",
        name=column.name,
        description=meaning,
        data_types=[NUMBERS.get(str(kind), mlc.DataType.TEXT)],
        is_array=array or None,
        source=mlc.Source(
            file_object=file.name, extract=mlc.Extract(column=column.name)
        ),
    )


def text() -> str:
    """Return the file: a line for each of its fields."""
    return json.dumps(described(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
