"""Nodes that see no folder of the launcher's: the same rows, whoever is killed."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from socket import create_server

import pytest

from spiral.errors import CorruptPack
from spiral.results import store
from spiral.search.evolve.island import Settings
from spiral.sweep import evolve, local, status
from spiral.sweep.evolve import Limits
from spiral.sweep.evolve_files import Search
from spiral.sweep.ray import process, session, tune
from spiral.sweep.work import Outcome, Training

pytestmark = pytest.mark.slow

HIDE = 'mount -t tmpfs none "$0" && exec "$@"'
"""A command in a mount namespace of its own: the folder is empty there."""

OWN = '''
import os, signal
from pathlib import Path
from spiral.model import masks
from spiral.protocol.job import Change, Plan

class Largest:
    """Largest initial weights; the first worker apart from the launcher dies of it."""

    def plan(self, budget):
        return Plan.simple(budget, 0)

    def start(self, view):
        return None

    def act(self, view, state):
        if not Path("{private}").exists():
            try:
                os.close(os.open("{deaths}/0", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                Path("{deaths}", str(os.getpid())).touch()
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        scores = abs(masks.of_weights(view.params, view.width))
        kept = masks.keep_top(scores, view.keep)
        return Change(masks=masks.with_biases(kept, view.width)), state
'''

NODE = """
import threading
from ray._private.node import Node
from ray._private.parameter import RayParams

Node(RayParams(gcs_address={address!r}, **{facts!r}), head=False)
print("Ray runtime started", flush=True)
threading.Event().wait()
"""
"""What `ray start` does, which refuses nodes where only loopback reaches the head."""

STORE_BYTES = 80 * 2**20  # about the least that Ray takes
BYTES = 100 * 2**20  # more than that, in one pack

FACTS = {
    "node_ip_address": "127.0.0.1",
    "num_cpus": 1,
    "num_gpus": 0,
    "object_store_memory": STORE_BYTES,
    "include_log_monitor": False,
    "min_worker_port": 0,
    "max_worker_port": 0,
    "node_manager_port": 0,
    "dashboard_agent_listen_port": None,
}

HEAD = "start --head --node-ip-address 127.0.0.1 --num-cpus 0 --include-dashboard false"

GRID = """
name: apart
defaults: {{method: random, keep: 12, seed: 0..1, epochs: 1, batch: 2000, width: 3}}
blocks:
  two: {{epochs: 1..2}}
  points: {{task: "{folder}/points.csv", batch: 128}}
  given: {{init: "{folder}/init.npz"}}
"""
"""Four packs, of which one is of points in a file, and one begins from weights in a
file; the command names the file of their method."""

SEARCH = Search(Settings(0, ("one-unit", "random"), (4, 2, 2), (8, 14), 8), 2)


def run(command):
    """Run a command to its end, however it ends."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False)


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Return a function from a command to one that does not see the tests' folders."""
    folder = str(tmp_path_factory.getbasetemp())

    def hidden(*command):
        return ["unshare", "--mount", "sh", "-c", HIDE, folder, *map(str, command)]

    if shutil.which("unshare") is None or run(hidden("true")).returncode:
        pytest.skip("this user cannot hide a folder from a process by `unshare -m`")
    return hidden


@pytest.fixture(scope="module")
def cluster(apart, proc):
    """A head without workers that sees all, two nodes that do not: its address."""
    with create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    token, started = secrets.token_hex(32), []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**tune.SETTINGS, **tune.LOOPBACK}.items():
            patch.setenv(name, value)
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", token)
        try:
            started.append(_start_head(address))
            proc.until(partial(_runs, *started[0]), "a head")
            started += [_start_node(address, apart) for _ in range(2)]
            for node in started[1:]:
                proc.until(partial(_runs, *node), "a node")
            yield address
        finally:
            for folder, node in started:
                session.kill(node.pid)
                node.wait()
                session.remove(str(folder))


def _start_head(address):
    """Start the head; return its folder and process."""
    folder = Path(tempfile.mkdtemp(prefix="node-", dir="/tmp"))
    words = f"{HEAD} --block --port {address.rpartition(':')[2]}"
    words += f" --temp-dir {folder} --object-store-memory {STORE_BYTES}"
    command = [sys.executable, "-m", "ray.scripts.scripts", *words.split()]
    return folder, _start(folder, command)


