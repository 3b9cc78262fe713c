"""``one_shot``: checkpoints, temperatures, retrainings of one pruned network."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import mlp, seeds
from spiral.protocol.job import Sam, Sgd
from tests.methods import decide, kept_weights, plan_at, table
from tests.methods.retraining.test_sms import Noting

DEFAULTS = {
    "checkpoint": None,
    "dense_batch": None,
    "sam": 0.0,
    "retrain_share": 0.1,
}


def train(n=1, **values):
    engine = Noting()
    return decide(table("one_shot", n, **values), engine), engine.trained


def test_it_retrains_in_full_after_a_checkpoint():
    plan = plan_at(50, "one_shot", **{**DEFAULTS, "checkpoint": 12})
    assert (plan.steps, plan.events) == (62 * 390, (0, 12 * 390))
    dense = plan_at(50, "dense").curves["step"]
    assert np.array_equal(plan.curves["step"], np.r_[dense[: 12 * 390], dense])
    assert plan_at(50, "one_shot", **DEFAULTS).steps == 2 * 19_500


def test_retrainings_share_the_dense_network_and_the_pruned_one():
    how = {"seed": 5, "branch": [0, 1, 2], "keep": 11}
    found, ((first, _, dense), (second, start, _)) = train(3, **how)
    assert first.networks == 1
    assert second.networks == 3
    assert (start.params == start.params[0]).all()
    expected = [5, seeds.child(5, 1), seeds.child(5, 2)]
    assert second.order_seeds.tolist() == expected
    assert len(np.unique(found.params, axis=0)) == 3
    assert (found.masks == found.masks[0]).all()
    size = np.abs(dense.params[0, mlp.is_weight(3)])
    kept = kept_weights(found)[0]
    assert size[kept].min() >= size[~kept].max()
    assert not start.momentum.any()


def test_the_dense_network_is_that_of_a_dense_training():
    _, ((_, _, dense), _) = train(1, checkpoint=1, epochs=2)
    engine = Noting()
    decide(table("dense", 1, epochs=2, stop_epoch=1), engine)
    assert np.array_equal(dense.params, engine.trained[0][2].params)


def test_learning_rates_of_the_dense_training_are_its_own():
    _, trained = train(2, dense_lr=[0.05, None], lr=0.2, retrain_share=1.0)
    rates = [job.rates(state, state.step, state.step + 1) for job, state, _ in trained]
    assert rates[0][0].tolist() == pytest.approx([0.05, 0.2])
    assert rates[1][0].tolist() == pytest.approx([0.2, 0.2])


def test_retraining_begins_at_a_share_of_the_learning_rate():
    _, ((job, begun, _), (again, state, _)) = train(1, lr=0.2)
    first, second = job.rates(begun, 0, 1), again.rates(state, 780, 781)
    assert first.item() == pytest.approx(0.2)
    assert second.item() == pytest.approx(0.02)


def test_batches_of_the_dense_training_are_its_own():
    _, trained = train(1, dense_batch=16)
    assert [job.batch for job, *_ in trained] == [16, 128]
    (_, begun, dense), (_, state, after) = trained
    assert (begun.step, dense.step, state.step, after.step) == (0, 780, 780, 1560)


def test_flat_minima_are_sought_while_dense():
    assert plan_at(50, "one_shot", **{**DEFAULTS, "sam": 0.5}).optimiser == Sam(0.5)
    from spiral import engines

    class OnVmap(Noting):
        def advance(self, job, state, stop):
            after = engines.build("vmap").advance(job, state, stop)
            self.trained.append((job, state, after))
            return after

    engine = OnVmap()
    decide(table("one_shot", 1, sam=0.5, batch=2000), engine)
    kinds = [job.plan.optimiser for job, state, after in engine.trained]
    assert kinds[-1] == Sgd()
    assert kinds[-2] == Sam(0.5)


def test_layers_share_evenly_on_request():
    found, _ = train(1, scope="layer", width=8, keep=76)
    kept = kept_weights(found, 8)[0]
    counts = [kept[layer.columns].sum() for layer in mlp.layers(8)]
    assert counts == [8, 32, 32, 4]


def test_a_checkpoint_lies_within_the_training():
    check = METHODS["one_shot"].check
    (mistake,) = check(table("one_shot", 1, checkpoint=3))
    assert mistake.field == "checkpoint"
    assert check(table("one_shot", 1, checkpoint=2)) == []


def test_cost_counts_a_shared_dense_part_once():
    three = table("one_shot", 3, seed=1, branch=[0, 1, 2], epochs=50, checkpoint=25)
    profile = METHODS["one_shot"].cost_profile(three, 27, np.full(3, 3.0))
    assert profile.share[:, 0].tolist() == pytest.approx([1 / 9, 2 / 3])
    large = table("one_shot", 1, epochs=50, dense_batch=512)
    profile = METHODS["one_shot"].cost_profile(large, 27, np.ones(1))
    assert profile.share[:, 0].tolist() == pytest.approx([2.0, 0.5])
