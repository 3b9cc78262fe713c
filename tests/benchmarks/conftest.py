"""Pages that are measured open as in the tests of the browser."""

from tests.browser.conftest import browser, visit

__all__ = ["browser", "visit"]
