"""The bench measures real engines on real networks."""

import pytest

from spiral import bench, masks


@pytest.mark.parametrize("case", bench.CASES, ids=lambda case: case.name)
def test_a_case_is_what_its_name_says(case):
    kept = case.masks(3)
    nnz = masks.of_weights(kept, case.width).sum(axis=1)
    d1, d2, d3 = case.sizes
    assert (nnz == (case.keep or 2 * d1 + d1 * d2 + d2 * d3 + d3)).all()
    assert (masks.on_path(kept, case.width).sum(axis=1) == nnz).all()


def test_every_engine_of_a_case_is_measured():
    found = bench.measure((bench.CASES[0],), repeats=1)
    assert found["sgemm_gflops"] > 0
    engines = {row["engine"] for row in found["results"]}
    assert {"loop", "reference", "vmap", "sparse", "sparse-plain"} <= engines
    for row in found["results"]:
        assert row["case"] == "3-3-3"
        assert 0 < row["lowest"] <= row["networks_per_s"] <= row["highest"]
        flops = row["networks_per_s"] * 19_500 * 128 * 6 * 37
        assert row["gflops"] == pytest.approx(flops / 1e9, rel=1e-2)
    assert bench.as_text(found).count("\n") == 1 + len(found["results"])
