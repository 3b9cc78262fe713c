"""Launches of made-up networks, on disk as real ones are."""

import numpy as np
import pandas as pd

from spiral.methods.registry import options
from spiral.model import masks, mlp
from spiral.results import columns as rows
from spiral.results import packed, store
from spiral.sweep.grid import grid
from spiral.tasks import cubist
from tests.results import write_pack


def write(out, text, status="ok", accuracy=None, drop=()):
    """Write a launch whose networks are random, pruned to what the grid says.

    Args:
        out: The results directory.
        text: The grid.
        status: What all rows say.
        accuracy: What all rows say; counted if None.
        drop: Columns that the file lacks, as those of earlier versions do.

    Returns:
        Masks and parameters by config_id.
    """
    configs = grid.loads(text).configs
    models = {config["config_id"]: model(config) for _, config in configs.iterrows()}
    results = [result(*made, status, accuracy) for made in models.values()]
    columns = {name: [row[name] for row in results] for name in rows.RESULTS}
    pack = packed.pack_id(configs["config_id"])
    for folder in (store.results_folder(out), store.scratch(out)):
        folder.mkdir(parents=True, exist_ok=True)
    table = rows.assemble(configs, columns, options()).drop([*drop])
    write_pack(out, pack, table, {})
    store.write_manifest(out, configs.assign(pack=pack), {})
    return models


def model(config):
    """Return the mask and parameters of a config: the largest of drawn weights."""
    width = int(config["width"])
    random = np.random.default_rng(int(config["init_seed"]))
    drawn = mlp.initial_params(int(config["init_seed"]), width)
    params = (drawn * random.uniform(1, 4, len(drawn))).astype(np.float32)
    weights = np.abs(params[mlp.is_weight(width)])[None]
    keep = weights.size if pd.isna(config["keep"]) else int(config["keep"])
    mask = masks.with_biases(masks.keep_top(weights, np.array([keep])), width)[0]
    return mask, np.where(mask, params, np.float32(0)), width


def correct(params, width):
    """Return how many points a network gets right, in float64."""
    data = cubist.load()
    z = mlp.logits(params.astype(np.float64), data.x.T.astype(np.float64), width)
    return int(np.where(data.y > 0, z > 0, z < 0).sum())


def result(mask, params, width, status, accuracy):
    """Return the results of a network."""
    counts = masks.layer_counts(mask[None], width)[0]
    effective = int(masks.on_path(mask[None], width).sum())
    if accuracy is None:
        accuracy = correct(params, width) / cubist.POINTS
    return {
        "status": status,
        "accuracy": accuracy,
        "task_points": cubist.POINTS,
        "task_chance": 0.5,
        "loss": 0.5,
        "entropy": 0.3,
        "running_loss": 0.5,
        "trained_params": int(mask.sum()),
        "nnz": int(counts.sum()),
        "nnz_params": int(mask.sum()),
        "effective_nnz": effective,
        "connected": effective > 0,
        "explored": counts.sum() / mlp.weight_count(width),
        **{f"nnz_{i + 1}": int(count) for i, count in enumerate(counts)},
        "mask": masks.to_bits(mask),
        "weights": params[mask],
        "engine_used": "sparse",
        "steps": 1,
        "seconds": 1.0,
    }
