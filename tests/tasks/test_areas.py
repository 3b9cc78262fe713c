"""Checkerboards, xor and blobs against point-by-point twins."""

import numpy as np
import pytest

from spiral import tasks
from tests.tasks import agrees, twins


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("checkerboard", twins.checkerboard()),
        ("checkerboard(n=8, points=1000)", twins.checkerboard(8, 1000)),
        ("xor", twins.xor()),
        ("xor(points=2000)", twins.xor(2000)),
        ("blobs", twins.blobs()),
        ("blobs(n=2, points=1000)", twins.blobs(2, 1000)),
        ("blobs(n=5)", twins.blobs(5)),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_every_point_is_where_the_twin_puts_it(name, twin):
    agrees(tasks.load(name), twin)


@pytest.mark.parametrize("n", [2, 3, 6, 12])
def test_each_point_of_blobs_is_closest_to_its_own_centre(n):
    raw = tasks.FAMILIES["blobs"].build(n=n, points=50_000)
    centres = np.exp(2j * np.pi * np.arange(n) / n)
    nearest = np.abs((raw.points @ [1, 1j])[:, None] - centres).argmin(axis=1)
    assert np.array_equal(nearest, np.repeat(np.arange(n), 50_000 // n))
    assert np.array_equal(raw.labels, nearest % 2)


def test_blobs_have_the_moments_of_a_normal_distribution():
    raw = tasks.FAMILIES["blobs"].build(n=2, points=50_000)
    cloud = (raw.points[:25_000] - [1, 0]) / 0.2
    assert np.abs(cloud.mean(axis=0)).max() < 1e-2
    assert np.abs(np.cov(cloud.T) - np.eye(2)).max() < 1e-2
    assert np.abs((cloud**4).mean(axis=0) - 3).max() < 0.05


@pytest.mark.parametrize("name", ["checkerboard", "checkerboard(n=8)", "xor"])
def test_squares_are_a_tenth_apart(name):
    task = tasks.load(name)
    raw = task.x * task.scale.deviation + task.scale.mean
    beyond = np.abs(raw - raw.round())
    assert beyond.min() == pytest.approx(0.05, abs=0.02)
    assert beyond.min() > 0.05
