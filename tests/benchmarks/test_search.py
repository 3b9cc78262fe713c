"""The largest shape of the search, enumerated in full."""

import resource
import time
from collections import Counter

import numpy as np
import pytest

from spiral.search.burnside import count
from spiral.search.enumerate import orbits

pytestmark = pytest.mark.benchmark


def peak() -> int:
    """Return the largest memory of this process so far in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_7_3_3_is_enumerated_in_minutes_and_little_memory():
    next(orbits((1, 1, 1)))  # compiles
    memory, began, found = peak(), time.perf_counter(), Counter[int]()
    for block in orbits((7, 3, 3)):
        for weights, masks in enumerate(np.bincount(block.sum(axis=1))):
            found[weights] += int(masks)
    seconds = time.perf_counter() - began
    memory = (peak() - memory) / 1024
    total = found.total()
    assert {w: n for w, n in found.items() if n} == count((7, 3, 3)).by_nnz
    assert total == 8_338_343
    assert seconds < 300
    assert total / seconds >= 50_000
    assert memory < 100
