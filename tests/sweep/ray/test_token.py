"""Clusters that want a token: who is let in, who is told what to give."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from socket import create_server

import pytest

from spiral.results import store
from spiral.sweep.ray import session, tune
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow


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
            **tune.SETTINGS,
            **tune.LOOPBACK,
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
    proc.until(
        lambda: "Ray runtime started" in log.read_text() or head.poll(), "a head"
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
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
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

    def trials():
        return {pid for pid in session.members(head.pid) if proc.trains(pid)}

    launcher = subprocess.Popen(
        [sys.executable, "-m", "spiral", *words.split(), "--set", "epochs=10000"],
        env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token},
        stderr=subprocess.DEVNULL,
    )
    # A worker of the launch before may live still: wait for this launch to begin, too
    manifest = store.manifest_path(tmp_path / "out")
    found = proc.until(lambda: manifest.exists() and trials(), "a trial")
    launcher.terminate()
    assert launcher.wait(PATIENCE) == 143
    proc.until(lambda: not proc.alive(found), "end of the trials")
    assert not [*(tmp_path / "out" / "_spiral" / "tmp").iterdir()]
