"""Where engines and methods meet: changes, siblings, statuses, whole rows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spiral import experiment
from spiral.errors import MethodError, UnsupportedJob
from spiral.methods.registry import METHODS, options
from spiral.model import masks, seeds
from spiral.protocol.job import Budget, Change, Plan, TrainState
from spiral.results import columns
from spiral.tasks import cubist
from tests import oracles
from tests.methods import DENSE_3, Passing, Scripted, Still, decide, plan_at, table
from tests.tolerances import tolerance

ONE = np.float32(1)


@pytest.fixture
def script(monkeypatch):
    """Make ``dense`` follow a script."""

    def install(*changes, events=(0,), **more):
        method = Scripted([*changes], events, more)
        entry = replace(METHODS["dense"], build=lambda: method)
        monkeypatch.setitem(METHODS, "dense", entry)
        return method

    return install


def state_of(momentum=ONE):
    ones = np.ones((1, 4), np.float32)
    return TrainState(5, ones, np.ones((1, 4), bool), momentum * ones)


def bits(text):
    return np.array([[digit == "1" for digit in text]])


def run(method, n=1, **values):
    """Return the rows of one pack of one epoch as dicts."""
    found = experiment.run(table(method, n, **{"epochs": 1, **values}))
    return found.to_pylist()


@pytest.mark.parametrize("name", ["masks", "params", "reset_momentum", "trainable"])
@pytest.mark.parametrize("dtype", [bool, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(2, 4), (4,), (1, 4)])
def test_a_wrong_array_is_refused_by_method_and_field(name, dtype, shape):
    right = np.float32 if name == "params" else bool
    change = Change(**{name: np.ones(shape, dtype)})
    if (dtype, shape) == (right, (1, 4)):
        experiment.apply(change, state_of(), "mine")
        return
    text = rf"^mine: expected Change\.{name} to be .* \[1, 4\], got {np.dtype(dtype)}"
    with pytest.raises(MethodError, match=text):
        experiment.apply(change, state_of(), "mine")


@pytest.mark.parametrize("name", ["lr_scale", "decay_scale", "orders", "variants"])
@pytest.mark.parametrize("wrong", [np.ones(2), np.ones((1, 4)), np.ones(1, bool)])
def test_a_wrong_number_for_each_network_is_refused(name, wrong):
    with pytest.raises(MethodError, match=rf"mine: expected Change\.{name}"):
        experiment.apply(Change(**{name: wrong}), state_of(), "mine")


def test_pruned_entries_lose_value_and_momentum():
    found = experiment.apply(Change(masks=bits("1010")), state_of(), "mine")
    assert found.params.tolist() == found.momentum.tolist() == [[1, 0, 1, 0]]


def test_pruned_entries_stay_zero_whatever_the_method_sets():
    params = np.array([[2, np.nan, 3, np.inf]], np.float32)
    change = Change(masks=bits("1010"), params=params)
    assert experiment.apply(change, state_of(), "m").params.tolist() == [[2, 0, 3, 0]]


def test_revived_entries_begin_at_momentum_zero_and_the_given_value():
    state = experiment.apply(Change(masks=bits("1000")), state_of(), "mine")
    params = np.array([[1, 7, 0, 0]], np.float32)
    change = Change(masks=bits("1100"), params=params)
    found = experiment.apply(change, state, "mine")
    assert found.params.tolist() == [[1, 7, 0, 0]]
    assert found.momentum.tolist() == [[1, 0, 0, 0]]


def test_forgotten_entries_keep_their_value():
    found = experiment.apply(Change(reset_momentum=bits("0110")), state_of(), "mine")
    assert found.momentum.tolist() == [[1, 0, 0, 1]]
    assert found.params.tolist() == [[1, 1, 1, 1]]


def test_frozen_entries_keep_their_value_and_lose_momentum():
    change = Change(masks=bits("1110"), trainable=bits("0111"))
    found = experiment.apply(change, state_of(), "mine")
    assert found.params.tolist() == [[1, 1, 1, 0]]
    assert found.momentum.tolist() == [[0, 1, 1, 0]]
    assert found.moving.tolist() == [[False, True, True, False]]


def test_what_may_train_may_train_again_once_it_is_revived():
    change = Change(masks=bits("1100"), trainable=bits("1111"))
    state = experiment.apply(change, state_of(), "mine")
    found = experiment.apply(Change(masks=bits("1111")), state, "mine")
    assert (found.trainable & found.masks).tolist() == [[True] * 4]


def test_lr_scale_lasts_until_the_next():
    state = experiment.apply(Change(lr_scale=np.array([0.5])), state_of(), "mine")
    state = experiment.apply(Change(masks=bits("1100")), state, "mine")
    assert state.lr_scale.tolist() == [0.5]


def test_training_goes_from_event_to_event_to_the_end(script):
    script(events=(0, 7, 100))
    engine = Still()
    decide(table("dense", epochs=1), engine)
    assert engine.steps == [(0, 0), (0, 7), (7, 100), (100, 390)]


def test_an_event_may_replace_the_step_it_precedes(script):
    script(events=(0, 7, 390), replaced=(0, 7, 390))
    engine = Still()
    state = decide(table("dense", epochs=1), engine)
    assert engine.steps == [(0, 0), (1, 7), (8, 390), (390, 390)]
    assert state.step == 390


def test_a_method_sees_the_step_and_cannot_write(script):
    method = script(events=(0, 7))
    decide(table("dense", epochs=1))
    assert [view.step for view in method.views] == [0, 7]
    for name in ("params", "masks", "initial"):
        array = getattr(method.views[0], name)
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_a_method_sees_the_batches_of_training_and_its_own_streams(script):
    method = script(events=(7,))
    configs = table("dense", 2, seed=[4, 5], order_seed=[9, 8], epochs=1)
    decide(configs)
    view = method.views[0]
    job = experiment.make_job(configs, plan_at(1, "dense"))
    assert np.array_equal(view.batch(3)[0], job.batch_at(3)[0])
    expected = seeds.stream("method/x", 5, 3).random(3)
    assert np.array_equal(view.stream(1, "x").random(3), expected)


@pytest.mark.parametrize("events", [(3, 1), (1, 1), (-1,), (391,)])
def test_events_must_rise_within_the_training(script, events):
    method = script(events=events)
    with pytest.raises(
        MethodError, match=r"dense: expected increasing events within 0 … 390"
    ):
        experiment.plan_of(method, table("dense", epochs=1).iloc[0])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([195], "expected plan to return a Plan, got list"),
        (None, "expected plan to return a Plan, got NoneType"),
        (Plan(390, (195.0,), {}), r"expected integers as events, got \[195\.0\]"),
    ],
)
def test_a_plan_is_a_plan_with_whole_steps(script, found, message):
    method = script()
    method.plan = lambda budget: found
    text = rf"dense: {message}; plan of config \w+ \(width 3"
    with pytest.raises(MethodError, match=text):
        experiment.plan_of(method, table("dense", epochs=1).iloc[0])


def test_curves_must_have_a_factor_per_step(script):
    method = script()
    method.plan = lambda budget: Plan(390, (), {"cosine": np.ones(389)})
    with pytest.raises(
        MethodError, match="expected 390 factors in curve cosine, got 389"
    ):
        experiment.plan_of(method, table("dense", epochs=1).iloc[0])


def test_a_plan_counts_in_plain_integers(script):
    seen = []
    method = script()
    method.plan = lambda budget: seen.append(budget) or plan_at(1, "random")
    experiment.plan_of(method, table("dense", epochs=1).iloc[0])
    assert seen == [Budget(1, 390)]
    assert type(seen[0].steps) is int


def test_no_engine_for_a_plan_is_said_with_the_reasons(script):
    script(optimiser=SimpleNamespace(name="magic"))
    with pytest.raises(
        UnsupportedJob, match=r"'dense': .*not support optimiser 'magic'"
    ):
        run("dense")


def test_siblings_start_alike():
    plan = replace(plan_at(1, "dense"), siblings=3)
    job = experiment.make_job(table("dense", 2, seed=[7, 8]), plan)
    assert np.array_equal(job.initial[0], job.initial[2])
    assert not np.array_equal(job.initial[2], job.initial[3])
    assert job.order_seeds.tolist() == [7, 7, 7, 8, 8, 8]


def test_a_change_says_how_training_goes_on():
    plan = plan_at(1, "dense")
    plan = replace(plan, curves={**plan.curves, "cosine#2": plan.curves["step"]})
    begun = experiment.make_job(table("dense", 3, seed=[7, 8, 9]), plan)
    scale = np.array([0.0, 1.0, 2.0])
    first = begun.after(Change(orders=np.array([1, 0, 2])), begun)
    assert first.order_seeds.tolist() == [
        seeds.child(7, 1),
        8,
        seeds.child(9, 2),
    ]
    which = np.array([2, 0, 2])
    found = first.after(Change(decay_scale=scale, variants=which, batch=64), begun)
    assert found.weight_decay.tolist() == [0, 5e-4, 1e-3]
    assert found.schedule == ("cosine#2", "cosine", "cosine#2")
    assert (found.batch, found.steps_per_epoch) == (64, 780)
    assert found.order_seeds.tolist() == first.order_seeds.tolist()
    back = found.after(Change(orders=np.zeros(3, int)), begun)
    assert back.order_seeds.tolist() == [7, 8, 9]
    assert begun.after(Change(), begun) is begun
    with pytest.raises(MethodError, match="expected a curve for cosine#3"):
        begun.after(Change(variants=np.array([2, 3, 0])), begun)


def test_batches_follow_the_order_of_the_change(script):
    method = script(Change(orders=np.array([0, 3]), batch=64), events=(390, 391))
    configs = table("dense", 2, seed=[4, 4], epochs=2)
    decide(configs)
    job = experiment.make_job(configs, plan_at(2, "dense"))
    expected = replace(job, batch=64, order_seeds=np.array([4, seeds.child(4, 3)]))
    before, after = method.views
    assert np.array_equal(before.batch(390)[0], job.batch_at(390)[0])
    assert np.array_equal(after.batch(391)[0], expected.batch_at(391)[0])
    assert not np.array_equal(after.batch(391)[0][0], after.batch(391)[0][1])


def test_the_first_sibling_carries_the_row(script):
    (alone,) = run("dense", engine="reference")
    script(siblings=2)
    (first,) = run("dense", engine="reference")
    assert first["weights"] == alone["weights"]
    assert first["accuracy"] == alone["accuracy"]


@pytest.mark.parametrize("skipped", [(), (1, 5), (6, 7)])
def test_running_loss_is_the_mean_over_the_steps_of_the_last_epoch(script, skipped):
    """Steps that an event takes the place of were not trained."""
    script(events=skipped, replaced=skipped)
    sizes = {"epochs": 2, "batch": 10_000}  # eight steps, four of them the last
    (row,) = run("dense", engine="reference", **sizes)
    job = experiment.make_job(table("dense", 1, **sizes), plan_at(2, "dense"))
    params, velocity, losses = job.initial[0].astype(float), np.zeros(37), []
    for step in (s for s in range(8) if s not in skipped):
        x, y = (part[0] for part in job.batch_at(step))
        losses += [oracles.loss(params, x, y, 3)] if step >= 4 else []
        slope = oracles.gradient(params, x, y, 3)
        rate = 0.1 if step < 4 else 0.05
        params, velocity = oracles.sgd_step(
            params, velocity, slope, np.ones(37, bool), rate, 0.9, 5e-4
        )
    expected = pytest.approx(np.mean(losses), abs=tolerance("loss"))
    assert row["running_loss"] == expected


def test_a_row_tells_the_truth_about_its_weights():
    for row in run("random", 3, keep=[9, 15, 21]):
        mask, params = columns.params_of(row)
        data = cubist.load()
        z = oracles.logits(params, data.x, 3)
        gap = abs(row["accuracy"] * 49_982 - oracles.correct(z, data.y))
        assert gap <= tolerance("count")
        expected = oracles.loss(params, data.x, data.y, 3)
        assert row["loss"] == pytest.approx(expected, abs=tolerance("loss"))
        expected = oracles.entropy(z)
        assert row["entropy"] == pytest.approx(expected, abs=tolerance("loss"))
        kept = masks.of_weights(mask[None], 3)[0]
        assert row["nnz"] == row["keep"] == kept.sum()
        assert row["nnz_params"] == mask.sum() == len(row["weights"])
        assert row["effective_nnz"] == oracles.on_path(kept, 3).sum()
        assert sum(row[f"nnz_{i}"] for i in (1, 2, 3, 4)) == row["nnz"]


def test_statuses():
    texts = [DENSE_3, "00/1/1/1", "11/1/0/1"]
    found = run("mask", 3, matrices=texts)
    assert [row["status"] for row in found] == ["ok", "collapsed", "collapsed"]
    assert [row["effective_nnz"] for row in found] == [27, 0, 0]
    assert [row["connected"] for row in found] == [True, False, False]


def test_a_diverged_network_is_a_row_and_leaves_its_neighbour():
    calm, wild = run("dense", 2, lr=[0.1, 1e12], seed=[1, 2])
    assert (calm["status"], wild["status"]) == ("ok", "diverged")
    assert np.isfinite(calm["weights"]).all()
    assert (wild["nnz"], wild["accuracy"]) == (27, 0)


def test_masks_of_a_row_do_not_depend_on_its_pack():
    pack = run("random", 3, seed=[4, 5, 6])
    for seed, row in zip((4, 5, 6), pack, strict=True):
        (alone,) = run("random", 1, seed=[seed])
        assert alone["mask"] == row["mask"]
        gap = np.abs(np.subtract(alone["weights"], row["weights"])).max()
        assert gap <= 10 * tolerance("steps_100")


def test_a_stopped_training_makes_the_row_of_the_epoch_it_stops_at():
    configs = table("mask", 2, epochs=3)
    passing = Passing(780)
    decide(configs, passing)
    found = experiment.run(configs.assign(stop_epoch=2)).to_pylist()
    for row, expected in zip(found, passing.noted.params, strict=True):
        assert (row["steps"], row["epochs"], row["stop_epoch"]) == (780, 3, 2)
        assert np.array_equal(columns.params_of(row)[1], expected)
    whole = experiment.run(configs.assign(stop_epoch=3)).to_pylist()
    assert [row["steps"] for row in whole] == [1170] * 2
    alike = [row["weights"] for row in experiment.run(configs).to_pylist()]
    assert [row["weights"] for row in whole] == alike


def test_rows_come_in_the_order_of_their_configs():
    found = experiment.run(configs := table("random", 3, keep=[9, 3, 27], epochs=1))
    assert found["config_id"].to_pylist() == configs["config_id"].tolist()
    assert found["nnz"].to_pylist() == [9, 3, 27]
    assert found.schema.equals(columns.schema(options()))
