"""A method's mistakes are found on a few rows, before anything trains."""

import re
from pathlib import Path

import pytest

from spiral.errors import MethodError
from spiral.methods import plugin
from spiral.methods.registry import METHODS
from spiral.sweep import grid, preflight

FILE = Path(__file__).parent.parent / "pruners.py"
GRID = "{{method: {name}, width: [3, 5], keep: [16, 20, 26], seed: 0..5, epochs: 2}}"


@pytest.fixture
def configs(monkeypatch):
    """Return the configs of one of the user's pruners, or of a shipped one."""
    before = dict(METHODS)

    def of(name):
        name = name if name in METHODS else plugin.load(f"{FILE}:{name}", METHODS)
        return grid.loads(GRID.format(name=name)).configs

    yield of
    METHODS.clear()
    METHODS.update(before)


@pytest.mark.parametrize("name", ["Largest", "Sharp", "gmp", "lth", "rigl", "snip"])
def test_what_keeps_the_contract_passes(configs, name):
    preflight.check(configs(name))


ROW = r"config [0-9a-f]{12} \(width 3, seed 0, keep 16\)"
LINE = next(
    number
    for number, line in enumerate(FILE.read_text().splitlines(), 1)
    if line.endswith("# the line that is blamed")
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "WeightsOnly",
            r"Change\.masks must be bool \[4, 37\], got bool \[4, 27\]; that is one "
            rf"entry for each weight: .*; act at step 0 of {ROW} and 3 more$",
        ),
        ("Tensor", rf"Change\.masks must be .*, got Tensor, .*no NumPy.* of {ROW}"),
        ("NoState", rf"must return \(Change, state\), got Change; .* of {ROW}"),
        ("OneLess", rf": {ROW} keeps 15 weights, expected exactly 16"),
        ("Raises", rf"act at .* of {ROW} .* ValueError: .*\(pruners\.py:{LINE}\)$"),
        (
            "NotANumber",
            r"\(width 3, seed 1, keep 20\) gets \d+ parameters that are NaN",
        ),
        ("Neighbours", r"\(width 3, seed \d, keep \d+\) gets another mask .* beside"),
        ("Unseeded", r"gets another mask .* at every call: .* view\.stream"),
        ("InPlace", rf"{ROW} .*read-only .*\(pruners\.py:\d+\); a view cannot be"),
        (
            "InPlaceThroughTorch",
            r"changed view\.params of .*seed 1, keep 20\) in place",
        ),
        ("EventsFall", r"events must rise within 0 … 780, got \[5, 3\]"),
        ("NeedsAnArgument", rf"building of {ROW} raised TypeError: .*'strength'"),
    ],
)
def test_a_mistake_is_named_with_its_row(configs, name, message):
    with pytest.raises(MethodError) as caught:
        preflight.check(configs(name))
    assert re.search(message, str(caught.value))
    assert str(caught.value).startswith(f"{name}-")
