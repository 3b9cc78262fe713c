"""What the kernels compile to, for cards that are not there."""

import shutil
from pathlib import Path

import pytest

from spiral import extras
from tests.benchmarks import occupancy
from tests.engines.sparse_cuda import programs

pytestmark = pytest.mark.skipif(
    not extras.installed("numba_cuda"), reason="numba-cuda is not installed"
)


@pytest.fixture(scope="module", params=[(8, 0), (9, 0)], ids=["sm_80", "sm_90"])
def compiled(request):
    try:
        found = {name: programs.ptx(name, request.param) for name in programs.KERNELS}
    except Exception as error:  # of several packages
        if "libnvvm" not in str(error) and "libnvrtc" not in str(error):
            raise
        pytest.skip("NVVM is not installed (`pip install 'spiral-sweep[cuda]'`)")
    return request.param, found


def test_kernels_compile_to_ptx(compiled):
    (major, minor), found = compiled
    for text in found.values():
        assert f".target sm_{major}{minor}" in text
        assert ".entry" in text


def test_networks_are_read_from_shared_memory_and_nothing_from_local(compiled):
    for text in (compiled[1]["train"], compiled[1]["evaluate"]):
        assert "ld.shared.f32" in text
        assert "fma.rn.f32" in text
        assert "local" not in text
        assert "\tld.f32" not in text  # an address that may lie anywhere


def test_steps_compute_in_float32(compiled):
    """Only the sum of losses is float64: an addition per thread, and one per step."""
    text = compiled[1]["train"]
    assert not [x for x in ("mul", "fma", "div", "sub") if f"{x}.rn.f64" in text]
    assert text.count("add.rn.f64") <= 40


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="ptxas is not installed")
def test_as_many_networks_fit_as_shared_memory_allows(compiled, tmp_path):
    """65,536 registers hold 32 warps, the most that are resident, at 64 a thread."""
    architecture, found = compiled
    for text in found.values():
        try:
            taken = programs.resources(text, architecture, tmp_path)
        except RuntimeError as error:
            if "Unsupported .version" not in str(error):
                raise
            pytest.skip("ptxas is older than the PTX")
        assert taken.registers <= 64
        assert taken.spilled == 0


def test_the_page_has_the_figures_that_are_computed():
    page = Path(__file__).parents[3] / "benchmarks/sparse_cuda.md"
    assert occupancy.occupancy() in page.read_text()


def test_a_slot_and_a_row_fit_into_an_edge():
    from spiral.engines.sparse.lists import LANES
    from spiral.engines.sparse_cuda import kernel, layout

    slots, rows = layout.MOST_BYTES // 16, layout.MOST_BYTES // (4 * LANES)
    assert slots < 2**kernel.SLOT_BITS
    assert rows * LANES < 2 ** (32 - kernel.SLOT_BITS)
