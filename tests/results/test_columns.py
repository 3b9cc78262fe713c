"""Rows: one set of columns for all, and nothing lost between a row and a network."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.methods.registry import options
from spiral.protocol import config
from spiral.results import columns as rows

PARAMS = {2: 21, 3: 37}
"""Parameters by width: (2w + w) + 2 (w² + w) + (w + 1)."""


def test_columns_have_unique_names_and_results_never_hide_a_setting():
    names = rows.schema(options()).names
    assert len(names) == len({*names})
    assert not {*rows.RESULTS} & {*rows.config_fields(options())}
    assert "config_id" not in {*rows.RESULTS, *rows.config_fields(options())}
    assert [n for n in names if n in rows.RESULTS] == [*rows.RESULTS]


def test_every_column_is_explained_in_the_order_of_rows():
    found = rows.explained(options())
    assert [*dict.fromkeys(column.name for column in found)] == rows.schema(
        options()
    ).names
    assert all(column.meaning for column in found)
    known = {*options()}
    assert all(m is None or (m and {*m} <= known) for *_, m in found)


def test_every_number_has_a_unit_or_says_that_it_has_none():
    """`-` must be written: left out it would be a number nobody thought about."""
    for field in rows.config_fields(options()).values():
        assert (field.unit is None) == (field.kind in (str, bool)), field.name
    for name, result in rows.RESULTS.items():
        assert result.unit, name


def test_an_option_of_several_meanings_is_explained_once_for_each():
    found = [
        column for column in rows.explained(options()) if column.name == "interval"
    ]
    assert {column.unit for column in found} == {"steps"}
    by_method = {m: column.meaning for column in found for m in column.methods}
    assert by_method["gmp"] == "steps between pruning events"
    assert by_method["slimming"] == "training steps between penalty steps"
    assert by_method["slimming"] == by_method["group_norm"]


@given(data=st.data(), width=st.sampled_from([2, 3]))
@settings(max_examples=25)
def test_a_row_gives_back_mask_and_parameters(data, width):
    size = PARAMS[width]
    bits = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    number = st.floats(width=32, allow_nan=False)
    kept = data.draw(st.lists(number, min_size=sum(bits), max_size=sum(bits)))
    text = "".join("01"[bit] for bit in bits).ljust(-(-size // 8) * 8, "0")
    packed = int(text, 2).to_bytes(len(text) // 8, "big")
    mask, params = rows.params_of({"width": width, "mask": packed, "weights": kept})
    assert mask.tolist() == bits
    assert params.dtype == np.float32
    queue = iter(kept)
    assert params.tolist() == [next(queue) if bit else 0.0 for bit in bits]


def test_reading_results_loads_no_method_no_engine_and_no_torch():
    """Rows bring their options along, or are handed them."""
    modules = sorted(path.stem for path in Path(rows.__file__).parent.glob("*.py"))
    names = [f"spiral.results.{name}" for name in modules if name != "__init__"]
    code = f"import sys, {', '.join(names)}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = done.stdout.decode().split()
    assert {*names} <= {*loaded}
    heavy = ("spiral.methods", "spiral.engines", "torch", "ray", "matplotlib")
    assert [n for n in loaded if n.startswith(heavy)] == []


def test_options_are_the_columns_before_the_results_that_not_all_configs_have():
    known = ["config_id", "method", "keep", "interval", "power", "block", "pack"]
    made = ["folder", "source", "version"]
    names = [*known, "status", "accuracy", "group", *made]
    assert rows.options_among(names) == ["interval", "power"]
    assert rows.options_among([*known, *made]) == ["interval", "power"]
    every = [*rows.config_fields(options())]
    own = every[len(config.fields(config.Config)) :]
    assert rows.options_among(rows.schema(options()).names) == own
    assert {*config.option_fields(options())} - {*own} == {"optimiser"}  # of perp


@pytest.fixture
def two_configs():
    table = pd.DataFrame({"config_id": ["a", "b"]})
    for name, field in rows.config_fields(options()).items():
        table[name] = pd.array([None, None], dtype=field.dtype)
    return table.assign(
        method=pd.array(["gmp", "dense"], "string"),
        keep=pd.array([12, None], "Int64"),
        lr=pd.array([0.1, 0.05], "Float64"),
    )


def _results():
    values = {
        pa.string(): ["x", "y"],
        pa.float64(): [0.5, 0.25],
        pa.int64(): [1, 2],
        pa.bool_(): [True, False],
        pa.binary(): [b"\0", b"\1"],
        pa.list_(pa.float32()): [[1.5], []],
    }
    return {name: values[result.type] for name, result in rows.RESULTS.items()}


def test_configs_and_results_are_joined_in_order(two_configs):
    table = rows.assemble(
        two_configs.assign(pack="p", block="b"), _results(), options()
    )
    assert table.schema.equals(rows.schema(options()))
    first, second = table.to_pylist()
    assert (first["config_id"], first["method"], first["keep"]) == ("a", "gmp", 12)
    assert (second["method"], second["keep"], second["lr"]) == ("dense", None, 0.05)
    assert (first["accuracy"], second["accuracy"]) == (0.5, 0.25)
    assert (first["weights"], second["weights"]) == ([1.5], [])


@pytest.mark.parametrize("name", rows.RESULTS)
def test_a_missing_result_is_noticed(name, two_configs):
    results = _results()
    del results[name]
    with pytest.raises(KeyError, match=name):
        rows.assemble(two_configs, results, options())
