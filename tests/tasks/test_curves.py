"""Moons, rings and spirals against point-by-point twins."""

import numpy as np
import pytest

from spiral import tasks
from tests.tasks import agrees, twins


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("moons", twins.moons()),
        ("moons(points=1001)", twins.moons(1001)),
        ("rings", twins.rings()),
        ("rings(n=2, points=3000)", twins.rings(2, 3000)),
        ("rings(n=8)", twins.rings(8)),
        ("spirals", twins.spirals()),
        ("spirals(turns=3, points=2000)", twins.spirals(3, 2000)),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_every_point_is_where_the_twin_puts_it(name, twin):
    agrees(tasks.load(name), twin)


@pytest.mark.parametrize("family", ["moons", "rings", "spirals"])
def test_noise_moves_points_by_its_size_and_is_always_the_same(family):
    build = tasks.FAMILIES[family].build
    values = {p.name: p.default for p in tasks.FAMILIES[family].parameters}
    clean = build(**values).points
    moved = build(**{**values, "noise": 0.2}).points - clean
    assert np.array_equal(build(**{**values, "noise": 0.2}).points, clean + moved)
    # 100,000 draws: the standard errors are 0.0006 and 0.0005
    assert moved.mean() == pytest.approx(0, abs=0.004)
    assert moved.std() == pytest.approx(0.2, abs=0.003)


def test_the_arms_of_spirals_are_apart():
    """Points of two classes are nowhere closer than along the inner arms."""
    raw = tasks.FAMILIES["spirals"].build(turns=1.75, points=2000, noise=0)
    ours, theirs = (raw.points[raw.labels == label] for label in (0, 1))
    distance = np.linalg.norm(ours[:, None] - theirs, axis=2)
    assert distance.min() > 0.9
