"""The ``ste`` family: limits, stages on exact steps, patterns, hardening."""

import numpy as np
import pytest

from spiral import engines, experiment, masks, mlp
from spiral.groups import Scope
from spiral.job import TrainState
from spiral.methods import METHODS, flow, nm
from tests import oracles
from tests.methods import Still, decide, table

FAMILY = ["ste", "sr_ste", "mdgf_linear", "mdgf_exp", "sdgf_step", "sdgf_geometric"]
STAGED = FAMILY[2:]
SHORT = {"epochs": 5, "batch": 5000, "keep": 20}
"""45 steps."""


class Noting:
    """Engine vmap; it notes states, every ``apart`` steps and before every event."""

    def __init__(self, apart=10**6):
        self.apart, self.states = apart, []

    def advance(self, job, state, stop):
        while state.step < stop:
            on_the_way = min(stop, state.step + self.apart)
            state = engines.build("vmap").advance(job, state, on_the_way)
            self.states.append(state)
        return state


def trained(name, n=3, engine=None, **values):
    """Return the state after a short training on engine vmap."""
    return decide(table(name, n, **{**SHORT, **values}), engine or Noting())


def same(a: TrainState, b: TrainState) -> bool:
    return np.array_equal(a.params, b.params) and np.array_equal(a.masks, b.masks)


def options(name, **values):
    """Return the options of a method as a config of 50 epochs resolves them."""
    row = table(name, 1, **{"epochs": 50, **values}).iloc[0]
    return experiment.build_method(row)


# ---- limits


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("gradient", ["ste", "chain"])
def test_keeping_all_is_dense_training_bit_for_bit(name, scope, gradient):
    got = trained(name, keep=27, scope=scope, gradient=gradient)
    assert np.array_equal(got.params, trained("dense").params)


@pytest.mark.parametrize("name", FAMILY)
def test_a_pattern_of_n_of_n_is_dense_training(name):
    got = trained(name, scope="nm", nm_keep=3, nm_group=3, keep=27)
    assert np.array_equal(got.params, trained("dense").params)


def test_without_pull_sr_ste_is_ste():
    assert same(trained("sr_ste", pull=0.0), trained("ste"))
    assert not same(trained("sr_ste", pull=0.5), trained("ste"))


def test_what_never_fades_is_dense_training_pruned_in_the_end():
    got = trained("mdgf_linear", beta=0.0, begin=0.0, end=1.0)
    once = trained("magnitude", at_epoch=5)
    assert same(got, once)


def test_one_frame_and_no_stages_is_ste():
    got = trained("sdgf_step", frames=1, begin=0.0, end=1.0)
    assert same(got, trained("ste"))


@pytest.mark.parametrize("decay", ["linear", "exponential"])
def test_fading_and_ramp_can_be_combined_from_both_sides(decay):
    name = {"linear": "mdgf_linear", "exponential": "mdgf_exp"}[decay]
    both = trained(name, ramp="stepwise", keep=9)
    assert same(both, trained("sdgf_step", decay=decay, keep=9))
    assert not same(both, trained(name, keep=9))
    assert not same(both, trained("sdgf_step", keep=9))


@pytest.mark.parametrize("name", FAMILY)
def test_gradients_through_the_mask_train_otherwise(name):
    fast = {"lr": 1.0, "epochs": 10, "schedule": "constant"}
    chain, through = (trained(name, gradient=g, **fast) for g in ("chain", "ste"))
    assert not np.array_equal(chain.params, through.params)


def test_a_strong_pull_empties_hidden_weights_and_ends_flips():
    calm = {"momentum": 0.0, "weight_decay": 0.0, "epochs": 20, "lr": 1.0}
    flips, hidden = [], []
    for pull in (0.0, 0.5):  # times the learning rate: below 1
        engine = Noting(apart=1)
        trained("sr_ste", 3, engine, pull=pull, schedule="constant", **calm)
        params = np.stack([state.params for state in engine.states])
        sizes = np.abs(params[..., mlp.is_weight(3)])
        shown = np.stack([masks.keep_top(s, np.full(3, 20)) for s in sizes])
        flips.append((shown[61:] ^ shown[60:-1]).sum())
        hidden.append(sizes[-1][~shown[-1]].max())
    assert flips[0] > 0
    assert flips[1] == 0
    assert hidden[1] < 0.03 < hidden[0]


