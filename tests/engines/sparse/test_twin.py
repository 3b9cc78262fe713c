"""The vector kernel and its plain twin, and what only this engine promises."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spiral import engines
from spiral.engines import sparse
from spiral.engines.sparse import layout
from spiral.protocol.job import TrainState
from tests.engines import begin, make_job, prune, some_masks
from tests.tolerances import TOLERANCES

IDS = range(12)
ROOT = Path(__file__).parents[3]


def run(engine, ids=IDS, stop=60, width=5, **fields) -> TrainState:
    job = make_job(list(ids), width=width, **fields)
    return engine.advance(job, begin(job, some_masks(ids, width)), stop)


@pytest.fixture(scope="module")
def plain() -> sparse.SparseEngine:
    return sparse.SparseEngine(loops=sparse.plain_kernel())


@pytest.mark.parametrize("batch", [50, 128, 200, 300])
def test_the_twin_agrees_with_reference(plain, batch):
    found = run(plain, batch=batch)
    expected = run(engines.build("reference"), batch=batch)
    gap = np.abs(found.params - expected.params).max()
    assert gap <= TOLERANCES["steps_100"].value


def test_the_twin_evaluates_as_the_kernel_does(plain):
    job = make_job(list(IDS), width=5)
    state = begin(job, some_masks(IDS, 5))
    ours, fast = plain.evaluate(job, state), sparse.SparseEngine().evaluate(job, state)
    assert np.abs(ours.correct - fast.correct).max() <= TOLERANCES["count"].value
    assert np.abs(ours.loss - fast.loss).max() <= TOLERANCES["loss"].value


def test_the_twin_takes_over_where_vectors_do_not_build(monkeypatch):
    from spiral.engines.sparse import kernel

    def broken() -> None:
        raise RuntimeError("no such vector")

    monkeypatch.setattr(kernel, "probe", broken)
    sparse.best_kernel.cache_clear()
    try:
        with pytest.warns(UserWarning, match="no such vector"):
            assert sparse.SparseEngine().name == "sparse-plain"
    finally:
        sparse.best_kernel.cache_clear()
    monkeypatch.undo()
    assert sparse.SparseEngine().name == "sparse"


@pytest.mark.parametrize("batch", [37, 128, 200])
def test_a_network_has_the_same_bits_in_every_pack(batch):
    """Alone, reordered, among others of other masks and schedules, on two threads."""
    whole = run(sparse.SparseEngine(2), batch=batch)
    for some in ([4], [7, 4, 1], list(reversed(IDS))):
        part = run(sparse.SparseEngine(1), some, batch=batch)
        for row, n in enumerate(some):
            assert part.params[row].tobytes() == whole.params[n].tobytes()
            assert part.momentum[row].tobytes() == whole.momentum[n].tobytes()


def test_many_order_seeds_are_laid_out_in_parts(monkeypatch):
    expected = run(sparse.SparseEngine())
    monkeypatch.setattr(layout, "SEEDS_AT_ONCE", 2)
    assert run(sparse.SparseEngine()).params.tobytes() == expected.params.tobytes()


def test_weights_that_cannot_reach_the_output_only_decay():
    """Their gradient is zero in any engine; here they are not even nodes."""
    job = make_job([1], width=2)
    kept = np.ones((1, job.initial.shape[1]), bool)
    kept[0, 12:14] = False  # W3[0, :]: layer-2 units reach unit 1 only
    kept[0, 16] = False  # the bias of unit 0
    kept[0, 18] = True
    ours = sparse.SparseEngine().advance(job, begin(job, kept), 30)
    expected = engines.build("reference").advance(job, begin(job, kept), 30)
    gap = np.abs(ours.params - expected.params).max()
    assert gap <= TOLERANCES["steps_100"].value


def test_a_masked_bias_of_a_live_unit_stays_zero():
    job = make_job([1, 2], width=3)
    kept = np.ones(job.initial.shape, bool)
    kept[:, 6] = False  # the first unit's bias, though the unit has outgoing weights
    found = sparse.SparseEngine().advance(job, begin(job, kept), 50)
    expected = engines.build("reference").advance(job, begin(job, kept), 50)
    assert (found.params[:, 6] == 0).all()
    gap = np.abs(found.params - expected.params).max()
    assert gap <= TOLERANCES["steps_100"].value


def test_a_mask_change_on_the_way_is_followed():
    job = make_job(list(IDS), width=5)
    for engine in (sparse.SparseEngine(), engines.build("reference")):
        state = engine.advance(job, begin(job), 20)
        state = engine.advance(job, prune(state, some_masks(IDS, 5)), 40)
        if engine.name == "sparse":
            found = state
    gap = np.abs(found.params - state.params).max()
    assert gap <= TOLERANCES["steps_100"].value


def test_the_empty_network_is_its_output_bias():
    job = make_job([1, 2], width=3)
    kept = np.zeros(job.initial.shape, bool)
    kept[:, -1] = True
    found = sparse.SparseEngine().advance(job, begin(job, kept), 30)
    expected = engines.build("reference").advance(job, begin(job, kept), 30)
    assert np.abs(found.params - expected.params).max() <= TOLERANCES["step_1"].value
    evaluation = sparse.SparseEngine().evaluate(job, found)
    assert evaluation.correct.tolist() == [24_991, 24_991]


def test_lists_follow_the_masks_not_the_values():
    job = make_job([1], width=3)
    state = begin(job)
    zero = replace(state, params=np.zeros_like(state.params))
    found = sparse.SparseEngine().advance(job, zero, 5)
    assert found.masks.all()
    assert np.isfinite(found.params).all()


BITS = """
from spiral import engines
from tests.engines import begin, make_job
from tests.engines.sparse.test_forward import job_of, start
for name in ("sparse", "sparse-plain"):
    engine, job, mapped = engines.build(name), make_job(), job_of()
    print(engine.advance(job, begin(job), 20).params.tobytes().hex())
    print(engine.advance(mapped, start(mapped), 20).params.tobytes().hex())
"""


@pytest.mark.slow
def test_code_from_the_cache_computes_the_bits_of_code_just_compiled(tmp_path):
    options = {"cwd": ROOT, "env": os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}}
    command = [sys.executable, "-c", BITS]
    compiled, cached = (
        subprocess.run(command, check=True, capture_output=True, **options).stdout
        for _ in range(2)
    )
    assert compiled == cached
    assert len(compiled.split()) == 4
