"""Fresh seeds: what derives them, what they leave out, and what is refused."""

import json
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral import experiment
from spiral.errors import ConfigError
from spiral.protocol.config import MAX_SEED
from spiral.sweep.grid import grid, resolve
from spiral.sweep.grid.grid import loads

GMP = "method: gmp, width: 3, keep: 12"


def configs(text: str, *overrides: str) -> pd.DataFrame:
    return loads(f"{{{text}}}", overrides=overrides).configs


def seeds(text: str, *overrides: str) -> list[int]:
    return configs(text, *overrides)["seed"].tolist()


GOLDEN = {
    f"{GMP}, seed: fresh": 6_831_186_329_402_209,
    "method: snip, width: 16, keep: 26, lr: 0.05, schedule: step, seed: fresh, "
    "replicate: 2": 6_102_399_134_989_228,
    "method: mask, matrices: '11,01/11,10/11/1', seed: fresh": 6_997_782_557_135_342,
}


@pytest.mark.parametrize("text", GOLDEN)
def test_seeds_are_those_of_earlier_versions(text):
    """Another seed is another config: a change here orphans every fresh row."""
    assert seeds(text) == [GOLDEN[text]]


def test_a_fresh_seed_is_larger_than_any_that_people_write():
    found = seeds("method: block, d1: 1..16, d2: 1..16, d3: 1..16, seed: fresh")
    assert len(set(found)) == len(found) == 16**3
    assert 2**52 <= min(found) < 2**52 * 1.01
    assert 2**53 * 0.99 < max(found) < MAX_SEED


# ---- what enters

ENTERS = {
    **{"width": [4, 5], "keep": [11, 12], "lr": [0.1, 0.2], "momentum": [0.8, 0.9]},
    **{"schedule": ["step", "cosine"], "epochs": [49, 50], "batch": [64, 128]},
    **{"weight_decay": [0.1, 5e-4], "optimiser": ["sgd", "adam"]},
    **{"nesterov": [False, True], "label_smoothing": [0.1, 0.2]},
    **{"init_seed": ["~", 1, 2], "order_seed": ["~", 1, 2], "replicate": [0, 1]},
}


@pytest.mark.parametrize("name", ENTERS)
def test_every_field_of_the_training_enters(name):
    values = ", ".join(str(value).lower() for value in ENTERS[name])
    keys = {"method": "gmp", "width": 4, "keep": 12, "seed": "fresh"}
    keys |= {name: f"[{values}]"}
    found = seeds(", ".join(f"{key}: {value}" for key, value in keys.items()))
    assert len(set(found)) == len(found) == len(ENTERS[name])


@pytest.mark.parametrize(
    "values",
    [
        "method: [gmp, snip, random, rigl, one_shot, perp, acdc_pp, sfw]",
        "method: gmp, interval: [97, 390], scope: [global, layer]",
        "method: [scratch, shuffled], of: [snip, magnitude]",
        "method: snip, fidelity: [exact, zp24], allocation: [erk, lamp]",
        "method: gmp, engine: [auto, vmap, reference]",
        "method: gmp, stop_epoch: [~, 5, 50]",
        "method: gmp, lr: [0.1, 1e-1]",
    ],
)
def test_method_options_engine_and_early_stop_do_not_enter(values):
    """So methods are compared in pairs of equal initial weights and order of data."""
    found = configs(f"{values}, width: 3, keep: 12, seed: fresh")
    for name in ("seed", "init_seed", "order_seed"):
        assert found[name].nunique() == 1
    assert found["seed"][0] == seeds(f"{GMP}, seed: fresh")[0]


def test_what_a_method_calls_like_a_common_field_does_not_enter():
    """``perp`` has an optimiser of its retraining."""
    found = seeds(
        "method: perp, width: 3, keep: 12, optimiser: [sgd, adamw], seed: fresh"
    )
    assert set(found) == set(seeds(f"{GMP}, seed: fresh"))


