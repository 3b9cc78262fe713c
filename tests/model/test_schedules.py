"""Learning-rate factors at the epochs where they change."""

import numpy as np
import pytest

from spiral.model import schedules
from tests.tolerances import tolerance

STEPS = 390


def at(name, epoch, part=0):
    """Return the factor at the first (0) or last (-1) step of an epoch of 50."""
    curve = schedules.curves(50, STEPS)[name]
    return curve[epoch * STEPS : (epoch + 1) * STEPS][part]


@pytest.mark.parametrize("part", [0, -1])
@pytest.mark.parametrize(
    ("epoch", "factor"), [(0, 1), (14, 1), (15, 0.1), (29, 0.1), (30, 0.01), (49, 0.01)]
)
def test_step_drops_tenfold_at_epochs_15_and_30(epoch, factor, part):
    assert at("step", epoch, part) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("part", [0, -1])
def test_cosine_runs_from_one_towards_zero(part):
    assert at("cosine", 0, part) == 1
    assert at("cosine", 25, part) == pytest.approx(0.5, rel=1e-12)
    assert at("cosine", 14, part) == pytest.approx(0.8187119949)
    assert at("cosine", 49, part) == pytest.approx(
        9.866e-4, abs=tolerance("cosine_end")
    )


def test_constant_is_one_throughout():
    assert set(schedules.curves(50, STEPS)["constant"]) == {1.0}


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_factor_lasts_a_whole_epoch(name):
    curve = schedules.curves(7, 5)[name].reshape(7, 5)
    assert np.array_equal(curve, curve[:, :1].repeat(5, axis=1))


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(10, [1] * 3 + [0.1] * 3 + [0.01] * 4), (20, [1] * 6 + [0.1] * 6 + [0.01] * 8)],
)
def test_milestones_are_fractions_of_the_epochs(epochs, expected):
    assert schedules.step(epochs) == pytest.approx(expected)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
@pytest.mark.parametrize("epochs", [1, 2, 3, 50, 10_000])
def test_the_first_epoch_has_the_base_rate(name, epochs):
    assert schedules.SCHEDULES[name](epochs)[0] == 1


@pytest.mark.parametrize("name", schedules.SCHEDULES)
@pytest.mark.parametrize("epochs", [1, 2, 50, 10_000])
def test_factors_are_positive_and_never_rise(name, epochs):
    factors = schedules.SCHEDULES[name](epochs)
    assert len(factors) == epochs
    assert (np.diff(factors) <= 0).all()
    assert ((factors > 0) & (factors <= 1)).all()
