"""Every command that prints takes ``--json``; what plots draw can be chosen."""

import json

import click
import pytest

from spiral import cli
from tests.cli import run, run_json

pytestmark = pytest.mark.slow  # runs every command that prints

WITHOUT = {
    "schema": "prints nothing but a JSON Schema",
    "frontier update": "changes a frontier; `frontier show --json` prints it",
    "frontier thin": "changes a frontier; `frontier show --json` prints it",
}
"""Commands without ``--json``, and why."""


def commands(group=cli.main, before=()):
    """Yield the words of every command that does something, and itself."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        else:
            yield " ".join([*before, name]), command


def takes_json(command):
    return any("--json" in option.opts for option in command.params)


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_prints_json_or_says_why_not(name):
    command = dict(commands())[name]
    assert takes_json(command) != (name in WITHOUT), WITHOUT.get(name)
    assert name in WITHOUT or "--json" in run(*name.split(), "--help").out


def test_the_exceptions_exist():
    assert WITHOUT.keys() <= dict(commands()).keys()


PRINTS = {
    "methods": ("methods",),
    "columns": ("columns",),
    "tasks": ("tasks",),
    "frontier show": ("kind", "by", "best_known", "networks"),
    "frontier verify": ("file", "networks", "mistakes"),
    "rank": ("width", "definitions", "scores", "excess", "sizes"),
    "search count --shape 3,2,2": ("labelled", "canonical", "by_nnz"),
    "plan quickstart": ("grid", "configs", "packs"),
    "status {out}": ("configs", "done"),
    "verify {out}": ("rows", "missing", "corrupt"),
    "compare {out}": ("by", "conditions", "notes", "definitions", "excess", "groups"),
    "diagnose robustness {out} --every 1000 --each 1": ("notes", "groups"),
    "summary {out} -o {file}.parquet": ("file", "rows", "bytes"),
    "summary {out} -o {file}.parquet --networks 20:0.5": ("file", "rows", "bytes"),
    "report {out} -o {file}": ("file", "bytes"),
    "view {out} -o {file}": ("file", "bytes"),
    "plot accuracy {out} -o {file}.svg": ("figure", "file", "caption"),
    "plot boundary {out} gmp@12 -o {file}.svg": ("figure", "file", "caption"),
    "plot frontier -o {file}.svg": ("figure", "file", "caption"),
}
"""Command lines, and keys of what they print."""


@pytest.mark.parametrize("line", PRINTS, ids=lambda line: line.split(" {")[0])
def test_what_is_printed_is_one_document(line, launched, tmp_path):
    file = tmp_path / "file"
    found = run_json(*line.format(out=launched[0], file=file).split())
    assert found["schema"] == 1
    assert found.keys() >= {*PRINTS[line]}
    if "{file}" in line:
        assert found["file"].startswith(str(file))
        assert (tmp_path / found["file"]).stat().st_size > 1000


def test_mistakes_of_a_frontier_are_in_the_document(tmp_path):
    from spiral.search import best_known

    table = best_known.load().head(2)
    table["accuracy"] = [table["accuracy"].iloc[0], 0.123]
    best_known.save(table, tmp_path / "f.parquet")
    ran = run("frontier", "verify", "--file", tmp_path / "f.parquet", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["networks"]) == (4, 2)
    (mistake,) = found["mistakes"]
    assert "expected accuracy 0.123" in mistake


def drawn(*args, file):
    """Return the figure that a plot draws, as bytes."""
    ran = run("plot", *args, "-o", file)
    assert ran.code == 0, ran.err
    return file.read_bytes()


@pytest.mark.parametrize("kind", ["accuracy", "connected", "excess"])
def test_what_is_drawn_can_be_chosen(kind, launched, tmp_path):
    out, file = launched[0], tmp_path / "figure.svg"
    every = drawn(kind, out, file=file)
    gmp = drawn(kind, out, "--methods", "gmp", file=file)
    assert gmp == drawn(kind, out, "--where", "method=gmp", file=file)
    one = drawn(kind, out, "--methods", "gmp", "--where", "keep=12", file=file)
    assert gmp != one
    assert (gmp != every) == (kind == "accuracy")  # the others leave dense ones out


@pytest.mark.parametrize("name", [n for n, _ in commands() if n.startswith("plot ")])
def test_plots_of_rows_of_several_methods_take_methods(name):
    options = {o for p in dict(commands())[name].params for o in p.opts}
    alone = {"boundary", "neurons", "frontier", "networks", "bottleneck"}
    alone |= {"success", "tasks"}
    wanted = name.split()[1] not in alone
    assert ({"--where", "--methods"} <= options) == wanted


def test_methods_and_where_say_what_there_is(launched):
    ran = run("plot", "accuracy", launched[0], "--methods", "gmp,lth")
    assert (ran.code, "no rows have method=lth; there are dense, gmp" in ran.err) == (
        2,
        True,
    )
    found = run_json("compare", launched[0], "--methods", "gmp", "--where", "keep=12")
    assert [(g["method"], g["keep"]) for g in found["groups"]] == [("gmp", 12)]
    assert found["where"] == {"method": ["gmp"], "keep": ["12"]}
