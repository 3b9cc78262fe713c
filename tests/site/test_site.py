"""The site as it is built: whole, linked, and with a page for every method."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from docs.hooks import gallery
from spiral.cli import main
from spiral.methods.registry import METHODS, options
from spiral.protocol import config
from spiral.report.stats import standings
from spiral.report.text import standings as text
from tests.golden import readme

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


class Links(HTMLParser):
    """What a page loads and leads to, and the ids that others can lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads, self.loads, self.ids = [], [], set()
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found.get("id"), found.get("name")}
        if tag == "a":
            self.leads.append(found.get("href") or "")
        if tag == "link" and found.get("rel") in ("stylesheet", "icon"):
            self.loads.append(found["href"])
        if tag in ("script", "img", "iframe") and found.get("src"):
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, read."""
    return {path: Links(path) for path in sorted(site.resolve().rglob("*.html"))}


def leads_nowhere(path, link, pages) -> bool:
    """Return whether a link within the site has no page, or no place on it."""
    parts = urlsplit(link)
    if parts.scheme:
        return False
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target not in pages:
        return target.suffix == ".html" or not target.is_file()
    if "=" in parts.fragment:  # what the page of networks shows
        return not target.is_file()
    return bool(parts.fragment) and unquote(parts.fragment) not in pages[target].ids


def test_every_link_leads_to_a_page_and_a_place_on_it(site, pages):
    wrong = [
        f"{path.relative_to(site.resolve())}: {link}"
        for path, page in pages.items()
        for link in page.leads
        if path.name != "404.html" and leads_nowhere(path, link, pages)
    ]
    assert not wrong


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loaded = {urlsplit(place).scheme for page in pages.values() for place in page.loads}
    assert loaded <= {"", "data"}
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.search(r"url\(['\"]?(https?:)?//", styles)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_page(name, site):
    page = (site / "methods" / f"{name}.html").read_text()
    said = " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())
    assert f"<code>{name}</code>" in page.partition("<h1")[2].partition("</h1>")[0]
    assert METHODS[name].citation in said
    for option in config.fields(METHODS[name].options).values():
        assert f"<code>{option.name}</code>" in page
        assert option.origin is None or option.origin in said


def test_a_method_page_shows_its_line_of_the_standings(site):
    lines = readme.full_ranking().splitlines()
    line = next(line for line in lines if "`obs`" in line)
    rank, _, gap = [cell.strip() for cell in line.split("|")[1:4]]
    page = (site / "methods" / "obs.html").read_text()
    assert f"<strong>{gap}</strong>" in page
    assert f"<td>{rank} of " in page
    assert (site / "methods" / "obs.svg").read_text().count("<path") > 20


@pytest.mark.parametrize("width", [3, 16, 64])
def test_a_method_page_has_its_gap_at_each_width(width, site):
    found = text.table(standings.shipped(options(), width)).set_index("method")
    line = found.loc["gmp"]
    cells = [
        *(str(width), r"\d+–\d+", f"<strong>{re.escape(line['gap'])}</strong>"),
        *(rf"{line['rank']} of {len(found)}", str(line["settings"]), str(line["n"])),
    ]
    row = r"\s*".join(f"<td>{cell}</td>" for cell in cells)
    assert re.search(row, (site / "methods" / "gmp.html").read_text())


@pytest.mark.parametrize(
    ("place", "above"), [("index", ""), ("tutorials/thirty-weights", "../")]
)
def test_pages_lead_to_the_gallery_by_its_name_in_the_menu(place, above, site):
    page = (site / f"{place}.html").read_text()
    (inside,) = re.findall(r"<article.*?</article>", page, re.DOTALL)
    assert f'<a href="{above}{gallery.PLACE}">{gallery.TITLE}</a>' in inside
    assert {gallery.TITLE: gallery.PLACE} in nav()[1]["Tutorials"]


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_in_the_reference(name, site):
    page = (site / "commands.html").read_text()
    assert re.search(rf"<h\d[^>]*>spiral-sweep {name}\b|<h\d[^>]*>{name}\b", page)


def listed(entry) -> set[str]:
    """Return the pages below an entry of the navigation."""
    if isinstance(entry, str):
        return {entry}
    inside = entry.values() if isinstance(entry, dict) else entry
    return set().union(*map(listed, inside))


def nav() -> list[dict[str, list]]:
    """Return the navigation, but for the pages that code makes."""
    text = (ROOT / "mkdocs.yml").read_text()
    return yaml.safe_load(text[text.index("\nnav:") :])["nav"]


def test_the_navigation_lists_every_page():
    pages = {str(p.relative_to(ROOT / "docs")) for p in ROOT.glob("docs/**/*.md")}
    assert pages <= listed(nav())
