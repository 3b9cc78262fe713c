"""The viewer's page in Chromium: what it shows, and how one looks around."""

import json
import re

import numpy as np
import pytest

from spiral.methods.registry import options
from spiral.model import masks, mlp
from spiral.report.viewer import page as view
from spiral.search import best_known
from tests.browser.stage import (
    correct,
    edges,
    id_of,
    number,
    opened,
    part,
    pixels,
    place_missing,
    settled,
    smallest,
    stored,
)
from tests.report import launches

pytestmark = pytest.mark.browser


def test_the_page_opens_quietly_under_its_own_policy_and_counts_as_numpy(
    visit, file, launch
):
    page = visit(file)
    settled(page)
    assert page.title() == view.TITLE
    rows = page.locator("output").first.inner_text()
    assert rows == f"{42 + len(best_known.load())} networks"
    name = part(page, 0, "name").inner_text()
    assert re.fullmatch(r"(gmp|magnitude), \d+ weights", name)
    assert part(page, 1, "name").inner_text().startswith("Best known")


@pytest.mark.parametrize("keep", [12, 20, 30, 200])
def test_counts_are_those_of_numpy(keep, tab, file, ids, launch):
    right, mask, _, width = stored(launch, ids["full"][keep])
    page = opened(tab, file, f"a={ids[keep]}&b={id_of(smallest(1))}")
    assert abs(correct(page, 0) - right) <= 1
    assert number(page, 0, "nnz") == keep
    assert number(page, 0, "effective") == masks.on_path(mask[None], width).sum()
    assert number(page, 0, "params") == mask.sum()
    assert correct(page, 1) == 49_982


def test_the_table_sorts(page):
    heads = page.locator("#networks th button")
    heads.get_by_text("Accuracy").click()
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Accuracy")
    column = page.locator("#networks tbody tr[data-id] td:nth-child(5)")
    shown = [float(text) for text in column.all_inner_texts()[:10]]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == 100
    heads.get_by_text("Accuracy").click()
    assert [float(t) for t in column.all_inner_texts()[:2]] < [60, 60]


FOUND_BY_GMP = best_known.load().query("found.str.contains('gmp')")

FILTERS = {
    "gmp": 40 + len(FOUND_BY_GMP),
    "nnz <= 12 gmp": 20 + int((FOUND_BY_GMP["nnz"] <= 12).sum()),
    "width=16": 2,
    "acc>=.9999 nnz<26": len(best_known.load().query("accuracy >= .9999 and nnz < 26")),
    "effective>1 magnitude nnz!=30": 1,
    "<b>": 0,
    "any": int((best_known.load()["kind"] == "any").sum()),
}


def test_the_filter_takes_words_and_comparisons(page):
    for text, count in FILTERS.items():
        page.locator("[data-part=search]").fill(text)
        said = page.locator("#networks output").inner_text()
        assert said == ("1 network" if count == 1 else f"{count} networks"), text


def test_the_method_can_be_chosen(page):
    page.locator("#networks select").select_option("magnitude")
    assert page.locator("#networks tbody tr[data-id]").count() == 2


def test_buttons_and_rows_of_the_table_show_networks(page):
    page.locator("[data-part=search]").fill("width=16")
    page.locator("tr[data-id] .pick").nth(1).click()
    assert part(page, 1, "name").inner_text() == "magnitude, 30 weights"
    page.keyboard.press("a")
    page.locator("tr[data-id] td.number").last.click()
    assert part(page, 0, "name").inner_text() == "magnitude, 200 weights"
    assert page.locator("tr.shown").count() == 2


def test_the_table_is_walked_by_keys_through_rows_out_of_sight(page):
    page.locator(".pick").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    third = best_known.load().sort_values("nnz", kind="stable").iloc[2]
    size = f", {third['nnz']} weights"
    assert part(page, 1, "name").inner_text().endswith(size)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert part(page, 1, "name").inner_text() == "magnitude, 200 weights"
    page.keyboard.press("Home")
    assert page.locator(".pick:focus").get_attribute("data-row") == "0"


