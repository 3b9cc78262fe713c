"""Blocks of steps, as a GPU captures them; here they are called, not captured."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.engines import blocks
from spiral.engines.vmap import VmapEngine
from spiral.protocol.job import Sam
from tests.engines import (
    begin,
    make_job,
    some_masks,
    test_forward,
    test_frank_wolfe,
)

IDS = (1, 2, 3)
STOP = 71  # four blocks, and what is left before and after them


def plain(**fields):
    job = make_job(IDS, **fields)
    return job, begin(job, some_masks(IDS))


def corners():
    job = test_frank_wolfe.job_of(setting=("k_polytope", 0.4, 2.0, "gradient"))
    return job, begin(job)


def masked(kind="layer", **mapped):
    job = test_forward.mapped_job(kind, 0.3, mapped=mapped)
    return job, test_forward.start(job, test_forward.SHOWN[kind])


def sharp():
    job, state = plain()
    return replace(job, plan=replace(job.plan, optimiser=Sam(0.05))), state


CASES = {
    "sgd": plain,
    "schedules": lambda: plain(schedule=("cosine", "step", "constant"), epochs=2),
    "losses": lambda: plain(batch=1_000, epochs=2),
    "sam": sharp,
    "frank-wolfe": corners,
    "masks at every step": masked,
    "masks at intervals": lambda: masked(interval=8),
    "masks that empty": lambda: masked("global", interval=3, stored=True),
}


@pytest.fixture(autouse=True)
def fresh():
    """Nothing is captured before, nor kept."""
    blocks._captured.cache_clear()
    yield
    blocks._captured.cache_clear()


def arrays(state):
    found = [state.params, state.momentum, state.losses]
    return [*found, *([] if state.active is None else [state.active])]


@pytest.mark.parametrize("name", CASES)
def test_blocks_change_no_bit(name):
    job, state = CASES[name]()
    state = replace(state, step=3) if name == "losses" else state
    usual = VmapEngine("cpu").advance(job, state, STOP)
    found = VmapEngine("cpu", in_blocks=True).advance(job, state, STOP)
    for mine, other in zip(arrays(found), arrays(usual), strict=True):
        assert np.array_equal(mine, other)
    assert blocks._captured.cache_info().misses > 0


def test_a_block_is_captured_once_for_packs_of_one_shape():
    engine = VmapEngine("cpu", in_blocks=True)
    job, state = plain()
    first = engine.advance(job, state, 64)
    kept = first.params.copy()
    other = make_job((4, 5, 6))
    engine.advance(other, begin(other, some_masks((4, 5, 6))), 64)
    assert blocks._captured.cache_info().misses == 1
    assert np.array_equal(first.params, kept)  # it is no view of a block's tensors
    assert np.array_equal(engine.advance(job, state, 64).params, kept)


def test_blocks_begin_at_multiples():
    size = blocks.BLOCK
    cuts = list(blocks.cut(3, 3 * size + 2))
    assert cuts[0] == (3, size)
    assert cuts[-1] == (3 * size, 3 * size + 2)
    assert [end - begin for begin, end in cuts[1:-1]] == [size, size]


def test_masks_at_intervals_need_few_blocks():
    """They are chosen at the same steps of each."""
    job, state = masked(interval=8)
    VmapEngine("cpu", in_blocks=True).advance(job, state, 160)
    assert blocks._captured.cache_info().misses == 1
