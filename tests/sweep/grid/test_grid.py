"""Grid files: what they expand to, and how large they may be."""

from itertools import product

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.sweep.grid import grid, resolve, yaml_nodes
from spiral.sweep.grid.grid import loads


def columns(text: str, *names: str) -> list[tuple]:
    """Return the named columns of a grid as rows, nulls as None."""
    table = loads(text).configs[list(names)].astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


def test_a_block_is_the_cross_product_of_its_keys():
    text = "{method: dense, width: [3, 5], lr: [0.2, 0.1], seed: 0..2}"
    expected = list(product([3, 5], [0.2, 0.1], [0, 1, 2]))
    assert columns(text, "width", "lr", "seed") == expected


def test_a_grid_is_the_union_of_its_blocks_in_their_order():
    text = "blocks: {b: {method: dense, width: 3}, a: {method: random, keep: 1..2}}"
    assert columns(text, "block", "method", "width", "keep") == [
        ("b", "dense", 3, None),
        ("a", "random", 16, 1),
        ("a", "random", 16, 2),
    ]
    assert loads(text).blocks == {"b": 1, "a": 2}


def test_zipped_keys_vary_together_and_cross_with_the_rest():
    text = "{method: dense, seed: [0, 1], zip: {lr: [0.1, 0.2], width: [3, 4]}}"
    expected = {(0, 0.1, 3), (0, 0.2, 4), (1, 0.1, 3), (1, 0.2, 4)}
    assert set(columns(text, "seed", "lr", "width")) == expected


def test_several_zip_groups_cross_with_each_other():
    text = """
    method: dense
    zip: [{lr: [0.1, 0.2], width: [3, 4]}, {seed: 5..6, batch: 7..8}]
    """
    expected = {(0.1, 3, 5, 7), (0.1, 3, 6, 8), (0.2, 4, 5, 7), (0.2, 4, 6, 8)}
    assert set(columns(text, "lr", "width", "seed", "batch")) == expected


def test_defaults_serve_the_blocks_that_do_not_say_otherwise():
    text = """
    defaults: {width: [3, 4], lr: 0.5}
    blocks: {a: {method: dense, width: 7}, b: {method: dense}}
    """
    expected = [("a", 7, 0.5), ("b", 3, 0.5), ("b", 4, 0.5)]
    assert columns(text, "block", "width", "lr") == expected


def test_a_default_that_a_block_has_no_use_for_is_left_out():
    text = """
    defaults: {keep: [5, 6], interval: 10}
    blocks: {a: {method: dense}, b: {method: gmp}}
    """
    expected = [("dense", None, None), ("gmp", 5, 10), ("gmp", 6, 10)]
    assert columns(text, "method", "keep", "interval") == expected


def test_an_axis_is_not_multiplied_for_a_method_that_lacks_it():
    text = "{method: [gmp, dense, magnitude], keep: 5..6, interval: [8, 9]}"
    found = loads(text)
    assert found.configs["method"].value_counts().to_dict() == {
        "gmp": 4,
        "dense": 1,
        "magnitude": 2,
    }
    assert found.duplicates == 0


def test_what_a_config_leaves_out_gets_its_default():
    names = ["width", "lr", "schedule", "epochs", "batch", "momentum", "weight_decay"]
    expected = [(16, 0.1, "cosine", 50, 128, 0.9, 5e-4)]
    assert columns("method: dense", *names) == expected


def test_seeds_left_out_follow_the_main_seed():
    text = "{method: dense, seed: 4, init_seed: [~, 9]}"
    expected = [(4, 4, 4), (4, 9, 4)]
    assert columns(text, "seed", "init_seed", "order_seed") == expected


def test_exponents_are_numbers_and_whole_numbers_serve_as_floats():
    text = "{method: dense, lr: [5e-4, 1e-3, .5, 1]}"
    assert columns(text, "lr") == [(0.0005,), (0.001,), (0.5,), (1.0,)]


def test_duplicates_are_dropped_and_counted_and_the_first_stays():
    text = """
    blocks:
      a: {method: dense, seed: [0, 1, 1]}
      b: {method: [dense, dense], seed: 1..2}
    """
    found = loads(text)
    assert columns(text, "block", "seed") == [("a", 0), ("a", 1), ("b", 2)]
    assert (found.blocks, found.duplicates) == ({"a": 3, "b": 4}, 4)
    assert found.configs["config_id"].is_unique


