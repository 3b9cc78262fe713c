"""The report in a browser: alone, readable everywhere, and never anything but text."""

import pytest

from spiral.methods import registry
from spiral.report import html
from spiral.report.figures import catalogue
from spiral.report.figures import rows as row_figures
from spiral.report.html import headline, pictures, tables
from spiral.results.provenance import Run
from tests.results.test_load import written

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>'\"&amp;</script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of real files."""
    folder = tmp_path_factory.mktemp("report")
    text = "{method: [gmp, magnitude], width: [3], keep: [16, 20], seed: 0..5}"
    written(folder / "out", text)
    html.write(html.report([folder / "out"], registry.known()), folder / "report.html")
    return folder / "report.html"


@pytest.fixture
def hostile(tmp_path):
    """A page in which every name is hostile, and one table has 2,000 lines."""
    lines = [[EVIL, str(number), f"{number / 7:.4g}", "-"] for number in range(2000)]
    columns = ["method", EVIL, "median", "best"]
    one = tables.Table("groups", EVIL, {EVIL: EVIL}, columns, lines, 5000, EVIL)
    few = one._replace(name="excess", lines=lines[:12], total=12)
    picture = pictures.Picture("excess", EVIL, EVIL, "data:,", 900, 100, EVIL)
    content = {
        "headline": [headline.Number(EVIL, EVIL, EVIL)],
        "notes": [EVIL],
        "tables": [few, one],
        "pictures": [picture._replace(data=DOT)],
        "missing": [pictures.Missing("fixed", EVIL, EVIL)],
        "runs": [Run(EVIL, {"grid": EVIL, EVIL: EVIL}, {EVIL: 1}, {EVIL: EVIL})],
        "rows": 500_000,
        "command": EVIL,
    }
    html.write(html.page(content), tmp_path / "report.html")
    return tmp_path / "report.html"


DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNg"
    "AAAAAgABc3UBGAAAAABJRU5ErkJggg=="
)


def opened(page):
    """Open everything that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return page


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_passes_the_accessibility_check(visit, report, width, scheme):
    axe = pytest.importorskip("axe_core_python.sync_playwright")
    page = opened(visit(report, width=width, color_scheme=scheme))
    assert not scrolls_sideways(page)
    found = axe.Axe().run(page)
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
    assert len(found["passes"]) > 20


def test_dark_is_dark_and_figures_stay_on_paper(visit, report):
    page = visit(report, color_scheme="dark")
    colour = "e => getComputedStyle(e).backgroundColor"
    back = page.eval_on_selector("body", colour)
    assert max(map(int, back[4:-1].split(","))) < 50
    assert page.eval_on_selector(".paper", colour) == "rgb(255, 255, 255)"


def test_every_figure_is_there(visit, report):
    page = visit(report)
    sizes = page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
    assert len(sizes) >= 5
    assert min(sizes) > 200


def test_hostile_names_are_text(visit, hostile):
    page = opened(visit(hostile, width=360))
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    assert page.locator("td").first.text_content() == EVIL
    assert page.locator("h1").text_content() == EVIL
    assert page.locator("img").count() == 1
    assert page.locator("script").count() == 1
    assert EVIL in page.title()
    assert not scrolls_sideways(page)
    assert said == []


def test_a_long_table_is_folded_and_a_short_one_open(visit, hostile):
    page = visit(hostile)
    assert page.locator("#table-groups").get_attribute("open") is None
    assert page.locator("#table-excess").get_attribute("open") is not None


def test_columns_sort_by_keyboard(visit, hostile):
    page = visit(hostile)
    head = page.locator("#table-excess th").nth(1)
    head.locator("button").focus()

    def column():
        return page.eval_on_selector_all(
            "#table-excess td:nth-child(2)", "all => all.map(c => c.textContent)"
        )

    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column() == [str(number) for number in range(12)]
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert column() == [str(number) for number in range(11, -1, -1)]


def test_counts_with_signs_sort_as_numbers_and_dashes_last(visit, hostile):
    text = hostile.read_text()
    for old, new in (("0", ">40"), ("1", "≤9 (+2)"), ("2", "12 (+5)"), ("3", "-")):
        text = text.replace(f"<td>{old}</td>", f"<td>{new}</td>", 1)
    hostile.write_text(text)
    page = visit(hostile)
    page.locator("#table-excess th button").nth(1).click()
    cells = page.locator("#table-excess td:nth-child(2)").all_text_contents()
    numbers = ["4", "5", "6", "7", "8", "≤9 (+2)", "9", "10", "11", "12 (+5)", ">40"]
    assert cells == [*numbers, "-"]


def test_the_head_of_a_table_stays(visit, hostile):
    page = opened(visit(hostile))
    box = page.locator("#table-groups .rows")
    box.evaluate("e => { e.scrollTop = 5000 }")
    top = "e => e.getBoundingClientRect().top"
    head = page.locator("#table-groups th").first.evaluate(top)
    assert abs(head - box.evaluate(top)) < 3


def test_the_first_stop_of_the_keyboard_skips_to_the_numbers(visit, report):
    page = visit(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the numbers"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_its_figures_are_those_of_the_command(report):
    drawn, missing = pictures.of(
        row_figures.read([report.parent / "out"], registry.known())
    )
    assert all(picture.data in report.read_text() for picture in drawn)
    names = {entry.name for entry in catalogue.FIGURES if entry.in_report}
    assert names == {p.name for p in (*drawn, *missing)} - {"networks"}
