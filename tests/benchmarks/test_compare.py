"""A comparison of as many rows as the paper has, from disk."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spiral.methods.registry import options
from spiral.model import mlp
from spiral.results import columns, packed, store
from spiral.results.load import MEASURED
from spiral.sweep.grid import grid, shipped
from tests.benchmarks.measure import at_most, command, cost
from tests.results import write_pack

pytestmark = pytest.mark.benchmark

SEEDS = """
method: [gmp, lth, snip, iter_snip, force, grasp, synflow, prospr, rigl]
width: [3..8, 16, 32, 64, 128, 256]
keep: [15..26, 30, 33, 37, 40, 44, 50, 53, 55, 57, 60, 65]
where: keep < weights
lr: [0.05, 0.1, 0.2]
schedule: [cosine, step, constant]
seed: 0..24
"""
"""26 groups of 25 seeds in 9 settings for each method and most widths: 473,850 rows."""

PLAIN = """
import pandas as pd
rows = pd.read_parquet(sys.argv[1])
groups = rows.groupby(["method", "width", "keep"], dropna=False)
found = groups["accuracy"].agg(["size", "min", "median", "max"])
assert found["size"].sum() == len(rows)
"""
"""The same rows, read whole, and what one looks at first; no intervals."""


def paper() -> pd.DataFrame:
    """Return the paper's 485,838 configs, one seed each for most."""
    names = [f"paper/{n}" for n in ("random_init", "fixed_init_95", "fixed_init_995")]
    parts = [grid.load(shipped.files()[name]).configs for name in names]
    return pd.concat(parts, ignore_index=True)


def made_up(configs: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return results: the larger the better, with seeds as luck."""
    count = len(configs)
    size = configs["keep"].fillna(30).to_numpy(np.float64)
    accuracy = 0.5 + 0.5 * random.beta(size / 10, 2)
    results = {
        "status": np.where(random.random(count) < 0.02, "collapsed", "ok"),
        "accuracy": accuracy,
        "nnz": size.astype(int),
        "effective_nnz": size.astype(int) - random.integers(0, 5, count),
        "connected": random.random(count) < 0.9,
        "steps": 19_500,
    }
    assert {*results} == {*MEASURED}
    kept = {w: np.arange(mlp.param_count(w)) < 40 for w in range(257)}
    bits = {w: np.packbits(mask).tobytes() for w, mask in kept.items()}
    masks = [bits[width] for width in configs["width"].fillna(0)]
    drawn = {w: random.random(mask.sum(), np.float32) for w, mask in kept.items()}
    weights = [drawn[width] for width in configs["width"].fillna(0)]
    rest = {"loss": 0.1, "nnz_params": 40, "engine_used": "sparse", "seconds": 0.01}
    rest |= {"entropy": 0.3, "running_loss": 0.1, "trained_params": 40, "explored": 1.0}
    layers = {f"nnz_{i}": 5 for i in range(1, 5)}
    frame = pd.DataFrame(results | rest | layers)
    return frame.assign(mask=masks, weights=weights)


def launched(out: Path, configs: pd.DataFrame) -> None:
    """Write a launch of these configs, with results made up."""
    random = np.random.default_rng(0)
    store.results_folder(out).mkdir()
    store.scratch(out).mkdir(parents=True)
    packs = np.arange(len(configs)) // 4000
    names = np.empty(len(configs), object)
    for number, part in configs.groupby(packs):
        names[packs == number] = pack = packed.pack_id(part["config_id"])
        results = made_up(part, random).to_dict("list")
        table = columns.assemble(part.reset_index(drop=True), results, options())
        write_pack(out, pack, table, {})
    store.write_manifest(out, configs.assign(pack=names), {})


@pytest.mark.parametrize("configs", [paper, lambda: grid.loads(SEEDS).configs])
def test_half_a_million_rows_take_little_more_than_reading_them(configs, tmp_path):
    configs = configs()
    launched(tmp_path, configs)
    ran = command("compare", tmp_path, "--json")
    found = json.loads(ran.out)
    assert sum(line["rows"] for line in found["groups"]) == len(configs) > 470_000
    plain = cost(PLAIN, tmp_path / "results")
    at_most(3, "time of a comparison", ran.seconds, plain.seconds)
    at_most(2, "memory of a comparison", ran.kilobytes, plain.kilobytes)