@pytest.mark.parametrize(
    "text",
    [
        "method: block, d1: 1..3, d2: 1..3, d3: 1..3",
        "method: mask, matrices: {paper_masks: {shape: [3, 2, 2]}}",
        # one class of masks, its hidden units renumbered
        "method: mask, matrices: ['11,01/11,10/11/1', '01,11/11,01/11/1']",
    ],
)
def test_a_given_mask_enters(text):
    found = configs(f"{text}, seed: fresh")
    assert found["seed"].is_unique
    assert len(found) > 1


def test_a_search_draws_other_initial_weights_and_orders_for_every_mask():
    text = "method: block, d1: 1..8, d2: 1..8, d3: 1..8, seed: fresh"
    found = configs(text)
    assert found["init_seed"].equals(found["seed"])
    orders = found["order_seed"]
    assert orders.tolist() == [seed % resolve.ORDERS for seed in found["seed"]]
    assert 200 < orders.nunique() <= resolve.ORDERS


def test_seeds_that_are_written_stay_and_the_rest_is_derived():
    found = configs(f"{GMP}, seed: fresh, init_seed: 7, order_seed: 9, lr: [0.1, 0.2]")
    assert found["init_seed"].tolist() == [7, 7]
    assert found["order_seed"].tolist() == [9, 9]
    assert found["seed"].is_unique


# ---- in any grid

AXES = {
    # `keep` has to apply to some method
    "method": st.lists(st.sampled_from(["dense", "gmp"])).map(
        lambda some: ["snip", *some]
    ),
    "lr": st.lists(st.sampled_from([0.05, 0.1, 0.2]), min_size=1),
    "keep": st.lists(st.integers(4, 12), min_size=1),
    "width": st.lists(st.integers(3, 6), min_size=1),
    "replicate": st.lists(st.integers(0, 3), min_size=1),
}
WHOLE = {
    "method": ["gmp", "snip", "dense", "random"],
    "lr": [0.05, 0.1, 0.2],
    "keep": [*range(4, 13)],
    "width": [3, 4, 5, 6],
    "replicate": [0, 1, 2, 3],
}
CELL = ["width", "lr", "keep", "replicate"]


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return loads(json.dumps(WHOLE | {"seed": "fresh"})).configs


@settings(max_examples=25, deadline=None)
@given(axes=st.fixed_dictionaries(AXES), shuffled=st.randoms(use_true_random=False))
def test_part_of_a_grid_has_the_same_seeds_in_any_order(whole, axes, shuffled):
    names = shuffled.sample([*axes, "seed"], len(axes) + 1)
    part = loads(json.dumps({name: axes.get(name, "fresh") for name in names}))
    both = part.configs.merge(whole, "left", "config_id", suffixes=("", "_of_whole"))
    for name in ("seed", "init_seed", "order_seed", *CELL):
        assert both[name].equals(both[f"{name}_of_whole"].rename(name))


def test_equal_seeds_are_equal_settings(whole):
    cells = whole.groupby(CELL, dropna=False)["seed"]
    assert (cells.nunique() == 1).all()
    assert whole["seed"].nunique() == len(cells)


def test_other_blocks_and_conditions_change_no_seed(whole):
    other = "b: {method: block, d1: 1..2, d2: 1, d3: 1, seed: [fresh, 3]}"
    block = "{method: snip, width: 3..6, keep: 4..12, where: keep > 8 and lr > 0.07"
    text = f"{{blocks: {{{other}, a: {block}, lr: [0.2, 0.1], seed: fresh}}}}}}"
    some = loads(text).configs.query("method == 'snip'")
    assert len(some) == 4 * 4 * 2
    assert set(some["config_id"]) < set(whole["config_id"])


def test_a_first_default_that_is_written_changes_no_seed():
    plain = f"{GMP}, seed: fresh"
    written = "replicate: 0, lr: 0.1, init_seed: ~, order_seed: ~, epochs: 50"
    assert configs(f"{plain}, {written}").equals(configs(plain))


