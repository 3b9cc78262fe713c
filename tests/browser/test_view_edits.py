"""The viewer's page in Chromium: what one changes, trains, links to and saves."""

import numpy as np
import pytest

from spiral.model import masks, mlp
from spiral.search import best_known, network_files
from spiral.tasks import catalogue
from tests.browser.stage import (
    correct,
    edges,
    id_of,
    number,
    opened,
    part,
    pixels,
    place_missing,
    smallest,
    stored,
)
from tests.cli import run
from tests.report import launches

CUBIST = catalogue.load("cubist")

pytestmark = pytest.mark.browser


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


def test_the_best_known_of_equal_size_is_put_beside(page):
    part(page, 0, "match").click()
    known = best_known.within(best_known.load(), 4)
    (best, *_) = known[known["nnz"] <= 20].nlargest(1, "accuracy").to_dict("records")
    name = "Best trained" if best["kind"] == "protocol" else "Best known"
    assert part(page, 1, "name").inner_text() == f"{name}, {best['nnz']} weights"
    shown = part(page, 0, "best").inner_text()
    assert shown == f"{100 * best['accuracy']:.2f} %, {best['nnz']} weights"
    trained = known[(known["nnz"] <= 20) & (known["kind"] == "protocol")]
    (best, *_) = trained.nlargest(1, "accuracy").to_dict("records")
    shown = part(page, 0, "trained").inner_text()
    assert shown == f"{100 * best['accuracy']:.2f} %, {best['nnz']} weights"


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
    [
        "a=nonsense&b=&view=x,1&show=%00",
        "a={known}&net-a=AAAA&made-a=x",
        "%%%",
    ],
)
def test_a_damaged_link_still_opens(state, tab, file):
    page = opened(tab, file, state.replace("{known}", id_of(smallest(0.95))))
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
    (one,) = network_files.read(path, CUBIST)
    assert abs(one.correct - right) <= 1
    known = smallest(0.95)
    width = max(map(int, known["shape"].split(",")))
    assert (one.width, one.made) == (width, "changed by hand")
    own = tmp_path / "own.parquet"
    ran = run("frontier", "update", path, "--file", own)
    assert ran.code == 0, ran.err
    (entry,) = best_known.load(own).to_dict("records")
    assert (entry["nnz"], entry["correct"]) == (known["nnz"], one.correct)


def test_both_sides_are_saved_together(page, tmp_path, launch, ids):
    with page.expect_download() as download:
        page.locator("[data-part=both]").click()
    download.value.save_as(tmp_path / "both.json")
    first, second = network_files.read(tmp_path / "both.json", CUBIST)
    right, mask, params, _ = stored(launch, ids["full"][20])
    width = max(map(int, smallest(0.95)["shape"].split(",")))
    assert (first.correct, second.width) == (right, width)
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
