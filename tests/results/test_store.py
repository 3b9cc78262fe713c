"""The store: what comes back is what was written, or an error that says which file."""

import pathlib
import random

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spiral.errors import CorruptPack, StoreError
from spiral.results import packed, sealed, store
from tests.results import write_pack

IDS = ["c0ffee", "decade", "facade"]
PACK = packed.pack_id(IDS)
ROWS = pa.table(
    {
        "config_id": pa.array(IDS),
        "keep": pa.array([12, None, 20], pa.int64()),
        "lr": pa.array([0.1, 5e-4, None], pa.float64()),
        "schedule": pa.array(["cosine", None, ""], pa.string()),
        "mask": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "weights": pa.array([[1.5, -0.0], [], [float("nan")]], pa.list_(pa.float32())),
    }
)


@pytest.fixture
def committed(tmp_path):
    write_pack(tmp_path, PACK, ROWS, {"machine": "abacus", "seconds": 1.5})
    return store.pack_path(tmp_path, PACK)


# ---- round trips


def test_a_pack_comes_back_with_its_nulls_and_facts(committed):
    table, footer = store.read_pack(committed)
    assert repr(table.to_pylist()) == repr(ROWS.to_pylist())
    assert table.schema.equals(ROWS.schema)
    assert (footer["machine"], footer["seconds"]) == ("abacus", 1.5)
    assert (footer["pack"], footer["rows"]) == (PACK, 3)


@pytest.fixture
def manifest(tmp_path):
    configs = pd.DataFrame(
        {
            "config_id": pd.array(["a", "b", "c"], "string"),
            "keep": pd.array([12, None, 2**53], "Int64"),
            "lr": pd.array([0.1, None, 1e-300], "Float64"),
            "scope": pd.array([None, "layer", ""], "string"),
            "pack": pd.array(["p1", "p2", "p1"], "string"),
        }
    )
    store.write_manifest(tmp_path, configs, {"grid": "g", "blocks": {"x": 3}})
    return configs


def test_a_manifest_comes_back_with_types_and_nulls(manifest, tmp_path):
    table, footer = store.read_manifest(tmp_path)
    pd.testing.assert_frame_equal(table, manifest)
    assert (footer["grid"], footer["blocks"]) == ("g", {"x": 3})


def test_a_manifest_gives_the_configs_of_one_pack_in_order(manifest, tmp_path):
    data = store.manifest_path(tmp_path).read_bytes()
    table = store.configs_of(data, "p1")
    assert table["config_id"].tolist() == ["a", "c"]
    assert table.dtypes.equals(manifest.dtypes)
    assert len(store.configs_of(data, "p3")) == 0


def test_a_manifest_gives_the_columns_asked_for(manifest, tmp_path):
    table, _ = store.read_manifest(tmp_path, columns=["pack"])
    assert table.to_dict("list") == {"pack": ["p1", "p2", "p1"]}


def test_a_folder_without_a_manifest_is_explained(tmp_path):
    with pytest.raises(StoreError, match="expected a results directory"):
        store.read_manifest(tmp_path)


def test_failures_are_remembered_replaced_and_forgotten(tmp_path):
    assert store.failures(tmp_path) == {}
    store.write_failure(tmp_path, "p1", "first")
    store.write_failure(tmp_path, "p1", "it died: \u201cwhy\u201d\n")
    store.write_failure(tmp_path, "p2", "other")
    store.clear_failure(tmp_path, "p2")
    store.clear_failure(tmp_path, "p3")
    assert store.failures(tmp_path) == {"p1": "it died: \u201cwhy\u201d\n"}


# ---- names


def test_a_pack_is_named_for_its_configs_in_their_order():
    names = [IDS, IDS[::-1], IDS[:2], [*IDS, "c0ffee"], ["c0ffeedecade", "facade"]]
    assert len({packed.pack_id(ids) for ids in names}) == len(names)
    assert packed.pack_id(iter(IDS)) == PACK


def test_equal_input_gives_equal_bytes(committed, tmp_path):
    write_pack(tmp_path / "b", PACK, ROWS, {"seconds": 1.5, "machine": "abacus"})
    assert store.pack_path(tmp_path / "b", PACK).read_bytes() == committed.read_bytes()


def test_pandas_reads_the_directory_and_its_results(committed, manifest, tmp_path):
    for folder in (tmp_path, tmp_path / "results"):
        table = pd.read_parquet(folder)
        assert table["config_id"].tolist() == IDS
        assert table.columns.tolist() == ROWS.column_names


def test_a_file_is_not_the_folder_of_a_launch(committed):
    with pytest.raises(StoreError, match="expected a results directory, got a file"):
        store.read_manifest(committed)


# ---- seals


