"""Grids by name: a file comes before a shipped grid of its name."""

import pytest

from spiral.errors import ConfigError
from spiral.methods.registry import METHODS
from spiral.sweep.grid import shipped


def test_a_name_is_a_shipped_grid_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find("standard") == shipped.folder() / "standard.yaml"
    (tmp_path / "standard").write_text("{method: dense}")
    assert str(shipped.find("standard")) == "standard"
    assert len(shipped.load("standard").configs) == 1


def test_an_unknown_name_is_answered_with_a_known_one():
    with pytest.raises(ConfigError, match=r"got standart; did you mean 'standard'\?"):
        shipped.find("standart")


def test_a_share_of_a_grid_is_a_part_of_it():
    whole = shipped.load("quickstart").configs["config_id"]
    some = shipped.load("quickstart", share=0.2).configs["config_id"]
    assert 0 < len(some) < len(whole) / 2
    assert set(some) < set(whole)
    with pytest.raises(ConfigError, match="--sample 1e-09 selects no config"):
        shipped.load("quickstart", share=1e-9)


def test_the_smoke_grid_has_every_method():
    assert {*shipped.load("smoke").configs["method"]} == {*METHODS}
