"""Launches and rankings from Python."""

from functools import cache

import pandas as pd
import pytest
from obstore.store import MemoryStore

import spiral
from spiral.api import launching
from spiral.errors import ConfigError
from spiral.report.text import document as documents
from spiral.results import bucket_server
from tests.cli import run_json
from tests.pruners import __file__ as pruners

GRID = {
    "name": "mine",
    "defaults": {"width": 3, "epochs": 1, "batch": 2000},
    "blocks": {"gmp": {"method": "gmp", "keep": [12, 20]}},
}


def test_a_grid_of_keys_is_that_of_a_file(tmp_path):
    done = spiral.launch(GRID, tmp_path / "out", workers=1)
    assert (done.configs, done.complete) == (2, True)
    text = "{name: mine, defaults: {width: 3, epochs: 1, batch: 2000}, "
    file = tmp_path / "mine.yaml"
    file.write_text(text + "blocks: {gmp: {method: gmp, keep: [12, 20]}}}")
    local = ("--executor", "local", "--workers", 1)
    other = run_json("launch", file, "--out", tmp_path / "other", *local)
    assert other["done"] == 2
    here = pd.read_parquet(tmp_path / "out")
    there = pd.read_parquet(tmp_path / "other")
    assert here["config_id"].tolist() == there["config_id"].tolist()
    assert here["accuracy"].tolist() == there["accuracy"].tolist()


def test_a_launch_goes_on_and_takes_overrides_and_shares(tmp_path):
    first = spiral.launch(GRID, tmp_path, ["keep=12"], workers=1)
    assert first.configs == 1
    second = spiral.launch(GRID, tmp_path, workers=1)
    assert (second.configs, second.done) == (2, 2)
    share = spiral.launch("quickstart", tmp_path / "q", ["epochs=1"], 0.001, workers=1)
    assert 0 < share.configs < 9


@pytest.mark.usefixtures("nothing_stays")
def test_an_own_method_is_launched(tmp_path):
    source = f"{pruners}:Largest"
    done = spiral.launch(GRID, tmp_path, method=source, workers=1)
    assert done.complete
    assert pd.read_parquet(tmp_path)["method"].str.startswith("Largest").all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"worker": 1}, "expected settings among executor"),
        ({"address": "auto"}, "--address needs --executor ray"),
        ({"gpus_per_pack": 0.25}, "--gpus-per-pack needs --executor ray"),
        ({"gpus_per_pack": 0, "executor": "ray"}, "expected a share from 0 to 1"),
    ],
)
def test_a_wrong_setting_is_refused(settings, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        spiral.launch(GRID, tmp_path, **settings)
    assert not any(tmp_path.iterdir())


def test_the_shipped_methods_are_ranked_as_the_command_prints():
    printed = run_json("rank", "--width", "3")
    assert printed == {"schema": 1, **documents.as_json(spiral.rank(width=3))}


def test_a_method_is_checked_before_it_is_ranked(tmp_path):
    """The steps of a ranking but for the training, which takes minutes."""
    settings = launching.settings_of({"method": "gmp", "workers": 1})
    said = []
    planned = launching.prepare(settings, tmp_path, True, said.append)
    assert (planned.method, planned.out) == ("gmp", tmp_path)
    assert set(planned.grid.configs["lr"]) == {0.1}
    assert not any(tmp_path.iterdir())


def test_a_launch_into_a_bucket_is_read_as_one_into_a_folder(tmp_path, monkeypatch):
    memory = cache(lambda scheme, bucket: MemoryStore())
    monkeypatch.setattr(bucket_server, "connected", memory)
    keys = {"method": ["gmp", "random"], "width": 3, "keep": [12, 20], "epochs": 1}
    rows = []
    for out in ("s3://bucket/x", tmp_path / "x"):
        assert spiral.launch(keys, out, workers=1).complete
        assert spiral.launch({**keys, "seed": [0, 1]}, out, workers=1).configs == 8
        found = spiral.load_rows(out, networks=True)
        rows.append(found.sort_values("config_id", ignore_index=True))
        rows[-1]["source"] = "x"
    pd.testing.assert_frame_equal(*rows)
