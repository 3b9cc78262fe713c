"""What engines say a step costs."""

import numpy as np
import pytest

from spiral.engines import ENGINES
from spiral.engines.prices import ByWeights, ByWidth
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Plan
from spiral.protocol.plan import AdamW

PLAN = Plan.simple(Budget(50, 390))


def profile(*kept):
    return CostProfile.even(np.array(kept, float))


def test_a_table_by_width_is_met_at_its_points_and_a_power_law_between():
    price = ByWidth({4: 1.0, 16: 4.0})
    steps = [19_500 * price.step(w, profile(9), PLAN)[0] for w in (4, 8, 16)]
    assert steps == pytest.approx([1.0, 2.0, 4.0])


def test_masks_make_no_difference_to_a_table_by_width():
    price = ByWidth({4: 1.0})
    steps = price.step(4, profile(1, 500), PLAN)
    assert steps[0] == steps[1]


def test_another_optimiser_takes_longer_by_its_factor():
    price = ByWidth({4: 1.0}, extra={"adamw": 1.5})
    plain = price.step(4, profile(9), PLAN)
    other = Plan.simple(Budget(50, 390), optimiser=AdamW(since=0))
    assert price.step(4, profile(9), other) == pytest.approx(1.5 * plain)


def test_a_price_by_weights_counts_biases_and_the_step_itself():
    price = ByWeights({1: 2.0, 1000: 2.0}, step_nanoseconds=30.0, factor=3.0)
    few, many = price.step(10, profile(20, 500), PLAN)
    assert few == pytest.approx(3e-9 * (30 + 2 * (20 + 12)))
    assert many == pytest.approx(3e-9 * (30 + 2 * (500 + 31)))


def test_parts_of_a_training_count_by_their_share():
    price = ByWeights({1: 2.0}, step_nanoseconds=0.0)
    whole, half = (price.step(1, profile(n), PLAN)[0] for n in (100, 50))
    both = CostProfile(np.array([[100.0], [50.0]]), np.array([[0.25], [0.75]]))
    found = price.step(1, both, PLAN)[0]
    assert found == pytest.approx(0.25 * whole + 0.75 * half)


def test_packs_of_wide_networks_are_small_where_activations_must_fit():
    price = ENGINES["vmap"].price
    assert [price.most_networks(width) for width in (3, 16, 256)] == [512, 128, 8]
    assert ENGINES["sparse"].price.most_networks(256) == np.inf


@pytest.mark.parametrize("name", ENGINES)
def test_wider_networks_cost_more_on_every_engine(name):
    price = ENGINES[name].price
    widths = {3: 37, 16: 609, 64: 8_641, 256: 132_865}
    steps = [price.step(w, profile(n), PLAN)[0] for w, n in widths.items()]
    assert 0 < steps[0] < steps[1] < steps[2] < steps[3]
