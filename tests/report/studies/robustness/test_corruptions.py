"""Corruptions of the plane do what their names say."""

import numpy as np
import pytest

from spiral.report.studies.robustness.corruptions import CORRUPTIONS, corrupt
from spiral.tasks import cubist

POINTS = cubist.load().x.astype(np.float64)


def moved(kind, severity):
    return corrupt(POINTS, kind, severity) - POINTS


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_severity_0_is_the_points_themselves(kind):
    assert corrupt(POINTS, kind, 0) is POINTS


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_five_severities_each_worse_than_the_one_before_and_always_the_same(kind):
    lengths = [np.linalg.norm(moved(kind, s), axis=1).mean() for s in range(6)]
    assert lengths == sorted(set(lengths))
    assert np.array_equal(moved(kind, 5), moved(kind, 5))
    if kind != "impulse":
        assert lengths[5] < 0.16  # half the gap between the classes


def test_noise_has_the_deviation_it_should():
    for severity, size in enumerate((0.02, 0.04, 0.06, 0.08, 0.10), start=1):
        assert np.allclose(moved("gaussian", severity).std(axis=0), size, rtol=0.02)
        relative = moved("speckle", severity) / POINTS
        assert np.allclose(relative.std(axis=0), size, rtol=0.02)


def test_a_higher_severity_moves_points_on_along_the_same_way():
    for kind in ("gaussian", "speckle", "shift", "scale", "warp"):
        assert np.allclose(moved(kind, 5), 5 * moved(kind, 1), atol=1e-12)
    hit = [moved("impulse", s) != 0 for s in (1, 5)]
    assert (hit[1] | ~hit[0]).all()


def test_impulses_replace_coordinates_by_extremes():
    found = corrupt(POINTS, "impulse", 5)
    hit = found != POINTS
    assert np.allclose(hit.mean(axis=0), 0.07, rtol=0.05)
    for axis in (0, 1):
        extreme = np.abs(POINTS[:, axis]).max()
        assert set(found[hit[:, axis], axis]) == {-extreme, extreme}


def test_shift_scale_and_rotation_are_rigid():
    assert np.allclose(np.linalg.norm(moved("shift", 3), axis=1), 0.06)
    assert np.allclose(corrupt(POINTS, "scale", 2), 0.96 * POINTS)
    turned = corrupt(np.array([[1.0, 0.0], [0.0, 2.0]]), "rotation", 5)
    angle = 5 * np.pi / 180
    expected = [[np.cos(angle), np.sin(angle)], [-2 * np.sin(angle), 2 * np.cos(angle)]]
    assert np.allclose(turned, expected)


def test_a_warp_is_smooth_and_bounded():
    assert np.abs(moved("warp", 4)).max() <= 0.08
    near = POINTS + np.array([1e-4, 0])
    change = (corrupt(near, "warp", 4) - near) - moved("warp", 4)
    assert np.abs(change).max() < 1e-4 * 0.08 * np.pi * 1.001


def test_quantised_points_lie_in_the_middle_of_cells():
    found = corrupt(POINTS, "quantise", 5)
    assert np.allclose(found / 0.2, np.round(found / 0.2))
    assert np.abs(found - POINTS).max() <= 0.1 + 1e-12