def test_a_row_with_a_fresh_seed_is_not_the_one_with_that_seed_written():
    (seed,) = seeds(f"{GMP}, seed: fresh")
    both = configs(f"{GMP}, seed: [fresh, {seed}]")
    assert both["seed"].tolist() == [seed, seed]
    assert both["config_id"].is_unique


def test_a_fresh_seed_trains_as_its_number():
    found = configs("method: random, width: 3, keep: 12, epochs: 1, seed: fresh")
    seed, order = found[["seed", "order_seed"]].iloc[0]
    text = f"method: random, width: 3, keep: 12, epochs: 1, seed: {seed}"
    written = configs(f"{text}, order_seed: {order}")
    rows = [experiment.run(table).to_pylist()[0] for table in (found, written)]
    assert rows[0]["weights"] == rows[1]["weights"]
    assert (rows[0]["replicate"], rows[1]["replicate"]) == (0, None)


# ---- replicate


def test_replicates_repeat_fresh_seeds_alone():
    found = configs(f"{GMP}, seed: [0, fresh, 1], replicate: 0..2")
    pairs = zip(found["seed"] < 2**52, found["replicate"].fillna(-1), strict=True)
    expected = [(True, -1), *product([False], [0, 1, 2]), (True, -1)]
    assert [*pairs] == expected
    assert found["seed"].is_unique


def test_a_block_with_other_seeds_ignores_the_replicates_of_the_grid():
    blocks = "a: {method: dense}, b: {method: dense, seed: 0..1}"
    text = f"defaults: {{seed: fresh, replicate: 0..2}}, blocks: {{{blocks}}}"
    for found in (
        configs(text),
        configs(text.replace(", replicate: 0..2", ""), "replicate=0..2"),
    ):
        assert found["replicate"].fillna(-1).tolist() == [0, 1, 2, -1, -1]


def test_replicates_can_be_set_with_the_seed_or_be_selected():
    whole = configs(GMP, "seed=fresh", "replicate=0..2")
    assert whole["replicate"].tolist() == [0, 1, 2]
    some = configs(f"{GMP}, where: replicate > 0", "seed=fresh", "replicate=0..2")
    assert some["config_id"].tolist() == whole["config_id"].tolist()[1:]
    assert configs(f"{GMP}, seed: fresh", "seed=0")["replicate"].isna().all()


REFUSED = {
    "replicate: 0..1": ("g:1:13", ()),
    "replicate: 0..1, seed: [0, 1]": ("g:1:13", ()),
    "seed: fresh, replicate: 0": ("g:1:26", ("seed=3",)),
    "lr: 0.1": ("--set replicate=1", ("replicate=1",)),
}


@pytest.mark.parametrize("text", REFUSED)
def test_replicates_of_seeds_that_are_written_are_refused(text):
    place, overrides = REFUSED[text]
    with pytest.raises(ConfigError) as caught:
        loads(f"{{{text}, method: dense}}", "g", overrides)
    begin = f"{place}: replicate: expected with `seed: fresh`"
    assert [line[: len(begin)] for line in str(caught.value).splitlines()] == [begin]


def test_replicates_that_no_block_of_a_grid_uses_are_refused():
    text = "{defaults: {replicate: 0..1}, blocks: {a: {method: dense}}}"
    with pytest.raises(ConfigError, match="g:1:13: replicate: expected with"):
        loads(text, "g")


@pytest.mark.parametrize("name", ["init_seed", "order_seed"])
def test_only_the_main_seed_can_be_fresh(name):
    with pytest.raises(ConfigError, match=f"{name}: should be a valid integer"):
        configs(f"{GMP}, {name}: fresh")


def test_a_misspelt_fresh_is_recognised():
    with pytest.raises(ConfigError, match="did you mean 'fresh'"):
        configs(f"{GMP}, seed: frehs")


def test_a_sample_of_a_grid_has_the_same_seeds(whole):
    grid_ = loads(json.dumps(WHOLE | {"seed": "fresh"}))
    some = grid.sample(grid_, 0.3).configs.set_index("config_id")["seed"]
    assert 0 < len(some) < len(whole)
    assert some.equals(whole.set_index("config_id")["seed"][some.index])
