"""A method's mistakes are found on a few rows, before anything trains."""

import re
from pathlib import Path

import pytest

from spiral.errors import MethodError
from spiral.methods import plugin
from spiral.methods.registry import METHODS
from spiral.sweep import preflight
from spiral.sweep.grid import grid

FILE = Path(__file__).parent.parent / "pruners.py"
SWEEPS = Path(__file__).parent.parent.parent / "sweeps"
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
            r"expected Change\.masks to be bool \[1, 37\], got bool \[1, 27\]; it has "
            rf"one entry per weight: .*; act at step 0 of {ROW}$",
        ),
        ("Tensor", rf"Change\.masks to be .*, got Tensor; .* NumPy .* of {ROW}"),
        ("NoState", rf"to return \(Change, state\), got Change; .* of {ROW}"),
        ("OneLess", rf": expected exactly 16 weights in {ROW}, got 15"),
        ("Raises", rf"act at .* of {ROW} .* ValueError: .*\(pruners\.py:{LINE}\)$"),
        (
            "NotANumber",
            r"\(width 3, seed 1, keep 20\), got \d+ NaN",
        ),
        (
            "Neighbours",
            r"\(width 3, seed \d, keep \d+\) gets a different mask .* other networks",
        ),
        ("Unseeded", r"gets a different mask .* on every call: .* view\.stream"),
        ("InPlace", rf"{ROW} .*read-only .*\(pruners\.py:\d+\); views are read-only"),
        (
            "InPlaceThroughTorch",
            r"view\.params unchanged, got it modified .*seed 1, keep 20\)",
        ),
        ("EventsFall", r"expected increasing events within 0 … 780, got \[5, 3\]"),
        ("NeedsAnArgument", rf"building of {ROW} raised TypeError: .*'strength'"),
    ],
)
def test_a_mistake_is_named_with_its_row(configs, name, message):
    with pytest.raises(MethodError) as caught:
        preflight.check(configs(name))
    assert re.search(message, str(caught.value))
    assert str(caught.value).startswith(f"{name}-")


def test_rows_differ_in_seed_and_size_with_fresh_seeds_too():
    text = "{method: gmp, keep: [16, 20, 26], lr: [0.1, 0.2], width: 3, seed: fresh}"
    some = preflight._different(grid.loads(text).configs)
    assert some["seed"].is_unique
    assert some["keep"].tolist() == [16, 20, 26, 16]


def hints(name, **replaced):
    keys = {"width": 3, "keep": 16, "seed": "0..1"} | replaced
    text = "".join(f", {key}: {value}" for key, value in keys.items())
    return preflight.hints(grid.loads(f"{{method: {name}{text}}}").configs)


@pytest.mark.parametrize("more", [{}, {"stop_epoch": 10}, {"epochs": 5}])
def test_an_epoch_given_for_a_step_is_a_hint(configs, more):
    name = configs("Epoch")["method"].iloc[0]
    (text,) = hints(name, **more)
    epochs = more.get("epochs", 50)
    assert text.startswith(
        f"{name}: the last event is step {epochs // 2}, in the first of {epochs} "
        "epochs."
    )


def test_each_budget_has_its_hint(configs):
    name = configs("Epoch")["method"].iloc[0]
    assert len(hints(name, epochs="[2, 20, 40]")) == 2  # 2 epochs are few


@pytest.mark.parametrize("name", ["Largest", "Middle"])
def test_acting_at_the_start_or_later_is_no_hint(configs, name):
    assert hints(configs(name)["method"].iloc[0]) == []


def test_shipped_methods_have_no_hint():
    """They act before training, or on to later epochs."""
    configs = grid.load(SWEEPS / "standard.yaml", ["seed=0"]).configs
    one_each = configs.drop_duplicates("method")
    assert len(one_each) > 25
    for _, config in one_each.iterrows():
        assert preflight.hints(config.to_frame().T) == []
