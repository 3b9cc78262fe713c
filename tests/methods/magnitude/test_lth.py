"""``lth``: levels, counts, rewinding."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import Drift, decide, kept_weights, plan_at, table

EXACT = {
    "rate": 0.2,
    "shrink": "rate",
    "levels": 3,
    "rewind_epoch": 0,
    "selection": "rank",
}


class Remembering(Drift):
    """Notes the parameters and momentum that each training starts from."""

    def __init__(self):
        super().__init__()
        self.starts = []

    def advance(self, job, state, stop):
        self.starts.append((state.step, state.params.copy(), state.momentum.copy()))
        state = super().advance(job, state, stop)
        pushed = np.where(state.masks, np.float32(0.5), np.float32(0))
        return type(state)(state.step, state.params, state.masks, pushed)


@pytest.mark.parametrize(
    ("width", "keep", "levels"), [(16, 26, 14), (64, 26, 26), (256, 26, 38)]
)
def test_levels_as_many_as_the_rate_needs(width, keep, levels):
    configs = table("lth", 1, width=width, keep=keep)
    assert configs["levels"].tolist() == [levels]


def test_a_given_number_of_levels_stays():
    assert table("lth", 1, levels=2)["levels"].tolist() == [2]


def test_zp24_is_four_even_levels():
    configs = table("lth", 1, fidelity="zp24")
    assert configs[["levels", "shrink"]].iloc[0].tolist() == [4, "even"]


def test_counts_of_every_level_end_at_keep():
    engine = Drift()
    state = decide(table("lth", 2, keep=[11, 10], levels=5), engine)
    counts = [seen.sum(axis=1).tolist() for seen in engine.seen]
    expected = [[27, 27], [27, 27], [21, 21], [16, 16], [12, 12], [11, 10], [11, 10]]
    assert counts == expected
    assert kept_weights(state).sum(axis=1).tolist() == [11, 10]


def test_counts_of_zp24_at_width_16():
    """258 → 119 → 55 → 25 for keep 26, as measured of that code."""
    engine = Drift()
    decide(table("lth", 1, width=16, keep=26, fidelity="zp24"), engine)
    assert [seen.sum() for seen in engine.seen[2:]] == [258, 119, 55, 25]


def test_each_level_trains_for_all_epochs_with_the_schedule_from_its_start():
    plan = plan_at(50, "lth", **EXACT)
    assert plan.steps == 4 * 19_500
    assert plan.events == (0, 19_500, 39_000, 58_500)
    for curve in plan.curves.values():
        phases = curve.reshape(4, -1)
        assert (phases == phases[0]).all()


@pytest.mark.parametrize("epoch", [0, 1])
def test_survivors_return_to_the_rewound_weights_with_no_momentum(epoch):
    engine = Remembering()
    decide(table("lth", 2, levels=2, rewind_epoch=epoch), engine)
    (_, early, _), *rest = [s for s in engine.starts if s[0] >= 390 * epoch]
    for step, params, momentum in rest[-2:]:
        assert step in (780, 1560)
        kept = params != 0
        assert np.array_equal(params[kept], early[kept])
        assert not momentum.any()
    assert kept.sum() > 2 * 11


def test_a_level_repeats_the_schedule_from_the_epoch_that_rates_return_to():
    kept = plan_at(50, "lth", **EXACT | {"rewind_epoch": 10})
    for rewind in ("rates", "both"):
        plan = plan_at(50, "lth", **EXACT | {"rewind_epoch": 10}, rewind=rewind)
        assert plan.steps == 19_500 + 3 * 15_600
        assert plan.events == (3_900, 19_500, 35_100, 50_700)
        for name, curve in plan.curves.items():
            once, levels = curve[:19_500], curve[19_500:].reshape(3, -1)
            assert np.array_equal(once, kept.curves[name][:19_500])
            assert (levels == once[3_900:]).all()


def test_rewinding_rates_from_the_start_has_the_counts_and_curves_of_lth():
    plan, rates = (
        plan_at(50, "lth", **EXACT, rewind=rewind) for rewind in ("weights", "rates")
    )
    assert (rates.steps, rates.events) == (plan.steps, plan.events)
    for name, curve in plan.curves.items():
        assert np.array_equal(rates.curves[name], curve)
    seen = []
    for rewind in ("weights", "rates"):
        engine = Drift()
        decide(table("lth", 2, keep=[11, 10], levels=5, rewind=rewind), engine)
        seen.append([kept.sum(axis=1).tolist() for kept in engine.seen])
    assert seen[0] == seen[1]


def test_rewinding_both_returns_to_the_weights_of_that_epoch():
    engine = Remembering()
    decide(table("lth", 2, levels=2, rewind="both", rewind_epoch=1), engine)
    (_, early, _), *rest = [s for s in engine.starts if s[0] >= 390]
    assert [step for step, _, _ in rest] == [780, 1170]
    for _, params, _ in rest:
        assert np.array_equal(params[params != 0], early[params != 0])


def test_level_zero_is_the_dense_run():
    engine, dense = Drift(), Drift()
    decide(table("lth", 2), engine)
    decide(table("dense", 2), dense)
    assert engine.seen[1].all()
    assert engine.steps[:2] == [(0, 0), (0, 780)]
    assert dense.steps == [(0, 780)]


def test_the_smallest_of_the_trained_weights_go():
    engine = Remembering()
    configs = table("lth", 1, levels=1, keep=20)
    trained = decide(table("dense", 1), Drift()).params
    kept = kept_weights(decide(configs, engine))
    size = np.abs(trained[:, mlp.is_weight(3)])
    assert size[kept].min() > size[~kept].max()


def test_rewinding_must_fall_within_the_first_training():
    (mistake,) = METHODS["lth"].check(table("lth", 1, rewind_epoch=2))
    assert mistake.field == "rewind_epoch"
    assert METHODS["lth"].check(table("lth", 1, rewind_epoch=1)) == []
    (mistake,) = METHODS["lth"].check(
        table("lth", 1, rewind_epoch=1, schedule_cycles=2)
    )
    assert mistake.field == "rewind_epoch"


def test_cost_counts_shared_levels_once():
    alone, pair = table("lth", 1, keep=10), table("lth", 2, keep=[10, 11])
    ones = METHODS["lth"].cost_profile(alone, 27, np.ones(1))
    twos = METHODS["lth"].cost_profile(pair, 27, np.full(2, 2.0))
    one, two = (np.sum(profile.kept * profile.share) for profile in (ones, twos))
    assert one < two < 2 * one
    assert ones.share.sum() == pytest.approx(1)
    expected = [27, 21.6, 17.28, 13.824, 10]
    assert ones.kept[:, 0].tolist() == pytest.approx(expected)


def test_cost_counts_the_epochs_that_rates_return_over():
    configs = table("lth", 1, epochs=4, levels=3, rewind="rates", rewind_epoch=1)
    profile = METHODS["lth"].cost_profile(configs, 27, np.ones(1))
    assert profile.share[:, 0] * 13 == pytest.approx([4, 3, 3, 3])


def test_even_levels_share_only_the_first():
    pair = table("lth", 2, keep=[10, 11], fidelity="zp24")
    profile = METHODS["lth"].cost_profile(pair, 27, np.full(2, 2.0))
    assert profile.share[:, 0].tolist() == pytest.approx([0.1, 0.2, 0.2, 0.2, 0.2])
    assert profile.kept[-1].tolist() == [10, 11]
