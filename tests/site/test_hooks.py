"""What the site makes of notebooks and of links between files of the repository."""

import base64
import json

import pytest

from docs.hooks import method_pages, notebooks, repository
from spiral.methods.registry import METHODS
from tests.test_fragments import commands, parsed

CELLS = [
    {"cell_type": "markdown", "source": ["# A title\n", "and [more](paper.py)"]},
    {
        "cell_type": "code",
        "source": "%matplotlib inline\nx = 1",
        "outputs": [
            {"data": {"text/html": "<style></style><table class='a'><tr></table>"}},
            {"data": {"image/png": base64.b64encode(b"dots").decode()}},
            {"data": {"text/markdown": "**two**", "text/plain": "no"}},
            {"name": "stdout", "text": ["printed\n"]},
        ],
    },
]


def test_a_notebook_is_a_page_with_its_outputs(tmp_path):
    (tmp_path / "one.ipynb").write_text(json.dumps({"cells": CELLS}))
    made = dict(notebooks.files(tmp_path))
    assert notebooks.nav(tmp_path) == ["notebooks/one.md"]
    assert made["notebooks/one-0.png"] == b"dots"
    assert made["notebooks/one.md"].split("\n\n") == [
        "# A title\nand [more](paper.py)",
        "```python\nx = 1\n```",
        "<table><tr></table>",
        "![Figure of the cell above](one-0.png)",
        "**two**",
        "```text\nprinted\n```\n",
    ]


@pytest.mark.parametrize(
    ("place", "link", "changed"),
    [
        ("grids.md", "../RELIABILITY.md#security", "reliability.md#security"),
        ("tutorials/paper.md", "../findings.md", "findings.md"),
        ("reliability.md", "docs/grids.md", "grids.md"),
        ("contributing.md", "analysis/README.md", "notebooks.md"),
        ("notebooks/smallest.md", "search.py", "notebooks/search.md"),
        ("notebooks.md", "paper.ipynb", "notebooks/paper.md"),
        ("data.md", "../CITATION.cff", "CITATION.cff"),
        ("grids.md", "../setup.cfg", "../setup.cfg"),
        ("grids.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("grids.md", "#sizes", "#sizes"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(place, link, changed):
    found = repository.with_links(f"see [it]({link}).", place, lambda target: target)
    assert found == f"see [it]({changed})."


@pytest.mark.slow
def test_commands_on_the_pages_of_methods_are_understood(tmp_path):
    ranked = {*method_pages.ranked().scores["method"]}
    file = tmp_path / "page.md"
    for name in METHODS:
        file.write_text(method_pages.page(name, METHODS[name], name in ranked, False))
        found = commands(file)
        assert any(words[:2] == ["methods", name] for words in found)
        for words in found:
            parsed(words)  # raises what the command line would print
