"""Results in a bucket in memory; on a server: ``tests/cli/test_buckets.py``."""

import os
import pickle
from functools import cache
from pathlib import Path

import obstore
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import MemoryStore

from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.results import atomic, bucket_server, buckets, packed, sealed, store
from tests.results import write_pack

PLACE = "s3://bucket/a/b"


@pytest.fixture
def out(monkeypatch):
    """A results directory in a bucket of this process."""
    memory = cache(lambda scheme, bucket: MemoryStore())
    monkeypatch.setattr(bucket_server, "connected", memory)
    return buckets.at(PLACE)


@pytest.mark.parametrize("text", [PLACE, "gs://b", "az://b/x=1/y+z"])
def test_a_place_in_a_bucket_is_written_as_its_url(text):
    place = buckets.at(text)
    assert str(place) == text
    assert str(place / "c.txt") == f"{text}/c.txt"
    assert str((place / "c" / "d").relative_to(place)) == "c/d"
    assert buckets.at(place) is place
    assert place.resolve() is place.absolute() is place
    assert str(pickle.loads(pickle.dumps(place))) == text


def test_other_places_are_local():
    assert type(buckets.at("s3:/b")) is type(Path())
    assert buckets.at(Path("x")) == Path("x")
    with pytest.raises(ConfigError, match="expected a local path, got the URL ftp://"):
        buckets.at("ftp://b/x")


@pytest.mark.parametrize(
    "text",
    ["s3://me:pw@b/x", "s3://b/x?key=pw", "s3://b/../x", "s3:///x", "s3://b/pw é"],
)
def test_a_url_with_more_than_a_place_is_refused_without_repeating_it(text):
    with pytest.raises(ConfigError, match="credentials are given in the env") as caught:
        buckets.at(text)
    assert "pw" not in str(caught.value)


def test_what_needs_a_local_file_is_refused_in_one_sentence(out):
    for ask in (os.fspath, Path.read_text, Path.mkdir, Path.touch, os.listdir):
        with pytest.raises(StoreError, match=f"^{PLACE}: expected a local path here"):
            ask(out)


def test_folders_are_the_beginnings_of_names(out):
    assert not out.exists()
    for name in ("x/1.json", "x/2.txt", "x/y/3.json"):
        (out / name).put(b"123")
    buckets.at(f"{PLACE}c/other").put(b"")
    assert out.is_dir()
    assert (out / "x").exists()
    assert not (out / "x").is_file()
    assert (out / "x/1.json").is_file()
    assert (out / "x/1.json").stat().st_size == 3
    assert [str(path.relative_to(out)) for path in out.iterdir()] == ["x"]
    assert [path.name for path in (out / "x").glob("*.json")] == ["1.json"]
    assert [path.name for path in out.rglob("*.json")] == ["1.json", "3.json"]
    assert [path.name for path in out.files()] == ["1.json", "2.txt", "3.json"]
    assert (out / "x/1.json").open("rb").read() == b"123"
    assert buckets.at("s3://bucket").is_dir()
    assert not buckets.at("s3://bucket").is_file()


def test_what_is_absent_is_told_as_of_a_file(out):
    for ask in ("read_bytes", "stat", "unlink", "end"):
        with pytest.raises(FileNotFoundError):
            getattr(out / "x", ask)()


def test_only_one_is_first(out):
    path = out / "x"
    atomic.replace_atomically(path, b"one", Path(), first=True)
    atomic.replace_atomically(path, b"one", Path(), first=True)  # the answer was lost
    with pytest.raises(FileExistsError):
        atomic.replace_atomically(path, b"two", Path(), first=True)
    assert path.read_bytes() == b"one"
    atomic.replace_atomically(path, b"two", Path())
    assert path.read_bytes() == b"two"


def reject(path):
    raise CorruptPack(f"{path}: wrong")


def test_what_is_stored_wrongly_is_removed_and_told(out):
    with pytest.raises(CorruptPack, match="wrong; the object is removed"):
        atomic.replace_atomically(out / "x", b"data", Path(), reject)
    assert not out.exists()


