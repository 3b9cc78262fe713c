"""The registry is handed in: no method imports it, and all entries are distinct."""

import ast
from pathlib import Path

import spiral.methods
from spiral.methods import registry
from spiral.methods.controls import scratch, wrapped
from spiral.methods.registry import METHODS

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


def test_options_have_one_type_and_one_order_wherever_they_occur():
    fields = registry.config_fields()
    for entry in METHODS.values():
        for name in entry.options.model_fields:
            assert name in fields
