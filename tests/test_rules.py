"""What no test does: look at a clock, measure memory, be impatient, sleep."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MEASURING = ("benchmarks", "soak", "gpu", "patience.py", Path(__file__).name)
"""Bars of speed; campaigns that run by the clock; the one place that waits."""

CLOCKS = {"time", "timeit", "resource", "tracemalloc", "psutil"}
"""Modules with which time and memory are measured."""

IN_SCRIPTS = re.compile(
    r"\bimport (?:\w+, )*(?:time|timeit|resource|tracemalloc)\b"
    r"|perf_counter|process_time|ru_maxrss|VmHWM|performance\.now|RLIMIT_CPU"
)
"""The same in programs that tests hold as text."""

WAITS = {"wait", "join", "settimeout", "set_default_timeout", "sleep"}
LIMITS = {"timeout", "deadline"}


def faults(text: str) -> list[str]:
    """Return what a file of tests must not do, with lines."""
    return [f"{node.lineno}: {ast.unparse(node)[:80]}" for node in _bad(text)]


def _bad(text: str) -> list[ast.AST]:
    return [
        node
        for node in ast.walk(ast.parse(text))
        if _imports(node) or _text(node) or _hurries(node)
    ]


def _imports(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and str(node.module).partition(".")[0] in CLOCKS
    return isinstance(node, ast.Import) and any(a.name in CLOCKS for a in node.names)


def _text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and IN_SCRIPTS.search(node.value) is not None
    )


def _hurries(node: ast.AST) -> bool:
    """Return whether a call waits a number of seconds that stands in it."""
    if not isinstance(node, ast.Call):
        return False
    limits = [k.value for k in node.keywords if k.arg in LIMITS]
    if isinstance(node.func, ast.Attribute) and node.func.attr in WAITS:
        limits += node.args[:1]
    return any(_is_number(limit) for limit in limits)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import perf_counter",
        "import os, resource",
        "CODE = 'import sys, time'",
        "CODE = 'print(time.process_time())'",
        "child.wait(60)",
        "locator.wait_for(timeout=15_000)",
        "subprocess.run(command, timeout=30)",
        "settings(deadline=200)",
    ],
)
def test_a_fault_is_found(text):
    assert faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "from importlib import resources",
        "child.wait(PATIENCE)",
        "', '.join(names)",
        "subprocess.run(command)",
        "table.get('time')",
        "settings(max_examples=50)",
    ],
)
def test_what_is_no_fault_is_not(text):
    assert faults(text) == []


def test_no_test_depends_on_the_speed_of_the_machine():
    found = {
        str(path.relative_to(TESTS)): faults(path.read_text())
        for path in sorted(TESTS.rglob("*.py"))
        if path.relative_to(TESTS).parts[0] not in MEASURING
    }
    assert len(found) > 100
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
