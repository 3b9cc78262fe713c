"""A method that follows a script."""

from dataclasses import replace

import pytest

from spiral.methods.registry import METHODS
from tests.methods import Scripted


@pytest.fixture
def script(monkeypatch):
    """Make ``dense`` follow a script."""

    def install(*changes, events=(0,), **more):
        method = Scripted([*changes], events, more)
        entry = replace(METHODS["dense"], build=lambda: method)
        monkeypatch.setitem(METHODS, "dense", entry)
        return method

    return install
