"""``sign_in``: a random mask, factors that let signs change, the same products."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import act, decide, plan_at, table
from tests.methods.learned import Noting, trained

USUAL = {"rescale_epochs": 1, "rescale_until": 0.5, "end": 0.75, "allocation": "erk"}
USUAL |= {"product_rate": 0.2}


def split(theta, beta=1.0):
    """Return (m, w) of a network whose weights are all equal."""
    method = METHODS["sign_in"].build(imbalance=beta, **USUAL)
    params, factors = method.split(np.full((1, 37), theta, np.float32), 3)
    return factors[0, 0], params[0, 0]


def test_factors_of_the_flow():
    assert split(0.0) == pytest.approx((1, 0))
    m, w = split(0.3)
    assert (m, w) == pytest.approx((1.040719, 0.288262), abs=1e-6)
    assert m**2 + w**2 == pytest.approx(1.166190, abs=1e-6)
    m, w = split(-0.3, 4.0)
    assert (m * w, m**2 - w**2) == pytest.approx((-0.3, 4.0), abs=1e-6)


@pytest.mark.parametrize(("beta", "end"), [(1e-12, 0.0), (0.01, -1.0), (1.0, -1.0)])
def test_a_weight_crosses_zero_if_its_factors_differ(beta, end):
    """Gradient descent on (θ + 1)²/2 from θ = 1; balanced factors stop at 0."""
    m, w = map(float, split(1.0, beta))
    for _ in range(3_000 if beta < 1e-3 else 20_000):
        slope = m * w + 1
        m, w = m - 0.01 * slope * w, w - 0.01 * slope * m
    assert m * w == pytest.approx(end, abs=1e-2)


def test_the_mask_is_that_of_static():
    mine, theirs = (decide(table(name)) for name in ("sign_in", "static"))
    assert np.array_equal(mine.masks, theirs.masks)


def test_splits_leave_the_product_and_pruned_weights_as_they_are():
    noting = Noting()
    state = trained(table("sign_in", 2, keep=[6, 18], epochs=4, batch=1000), noting)
    is_weight = mlp.is_weight(3)
    pairs = zip(noting.ends[:-1], noting.starts[1:], strict=True)
    for before, after in pairs:
        old = before.params[:, is_weight] * before.adapters
        new = after.params[:, is_weight]
        new = new if after.adapters is None else new * after.adapters
        assert np.abs(old - new).max() <= 2e-7
        assert not new[~state.masks[:, is_weight]].any()
    assert noting.starts[-1].adapters is None
    assert noting.starts[0].lr_scale.tolist() == [0.2, 0.2]
    assert noting.starts[-1].lr_scale.tolist() == [1, 1]
    change = act(table("sign_in"))
    theta = change.params[:, is_weight] * change.adapters
    kept = change.masks[:, is_weight]
    start = np.stack([mlp.initial_params(n, 3) for n in range(3)])[:, is_weight]
    assert theta == pytest.approx(np.where(kept, start, 0), abs=1e-7)


def test_beta_is_restored_at_epochs_of_the_first_half():
    plan = plan_at(10, "sign_in", **USUAL, imbalance=1.0)
    assert plan.events == (0, 390, 780, 1170, 1560, 1950, 2925)
    assert plan.weight_map.decays
    assert plan_at(
        2, "sign_in", **{**USUAL, "rescale_until": 0.0}, imbalance=1.0
    ).events == (0, 585)
