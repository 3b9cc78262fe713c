"""``mdgf_linear`` fades hidden weights along a line, on exact steps."""

import pytest

from spiral.job import Budget
from tests.methods.flows import golden, options, same, trained


def test_stages_of_50_epochs_are_5_35_and_10():
    method = options("mdgf_linear")
    plan = method.plan(Budget(50, 390))
    assert plan.events == (1950, 19_500)
    rest = plan.weight_map.rest
    assert rest[:1951].tolist() == [1.0] * 1951
    assert rest[1951] == pytest.approx(1 - 1 / 13_650)
    assert rest[15_599] == pytest.approx(1 / 13_650)
    assert not rest[15_600:].any()


def test_what_never_fades_is_dense_training_pruned_in_the_end():
    got = trained("mdgf_linear", beta=0.0, begin=0.0, end=1.0)
    once = trained("magnitude", at_epoch=5)
    assert same(got, once)


def test_the_papers_recipe_ends_after_5000_steps():
    plan = options("mdgf_linear", recipe="paper").plan(Budget(50, 390))
    assert plan.events == (0, 19_500)
    for beta, step, left in golden()["linear"]:
        assert beta == 2e-4
        assert plan.weight_map.rest[step] == pytest.approx(left, abs=1e-12)
    assert not plan.weight_map.rest[5000:].any()
