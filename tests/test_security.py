"""Data never runs code, and nothing leaves this machine.

Every file here would create a canary if it were unpickled or evaluated. Escaping in
pages is tested where the pages are, and what Ray says and hears in sweep/test_driver.
"""

import ast
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spiral
from spiral.results import sealed, store
from tests.sweep.conftest import run_cli

PICKLES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
CALLS = {"eval", "exec", "compile", "read_pickle", "to_pickle", "unsafe_load"}


class Canary:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def canary(tmp_path):
    """The path of a folder that exists when code from data was run."""
    path = tmp_path / "canary"
    pickle.loads(pickle.dumps(Canary(path)))  # it would, if it could
    assert path.exists()
    path.rmdir()
    return path


def _init(tmp_path, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    grid = tmp_path / "g.yaml"
    grid.write_text(f"{{method: dense, width: 3, init: '{path}'}}")
    return run_cli("plan", grid)


def _npz(canary):
    array = np.array([Canary(canary)], object)
    with open(canary.with_name("x.npz"), "wb") as file:
        np.savez(file, **{"first_layer.weight": array})
    return canary.with_name("x.npz").read_bytes()


def _torch_archive(canary):
    path = canary.with_name("x.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"model": Canary(canary)}, 2))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return path.read_bytes()


def _bare_pickle(canary):
    return pickle.dumps({"model": Canary(canary)}, 2)


@pytest.mark.parametrize(
    ("make", "name"),
    [(_npz, "a.npz"), (_torch_archive, "a.pt"), (_bare_pickle, "a.pt")],
)
def test_a_checkpoint_never_runs_code(make, name, canary, tmp_path):
    ran = _init(tmp_path, make(canary), name)
    assert ran.code == 2
    assert name in ran.err
    assert not canary.exists()


@pytest.mark.parametrize(
    "text",
    [
        "method: !!python/object/apply:os.mkdir ['{canary}']",
        "!!python/object/new:os.mkdir ['{canary}']",
        "{{method: dense, where: \"__import__('os').mkdir('{canary}')\"}}",
        "{{method: dense, seed: !!python/object/apply:os.mkdir ['{canary}']}}",
        "{{method: dense, init: \"{{__import__('os').mkdir('{canary}')}}\"}}",
    ],
)
def test_a_grid_never_runs_code(text, canary, tmp_path):
    grid = tmp_path / "g.yaml"
    grid.write_text(text.format(canary=canary))
    ran = run_cli("plan", grid)
    assert (ran.code, ran.out) == (2, "")
    assert not canary.exists()


def _extension(canary):
    """A Parquet table whose column asks to be unpickled, as old pyarrow did."""
    facts = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Canary(canary)),
    }
    field = pa.field("config_id", pa.string(), metadata=facts)
    pack = pa.field("pack", pa.string(), metadata=facts)
    return pa.table([["x"], ["x"]], schema=pa.schema([field, pack]))


@pytest.mark.parametrize(
    "command",
    [
        ("status", "{out}"),
        ("verify", "{out}"),
        ("compare", "{out}"),
        ("frontier", "show", "--file", "{out}/_spiral/manifest.parquet"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_parquet_file_never_runs_code(command, is_sealed, canary, tmp_path):
    table, out = _extension(canary), tmp_path / "out"
    for path in (store.manifest_path(out), store.pack_path(out, "x")):
        path.parent.mkdir(parents=True)
        if is_sealed:
            path.write_bytes(sealed.to_bytes(table, {"pack": "x"}))
        else:
            pq.write_table(table, path)
    ran = run_cli(*[word.format(out=out) for word in command])
    assert "Traceback" not in ran.err
    assert not canary.exists()


def test_a_manifest_from_elsewhere_leads_nowhere_else(tmp_path):
    grid, out = tmp_path / "g.yaml", tmp_path / "out"
    grid.write_text("{method: random, keep: 12, width: 3, epochs: 1, batch: 2000}")
    assert run_cli("launch", grid, "--out", out, "--executor", "local").code == 0
    configs, facts = store.read_manifest(out)
    store.write_manifest(out, configs.assign(pack="../../../evil"), facts)
    ran = run_cli("launch", grid, "--out", out, "--executor", "local")
    assert ran.code == 4
    assert "Remove the manifest" in ran.err
    assert not [*tmp_path.rglob("evil*")]


def _sources():
    root = Path(spiral.__file__).parent
    return {path: ast.parse(path.read_text()) for path in root.rglob("*.py")}


def test_the_package_has_no_way_to_run_data():
    """No pickle, no eval; torch.load only weights; np.load without objects.

    One module runs a file: the one that ``--method`` names.
    """
    sources = _sources()
    del sources[Path(spiral.__file__).parent / "methods" / "own_file.py"]
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.partition(".")[0] for alias in node.names}
                source = getattr(node, "module", None) or ""
                assert not (names | {source.partition(".")[0]}) & PICKLES, path
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute):
                given = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
                owner = getattr(node.func.value, "id", "")
                called = f"{owner}.{node.func.attr}"
                assert called != "torch.load" or given.get("weights_only") is True, path
                assert called != "np.load" or given.get("allow_pickle") is False, path
                assert called != "yaml.load", path
                assert node.func.attr not in CALLS - {"compile"}, path
            elif isinstance(node.func, ast.Name):
                assert node.func.id not in CALLS, path


LISTENS = """
import sys

def hook(event, args):
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo"):
        sys.stderr.write(f"NETWORK {event} {args}")

sys.addaudithook(hook)
from spiral.cli import main
main()
"""


def test_the_local_executor_opens_no_socket(tmp_path):
    grid = tmp_path / "g.yaml"
    grid.write_text("{method: random, keep: 12, width: 3, epochs: 1, batch: 2000}")
    words = ["launch", str(grid), "--out", str(tmp_path / "out"), "--executor", "local"]
    ran = subprocess.run(
        [sys.executable, "-c", LISTENS, *words, "--workers", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "NETWORK" not in ran.stderr
