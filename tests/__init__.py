"""Tests, a file for each module of ``spiral``; pytest collects them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

GOLDEN_FILES = Path(__file__).parent / "golden"
"""Numbers of published code, and ids and rows that must not change."""

VARYING = ("seconds",)
"""Columns that differ between equal runs; all others are reproducible."""


def mostly_slow(cases: Iterable[Any], quick: Iterable[Any]) -> list[Any]:
    """Return cases of a parameter; all but the quick ones are in the slow tier."""
    here = [*quick]
    every = [*cases]
    assert all(case in every for case in here), "expected quick cases among the cases"
    return [
        case if case in here else pytest.param(case, marks=pytest.mark.slow)
        for case in every
    ]
