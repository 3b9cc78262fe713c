"""Tests of spiral.report."""
