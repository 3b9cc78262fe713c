"""Links that work in the repository, and how they become links of the site.

A page is written for readers of the repository: links are relative to its file. The
site has the folder ``docs/`` at its root, and some files from beside it as pages.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

DOCS = "docs"

BESIDE = {
    "reliability.md": "RELIABILITY.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "notebooks.md": "analysis/README.md",
    "benchmarks/index.md": "benchmarks/README.md",
    "benchmarks/commands.md": "benchmarks/commands.md",
    "benchmarks/defaults.md": "benchmarks/defaults.md",
    "benchmarks/lanes.md": "benchmarks/lanes.md",
    "benchmarks/search.md": "benchmarks/search.md",
    "benchmarks/sparse_cuda.md": "benchmarks/sparse_cuda.md",
    "benchmarks/wide.md": "benchmarks/wide.md",
    "dependencies.md": "DEPENDENCIES.md",
    "LICENSE.txt": "LICENSE",
    "CITATION.cff": "CITATION.cff",
}
"""Place in the site → file of the repository, for files outside ``docs/``."""

LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
"""A link or picture of Markdown that stays within the repository."""


def source(place: str) -> str:
    """Return the file of the repository that a place of the site shows."""
    if place.startswith("notebooks/"):
        return place.replace("notebooks/", "analysis/", 1)
    return BESIDE.get(place, posixpath.join(DOCS, place))


def place_of(file: str) -> str | None:
    """Return where the site shows a file of the repository; None: nowhere."""
    beside = {source: place for place, source in BESIDE.items()}
    if file in beside:
        return beside[file]
    folder, _, name = file.rpartition("/")
    if folder == "analysis" and name.endswith((".ipynb", ".py")):
        return f"notebooks/{name.partition('.')[0]}.md"
    inside = posixpath.relpath(file, DOCS)
    return None if inside.startswith("..") else inside


def with_links(markdown: str, place: str, relative: Callable[[str], str]) -> str:
    """Return a page with its links changed to places of the site.

    What the site does not have stays as text.

    Args:
        markdown: A page as it is in the repository.
        place: Where the site has it.
        relative: From a place of the site to a link of this page.
    """
    folder = posixpath.dirname(source(place))

    def changed(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[2]))
        found = place_of(target)
        return link[0] if found is None else f"{link[1]}{relative(found)}{link[3]}"

    return LINK.sub(changed, markdown)