def test_only_rows_in_sight_are_in_the_page(page):
    assert page.locator("tr[data-id]").count() < 60
    page.locator(".scroll").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
    page.locator("tr[data-id] >> text=magnitude").last.wait_for()


def test_zoom_is_linked_by_wheel_buttons_and_keys(page):
    whole = [pixels(page, side) for side in (0, 1)]
    page.locator(".map").first.hover()
    page.mouse.wheel(0, -400)
    settled(page)
    zoomed = [pixels(page, side) for side in (0, 1)]
    assert all((a != b).any() for a, b in zip(whole, zoomed, strict=True))
    part(page, 1, "whole").click()
    part(page, 1, "closer").click()
    part(page, 0, "wider").click()
    settled(page)
    page.mouse.move(0, 0)
    page.locator(".map").nth(1).focus()
    for key in ("+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    settled(page)
    assert all((pixels(page, s) != whole[s]).any() for s in (0, 1))
    page.keyboard.press("0")
    settled(page)
    assert all((pixels(page, s) == whole[s]).all() for s in (0, 1))


def test_hover_shows_one_point_on_both_sides_and_dims_what_is_silent(page, launch, ids):
    box = page.locator(".map").nth(1).bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    texts = [part(page, side, "readout").inner_text() for side in (0, 1)]
    at = {text.split("  ")[0] for text in texts}
    assert len(at) == 1
    x, y = map(float, at.pop().split(","))
    assert (x, y) == pytest.approx((1.125, 0), abs=0.02)
    _, _, params, width = stored(launch, ids["full"][20])
    point = np.array([[x], [y]])
    sign = mlp.logits(params.astype(np.float64), point, width)[0] > 0
    assert ("orange" if sign else "blue") in texts[0]
    first, bias = mlp.matrices(params.astype(np.float64), width)[0]
    alive = (first @ point)[:, 0] + bias > 0
    for unit in np.flatnonzero(~alive & (first != 0).any(axis=1)):
        label = f"unit 1.{unit + 1},"
        off = page.locator(f'.side >> nth=0 >> .unit[aria-label^="{label}"]')
        assert "off" in off.get_attribute("class")
    page.mouse.move(0, 0)
    assert page.locator(".off").count() == 0


def test_pruned_edges_are_drawn_on_demand(page):
    assert edges(page).count() == 20
    page.locator("[data-part=pruned]").click()
    assert edges(page).count() == mlp.weight_count(4)
    assert page.locator(".side >> nth=0 >> .edge.pruned").count() == 44 - 20
    page.keyboard.press("p")
    assert edges(page).count() == 20


def test_zero_lines_and_data_lie_over_the_map(page):
    plain = pixels(page)
    page.locator("[data-part=lines]").click()
    settled(page)
    lines = pixels(page)
    assert (lines.sum(axis=2) < plain.sum(axis=2) - 20).sum() > 30
    page.locator("[data-part=data]").click()
    assert (pixels(page) != lines).any()


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_unit_is_enlarged_on_the_map(how, page):
    plain = pixels(page)
    unit = page.locator(".side >> nth=0 >> .unit.layer-1").first
    getattr(unit, how)()
    assert part(page, 0, "caption").inner_text().startswith("unit 1.")
    settled(page, 0)
    assert (pixels(page) != plain).mean() > 0.3
    page.mouse.move(0, 0)
    page.locator("[data-part=help]").focus()
    assert part(page, 0, "caption").inner_text() == "output"


def test_units_are_walked_by_keys(page):
    page.locator(".side >> nth=0 >> .unit[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator(".unit:focus").get_attribute("aria-label") == "output"
    page.keyboard.press("ArrowLeft")
    assert page.locator(".unit:focus").get_attribute("aria-label").startswith("unit 3.")


def test_dark_and_light(page, tab, visit, file):
    colour = "() => getComputedStyle(document.body).backgroundColor"
    light, map_ = page.evaluate(colour), pixels(page)
    page.locator("[data-part=theme]").click()
    settled(page)
    assert page.evaluate(colour) != light
    assert pixels(page).mean() < map_.mean() - 30
    dark = visit(file, color_scheme="dark", bypass_csp=True)
    assert dark.evaluate(colour) == page.evaluate(colour)


def test_help_is_a_dialog_that_keys_open_and_close(page):
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("p")
    assert edges(page).count() == 20
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_the_table_can_be_put_away(page):
    page.locator("[data-part=networks]").click()
    assert not page.locator("#networks").is_visible()
    page.keyboard.press("/")
    assert page.locator("[data-part=search]:focus").is_visible()


def test_units_and_edges_without_effect_are_marked(page):
    """Prune what the output hears of the last unit; then all that one unit hears."""
    last = edges(page, 1).last.get_attribute("data-place")
    edges(page, 1).last.focus()
    page.keyboard.press("Delete")
    dead = page.locator(".side >> nth=1 >> .unit.dead")
    assert dead.count() >= 1
    assert "does not reach the output" in dead.first.get_attribute("aria-label")
    assert page.locator(".side >> nth=1 >> .edge.idle").count() >= 1
    assert place_missing(page, last, side=1)
    page.keyboard.press("Control+z")
    assert dead.count() == 0
    into = page.locator('.side >> nth=1 >> .edge[aria-label$="to unit 2.1"]')
    while into.count():
        into.first.focus()
        page.keyboard.press("Delete")
    constant = page.locator(".side >> nth=1 >> .unit.constant")
    assert constant.first.get_attribute("aria-label").startswith("unit 2.1, constant")


def test_what_screen_readers_are_told(page):
    edges(page).nth(0).focus()
    page.keyboard.press("Delete")
    settled(page)
    said = page.locator("#status")
    said.get_by_text("19 weights").wait_for(state="attached")
    assert "accuracy" in said.inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_nothing(scheme, width, visit, file, ids):
    axe = pytest.importorskip("axe_core_python.sync_playwright")
    page = visit(file, width=width, color_scheme=scheme, bypass_csp=True)
    settled(page)
    page.locator("[data-part=pruned]").click()
    found = axe.Axe().run(page)["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found] == []


def test_a_telephone_shows_everything_in_one_column(visit, file):
    page = visit(file, width=360, height=740, bypass_csp=True, has_touch=True)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [page.locator(".side").nth(side).bounding_box() for side in (0, 1)]
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"]
    assert part(page, 0, "train").bounding_box()["height"] >= 24


@pytest.mark.parametrize("width", [360, 1000, 1360])
def test_names_and_what_made_a_network_are_shown_whole(width, visit, file, ids):
    page = visit(file, width=width, bypass_csp=True)
    page = opened(page, file, f"a={ids[20]}&b={id_of(smallest(1))}")
    for side in (0, 1):
        for name in ("name", "about"):
            whole = """(node) => { const box = node.closest("h2, p");
              return getComputedStyle(box).overflow === "visible" &&
                box.scrollWidth <= box.clientWidth; }"""
            assert part(page, side, name).evaluate(whole)


def test_a_wall_is_filled_and_read_from_afar(visit, file):
    page = visit(file, width=3840, height=2160, bypass_csp=True)
    settled(page)
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert page.evaluate(size) >= 22
    assert page.locator(".map").first.bounding_box()["width"] > 700


def test_names_from_data_are_text(visit, tmp_path):
    out = tmp_path / "<img src=x onerror=alert(1)>"
    launches.write(out, "{method: gmp, width: 3, keep: 12}", status="<b id=evil>")
    (tmp_path / "v.html").write_text(view.page([out], options()))
    page = visit(tmp_path / "v.html")
    settled(page)
    assert out.name in page.locator("[data-part=source]").inner_text()
    page.locator("[data-part=search]").fill("evil")
    assert page.locator("tr[data-id] >> text=<b id=evil>").count() == 1
    assert page.locator("#evil, img").count() == 0
    data = json.loads(page.locator("#data").text_content())
    assert data["tasks"][0]["total"] == 49_982
