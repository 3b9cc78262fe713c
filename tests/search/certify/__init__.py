"""Lower bounds."""

from spiral.search.certify import exact

COARSE = exact.Grid(
    steps=4,
    cells=7,
    family_steps=2,
    family_cells=5,
    axis_cells=6,
    half_steps=2,
    half_cells=5,
    positions=1,
)
"""A grid so coarse that a proof takes moments, and proves little."""
