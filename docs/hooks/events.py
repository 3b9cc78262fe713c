"""What ``mkdocs`` calls while it builds the site: pages made from code, and links."""

import posixpath
import re
from itertools import chain
from typing import Any

import gallery
import method_pages
import notebooks
import repository
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from spiral.methods.registry import METHODS

ALL_METHODS = "methods.md"
"""The page after which the pages of the methods come."""

NOTEBOOKS = "notebooks.md"
ANALYSIS = repository.ROOT / "analysis"
"""The same for notebooks, and where they lie."""

NAMED = re.compile(r"^(\|(?: [^|`]+ \|)?) ((?:<a [^>]+></a>)?)`(\w+)` \|", re.MULTILINE)
"""A line of a table of methods, up to the name of its method."""

METHOD = re.compile(r"\]\(methods\.md#(\w+)\)")
"""A link of a page of the site's root to a line of that table."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of methods by family, and those of notebooks."""
    _extend(config.nav, ALL_METHODS, method_pages.nav())
    _extend(config.nav, NOTEBOOKS, notebooks.nav(ANALYSIS))
    return config


def _extend(nav: Any, page: str, more: list[Any]) -> None:
    """Find the list of pages that has a page, and extend it by those made here."""
    for item in nav:
        inside = next(iter(item.values())) if isinstance(item, dict) else item
        if isinstance(inside, list):
            _extend(inside, page, more)
            if page in inside:
                inside += more


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of methods and notebooks, and what lies beside ``docs/``."""
    files.append(File.generated(config, gallery.PLACE, content=gallery.content()))
    pages = method_pages.files(gallery.methods())
    for place, content in chain(pages, notebooks.files(ANALYSIS)):
        files.append(File.generated(config, place, content=content))
    for place, source in repository.BESIDE.items():
        found = repository.ROOT / source
        files.append(File.generated(config, place, abs_src_path=str(found)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links between files of the repository into links between pages."""
    place = page.file.src_uri
    if place == ALL_METHODS:
        markdown = NAMED.sub(rf"\1 \2[`\3`]({method_pages.FOLDER}/\3.md) |", markdown)
    folder = posixpath.dirname(place)

    def relative(target: str) -> str:
        return posixpath.relpath(target, folder or ".")

    link = f"[{gallery.TITLE}]({relative(gallery.PLACE)})"
    markdown = markdown.replace(f"*{gallery.TITLE}*", link)
    return METHOD.sub(_page_of, repository.with_links(markdown, place, relative))


def _page_of(link: re.Match[str]) -> str:
    """Return a link to a line of the table of methods as one to a method's page."""
    known = link[1] in METHODS
    return f"]({method_pages.FOLDER}/{link[1]}.md)" if known else link[0]
