"""The largest shape of the search, enumerated in full."""

import json

import pytest

from spiral.search.burnside import count
from tests.benchmarks.measure import at_most, cost, seconds
from tests.search import complete_masks, renumbered

pytestmark = pytest.mark.benchmark

ENUMERATED = """
import json
from collections import Counter
import numpy as np
from spiral.search.enumerate import orbits
found = Counter()
for block in orbits(tuple(map(int, sys.argv[1:]))):
    for weights, masks in enumerate(np.bincount(block.sum(axis=1))):
        found[weights] += int(masks)
print(json.dumps({weights: masks for weights, masks in found.items() if masks}))
"""
"""Masks of a shape by their weights."""

TINY = (3, 2, 2)


def test_7_3_3_is_enumerated_fast_and_in_the_memory_of_a_small_shape():
    small, large = cost(ENUMERATED, *TINY), cost(ENUMERATED, 7, 3, 3)
    found = {int(weights): n for weights, n in json.loads(large.out).items()}
    assert found == count((7, 3, 3)).by_nnz
    total = sum(found.values())
    assert total == 8_338_343
    slow = seconds(lambda: {min(renumbered(mask)) for mask in complete_masks(TINY)})
    plain = slow / sum(json.loads(small.out).values())
    at_most(0.01, "a mask, against the slowest way", large.seconds / total, plain)
    at_most(1.5, "memory of all masks", large.kilobytes, small.kilobytes)
