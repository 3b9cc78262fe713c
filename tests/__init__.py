"""Tests, a file for each module of ``spiral``; pytest collects them."""

from pathlib import Path

GOLDEN_FILES = Path(__file__).parent / "golden"
"""Numbers of published code, and ids and rows that must not change."""

VARYING = ("seconds",)
"""Columns that differ between equal runs; all others are reproducible."""
