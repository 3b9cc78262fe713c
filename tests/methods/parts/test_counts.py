"""Schedules of pruning, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from spiral.methods.parts import counts

CASES = [(27, 11), (560, 15), (131_840, 65)]


@pytest.mark.parametrize(("total", "keep"), CASES)
def test_the_cubic_is_that_of_fractions_and_falls_to_keep(total, keep):
    done = [Fraction(i, 10) for i in range(11)]
    exact = [float(keep + (total - keep) * (1 - part) ** 3) for part in done]
    found = counts.cubic(np.arange(11) / 10, keep, total)
    assert found == pytest.approx(exact, rel=1e-12)
    assert (found[0], found[-1]) == (total, keep)
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize(("total", "keep"), CASES)
def test_every_round_of_the_geometric_schedule_keeps_the_same_share(total, keep):
    found = counts.geometric(np.arange(6) / 5, keep, total)
    assert found[1:] / found[:-1] == pytest.approx([(keep / total) ** 0.2] * 5)
    assert (found[0], found[-1]) == pytest.approx((total, keep))


def test_networks_with_different_numbers_of_weights_share_a_call():
    keep = np.array([3, 27])
    assert counts.geometric(0.5, keep, 27) == pytest.approx([9, 27])
    assert counts.cubic(0.5, keep, 27) == pytest.approx([6, 27])


def test_a_rate_removes_a_fifth_rounded_up():
    left = [counts.left_at_rate(level, 27, 0.2) for level in range(6)]
    assert left == [27, 21, 16, 12, 9, 7]


def test_as_many_levels_as_the_rate_needs():
    """560 weights: 448, 358, …, 28 after thirteen levels and 22 after fourteen."""
    assert counts.left_at_rate(13, 560, 0.2) > 26 >= counts.left_at_rate(14, 560, 0.2)
    assert counts.levels_needed(560, 26, 0.2) == 14
    assert counts.levels_needed(560, 560, 0.2) == 1
