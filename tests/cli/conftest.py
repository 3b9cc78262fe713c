"""A small grid, and the folder of its launch."""

import pandas as pd
import pytest

from spiral.results import bucket_server
from tests.bucket_servers import Proxy, Server, point_at
from tests.cli import run, run_json

GRID = """
name: tiny
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..3}
blocks:
  gmp: {method: gmp, keep: 12}
  again: {method: gmp, keep: [12, 20], seed: 0}
  dense: {method: dense}
"""
"""9 configs after a duplicate, in 2 packs."""


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "tiny.yaml"
    path.write_text(GRID)
    return path


@pytest.fixture(scope="module")
def launched(grid, tmp_path_factory):
    """The folder of a finished launch, and what the launch printed."""
    out = tmp_path_factory.mktemp("out") / "new"
    local = ("--executor", "local", "--workers", 1)
    return out, run_json("launch", grid, "--out", out, *local)


@pytest.fixture(scope="module")
def rows(launched):
    return pd.read_parquet(launched[0])


# ---- a launch into a bucket of a server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("server") / "data")
    yield found
    found.kill()


@pytest.fixture
def proxy(server, monkeypatch):
    """A proxy that this process and its children use, and that gives up early."""
    found = Proxy(server)
    monkeypatch.setattr(bucket_server, "RETRIES", 2)
    point_at(monkeypatch, found.port)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def trained(server, grid):
    """A finished launch into the bucket, by two workers: its place, what it printed."""
    out = "s3://bucket/trained/here"
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, server.port)
        ran = run("launch", grid, "--out", out, "--executor", "local", "--workers", 2)
    assert ran.code == 0, ran.err
    return out, ran
