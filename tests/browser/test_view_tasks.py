"""The viewer's page in Chromium: one task after the other."""

import re

import numpy as np
import pytest

from spiral.methods.registry import options
from spiral.report.viewer import page as view
from spiral.report.viewer import points
from spiral.search import best_known
from spiral.tasks import catalogue
from tests.browser.stage import correct, number, part, pixels, settled
from tests.report import launches

pytestmark = pytest.mark.browser

SPIRAL = "cubist(turns=1.5)"
GRID = f"""
defaults: {{method: gmp, width: 4, seed: 0..1}}
blocks:
  default: {{keep: 12}}
  other: {{keep: [12, 20], task: {SPIRAL}}}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A page whose tasks have the networks of the rows, and the planted one, alone."""
    folder = tmp_path_factory.mktemp("tasks")
    launches.write(folder / "out", GRID, accuracy=0.6)
    path = folder / "view.html"

    def shipped(task):
        return best_known.SHIPPED if task == catalogue.DEFAULT else folder / "none"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_known, "shipped", shipped)
        path.write_text(view.page([folder / "out"], options()))
    return path


@pytest.fixture(scope="module")
def tab(visit_for_module, file):
    return visit_for_module(file, bypass_csp=True)


@pytest.fixture
def page(tab, file):
    tab.goto("about:blank")
    tab.goto(file.resolve().as_uri())
    settled(tab)
    return tab


def choose(page, task):
    page.locator("[data-part=task]").select_option(task)
    settled(page)


def hash_of(page, before):
    """Return the address once it has been written anew."""
    page.wait_for_function("before => location.hash !== before", arg=before)
    return page.evaluate("location.hash")


def test_all_tasks_can_be_chosen_and_the_default_is_first(page):
    names = page.locator("[data-part=task] option").all_inner_texts()
    assert names == [*catalogue.names(), SPIRAL]
    assert page.locator("h1").inner_text() == "Sparse networks on the spiral"
    assert "task=" not in page.evaluate("location.hash")


def test_a_task_shows_its_own_networks_alone(page):
    count = page.locator("#networks output")
    choose(page, SPIRAL)
    assert count.inner_text() == "4 networks"
    assert page.locator("#networks select option").all_inner_texts() == [
        "All methods",
        "gmp",
    ]
    assert part(page, 0, "name").inner_text().startswith("gmp")
    assert part(page, 0, "best").inner_text() == "–"
    assert part(page, 0, "match").is_disabled()
    choose(page, "planted")
    assert count.inner_text() == "2 networks"
    assert part(page, 0, "best").inner_text() == "100.00 %, 16 weights"
    choose(page, "cubist")
    assert "frontier" in page.locator("#networks select").inner_text()
    assert page.locator("h1").inner_text() == "Sparse networks on the spiral"


def test_networks_are_evaluated_on_the_points_of_the_task(page):
    choose(page, "planted")
    assert correct(page, 0) == points.SAMPLE
    assert number(page, 0, "accuracy") == 100
    assert part(page, 0, "wrong").inner_text() == "0 of 3,000"
    task = catalogue.load("planted")
    said = page.locator("[data-part=source]").inner_text()
    assert said == f"3,000 of {task.points:,} points, chance {100 * task.chance:.1f} %"


def test_points_on_polygons_are_all_there(page):
    choose(page, SPIRAL)
    said = page.locator("[data-part=source]").inner_text()
    assert said.startswith(f"{catalogue.load(SPIRAL).points:,} points, chance 50.0 %")


def test_a_map_shows_the_points_of_its_task_alone(page):
    """Two tasks of equal windows, whose points are elsewhere."""
    assert catalogue.load("planted").window == catalogue.load("checkerboard").window
    choose(page, "checkerboard")
    alone = pixels(page, 1)
    choose(page, "planted")
    assert (pixels(page, 1) != alone).mean() > 0.2
    choose(page, "checkerboard")
    np.testing.assert_array_equal(pixels(page, 1), alone)


def test_zooming_out_ends_at_the_window_of_the_task(page):
    choose(page, "moons")
    whole = pixels(page, 0)
    part(page, 0, "closer").click()
    settled(page)
    assert (pixels(page, 0) != whole).any()
    for _ in range(3):
        part(page, 0, "wider").click()
    settled(page)
    np.testing.assert_array_equal(pixels(page, 0), whole)
    half = catalogue.load("moons").window[1]
    page.wait_for_function(f"location.hash.includes('view=0%2C0%2C{half:g}&')")


def test_training_is_on_the_points_of_the_task(page):
    choose(page, "moons")
    before = number(page, 0, "accuracy")
    part(page, 0, "train").click()
    page.locator(".side >> nth=0 >> [data-part=progress]").wait_for(state="hidden")
    settled(page, 0)
    assert number(page, 0, "accuracy") > max(95, before)


def test_what_was_changed_on_another_task_cannot_come_back(page):
    page.locator(".side >> nth=0 >> .edge").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("[data-part=undo]").is_enabled()
    choose(page, "moons")
    assert page.locator("[data-part=undo]").is_disabled()
    page.keyboard.press("Control+z")
    assert part(page, 0, "name").inner_text() == "untrained, 152 weights"


def test_a_link_names_the_task(page, tab, file):
    choose(page, SPIRAL)
    before = hash_of(page, "")
    page.locator("tr[data-id] .pick").last.click()
    name = part(page, 1, "name").inner_text()
    text = hash_of(page, before)
    assert re.search(r"task=cubist%28turns%3D1.5%29", text)
    tab.goto("about:blank")
    tab.goto(file.resolve().as_uri() + text)
    settled(tab)
    assert tab.locator("[data-part=task]").input_value() == SPIRAL
    assert part(tab, 1, "name").inner_text() == name


def test_another_link_turns_to_its_task_without_loading(page):
    page.evaluate("location.hash = '#task=moons'")
    page.locator("h1", has_text="moons").wait_for()
    settled(page)
    page.evaluate("location.hash = '#task=nothing'")
    page.locator("h1", has_text="the spiral").wait_for()


def test_a_sample_makes_no_claim_about_all_points(page, tmp_path):
    choose(page, "planted")
    with page.expect_download() as got:
        part(page, 0, "json").click()
    text = (got.value.path()).read_text()
    assert '"correct": null' in text


def test_nothing_is_wider_than_a_phone(visit, file):
    page = visit(file, width=360, height=740, bypass_csp=True)
    settled(page)
    choose(page, SPIRAL)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
