"""Ray: equal rows, dead workers replaced, nothing heard or left outside."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from socket import create_server

import pytest

from spiral.results import store
from spiral.sweep import status
from spiral.sweep.ray import tune
from tests.patience import PATIENCE

COMMAND = [sys.executable, "-m", "spiral", "launch"]
FIRST_USE = "engines/__pycache__/vmap."
"""Opened when a worker has its first pack and loads the engine (before torch)."""

LOOPBACK = re.compile(r"(0{16}F{4}0{4})?0100007F|0{24}01000000")
"""127.0.0.1, the same within IPv6, and ::1, as /proc/net/tcp writes them."""


def _start(grid, out, log, *args):
    """Launch on Ray with two workers; both outputs go to ``log``."""
    command = [*COMMAND, str(grid), "--out", str(out), "--workers", "2", *args]
    with log.open("w") as file:
        return subprocess.Popen(command, stdout=file, stderr=file)


def _sockets(pids):
    """Return the inodes of the sockets that these processes hold."""
    found = set()
    for pid in pids:
        try:
            links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        found |= {link[8:-1] for link in links if link.startswith("socket:[")}
    return found


def _heard_from_outside(pids):
    """Return the addresses other than loopback at which the processes listen."""
    own, found = _sockets(pids), []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in own:
                found.append(fields[1].partition(":")[0])
    assert found, "Ray listens somewhere"
    return [address for address in found if not LOOPBACK.fullmatch(address)]


def _telling(pids):
    """Return the processes of Ray that may send usage statistics."""
    found = []
    for pid in pids:
        try:
            place = Path(f"/proc/{pid}/exe").resolve()
            settings = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        titled = Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
        if titled:  # such a title is written over what the settings were
            continue
        if place.exists() and b"RAY_USAGE_STATS_ENABLED=0" not in settings:
            found.append(place)
    return found


@pytest.fixture(scope="module")
def killed(grid, proc, tmp_path_factory):
    """A launch that was training when it was killed: its processes, its addresses."""
    folder = tmp_path_factory.mktemp("killed")
    launcher = _start(grid, folder / "out", folder / "log", "--set", "epochs=10000")

    def busy():
        return len([p for p in proc.descendants(launcher.pid) if proc.trains(p)]) == 2

    try:
        proc.until(busy, "two workers that train")
        family = proc.descendants(launcher.pid)
        outside = _heard_from_outside({launcher.pid, *family})
        telling = _telling(family)
        workers = {pid for pid in family if proc.trains(pid)}
    finally:
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
    return family, workers, outside, telling


@pytest.mark.slow
def test_nothing_listens_beyond_loopback(killed):
    _, _, outside, _ = killed
    assert outside == []


@pytest.mark.slow
def test_no_process_of_ray_tells_anybody_of_its_use(killed):
    _, _, _, telling = killed
    assert telling == []


def test_a_cluster_that_only_loopback_reaches_is_told_from_others():
    """Ray would look for it at the machine's outer address, for ever."""
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            assert tune._only_loopback(f"{host}:{port}")
    for address in ("auto", "10.0.0.1:6379", "localhost:", "ray://127.0.0.1:1"):
        assert not tune._only_loopback(address)


@pytest.mark.slow
def test_workers_die_with_a_killed_launcher(killed, proc):
    _, workers, _, _ = killed
    proc.until(lambda: not proc.alive(workers), "death of the workers")


@pytest.mark.slow
def test_rows_are_those_of_the_local_executor_though_a_worker_is_killed(
    grid, suicide, undisturbed, values, monkeypatch, tmp_path
):
    """Nor does it matter what this user has set for clusters and temporary files."""
    far = tmp_path / ("x" * 100)
    far.mkdir()
    monkeypatch.setenv("TMPDIR", str(far))  # sockets of Ray's have no room there
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "missing"))
    out, log, deaths = tmp_path / "out", tmp_path / "log", suicide(FIRST_USE, times=1)
    assert _start(grid, out, log).wait(PATIENCE) == 0
    assert [path.name for path in deaths.iterdir()] == ["0"]
    assert values(out) == values(undisturbed)
    assert "trained 28 configs" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert status.verify(out).sound
    assert sorted(p.name for p in out.iterdir()) == sorted(store.OWN_NAMES)


@pytest.mark.slow
def test_no_ray_process_is_left_of_a_killed_launcher(killed, proc):
    """Ray's own agents give up the head node after a minute."""
    family, _, _, _ = killed
    proc.until(lambda: not proc.alive(family), "end of all Ray processes")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGUSR1, 143)]
)
def test_a_signal_stops_ray_and_the_message_resumes(grid, proc, number, code, tmp_path):
    """Ray has handlers of its own and turns what ours raise into other errors."""
    out, log = tmp_path / "out", tmp_path / "log"
    child = _start(grid, out, log, "--set", "epochs=10000")
    proc.until(lambda: any(map(proc.trains, proc.descendants(child.pid))), "training")
    family = proc.descendants(child.pid)
    child.send_signal(number)
    assert child.wait(PATIENCE) == code
    said = log.read_text()
    assert "Traceback" not in said
    assert f"stopped by {number.name}" in said
    assert f"--out {out}" in said.splitlines()[-1]
    proc.until(lambda: not proc.alive(family), "end of all processes")


@pytest.mark.slow
def test_a_crash_of_ray_is_a_message(grid, proc, tmp_path):
    """Its C++ may abort; the launcher says so, and what is done stays."""
    log = tmp_path / "log"
    launcher = _start(grid, tmp_path / "out", log, "--set", "epochs=10000")
    proc.until(
        lambda: any(map(proc.trains, proc.descendants(launcher.pid))), "training"
    )
    family = proc.descendants(launcher.pid)
    (apart,) = [pid for pid in family if os.getsid(pid) == pid]
    os.kill(apart, signal.SIGSEGV)
    assert launcher.wait(PATIENCE) == 3
    said = log.read_text()
    assert "Ray ended unexpectedly (SIGSEGV" in said
    assert "run the same command" in said
    assert "Traceback" not in said
    proc.until(lambda: not proc.alive(family), "end of all processes")


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_end_a_launch(
    grid, undisturbed, values, tmp_path
):
    ours, theirs = os.pipe()
    os.close(ours)
    command = [*COMMAND, str(grid), "--out", str(tmp_path / "out"), "--workers", "2"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as launcher:
        assert launcher.wait(PATIENCE) == 0
    os.close(theirs)
    assert values(tmp_path / "out") == values(undisturbed)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:2"])
def test_an_address_without_a_cluster_is_a_message_and_leaves_nothing(
    cli, grid, address, tmp_path
):
    ran = cli("launch", grid, "--out", tmp_path / "out", "--address", address)
    assert ran.code == 2
    assert f"--address {address}: expected a Ray cluster" in ran.err
    assert "ray start --head" in ran.err
    assert not (tmp_path / "out").exists()
