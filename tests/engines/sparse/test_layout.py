"""Numbers in the kernels' layout, and back."""

import numpy as np

from spiral.engines.sparse.layout import gather, scatter
from spiral.engines.sparse.lists import build
from tests.engines import some_masks


def test_scatter_undoes_gather_and_leaves_the_rest():
    kept = some_masks(range(4), 3)
    lists = build(kept, 3)
    values = np.random.default_rng(1).random(kept.shape).astype(np.float32)
    slots = gather(values, lists)
    assert slots.ctypes.data % 64 == 0
    found = scatter(np.zeros_like(values), slots, kept, lists)
    assert np.array_equal(found, np.where(kept, values, 0))
