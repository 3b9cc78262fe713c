"""What is published: the files that go along, and facts that stand in several files."""

import configparser
import os
import re
from pathlib import Path

import pytest
import yaml

import spiral
from spiral.sweep.grid import shipped

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "spiral"
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def shipped_data(package, folder):
    """Return the files that setup.cfg ships as data of a package."""
    patterns = SETUP["options.package_data"][package].split()
    return {path for pattern in patterns for path in folder.glob(pattern)}


def test_every_file_of_the_package_is_shipped():
    files = {path for path in PACKAGE.rglob("*.*") if "__pycache__" not in path.parts}
    data = {path for path in files if path.suffix != ".py"}
    assert PACKAGE / "py.typed" in data
    assert data == shipped_data("spiral", PACKAGE)


def test_every_grid_is_shipped_and_found_by_its_name():
    sweeps = {path for path in (ROOT / "sweeps").rglob("*") if path.is_file()}
    assert shipped_data("spiral.grids", ROOT / "sweeps") == sweeps
    names = {str(path.relative_to(ROOT / "sweeps").with_suffix("")) for path in sweeps}
    assert "paper/slice" in names
    assert shipped.files().keys() == names


def test_no_file_is_a_link():
    """Checkouts on some systems, and some archives, have text files in their place."""
    own = [ROOT / name for name in ("spiral", "sweeps", "tests", "docs", "analysis")]
    for start in own:
        for folder, folders, files in os.walk(start):
            links = [
                name for name in folders + files if Path(folder, name).is_symlink()
            ]
            assert not links, folder


def test_the_citation_has_what_its_format_asks_for():
    """The keys that CFF 1.2.0 requires, of the software and of what it refers to."""
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    (paper,) = CITATION["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert [who["family-names"] for who in paper["authors"]] == ["Zhang", "Papyan"]


def test_version_and_date_are_the_same_everywhere():
    """The citation names the last release, the changelog too, the package itself."""
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == "Unreleased"
    assert headings[1] == f"{CITATION['version']} ({CITATION['date-released']})"
    assert CITATION["version"] == spiral.__version__


def test_the_licence_is_the_same_everywhere():
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License")
    assert "CC BY 4.0" in text
    assert SETUP["metadata"]["license_expression"] == "MIT AND CC-BY-4.0"
    assert CITATION["license"] == "MIT"


PLACES = re.findall(
    r"`((?:spiral|sweeps|tests|analysis)/[\w./-]*)`",
    (ROOT / "CONTRIBUTING.md").read_text(),
)


@pytest.mark.parametrize("place", sorted({p for p in PLACES if "NAME" not in p}))
def test_every_place_that_the_recipes_name_exists(place):
    assert (ROOT / place).exists()
