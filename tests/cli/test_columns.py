"""``columns``: what the columns of rows mean."""

from spiral.methods.registry import options
from spiral.results.columns import schema
from tests.cli import run, run_json


def test_every_column_of_a_row_is_listed_in_its_order():
    found = run_json("columns")["columns"]
    wanted = schema(options()).names
    assert [*dict.fromkeys(column["name"] for column in found)] == wanted
    lines = run("columns").out.splitlines()
    assert [line.split()[0] for line in lines] == [column["name"] for column in found]


def test_a_result_has_type_unit_and_meaning():
    (found,) = run_json("columns", "effective_nnz")["columns"]
    assert found == {
        "name": "effective_nnz",
        "type": "int64",
        "unit": "weights",
        "meaning": "kept weights on a path from input to output",
        "methods": None,
    }


def test_an_option_names_the_methods_that_have_it():
    text = run("columns", "interval", "keep").out
    keep, gmp, *others = text.splitlines()
    assert keep.split()[:3] == ["keep", "int64", "weights"]
    assert gmp.endswith("steps between pruning events (gmp, lamp)")
    assert any("group_norm, slimming" in line for line in others)


def test_unknown_columns_are_refused_each_with_the_nearest():
    ran = run("columns", "accurcy", "keep", "omega")
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert "unknown column 'accurcy'; did you mean 'accuracy'?" in first
    assert "unknown column 'omega'" in second
