"""How fast the viewer is: the bars of its design, measured (make bench)."""

import json

import numpy as np
import pytest

from spiral import mlp
from spiral.report import view
from tests.browser import stage
from tests.report import launches

pytestmark = [pytest.mark.browser, pytest.mark.benchmark]

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


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A page with 1,000 dense networks of width 16."""
    folder = tmp_path_factory.mktemp("thousand")
    grid = "{method: dense, width: 16, seed: 0..999}"
    launches.write(folder / "rows", grid, accuracy=0.5)
    path = folder / "view.html"
    path.write_text(view.page([folder / "rows"], limit=1000))
    return path


def test_a_thousand_networks_are_there_within_a_second(visit, thousand):
    page = visit(thousand, bypass_csp=True)
    page.locator("[data-ready]").wait_for(state="attached")
    ready = page.evaluate("performance.getEntriesByName('ready')[0].startTime")
    assert ready <= 1000, f"interactive after {ready:.0f} ms"


def test_dragging_a_weight_of_a_dense_network_is_smooth(visit, thousand):
    """Processor time of the page's thread, so that a busy machine is no excuse."""
    page = visit(thousand, bypass_csp=True)
    stage.settled(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(session)
    page.evaluate(DRAG, FRAMES)
    spent = 1000 * (busy(session) - before) / FRAMES
    assert spent <= 1000 / 30, f"{spent:.0f} ms a frame"


def busy(session):
    """Return the seconds that a page's thread has computed."""
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}["TaskDuration"]


def test_a_full_map_of_a_dense_network_is_quick(visit, tmp_path):
    extra = f"globalThis.points = buildPoints({json.dumps(view.points())});"
    names = ("compile", "fieldOf", "buildPoints", "measure")
    page = stage.modules(visit, tmp_path, "work.js", *names, extra=extra)
    params = 3 * mlp.initial_params(0, 16)
    net = f"compile({stage.model(np.ones(len(params), bool), params, 16)})"
    square = "{ x: 0, y: 0, half: 2.25 }"
    timed = page.evaluate(
        f"""() => {{ const net = {net}, all = {{ map: [], count: [] }};
        for (let k = 0; k < 9; k++) {{
          let t = performance.now(); fieldOf(net, {square}, 512);
          all.map.push(performance.now() - t);
          t = performance.now(); measure(net, points);
          all.count.push(performance.now() - t); }}
        return all; }}"""
    )
    field, count = (np.median(timed[name]) for name in ("map", "count"))
    assert field <= 300, f"{field:.0f} ms"
    assert count <= 100, f"{count:.0f} ms"
