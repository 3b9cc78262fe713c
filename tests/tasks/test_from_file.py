"""Tasks of the user's own points, and files that are refused."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spiral import tasks
from spiral.errors import ConfigError
from spiral.tasks import tables
from tests.tasks import agrees

RANDOM = np.random.default_rng(0)
RAW = np.column_stack([RANDOM.normal(3, 5, (400, 2)), RANDOM.integers(0, 2, 400)])
COLUMNS = dict(zip(["x1", "x2", "label"], RAW.T, strict=True))


def csv(columns, path):
    lines = [",".join(columns)]
    lines += [
        ",".join(map(repr, row)) for row in np.array([*columns.values()]).T.tolist()
    ]
    path.write_text("\n".join(lines) + "\n")


WRITERS = {
    ".npz": lambda columns, path: np.savez(path, **columns),
    ".csv": csv,
    ".parquet": lambda columns, path: pq.write_table(pa.table(columns), path),
}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Write columns to a file of each kind, named uniquely for its contents."""

    def written(name="points", **columns):
        path = tmp_path / (name + request.param)
        WRITERS[request.param](COLUMNS | columns, path)
        return path

    return written


def refused(path):
    with pytest.raises(ConfigError) as error:
        tasks.canonical(str(path))
    message = str(error.value)
    assert path.name in message
    assert "\n" not in message
    return message.partition(path.name)[2]


def test_points_of_a_file_are_standardised(write):
    name = tasks.canonical(str(write()))
    agrees(tasks.load(name), RAW)
    assert tasks.load(name).curves is tasks.load(name).planted is None


def test_the_name_is_the_path_with_a_digest_and_stays(write):
    path = write()
    name = tasks.canonical(str(path))
    stem, _, digest = name.rpartition("@")
    assert stem == str(path)
    assert len(digest) == 16
    assert tasks.canonical(name) == name == tasks.canonical({"file": str(path)})
    assert tasks.canonical(path.name, near=path.parent) == name
    assert tasks.canonical({"file": path.name}, near=path.parent) == name
    assert tasks.load(name).name == name


def test_a_file_that_has_changed_is_refused(write):
    path = write()
    name = tasks.canonical(str(path))
    write(x1=COLUMNS["x1"] + 1)
    tasks.load.cache_clear()
    with pytest.raises(ConfigError, match="changed since"):
        tasks.load(name)
    assert tasks.canonical(str(path)) != name


def test_equal_contents_have_equal_digests_wherever_they_are(write):
    names = [tasks.canonical(str(write(name))) for name in ("here", "there")]
    assert len({name.rpartition("@")[2] for name in names}) == 1


def test_columns_have_any_order_and_labels_any_two_values(tmp_path):
    labels = np.where(COLUMNS["label"] == 1, 7.0, -1.0)
    path = tmp_path / "points.npz"
    np.savez(path, label=labels, x2=COLUMNS["x2"], x1=COLUMNS["x1"])
    agrees(tasks.load(tasks.canonical(str(path))), RAW)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, bool, np.float16, ">i4"])
def test_labels_may_have_any_type_of_number(kind, tmp_path):
    path = tmp_path / "points.npz"
    np.savez(path, **COLUMNS | {"label": COLUMNS["label"].astype(kind)})
    agrees(tasks.load(tasks.canonical(str(path))), RAW)


def with_first(value, name="x1"):
    column = COLUMNS[name].copy()
    column[0] = value
    return {name: column}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            with_first(np.nan),
            "finite numbers in x1, got NaN, infinity or an empty cell",
        ),
        (with_first(-np.inf, "x2"), "finite numbers in x2"),
        (with_first(np.nan, "label"), "finite numbers in label"),
        (with_first(2, "label"), "got 3 (0, 1, 2); a task has two classes"),
        ({"label": np.ones(400)}, "got 1 (1); a task has two classes"),
        ({"label": np.arange(400.0)}, "got 400 (0, 1, 2, 3, …)"),
        ({"x1": np.ones(400)}, "coordinates that vary"),
        ({"x1": COLUMNS["x1"] * 1e300}, "within the range of floats"),
        ({"x3": np.ones(400)}, "(tasks have two coordinates), got x1, x2, label, x3"),
        ({n: c[:255] for n, c in COLUMNS.items()}, "at least 256 points"),
        ({n: c[:0] for n, c in COLUMNS.items()}, "at least 256 points"),
    ],
    ids=str,
)
def test_unusable_points_are_refused_in_words(columns, said, write):
    assert said in refused(write(**columns))


