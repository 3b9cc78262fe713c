"""Names of processors and of their instructions."""

import pytest

from spiral.engines import cpu


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ("+sse2,+avx,+avx2,+fma", "AVX2"),
        ("+avx512f,+avx2,+fma", "AVX-512"),
        ("+avx2,-avx512f", "AVX2"),
        ("+neon", "NEON"),
        ("", "none"),
    ],
)
def test_the_widest_instructions_decide(monkeypatch, features, expected):
    monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    assert cpu.instructions() == expected


def test_a_processor_has_a_name(monkeypatch):
    assert cpu.name()
    monkeypatch.setattr(cpu, "facts", dict)
    monkeypatch.setattr(cpu.platform, "processor", lambda: "")
    assert cpu.name() == "unknown"
