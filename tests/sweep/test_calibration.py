"""A machine's factors change estimates, never packs."""

import json

import pytest

from spiral.errors import StoreError
from spiral.sweep import calibration, plan
from spiral.sweep.grid import loads

GRID = "{method: [random, dense], keep: 9, width: 3, seed: 0..99, engine: [auto, vmap]}"


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Calibrate this machine: twice as slow with one engine, as ever with the other."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calibration.factors.cache_clear()
    calibration.save({"sparse": 2.0, "vmap": 1.0})
    yield tmp_path
    calibration.factors.cache_clear()


def test_what_is_saved_is_read_back_by_another_process(measured):
    file = measured / "spiral-sweep" / "calibration.json"
    assert calibration.path() == file
    assert json.loads(file.read_text()) == {"sparse": 2.0, "vmap": 1.0}
    assert calibration.factors() == {"sparse": 2.0, "vmap": 1.0}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"sparse": "fast"}'])
def test_a_damaged_file_counts_as_none(measured, text):
    calibration.path().write_text(text)
    calibration.factors.cache_clear()
    assert calibration.factors() == {}


def test_estimates_follow_it_and_packs_do_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calibration.factors.cache_clear()
    configs = loads(GRID).configs
    before = plan.pack(configs)
    calibration.save({"sparse": 2.0})
    after = plan.pack(configs)
    calibration.factors.cache_clear()
    assert after.table["pack"].tolist() == before.table["pack"].tolist()
    ratio = (after.table["seconds"] / before.table["seconds"]).round(6)
    assert set(ratio) == {1.0, 2.0}


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="cannot write"):
        calibration.save({"sparse": 1.0})
