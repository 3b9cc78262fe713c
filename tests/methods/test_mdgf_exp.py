"""``mdgf_exp`` fades hidden weights to a thousandth, or as published."""

import pytest

from spiral.job import Budget
from tests.methods.flows import golden, options


def test_exponential_fading_ends_at_a_thousandth():
    rest = options("mdgf_exp").plan(Budget(50, 390)).weight_map.rest
    assert rest[1950] == 1
    assert rest[1950 + 1370] == pytest.approx(
        0.5, abs=0.001
    )  # 1/2 is nearly 1/1000 of ten halvings
    assert rest[15_599] == pytest.approx(0.001, rel=1e-3)
    assert not rest[15_600:].any()


def test_published_rates_leave_what_theirs_leave():
    recipes = {1e-4: "paper", 5.6e-4: "matched"}
    for beta, step, left in golden()["exponential"]:
        plan = options("mdgf_exp", recipe=recipes[beta]).plan(Budget(50, 390))
        assert plan.weight_map.rest[step] == pytest.approx(left, rel=1e-12)
    paper = options("mdgf_exp", recipe="paper").plan(Budget(50, 390))
    assert paper.weight_map.rest[-1] == pytest.approx(0.142, abs=0.001)