def test_few_points_suffice(write):
    few = {name: column[:256] for name, column in COLUMNS.items()}
    assert tasks.load(tasks.canonical(str(write(**few)))).points == 256


@pytest.mark.parametrize(
    "names", [["x", "y", "label"], ["x1", "x2"], ["x1", "x2", "x2"]]
)
def test_other_columns_are_refused(names, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(",".join(names) + "\n" + ",".join("1" for _ in names))
    said = refused(path)
    assert "the columns x1, x2, label and no others" in said
    assert "got " + ", ".join(names) in said


def test_arrays_of_different_length_are_refused(tmp_path):
    path = tmp_path / "points.npz"
    np.savez(path, **COLUMNS | {"label": COLUMNS["label"][:300]})
    assert "columns of equal length" in refused(path)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (np.array([{}] * 400), "got object of shape (400,)"),
        (np.ones((200, 2)), "got float64 of shape (200, 2)"),
        (np.ones(400) * 1j, "got complex128"),
        (np.array(["cat", "dog"] * 200), "got <U3"),
    ],
    ids=["objects", "matrix", "complex", "words"],
)
def test_arrays_of_other_things_are_refused(column, said, tmp_path):
    path = tmp_path / "points.npz"
    np.savez(path, **COLUMNS | {"label": column})
    assert said in refused(path)


def test_columns_of_text_are_refused(tmp_path):
    path = tmp_path / "points.parquet"
    pq.write_table(pa.table({**COLUMNS, "label": ["cat", "dog"] * 200}), path)
    assert "real numbers in label, got string" in refused(path)
    path = tmp_path / "points.csv"
    path.write_text("x1,x2,label\n" + "1,2,cat\n3,4,dog\n" * 200)
    assert "text in a cell" in refused(path)


def header(count):
    """Return the header of an array of so many numbers."""
    file = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, shape)
    return file.getvalue()


def archive(path, parts, claimed=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name + ".npy", data)
    if claimed is not None:  # in the directory at the end, where readers look
        data = bytearray(path.read_bytes())
        place = -1
        while (place := data.find(b"PK\1\2", place + 1)) >= 0:
            data[place + 24 : place + 28] = struct.pack("<I", claimed)
        path.write_bytes(data)


def no_array(*_, **__):
    raise AssertionError("numbers were allocated")


def test_a_header_that_claims_gigabytes_is_refused_before_they_are_allocated(
    tmp_path, monkeypatch
):
    path = tmp_path / "points.npz"
    archive(path, dict.fromkeys(COLUMNS, header(1_250_000_000)))
    monkeypatch.setattr(np, "frombuffer", no_array)
    assert "at most 10,000,000 points, got 1,250,000,000" in refused(path)


def test_a_negative_size_is_refused(tmp_path):
    path = tmp_path / "points.npz"
    archive(path, dict.fromkeys(COLUMNS, header(-5)))
    assert "got -5" in refused(path)


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unopened(
    tmp_path, monkeypatch
):
    path = tmp_path / "points.npz"
    archive(path, dict.fromkeys(COLUMNS, header(400)), claimed=2**30)
    monkeypatch.setattr(zipfile.ZipFile, "open", no_array)
    assert "at most 1,073,741,824 bytes unpacked, got 3,221,225,472" in refused(path)


