"""Commands are what one types."""

import shlex
from pathlib import Path

import pytest

from spiral.cli import main
from spiral.report.html import commands
from spiral.report.stats.compare import Question

FOLDERS = [Path("runs/a"), Path("b c; rm $x")]
FULL = Question(
    by=("fidelity", "method"),
    thresholds=(0.9, 0.995),
    where={"when": ["before", "after"], "unit": ["weight"]},
    seed_split=True,
    frontier=Path("f.parquet"),
    masks=3,
)


def test_a_plain_question_needs_no_options():
    assert commands.table("excess", FOLDERS[:1], Question()) == (
        "spiral-sweep compare runs/a --table excess"
    )
    assert commands.figure("width", FOLDERS[:1], Question()) == (
        "spiral-sweep plot width runs/a -o width.png"
    )
    assert commands.networks([16, 22], Question()) == (
        "spiral-sweep plot networks --neurons --nnz 16,22 -o networks.png"
    )


@pytest.mark.parametrize(
    "text",
    [
        commands.report(FOLDERS, FULL),
        commands.table("pairwise", FOLDERS, FULL),
        commands.figure("excess", FOLDERS, FULL),
        commands.networks([16], FULL),
    ],
    ids=["report", "table", "figure", "networks"],
)
def test_every_option_is_one_of_the_command(text):
    program, *words = shlex.split(text)
    assert program == "spiral-sweep"
    command = main
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    found = command.make_context(
        "x", [*words], resilient_parsing=False, help_option_names=["-h", "--help"]
    )
    asked = found.params
    if "folders" in asked:
        assert asked["folders"] == tuple(FOLDERS)
        assert asked["thresholds"] == (0.9, 0.995)
        assert asked["seed_split"] is True
        assert asked["frontier"] == Path("f.parquet")
    if "masks" in asked:
        assert asked["masks"] == 3
        assert asked["by"] == ("fidelity", "method")


def test_the_default_question_may_be_a_list():
    assert "--threshold" not in commands.report(
        FOLDERS, Question(thresholds=[0.95, 0.995])
    )
