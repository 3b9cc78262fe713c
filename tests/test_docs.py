"""README and docs describe what exists: tables, commands, targets, paths and links."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import spiral
from spiral.cli import main
from spiral.methods import plugin
from spiral.methods.registry import METHODS
from spiral.sweep import preflight
from spiral.sweep.grid import grid
from tests import mostly_slow
from tests.cli import run
from tests.golden import rankings, readme

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "RELIABILITY.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
TEXT = "\n".join(page.read_text() for page in PAGES)


@pytest.mark.parametrize(("page", "name"), readme.TABLES)
def test_generated_tables_are_those_of_the_shipped_rows(page, name):
    _, table, _ = readme.parts((ROOT / page).read_text(), name)
    assert table == readme.TABLES[page, name]()


@pytest.mark.parametrize("width", mostly_slow(rankings.WIDTHS, [16]))
def test_what_rank_prints_is_the_ranking_of_the_shipped_rows(width):
    assert run("rank", "--width", width).out == rankings.text(width) + "\n"


def test_the_leaders_of_the_readme_are_ranked_methods():
    line = re.compile(r"^\| [\d–]+ \| \[?`(\w+)`", re.MULTILINE)
    shown, ranked = map(line.findall, (readme.leaders(), readme.full_ranking()))
    assert len(shown) == 10
    assert {*shown} < {*ranked}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_described(name):
    assert f'<a id="{name}"></a>`{name}`' in readme.every_method()


def test_the_readmes_example_prints_what_it_shows():
    """The block of Python, and the block of text that follows it."""
    text = (ROOT / "README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert examples
    for code, printed in examples:
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert ran.stdout == printed


def test_the_recipe_for_other_code_is_compared(tmp_path, monkeypatch):
    """Its code block, then its first command, beside a row of this package."""
    text = (ROOT / "docs" / "other-code.md").read_text()
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    assert len([*(tmp_path / "theirs").iterdir()]) == 4
    spiral.launch(
        {"method": "random", "keep": [24, 40], "epochs": 1, "seed": "0..1"},
        "runs/quickstart",
        workers=1,
    )
    command = re.search(r"spiral-sweep (compare .*)", text)[1]
    ran = run(*command.split(), "--json")
    assert ran.code == 0, ran.err
    found = pd.DataFrame(json.loads(ran.out)["groups"])
    theirs = found[found["method"] == "theirs"]
    assert theirs["keep"].tolist() == [24, 40]
    assert theirs["n"].tolist() == [2, 2]


def test_the_pruner_of_the_tutorial_keeps_its_contract(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "your-own-pruner.md").read_text()
    first = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    file = tmp_path / "half_way.py"
    file.write_text(first)
    name = plugin.load(f"{file}:HalfWay", METHODS)
    try:
        text = f"{{method: {name}, width: [3, 5], keep: [16, 20], seed: 0..3}}"
        preflight.check(grid.loads(text).configs)
    finally:
        del METHODS[name]


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_described(name):
    assert re.search(rf"(`|spiral-sweep ){name}\b", TEXT), name


def test_every_command_named_exists():
    code = r"(?:`spiral-sweep|^\t\$\(SPIRAL\)) ([a-z]+)"
    named = set(re.findall(code, TEXT + MAKEFILE, re.MULTILINE))
    assert "launch" in named
    assert named <= main.commands.keys()


@pytest.mark.parametrize(
    "place",
    sorted({*re.findall(r"`((?:spiral|sweeps|tests|analysis|docs)/[^`\s]*)`", TEXT)}),
)
def test_every_path_named_exists(place):
    wanted = re.sub(r"[…*]+", "*", place.replace("NAME", "*"))
    assert [*ROOT.glob(wanted.rstrip("/"))], place


def links(page: Path) -> list[str]:
    """Return what a page links to and shows, but for other sites."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [link for link in found if "://" not in link]


def anchors(page: Path) -> set[str]:
    """Return the places in a page that a link can name."""
    text = page.read_text()
    heads = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}
    return slugs | {*re.findall(r'<a id="([^"]+)">', text)}


@pytest.mark.parametrize(
    ("page", "link"),
    [
        pytest.param(page, link, id=f"{page.name}: {link}")
        for page in [*PAGES, ROOT / "CHANGELOG.md"]
        for link in dict.fromkeys(links(page))
    ],
)
def test_links_lead_to_what_exists(page, link):
    place, _, anchor = link.partition("#")
    target = (page.parent / place) if place else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")))
def test_every_page_is_reachable_from_the_index(page):
    index = ROOT / "docs" / "index.md"
    assert page == index or str(page.relative_to(index.parent)) in links(index)
