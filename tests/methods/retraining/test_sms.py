"""``sms``: members from one state, their average, the baselines."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from spiral.engines import sparse
from spiral.experiment import prepare
from spiral.methods.parts import soups
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp, seeds
from spiral.protocol.job import TrainState
from spiral.tasks import catalogue
from tests import oracles
from tests.methods import decide, kept_weights, plan_at, table

CUBIST = catalogue.load("cubist")

DEFAULTS = {
    "members": 3,
    "vary": "order",
    "spread": 2.0,
    "average": "uniform",
    "cycles": 3,
    "retraining": "llr",
    "retrain_epochs": 5,
    "longer": 1,
}


@dataclass
class Noting:
    """Engine sparse; it notes every job, where it began and what came out."""

    trained: list = field(default_factory=list)

    def advance(self, job, state, stop):
        after = sparse.SparseEngine().advance(job, state, stop)
        if stop > state.step:
            self.trained.append((job, state, after))
        return after


def train(n=1, **values):
    """Return the states of a training of two epochs, one of them dense."""
    engine = Noting()
    return decide(table("sms", n, **values), engine), engine.trained


def test_fifty_epochs_are_35_dense_and_three_cycles_of_five():
    plan = plan_at(50, "sms", **DEFAULTS)
    assert plan.steps == 19_500
    assert plan.events == (35 * 390, 40 * 390, 45 * 390, 50 * 390)
    assert plan.siblings == 3
    assert table("sms", 1, epochs=50)["retrain_epochs"].tolist() == [5]


def test_longer_retraining_takes_as_many_steps_as_the_members():
    plan = plan_at(50, "sms", **{**DEFAULTS, "members": 1, "longer": 3})
    assert plan.steps == (35 + 3 * 15) * 390
    assert plan.siblings == 1


def test_retraining_rises_over_a_tenth_and_falls_to_zero():
    curve = plan_at(50, "sms", **DEFAULTS).curves["step"]
    dense, *cycles = np.split(curve, [35 * 390, 40 * 390, 45 * 390])
    assert dense[[0, -1]].tolist() == pytest.approx([1, 0.01])
    for cycle in cycles:
        n, warm = 1950, 195
        expected = [(1 - np.cos(np.pi * j / warm)) / 2 for j in range(warm)]
        expected += [1 - j / (n - warm) for j in range(n - warm)]
        assert np.abs(cycle - expected).max() < 1e-14


def test_the_soup_is_the_mean_of_members_trained_one_by_one():
    """By hand: a dense epoch, a sort, three trainings of one network each, a mean."""
    found, trained = train(seed=5, keep=11)
    configs = table("sms", 1, seed=5, keep=11)
    shared = configs.iloc[0]
    plan = replace(prepare.plan_of(prepare.build_method(shared), shared))
    job = prepare.make_job(configs, replace(plan, siblings=1))
    engine = sparse.SparseEngine()
    dense = engine.advance(job, TrainState.fresh(job), 390)
    weights = dense.params[0, mlp.is_weight(3)]
    kept = np.zeros(27, bool)
    kept[np.argsort(-np.abs(weights), kind="stable")[:11]] = True
    mask = masks.with_biases(kept[None], 3)
    pruned = replace(
        dense,
        masks=mask,
        params=np.where(mask, dense.params, np.float32(0)),
        momentum=np.zeros_like(dense.params),
    )
    members = [
        engine.advance(replace(job, order_seeds=np.array([seed])), pruned, 780).params
        for seed in (5, seeds.child(5, 1), seeds.child(5, 2))
    ]
    assert np.array_equal(found.masks, mask)
    mean = np.mean(np.concatenate(members).astype(np.float64), axis=0)
    assert np.array_equal(found.params[0], mean.astype(np.float32))
    assert len({member.tobytes() for member in members}) == 3
    assert [len(job.initial) for job, *_ in trained] == [1, 3]


@pytest.mark.parametrize("schedule", ["cosine", "step"])
@pytest.mark.parametrize("retraining", ["llr", "ft", "slr"])
def test_one_member_is_imp_bit_for_bit(schedule, retraining):
    """Of three epochs one is dense, as the whole of the other's one."""
    how = {"cycles": 2, "retrain_epochs": 1, "retraining": retraining}
    how |= {"schedule": schedule, "keep": [8, 14]}
    soup, _ = train(2, members=1, epochs=3, **how)
    single = decide(table("imp", 2, epochs=1, buffers="reset", **how), Noting())
    for name in ("params", "masks", "step"):
        assert np.array_equal(getattr(soup, name), getattr(single, name))


def test_members_that_do_not_differ_are_the_soup():
    alike, _ = train(2, vary="weight_decay", weight_decay=0.0, epochs=4, cycles=2)
    alone, _ = train(2, members=1, weight_decay=0.0, epochs=4, cycles=2)
    assert np.array_equal(alike.params, alone.params)
    differing, _ = train(2, vary="weight_decay", epochs=4, cycles=2)
    assert not np.array_equal(differing.params, alone.params)


@pytest.mark.parametrize("average", ["uniform", "greedy"])
def test_every_cycle_starts_all_members_from_their_soup(average):
    _, trained = train(average=average, epochs=4, cycles=2)
    _, (_, _, first), (_, second, _), *_ = trained
    assert len(np.unique(first.params, axis=0)) == 3
    assert (second.params == second.params[0]).all()
    assert (second.masks == second.masks[0]).all()
    assert not (second.masks & ~first.masks[0]).any()
    assert not second.momentum.any()


