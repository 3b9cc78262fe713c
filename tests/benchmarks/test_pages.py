"""How fast pages are, against plain ones of the same browser and plain JavaScript."""

import json
from statistics import median

import numpy as np
import pytest

from spiral.methods.registry import options
from spiral.model import mlp
from spiral.report.viewer import page as view
from spiral.report.viewer import points
from spiral.tasks import catalogue
from tests.benchmarks.measure import at_most
from tests.browser import stage
from tests.browser.test_report import hostile
from tests.report import launches

__all__ = ["hostile"]
pytestmark = [pytest.mark.browser, pytest.mark.benchmark]
EMPTY = "<!doctype html><title>x</title><link rel=icon href='data:,'>"

FRAMES = 90
DRAG = """async (count) => {
  const line = document.querySelectorAll(".side .edge .line")[10];
  const p = line.getPointAtLength(line.getTotalLength() * 0.3), m = line.getScreenCTM();
  const at = { bubbles: true, pointerId: 5, clientX: p.x * m.a + m.e };
  const y = p.y * m.d + m.f;
  const fire = (target, name, clientY) =>
    target.dispatchEvent(new PointerEvent(name, { ...at, button: 0, clientY }));
  fire(line.parentNode, "pointerdown", y);
  for (let k = 0; k < count; k++) {
    fire(globalThis, "pointermove", y - 6 - k);
    await new Promise(requestAnimationFrame);
  }
  fire(globalThis, "pointerup", y - 6 - count);
}"""


def opening(visit, path) -> float:
    """Return the milliseconds until a page has loaded: the median of five visits."""
    code = "performance.getEntriesByType('navigation')[0].loadEventStart"
    return median(visit(path).evaluate(code) for _ in range(5))


@pytest.fixture
def empty(tmp_path):
    path = tmp_path / "empty.html"
    path.write_text(EMPTY)
    return path


def page_of(networks, folder):
    """Return the path of a page with dense networks of width 16."""
    grid = f"{{method: dense, width: 16, seed: 0..{networks - 1}}}"
    launches.write(folder / "rows", grid, accuracy=0.5)
    path = folder / "view.html"
    path.write_text(view.page([folder / "rows"], options(), limit=networks))
    return path


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    return page_of(1000, tmp_path_factory.mktemp("thousand"))


def test_a_report_with_a_long_table_opens_nearly_as_an_empty_page(
    visit, hostile, empty
):
    taken = opening(visit, hostile)
    at_most(30, "opening of a report", taken, opening(visit, empty))


def test_a_thousand_networks_are_there_nearly_as_soon_as_one(visit, thousand, tmp_path):
    taken = ready(visit, thousand)
    at_most(5, "a thousand networks", taken, ready(visit, page_of(1, tmp_path)))


def ready(visit, path) -> float:
    """Return the milliseconds until the viewer answers: the median of five visits."""
    found = []
    for _ in range(5):
        page = visit(path, bypass_csp=True)
        page.locator("[data-ready]").wait_for(state="attached")
        code = "performance.getEntriesByName('ready')[0].startTime"
        found.append(page.evaluate(code))
    return median(found)


PLAIN = """async (count) => {
  const one = document.querySelector("main") ?? document.body;
  for (let k = 0; k < count; k++) {
    one.style.paddingLeft = `${k % 2}px`;
    await new Promise(requestAnimationFrame);
  }
  one.style.paddingLeft = "";
}"""
"""Frames in which the page is laid out anew and nothing else happens."""


def test_dragging_a_weight_of_a_dense_network_takes_few_layouts(visit, thousand):
    page = visit(thousand, bypass_csp=True)
    stage.settled(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent = {}
    for name, code in (("plain", PLAIN), ("drag", DRAG)):
        before = busy(session)
        page.evaluate(code, FRAMES)
        spent[name] = busy(session) - before
    at_most(10, "a frame of a drag", spent["drag"], spent["plain"])


def busy(session):
    """Return the seconds that a page's thread has computed."""
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}["TaskDuration"]


TIMED = """() => { const net = %s, all = { map: [], count: [], plain: [] };
  const weights = Float64Array.from({ length: 400 }, Math.random);
  const timed = (name, work) => {
    const began = performance.now();
    work();
    all[name].push(performance.now() - began);
  };
  for (let k = 0; k < 9; k++) {
    timed("map", () => fieldOf(net, { x: 0, y: 0, half: 2.25 }, 512));
    timed("count", () => measure(net, points));
    timed("plain", () => { let sum = 0;
      for (let n = 0; n < 50_000; n++)
        for (let w = 0; w < 400; w++) sum += weights[w] * n;
      all.sum = sum; });
  }
  return all; }"""
"""Times a map of 512 × 512 pixels, all 49,982 points, and as many plain products as
the points take."""


def test_a_full_map_of_a_dense_network_takes_as_long_as_its_products(visit, tmp_path):
    carried = points.of_task(catalogue.load("cubist"))["points"]
    extra = f"globalThis.points = buildPoints({json.dumps(carried)});"
    names = ("compile", "fieldOf", "buildPoints", "measure")
    page = stage.modules(visit, tmp_path, "work.js", *names, extra=extra)
    params = 3 * mlp.initial_params(0, 16)
    net = f"compile({stage.model(np.ones(len(params), bool), params, 16)})"
    timed = page.evaluate(TIMED % net)
    field, count, plain = (median(timed[name]) for name in ("map", "count", "plain"))
    at_most(5, "all points", count, plain)
    at_most(5, "a full map", field, 512**2 / 50_000 * plain)
