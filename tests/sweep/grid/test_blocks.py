"""Blocks as written: overrides, and what is said of every kind of mistake."""

import pytest

from spiral.errors import ConfigError
from spiral.methods.registry import METHODS
from spiral.protocol import config
from spiral.sweep.grid.grid import loads


def rows_of(text: str, names: list[str], *overrides: str) -> list[tuple]:
    """Return the named columns of a grid as rows, nulls as None."""
    table = loads(text, "g", overrides).configs[names].astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


def complaints(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "g", overrides)
    return str(caught.value).splitlines()


# ---- mistakes, one at a time

GMP = "method: gmp\nkeep: 4\nwidth: 3\n"
INTEGER, NUMBER = "should be a valid integer, got", "should be a valid number, got"

MISTAKES = {
    "method: dense\nwidht: 3": "g:2:1: widht: unknown key; did you mean 'width'?",
    "method: dnse": "g:1:9: method: unknown method 'dnse'; did you mean 'dense'?",
    "method: sf": "g:1:9: method: unknown method 'sf'; did you mean 'synflow'?",
    "method: dense\ndensity: 0.1": "g:2:1: density: unknown key; did you mean 'keep' (",
    "method: dense\nbatch_size: 9": "g:2:1: batch_size: unknown key; did you mean "
    "'batch'?",
    "method: dense\nomega: 3": "g:2:1: omega: unknown key; `spiral-sweep methods NAME`",
    "method: 3": "g:1:9: method: unknown method 3; choose from dense, ",
    "width: 3": "g:1:1: method: missing; choose from dense, ",
    "method: []": "g:1:9: expected a list of values, got an empty one",
    "method: dense\nmethod: gmp": "g:2:1: method: expected once, got it again",
    "method: dense\nkeep: 4": "g:2:7: keep: does not apply to method dense (",
    "method: gmp": "g:1:1: keep: missing; method gmp requires it",
    "method: block\nd1: 1\nd2: 2": "g:1:1: d3: missing; method block requires it",
    GMP + "at_epoch: 3": "g:4:11: at_epoch: does not apply to method gmp (",
    GMP + "lr: 0": "g:4:5: lr: should be greater than 0, got ",
    GMP + "lr: -1e-3": "g:4:5: lr: should be greater than 0, got ",
    GMP + "lr: 1e999": "g:4:5: lr: should be a finite number, got ",
    GMP + "lr: nan": f"g:4:5: lr: {NUMBER} 'nan'",
    GMP + "lr: .inf": f"g:4:5: lr: {NUMBER} '.inf'",
    GMP + "lr: true": f"g:4:5: lr: {NUMBER} ",
    GMP + "end: 0": "g:4:6: end: should be greater than 0, got ",
    GMP + "scope: all": "g:4:8: scope: should be 'global' or 'layer', got 'all'",
    GMP + "seed: ~": f"g:4:7: seed: {INTEGER} ",
    GMP + "epochs: 10:30": f"g:4:9: epochs: {INTEGER} '10:30'",
    GMP + "batch: [7,  1.5]": f"g:4:13: batch: {INTEGER} '1.5'",
    GMP + "batch: '7'": f"g:4:8: batch: {INTEGER} '7'",
    GMP + "seed: 5..3": "g:4:7: range 5..3: expected low..high[..step], got",
    GMP + "seed: 0..99999999": "g:4:7: range 0..99999999: expected at most 1,000,000",
    GMP + "engine: vmpa": "g:4:9: engine: unknown engine 'vmpa'; did you mean 'vmap'?",
    GMP
    + "engine: gpu": "g:4:9: engine: unknown engine 'gpu'; did you mean 'vmap:cuda'?",
    GMP + "where: sparsity < 3": "g:4:8: where: unknown name 'sparsity'; did you m",
    GMP + "where: kep < 3": "g:4:8: where: unknown name 'kep'; did you mean 'keep'?",
    GMP + "where: keep": "g:4:8: where: 'keep' is not true or false; compare it",
    GMP + "where: 3": "g:4:8: where: expected a condition",
    GMP + "where: 'keep[0] > 3'": "g:4:8: where: 'keep[0]' is not allowed",
    GMP + "where: '[1, 2] == keep'": "g:4:8: where: ",
    GMP + "where: d1 > 3": "g:4:8: where: d1 does not apply to method gmp; move",
    GMP + "where: keep > 4": "g: expected at least one config, got none",
    GMP + "zip: {lr: [1, 2], seed: [3]}": "g:4:1: zip: expected lists of equal len",
    GMP + "zip: 3": "g:4:6: expected `key: value` lines",
    GMP + "zip: {zip: {lr: 1}}": "g:4:7: zip: ",
    GMP + "zip: {where: lr > 3}": "g:4:7: where: ",
    GMP
    + "lr: 1\nzip: {lr: 2}": "g:5:7: lr: expected once, got it again (first at g:4:1)",
    GMP
    + "zip: [{lr: 1}, {lr: 2}]": "g:4:17: lr: expected once, got it again (first at g:",
    "method: gmp\nwidth: 3\nkeep: [4, 28]": "g:3:11: keep: expected at most the 27 ",
    "method: dense\nstop_epoch: [50, 51]": "g:2:18: stop_epoch: expected at most the 5",
    "method: magnitude\nkeep: 4\nat_epoch: [0, 51]": "g:3:15: at_epoch: expected an ",
    "method: block\nd1: 1\nd2: [3, 17]\nd3: 1": "g:3:9: d2: expected at most ",
    "": "g:1:1: expected a grid, got an empty file",
    "null": "g:1:1: expected `key: value` lines",
    "- method: dense": "g:1:1: expected `key: value` lines",
    "blocks: {}": "g:1:9: expected at least one block, got none",
    "blocks: []": "g:1:9: expected `key: value` lines",
    "blocks: {a: }": "g:1:12: expected `key: value` lines",
    "blocks: {a: {method: dense}}\nlr: 1": "g:2:1: lr: unknown key next to `blocks`; ",
    "name: [x]\nmethod: dense": "g:1:1: name: expected a string",
    "name:\nmethod: dense": "g:1:1: name: expected a string",
    "defaults: 3\nmethod: dense": "g:1:11: expected `key: value` lines",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_gives_one_message_with_its_place_and_the_way_out(text):
    found = complaints(text)
    assert len(found) == 1
    assert found[0].startswith(MISTAKES[text])


def test_a_list_of_alternatives_is_complete():
    assert complaints("method: xyz")[0].endswith(f"choose from {', '.join(METHODS)}")
    for key, told in {
        "keep: 4": "every method but dense, block, mask",
        "rounds: 4": ", ".join(
            n for n, e in METHODS.items() if "rounds" in config.fields(e.options)
        ),
    }.items():
        assert f"(applies to: {told})" in complaints(f"{{method: dense, {key}}}")[0]


GOOD = "11,10/11,01/10,01/11"


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        ("11/1/1", "expected 4 matrices separated by '/', got 3"),
        ("12/1/1/1", "matrix 1: expected rows of 2 digits 0 or 1, got ['12']"),
        ("11,11/1,1/11/1", "matrix 2: expected rows of 2 digits"),
        ("11/1/1/1,1", "matrix 4: expected at most 1 rows, got 2"),
        ("11,11,11,11/1111/1/1", "matrix 1: expected at most 3 rows, got 4"),
        ("", "expected 4 matrices"),
    ],
)
def test_a_wrong_mask_is_named_where_it_stands(mask, reason):
    text = f"method: mask\nwidth: 3\nmatrices:\n  - {GOOD}\n  - '{mask}'"
    found = complaints(text)
    assert len(found) == 1
    assert found[0].startswith(f"g:5:5: matrices: {mask!r} in width 3: {reason}")


