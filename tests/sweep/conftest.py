"""What the tests of launches share: a tiny grid, ways to launch it, ways to kill it."""

import io
import multiprocessing
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from spiral.cli import main
from spiral.results import store
from tests import VARYING
from tests.patience import until

GRID = """
name: tiny
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..3}
blocks:
  gmp: {method: gmp, keep: [12, 20], interval: [5, 6]}
  random: {method: random, keep: 12, engine: vmap}
  dense: {method: dense, lr: [0.05, 0.1], engine: vmap}
"""
"""28 configs in 4 packs on two engines; trains in 0.2 s once torch is warm."""

CHILD = """
import os, sys
log = os.open({log!r}, os.O_CREAT | os.O_WRONLY)
os.dup2(log, 1), os.dup2(log, 2)
sys.argv = {argv!r}
from spiral.cli import main
from tests.patience import until
main()
"""

SUICIDE = """
import os, signal, sys

def hook(event, args):
    if event == "open" and {target!r} in str(args[0]):
        for n in range({times}):
            try:
                os.close(os.open(f"{folder}/{{n}}", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
"""


class Ran(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str


def run_cli(*args):
    """Run a command line in this process; an exception is a failed test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main([str(arg) for arg in args], prog_name="spiral-sweep")
    except SystemExit as stop:
        code = stop.code or 0
    return Ran(code, out.getvalue(), err.getvalue())


def exact_values(out):
    """Return (file, column) → exact text of every value that is not a measurement."""
    return {
        (path.name, column): repr(table[column].to_pylist())
        for path in store.pack_files(out)
        for table in [store.read_pack(path)[0]]
        for column in table.column_names
        if column not in VARYING
    }


def descendants(pid):
    """Return the living descendants of a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(stat.parent.name)] = int(parent)
    family, grown = {pid}, {pid}
    while grown:
        grown = {c for c, p in parents.items() if p in family} - family
        family |= grown
    return family - {pid}


def alive(pids):
    """Return those processes that still run."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def trains(pid):
    """Return whether a process is a Ray worker that has a pack, of whatever engine."""
    try:
        name = Path(f"/proc/{pid}/cmdline").read_bytes()
        loaded = Path(f"/proc/{pid}/maps").read_text()
        return b".train" in name and ("libtorch" in loaded or "llvmlite" in loaded)
    except OSError:
        return False


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@pytest.fixture(scope="session")
def cli():
    return run_cli


@pytest.fixture(scope="session")
def proc():
    """Looking at processes: ``until``, ``descendants``, ``alive``."""
    return SimpleNamespace(
        until=until, descendants=descendants, alive=alive, trains=trains
    )


@pytest.fixture(scope="session")
def values():
    return exact_values


@pytest.fixture(scope="session")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "tiny.yaml"
    path.write_text(GRID)
    return path


@pytest.fixture(scope="session")
def launch(grid):
    """Launch the tiny grid in this process (with ``workers=2``: in two others)."""

    def run(out, *args, workers=1):
        local = ("--executor", "local", "--workers", workers)
        return run_cli("launch", grid, "--out", out, *local, *args)

    return run


@pytest.fixture(scope="session")
def undisturbed(launch, tmp_path_factory):
    """A results directory of the tiny grid that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert launch(out).code == 0
    return out


@pytest.fixture(scope="session")
def forks():
    """A server whose forks have torch loaded, so that a process costs little."""
    context = multiprocessing.get_context("forkserver")
    modules = ["sweep.launch", "sweep.grid", "sweep.local", "engines.vmap"]
    slow = ["torch._dynamo", "torch._inductor"]
    context.set_forkserver_preload([*(f"spiral.{m}" for m in modules), *slow])
    return context


@pytest.fixture
def spawn(forks, grid, tmp_path):
    """Launch the tiny grid in a process of its own, which a test may kill."""
    children = []

    def start(out, *args, workers=1):
        local = ["--executor", "local", "--workers", str(workers)]
        argv = ["spiral-sweep", "launch", str(grid), "--out", str(out), *local, *args]
        log = tmp_path / f"log-{len(children)}"
        text = CHILD.format(log=str(log), argv=argv)
        child = forks.Process(target=exec, args=(text, {"__name__": "child"}))
        child.log = log
        child.start()
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.join()


@pytest.fixture
def suicide(tmp_path, monkeypatch):
    """Make Python processes started from now on kill themselves so many times.

    They do so when they open a file whose path holds ``target``; SIGKILL, no clean-up.
    """

    def arm(target, times):
        folder = tmp_path / "deaths"
        folder.mkdir()
        text = SUICIDE.format(target=target, times=times, folder=folder)
        (tmp_path / "sitecustomize.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        return folder

    return arm