# ---- stages


def test_stages_of_50_epochs_are_5_35_and_10():
    method = options("mdgf_linear")
    plan = method.plan(flow.Budget(50, 390))
    assert plan.events == (1950, 19_500)
    rest = plan.weight_map.rest
    assert rest[:1951].tolist() == [1.0] * 1951
    assert rest[1951] == pytest.approx(1 - 1 / 13_650)
    assert rest[15_599] == pytest.approx(1 / 13_650)
    assert not rest[15_600:].any()


def test_exponential_fading_ends_at_a_thousandth():
    rest = options("mdgf_exp").plan(flow.Budget(50, 390)).weight_map.rest
    assert rest[1950] == 1
    assert rest[1950 + 1370] == pytest.approx(
        0.5, abs=0.001
    )  # 1/2 is nearly 1/1000 of ten halvings
    assert rest[15_599] == pytest.approx(0.001, rel=1e-3)
    assert not rest[15_600:].any()


@pytest.mark.parametrize("name", FAMILY[:2])
def test_ste_hides_from_the_first_step_on(name):
    plan = options(name).plan(flow.Budget(50, 390))
    assert plan.events == (0, 19_500)
    assert not plan.weight_map.rest.any()
    late = options(name, begin=0.1).plan(flow.Budget(50, 390))
    assert late.events == (1950, 19_500)


@pytest.mark.parametrize("name", STAGED)
def test_the_dense_stage_is_dense_training_done_once_for_all_keeps(name):
    class Counting(Noting):
        def advance(self, job, state, stop):
            sizes.append(job.networks)
            return super().advance(job, state, stop)

    sizes = []
    engine = Counting()
    trained(name, 4, engine, seed=[1, 1, 2, 2], keep=[5, 9, 5, 9], begin=0.4)
    assert sizes[0] == 2
    assert set(sizes[1:]) == {4}
    plain = Noting(apart=18)
    trained("dense", 2, plain, seed=[1, 2])
    assert engine.states[0].step == 18
    assert np.array_equal(engine.states[0].params, plain.states[0].params)


# ---- ramps


def shown(name, **values):
    """Return (epoch, what groups show, who competes) of each frame."""
    values = {"epochs": 50, **values}
    configs, engine = table(name, 1, **values), Showing()
    plan = experiment.plan_of(experiment.build_method(configs.iloc[0]), configs.iloc[0])
    decide(configs, engine)
    scopes = plan.weight_map.scopes
    return [(e / 390, s, scopes[e]) for e, s in zip(scopes, engine.said, strict=True)]


class Showing(Still):
    """Nothing moves; it notes what is shown from each event on."""

    def __init__(self):
        super().__init__()
        self.said = []

    def advance(self, job, state, stop):
        if state.shown is not None and stop > state.step:
            self.said.append(state.shown[0])
        return super().advance(job, state, stop)


def test_frames_of_a_pattern_of_1_in_8_begin_where_the_authors_do():
    pattern = {"scope": "nm", "nm_keep": 1, "nm_group": 8, "width": 8, "keep": 33}
    found = shown("sdgf_step", **pattern, begin=0.0, end=1.0)
    assert [epoch for epoch, _, _ in found] == [0, 12, 25, 37]
    assert [said[1] for _, said, _ in found] == [7, 4, 2, 1]
    assert all(said[0] == 16 for _, said, _ in found)  # the layer that stays dense
    assert {scope for *_, scope in found} == {Scope("inputs", 8)}


def test_groups_of_a_pattern_shrink_to_the_pattern():
    pattern = {"scope": "nm", "nm_keep": 1, "nm_group": 2, "width": 16, "keep": 280}
    found = shown("sdgf_geometric", **pattern, begin=0.0, end=1.0)
    assert [epoch for epoch, _, _ in found] == [0, 12, 25, 37]
    assert [scope.merged for *_, scope in found] == [8, 4, 2, 1]
    assert [said[-1] for _, said, _ in found] == [8, 4, 2, 1]
    assert [len(said) for _, said, _ in found] == [
        16 + rest for rest in (33, 66, 132, 264)
    ]  # layer 1 has groups of 2 throughout
    assert {said.sum() for _, said, _ in found} == {280}