def test_every_wrong_mask_is_named():
    found = complaints(f"{{method: mask, width: 3, matrices: ['1', '{GOOD}', '2']}}")
    assert [line.partition(": matrices")[0] for line in found] == ["g:1:37", "g:1:66"]


def test_a_mask_that_yaml_takes_for_something_else_needs_quotes():
    """Commas split a list in brackets; a lone ``11`` is a number."""
    assert all("quote" in line for line in complaints("method: mask\nmatrices: 11"))
    assert "quote" in complaints(f"{{method: mask, width: 2, matrices: [{GOOD}]}}")[0]


# ---- all mistakes at once


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file():
    text = """
width: 300
lr: [0.1, 0]
momentum: 1
widht: 3
engine: x
method: [dense, dnse]
"""
    found = [line.partition(": ") for line in complaints(text)]
    places = ["g:2:8", "g:3:11", "g:4:11", "g:5:1", "g:6:9", "g:7:17"]
    assert [place for place, _, _ in found] == places


def test_the_mistakes_of_all_blocks_are_named_at_once():
    text = """
blocks:
  a: {method: gmp, width: 3, keep: 28}
  b: {method: dense, where: kep > 3}
  c: {method: block, d1: 1, d2: 2, d3: 17}
  d: {method: dense, where: [seed, widht > 3]}
"""
    lines = [line.split(":")[1] for line in complaints(text)]
    assert lines == ["3", "4", "5", "6", "6"]


