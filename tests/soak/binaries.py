"""Bad inputs that are no text: results, checkpoints and frontiers, spoilt or forged."""

import io
import zipfile
from pathlib import Path
from random import Random
from shutil import copytree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spiral.results import sealed, store
from spiral.search import best_known
from tests.soak import files
from tests.soak.texts import Case, grid_words

# ---- results


def results(chance: Random, room: Path, sound: Path) -> Case:
    """A results directory in which files were damaged, lost or exchanged."""
    out = room / "results"
    copytree(sound, out)
    every = [p for p in out.rglob("*") if p.is_file()]
    for path in chance.sample(every, chance.randint(1, 3)):
        data = path.read_bytes()
        path.write_bytes(chance.choice(files.DAMAGES)(data, chance))
    if chance.random() < 0.3:
        _forged(chance, chance.choice([store.manifest_path(out), every[0]]))
    command = chance.choice(
        [
            ["status", str(out)],
            ["verify", str(out)],
            ["compare", str(out)],
            ["compare", str(out), "--json"],
            ["plot", "accuracy", str(out), "-o", str(room / "x.png")],
            ["plot", "boundary", str(out), "gmp", "-o", str(room / "x.png")],
            ["frontier", "update", str(out), "--file", str(room / "f.parquet")],
        ]
    )
    return Case(command, garbage=False)


def _forged(chance: Random, path: Path) -> None:
    """Write a table of another shape with a seal that is right."""
    columns = {
        "config_id": ["x", "y"],
        "pack": chance.choice([["../../../evil"] * 2, ["p", None], ["", ""]]),
        "method": ["gmp", chance.choice(["dense", "nobody", ""])],
        "accuracy": [float("nan"), 7.0],
    }
    names = chance.sample([*columns], chance.randint(0, 4))
    table = pa.table({name: columns[name] for name in names})
    facts = chance.choice([{}, {"schema": 99}, {"pack": ["x"]}])
    path.write_bytes(sealed.to_bytes(table, facts))


# ---- checkpoints


def checkpoints(chance: Random, room: Path, sound: Path) -> Case:
    """Files of initial weights that hold no network, or are not whole."""
    path = room / f"init{chance.choice(['.npz', '.npz', '.pt', ''])}"
    path.write_bytes(chance.choice([_npz, _npz, _bomb, _npy, _noise])(chance))
    grid = room / "g.yaml"
    grid.write_text(f"{{method: dense, width: 3, epochs: 1, init: '{path}'}}")
    return grid_words(chance, room, grid, garbage=True)


LAYERS = {"first_layer": (3, 2), "second_layer": (3, 3), "third_layer": (3, 3)}
SHAPES = LAYERS | {"clf": (1, 3)}


def arrays(chance: Random) -> dict[str, np.ndarray]:
    """Return the arrays of a network of width 3."""
    draw = np.random.default_rng(chance.getrandbits(32))
    found = {}
    for name, shape in SHAPES.items():
        found[f"{name}.weight"] = draw.normal(size=shape).astype(np.float32)
        found[f"{name}.bias"] = draw.normal(size=shape[0]).astype(np.float32)
    return found


def _npz(chance: Random) -> bytes:
    """Return a network of which one array is wrong, or a damaged file."""
    found = arrays(chance)
    name = chance.choice([*found])
    wrong = chance.choice(
        [
            None,
            np.full(found[name].shape, np.nan),
            np.full(found[name].shape, np.inf),
            np.zeros((3, 3, 3)),
            np.zeros(0),
            np.array(7.0),
            np.array(["a", "b"]),
            np.zeros(found[name].shape, complex),
            np.array([{}], object),
            np.full(found[name].shape, 1e300),
            np.zeros(found[name].shape, "V8"),
            np.zeros(found[name].shape, "M8[s]"),
        ]
    )
    found |= {name: wrong} if wrong is not None else {}
    if wrong is None:
        del found[name]
    buffer = io.BytesIO()
    np.savez(buffer, **found)  # type: ignore[arg-type]
    return buffer.getvalue()


def _bomb(chance: Random) -> bytes:
    """Return an archive of a few KB that unfolds to a gigabyte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        header = io.BytesIO()
        shape = (2**27,)
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f8", "fortran_order": False, "shape": shape}
        )
        with archive.open("first_layer.weight.npy", "w", force_zip64=True) as part:
            part.write(header.getvalue())
            for _ in range(80):
                part.write(bytes(2**20))
    return buffer.getvalue()


def _npy(chance: Random) -> bytes:
    """Return a header that promises more than there is."""
    buffer = io.BytesIO()
    size = chance.choice([2**40, -1, 0, 10])
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (size,)}
    )
    return buffer.getvalue()


def _noise(chance: Random) -> bytes:
    """Return random bytes, perhaps with the beginning of a real format."""
    start = chance.choice([b"", b"PK\x03\x04", b"\x80\x02", b"\x93NUMPY"])
    return start + chance.randbytes(chance.randint(0, 400))


# ---- frontiers


def frontiers(chance: Random, room: Path, sound: Path) -> Case:
    """A frontier file that was damaged, or whose values make no sense."""
    path = room / "f.parquet"
    if chance.random() < 0.5:
        table = pq.read_table(best_known.SHIPPED).slice(0, 5).to_pylist()
        row, name = chance.choice(table), chance.choice(best_known.SCHEMA.names)
        kind = best_known.SCHEMA.field(name).type
        words = ["", "x", "1,1/1", "9" * 40, "1,0/0,1", "\0"]
        numbers = [0, -1, 2**50]
        row[name] = chance.choice(words if pa.types.is_string(kind) else numbers)
        if pa.types.is_list(kind):
            row[name] = chance.choice([[], [float("nan")] * 24, None, [1e38] * 9])
        if chance.random() < 0.2:
            row[name] = None
        pq.write_table(pa.Table.from_pylist(table, best_known.SCHEMA), path)
    else:
        data = best_known.SHIPPED.read_bytes()
        path.write_bytes(chance.choice(files.DAMAGES)(data, chance))
    command = chance.choice(
        [
            ["frontier", "show", "--file", str(path)],
            ["frontier", "show", "--json", "--file", str(path)],
            ["frontier", "verify", "--file", str(path)],
            ["compare", str(sound), "--frontier", str(path)],
            ["plot", "networks", "--file", str(path), "-o", str(room / "x.png")],
            ["plot", "frontier", "--file", str(path), "-o", str(room / "x.png")],
        ]
    )
    return Case(command, garbage=False)
