"""What readers that know nothing of spiral-sweep see: every column of every pack.

pandas, pyarrow, polars and duckdb take the columns of a directory from whichever file
they open first, so that all must have the same.
"""

from functools import cache

import duckdb
import obstore
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from obstore.store import MemoryStore

from spiral.errors import CorruptPack
from spiral.methods import plugin
from spiral.methods.registry import METHODS, options
from spiral.results import bucket_server, buckets, columns, read, sealed, store
from spiral.sweep import launch, packs, recover, status, work, worker
from spiral.sweep.grid import grid
from tests.report import launches

READERS = {
    "pandas": pd.read_parquet,
    "pandas, results": lambda out: pd.read_parquet(out / "results"),
    "pyarrow": lambda out: pq.read_table(out).to_pandas(),
    "pyarrow.dataset": lambda out: ds.dataset(out / "results").to_table().to_pandas(),
    "polars": lambda out: pl.read_parquet(out / "results").to_pandas(),
    "polars, lazily": lambda out: (
        pl.scan_parquet(out / "results/*.parquet").collect().to_pandas()
    ),
    "duckdb": lambda out: duckdb.read_parquet(f"{out}/results/*.parquet").df(),
}

OLD = "{method: gmp, width: 3, keep: 12, epochs: 1, batch: 2000, seed: 0..1}"
BOTH = """
defaults: {{width: 3, epochs: 1, batch: 2000}}
blocks:
  old: {{method: gmp, keep: 12, seed: 0..1}}
  new: {{method: {method}, keep: 12, seed: {seed}}}
"""
LATER = ("explored", "optimiser", "ball_share", "replicate")
"""Columns that a made-up earlier version does not have."""

OWN = """
from pydantic import Field
from spiral.methods.controls.random import Random
from spiral.protocol import config


class Own(Random):
    class Options(config.Options):
        strength: float = Field(0.5, description="how hard")
        flavour: str = Field("salt", description="a word")

    def __init__(self, strength, flavour):
        super().__init__()
"""
"""A method of the user, with options that no other has."""


def text_with(method, before):
    """Return a grid whose new pack sorts before or after the one there is."""
    for seed in range(5, 50):
        text = BOTH.format(method=method, seed=seed)
        table = packs.pack(grid.loads(text).configs).configs
        first = table.groupby("block")["pack"].first()
        if (first["new"] < first["old"]) == before:
            return text
    raise AssertionError("no seed gives this order")


def launched(out, text, method=None):
    """Train what is missing of a grid in this process."""
    settings = launch.Settings(executor="local", workers=1, method=method)
    prepared = launch.prepare(grid.loads(text), out, settings)
    launch.run(prepared, settings, lambda outcome: None)
    assert not prepared.failed


@pytest.fixture
def own(tmp_path):
    """Load the user's method; return its source and its name."""
    file = tmp_path / "own.py"
    file.write_text(OWN)
    name = plugin.load(f"{file}:Own", METHODS)
    yield f"{file}:Own", name
    METHODS.pop(name, None)


def check(out, wanted, count):
    """Every reader sees all columns and all rows."""
    for name, see in READERS.items():
        table = see(out)
        assert [*table.columns] == wanted, name
        assert len(table) == count, name
        assert table["config_id"].is_unique


@pytest.mark.parametrize("before", [True, False])
def test_columns_that_came_later_are_seen(before, tmp_path):
    """A directory of an earlier version, extended: whichever pack comes first."""
    out = tmp_path / "out"
    launches.write(out, OLD, drop=LATER)
    old = read.read(out)
    assert not {*LATER} & {*old.columns}
    launched(out, text_with("random", before))
    check(out, columns.schema(options()).names, 3)
    found = pd.read_parquet(out).set_index("config_id").loc[old["config_id"]]
    assert found[[*LATER]].isna().all(axis=None)
    for name in ("accuracy", "mask", "nnz"):
        assert found[name].tolist() == old[name].tolist()
    assert status.verify(out).sound


@pytest.mark.parametrize("before", [True, False])
def test_options_of_a_users_method_are_seen(before, own, tmp_path):
    out = tmp_path / "out"
    source, name = own
    del METHODS[name]
    launched(out, OLD)
    check(out, columns.schema(options()).names, 2)
    plugin.load(source, METHODS)
    launched(out, text_with(name, before), source)
    wanted = columns.schema(options()).names
    assert {"strength", "flavour"} < {*wanted}
    check(out, wanted, 3)
    flavours = pd.read_parquet(out).groupby("method")["flavour"].first()
    assert flavours[name] == "salt"
    assert flavours.drop(name).isna().all()


def test_packs_have_the_options_of_methods_that_their_worker_does_not_know(
    own, tmp_path
):
    """Workers load the user's method only when they train it."""
    out = tmp_path / "out"
    source, name = own
    launched(out, text_with(name, True), source)
    wanted = columns.schema(options()).names
    del METHODS[name]
    manifest, _ = store.read_manifest(out)
    pack = manifest.loc[manifest["method"] == "gmp", "pack"].iloc[0]
    before, _ = store.read_pack(store.pack_path(out, pack))
    work.attempt(worker.site(out), pack, print)
    again, _ = store.read_pack(store.pack_path(out, pack))
    assert again.schema.equals(before.schema)
    check(out, wanted, 3)
    assert status.verify(out).sound


def test_a_directory_that_has_all_columns_is_left_alone(tmp_path):
    out = tmp_path / "out"
    launched(out, OLD)
    before = {path: path.stat().st_ino for path in store.pack_files(out)}
    launched(out, text_with("random", True))
    after = {path: path.stat().st_ino for path in store.pack_files(out)}
    assert before.items() < after.items()


def test_files_of_a_later_version_and_damaged_ones_are_left_as_they_are(tmp_path):
    out = tmp_path / "out"
    launches.write(out, OLD)
    (path,) = store.pack_files(out)
    table, footer = store.read_pack(path)
    later = table.append_column("colour", pa.array(["red"] * 2))
    store.commit_pack(out, store.pack_of(path), sealed.to_bytes(later, footer))
    before = path.read_bytes()
    recover.widen(out)
    assert path.read_bytes() == before
    path.write_bytes(before[:-20])
    recover.widen(out)
    assert path.read_bytes() == before[:-20]


def test_a_pack_that_a_bucket_stores_wrongly_is_as_before(tmp_path, monkeypatch):
    memory = cache(lambda scheme, bucket: MemoryStore())
    monkeypatch.setattr(bucket_server, "connected", memory)
    out, local = buckets.at("s3://bucket/x"), tmp_path / "out"
    launches.write(local, OLD, drop=LATER)
    for path in (store.manifest_path(local), *store.pack_files(local)):
        (out / path.relative_to(local)).put(path.read_bytes())
    (path,) = store.pack_files(out)
    before, put, lost = path.read_bytes(), obstore.put, [20]

    def wrongly(server, key, data, **how):
        put(server, key, data[: -lost.pop()] if lost else data, **how)

    monkeypatch.setattr(obstore, "put", wrongly)
    with pytest.raises(CorruptPack, match="the object is as before"):
        recover.widen(out)
    assert path.read_bytes() == before
    recover.widen(out)
    assert store.read_pack(path)[0].column_names == columns.schema(options()).names