def test_what_was_there_before_is_put_back_where_it_is_given(out):
    path = out / "x"
    path.put(b"good")
    with pytest.raises(CorruptPack, match="the object is as before"):
        atomic.replace_atomically(path, b"data", Path(), reject, before=b"good")
    assert path.read_bytes() == b"good"


def test_an_object_that_is_gone_when_it_is_read_back_is_told(out):
    def check(path):
        path.unlink()
        path.read_bytes()

    with pytest.raises(CorruptPack, match="got: no object; the object is removed"):
        atomic.replace_atomically(out / "x", b"data", Path(), check)
    assert not out.exists()


def test_the_marker_of_a_folder_is_nothing_in_it(out, monkeypatch):
    """The library lists the empty object ``a/b/`` of a web console as ``a/b``."""
    (out / "x").put(b"1")
    marker = {"path": out.key, "size": 0}
    pages, page = obstore.list, obstore.list_with_delimiter

    def marked(server, key):
        found = page(server, key)
        return {**found, "objects": [marker, *found["objects"]]}

    monkeypatch.setattr(obstore, "list", lambda *a: [[marker], *pages(*a)])
    monkeypatch.setattr(obstore, "list_with_delimiter", marked)
    assert [*out.iterdir()] == out.files() == [out / "x"]
    assert out.is_dir()


@pytest.mark.parametrize("columns", [1, 3000])
def test_the_facts_of_a_file_are_read_from_its_end(out, columns):
    table = pa.table({f"column{n}": [*range(99)] for n in range(columns)})
    data = sealed.to_bytes(table, {"fact": "x" * 99})
    path = out / "x.parquet"
    path.put(data)
    assert (path.end() == data) == (columns == 1)
    assert pq.read_schema(buckets.footed(path)).remove_metadata() == table.schema
    facts = pq.read_metadata(buckets.footed(path)).metadata[sealed.FOOTER]
    assert b"xxx" in facts


def test_a_manifest_and_packs_are_read_back(out):
    ids = ["a", "b"]
    pack = packed.pack_id(ids)
    configs = pd.DataFrame({"config_id": ids, "pack": pack, "block": "x"})
    assert not store.has_manifest(out)
    store.write_manifest(out, configs, {"grid": "g"}, first=True)
    with pytest.raises(FileExistsError):
        store.write_manifest(out, configs, {"grid": "other"}, first=True)
    assert store.has_manifest(out)
    assert store.read_manifest(out)[1]["grid"] == "g"
    assert store.present(out, [pack]) == []
    write_pack(out, pack, pa.table({"config_id": ids}), {"machine": "m"})
    assert store.present(out, [pack, "other"]) == [pack]
    assert [store.pack_of(path) for path in store.pack_files(out)] == [pack]
    assert store.read_pack(store.pack_path(out, pack))[1]["machine"] == "m"
    store.write_failure(out, pack, "why")
    assert store.failures(out) == {pack: "why"}
    store.clear_failure(out, pack)
    store.clear_failure(out, pack)
    assert store.failures(out) == {}


def test_a_damaged_pack_is_found(out):
    pack = packed.pack_id(["a"])
    write_pack(out, pack, pa.table({"config_id": ["a"]}), {})
    path = store.pack_path(out, pack)
    path.put(path.read_bytes()[:-9] + b"?" + path.read_bytes()[-8:])
    with pytest.raises(CorruptPack, match="s3://bucket/a/b/results/pack-"):
        store.read_pack(path)


def test_work_in_a_bucket_is_done_by_many_and_comes_in_order(out, tmp_path):
    for place in (out, tmp_path):
        assert [*buckets.mapped(place, str, range(100))] == [*map(str, range(100))]


def test_a_bucket_without_an_account_is_told_the_usual_ways(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match="no credentials; set AZURE_STORAGE_ACCOUNT"):
        buckets.at("az://box/x").read_bytes()
