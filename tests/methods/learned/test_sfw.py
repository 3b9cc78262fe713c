"""``sfw``: starts within its balls, trains once for all keeps, prunes in the end."""

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol import norm_balls
from spiral.protocol.job import Budget
from spiral.sweep import packs
from spiral.sweep.grid.grid import loads
from tests import oracles
from tests.methods import act, decide, table

SHORT = {"epochs": 5, "batch": 5000}
KINDS = ["k_support", "k_polytope", "group_k_support", "l2"]


class Counting:
    """Engine vmap; it notes how many networks it trains, and what they become."""

    def __init__(self):
        self.networks, self.last = [], None

    def advance(self, job, state, stop):
        if stop > state.step:
            self.networks.append(job.networks)
        self.last = engines.build("vmap").advance(job, state, stop)
        return self.last


def rows_of(**values):
    return experiment.run(table("sfw", **{**SHORT, **values})).to_pylist()


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_scaled_into_its_balls(kind):
    change = act(table("sfw", 3, ball=kind, ball_radius=0.8))
    start = np.stack([mlp.initial_params(seed, 3) for seed in range(3)])
    stack = norm_balls.cells(3, kind, 0.02, 0.8)
    assert np.array_equal(change.params, norm_balls.inside(stack, start))
    assert not np.array_equal(change.params, start)
    assert change.masks is None


def test_its_plan_names_the_optimiser_and_prunes_after_training():
    options = {"ball": "l2", "ball_share": 0.2, "ball_radius": 3.0, "rescale": "none"}
    options["rates"] = "schedule"
    found = METHODS["sfw"].build(**options).plan(Budget(50, 390))
    assert found.events == (0, 19_500)
    assert (found.optimiser.ball, found.optimiser.share) == ("l2", 0.2)
    assert (found.optimiser.radius, found.optimiser.rescale) == (3.0, "none")


def test_its_learning_rate_may_fall_along_a_line():
    row = table("sfw", 1, rates="linear").iloc[0]
    plan = prepare.plan_of(prepare.build_method(row), row)
    for curve in plan.curves.values():
        assert curve == pytest.approx(1 - np.arange(780) / 780)


def test_many_keeps_are_one_training():
    configs = table("sfw", 6, seed=[1, 1, 1, 2, 2, 2], keep=[5, 9, 20] * 2, **SHORT)
    engine = Counting()
    state = decide(configs, engine)
    assert set(engine.networks) == {2}
    trained = engine.last.params
    for n, params in enumerate(state.params):
        kept = masks.of_weights(state.masks, 3)[n]
        size = np.abs(trained[n][mlp.is_weight(3)])
        assert kept.tolist() == oracles.keep_top(list(size), [5, 9, 20][n % 3])
        assert np.array_equal(params, np.where(state.masks[n], trained[n], 0))


def test_a_row_does_not_depend_on_the_keeps_beside_it():
    together = rows_of(n=4, seed=[1, 1, 2, 1], keep=[9, 5, 9, 20])
    for n in (0, 1, 3):
        (alone,) = rows_of(n=1, seed=[1], keep=[together[n]["keep"]])
        assert alone | {"seconds": 0} == together[n] | {"seconds": 0}


def test_configs_that_differ_in_keep_alone_lie_in_one_pack():
    """Though there are too many networks for one pack; what they cost is shared."""
    text = "method: sfw, width: 128, seed: 0..39"
    some = packs.pack(loads(f"{{{text}, keep: [15, 20, 30, 65]}}").configs)
    assert some.configs.groupby("seed")["pack"].nunique().max() == 1
    assert some.configs.groupby("pack")["seed"].nunique().max() <= 16
    assert len(some.table) > 1
    one = packs.pack(loads(f"{{{text}, keep: 15}}").configs)
    total, alone = some.table["seconds"].sum(), one.table["seconds"].sum()
    assert total == pytest.approx(alone, rel=0.02)


def test_a_penalty_that_someone_chose_is_a_mistake():
    check = METHODS["sfw"].check
    assert check(table("sfw", 2, weight_decay=[5e-4, 0.0])) == []
    (found,) = check(table("sfw", 2, weight_decay=[5e-4, 1e-3]))
    assert (found.field, found.value) == ("weight_decay", 1e-3)
