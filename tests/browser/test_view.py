"""The viewer's page in Chromium: one test for each control, and what it must show."""

import json
import re

import numpy as np
import pytest

from spiral import masks, mlp
from spiral.report import view
from spiral.search import exported, frontier
from tests.browser.stage import part, settled
from tests.cli import run
from tests.report import launches

pytestmark = pytest.mark.browser

GRID = """
blocks:
  gmp: {method: gmp, width: 4, keep: [12, 20], seed: 0..19}
  wide: {method: magnitude, width: 16, keep: [30, 200], seed: 0, lr: 0.05}
"""
LOADED = "&show=d&on=a"


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows") / "launch"
    return out, launches.write(out, GRID)


@pytest.fixture(scope="module")
def file(launch, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "view.html"
    path.write_text(view.page([launch[0]]))
    return path


@pytest.fixture(scope="module")
def ids(launch):
    """Ids on the page of a network of 20 weights, and of one of 200 of width 16."""
    found = {}
    for config_id, (mask, _, width) in launch[1].items():
        found[int(mask[mlp.is_weight(width)].sum())] = config_id
    return {keep: config_id[:12] for keep, config_id in found.items()} | {"full": found}


@pytest.fixture(scope="module")
def tab(visit_for_module, file):
    return visit_for_module(file, bypass_csp=True)


@pytest.fixture
def page(tab, file, ids):
    """The page anew: 20 weights of width 4 on side A, the best of 16 on side B."""
    return opened(tab, file, f"a={ids[20]}&b=any-16-24{LOADED}")


def opened(tab, file, state):
    tab.goto("about:blank")
    tab.goto(f"{file.resolve().as_uri()}#{state}")
    settled(tab)
    return tab


def stored(launch, config_id):
    mask, params, width = launch[1][config_id]
    return launches.correct(params, width), mask, params, width


def number(page, side, name):
    return float(part(page, side, name).inner_text().replace(",", "").strip(" %"))


def correct(page, side):
    settled(page, side)
    return int(page.locator(".side").nth(side).get_attribute("data-correct"))


def edges(page, side=0):
    return page.locator(".side").nth(side).locator(".edge")


def pixels(page, side=0):
    """Return the colours of a map's canvas, 40 × 40 of them."""
    code = """(canvas) => { const small = new OffscreenCanvas(40, 40).getContext("2d");
      small.drawImage(canvas, 0, 0, 40, 40);
      return Array.from(small.getImageData(0, 0, 40, 40).data); }"""
    canvas = page.locator(".side").nth(side).locator(".map canvas")
    return np.array(canvas.evaluate(code), int).reshape(40, 40, 4)[..., :3]


def test_the_page_opens_quietly_under_its_own_policy_and_counts_as_numpy(
    visit, file, launch
):
    page = visit(file)
    settled(page)
    assert page.title() == view.TITLE
    rows = page.locator("output").first.inner_text()
    assert rows == f"{42 + len(frontier.load())} networks"
    name = part(page, 0, "name").inner_text()
    assert re.fullmatch(r"(gmp|magnitude), \d+ weights", name)
    assert part(page, 1, "name").inner_text().startswith("Best known")


@pytest.mark.parametrize("keep", [12, 20, 30, 200])
def test_counts_are_those_of_numpy(keep, tab, file, ids, launch):
    right, mask, _, width = stored(launch, ids["full"][keep])
    page = opened(tab, file, f"a={ids[keep]}&b=any-27-38")
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


FILTERS = {
    "gmp": 40,
    "nnz <= 12 gmp": 20,
    "width=16": 2,
    "acc>=.9999 nnz<26": 1,
    "effective>1 magnitude nnz!=30": 1,
    "<b>": 0,
    "any": int((frontier.load()["kind"] == "any").sum()),
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
    assert part(page, 1, "name").inner_text() == "Best known, 6 weights"
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


def expected(launch, ids, keep, change):
    """Return accuracy count and weights on a path after a change to weights."""
    _, mask, params, width = stored(launch, ids["full"][keep])
    weights, params = mask[mlp.is_weight(width)].copy(), params.copy()
    change(weights, params)
    after = masks.with_biases(weights[None], width)
    kept = np.where(after[0], params, np.float32(0))
    return launches.correct(kept, width), int(masks.on_path(after, width).sum())


def test_a_click_prunes_an_edge_and_undo_restores_it(page, launch, ids):
    before = correct(page, 0)
    edge = edges(page).nth(3)
    place = int(edge.get_attribute("data-place"))
    column = int(mlp.is_weight(4)[:place].sum())

    def prune(weights, params):
        weights[column] = False

    right, effective = expected(launch, ids, 20, prune)
    box = edge.locator(".line").evaluate(
        "(line) => { const p = line.getPointAtLength(line.getTotalLength() * 0.3), "
        "m = line.getScreenCTM(); return [p.x * m.a + m.e, p.y * m.d + m.f]; }"
    )
    page.mouse.click(*box)
    pruned = place_missing(page, place)
    assert pruned
    assert abs(correct(page, 0) - right) <= 1
    assert (number(page, 0, "nnz"), number(page, 0, "effective")) == (19, effective)
    assert part(page, 0, "changed").inner_text() == "changed by hand"
    page.locator("[data-part=undo]").click()
    assert correct(page, 0) == before
    assert part(page, 0, "changed").inner_text() == ""
    page.keyboard.press("Control+Shift+Z")
    assert abs(correct(page, 0) - right) <= 1
    page.locator("[data-part=redo][disabled]").wait_for()
    part(page, 0, "reset").click()
    assert correct(page, 0) == before


def all_weights(page):
    """Return the weights of side A as the graph says them, by place."""
    code = "(all) => all.map((e) => [e.dataset.place, e.getAttribute('aria-valuenow')])"
    return dict(edges(page).evaluate_all(code))


def place_missing(page, place):
    return page.locator(f".side >> nth=0 >> .edge[data-place='{place}']").count() == 0


def test_keys_prune_change_and_walk_edges(page):
    first = page.locator(".side >> nth=0 >> .edge[tabindex='0']")
    first.focus()
    before = float(first.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowUp")
    step = 0.05 * max(abs(before), 0.5)
    now = page.locator(".edge:focus").get_attribute("aria-valuenow")
    assert float(now) == pytest.approx(before + step, abs=1e-3)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowRight")
    place = page.locator(".edge:focus").get_attribute("data-place")
    page.keyboard.press("Delete")
    assert place_missing(page, place)
    assert page.locator(".edge:focus").count() == 1
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert number(page, 0, "nnz") == 20
    assert float(first.get_attribute("aria-valuenow")) == before


def test_dragging_an_edge_changes_its_weight_and_the_accuracy(page, launch, ids):
    edge = edges(page).nth(0)
    place = int(edge.get_attribute("data-place"))
    line = edge.locator(".line")
    x, y = line.evaluate(
        "(line) => { const p = line.getPointAtLength(line.getTotalLength() * 0.25), "
        "m = line.getScreenCTM(); return [p.x * m.a + m.e, p.y * m.d + m.f]; }"
    )
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(1, 13):
        page.mouse.move(x, y - 10 * k)
    page.mouse.up()
    _, _, params, _ = stored(launch, ids["full"][20])
    wanted = params[place] + max(abs(params[place]), 0.5)

    def change(weights, params):
        params[place] = wanted

    right, _ = expected(launch, ids, 20, change)
    value = float(edges(page).nth(0).get_attribute("aria-valuenow"))
    assert value == pytest.approx(wanted, abs=1e-3)
    assert abs(correct(page, 0) - right) <= 1
    page.keyboard.press("Control+z")  # one drag, one step
    page.locator("[data-part=undo][disabled]").wait_for()


def test_a_weight_can_be_typed_pruned_and_restored(page, launch, ids):
    edge = edges(page).nth(2)
    place = int(edge.get_attribute("data-place"))
    page.locator("[data-part=pruned]").click()
    page.locator(f".side >> nth=0 >> .edge[data-place='{place}']").focus()
    page.keyboard.press("Space")
    assert part(page, 0, "prune").inner_text() == "Restore"
    part(page, 0, "prune").click()
    assert part(page, 0, "prune").inner_text() == "Prune"
    part(page, 0, "value").fill("-1.25")
    part(page, 0, "value").press("Tab")

    def change(weights, params):
        params[place] = -1.25

    right, _ = expected(launch, ids, 20, change)
    assert abs(correct(page, 0) - right) <= 1


def test_a_unit_chosen_shows_its_bias(page, launch, ids):
    unit = page.locator(".side >> nth=0 >> .unit.layer-4")
    unit.click()
    assert part(page, 0, "which").inner_text() == "bias of output"
    _, _, params, _ = stored(launch, ids["full"][20])
    assert float(part(page, 0, "value").input_value()) == pytest.approx(
        params[-1], abs=1e-4
    )
    part(page, 0, "value").fill("3")

    def change(weights, params):
        params[-1] = 3

    right, _ = expected(launch, ids, 20, change)
    page.locator(".side >> nth=0 >> .changed >> text=hand").wait_for()
    assert abs(correct(page, 0) - right) <= 1


def test_the_keep_slider_prunes_by_magnitude_and_back(page, launch, ids):
    keep = 13

    def change(weights, params):
        scores = np.where(weights, np.abs(params[mlp.is_weight(4)]), -1.0)[None]
        weights[:] = masks.keep_top(scores, np.array([keep]))[0]

    right, effective = expected(launch, ids, 20, change)
    slider = part(page, 0, "keep")
    slider.focus()
    for _ in range(20 - keep):
        page.keyboard.press("ArrowLeft")
    assert part(page, 0, "kept").inner_text() == "13 of 20"
    assert abs(correct(page, 0) - right) <= 1
    assert (number(page, 0, "nnz"), number(page, 0, "effective")) == (13, effective)
    page.keyboard.press("End")
    assert number(page, 0, "nnz") == 20


@pytest.mark.parametrize("start", ["present", "own", "drawn"])
def test_training_goes_on_from_where_it_is_told(start, page):
    before = all_weights(page)
    part(page, 0, "from").select_option(start)
    assert part(page, 0, "seed").is_visible() == (start == "drawn")
    part(page, 0, "epochs").fill("1")
    part(page, 0, "schedule").select_option("constant")
    part(page, 0, "train").click()
    part(page, 0, "progress").wait_for(state="hidden")
    words = {
        "present": "present weights",
        "own": "its initialisation",
        "drawn": "new initialisation",
    }
    said = f"trained 1 epoch from {words[start]}"
    assert part(page, 0, "changed").inner_text() == said
    after = all_weights(page)
    assert after.keys() == before.keys()
    assert sum(after[place] != before[place] for place in after) >= 10
    page.keyboard.press("Control+z")
    assert all_weights(page) == before


def test_training_can_be_stopped(page):
    part(page, 0, "epochs").fill("50")
    part(page, 0, "train").click()
    page.locator(".side >> nth=0 >> .changed >> text=trained").wait_for()
    part(page, 0, "train").click()
    assert part(page, 0, "train").inner_text() == "Train"
    part(page, 0, "train").click()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert part(page, 0, "train").inner_text() == "Train"


def test_what_has_no_initialisation_does_not_offer_it(page):
    own = part(page, 1, "from").locator("[value=own]")
    assert own.is_disabled()
    assert "not recorded" in own.inner_text()


def test_optimum_puts_the_best_of_equal_size_beside(page):
    part(page, 0, "match").click()
    assert re.match(r"Best known, (19|20) weights", part(page, 1, "name").inner_text())


def test_a_link_restores_the_state(page, tab, file):
    edges(page).nth(4).focus()
    page.keyboard.press("Delete")
    part(page, 0, "closer").click()
    page.locator("[data-part=pruned]").click()
    page.keyboard.press("b")
    now = correct(page, 0)
    page.locator("[data-part=link]").click()
    page.locator("#toast.shown").wait_for()
    link = page.url
    assert "net-a=" in link
    shown = pixels(page)
    opened(tab, file, link.partition("#")[2])
    assert correct(tab, 0) == now
    assert (number(tab, 0, "nnz"), edges(tab).count()) == (19, 44)
    assert tab.locator(".side[data-active]").count() == 1
    assert (pixels(tab) == shown).all()


@pytest.mark.parametrize(
    "state",
    ["a=nonsense&b=&view=x,1&show=%00", "a=any-16-24&net-a=AAAA&made-a=x", "%%%"],
)
def test_a_damaged_link_still_opens(state, tab, file):
    page = opened(tab, file, state)
    assert part(page, 0, "name").inner_text()


def saved(page, name, tmp_path, side=0):
    with page.expect_download() as download:
        part(page, side, name).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_json_is_read_back_by_python_and_enters_a_frontier(page, tmp_path):
    edges(page, 1).nth(0).focus()
    page.keyboard.press("Shift+ArrowUp")
    right = correct(page, 1)
    path = saved(page, "json", tmp_path, 1)
    (one,) = exported.read(path)
    assert abs(one.correct - right) <= 1
    assert (one.width, one.made) == (3, "changed by hand")
    own = tmp_path / "own.parquet"
    ran = run("frontier", "update", path, "--file", own)
    assert ran.code == 0, ran.err
    (entry,) = frontier.load(own).to_dict("records")
    assert (entry["nnz"], entry["correct"]) == (16, one.correct)


def test_both_sides_are_saved_together(page, tmp_path, launch, ids):
    with page.expect_download() as download:
        page.locator("[data-part=both]").click()
    download.value.save_as(tmp_path / "both.json")
    first, second = exported.read(tmp_path / "both.json")
    right, mask, params, _ = stored(launch, ids["full"][20])
    assert (first.correct, second.width) == (right, 3)
    np.testing.assert_array_equal(first.params[mask], params[mask])


def test_pictures_are_saved(page, tmp_path):
    drawing = saved(page, "svg", tmp_path).read_text()
    assert drawing.startswith("<svg")
    assert drawing.count("<image") == 2
    assert drawing.count("<path") >= 20
    png = saved(page, "png", tmp_path).read_bytes()
    assert png.startswith(b"\x89PNG")
    wide = int.from_bytes(png[16:20])
    assert wide > 1000


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
    assert place_missing(page, last) or last
    page.keyboard.press("Control+z")
    assert dead.count() == 0
    into = page.locator('.side >> nth=1 >> .edge[aria-label$="to unit 2.1"]')
    while into.count():
        into.first.focus()
        page.keyboard.press("Delete")
    constant = page.locator(".side >> nth=1 >> .unit.constant")
    assert constant.get_attribute("aria-label").startswith("unit 2.1, constant")


def test_what_screen_readers_are_told(page):
    edges(page).nth(0).focus()
    page.keyboard.press("Delete")
    settled(page)
    said = page.locator("#said")
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


def test_a_wall_is_filled_and_read_from_afar(visit, file):
    page = visit(file, width=3840, height=2160, bypass_csp=True)
    settled(page)
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert page.evaluate(size) >= 22
    assert page.locator(".map").first.bounding_box()["width"] > 700


def test_names_from_data_are_text(visit, tmp_path):
    out = tmp_path / "<img src=x onerror=alert(1)>"
    launches.write(out, "{method: gmp, width: 3, keep: 12}", status="<b id=evil>")
    (tmp_path / "v.html").write_text(view.page([out]))
    page = visit(tmp_path / "v.html")
    settled(page)
    assert out.name in page.locator("[data-part=source]").inner_text()
    page.locator("[data-part=search]").fill("evil")
    assert page.locator("tr[data-id] >> text=<b id=evil>").count() == 1
    assert page.locator("#evil, img").count() == 0
    assert json.loads(page.locator("#data").text_content())["count"] == 49_982
