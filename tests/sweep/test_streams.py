"""Readers that leave, streams that are closed: launches go on, others end quietly."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from spiral.sweep import status, streams

pytestmark = pytest.mark.slow  # starts a program for every case

PROGRAM = [sys.executable, "-m", "spiral"]
GRID = "{method: gmp, keep: 12, width: 3, epochs: 1, batch: 2000, interval: 1..3}"
"""Three packs without torch."""


def _unread(command, **streams):
    """Run a program whose named outputs nobody reads; the rest is captured."""
    ours, theirs = os.pipe()
    os.close(ours)
    rest = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        return subprocess.run(
            command, check=False, **{**rest, **dict.fromkeys(streams, theirs)}
        )
    finally:
        os.close(theirs)


def _launch(tmp_path):
    grid, out = tmp_path / "g.yaml", tmp_path / "out"
    grid.write_text(GRID)
    words = ["launch", grid, "--out", out, "--executor", "local", "--workers", 1]
    return [*PROGRAM, *map(str, words)]


@pytest.mark.parametrize("gone", [("stdout",), ("stderr",), ("stdout", "stderr")])
def test_a_launch_goes_on_when_nobody_reads(gone, tmp_path):
    ran = _unread(_launch(tmp_path), **dict.fromkeys(gone))
    assert ran.returncode == 0
    assert b"Traceback" not in (ran.stdout or b"") + (ran.stderr or b"")
    assert status.status(tmp_path / "out").complete


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_launch_with_closed_streams_is_sound(closed, tmp_path):
    command = ["sh", "-c", f'"$@" {closed}', "sh", *_launch(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert status.verify(tmp_path / "out").sound
    assert status.status(tmp_path / "out").complete


@pytest.mark.parametrize(
    "words", [["methods"], ["methods", "--json"], ["--help"], ["status", "{out}"]]
)
def test_a_command_that_prints_ends_as_other_programs_do(words, undisturbed):
    command = [*PROGRAM, *(word.format(out=undisturbed) for word in words)]
    ran = _unread(command, stdout=None)
    assert ran.returncode == -signal.SIGPIPE
    assert ran.stderr == b""


def test_a_mistake_that_nobody_reads_ends_quietly():
    ran = _unread([*PROGRAM, "nothing"], stderr=None)
    assert ran.returncode == -signal.SIGPIPE
    assert ran.stdout == b""


def test_a_terminal_that_was_closed_is_written_to_without_an_error():
    ours, theirs = pty.openpty()
    stream = streams._lasting(theirs, sys.__stderr__)
    os.close(ours)
    print("a line", file=stream, flush=True)
    stream.close()
    with pytest.raises(OSError, match="Input/output"):
        os.write(theirs, b"x")
    os.close(theirs)


def test_other_errors_are_not_hidden():
    with open("/dev/full", "wb", buffering=0) as full:
        stream = streams._lasting(full.fileno(), sys.__stderr__)
        with pytest.raises(OSError, match="No space"):
            print("a line", file=stream, flush=True)
        with pytest.raises(OSError, match="No space"):
            stream.close()


PRINTS = """
from spiral.sweep import streams
streams.outlast_readers()
for n in range(1000):
    print("x" * 1000)
raise SystemExit(5)
"""


def test_what_a_method_prints_where_nobody_reads_is_no_error():
    ran = _unread([sys.executable, "-c", PRINTS], stdout=None)
    assert (ran.returncode, ran.stderr) == (5, b"")
