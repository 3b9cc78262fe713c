"""The grids in sweeps/paper are the paper's experiments, each of them and no other."""

import json
from itertools import chain, combinations_with_replacement, product
from pathlib import Path

import pandas as pd
import pytest

from spiral.model import mlp
from spiral.sweep import packs
from spiral.sweep.grid import grid

pytestmark = pytest.mark.slow  # expands half a million configs

ROOT = Path(__file__).parent.parent.parent
SWEEPS = ROOT / "sweeps"
NAMES = ["random_init", "fixed_init_95", "fixed_init_995"]
PUBLISHED = json.loads((ROOT / "tests/golden/paper_masks.json").read_text())

PRUNERS = ["gmp", "lth", "snip", "iter_snip", "force", "grasp"]
PRUNERS += ["synflow", "prospr", "rigl"]
SCHEDULES = ["constant", "cosine", "step"]
WIDTHS = [3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256]
KEEPS = [*range(15, 27), 30, 33, 37, 40, 44, 50, 53, 55, 57, 60, 65]
FEW_KEEPS = [16, 18, 20, 22, 24, 25, 26, 27, 28, 29, 30, 32, 34, 36]

SEEDS = ["seed", "init_seed", "order_seed"]
SEARCH = ["method", "width", "lr", "schedule", *SEEDS]
PRUNED = [*SEARCH, "keep", "fidelity"]
BLOCK, MASK = [*SEARCH, "d1", "d2", "d3"], [*SEARCH, "matrices"]


def pruned(widths, keeps, seeds, init_seed=0):
    """One set of initial weights; the order of the data and a method's draws vary."""
    cells = product(PRUNERS, widths, keeps, [0.05, 0.1, 0.2], SCHEDULES, seeds)
    return {
        (m, w, lr, s, n, init_seed, n, k, "zp24")
        for m, w, k, lr, s, n in cells
        if k < 3 * w + 2 * w**2
    }


def search(method, rates, values, seed=0):
    """One set of initial weights and one order of the data."""
    axes = product([method], [16], rates, SCHEDULES, [seed], [seed], [seed])
    return {(*head, *value) for head, value in product(axes, values)}


def seeds_aside(columns, expected):
    """Every experiment drew anew: no seed of it is known."""
    kept = [n for n, name in enumerate(columns) if name not in SEEDS]
    return [columns[n] for n in kept], {tuple(e[n] for n in kept) for e in expected}


def blocks(most_parameters):
    """Dense blocks within width 16 of fewer weights and biases."""
    sizes = range(1, 17)
    return [
        (a, b, c)
        for a, b, c in product(sizes, sizes, sizes)
        if (2 + 1) * a + (a + 1) * b + (b + 1) * c + (c + 1) < most_parameters
    ]


def matrices(rows, columns):
    """All masks of a matrix up to the order of rows, written as the paper does."""
    lines = ["".join(digits) for digits in product("01", repeat=columns)]
    return [
        ",".join(sorted(rows, key=lambda row: (row.count("1"), row), reverse=True))
        for rows in combinations_with_replacement(lines[1:], rows)
        if all("1" in column for column in zip(*rows, strict=True))
    ]


def published(shape):
    """The masks at which the paper cut the list of a second matrix."""
    masks = chain.from_iterable(PUBLISHED["first"][shape].values())
    return [mask.replace("/", ",") for mask in masks]


def networks(first, second, third, below=10_000):
    output = "1" * (third[0].count(",") + 1)
    return [
        (f"{a}/{b}/{c}/{output}",)
        for a, b, c in product(first, second, third)
        if (a + b + c).count("1") < below
    ]


EXPECTED = {
    "random_init/overparam": lambda: seeds_aside(PRUNED, pruned(WIDTHS, KEEPS, [0])),
    "random_init/first_phase": lambda: seeds_aside(
        BLOCK,
        search("block", [0.05, 0.1], [*product(range(1, 17), repeat=3)]),
    ),
    "random_init/second_phase_95": lambda: seeds_aside(
        MASK,
        search(
            "mask",
            [0.05, 0.1],
            networks(matrices(3, 2), matrices(3, 3), matrices(3, 3)),
        ),
    ),
    "random_init/second_phase_995": lambda: seeds_aside(
        MASK,
        search(
            "mask",
            [0.05],
            networks(matrices(7, 2), published("3x7"), matrices(3, 3), 33),
        ),
    ),
    "fixed_init_95/prune": lambda: (
        PRUNED,
        pruned([3, 16], range(15, 27), range(5), 1),
    ),
    "fixed_init_95/first_phase": lambda: (
        BLOCK,
        search("block", [0.05, 0.1], blocks(37), 1),
    ),
    "fixed_init_95/second_phase": lambda: (
        MASK,
        search(
            "mask",
            [0.05, 0.1],
            networks(matrices(3, 2), matrices(2, 3), matrices(2, 2)),
            1,
        ),
    ),
    "fixed_init_995/prune": lambda: (
        PRUNED,
        pruned([6, 16], FEW_KEEPS, [258, 0, 1, 2, 3], 258),
    ),
    "fixed_init_995/first_phase": lambda: (
        BLOCK,
        search("block", [0.05, 0.1], blocks(61), 258),
    ),
    "fixed_init_995/second_phase": lambda: (
        MASK,
        search(
            "mask",
            [0.05],
            networks(matrices(6, 2), published("3x6"), matrices(2, 3), 31),
            258,
        ),
    ),
}
"""Grid and block → the columns that vary, and their values in the paper."""

