"""The registry is handed in: no method imports it, and all entries are distinct."""

import ast
from pathlib import Path

import spiral.methods
from spiral.methods import registry
from spiral.methods.controls import scratch, wrapped
from spiral.methods.registry import METHODS
from spiral.protocol import config
from spiral.sweep.grid import grid

FOLDER = Path(spiral.methods.__file__).parent


def imported(path):
    """Return the modules that a file imports, at its top or anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def test_no_method_imports_the_registry_not_even_late():
    files = [path for path in FOLDER.rglob("*.py") if path.name != "registry.py"]
    assert len(files) > 30
    for path in files:
        assert not [name for name in imported(path) if "registry" in name], path


def test_recipes_wrap_what_the_mapping_they_are_handed_holds():
    methods = {"gmp": METHODS["gmp"]}
    entry = scratch.scratch(methods)
    methods["scratch"] = entry
    assert wrapped.Wrappable(methods).known().keys() == {"gmp"}
    methods["mine"] = METHODS["lth"]  # as a user's own method joins later
    assert wrapped.Wrappable(methods).known().keys() == {"gmp", "mine"}
    options = {"second_phase": "scratch_e", "restart": "original", "second_epochs": 1}
    derived = {"levels": 2, "retrain_epochs": None, "frames": None}
    built = entry.build(of="mine", cap=2.0, **options, **derived)
    assert built.of.entry is METHODS["lth"]
    assert built.of.method.levels == 2


def test_no_two_methods_share_colour_and_marker():
    looks = registry.looks()
    assert looks.keys() == METHODS.keys()
    assert len({(colour.lower(), mark) for colour, mark in looks.values()}) == len(
        looks
    )


def test_numbers_say_where_their_defaults_come_from():
    """A default without an origin is a bug: nobody can judge it."""
    silent = {
        (name, field.name)
        for name, entry in METHODS.items()
        for field in config.fields(entry.options).values()
        if field.kind in (int, float) and field.default is not None
        if not field.origin
    }
    assert not silent


def test_no_option_is_called_as_a_key_of_grids():
    """Else a grid could not name it outside of a block."""
    assert not registry.config_fields().keys() & {*grid.TOP_KEYS, "zip", "where"}


def test_changed_defaults_say_why():
    for entry in METHODS.values():
        for field in config.changed(entry.options):
            assert field.origin


def test_recipes_know_every_default_that_changed():
    """Else the id of a recipe would stay while the method it wraps changes."""
    for name, entry in wrapped.Wrappable(METHODS).known().items():
        for field in config.changed(entry.options):
            presets = entry.options.model_fields[field.name].json_schema_extra
            if "presets" not in presets:  # these act through other options alone
                assert field.name in wrapped.DERIVED, name
                assert not field.per_network


def test_options_have_one_type_and_one_order_wherever_they_occur():
    fields = registry.config_fields()
    for entry in METHODS.values():
        for name in entry.options.model_fields:
            assert name in fields
