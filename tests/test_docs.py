"""The README says what is: its commands exist, its grid loads, its length is kept."""

import re
from pathlib import Path

import pytest

from spiral.cli import main
from spiral.sweep.grid import grid
from tests.golden import readme

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_readme_is_read_in_three_minutes():
    before, _, after = readme.parts(README)
    assert len((before + after).split()) <= 700


def test_its_table_of_methods_is_what_the_baseline_says():
    _, table, _ = readme.parts(README)
    assert table == readme.fresh()
    assert "| `gmp` |" in table


def test_its_grid_loads_as_it_stands():
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    found = grid.loads(text)
    assert found.name == "mine"
    assert set(found.blocks) == {"pruned", "dense"}
    assert found.duplicates == 0


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_in_the_readme_or_in_the_help_it_points_to(name):
    assert re.search(rf"`(spiral-sweep )?{name}\b", README), name


def test_every_command_it_names_exists():
    code = r"(?:`spiral-sweep|^\t\$\(SPIRAL\)) ([a-z]+)"
    named = set(re.findall(code, README + MAKEFILE, re.MULTILINE))
    assert "launch" in named
    assert named <= main.commands.keys()


def test_every_make_target_it_names_exists():
    for target in re.findall(r"\bmake ([a-z-]+)", README):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize(
    "place", re.findall(r"`((?:spiral|sweeps|tests)/[^`]*)`", README)
)
def test_every_place_it_names_exists(place):
    assert (ROOT / place).exists()


def test_its_picture_exists():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).exists()