def _start_node(address, apart):
    """Start a node; return its folder and process."""
    folder = Path(tempfile.mkdtemp(prefix="node-", dir="/tmp"))
    facts = {**FACTS, "temp_dir": str(folder)}
    code = NODE.format(address=address, facts=facts)
    return folder, _start(folder, apart(sys.executable, "-c", code))


def _start(folder, command):
    """Start a process that works in a folder of its own."""
    home = {"HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **home, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )


def _runs(folder, node):
    """Return whether a node has started."""
    said = (folder / "log").read_text()
    assert node.poll() is None, said
    return "Ray runtime started" in said


@pytest.fixture
def private(tmp_path):
    """A folder that the nodes do not see."""
    folder = tmp_path / "private"
    folder.mkdir()
    return folder


def launch(grid, out, method, *args):
    """Launch in a process; return how it ended."""
    command = [sys.executable, "-m", "spiral", "launch", grid, "--out", out]
    command += ["--method", method, "--engine", "reference", "--workers", 2]
    command += args
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode()


def _write_grid(private, deaths):
    """Write a grid with a method, points and weights in files; return its words."""
    import numpy as np

    random = np.random.default_rng(0)
    points = np.column_stack([random.normal(size=(400, 2)), np.arange(400) % 2])
    np.savetxt(
        private / "points.csv", points, delimiter=",", header="x1,x2,label", comments=""
    )
    sizes = [(3, 2), (3, 3), (3, 3), (1, 3)]
    arrays = {f"{n}.weight": random.normal(size=size) for n, size in enumerate(sizes)}
    arrays |= {f"{n}.bias": np.zeros(size[0]) for n, size in enumerate(sizes)}
    np.savez(private / "init.npz", **{k: v.astype("f4") for k, v in arrays.items()})
    own, grid = private / "own.py", private / "grid.yaml"
    own.write_text(OWN.format(private=private, deaths=deaths))
    grid.write_text(GRID.format(folder=private))
    return grid, f"{own}:Largest"


def test_rows_are_the_same_though_a_worker_and_the_launcher_are_killed(
    apart, cluster, private, suicide, values, monkeypatch
):
    deaths = Path(tempfile.mkdtemp(prefix="deaths-", dir="/tmp"))
    grid, method = _write_grid(private, deaths)
    assert run(apart("cat", grid)).returncode != 0
    alone, out = private / "alone", private / "out"
    code, said = launch(grid, alone, method, "--executor", "local")
    assert code == 0, said
    last = max(path.name for path in store.pack_files(alone))
    with monkeypatch.context() as once:
        assert suicide(f"/_spiral/tmp/{last}", times=1)
        code, said = launch(grid, out, method, "--address", cluster)
        assert code == -signal.SIGKILL, said
        once.undo()
    code, said = launch(grid, out, method, "--address", cluster)
    assert code == 0, said
    assert values(out) == values(alone)
    assert status.verify(out).sound
    assert not [*store.scratch(out).iterdir()]
    names = {path.name for path in deaths.iterdir()}
    assert "0" in names  # the first worker died
    assert len(names) > 1  # others that see nothing trained
    shutil.rmtree(deaths)


def test_a_search_makes_the_same_files(cluster, private):
    found = []
    for executor in (local.run, partial(process.run, address=cluster)):
        out = private / f"search-{len(found)}"
        evolve.run(SEARCH, out, Limits(generations=2), (executor, 2), lambda _: None)
        files = (path for path in sorted(out.rglob("*")) if path.is_file())
        found.append({str(f.relative_to(out)): f.read_bytes() for f in files})
    assert len(found[0]) == 6
    assert found[0] == found[1]


class Wide:
    """Work whose results are larger than the object store of a node."""

    def do(self, pack, tell):
        return Outcome(pack, data=Random(pack).randbytes(BYTES))

    def save(self, outcome):
        if outcome.data != Random(outcome.pack).randbytes(BYTES):
            raise CorruptPack(f"{outcome.pack}: {len(outcome.data)} other bytes")


def test_results_larger_than_the_object_store_arrive_whole(cluster):
    said = []

    def report(message):
        if not isinstance(message, Training):
            said.append(message)

    process.run(Wide(), ["a", "b", "c"], 2, report, address=cluster)
    assert sorted(outcome.pack for outcome in said) == ["a", "b", "c"]
    assert {(outcome.error, outcome.data) for outcome in said} == {(None, b"")}
