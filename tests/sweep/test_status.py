"""Status counts names; verify reads every byte and names what is wrong."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spiral.errors import StoreError
from spiral.results import store
from spiral.sweep import status
from tests.results import write_pack


@pytest.fixture
def done(undisturbed, tmp_path):
    """A finished launch of 28 configs in 4 packs, which a test may spoil."""
    return shutil.copytree(undisturbed, tmp_path / "out")


def _rows_of(path):
    return store.read_pack(path)[0].num_rows


def test_a_finished_launch_is_complete_and_sound(done):
    state = status.status(done)
    assert (state.configs, state.done, state.failed) == (28, 28, 0)
    assert (state.packs, state.packs_done, state.packs_failed) == (4, 4, 0)
    verdict = status.verify(done)
    assert (verdict.rows, verdict.missing, verdict.corrupt) == (28, 0, [])
    assert verdict.sound


def test_missing_packs_are_counted_in_configs(done):
    gone, *_ = store.pack_files(done)
    lost = _rows_of(gone)
    gone.unlink()
    state = status.status(done)
    assert (state.done, state.packs_done) == (28 - lost, 3)
    verdict = status.verify(done)
    assert (verdict.rows, verdict.missing, verdict.sound) == (28 - lost, lost, True)


def test_a_failed_pack_counts_until_its_rows_are_there(done):
    first, second, *_ = store.pack_files(done)
    lost = _rows_of(first)
    for path in (first, second):
        store.write_failure(done, path.stem.removeprefix("pack-"), "it died")
    first.unlink()
    state = status.status(done)
    assert (state.failed, state.packs_failed, state.done) == (lost, 1, 28 - lost)
    assert state.errors == {first.stem.removeprefix("pack-"): "it died"}


def _flip(path, done):
    data = path.read_bytes()
    path.write_bytes(data[:300] + bytes([data[300] ^ 4]) + data[301:])


def _cut(path, done):
    path.write_bytes(path.read_bytes()[:-9])


def _foreign(path, done):
    pq.write_table(pa.table({"config_id": ["a"]}), path)


def _swap(path, done):
    shutil.copy([*store.pack_files(done)][-1], path)


def _fewer_columns(path, done):
    table, _ = store.read_pack(path)
    pack = path.stem.removeprefix("pack-")
    write_pack(done, pack, table.drop_columns(["loss"]), {})


@pytest.mark.parametrize("spoil", [_flip, _cut, _foreign, _swap, _fewer_columns])
def test_a_spoilt_pack_is_named_and_its_rows_are_missing(spoil, done, cli):
    path, *_ = store.pack_files(done)
    lost = _rows_of(path)
    spoil(path, done)
    ran = cli("verify", done, "--json")
    found = json.loads(ran.out)
    assert ran.code == 4
    assert found["corrupt"] == [f"results/{path.name}"]
    assert (found["rows"], found["missing"]) == (28 - lost, lost)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "name", ["notes.txt", "pack-0123456789abcdef.parquet", "old/pack-copy.parquet"]
)
def test_a_stray_file_among_the_results_is_named(name, done, cli):
    stray = done / "results" / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("x")
    ran = cli("verify", done)
    assert ran.code == 4
    assert f"corrupt  results/{name}" in ran.out
    assert "rows     28" in ran.out


def test_a_copy_of_a_pack_is_not_counted_twice(done):
    pack, *_ = store.pack_files(done)
    (done / "results" / "copy").mkdir()
    shutil.copy(pack, done / "results" / "copy")
    verdict = status.verify(done)
    assert verdict.corrupt == [f"results/copy/{pack.name}"]
    assert (verdict.rows, verdict.missing) == (28, 0)


def test_a_whole_pack_of_another_launch_is_named(done, launch, tmp_path):
    launch(tmp_path / "other", "--set", "seed=9", "--limit", 1)
    (pack,) = store.pack_files(tmp_path / "other")
    shutil.copy(pack, done / "results")
    verdict = status.verify(done)
    assert verdict.corrupt == [f"results/{pack.name}"]
    assert "not a pack of this launch" in verdict.reasons[f"results/{pack.name}"]


def test_a_damaged_manifest_ends_with_4(done, cli):
    path = store.manifest_path(done)
    path.write_bytes(path.read_bytes()[:-1])
    ran = cli("verify", done)
    assert ran.code == 4
    assert "manifest.parquet" in ran.err


@pytest.mark.parametrize("look", [status.status, status.verify])
def test_a_folder_without_a_launch_is_explained(look, tmp_path):
    with pytest.raises(StoreError, match="expected a results directory"):
        look(tmp_path)
