"""YAML with places: scalars, ranges, and files that are broken or hostile."""

from pathlib import Path

import pytest
import yaml

from spiral.errors import ConfigError
from spiral.protocol.config import ConfigField
from spiral.sweep.grid import grid, yaml_nodes
from spiral.sweep.grid.yaml_nodes import Item, Mistakes


def value(text: str) -> object:
    return yaml_nodes.scalar(yaml_nodes.parse(text, "f"))


def values(text: str) -> list:
    mistakes = Mistakes()
    found = yaml_nodes.items(yaml_nodes.parse(text, "f"), "f", mistakes)
    mistakes.raise_any()
    return [item.value for item in found]


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        values(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5e-4", 0.0005),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2.5", -2.5),
        ("007", 7),
        ("-3", -3),
        ("+3", 3),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("10:30", "10:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("'3'", "3"),
        ('"true"', "true"),
        ("''", ""),
        ("|-\n 5", "5"),
        ("11,10/11,01", "11,10/11,01"),
        ("keep < weights", "keep < weights"),
    ],
)
def test_scalars_follow_yaml_1_2(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3..5", [3, 4, 5]),
        ("3..9..3", [3, 6, 9]),
        ("3..8..3", [3, 6]),
        ("4..4", [4]),
        ("-1..1", [-1, 0, 1]),
        ("[1..3, 7, 9..10]", [1, 2, 3, 7, 9, 10]),
        ("'3..5'", ["3..5"]),
        ("[a, 0.5, ~]", ["a", 0.5, None]),
    ],
)
def test_a_key_has_a_scalar_a_range_or_a_list_of_both(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5..3", "f:1:1: range 5..3: expected low..high[..step], got an empty range"),
        (
            "3..9..0",
            "f:1:1: range 3..9..0: expected low..high[..step], got an empty range",
        ),
        ("0..1000000", "f:1:1: range 0..1000000: expected at most 1,000,000 values"),
        (f"0..{10**30}", f"f:1:1: range 0..{10**30}: expected at most 18 digits"),
        ("[]", "f:1:1: expected a list of values, got an empty one"),
        ("[1, [2]]", "f:1:5: expected a plain value"),
        ("{a: 1}", "f:1:1: expected a value or a list of values"),
    ],
)
def test_what_is_no_value_is_named_with_its_place(text, expected):
    assert complaint(text) == expected


def test_every_item_keeps_its_place():
    node = yaml_nodes.parse("- 1\n- 5..6\n-   x", "f")
    assert yaml_nodes.items(node, "f", Mistakes()) == [
        Item(1, "f:1:3"),
        Item(5, "f:2:3"),
        Item(6, "f:2:3"),
        Item("x", "f:3:5"),
    ]


def test_a_mapping_gives_each_key_its_place():
    found = yaml_nodes.mapping(
        yaml_nodes.parse("a: 1\nb:\n  c: 2", "f"), "f", Mistakes()
    )
    assert {key: place for key, (place, _) in found.items()} == {
        "a": "f:1:1",
        "b": "f:2:1",
    }


def test_the_first_of_two_equal_keys_counts_and_the_second_is_a_mistake():
    mistakes = Mistakes()
    found = yaml_nodes.mapping(yaml_nodes.parse("a: 1\n'a': 2", "f"), "f", mistakes)
    assert mistakes.found == ["f:2:1: a: expected once, got it again (first at f:1:1)"]
    assert found["a"][1].value == "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("? [1]\n: 3", "f:1:3: expected a plain string as key"),
        ("[a]", "f:1:1: expected `key: value` lines"),
        ("word", "f:1:1: expected `key: value` lines"),
    ],
)
def test_what_is_no_mapping_is_a_mistake(text, expected):
    mistakes = Mistakes()
    assert yaml_nodes.mapping(yaml_nodes.parse(text, "f"), "f", mistakes) == {}
    assert mistakes.found == [expected]


def test_mistakes_are_said_once_and_all_together():
    mistakes = Mistakes()
    mistakes.raise_any()
    for place, text in [("f:1:1", "x"), ("f:2:1", "y"), ("f:1:1", "x")]:
        mistakes.add(place, text)
    with pytest.raises(ConfigError, match=r"\Af:1:1: x\nf:2:1: y\Z"):
        mistakes.raise_any()


# ---- text that is no YAML


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1", "f:1:6: not valid YAML"),
        ("a: b: c", "f:1:5: not valid YAML"),
        ("a:\n\tb: 1", "f:2:1: not valid YAML"),
        ("a: *b", "f:1:4: not valid YAML"),
        ("a: 1\n---\nb: 2", "f:2:1: not valid YAML"),
        ("a: \0", "f: not valid YAML"),
        ("", "f:1:1: expected a grid, got an empty file"),
        ("# nothing", "f:1:1: expected a grid, got an empty file"),
    ],
)
def test_broken_yaml_gives_one_line_with_the_place(text, place):
    with pytest.raises(ConfigError) as caught:
        yaml_nodes.parse(text, "f")
    assert str(caught.value).startswith(place)
    assert "\n" not in str(caught.value)


