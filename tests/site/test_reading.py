"""The site in a browser, opened from the disk: narrow, wide, light, dark, and found."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLACES = [
    *("index", "commands", "methods", "methods/gmp", "keys", "findings", "api"),
    *("getting-started", "statistics", "tutorials/thirty-weights", "engines"),
]
"""Pages of every kind: prose, wide tables, figures, code, made from docstrings."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_phone_and_axe_finds_nothing(place, scheme, site, visit):
    path = site / f"{place}.html"
    page = visit(path, width=360, height=740, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    axe = pytest.importorskip("axe_core_python.sync_playwright")
    found = axe.Axe().run(page)["violations"]
    assert [f"{v['id']}: {n['html']}" for v in found for n in v["nodes"]] == []


def test_the_search_works_without_a_server(site, visit):
    page = visit(site / "index.html")
    page.locator("input[name=query]").fill("granet")
    page.locator(
        ".md-search-result__link[href*='methods/granet.html']"
    ).first.wait_for()
