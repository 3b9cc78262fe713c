"""A user's own method becomes known by the file a command line names, and only so."""

import hashlib
from importlib import metadata
from pathlib import Path

import pytest

from spiral.errors import ConfigError
from spiral.methods import plugin, registry
from spiral.methods.entry import Entry, NoOptions
from spiral.methods.magnitude import gmp
from spiral.methods.registry import METHODS
from spiral.protocol import config

FILE = Path(__file__).parent.parent / "pruners.py"
DIGEST = hashlib.blake2b(FILE.read_bytes(), digest_size=4).hexdigest()


pytestmark = pytest.mark.usefixtures("nothing_stays")


def test_a_bare_class_gets_an_entry():
    name = plugin.load(f"{FILE}:Largest", METHODS)
    assert name == f"Largest-{DIGEST}"
    entry = METHODS[name]
    assert entry.summary == "Largest initial weights. The second sentence is no summary"
    assert entry.options is NoOptions
    assert entry.needs_keep
    assert "pruners.py" in entry.citation
    assert entry.build().plan is not None


def test_loading_again_changes_nothing():
    name = plugin.load(f"{FILE}:Largest", METHODS)
    entry = METHODS[name]
    assert plugin.load(f"{FILE}:Largest", METHODS) == name
    assert METHODS[name] is entry


def test_options_inside_the_class_are_those_of_grids():
    entry = METHODS[plugin.load(f"{FILE}:Sharp", METHODS)]
    assert config.fields(entry.options)["power"].default == 1.0
    assert "power" in registry.config_fields()
    assert entry.build(power=2.0).power == 2.0


def test_a_file_with_an_entry_of_its_own_has_that():
    """So a copy of a shipped method works as it is."""
    shipped = Path(gmp.__file__)
    digest = hashlib.blake2b(shipped.read_bytes(), digest_size=4).hexdigest()
    for attribute in ("Gmp", "ENTRY"):
        name = plugin.load(f"{shipped}:{attribute}", METHODS)
        assert name == f"Gmp-{digest}"
        assert METHODS[name].citation == METHODS["gmp"].citation
        assert "interval" in config.fields(METHODS[name].options)


def test_an_edited_file_is_another_method(tmp_path):
    path = tmp_path / "mine.py"
    text = FILE.read_text()
    path.write_text(text)
    first = plugin.load(f"{path}:Largest", METHODS)
    path.write_text(text.replace("Largest initial", "Smallest initial"))
    second = plugin.load(f"{path}:Largest", METHODS)
    assert first == f"Largest-{DIGEST}" != second
    assert METHODS[second].summary.startswith("Smallest")
    assert METHODS[first].summary.startswith("Largest")
    assert not (tmp_path / "__pycache__").exists()


def test_a_file_finds_its_neighbours(tmp_path):
    (tmp_path / "mine_too.py").write_text(FILE.read_text())
    path = tmp_path / "mine.py"
    path.write_text("from mine_too import Largest\nclass Mine(Largest): pass\n")
    assert METHODS[plugin.load(f"{path}:Mine", METHODS)].summary == "no description"


def test_shipped_names_are_themselves():
    assert plugin.load("gmp", METHODS) == "gmp"


def test_an_installed_package_offers_methods(monkeypatch):
    point = metadata.EntryPoint("mine", "tests.pruners:Largest", plugin.GROUP)
    offered = metadata.EntryPoints([point])
    monkeypatch.setattr(metadata, "entry_points", lambda group: offered)
    name = plugin.load("mine", METHODS)
    assert name == f"mine-{DIGEST}"
    assert isinstance(METHODS[name], Entry)
    with pytest.raises(ConfigError, match=r"no method of this name; .*gmp, .*mine"):
        plugin.load("other", METHODS)


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("Missing", r"has no 'Missing'; classes there: .*Largest, Sharp"),
        ("Half", r"Half lacks start, act; a method has plan\(budget\)"),
        ("not_a_class", "expected a class or an Entry, got 3"),
        ("Clash", "option 'interval' means something else elsewhere"),
        ("Stern", "option 'power' needs a default"),
    ],
)
def test_what_is_no_method_is_refused(attribute, message):
    before = set(METHODS)
    with pytest.raises(ConfigError, match=message):
        plugin.load(f"{FILE}:{attribute}", METHODS)
    assert set(METHODS) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nclass Mine\n", r"mine\.py:2: expected ':'"),
        ("import nowhere_at_all\n", r"ModuleNotFoundError: .*\(mine\.py:1\)"),
        ("raise SystemExit(0)\n", r"cannot be loaded: SystemExit: 0 \(mine\.py:1\)"),
        ("x = 1\n\n1 / 0\n", r"ZeroDivisionError: division by zero \(mine\.py:3\)"),
        (
            "class Mine:\n    plan = start = act = len\n    Options = int\n",
            r"Mine\.Options must be a class on spiral\.protocol\.config\.Options",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_a_message_with_its_line(
    tmp_path, text, message
):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        plugin.load(f"{path}:Mine", METHODS)


@pytest.mark.parametrize("text", ["3", "'  '", "''"])
def test_a_class_without_a_description_has_none(tmp_path, text):
    path = tmp_path / "mine.py"
    lines = ["class Mine:", "    plan = start = act = len", f"Mine.__doc__ = {text}"]
    path.write_text("\n".join(lines))
    summary = METHODS[plugin.load(f"{path}:Mine", METHODS)].summary
    assert summary == ("3" if text == "3" else "no description")


def test_a_file_that_is_not_there_is_a_message(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.py: No such file"):
        plugin.load(f"{tmp_path / 'nothing.py'}:Mine", METHODS)


def test_a_method_is_the_same_where_its_file_is_missing(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(FILE.read_bytes())
    source = plugin.Source.at(f"{path}:Largest")
    path.unlink()
    assert plugin.load(source.where, METHODS, source.text) == f"Largest-{DIGEST}"
    assert plugin.Source.at("gmp") == ("gmp", None)
    with pytest.raises(ConfigError, match="No such file"):
        plugin.Source.at(f"{path}:Largest")


def test_a_place_holds_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(FILE.parent)
    assert plugin.absolute("pruners.py:Largest") == f"{FILE}:Largest"
    assert plugin.absolute("gmp") == "gmp"