COUNTS = {
    "random_init/overparam": 18_954,
    "random_init/first_phase": 24_576,
    "random_init/second_phase_95": 155_952,
    "random_init/second_phase_995": 189_624,
    "fixed_init_95/prune": 9_720,
    "fixed_init_95/first_phase": 558,
    "fixed_init_95/second_phase": 2_496,
    "fixed_init_995/prune": 11_340,
    "fixed_init_995/first_phase": 2_034,
    "fixed_init_995/second_phase": 70_584,
}


@pytest.fixture(scope="module")
def grids() -> dict[str, grid.Grid]:
    return {name: grid.load(SWEEPS / f"paper/{name}.yaml") for name in NAMES}


@pytest.fixture(scope="module")
def slice_() -> grid.Grid:
    return grid.load(SWEEPS / "paper/slice.yaml")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_block_is_the_papers_experiments(grids, name):
    columns, expected = EXPECTED[name]()
    assert len(expected) == COUNTS[name]
    stem, _, block = name.partition("/")
    table = grids[stem].configs
    table = table[table["block"] == block][columns]
    found = list(zip(*(table[column].tolist() for column in columns), strict=True))
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize("name", NAMES)
def test_all_else_is_as_in_the_paper(grids, name):
    table = grids[name].configs
    blocks = {f"{name}/{block}" for block in table["block"].unique()}
    assert blocks == {found for found in COUNTS if found.startswith(f"{name}/")}
    for column, value in {
        "epochs": 50,
        "batch": 128,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "init": "default",
    }.items():
        assert (table[column] == value).all(), column


def test_experiments_from_random_weights_draw_them_anew(grids):
    table = grids["random_init"].configs
    assert (table["replicate"] == 0).all()
    assert (table["seed"] >= 2**52).all()
    assert table["seed"].equals(table["init_seed"].rename("seed"))
    search = table["block"] != "overparam"
    assert table["seed"][search].is_unique
    # Pruners of one setting are a pair, as they start from equal weights
    cells = table[~search].groupby(["width", "keep", "lr", "schedule"])["seed"]
    assert (cells.nunique() == 1).all()
    assert table["seed"][~search].nunique() == len(cells)


@pytest.mark.parametrize("name", NAMES[1:])
def test_seeds_of_fixed_initial_weights_are_written(grids, name):
    assert grids[name].configs["replicate"].isna().all()


def test_replicates_repeat_the_slice_of_random_weights(slice_):
    path = SWEEPS / "paper/slice.yaml"
    thrice = grid.load(path, ["replicate=0..2"]).configs
    fresh = slice_.configs["replicate"].notna()
    assert len(thrice) == len(fresh) + 2 * fresh.sum()
    assert set(slice_.configs["config_id"]) <= set(thrice["config_id"])


def test_only_snip_and_grasp_from_random_weights_draw_them_anew(grids):
    for name, expected in zip(NAMES, ["xavier", "none", "none"], strict=True):
        table = grids[name].configs
        law = table[table["method"].isin(["snip", "grasp"])]["reinit"]
        assert set(law) == {expected}


def test_exact_algorithms_replace_the_papers_with_one_setting(grids):
    path = SWEEPS / "paper/fixed_init_95.yaml"
    exact = grid.load(path, ["fidelity=exact"]).configs
    keys = [name for name in PRUNED if name != "fidelity"]
    written = grids["fixed_init_95"].configs
    pd.testing.assert_frame_equal(exact[keys], written[keys])
    assert exact["fidelity"].dropna().eq("exact").all()
    search = exact["block"] != "prune"
    assert exact[search]["config_id"].tolist() == written[search]["config_id"].tolist()
    assert not set(exact[~search]["config_id"]) & set(written["config_id"])


def test_there_are_485_838_configs_each_of_them_once(grids):
    totals = {name: len(found.configs) for name, found in grids.items()}
    assert totals == {
        "random_init": 389_106,
        "fixed_init_95": 12_774,
        "fixed_init_995": 83_958,
    }
    ids = pd.concat([found.configs["config_id"] for found in grids.values()])
    assert ids.nunique() == len(ids) == 485_838


# ---- the slice and the comparison of fidelities


def test_the_slice_touches_all_of_the_papers_blocks_and_values(grids, slice_):
    blocks_of = {}
    for name in NAMES:
        for block, table in grids[name].configs.groupby("block"):
            blocks_of[f"{name}/{block}"] = set(table["config_id"])
    configs = slice_.configs
    ids = set(configs["config_id"])
    paper = configs["fidelity"].fillna("zp24") == "zp24"
    assert set(configs[paper]["config_id"]) <= set.union(*blocks_of.values())
    assert [block for block in COUNTS if not ids & blocks_of[block]] == []
    pruned = configs[configs["keep"].notna()]
    assert set(pruned["method"]) == set(PRUNERS)
    assert set(pruned["width"]) == set(WIDTHS)
    assert set(pruned["schedule"]) == set(SCHEDULES)


def test_the_slice_is_small(slice_):
    assert 350 <= len(slice_.configs) <= 450
    assert slice_.duplicates == 0
    seconds = packs.pack(slice_.configs).table["seconds"].sum()
    assert seconds < 2 * 200


def test_fidelities_are_compared_with_all_else_equal():
    table = grid.load(SWEEPS / "fidelity.yaml").configs
    cells = product(PRUNERS, [3, 16, 64], [20, 26, 40], range(10))
    expected = {c for c in cells if c[2] < mlp.weight_count(c[1])}
    for fidelity in ("exact", "zp24"):
        some = table[table["fidelity"] == fidelity][["method", "width", "keep", "seed"]]
        assert set(some.itertuples(index=False, name=None)) == expected
    assert len(table) == 2 * len(expected)
