"""Figures and pages from the command line."""

import pytest

from tests.cli import run

pytestmark = pytest.mark.slow  # draws every figure

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("kind", MAGIC)
def test_figures_are_written_as_their_name_says(kind, launched, rows, tmp_path):
    row = rows["config_id"].iloc[0]
    for command in (["accuracy", launched[0]], ["boundary", launched[0], row[:12]]):
        file = tmp_path / f"{command[0]}.{kind}"
        ran = run("plot", *command, "-o", file)
        assert (ran.code, ran.out) == (0, f"{file}\n")
        assert file.read_bytes().startswith(MAGIC[kind])


LOCAL = ("--executor", "local", "--workers", 1)

WIDE = """
name: wide
defaults: {epochs: 1, batch: 2000, seed: 1, init_seed: 1}
blocks:
  both: {method: gmp, fidelity: [exact, zp24], width: 3, keep: [12, 20]}
  wider: {method: gmp, width: 4, keep: 12}
  search: {method: block, width: 3, d1: 2, d2: 2, d3: 2}
"""
"""What every kind of figure needs: two widths, versions, a start that was searched."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    (folder / "wide.yaml").write_text(WIDE)
    out = folder / "out"
    ran = run("launch", folder / "wide.yaml", "--out", out, *LOCAL)
    assert ran.code == 0, ran.err
    return out


@pytest.mark.parametrize(
    "command",
    [
        ["accuracy", "{out}", "--width", "3"],
        ["width", "{out}", "--keep", "12"],
        ["connected", "{out}", "--seed-split"],
        ["excess", "{out}", "--threshold", "0.6", "--width", "3,4"],
        ["fixed", "{out}"],
        ["fidelity", "{out}"],
        ["pairs", "{out}", "--keep", "12"],
        ["neurons", "{out}", "gmp@12"],
        ["networks", "--neurons", "--nnz", "16"],
        ["tasks", "moons", "cubist(turns=3)"],
    ],
    ids=lambda command: command[0],
)
def test_every_kind_of_figure_is_drawn(command, wide, tmp_path):
    words = [word.format(out=wide) for word in command]
    file = tmp_path / "figure.svg"
    ran = run("plot", *words, "-o", file)
    assert (ran.code, ran.out) == (0, f"{file}\n"), ran.err
    assert file.read_bytes().startswith(MAGIC["svg"])


TASKS = """
name: tasks
defaults: {epochs: 1, batch: 2000, width: 4, seed: 0..1, keep: [16, 24]}
blocks:
  both: {method: [gmp, random], task: [cubist, planted, planted(seed=1)]}
"""


def test_rows_of_several_tasks_make_one_figure(tmp_path):
    (tmp_path / "tasks.yaml").write_text(TASKS)
    out, file = tmp_path / "out", tmp_path / "figure.svg"
    ran = run("launch", tmp_path / "tasks.yaml", "--out", out, *LOCAL)
    assert ran.code == 0, ran.err
    ran = run("plot", "transfer", out, "-o", file)
    assert (ran.code, ran.out) == (0, f"{file}\n"), ran.err
    assert file.read_bytes().startswith(MAGIC["svg"])
    ran = run("plot", "transfer", out, "--task", "cubist", "-o", file)
    assert ran.code == 2
    assert "several tasks, got those of cubist" in ran.err
    ran = run("plot", "difficulty", out, "-o", file)
    assert ran.code == 2
    assert "two tasks like cubist and cubist(turns=3)" in ran.err


def test_a_report_is_one_page_of_several_folders(wide, launched, tmp_path):
    file = tmp_path / "report.html"
    ran = run("report", wide, launched[0], "-o", file, "--threshold", "0.6")
    assert (ran.code, ran.out) == (0, f"{file}\n"), ran.err
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>wide, tiny</h1>" in page


@pytest.mark.parametrize("which", ["", "zzzz"], ids=["ambiguous", "unknown"])
def test_an_id_must_name_one_row(which, launched, tmp_path):
    ran = run("plot", "boundary", launched[0], which, "-o", tmp_path / "b.png")
    assert ran.code == 2
    assert "error: " in ran.err
    assert not any(tmp_path.iterdir())


def test_an_unknown_kind_of_figure_is_refused(launched, tmp_path):
    ran = run("plot", "accuracy", launched[0], "-o", tmp_path / "a.gif")
    assert ran.code == 2
    assert ".png, .svg, .pdf" in ran.err
    assert not any(tmp_path.iterdir())


def test_former_names_of_commands_tables_and_options_still_work(
    wide, launched, tmp_path
):
    old, new = tmp_path / "old.svg", tmp_path / "new.svg"
    words = (launched[0], "--threshold", "0.6")
    assert run("plot", "gaps", *words, "--honest", "-o", old).code == 0
    assert run("plot", "excess", *words, "--seed-split", "-o", new).code == 0
    assert old.read_bytes() == new.read_bytes()
    for former, name in (("gaps", "excess"), ("pairs", "pairwise")):
        table = run("compare", launched[0], "--csv", "--table", former)
        assert table.code == 0, table.err
        assert table.out == run("compare", launched[0], "--csv", "--table", name).out
