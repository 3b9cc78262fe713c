"""Packs: who trains together, under which name, at what cost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.engines import ENGINES, EXTRA
from spiral.sweep import cost as prices
from spiral.sweep import packs as plan
from spiral.sweep.grid.grid import loads

MIXED = """
defaults: {seed: 0..6, width: [3, 16]}
blocks:
  gmp: {method: gmp, keep: 5..7, interval: [97, 390], scope: [global, layer]}
  others: {method: [random, magnitude], keep: 5..7, at_epoch: 0..1, epochs: [1, 50]}
  dense: {method: dense, batch: [64, 128], schedule: [cosine, step], lr: [0.1, 0.2]}
  block: {method: block, d1: 1..3, d2: 2, d3: 3, momentum: [0, 0.9]}
  mask: {method: mask, matrices: ['11/1/1/1', '10/1/1/1'], engine: [auto, reference]}
  stopped: {method: dense, stop_epoch: [1, 2], seed: 0..1}
"""
SHARED = ["method", "width", "epochs", "stop_epoch", "batch", "engine"]
SHARED_OPTIONS = ["interval", "end", "scope", "at_epoch"]


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    return loads(MIXED).configs


@pytest.fixture(scope="module")
def packs(mixed: pd.DataFrame) -> plan.Packs:
    return plan.pack(mixed)


def members(packs: plan.Packs) -> dict[str, list[str]]:
    groups = packs.configs.groupby("pack", sort=False)["config_id"]
    return {name: list(ids) for name, ids in groups}


def test_every_config_is_in_exactly_one_pack(mixed, packs):
    assert len(packs.configs) == len(mixed)
    assert set(packs.configs["config_id"]) == set(mixed["config_id"])


def test_planning_changes_nothing_but_order_and_pack(mixed, packs):
    found = packs.configs.drop(columns="pack").set_index("config_id")
    expected = mixed.set_index("config_id").loc[found.index]
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("name", SHARED + SHARED_OPTIONS)
def test_the_networks_of_a_pack_agree_in_what_their_plan_depends_on(packs, name):
    values = packs.configs.groupby("pack")[name].nunique(dropna=False)
    assert (values == 1).all()
    assert name in plan.shared_columns()


@pytest.mark.parametrize("name", ["seed", "lr", "keep", "schedule", "momentum", "d1"])
def test_the_networks_of_a_pack_may_differ_in_the_rest(packs, name):
    values = packs.configs.groupby("pack")[name].nunique(dropna=False)
    assert (values > 1).any()
    assert name not in plan.shared_columns()


def test_configs_that_can_train_together_are_not_scattered(packs):
    """No group of this grid needs a second pack, but those on ``reference``."""
    first = packs.configs.drop_duplicates("pack")
    first = first[first["engine"] == "auto"]
    assert not first[SHARED + SHARED_OPTIONS].duplicated().any()


def test_the_configs_of_a_pack_stand_together_ordered_by_order_seed(packs):
    names = packs.configs["pack"]
    assert (names != names.shift()).sum() == names.nunique()
    for _, pack in packs.configs.groupby("pack"):
        assert pack["order_seed"].is_monotonic_increasing


def test_the_table_counts_what_the_packs_hold(packs):
    counts = {name: len(ids) for name, ids in members(packs).items()}
    assert (
        dict(zip(packs.table["pack"], packs.table["networks"], strict=True)) == counts
    )
    assert (packs.table["seconds"] > 0).all()


def test_a_manifest_is_described_as_it_was_planned(packs):
    expected = packs.table.set_index("pack")
    found = plan.describe(packs.configs).set_index("pack")
    pd.testing.assert_frame_equal(found, expected.loc[found.index], rtol=1e-12)


# ---- names


def test_equal_configs_make_equal_packs_whatever_the_grid_calls_them(mixed, packs):
    renamed = mixed.assign(block="elsewhere").set_index(np.arange(len(mixed)) + 7)
    assert members(plan.pack(renamed)) == members(packs)


def test_other_configs_are_another_pack_but_not_another_order_of_rates():
    names = {
        tuple(plan.pack(loads(f"{{method: dense, lr: {lr}}}").configs).table["pack"])
        for lr in ["[0.1, 0.2]", "[0.2, 0.1]", "[0.1, 0.3]", "0.1"]
    }
    assert len(names) == 3


def test_a_group_does_not_feel_the_other_groups():
    one = plan.pack(loads("{method: random, width: 3, keep: 4, seed: 0..9}").configs)
    two = "blocks: {a: {method: dense, seed: 0..9}, b: {method: random, keep: 4, "
    two = plan.pack(loads(two + "width: [16, 3], seed: 0..9}}").configs)
    assert members(one).items() <= members(two).items()


GROUPS = st.fixed_dictionaries(
    {
        "width": st.sampled_from([1, 3, 16, 100, 256]),
        "seeds": st.integers(1, 2_500),
        "epochs": st.sampled_from([1, 50, 500]),
        "engine": st.sampled_from(["vmap", "reference", "auto"]),
    }
)


@settings(max_examples=25)
@given(GROUPS)
def test_packs_of_equal_networks_are_even_and_bounded(group):
    text = "method: dense, width: {width}, epochs: {epochs}, engine: {engine}"
    text = (text + ", seed: 1..{seeds}").format(**group)
    table = plan.pack(loads(f"{{{text}}}").configs).table
    networks, seconds = table["networks"], table["seconds"]
    assert networks.sum() == group["seeds"]
    assert networks.max() - networks.min() <= 1
    several = networks > 1
    assert (seconds[several] <= 1.5 * plan.PACK_SECONDS).all()
    if group["engine"] == "vmap":
        assert (networks[several] * group["width"] <= 2_048).all()
        assert networks.max() <= 512


def test_packs_of_unequal_networks_take_about_equal_time():
    text = "{method: random, keep: 15..560, seed: 0..29, epochs: 200}"
    seconds = plan.pack(loads(text).configs).table["seconds"]
    assert 5 < len(seconds) < 5_000
    assert seconds.max() <= 1.5 * plan.PACK_SECONDS
    assert seconds.max() < 2 * seconds.min()


# ---- cost


def cost(text: str, keep: int = 5) -> float:
    grid = loads(f"{{method: random, keep: {keep}, {text}}}")
    return plan.pack(grid.configs).table["seconds"].sum()


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_cost_rises_with_width_and_in_proportion_to_steps_and_networks(engine):
    of = f"engine: {engine}, width"
    costs = [cost(f"{of}: {width}") for width in (2, 3, 7, 16, 40, 100, 256)]
    assert costs[0] > 0
    assert costs == sorted(costs)
    assert cost(f"{of}: 7, epochs: 150") == pytest.approx(3 * costs[2])
    assert cost(f"{of}: 7, stop_epoch: 10") == pytest.approx(costs[2] / 5)
    many = cost(f"{of}: 7, seed: 0..99")
    if engine == "vmap":  # whose small packs are dear
        assert costs[2] < many < 10 * costs[2]
    else:
        assert many == pytest.approx(100 * costs[2])


def test_weight_maps_and_frank_wolfe_are_priced():
    def steps(text):
        text = f"{{{text}, width: 16, seed: 0..127}}"
        orders = 128 * 50 * prices.EPOCH_ORDER_SECONDS
        return plan.pack(loads(text).configs).table["seconds"].sum() - orders

    plain = steps("method: dense, engine: vmap")
    mapped = steps("method: ste, keep: 30, engine: vmap")
    assert mapped == pytest.approx(EXTRA["forward_mask"] * plain)
    half = steps("method: sdgf_step, keep: [30, 31], begin: 0.5, engine: vmap")
    assert half == pytest.approx(1.5 * mapped)  # twins share what is dense
    moved = steps("method: sfw, keep: [20, 30, 40, 50]")
    assert moved == pytest.approx(EXTRA["sfw"] * plain)


def test_weights_that_are_gone_cost_nothing_extra():
    assert cost("width: 16", 5) <= cost("width: 16", 50) <= cost("width: 16", 500)


def test_networks_of_other_files_share_no_beginning(tmp_path):
    """What magnitude does before its epoch is done once for twins."""
    for name in ("a", "b"):
        sizes = {"first_layer": (3, 2), "second_layer": (3, 3), "third_layer": (3, 3)}
        arrays = {}
        for layer, shape in {**sizes, "clf": (1, 3)}.items():
            arrays[f"{layer}.weight"] = np.full(shape, ord(name))
            arrays[f"{layer}.bias"] = np.ones(shape[0])
        np.savez(tmp_path / f"{name}.npz", **arrays)

    def seconds(text):
        usual = "method: magnitude, width: 3, keep: [9, 10], at_epoch: 50"
        configs = loads(f"{{{usual}, {text}}}").configs
        return plan.pack(configs).table["seconds"].sum()

    files = f"init: [{tmp_path}/a.npz, {tmp_path}/b.npz]"
    assert seconds(files) == seconds("init_seed: [1, 2]")


def test_results_take_more_room_the_more_weights_stay():
    sizes = [
        plan.pack(loads(f"{{method: random, {text}}}").configs).bytes
        for text in ("keep: 5", "keep: 300", "keep: 300, seed: 0..9")
    ]
    assert 100 < sizes[0] < sizes[1] < sizes[2] == pytest.approx(10 * sizes[1], abs=10)


def test_a_given_mask_takes_the_room_of_its_weights():
    small = plan.pack(loads("{method: mask, matrices: 11/1/1/1}").configs).bytes
    large = plan.pack(loads("{method: dense}").configs).bytes
    assert small + 4 * (3 * 16 + 2 * 16**2 - 5) == large


def test_what_a_method_scores_is_part_of_the_price():
    base, parameter, unit = prices.GRADIENT_SECONDS
    one = 2 * (base + 128 * (parameter * 37 + unit * 3))  # of the two networks

    def scored(rounds):
        text = f"{{method: force, width: 3, keep: 9, seed: 0..1, rounds: {rounds}}}"
        return plan.pack(loads(text).configs).table["seconds"].sum()

    assert scored(61) - scored(1) == pytest.approx(60 * one)