def test_nothing_is_ever_constructed():
    node = yaml_nodes.parse("!!python/object/apply:os.getcwd []", "f")
    assert isinstance(node, yaml.SequenceNode)


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nesting_is_refused_in_words(brackets):
    opening = "[" if brackets == "[]" else "{a: "
    text = opening * 5_000 + brackets[1] * 5_000
    with pytest.raises(
        ConfigError, match=r"^f: expected a grid, got YAML that is nested"
    ):
        yaml_nodes.parse(text, "f")


def test_an_alias_bomb_is_never_unfolded():
    """Twenty levels of nine references each stand for 3 · 9²⁰ scalars."""
    lines = ["a0: &a0 [x, x, x]"]
    for i in range(20):
        lines.append(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]")
    mistakes = Mistakes()
    found = yaml_nodes.mapping(yaml_nodes.parse("\n".join(lines), "f"), "f", mistakes)
    assert yaml_nodes.items(found["a20"][1], "f", mistakes) == []
    assert len(mistakes.found) == 1
    assert mistakes.found[0].endswith("expected a plain value")
    assert mistakes.values == 9


# ---- files


def test_a_file_is_read_as_utf_8_with_its_name_in_messages(tmp_path):
    path = tmp_path / "g.yaml"
    path.write_bytes("name: Spirale für α\n".encode())
    node = yaml_nodes.read(path)
    assert node.value[0][1].value == "Spirale für α"
    assert yaml_nodes.place(node, str(path)) == f"{path}:1:1"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"name: \xff", "not UTF-8 text (byte 6)"),
        ("name: ä".encode("utf-16"), "not UTF-8 text (byte 0)"),
        (b"", "1:1: expected a grid, got an empty file"),
        (b"#" * (2**19 + 1), "expected at most 512 KB; split it"),
    ],
)
def test_a_file_that_cannot_be_a_grid_is_refused(tmp_path, content, expected):
    path = tmp_path / "g.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        yaml_nodes.read(path)
    assert str(caught.value).startswith(f"{path}:")
    assert expected in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read \(No such"):
        yaml_nodes.read(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        yaml_nodes.read(tmp_path)


def test_a_million_mistakes_are_some_mistakes(monkeypatch):
    parsed = []

    def parse(field, value):
        parsed.append(value)
        return real(field, value)

    real = ConfigField.parse
    monkeypatch.setattr(ConfigField, "parse", parse)
    with pytest.raises(ConfigError, match="only the first") as caught:
        grid.loads("{method: dense, width: 0..999999}")
    assert len(str(caught.value).splitlines()) < 120
    assert len(parsed) < 1_000


def test_a_list_is_counted_before_it_is_written_out():
    mistakes = Mistakes()
    found = yaml_nodes.items(
        yaml_nodes.parse("[0..999999, 0..999999]", "f"), "f", mistakes
    )
    assert found == []
    assert mistakes.found == ["f:1:1: expected at most 1,000,000 values"]
    assert mistakes.values == 0


FEW = "blocks: {a: &a {method: dense, width: 3}, b: *a, c: *a}\ndefaults: "


@pytest.mark.parametrize(
    "bomb",
    [
        f"{FEW}{{seed: 0..399}}",
        f"{FEW}{{zip: [{{seed: 0..399}}]}}",
        "method: dense\nzip: [&z {seed: 0..399}, *z, *z]",
        "{method: dense, seed: 0..399, batch: 1..399, width: [3..399]}",
    ],
)
def test_values_of_all_keys_are_counted_before_they_are_written_out(bomb, monkeypatch):
    monkeypatch.setattr(yaml_nodes, "MAX_VALUES", 1_000)
    made = []
    monkeypatch.setattr(
        yaml_nodes, "Item", lambda *item: made.append(item) or Item(*item)
    )
    with pytest.raises(
        ConfigError, match="expected at most 1,000 values in a grid; split"
    ):
        grid.loads(bomb)
    assert 400 < len(made) <= 1_000


def test_masks_of_listings_are_counted_too(monkeypatch):
    text = "&a {orbits: {shape: [2, 2, 1]}}"
    block = "{{method: mask, width: 2, matrices: [{}]}}"
    (masks,) = grid.loads(block.format(text)).blocks.values()
    several = block.format(", ".join([text, "*a", "*a"]))
    monkeypatch.setattr(yaml_nodes, "MAX_VALUES", 2 * masks)
    with pytest.raises(
        ConfigError, match=f"expected at most {2 * masks} values in a grid"
    ):
        grid.loads(several)


def test_a_file_without_end_is_refused():
    with pytest.raises(ConfigError, match="expected at most 512 KB"):
        yaml_nodes.read(Path("/dev/zero"))
