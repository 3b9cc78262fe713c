"""A signal ends a process in words, whatever it is doing, and only while it works."""

import signal
import subprocess
import sys

import pytest

from spiral.sweep import signals

BEGIN = """
import os, signal, sys
from pathlib import Path
from spiral.results import atomic
from spiral.sweep import signals

def strike(name):
    os.kill(os.getpid(), getattr(signal, name))

def message(name):
    return f"stopped by {name}"
"""


def _run(text, *args):
    """Run a program; return its exit code and what it wrote to stderr."""
    command = [sys.executable, "-c", BEGIN + text, *map(str, args)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


SWALLOWS = """
with signals.ending(message):
    while True:
        try:
            strike(sys.argv[1])
        except BaseException:
            pass
"""


@pytest.mark.parametrize(("number", "code"), signals.CODES.items())
def test_code_that_swallows_exceptions_does_not_swallow_a_signal(number, code):
    assert _run(SWALLOWS, number.name) == (code, f"stopped by {number.name}\n")


IGNORED = """
signal.signal(getattr(signal, sys.argv[1]), signal.SIG_IGN)
with signals.ending(message):
    strike(sys.argv[1])
sys.exit(7)
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGHUP", 7)])
def test_sigint_counts_in_the_background_and_nohup_is_respected(name, code):
    assert _run(IGNORED, name)[0] == code


TWICE = """
def message(name):
    strike("SIGTERM")
    return f"stopped by {name}"

with signals.ending(message):
    strike("SIGINT")
"""


def test_a_signal_that_is_sent_twice_at_once_has_its_message():
    assert _run(TWICE) == (130, "stopped by SIGINT\n")


SLOW_UNDO = """
def undo():
    strike("SIGINT")
    print("too far", file=sys.stderr)

with signals.ending(message), signals.undoing(undo):
    strike("SIGINT")
"""


def test_another_signal_ends_at_once():
    assert _run(SLOW_UNDO) == (130, "stopped by SIGINT\n")


UNDONE = r"""
def undo(text):
    os.write(2, f"{text}\n".encode())

def fail():
    raise ValueError

with signals.ending(message):
    with signals.undoing(lambda: undo("early")):
        pass
    with signals.undoing(lambda: undo("outer")), signals.undoing(fail):
        strike("SIGTERM")
"""


def test_what_would_outlive_the_process_is_undone_once():
    assert _run(UNDONE) == (143, "early\nstopped by SIGTERM\nouter\n")


INTERRUPTED = r"""
def undo(calls=[]):
    calls.append(1)
    if len(calls) == 1:
        strike("SIGTERM")
    os.write(2, b"undone\n")

with signals.ending(message), signals.undoing(undo):
    pass
"""


def test_undoing_that_a_signal_interrupts_is_done_all_the_same():
    assert _run(INTERRUPTED) == (143, "stopped by SIGTERM\nundone\n")


UNFINISHED = """
folder = Path(sys.argv[1])

def check(path):
    assert path.exists()
    strike("SIGTERM")

with signals.ending(message):
    atomic.replace_atomically(folder / "file", b"data", folder, check)
"""


def test_an_unfinished_file_does_not_stay(tmp_path):
    assert _run(UNFINISHED, tmp_path)[0] == 143
    assert not any(tmp_path.iterdir())


AFTER = """
with signals.ending(message, last=True):
    print("done", file=sys.stderr)
for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"):
    strike(name)
"""


def test_after_the_work_signals_do_not_change_the_exit_code():
    assert _run(AFTER) == (0, "done\n")


def test_handlers_are_put_back():
    before = {number: signal.getsignal(number) for number in signals.CODES}
    with signals.ending(str):
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in signals.CODES} == before
