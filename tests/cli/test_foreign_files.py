"""Files of another kind, wherever a file is expected: told in the project's words."""

import io
import json
import pickle
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import numpy as safetensors

from spiral.search import best_known
from tests.cli import run

pytestmark = pytest.mark.slow  # runs every command on every kind of file

THEIRS = re.compile(
    r"magic bytes|<[a-z]+ [a-z]+>|weights_only|Expecting |codec can|allow_pickle|Errno"
    r"|Traceback|Warning|null bytes|Unsupported|ArrowInvalid|Parquet file size|Thrift"
    r"|object has no|Unpickl|file an issue|is not subscriptable|deserialize"
)
"""Words of the libraries that read files."""


class Net(torch.nn.Linear):
    """A model that somebody pickled whole."""


def saved(write, *things, **more):
    buffer = io.BytesIO()
    write(*things, buffer, **more)
    return buffer.getvalue()


def table():
    return saved(pq.write_table, pa.table({"a": [1, 2]}))


FILES = {
    "empty.pt": lambda: b"",
    "text": lambda: b"no network\n- nor a grid: at all\n",
    "notes.md": lambda: b"# A note\n\tx: [1\n",
    "source.py": lambda: b'"""A file."""\n\nprint("hello", {1: 2})\n',
    "object.json": lambda: json.dumps({"format": "other", "x": [1]}).encode(),
    "broken.json": lambda: b'{"format": ',
    "deep.json": lambda: b"[" * 50_000,
    "binary.json": lambda: b"\xff\xfe\x00" * 9,
    "table.csv": lambda: b"a,b\n1,2\n",
    "latin.txt": lambda: "keep: \xe4".encode("latin-1"),
    "arrays.npz": lambda: saved(lambda file: np.savez(file, a=np.ones(2))),
    "objects.npz": lambda: saved(lambda file: np.savez(file, a=np.array([{}]))),
    "arrays.zip": lambda: saved(lambda file: np.savez(file, a=np.ones(2))),
    "array.npy": lambda: saved(lambda file: np.save(file, np.ones(2))),
    "whole.pt": lambda: saved(torch.save, Net(2, 1)),
    "mask.pt": lambda: saved(torch.save, torch.ones(3, dtype=torch.bool)),
    "mask.pkl": lambda: pickle.dumps(np.ones(3, bool)),
    "noise.safetensors": lambda: bytes(range(256)) * 9,
    "other.safetensors": lambda: safetensors.save({"a": np.ones(2)}),
    "mask.nnet": lambda: pickle.dumps({"mask": np.ones(3, bool)}, 2),
    "old.pkl": lambda: pickle.dumps({"mask": [1, 0]}, 0),
    "other.parquet": table,
    "short.parquet": lambda: table()[:-9],
    "frontier.parquet": lambda: best_known.SHIPPED.read_bytes()[:5000],
    "picture.png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(50),
    "noise.bin": lambda: np.random.default_rng(1).bytes(999),
}

COMMANDS = [
    "plan {file}",
    "launch {file} --out {new}/o",
    "plan {grid} --set init={file}",
    "tasks {file}",
    "compare {file}",
    "compare {out} {file}",
    "compare {out} --frontier {file}",
    "summary {file} -o {new}/s.parquet",
    "report {file} -o {new}/r.html",
    "status {file}",
    "verify {file}",
    "view {file} -o {new}/v.html",
    "plot accuracy {file} -o {new}/a.png",
    "plot boundary {file} gmp -o {new}/b.png",
    "plot frontier --file {file} -o {new}/f.png",
    "plot success {file} -o {new}/f.png",
    "diagnose robustness {file}",
    "diagnose regimes {file}",
    "frontier show --file {file}",
    "frontier verify --file {file}",
    "frontier update {file} --file {new}/f.parquet",
    "frontier update {out} --file {file}",
    "network import {file} --file {new}/f.parquet",
    "network rows {file} --out {new}/o",
    "network rows {file} --train --out {new}/o",
    "network export {file} -o {new}/n.npz",
    "compare {out} --with {file}",
    "rank --method {file}:Mine --out {new}/r",
    "search masks --from {file} --out {new}/m",
    "search recall {file} {out}",
]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Every file, and a folder."""
    folder = tmp_path_factory.mktemp("foreign")
    for name, content in FILES.items():
        (folder / name).write_bytes(content())
    (folder / "folder").mkdir()
    return sorted(folder.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_kind_is_told_in_our_words(
    command, foreign, grid, launched, tmp_path
):
    for file in foreign:
        before = file.read_bytes() if file.is_file() else None
        places = {"file": file, "grid": grid, "out": launched[0], "new": tmp_path}
        ran = run(*(word.format(**places) for word in command.split()))
        assert ran.code in (1, 2, 4), (file.name, ran)
        assert file.name in ran.err
        assert not THEIRS.search(ran.err), ran.err
        assert before is None or file.read_bytes() == before
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "command", "said"),
    [
        ("whole.pt", "plan {grid} --set init={file}", "foreign_files.Net"),
        ("whole.pt", "plan {grid} --set init={file}", "torch.save(model.state_dict()"),
        ("mask.pkl", "plan {grid} --set init={file}", "got a pickle"),
        ("objects.npz", "plan {grid} --set init={file}", "numpy.savez(path, **"),
        ("mask.nnet", "frontier update {file} --file {new}/f", "got a pickle"),
        ("whole.pt", "frontier update {file} --file {new}/f", "got a PyTorch file"),
        ("frontier.parquet", "frontier show --file {file}", "damaged or cut short"),
        (
            "broken.json",
            "frontier update {file} --file {new}/f",
            ".json:1:12: exp",
        ),
        ("arrays.npz", "compare {file}", "got an .npz archive"),
        ("source.py", "plan {file}", "expected a grid in YAML, got Python"),
        ("notes.md", "plan {file}", "notes.md:2:1: not valid YAML"),
        ("noise.bin", "rank --method {file}:Mine --out {new}/r", "got binary data"),
    ],
)
def test_what_a_file_is_and_what_to_do(name, command, said, foreign, grid, tmp_path):
    file = next(path for path in foreign if path.name == name)
    places = {"file": file, "grid": grid, "new": tmp_path}
    ran = run(*(word.format(**places) for word in command.split()))
    assert said in ran.err