@pytest.mark.parametrize("keep", [8, 11, 20])
def test_cycles_keep_the_same_share_each_time(keep):
    _, trained = train(keep=keep, epochs=4, cycles=3)
    counts = [kept_weights(state).sum(axis=1)[0] for _, state, _ in trained[1:4]]
    assert counts == [round(27 * (keep / 27) ** (p / 3)) for p in (1, 2, 3)]


@pytest.mark.parametrize(
    ("vary", "field", "expected"),
    [
        ("weight_decay", "weight_decay", [5e-4, 2.5e-4, 1e-3]),
        ("order", "order_seeds", [0, seeds.child(0, 1), seeds.child(0, 2)]),
    ],
)
def test_members_differ_in_one_thing(vary, field, expected):
    _, trained = train(vary=vary)
    job, same = trained[1][0], trained[0][0]
    assert getattr(job, field).tolist() == expected
    for other in {"weight_decay", "order_seeds", "lr", "schedule"} - {field}:
        assert list(getattr(job, other)) == [getattr(same, other)[0]] * 3


def test_members_may_differ_in_rate():
    _, trained = train(vary="lr", spread=4.0)
    job, state, _ = trained[1]
    rates = job.rates(state, 390, 780)
    assert (rates[50] / rates[50, 0]).tolist() == pytest.approx([1, 1 / 4, 4])


def test_shorter_members_stop_earlier():
    _, trained = train(vary="length", members=3, spread=2.0)
    job, state, _ = trained[1]
    rates = job.rates(state, 390, 780)
    lengths = [np.flatnonzero(column)[-1] + 1 for column in rates.T]
    assert lengths == [390, 292, 195]
    assert rates[19, 2] == pytest.approx(0.1)  # after a warm-up of its own length


def test_reprune_prunes_each_member_by_itself_and_their_mean_at_the_end():
    found, trained = train(average="reprune", width=8, epochs=4, cycles=2, keep=30)
    (_, _, first), (_, _, last) = trained[1:3]
    assert len(np.unique(last.masks, axis=0)) > 1  # they went apart
    assert not (last.masks & ~first.masks).any()
    mean = last.params.astype(np.float64).mean(axis=0)
    size = np.abs(mean[mlp.is_weight(8)])
    kept = kept_weights(found, 8)[0]
    assert kept.sum() == 30
    assert size[kept].min() >= size[~kept].max()
    expected = np.where(found.masks[0], mean.astype(np.float32), 0)
    assert np.array_equal(found.params[0], expected)


def test_reprune_uses_what_any_member_keeps():
    kept = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], bool)
    expected = [[True, True, False]] * 2 + [[False, False, True]] * 2
    assert soups.union(kept, 2).tolist() == expected


def members_at(n):
    """Return networks that share a direction, so that some means are good."""
    random = np.random.default_rng(n)
    base = mlp.initial_params(n, 8)
    drawn = base + 0.3 * random.standard_normal((4, base.size))
    return drawn.astype(np.float32)


def accuracy(params):
    data, some = CUBIST, soups.tenth(CUBIST.points)
    z = oracles.logits(params, data.x[some], 8)
    return oracles.correct(z, data.y[some])


@pytest.mark.parametrize("n", range(6))
def test_greedy_is_what_trying_one_by_one_gives_and_never_below_the_best(n):
    members = members_at(n)
    ranked = sorted(range(4), key=lambda i: -accuracy(members[i]))
    chosen = [ranked[0]]
    for i in ranked[1:]:
        mean = members[[*chosen, i]].astype(np.float64).mean(axis=0)
        now = members[chosen].astype(np.float64).mean(axis=0)
        if accuracy(mean) >= accuracy(now):
            chosen.append(i)
    found = soups.greedy(members, CUBIST)
    expected = members[chosen].astype(np.float64).mean(axis=0)
    assert np.array_equal(found, expected.astype(np.float32))
    assert accuracy(found) >= max(map(accuracy, members))


def test_the_tenth_is_the_same_points_every_time_and_holds_both_classes():
    first = soups.tenth(CUBIST.points).copy()
    soups.tenth.cache_clear()
    assert np.array_equal(soups.tenth(CUBIST.points), first)
    assert len(np.unique(first)) == 4998 == round(0.1 * CUBIST.points)
    assert 0.45 < CUBIST.y[first].mean() < 0.55


def test_the_soup_of_logistic_models_is_no_worse_than_their_mean_loss():
    """Jensen: without hidden layers the loss is convex."""
    random = np.random.default_rng(0)
    data = CUBIST
    signs = 2.0 * data.y - 1
    for _ in range(20):
        members = random.standard_normal((5, 3)).astype(np.float32)
        soup = soups.uniform(members)

        def loss(w):
            z = data.x @ w[:2].astype(np.float64) + w[2]
            return np.logaddexp(0, -signs * z).mean()

        assert loss(soup) <= np.mean([loss(w) for w in members]) + 1e-7


def test_something_must_be_left_for_the_dense_training():
    check = METHODS["sms"].check
    (mistake,) = check(table("sms", 1, cycles=2))
    assert mistake.field == "cycles"
    assert "2 of 1 epochs leave none of 2" in mistake.message
    assert check(table("sms", 1, cycles=1)) == []


def test_cost_counts_the_dense_part_once():
    pair = table("sms", 2, keep=[10, 11], epochs=50, cycles=3)
    profile = METHODS["sms"].cost_profile(pair, 27, np.full(2, 2.0))
    assert profile.share[:, 0].tolist() == pytest.approx([0.7 / 6, 0.1, 0.1, 0.1])
    assert profile.kept[-1].tolist() == pytest.approx([10, 11])
    assert profile.kept[0].tolist() == [27, 27]
