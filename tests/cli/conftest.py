"""A small grid, and the folder of its launch."""

import pandas as pd
import pytest

from tests.cli import run_json

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
