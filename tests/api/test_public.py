"""What ``import spiral`` offers, and that it costs nothing before it is used."""

import doctest
import importlib
import subprocess
import sys

import pytest

import spiral

SLOW = ("numpy", "pandas", "pyarrow", "torch", "matplotlib", "numba", "ray", "click")

COUNTING = f"""
import sys
import spiral
print([name for name in {SLOW} if name in sys.modules])
spiral.frontier
print([name for name in ("torch", "numba", "ray") if name in sys.modules])
"""


def test_importing_the_package_loads_nothing_slow():
    ran = subprocess.run(
        [sys.executable, "-c", COUNTING], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == ["[]", "[]"]


def test_every_public_name_has_documentation_and_is_listed():
    assert spiral.API.keys() <= {*dir(spiral)}
    for name in spiral.API:
        assert getattr(spiral, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        spiral.nothing  # noqa: B018


def test_types_know_the_same_names():
    text = importlib.resources.files("spiral").joinpath("__init__.pyi").read_text()
    for name, module in spiral.API.items():
        assert f"from spiral.api.{module} import {name} as {name}\n" in text


@pytest.mark.parametrize("name", sorted({*spiral.API.values()}))
def test_examples_print_what_they_show(name):
    found = doctest.testmod(importlib.import_module(f"spiral.api.{name}"))
    assert found.attempted >= 3
    assert found.failed == 0
