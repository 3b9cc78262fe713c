"""The compiled loss and descent against plain NumPy."""

import numpy as np
import pytest

from spiral.search import candidate, descent, polish
from spiral.search.candidate import activations, compiled, with_params
from spiral.tasks import catalogue

from .test_candidate import drawn

CUBIST = catalogue.load("cubist")


def signed_logits(found, points):
    x, sign = points
    return activations(found, x)[-1][0] * sign


def plain_loss(found, points, sharpness):
    m = sharpness * signed_logits(found, points)
    return float(np.mean(0.5 - 0.5 * m / np.sqrt(1 + m * m)))


@pytest.fixture(scope="module")
def found():
    simple = candidate.simplified(drawn(np.random.default_rng(3), share=0.7))
    assert simple is not None
    return candidate.balanced(simple, polish.spaced(CUBIST, 500)[0])


@pytest.mark.parametrize("every", [100, 997])  # 500 points and 50: several chunks, one
def test_loss_and_gradient_are_those_of_numpy(found, every):
    points = polish.spaced(CUBIST, every)
    net, theta = compiled(found)
    gradient = np.empty(len(theta))
    value = descent.loss(net, theta, points, 3.0, gradient)
    assert value == pytest.approx(plain_loss(found, points, 3.0), rel=1e-12)
    for place in range(len(theta)):
        step = np.zeros(len(theta))
        step[place] = 1e-6
        up = plain_loss(with_params(found, theta + step), points, 3.0)
        down = plain_loss(with_params(found, theta - step), points, 3.0)
        assert gradient[place] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_right_points_are_counted_as_numpy_counts_them(found):
    points = polish.spaced(CUBIST, 100)
    right, size = descent.count_right(*compiled(found), points)
    signed = signed_logits(found, points)
    assert right == (signed > 0).sum()
    assert size == pytest.approx(np.abs(signed).mean())


def test_descent_reaches_a_stationary_point_below_the_start(found):
    points = polish.spaced(CUBIST, 500)
    net, theta = compiled(found)
    before = plain_loss(found, points, 1.0)
    value = descent.descend(net, theta, points, 1.0, 400)
    after = plain_loss(with_params(found, theta), points, 1.0)
    assert value == pytest.approx(after, rel=1e-9)
    assert after < before
    again = descent.descend(net, theta.copy(), points, 1.0, 400)
    assert again == pytest.approx(value, rel=1e-3)


def test_a_polish_reports_the_loss_of_what_it_returns(found):
    polished = polish.polish(found, CUBIST)
    assert polished is not None
    points = polish.spaced(CUBIST, polish.QUICK.every)
    size = np.abs(signed_logits(polished, points)).mean()
    sharpness = polish.QUICK.sharpness[-1] / size
    expected = plain_loss(polished, points, sharpness)
    assert polish.loss_of(polished, CUBIST) == pytest.approx(expected, rel=1e-9)
    assert polish.right(polished, CUBIST) >= 0.9 * polish.right(found, CUBIST)


@pytest.mark.parametrize("scale", [1e60, 1e160, 1e300])
def test_weights_out_of_all_bounds_are_given_up(found, scale):
    """A cliff between classes with room between them may grow without end."""
    large = with_params(found, compiled(found)[1] * scale)
    with np.errstate(all="ignore"):
        assert polish.polish(large, CUBIST) is None
    assert candidate.to_network(large) is None
