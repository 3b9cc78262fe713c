"""Headless Chromium over file://, with no network and no patience for errors."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spiral.methods.registry import options
from spiral.model import mlp
from spiral.report.viewer import page as view
from tests.browser.stage import LOADED, id_of, opened, smallest
from tests.patience import PATIENCE
from tests.report import launches

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def chromium() -> str | None:
    """Where Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("CHROMIUM") or next((path for path in found if path), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One Chromium for the session."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if (path := chromium()) is None:
        pytest.skip("no Chromium on PATH or in $CHROMIUM; `make browser` installs one")
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=path, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., object]]:
    """Open a file in a fresh offline context: visit(path, width=1280, height=800, …).

    Fails at the end if a page printed an error or asked for anything but files.
    """
    contexts, said = [], []

    def opened(path: Path, *, width: int = 1280, height: int = 800, **more: object):
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, offline=True, **more)
        context.set_default_timeout(1000 * PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda it: it.type == "error" and said.append(it.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda it: asked(it.url, said))
        page.goto(path.resolve().as_uri() if isinstance(path, Path) else path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not said, said


visit_for_module = pytest.fixture(scope="module")(visit.__wrapped__)
"""The same for pages that a whole file of tests shares."""


def asked(url: str, said: list[str]) -> None:
    """Note a request that would need a network."""
    if not url.startswith(("file:", "data:", "blob:", "about:")):
        said.append(f"asked for {url}")


# ---- the viewer's page, open on two networks

GRID = """
blocks:
  gmp: {method: gmp, width: 4, keep: [12, 20], seed: 0..19}
  wide: {method: magnitude, width: 16, keep: [30, 200], seed: 0, lr: 0.05}
"""


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows") / "launch"
    return out, launches.write(out, GRID)


@pytest.fixture(scope="module")
def file(launch, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "view.html"
    path.write_text(view.page([launch[0]], options()))
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
    """The page anew: 20 weights of width 4 on side A, a best known one on side B."""
    return opened(tab, file, f"a={ids[20]}&b={id_of(smallest(0.95))}{LOADED}")
