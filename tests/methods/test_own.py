"""A user's own method becomes known by the file a command line names, and only so."""

import hashlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from spiral import config, methods
from spiral.errors import ConfigError
from spiral.methods import METHODS, own
from spiral.methods.entry import Entry, NoOptions

FILE = Path(__file__).parent.parent / "pruners.py"
DIGEST = hashlib.blake2b(FILE.read_bytes(), digest_size=4).hexdigest()


@pytest.fixture(autouse=True)
def nothing_stays():
    """Forget what a test has loaded."""
    before, modules, path = dict(METHODS), dict(sys.modules), [*sys.path]
    yield
    METHODS.clear()
    METHODS.update(before)
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        if name.startswith("spiral_own_"):
            del sys.modules[name]


def test_a_bare_class_gets_an_entry():
    name = own.load(f"{FILE}:Largest")
    assert name == f"Largest-{DIGEST}"
    entry = METHODS[name]
    assert entry.summary == "Largest initial weights. The second sentence is no summary"
    assert entry.options is NoOptions
    assert entry.needs_keep
    assert "pruners.py" in entry.citation
    assert entry.build().plan is not None


def test_loading_again_changes_nothing():
    name = own.load(f"{FILE}:Largest")
    entry = METHODS[name]
    assert own.load(f"{FILE}:Largest") == name
    assert METHODS[name] is entry


def test_options_inside_the_class_are_those_of_grids():
    entry = METHODS[own.load(f"{FILE}:Sharp")]
    assert config.fields(entry.options)["power"].default == 1.0
    assert "power" in methods.option_fields()
    assert entry.build(power=2.0).power == 2.0


def test_a_file_with_an_entry_of_its_own_has_that():
    """So a copy of a shipped method works as it is."""
    shipped = Path(methods.__file__).with_name("gmp.py")
    digest = hashlib.blake2b(shipped.read_bytes(), digest_size=4).hexdigest()
    for attribute in ("Gmp", "ENTRY"):
        name = own.load(f"{shipped}:{attribute}")
        assert name == f"Gmp-{digest}"
        assert METHODS[name].citation == METHODS["gmp"].citation
        assert "interval" in config.fields(METHODS[name].options)


def test_an_edited_file_is_another_method(tmp_path):
    path = tmp_path / "mine.py"
    text = FILE.read_text()
    path.write_text(text)
    first = own.load(f"{path}:Largest")
    path.write_text(text.replace("Largest initial", "Smallest initial"))
    second = own.load(f"{path}:Largest")
    assert first == f"Largest-{DIGEST}" != second
    assert METHODS[second].summary.startswith("Smallest")
    assert METHODS[first].summary.startswith("Largest")
    assert not (tmp_path / "__pycache__").exists()


def test_a_file_finds_its_neighbours(tmp_path):
    (tmp_path / "mine_too.py").write_text(FILE.read_text())
    path = tmp_path / "mine.py"
    path.write_text("from mine_too import Largest\nclass Mine(Largest): pass\n")
    assert METHODS[own.load(f"{path}:Mine")].summary == "no description"


def test_shipped_names_are_themselves():
    assert own.load("gmp") == "gmp"


def test_an_installed_package_offers_methods(monkeypatch):
    point = metadata.EntryPoint("mine", "tests.pruners:Largest", own.GROUP)
    offered = metadata.EntryPoints([point])
    monkeypatch.setattr(metadata, "entry_points", lambda group: offered)
    name = own.load("mine")
    assert name == f"mine-{DIGEST}"
    assert isinstance(METHODS[name], Entry)
    with pytest.raises(ConfigError, match=r"no method of this name; .*gmp, .*mine"):
        own.load("other")


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("Missing", r"has no 'Missing'; classes there: .*Largest, Sharp"),
        ("Half", r"Half lacks start, act; a method has plan\(budget\)"),
        ("not_a_class", "3 is neither a class nor an Entry"),
        ("Clash", "option 'interval' means something else elsewhere"),
        ("Stern", "option 'power' needs a default"),
    ],
)
def test_what_is_no_method_is_refused(attribute, message):
    before = set(METHODS)
    with pytest.raises(ConfigError, match=message):
        own.load(f"{FILE}:{attribute}")
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
            r"Mine\.Options must be a class on spiral\.config\.Options",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_a_message_with_its_line(
    tmp_path, text, message
):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        own.load(f"{path}:Mine")


@pytest.mark.parametrize("text", ["3", "'  '", "''"])
def test_a_class_without_a_description_has_none(tmp_path, text):
    path = tmp_path / "mine.py"
    lines = ["class Mine:", "    plan = start = act = len", f"Mine.__doc__ = {text}"]
    path.write_text("\n".join(lines))
    summary = METHODS[own.load(f"{path}:Mine")].summary
    assert summary == ("3" if text == "3" else "no description")


def test_a_file_that_is_not_there_is_a_message(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.py: No such file"):
        own.load(f"{tmp_path / 'nothing.py'}:Mine")


def test_a_place_holds_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(FILE.parent)
    assert own.absolute("pruners.py:Largest") == f"{FILE}:Largest"
    assert own.absolute("gmp") == "gmp"
