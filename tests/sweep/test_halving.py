"""Rungs as grids: the same configs, stopped early; fewer at each rung."""

import pandas as pd
import pytest

from spiral.errors import ConfigError, StoreError
from spiral.results import store
from spiral.sweep import halving
from spiral.sweep import packs as plan
from spiral.sweep.grid import grid

TEXT = """
defaults: {method: mask, width: 2, epochs: 4, seed: 0..2}
blocks:
  2-1-1: {matrices: {orbits: {shape: [2, 1, 1]}}}
  1-1-1: {matrices: {orbits: {shape: [1, 1, 1]}}}
"""
WHOLE = grid.loads(TEXT)
ONCE = grid.loads(TEXT, "grid", ["stop_epoch=1"])


def test_a_rung_is_the_grid_with_its_trainings_stopped():
    found = halving.first_rung(WHOLE, 1)
    pd.testing.assert_frame_equal(found.configs, ONCE.configs)
    assert found.blocks == WHOLE.blocks == {"2-1-1": 12, "1-1-1": 3}
    assert WHOLE.configs["stop_epoch"].isna().all()


def test_the_last_rung_trains_the_configs_of_the_search_itself():
    ids = WHOLE.configs["config_id"]
    assert halving.stopped(ONCE.configs, None)["config_id"].tolist() == ids.tolist()


def test_only_survivors_go_on():
    some = ONCE.configs["config_id"].iloc[[0, 7, 14]]
    found = halving.next_rung(ONCE, {*some}, 2)
    twice = grid.loads(TEXT, "grid", ["stop_epoch=2"]).configs
    pd.testing.assert_frame_equal(
        found.configs, twice.iloc[[0, 7, 14]].reset_index(drop=True)
    )
    assert found.blocks == {"2-1-1": 2, "1-1-1": 1}
    last = halving.next_rung(found, {*found.configs["config_id"].iloc[1:]}, None)
    expected = WHOLE.configs["config_id"].iloc[[7, 14]]
    assert last.configs["config_id"].tolist() == expected.tolist()
    assert last.blocks == {"2-1-1": 1, "1-1-1": 1}


def test_a_rung_must_end_before_the_training_does(tmp_path):
    halving.check(WHOLE, (1, 3), tmp_path)
    with pytest.raises(
        ConfigError, match="fewer than the 4 epochs of a training, got 4"
    ):
        halving.check(WHOLE, (1, 4), tmp_path)


def test_the_folder_of_another_launch_is_refused(tmp_path):
    manifest(tmp_path, WHOLE)
    with pytest.raises(ConfigError, match="expected a directory of successive halving"):
        halving.check(WHOLE, (1,), tmp_path)


def manifest(out, rung, done=False):
    """Write what a launch would, with packs that are there by name at most."""
    packs = plan.pack(rung.configs)
    store.write_manifest(out, packs.configs, {})
    for pack in packs.table["pack"] if done else []:
        store.pack_path(out, pack).parent.mkdir(parents=True, exist_ok=True)
        store.pack_path(out, pack).touch()


def test_a_race_is_finished_when_its_last_rung_is(tmp_path):
    with pytest.raises(StoreError, match="rung-1: expected a results directory"):
        halving.finished(tmp_path)
    manifest(halving.folder(tmp_path, 1), ONCE, done=True)
    with pytest.raises(ConfigError, match="expected a finished search"):
        halving.finished(tmp_path)
    manifest(halving.folder(tmp_path, 2), WHOLE)
    with pytest.raises(ConfigError, match="expected a finished search"):
        halving.finished(tmp_path)
    manifest(halving.folder(tmp_path, 2), WHOLE, done=True)
    assert halving.finished(tmp_path) == [tmp_path / "rung-1", tmp_path / "rung-2"]
