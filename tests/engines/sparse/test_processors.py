"""Code for another processor gives the same bits."""

import os
import subprocess
import sys

import pytest

from spiral.engines import cpu

ROWS = """
from dataclasses import fields
from spiral.engines.sparse import SparseEngine
from tests.engines import begin, make_job, some_masks

# 67 units: layers that are products of matrices, whose tiles and rows have remainders
for width, steps in ((6, 400), (67, 20)):
    job = make_job([0, 1, 2], width=width, batch=200)
    kept = some_masks([0, 1, 2], width)
    kept[2] &= some_masks([3], width)[0]  # too sparse for a product
    engine = SparseEngine()
    after = engine.advance(job, begin(job, kept), steps)
    arrays = [getattr(after, field.name) for field in fields(after)[1:]]
    arrays += vars(engine.evaluate(job, after)).values()
    print(*(array.tobytes().hex() for array in arrays if array is not None))
"""

AVX2 = "+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2"


@pytest.mark.slow
def test_code_for_avx2_and_for_this_processor_give_equal_rows(tmp_path):
    if cpu.instructions() not in {"AVX2", "AVX-512"}:
        pytest.skip("needs a processor with AVX2")
    outputs = []
    forced = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2}
    for number, target in enumerate(({}, forced)):
        env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / str(number))} | target
        run = [sys.executable, "-c", ROWS]
        done = subprocess.run(run, env=env, capture_output=True, text=True, check=True)
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 1000
