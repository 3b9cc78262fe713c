"""The process of Ray's: where its folder lies, which cluster lets it in."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from socket import create_server

import pytest

from spiral.errors import ConfigError, LaunchIncomplete
from spiral.sweep import apart, driver, session


@pytest.fixture
def folder(monkeypatch):
    """Ask for the folder when that for temporary files has a path of some length."""

    def ask(length, short):
        monkeypatch.setenv("RAY_TMPDIR", "/" + "x" * (length - 1))
        monkeypatch.setattr(apart, "SHORT", short)
        monkeypatch.setattr(apart.os, "access", lambda path, mode: path != NOWHERE)
        return apart.short_folder()

    return ask


NOWHERE = Path("/nowhere")
ROOM = apart.SOCKET_BYTES - len(f"/{apart.SOCKET}")


def test_temporary_files_lie_where_the_user_wants_if_sockets_fit(folder, tmp_path):
    assert len(str(folder(ROOM, tmp_path))) == ROOM
    assert folder(ROOM + 1, Path("/s")) == Path("/s")


def test_without_room_for_sockets_the_message_names_tmpdir(folder):
    with pytest.raises(
        ConfigError, match=rf"105 bytes, expected at most {ROOM}.*TMPDIR"
    ):
        folder(105, NOWHERE)


def _say_and_die(report, lost, folders):
    report(1)
    os.write(2, b"first\nthe last words\n")
    os._exit(9)


def _refuse(report, lost, folders):
    report(Path(folders.own).is_dir())
    raise ConfigError("no")


def test_a_process_that_ends_is_named_with_its_last_words():
    heard = []
    with pytest.raises(LaunchIncomplete, match=r"\(exit code 9: the last words\)"):
        apart._do(_say_and_die, heard.append)
    assert heard == [1]


def test_an_error_of_ours_comes_through_and_no_folder_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(apart, "SOCKET_BYTES", 1000)
    heard = []
    with pytest.raises(ConfigError, match=r"^no$"):
        apart._do(_refuse, heard.append)
    assert heard == [True]
    assert not any(tmp_path.iterdir())


SLEEPERS = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(1000)"]
middle = [sys.executable, "-c", f"import subprocess; subprocess.Popen({sleep!r})"]
subprocess.run(middle)  # an orphan, whose parent is no relative of ours
child = subprocess.Popen(sleep, process_group=0)
print("ready", flush=True)
time.sleep(1000)
"""


def test_a_session_is_killed_with_its_orphans(proc):
    leader = subprocess.Popen(
        [sys.executable, "-c", SLEEPERS], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert leader.stdout.readline() == b"ready\n"
        members = session._members(leader.pid)
        assert len(members) == 3
        session.kill(leader.pid)
        proc.poll(lambda: not proc.alive(members), 60, "death of all")
    finally:
        leader.kill()
        leader.communicate()


# ---- tokens


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A cluster on this machine that wants a token: its address and the token."""
    token = secrets.token_hex(32)
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="head-", dir="/tmp") as folder:
        words = f"start --head --port {port} --node-ip-address 127.0.0.1 --num-cpus 2"
        words += f" --include-dashboard false --block --temp-dir {folder}"
        environment = {
            **os.environ,
            **driver.SETTINGS,
            **driver.LOOPBACK,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": token,
        }
        log = Path(folder, "log")
        with log.open("wb") as file:
            head = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", *words.split()],
                stdout=file,
                stderr=file,
                env=environment,
                start_new_session=True,
            )
        try:
            yield f"127.0.0.1:{port}", token, log, head
        finally:
            session.kill(head.pid)
            head.wait()


@pytest.fixture
def cluster(guarded, proc, monkeypatch, tmp_path):
    """The same, once it runs; this user has no token."""
    address, token, log, head = guarded
    proc.poll(
        lambda: "Ray runtime started" in log.read_text() or head.poll(), 120, "a head"
    )
    assert head.poll() is None, log.read_text()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return address, token


@pytest.mark.parametrize(
    ("mode", "token", "got"),
    [
        (None, None, "got none"),
        ("token", None, "or none, in ~/.ray/auth_token"),
        ("token", "wrong", "got another, or none, in RAY_AUTH_TOKEN"),
    ],
)
def test_a_cluster_that_refuses_a_token_is_named(
    mode, token, got, cluster, cli, grid, monkeypatch, tmp_path
):
    address, _ = cluster
    if mode is not None:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    if token is not None:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    ran = cli("launch", grid, "--out", tmp_path / "out", "--address", address)
    assert ran.code == 2
    assert f"--address {address}: the Ray cluster refuses authentication" in ran.err
    assert got in ran.err
    assert "RAY_AUTH_TOKEN_PATH" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_token_lets_a_launch_in(
    cluster, cli, grid, monkeypatch, undisturbed, values, tmp_path
):
    address, token = cluster
    path = tmp_path / "home" / ".ray" / "auth_token"
    path.parent.mkdir(parents=True)
    path.write_text(token)
    out = tmp_path / "out"
    ran = cli("launch", grid, "--out", out, "--address", address, "--workers", 2)
    assert ran.code == 0, ran.err
    assert values(out) == values(undisturbed)
    assert not any((out / "_spiral" / "tmp").iterdir())


def test_trials_on_a_cluster_end_with_a_launch_that_a_signal_ends(
    cluster, guarded, grid, proc, tmp_path
):
    address, token = cluster
    head = guarded[3]
    words = f"launch {grid} --out {tmp_path}/out --address {address} --workers 2"
    launcher = subprocess.Popen(
        [sys.executable, "-m", "spiral", *words.split(), "--set", "epochs=10000"],
        env={**os.environ, "RAY_AUTH_TOKEN": token},
        stderr=subprocess.DEVNULL,
    )

    def trials():
        return {pid for pid in session._members(head.pid) if _is_trial(pid)}

    found = proc.poll(trials, 120, "a trial")
    launcher.terminate()
    assert launcher.wait(60) == 143
    proc.poll(lambda: not proc.alive(found), 90, "end of the trials")
    assert not [*(tmp_path / "out" / "_spiral" / "tmp").iterdir()]


def _is_trial(pid):
    try:
        return b"PackTrial" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