def test_every_single_changed_byte_is_found(committed):
    whole, change = committed.read_bytes(), random.Random(1)
    assert len(whole) < 20_000
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= change.randint(1, 255)
        committed.write_bytes(damaged)
        with pytest.raises(CorruptPack, match=PACK):
            store.read_pack(committed)
    committed.write_bytes(whole)
    assert store.read_pack(committed)[0].num_rows == 3


def test_every_truncation_and_every_addition_is_found(committed):
    whole = committed.read_bytes()
    for size in {0, 1, 4, 8, 12, *range(0, len(whole), 7), len(whole) - 1}:
        committed.write_bytes(whole[:size])
        with pytest.raises(CorruptPack):
            store.read_pack(committed)
    for more in (b"\0", b"PAR1", whole):
        committed.write_bytes(whole + more)
        with pytest.raises(CorruptPack):
            store.read_pack(committed)


def test_a_damaged_manifest_is_found(manifest, tmp_path):
    path, change = store.manifest_path(tmp_path), random.Random(2)
    whole = path.read_bytes()
    for place in change.sample(range(len(whole)), 300):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :]
        )
        with pytest.raises(CorruptPack, match="manifest"):
            store.read_manifest(tmp_path)


def test_a_misnamed_pack_is_found(committed):
    other = committed.with_name("pack-0123456789abcdef.parquet")
    committed.rename(other)
    with pytest.raises(CorruptPack, match=f"got {PACK}"):
        store.read_pack(other)


def test_rows_that_are_not_those_of_the_name_are_never_committed(committed, tmp_path):
    before = committed.read_bytes()
    with pytest.raises(CorruptPack):
        write_pack(tmp_path, PACK, ROWS.slice(0, 2), {})
    assert committed.read_bytes() == before
    assert not any(store.scratch(tmp_path).iterdir())


def test_a_foreign_parquet_file_is_found(committed):
    pq.write_table(ROWS, committed)
    with pytest.raises(CorruptPack, match="not a file of spiral-sweep"):
        store.read_pack(committed)


def test_readers_see_every_file_but_hidden_ones(committed, tmp_path):
    folder = tmp_path / "results"
    for name in ("_hidden", ".hidden", "notes.txt"):
        (folder / name).write_text("x")
    assert [*store.visible_files(tmp_path)] == [folder / "notes.txt", committed]
    assert [*store.pack_files(tmp_path)] == [committed]
    assert [*store.pack_files(tmp_path / "nowhere")] == []


def test_no_damage_reaches_the_parser(committed, monkeypatch):
    """Parsers of broken files may take any memory, or crash."""

    def parse(*args, **options):
        raise AssertionError("parsed")

    whole = committed.read_bytes()
    monkeypatch.setattr(pq, "ParquetFile", parse)
    for place in (5, len(whole) // 2, len(whole) - 6):
        committed.write_bytes(whole[:place] + b"\xff\0" + whole[place + 2 :])
        with pytest.raises(CorruptPack, match="have changed since it was written"):
            store.read_pack(committed)
    committed.write_bytes(whole[:-4])
    with pytest.raises(CorruptPack):
        store.read_pack(committed)


def test_parts_of_a_damaged_manifest_are_not_read_either(manifest, tmp_path):
    """Workers read their pack's configs only, and no seal covers a part."""
    whole, wrong = store.manifest_path(tmp_path).read_bytes(), 0
    for place in range(4, len(whole) // 2, 3):
        other = bytes([whole[place] ^ 16])
        try:
            table = store.configs_of(whole[:place] + other + whole[place + 1 :], "p1")
        except CorruptPack:
            wrong += 1
        else:
            assert table.equals(
                manifest[manifest["pack"] == "p1"].reset_index(drop=True)
            )
    assert wrong > 5


@pytest.mark.parametrize("columns", [None, ["pack"]])
@pytest.mark.parametrize("wrong", [{}, {"pack": [1]}, {"config_id": ["a"]}])
def test_a_sealed_table_that_is_no_manifest_is_refused(wrong, columns, tmp_path):
    path = store.manifest_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(sealed.to_bytes(pa.table(wrong), {}))
    with pytest.raises(CorruptPack, match="launch the grid again"):
        store.read_manifest(tmp_path, columns=columns)


def test_what_is_no_plain_file_is_no_pack(committed):
    committed.unlink()
    committed.mkdir()
    with pytest.raises(CorruptPack, match="expected a plain file"):
        store.read_pack(committed)


def test_a_record_that_cannot_be_removed_does_no_harm(tmp_path, monkeypatch):
    store.write_failure(tmp_path, "p1", "because")

    def unlink(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "unlink", unlink)
    store.clear_failure(tmp_path, "p1")
    assert store.failures(tmp_path) == {"p1": "because"}