def test_a_stepwise_ramp_halves_what_is_shown():
    found = shown("sdgf_step", width=16, keep=30)
    assert [said.tolist() for _, said, _ in found] == [
        [530],
        [280],
        [140],
        [70],
        [35],
        [30],
    ]
    assert [epoch for epoch, _, _ in found] == [5, 10, 16, 22, 28, 34]


def test_a_stepwise_ramp_has_ten_frames_at_most():
    found = shown("sdgf_step", width=128, keep=15)
    assert len(found) == 10
    assert found[-1][1] == [15]


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_geometric_ramp_keeps_the_density_and_shrinks_the_groups(scope):
    found = shown("sdgf_geometric", width=4, keep=17, scope=scope)
    kinds = [of.kind for *_, of in found]
    assert kinds == ["global", "layer", "unit"][scope == "layer" :]
    assert {said.sum() for _, said, _ in found} == {17}
    *_, by_layer, by_unit = [said for _, said, _ in found]
    units = np.split(by_unit, [4, 8, 12])
    assert [part.sum() for part in units] == by_layer.tolist()


def test_every_layer_shows_a_weight_where_there_are_enough():
    counts = flow.shares(np.array([1, 4, 15, 65]), 256)
    assert counts.sum(axis=1).tolist() == [1, 4, 15, 65]
    assert (counts[1:] >= 1).all()
    assert counts.tolist()[1] == [1, 1, 1, 1]


# ---- the end


@pytest.mark.parametrize("name", FAMILY)
def test_the_end_keeps_the_largest_weights_as_they_are(name):
    keeps = [3, 11, 20]
    engine = Noting()
    got = trained(name, 3, engine, keep=keeps)
    last = engine.states[-1].params
    weights = masks.of_weights(got.masks, 3)
    assert weights.sum(axis=1).tolist() == keeps
    assert np.array_equal(got.params, np.where(got.masks, last, 0))
    if name != "sdgf_geometric":  # whose units hold what they hold
        for params, kept, keep in zip(last, weights, keeps, strict=True):
            size = np.abs(params[mlp.is_weight(3)])
            assert kept.tolist() == oracles.keep_top(list(size), keep)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize(("width", "some", "group"), [(3, 2, 3), (4, 1, 2), (4, 1, 4)])
def test_every_group_of_a_pattern_ends_with_exactly_n(name, width, some, group):
    keep = nm.count(width, some, group)
    values = {"scope": "nm", "nm_keep": some, "nm_group": group, "width": width}
    configs = table(name, 2, **{**SHORT, **values, "keep": keep})
    assert METHODS[name].check(configs) == []
    got = decide(configs, Noting())
    weights = masks.of_weights(got.masks, width)
    for kept in weights:
        for matrix in oracles.weight_matrices(kept, width):
            if matrix.shape[1] % group == 0:
                assert (matrix.reshape(-1, group).sum(axis=1) == some).all()
            else:
                assert matrix.all()


def test_rows_of_a_whole_run():
    found = experiment.run(table("mdgf_linear", 2, **SHORT)).to_pylist()
    assert [row["status"] for row in found] == ["ok", "ok"]
    assert [row["nnz"] for row in found] == [20, 20]
    assert {row["engine_used"] for row in found} == {"vmap"}


# ---- mistakes


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"scope": "nm", "keep": 9}, "keep", "2:4 keeps 27 weights of width 3, not 9"),
        ({"scope": "nm", "nm_keep": 5}, "nm_keep", "5 of 4 is too many"),
    ],
)
def test_a_pattern_that_does_not_fit_is_a_mistake(values, field, text):
    (found,) = METHODS["ste"].check(table("ste", 2, **values))
    assert (found.field, found.message) == (field, text)


@pytest.mark.parametrize("end", [0.1, 0.05, 0.101])
def test_a_stage_without_room_is_a_mistake(end):
    (found,) = METHODS["sdgf_step"].check(table("sdgf_step", 2, end=end))
    assert found.field == "end"
    assert "10 at least" in found.message
    assert METHODS["sdgf_step"].check(table("sdgf_step", 2, end=0.2)) == []
