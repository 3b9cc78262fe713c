"""Options of a launch: how shares are counted."""

import click.testing
import pytest

from spiral.cli import launch
from tests.cli import run

SLURM = "SLURM_ARRAY_TASK_"


@click.command()
@launch.how
def show(shard, **_):
    click.echo(shard)


def shard(*words, monkeypatch=None, **slurm):
    """Return what a command gets as its shard, or the message."""
    for name, value in slurm.items():
        monkeypatch.setenv(SLURM + name, str(value))
    found = click.testing.CliRunner().invoke(show, words)
    return found.output.strip() if found.exit_code == 0 else found.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "(0, 1)"),
        (("--shard-base", "1"), "(0, 1)"),
        (("--shard", "0/10"), "(0, 10)"),
        (("--shard", "9/10"), "(9, 10)"),
        (("--shard", "1/10", "--shard-base", "1"), "(0, 10)"),
        (("--shard-base", "1", "--shard", "10/10"), "(9, 10)"),
    ],
)
def test_shares_are_counted_from_the_base(words, expected):
    assert shard(*words) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shard", "10/10"), "counted from 1, add --shard-base 1"),
        (("--shard", "0/10", "--shard-base", "1"), "from 0, add --shard-base 0"),
        (("--shard", "11/10", "--shard-base", "1"), "1 <= i <= n"),
        (("--shard", "1"), "expected i/n"),
        (("--shard", "/"), "expected i/n"),
        (("--shard", "-1/2"), "expected i/n"),
        (("--shard", "0/0"), "expected i/n"),
        (("--shard", "0/2", "--shard-base", "2"), "is not one of"),
    ],
)
def test_what_is_no_share_is_refused(words, said):
    assert said in " ".join(shard(*words).split())


def test_every_task_of_an_array_with_another_base_is_refused(monkeypatch):
    """Else the tasks 1 to 9 of 1-10 would train, and share 0 never."""
    said = shard("--shard", "4/10", monkeypatch=monkeypatch, ID=4, COUNT=10, MIN=1)
    assert "that begins at 1" in " ".join(said.split())
    assert "--shard-base 1" in said
    based = ("--shard", "4/10", "--shard-base", "1")
    assert shard(*based) == "(3, 10)"
    # A share that is computed from the task's number is not the task's number
    assert shard("--shard", "3/10") == "(3, 10)"
    said = shard("--shard", "6/10", monkeypatch=monkeypatch, ID=6, COUNT=10, MIN=5)
    assert "begin it at 0 or 1" in " ".join(said.split())


def test_a_grid_is_not_read_for_a_wrong_share(tmp_path):
    ran = run("launch", "nowhere", "--out", tmp_path / "out", "--shard", "2/2")
    assert ran.code == 2
    assert "--shard" in ran.err
