"""The process of Ray's: where its folder lies, how it ends, what goes with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spiral.errors import ConfigError, LaunchIncomplete
from spiral.sweep.ray import process as ray_process
from spiral.sweep.ray import session


@pytest.fixture
def folder(monkeypatch):
    """Ask for the folder when that for temporary files has a path of some length."""

    def ask(length, short):
        monkeypatch.setenv("RAY_TMPDIR", "/" + "x" * (length - 1))
        monkeypatch.setattr(ray_process, "SHORT", short)
        monkeypatch.setattr(
            ray_process.os, "access", lambda path, mode: path != NOWHERE
        )
        return ray_process.short_folder()

    return ask


NOWHERE = Path("/nowhere")
ROOM = ray_process.SOCKET_BYTES - len(f"/{ray_process.SOCKET}")


def test_temporary_files_lie_where_the_user_wants_if_sockets_fit(folder, tmp_path):
    assert len(str(folder(ROOM, tmp_path))) == ROOM
    assert folder(ROOM + 1, Path("/s")) == Path("/s")


def test_without_room_for_sockets_the_message_names_tmpdir(folder):
    with pytest.raises(
        ConfigError, match=rf"at most {ROOM} bytes, .* got 105 .*TMPDIR"
    ):
        folder(105, NOWHERE)


def test_without_any_folder_for_temporary_files_the_message_names_tmpdir(monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(ray_process.tempfile, "gettempdir", none)
    with pytest.raises(ConfigError, match="set TMPDIR to one"):
        ray_process.short_folder()


def _say_and_die(report, lost, folder):
    report(1)
    os.write(2, b"first\nthe last words\n")
    os._exit(9)


def _refuse(report, lost, folder):
    report(Path(folder).is_dir())
    raise ConfigError("no")


def test_a_process_that_ends_is_named_with_its_last_words():
    heard = []
    with pytest.raises(LaunchIncomplete, match=r"\(exit code 9: the last words\)"):
        ray_process._do(_say_and_die, heard.append)
    assert heard == [1]


def test_an_error_of_ours_comes_through_and_no_folder_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(ray_process, "SOCKET_BYTES", 1000)
    heard = []
    with pytest.raises(ConfigError, match=r"^no$"):
        ray_process._do(_refuse, heard.append)
    assert heard == [True]
    assert not any(tmp_path.iterdir())


SLEEPERS = """
import signal, subprocess, sys
sleep = [sys.executable, "-c", "import signal; signal.pause()"]
middle = [sys.executable, "-c", f"import subprocess; subprocess.Popen({sleep!r})"]
subprocess.run(middle)  # an orphan, whose parent is no relative of ours
child = subprocess.Popen(sleep, process_group=0)
print("ready", flush=True)
signal.pause()
"""


def test_a_session_is_killed_with_its_orphans(proc):
    leader = subprocess.Popen(
        [sys.executable, "-c", SLEEPERS], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert leader.stdout.readline() == b"ready\n"
        members = session.members(leader.pid)
        assert len(members) == 3
        session.kill(leader.pid)
        proc.until(lambda: not proc.alive(members), "death of all")
    finally:
        leader.kill()
        leader.communicate()
