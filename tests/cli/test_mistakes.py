"""Every mistake on a command line is a message and a code."""

from pathlib import Path

import click
import pandas as pd
import pytest

from spiral import cli
from spiral.api import launching
from spiral.cli import options
from spiral.errors import LaunchIncomplete
from spiral.sweep.grid import shipped
from spiral.sweep.launch import Launch
from spiral.sweep.work import Outcome
from tests.cli import run


def test_an_unknown_grid_lists_those_there_are():
    ran = run("plan", "quickstrat")
    assert ran.code == 2
    assert "quickstrat" in ran.err
    assert "did you mean 'quickstart'?" in ran.err
    assert "paper/slice" in run("plan", "nothing").err


def test_mistakes_of_a_grid_are_said_with_their_places(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("method: gmp\nkeeep: 3\nwidth: 0\n")
    ran = run("plan", file)
    assert ran.code == 2
    assert f"{file}:2:1" in ran.err
    assert f"{file}:3:8" in ran.err
    assert "did you mean 'keep'?" in ran.err


def test_a_missing_device_is_refused_with_the_remedy(grid, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    out = tmp_path / "out"
    ran = run("launch", grid, "--out", out, "--engine", "vmap:cuda")
    assert ran.code == 2
    assert "expected a CUDA device" in ran.err
    assert "--engine vmap" in ran.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["plan"], 2, "GRID"),
        (["plan", "{tmp}"], 2, "cannot be read"),
        (["plan", "{grid}", "--set", "width"], 2, "expected KEY=VALUE"),
        (["plan", "{grid}", "--set", "method=gpm"], 2, "did you mean 'gmp'?"),
        (["plan", "{grid}", "--set", "wd=0"], 2, "did you mean 'weight_decay'?"),
        (["methods", "gmp", "sf"], 2, "unknown method 'sf'; did you mean 'synflow'?"),
        (["rank", "--method", "mag"], 2, "did you mean 'magnitude'?"),
        (["launch", "{grid}"], 2, "--out"),
        (["launch", "{grid}", "--out", "{tmp}/o", "--engine", "abacus"], 2, "abacus"),
        (["status", "{tmp}"], 1, "expected a results directory"),
        (["status", "{grid}"], 1, "expected a results directory"),
        (["compare", "{tmp}"], 1, "expected a results directory"),
        (["compare", "{out}", "--by", "colour"], 2, "no column 'colour'"),
        (["compare", "{out}", "--by", "learning_rate"], 2, "did you mean 'lr'?"),
        (["compare", "{out}", "--by", ""], 2, "no column ''"),
        (["compare"], 2, "DIR"),
        (["compare", "{out}", "{tmp}"], 1, "expected a results directory"),
        (["compare", "{out}", "--threshold", "high"], 2, "like .95,.995, got 'high'"),
        (["compare", "{out}", "--threshold", "95"], 2, "up to 1, got [95.0]"),
        (["compare", "{out}", "--frontier", "{tmp}/no"], 1, "expected a frontier file"),
        (
            ["compare", "{out}", "--csv", "--table", "excess", "--table", "pairwise"],
            2,
            "one --table",
        ),
        (["compare", "{out}", "--csv", "--json"], 2, "--csv prints one table"),
        (["plot", "accuracy", "{out}", "-o", "{grid}/x.png"], 1, "cannot write"),
        (["plot", "accuracy", "{out}", "--width", "x"], 2, "like 3,16, got 'x'"),
        (["plot", "accuracy", "{out}", "--width", "9"], 2, "got [3]"),
        (["plot", "width", "{out}"], 2, "rows of two widths"),
        (["plot", "fixed", "{out}"], 2, "no pruners start from"),
        (["plot", "fidelity", "{out}"], 2, "fidelity exact and zp24"),
        (["plot", "pairs", "{out}", "--keep", "99"], 2, "there are 12, 20"),
        (["report", "{out}", "--by", "colour"], 2, "no column 'colour'"),
        (["search", "count", "--shape", "3,2"], 2, "three sizes like 3,2,2, got '3,2'"),
        (["search", "count", "--shape", "3,0,2"], 2, "got '3,0,2'"),
        (["search", "count", "--shape", "3,2,2", "--nnz", "2..1"], 2, "empty range"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_a_message_and_a_code(args, code, said, grid, launched, tmp_path):
    words = [arg.format(tmp=tmp_path, grid=grid, out=launched[0]) for arg in args]
    ran = run(*words)
    assert ran.code == code
    assert said in ran.err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("failed", "done", "said"),
    [
        (1, 0, "1 of 1 packs failed; none succeeded. "),
        (2, 3, "2 of 5 packs failed; the other 3 are saved. "),
    ],
)
def test_failed_packs_are_told_with_what_was_saved(failed, done, said):
    prepared = Launch(Path(), 9, pd.DataFrame(), [], [])
    prepared.failed = [Outcome(f"p{n}", error="because") for n in range(failed)]
    prepared.done = [Outcome(f"q{n}") for n in range(done)]
    with pytest.raises(LaunchIncomplete) as caught:
        launching.check(prepared)
    assert str(caught.value).startswith(said)
    assert "p0: because" in str(caught.value)


def paths(command=cli.main, words=()):
    """Yield words that give an address to each parameter that takes a path."""
    for name, below in getattr(command, "commands", {}).items():
        yield from paths(below, (*words, name))
    for param in command.params:
        if isinstance(param.type, click.Path):
            option = param.opts[-1:] if param.param_type_name == "option" else []
            # Results may lie in a bucket, but not elsewhere
            bucket = isinstance(param.type, options.Results)
            yield [*words, *option, "http://bucket/x" if bucket else "s3://bucket/x"]
    if words in (("plan",), ("launch",)):  # grids may be names as well
        yield [*words, "s3://bucket/x", *(["--out", "o"] * (words == ("launch",)))]


@pytest.mark.parametrize("words", [*paths()], ids=" ".join)
def test_an_address_is_no_path_and_nothing_is_made(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run(*words)
    assert ran.code == 2
    assert "expected a local path, got the URL" in ran.err
    assert "://bucket/x; copy or mount its contents" in ran.err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (PermissionError(13, "Permission denied", "/closed"), 1, "/closed: Permission"),
        (OSError(36, "File name too long", "x" * 9999), 1, "File name too long"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_stops_a_command_is_a_message(raised, code, said, monkeypatch):
    def find(name):
        raise raised

    monkeypatch.setattr(shipped, "find", find)
    ran = run("plan", "quickstart")
    assert ran.code == code
    assert said in ran.err
