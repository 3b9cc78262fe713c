"""What a network makes of corrupted points, against the network spelled out."""

import numpy as np
import pytest

from spiral.model import mlp
from spiral.report.studies.robustness import corruptions, measure
from spiral.report.studies.robustness.measure import KINDS, read
from spiral.tasks import catalogue, cubist
from tests import oracles

CUBIST = catalogue.load("cubist")

WIDTH = 5
PROBE = measure.probe(catalogue.load("cubist"), 97)
X, Y = cubist.load().x[::97], cubist.load().y[::97]


def network(seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal(mlp.param_count(WIDTH))


def seen(params):
    """Return h, w, b, z and the side of each point."""
    *_, before, z = oracles.activations(params, X, WIDTH)
    weights, biases = oracles.split(params, WIDTH)[-1]
    side = np.where(Y == 1, 1.0, -1.0)
    return np.maximum(before, 0), weights[0], biases[0], z[:, 0], side


@pytest.mark.parametrize("seed", range(3))
def test_margin_angle_and_length_decompose_the_logit(seed):
    params = network(seed)
    found, (h, w, b, z, side) = read(params, WIDTH, PROBE), seen(params)
    size = np.linalg.norm(w)
    assert np.array_equal(found.margin > 0, found.right)
    assert np.allclose(found.margin * size, side * z, rtol=1e-6)
    assert np.allclose(found.length, np.sqrt((h**2).sum(axis=1)))
    loud = found.length > 0
    product = size * found.length * np.cos(np.radians(found.angle))
    assert np.allclose(product[loud], (side * (z - b))[loud], rtol=1e-6, atol=1e-9)
    assert np.isnan(found.angle[~loud]).all()


def test_severity_0_reproduces_clean_numbers_bit_for_bit():
    params = network(1)
    found = read(params, WIDTH, PROBE)
    clean = mlp.logits(params, X.T.astype(np.float64), WIDTH)
    share = oracles.correct(clean, Y) / len(Y)
    assert (found.accuracy[:, 0] == share).all()
    assert measure.numbers(found)["accuracy"] == share
    for points in PROBE.corrupted:
        assert np.array_equal(mlp.logits(params, points[0], WIDTH), clean)


def test_every_accuracy_is_that_of_corrupted_points():
    params = network(2)
    found = read(params, WIDTH, PROBE)
    points = X.astype(np.float64)
    for kind, line in zip(KINDS, found.accuracy, strict=True):
        for severity, accuracy in enumerate(line):
            bad = corruptions.corrupt(points, kind, severity)
            z = oracles.logits(params, bad, WIDTH)
            assert accuracy == oracles.correct(z, Y) / len(Y)


def test_the_scale_of_features_changes_their_length_only():
    params = network(3)
    scaled = params.copy()
    (w3, b3), (w4, _) = mlp.matrices(scaled, WIDTH)[2:]
    w3 *= 8
    b3 *= 8
    w4 /= 8
    before, after = (read(p, WIDTH, PROBE) for p in (params, scaled))
    assert np.array_equal(after.length, 8 * before.length)
    assert np.allclose(after.angle, before.angle, equal_nan=True)
    assert np.array_equal(after.accuracy, before.accuracy)
    assert np.allclose(after.margin, 8 * before.margin)


def test_turning_data_and_first_layer_together_changes_nothing():
    params, turn = network(4), np.pi / 7
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned = params.copy()
    weights, _ = mlp.matrices(turned, WIDTH)[0]
    weights[:] = weights @ matrix.T
    there = PROBE._replace(
        clean=matrix @ PROBE.clean,
        corrupted=tuple(tuple(matrix @ p for p in way) for way in PROBE.corrupted),
    )
    before, after = read(params, WIDTH, PROBE), read(turned, WIDTH, there)
    assert np.array_equal(before.accuracy, after.accuracy)
    for name in ("angle", "length", "margin", "moved"):
        pair = getattr(before, name), getattr(after, name)
        assert np.allclose(*pair, rtol=1e-6, atol=1e-6, equal_nan=True)


def test_small_noise_moves_the_logit_as_its_slope_says():
    """Mean of Δz about 0, variance σ²‖∇z‖², where no unit changes its mind."""
    params = network(5)
    noise = 1e-4 * np.random.default_rng(0).standard_normal((2000, 2))
    sizes = []
    for point in X[::60].astype(np.float64):
        here = np.tile(point, (2000, 1))
        change = oracles.logits(params, here + noise, WIDTH)
        change -= oracles.logits(params, here, WIDTH)
        found = mlp.logits(params, (here + noise).T, WIDTH)
        found = found - mlp.logits(params, here.T, WIDTH)
        assert np.allclose(found, change, atol=1e-12)
        slope = [
            oracles.logits(params, (point + step)[None], WIDTH)
            - oracles.logits(params, (point - step)[None], WIDTH)
            for step in 1e-6 * np.eye(2)
        ]
        size = np.linalg.norm(slope) / 2e-6
        sizes.append(size)
        assert abs(found.mean()) <= 0.1 * 1e-4 * size
        assert found.var() == pytest.approx(1e-8 * size**2, rel=0.1)
    assert max(sizes) > 0.1


def test_points_are_fragile_that_half_of_the_corruptions_turn():
    found, points = read(network(0), WIDTH, PROBE), X.astype(np.float64)
    turned = np.zeros(len(Y), int)
    for kind in KINDS:
        z = oracles.logits(network(0), corruptions.corrupt(points, kind, 5), WIDTH)
        turned += (z > 0) != (Y == 1)
    clean = (oracles.logits(network(0), points, WIDTH) > 0) == (Y == 1)
    assert np.array_equal(found.fragile, clean & (turned >= 4))
    assert found.fragile.any()


def test_a_network_without_an_output_has_no_direction():
    params = network(0)
    mlp.matrices(params, WIDTH)[-1][0][:] = 0
    found = measure.numbers(read(params, WIDTH, PROBE))
    assert np.isnan(found["margin"])
    assert np.isnan(found["angle"])
    assert found["accuracy"] == pytest.approx(0.5, abs=0.01)
    assert found["drop"] == 0


def test_numbers_are_means_and_quantiles():
    reading = read(network(1), WIDTH, PROBE)
    found = measure.numbers(reading)
    assert found["mean_corruption"] == pytest.approx(reading.accuracy[:, 1:].mean())
    assert found["warp"] == reading.accuracy[KINDS.index("warp"), 1:].mean()
    clean = reading.accuracy[0, 0]
    assert found["drop"] == pytest.approx(1 - found["mean_corruption"] / clean)
    margins = sorted(reading.margin)
    assert found["margin"] == pytest.approx(np.median(margins))
    assert found["margin_low"] == pytest.approx(np.quantile(margins, 0.05))
    angles = reading.angle[~np.isnan(reading.angle)]
    assert found["angle_high"] == pytest.approx(np.quantile(angles, 0.95))


def test_overlap_is_shared_over_all():
    a, b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert measure.jaccard(a, b) == pytest.approx(1 / 3)
    assert measure.jaccard(a, a) == 1
    assert np.isnan(measure.jaccard(a & ~a, b & ~b))


def test_redundancy_is_the_mean_correlation_of_what_margins_do():
    readings = [read(network(seed), WIDTH, PROBE) for seed in range(3)]
    still = readings[0]._replace(moved=np.zeros_like(readings[0].moved))
    found = measure.redundancy([*readings, still])
    each = [np.corrcoef(r.moved[0], r.moved[3])[0, 1] for r in readings]
    assert found[0, 3] == pytest.approx(np.mean(each))
    assert np.allclose(np.diag(found), 1)
    assert np.isnan(measure.redundancy([still])).all()


def test_room_is_how_far_a_right_point_can_move_any_way():
    params = network(0)
    found, on = read(params, WIDTH, PROBE), PROBE.clean.T[::10]
    z = oracles.logits(params, on, WIDTH)
    right = on[(z > 0) == (Y[::10] == 1)]
    expected = []
    for point in right:
        side = oracles.logits(params, point[None], WIDTH)[0] > 0
        far = 0.0
        for step in range(1, 16):
            ring = [
                point + 0.02 * step * np.array([np.cos(t), np.sin(t)])
                for t in np.arange(16) * np.pi / 8
            ]
            if ((oracles.logits(params, np.array(ring), WIDTH) > 0) != side).any():
                break
            far = 0.02 * step
        expected.append(far)
    assert np.allclose(found.room, expected)
    assert len({*np.round(expected, 2)}) > 2