def test_a_mistake_in_the_defaults_is_named_once():
    text = """
defaults: {keep: 0, lr: x}
blocks: {a: {method: gmp}, b: {method: random}, c: {method: dense}}
"""
    assert len(complaints(text)) == 2


# ---- overrides


def test_an_override_replaces_a_key_wherever_it_is_understood():
    text = "blocks: {a: {method: gmp, keep: 3..4, seed: 7}, b: {method: dense}}"
    found = rows_of(text, ["method", "keep", "seed"], "keep=[8]", "seed=0..1")
    assert found == [
        ("gmp", 8, 0),
        ("gmp", 8, 1),
        ("dense", None, 0),
        ("dense", None, 1),
    ]


def test_an_override_takes_its_column_out_of_a_zip_group():
    text = "{method: dense, zip: {lr: [0.1, 0.2], width: [3, 4]}}"
    found = rows_of(text, ["lr", "width"], "lr=0.5")
    assert found == [(0.5, 3), (0.5, 4)]


def test_an_override_may_replace_the_method():
    found = rows_of("method: dense", ["method", "keep"], "method=random", "keep=3")
    assert found == [("random", 3)]


def test_an_override_that_is_repeated_counts_once():
    assert rows_of("method: dense", ["lr"], "lr=0.5", "lr=0.5") == [(0.5,)]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("widht=3", "--set widht=3: widht: unknown key; did you mean 'width'?"),
        (
            "lr=1 lr=2",
            "--set lr=2: lr: expected once, got it again (first by --set lr=1)",
        ),
        ("epoch=3", "--set epoch=3: epoch: unknown key; did you mean 'epochs'?"),
        ("width", "--set width: expected KEY=VALUE"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("width=x", "--set width=x: width: should be a valid integer, got 'x'"),
        ("width=", "--set width=: width: should be a valid integer, got ''"),
        ("keep=3", "--set keep=3: keep: does not apply to any method"),
        ("scope=layer", "--set scope=layer: scope: does not apply to any method"),
    ],
)
@pytest.mark.parametrize("text", ["method: dense", "blocks: {a: {method: dense}}"])
def test_a_wrong_override_is_one_mistake(text, override, expected):
    (found,) = complaints(text, *override.split())
    assert found.startswith(expected)


def test_all_wrong_overrides_are_named_at_once():
    found = complaints(
        "blocks: {a: {method: dense}}", "width=[", "lr=0", "x=1", "keep=3"
    )
    assert [line.partition(":")[0] for line in sorted(found)] == [
        "--set keep=3",
        "--set lr=0",
        "--set width=[",
        "--set x=1",
    ]
