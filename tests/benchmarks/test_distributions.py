"""Single trajectories diverge by rounding; distributions of accuracy must not."""

import numpy as np
import pytest
from scipy import stats

from spiral import experiment
from spiral.sweep import packs as plan
from spiral.sweep.grid import grid

MASKS, SEEDS = 500, 4
GRID = """
method: mask
width: 3
matrices: [{masks}]
lr: 0.05
seed: 0..{last}
engine: {engine}
"""


def random_masks() -> list[str]:
    """Return masks of the 3-3-3 block without empty rows or columns, as texts."""
    random = np.random.default_rng(0)
    found: dict[str, None] = {}
    while len(found) < MASKS:
        drawn = (random.random(24) < 3 / 4).astype(int)
        matrices = [part.reshape(3, -1) for part in np.split(drawn, [6, 15])]
        if all(m.any(axis=0).all() and m.any(axis=1).all() for m in matrices):
            texts = [",".join("".join(map(str, row)) for row in m) for m in matrices]
            found["/".join([*texts, "111"])] = None
    return list(found)


def accuracies(engine: str) -> np.ndarray:
    """Train every mask with every seed for 50 epochs; return the accuracies."""
    masks = ", ".join(f'"{text}"' for text in random_masks())
    text = GRID.format(masks=masks, last=SEEDS - 1, engine=engine)
    packs = plan.pack(grid.loads(text).configs).configs.groupby("pack", sort=False)
    rows = [experiment.run(members) for _, members in packs]
    return np.concatenate([table["accuracy"].to_numpy() for table in rows])


@pytest.mark.benchmark
def test_sparse_and_vmap_reach_the_same_distribution_of_accuracy():
    """2,000 trainings on each engine: Kolmogorov–Smirnov at p > 0.01."""
    sparse, vmap = accuracies("sparse"), accuracies("vmap")
    assert len(sparse) == len(vmap) == MASKS * SEEDS
    assert len(np.unique(sparse)) > len(sparse) / 4
    assert stats.ks_2samp(sparse, vmap).pvalue > 0.01