def test_ids_do_not_depend_on_names_order_or_neighbours():
    one = loads("{name: x, seed: 0..3, method: dense, width: [3, 4]}", "file")
    two = "{d: {width: [4, 9, 3], method: dense}, e: {method: random, keep: 3}}"
    two = loads(f"{{defaults: {{seed: [3, 2, 1, 0]}}, blocks: {two}}}")
    assert set(one.configs["config_id"]) < set(two.configs["config_id"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("keep < weights", [(1, 4), (2, 4), (2, 5)]),
        ("keep < 3*width + 2*width**2", [(1, 4), (2, 4), (2, 5)]),
        ("schedule == 'step' or keep == 4 and lr > 0", [(1, 4), (2, 4)]),
        ("[width == 1, keep != 4]", [(1, 5)]),
    ],
)
def test_where_keeps_the_configs_for_which_it_holds(condition, expected):
    """A network of width 1 has 2 + 1 + 1 + 1 = 5 weights, one of width 2 has 14."""
    text = "{method: random, width: [1, 2], keep: 4..5}"
    listed = condition if condition.startswith("[") else f'"{condition}"'
    found = columns(text.replace("}", f", where: {listed}}}"), "width", "keep")
    assert found == expected


def test_a_block_that_where_empties_adds_nothing():
    text = "blocks: {a: {method: dense, where: seed > 3}, b: {method: dense}}"
    assert loads(text).blocks == {"a": 0, "b": 1}


def test_where_in_the_defaults_holds_for_every_block():
    text = """
    defaults: {where: seed != 1, seed: 0..2}
    blocks: {a: {method: dense, where: seed > 0}, b: {method: dense, width: 3}}
    """
    assert columns(text, "block", "seed") == [("a", 2), ("b", 0), ("b", 2)]


def test_a_grid_has_every_field_as_a_typed_column():
    table = loads("{method: [gmp, dense], keep: 5}").configs
    kinds = table.dtypes.astype(str).to_dict()
    assert (kinds["keep"], kinds["lr"], kinds["scope"]) == (
        "Int64",
        "Float64",
        "string",
    )
    assert table["keep"].tolist() == [5, pd.NA]


def test_a_grid_is_named_by_itself_or_else_by_its_file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("method: dense")
    assert grid.load(path).name == "study"
    assert loads("{name: mine, method: dense}").name == "mine"


# ---- presets

OPTIONS = ["selection", "rounds", "reinit", "scoring_biases", "empty_layer"]
ZP24 = {
    "snip": ("loose", None, "xavier", None, None),
    "grasp": ("strict", None, "xavier", None, None),
    "synflow": ("strict", 100, None, "absolute", None),
    "force": ("strict", 10, None, None, None),
    "iter_snip": ("strict", 10, None, None, None),
    "prospr": ("topk", None, None, None, "abort"),
}
EXACT = {
    "snip": ("rank", None, "none", None, None),
    "grasp": ("rank", None, "none", None, None),
    "synflow": ("rank", 100, None, "zero", None),
    "force": ("rank", 60, None, None, None),
    "iter_snip": ("rank", 60, None, None, None),
    "prospr": ("rank", None, None, None, "train"),
}


def options_of(text: str, *overrides: str) -> dict[str, tuple]:
    """Return the options of the one config of each method, nulls as None."""
    table = loads(text, overrides=overrides).configs.astype(object)
    table = table.where(table.notna(), None).set_index("method")
    return {method: tuple(table.loc[method, OPTIONS]) for method in table.index}


UNIFORM = "allocation: uniform"
SIX = f"{{method: [{', '.join(EXACT)}, random], keep: 9, fidelity: zp24}}"


def test_a_preset_fills_in_the_options_of_each_method():
    found = options_of(SIX)
    assert found.pop("random") == (None,) * 5
    assert found == ZP24


def test_a_preset_may_be_a_default_of_the_file_and_an_axis():
    block = f"{{method: [{', '.join(EXACT)}], keep: 9}}"
    text = f"{{defaults: {{fidelity: zp24}}, blocks: {{a: {block}}}}}"
    assert options_of(text) == ZP24
    text = "{method: snip, keep: 9, fidelity: [exact, zp24]}"
    expected = [("exact", "rank"), ("zp24", "loose")]
    assert columns(text, "fidelity", "selection") == expected


