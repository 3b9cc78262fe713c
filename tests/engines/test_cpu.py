"""Names of processors and of their instructions."""

import pytest

from spiral.engines import cpu, sparse


@pytest.mark.parametrize(
    ("features", "expected", "lanes"),
    [
        ("+sse2,+avx,+avx2,+fma", "AVX2", 64),
        ("+avx512f,+avx2,+fma", "AVX-512", 128),
        ("+avx2,-avx512f", "AVX2", 64),
        ("+neon", "NEON", 64),
        ("", "none", 64),
    ],
)
def test_the_widest_instructions_decide(monkeypatch, features, expected, lanes):
    monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    assert cpu.instructions() == expected
    assert sparse.lanes.__wrapped__() == lanes


def test_a_processor_has_a_name(monkeypatch):
    assert cpu.name()
    monkeypatch.setattr(cpu, "facts", dict)
    monkeypatch.setattr(cpu.platform, "processor", lambda: "")
    assert cpu.name() == "unknown"