def test_an_archive_that_claims_less_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "points.npz"
    archive(path, dict.fromkeys(COLUMNS, header(400) + bytes(3200)), claimed=900)
    assert "damaged or cut short" in refused(path)


def test_a_table_of_too_many_points_is_refused_early(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_POINTS", 1000)
    monkeypatch.setattr(tables, "BLOCK", 4096)
    path = tmp_path / "points.csv"
    path.write_text("x1,x2,label\n" + "1,2,0\n" * 20_000)
    count = int(refused(path).partition("got ")[2].replace(",", ""))
    assert 1000 < count < 3000
    path = tmp_path / "points.parquet"
    pq.write_table(pa.table({name: np.ones(1001) for name in COLUMNS}), path)
    monkeypatch.setattr(pq.ParquetFile, "read", no_array)
    assert "at most 1,000 points, got 1,001" in refused(path)


def test_a_parquet_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "points.parquet"
    pq.write_table(pa.table(COLUMNS), path)
    monkeypatch.setattr(tables, "MAX_BYTES", len(path.read_bytes()))
    assert tasks.canonical(str(path))
    tasks.load.cache_clear()
    zeros = {name: np.zeros(9999) + np.arange(9999) % 2 for name in COLUMNS}
    pq.write_table(pa.table(zeros), path, use_dictionary=False, compression="zstd")
    monkeypatch.setattr(tables, "MAX_BYTES", 10_000)
    monkeypatch.setattr(pq.ParquetFile, "read", no_array)
    assert "at most 10,000 bytes unpacked" in refused(path)


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "points.csv"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)  # sparse: takes no room
    assert "at most 1,073,741,824 bytes, got 1,073,741,825" in refused(path)


WHOLE = io.BytesIO()
np.savez(WHOLE, **COLUMNS)

FOREIGN = {
    "empty.npz": (b"", "got an empty file"),
    "empty.csv": (b"", "got an empty file"),
    "empty.parquet": (b"", "got an empty file"),
    "text.npz": (b"x1,x2,label\n1,2,0\n", "got text"),
    "text.parquet": (b"x1,x2,label\n1,2,0\n", "got text"),
    "prose.csv": (b"No table, but a sentence.\n", "got No table,  but a sentence."),
    "binary.csv": (bytes(range(256)) * 9, "binary data of an unknown kind"),
    "control.csv": (b"\x1b[2J\0,x2\n1,2\n", r"got '\x1b[2J\x00', x2"),
    "cut.npz": (WHOLE.getvalue()[:-300], "that is damaged or cut short"),
    "broken.npz": (
        WHOLE.getvalue().replace(b"NUMPY", b"BUMPY"),
        "damaged or cut short",
    ),
    "array.npz": (b"\x93NUMPY" + bytes(99), "a single NumPy array (.npy)"),
    "pickle.npz": (pickle.dumps(COLUMNS), "got a pickle"),
    "cut.parquet": (b"PAR1" + bytes(99), "that is damaged or cut short"),
    "ragged.csv": (b"x1,x2,label\n1,2,0\n1,2\n", "rows of different length"),
    "header.csv": (b"x1,x2,label\n", "at least 256 points"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_refused_in_one_sentence(name, tmp_path):
    content, said = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    found = refused(tmp_path / name)
    assert said in found


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    assert "expected a file, got a folder" in refused(tmp_path / "folder.npz")
    assert "cannot be read (No such file" in refused(tmp_path / "missing.npz")
    with pytest.raises(ConfigError, match=r"ends in \.npz, \.csv, \.parquet"):
        tasks.canonical({"file": "points"})
    for text in ("points.txt", "folder/points", "../cubist"):
        with pytest.raises(ConfigError, match="expected a file of points"):
            tasks.canonical(text)
    with pytest.raises(ConfigError, match="a local path, got the URL"):
        tasks.canonical("s3://bucket/points.npz")
    for odd in ("a\0.npz", "a" * 9999 + ".npz"):
        with pytest.raises(ConfigError, match="cannot be read"):
            tasks.canonical(odd)