@pytest.mark.parametrize("method", ["gmp", "one_shot", "perp"])
def test_two_spellings_of_the_uniform_allocation_are_one_config(method):
    texts = [f"{{method: {method}, keep: 9, {x}}}" for x in ("scope: layer", UNIFORM)]
    first, second = (loads(text).configs for text in texts)
    assert first.equals(second)
    assert first["allocation"].tolist() == ["uniform"]
    assert first["scope"].tolist() == ["layer"]


def test_a_scope_and_an_allocation_may_not_contradict_each_other():
    text = "{method: gmp, keep: 9, scope: layer, allocation: erk}"
    with pytest.raises(ConfigError, match=r"allocation: .*leave `scope` out"):
        loads(text)


def test_a_value_by_another_name_is_recognised():
    text = "{method: gmp, keep: 9, allocation: erdos_renyi}"
    with pytest.raises(ConfigError, match="did you mean 'erk'"):
        loads(text)


def test_an_option_that_is_written_wins_over_the_preset():
    text = "{method: [force, snip], keep: 9, fidelity: zp24, rounds: 60, reinit: none}"
    found = options_of(text)
    assert found["force"][:2] == ("strict", 60)
    assert found["snip"][::2] == ("loose", "none", None)
    assert options_of(SIX, "rounds=7")["force"][:2] == ("strict", 7)


def test_a_preset_can_be_replaced_from_the_command_line():
    found = options_of(SIX, "fidelity=exact")
    assert found.pop("random") == (None,) * 5
    assert found == EXACT
    plain = SIX.replace(", fidelity: zp24", "")
    assert options_of(plain, "fidelity=zp24").items() >= ZP24.items()


def test_the_exact_preset_is_as_none_and_zp24_another_config():
    plain = SIX.replace(", fidelity: zp24", "")
    ids = [
        loads(text, overrides=overrides).configs["config_id"].tolist()
        for text, overrides in [
            (plain, ()),
            (SIX, ("fidelity=exact",)),
            (plain.replace("9", "9, fidelity: exact"), ()),
            (SIX, ()),
        ]
    ]
    assert ids[0] == ids[1] == ids[2]
    assert set(ids[0]) & set(ids[3]) == {ids[0][-1]}  # that of random


def test_an_unknown_preset_is_a_mistake():
    with pytest.raises(ConfigError, match=r"g:1:36: fidelity: .*'zp25'"):
        loads("{method: snip, keep: 9, fidelity: [zp25]}", "g")


# ---- hostile files


BOMBS = {
    "a zip that holds itself": "{method: dense, zip: &a {zip: *a}}",
    "zips that multiply": "zip: [&z0 {seed: 1}"
    + "".join(f", &z{i + 1} {{zip: [{', '.join([f'*z{i}'] * 9)}]}}" for i in range(9))
    + "]\nmethod: dense",
    "a list of large ranges": "method: dense\nseed: ["
    + ", ".join(f"{i}000000..{i}999999" for i in range(1, 100))
    + "]",
    "one block too large": "{method: dense, seed: 0..99999, batch: 1..51}",
    "many large blocks": "defaults: {method: dense, seed: 0..999, batch: 1..999}\n"
    "blocks: {" + ", ".join(f"b{i}: {{width: {i}}}" for i in range(1, 100)) + "}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_a_config_is_made(name, monkeypatch):
    counted = []
    real = yaml_nodes.Mistakes.count

    def count(self, place, values):
        counted.append(values)
        real(self, place, values)

    monkeypatch.setattr(yaml_nodes.Mistakes, "count", count)
    monkeypatch.setattr(resolve, "configs", lambda *_: pytest.fail("a config was made"))
    with pytest.raises(ConfigError, match=r"at most|not allowed"):
        loads(BOMBS[name], "g")
    assert sum(counted) <= 200_000


def test_a_sample_is_a_random_share_and_the_same_every_time():
    whole = loads("{method: random, keep: 1..20, width: 3, seed: 0..99}")
    tenth, fifth = grid.sample(whole, 0.1), grid.sample(whole, 0.2)
    assert 150 < len(tenth.configs) < 250
    assert tenth.blocks == {"grid": len(tenth.configs)}
    assert set(tenth.configs["config_id"]) < set(fifth.configs["config_id"])
    assert len(grid.sample(whole, 1.0).configs) == 2000
    half = loads("{method: random, keep: 1..10, width: 3, seed: 0..99}")
    again = set(grid.sample(half, 0.1).configs["config_id"])
    assert again == set(tenth.configs["config_id"]) & set(half.configs["config_id"])
