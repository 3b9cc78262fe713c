"""Ratios that must hold on a quiet machine, all from one run of the bench."""

import time

import pytest

from spiral import bench
from spiral.bench.cases import job_of
from spiral.engines import sparse
from tests.benchmarks.measure import at_most, cost

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def speed() -> dict[tuple[str, str, int], float]:
    """Return networks/s by case, engine and threads."""
    cases = tuple(c for c in bench.CASES if c.name in ("3-3-3", "16-16-16"))
    found = bench.measure(cases)
    return {
        (row["case"], row["engine"], row["threads"]): row["networks_per_s"]
        for row in found["results"]
    }


def cores(speed) -> int:
    return max(threads for _, _, threads in speed)


def test_vmap_on_one_core_is_thirty_times_the_loop(speed):
    assert speed["3-3-3", "vmap", 1] >= 30 * speed["3-3-3", "loop", 1]


@pytest.mark.parametrize(("case", "bar"), [("3-3-3", 1_750), ("16-16-16", 125)])
def test_sparse_on_each_core_beats_the_loop(speed, case, bar):
    assert speed[case, "sparse", 1] >= bar * speed[case, "loop", 1]


def test_sparse_is_faster_than_vmap_on_one_core(speed):
    assert speed["3-3-3", "sparse", 1] > 4 * speed["3-3-3", "vmap", 1]


def test_two_threads_are_worth_it(speed):
    if cores(speed) < 2:
        pytest.skip("one core only")
    ratio = speed["3-3-3", "sparse", cores(speed)] / speed["3-3-3", "sparse", 1]
    assert ratio >= 0.85 * cores(speed)


FIRST_CALL = """
import time
from spiral.bench.cases import CASES, job_of
from spiral.engines import sparse
job, state = job_of(CASES[0], 4)
began = time.process_time()
engine = sparse.SparseEngine()
engine.evaluate(job, engine.advance(job, state, 5))
print(time.process_time() - began)
"""


def test_a_second_process_need_not_compile(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    first, second = (float(cost(FIRST_CALL).out) for _ in range(2))
    at_most(0.2, "a first call with a cache", second, first)


def test_evaluation_costs_less_than_two_percent():
    engine = sparse.SparseEngine()
    job, state = job_of(bench.CASES[0], 100)
    state = engine.advance(job, state, 20)
    began = time.perf_counter()
    trained = engine.advance(job, state, 20 + bench.STEPS)
    training = time.perf_counter() - began
    engine.evaluate(job, trained)
    began = time.perf_counter()
    engine.evaluate(job, trained)
    at_most(0.02, "evaluation", time.perf_counter() - began, training)
