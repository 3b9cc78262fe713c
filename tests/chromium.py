"""Headless Chromium over file://, with no network and no patience for errors.

Its fixtures belong to all tests: a process can have but one Playwright.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE

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
