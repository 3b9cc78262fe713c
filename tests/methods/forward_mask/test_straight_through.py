"""The straight-through family: limits, stages on exact steps, patterns, the end."""

import functools
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from spiral import experiment
from spiral.experiment import prepare
from spiral.methods.forward_mask import straight_through
from spiral.methods.parts import n_of_m
from spiral.methods.registry import METHODS
from spiral.model import groups, masks, mlp
from spiral.model.groups import Scope
from spiral.protocol.job import Budget
from tests import mostly_slow, oracles
from tests.methods import decide, table
from tests.methods.forward_mask.straight_through import (
    FAMILY,
    SHORT,
    Noting,
    golden,
    options,
    same,
    shown,
    trained,
)

STAGED = FAMILY[2:]


# ---- limits


@functools.cache
def dense():
    return trained("dense")


CASES = [*product(FAMILY, ["global", "layer"], ["ste", "chain"])]
QUICK = [*product(FAMILY, ["global"], ["ste"]), ("sr_ste", "layer", "chain")]


@pytest.mark.parametrize("case", mostly_slow(CASES, QUICK), ids="-".join)
def test_keeping_all_is_dense_training_bit_for_bit(case):
    name, scope, gradient = case
    got = trained(name, keep=27, scope=scope, gradient=gradient)
    assert np.array_equal(got.params, dense().params)


@pytest.mark.parametrize("name", FAMILY)
def test_a_pattern_of_n_of_n_is_dense_training(name):
    got = trained(name, scope="nm", nm_keep=3, nm_group=3, keep=27)
    assert np.array_equal(got.params, dense().params)


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


# ---- stages


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
    keep = n_of_m.count(width, some, group)
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
    assert {row["engine_used"] for row in found} == {"sparse"}


# ---- mistakes


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"scope": "nm", "keep": 9}, "keep", "2:4 keeps 27 weights of width 3, not 9"),
        (
            {"scope": "nm", "nm_keep": 5},
            "nm_keep",
            "expected at most 4 of 4 weights, got 5",
        ),
    ],
)
def test_a_pattern_that_does_not_fit_is_a_mistake(values, field, text):
    (found,) = METHODS["ste"].check(table("ste", 2, **values))
    assert (found.field, found.message) == (field, text)


@pytest.mark.parametrize("end", [0.1, 0.05, 0.101])
def test_a_stage_without_room_is_a_mistake(end):
    (found,) = METHODS["sdgf_step"].check(table("sdgf_step", 2, end=end))
    assert found.field == "end"
    assert "at least 10 steps after" in found.message
    assert METHODS["sdgf_step"].check(table("sdgf_step", 2, end=0.2)) == []


# ---- ste


@pytest.mark.parametrize("name", ["ste", "sr_ste"])
def test_ste_hides_from_the_first_step_on(name):
    plan = options(name).plan(Budget(50, 390))
    assert plan.events == (0, 19_500)
    assert not plan.weight_map.rest.any()
    late = options(name, begin=0.1).plan(Budget(50, 390))
    assert late.events == (1950, 19_500)


GOLDEN = golden()


@pytest.mark.parametrize("name", ["masks", "unstructured"])
def test_masks_of_fixed_weights_are_the_authors(name):
    """Eight units of eight inputs; theirs of a layer keep int((1 - rate)·64)."""
    params = np.zeros((1, mlp.param_count(8)))
    layer = mlp.layers(8)[1]
    params[0, layer.weights] = np.ravel(GOLDEN["weights"])
    for *setting, bits in GOLDEN[name]:
        if name == "masks":
            some, group = setting
            scope = Scope("inputs", group)
            counts = straight_through.pattern(8, scope, some)[None]
        else:
            scope, counts = Scope("layer"), np.zeros((1, 4), int)
            counts[0, 1] = int((1.0 - setting[0]) * 64)
        found = groups.top(params, counts, 8, scope)[0, layer.weights]
        assert "".join(map(str, found.astype(int))) == bits


# ---- sr_ste


def test_without_pull_sr_ste_is_ste():
    assert same(trained("sr_ste", pull=0.0), trained("ste"))
    assert not same(trained("sr_ste", pull=0.5), trained("ste"))


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


# ---- mdgf_linear


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


# ---- mdgf_exp


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


# ---- sdgf_step


def test_frames_of_a_pattern_of_1_in_8_begin_where_the_authors_do():
    pattern = {"scope": "nm", "nm_keep": 1, "nm_group": 8, "width": 8, "keep": 33}
    found = shown("sdgf_step", **pattern, begin=0.0, end=1.0)
    assert [epoch for epoch, _, _ in found] == [0, 12, 25, 37]
    assert [said[1] for _, said, _ in found] == [7, 4, 2, 1]
    assert all(said[0] == 16 for _, said, _ in found)  # the layer that stays dense
    assert {scope for *_, scope in found} == {Scope("inputs", 8)}


def test_a_stepwise_ramp_halves_what_is_shown():
    found = shown("sdgf_step", width=16, keep=30)
    assert [said.sum() for _, said, _ in found] == [530, 280, 140, 70, 35, 30]
    assert [epoch for epoch, _, _ in found] == [5, 10, 16, 22, 28, 34]


def test_a_stepwise_ramp_has_ten_frames_at_most():
    found = shown("sdgf_step", width=128, keep=15)
    assert len(found) == 10
    assert found[-1][1] == [15]


def test_one_frame_and_no_stages_is_ste():
    got = trained("sdgf_step", frames=1, begin=0.0, end=1.0)
    assert same(got, trained("ste"))


STEPWISE = [case[1:] for case in golden()["frames"] if case[0] == "sparsify"]


@pytest.mark.parametrize(
    ("some", "group", "epochs", "dense", "fine", "frames"), STEPWISE
)
def test_stepwise_frames_are_the_authors(some, group, epochs, dense, fine, frames):
    stages = {"begin": dense / epochs, "end": 1 - fine / epochs}
    pattern = {"scope": "nm", "nm_keep": some, "nm_group": group, "width": 8}
    keep = n_of_m.count(8, some, group)
    found = shown("sdgf_step", **pattern, **stages, epochs=epochs, keep=keep)
    assert [[e, s[1], of.size] for e, s, of in found] == frames


# ---- sdgf_geometric


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


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_geometric_ramp_keeps_the_density_and_shrinks_the_groups(scope):
    found = shown("sdgf_geometric", width=4, keep=17, scope=scope)
    kinds = [of.kind for *_, of in found]
    assert kinds == ["global", "layer", "unit"][scope == "layer" :]
    assert {said.sum() for _, said, _ in found} == {17}
    *_, by_layer, by_unit = [said for _, said, _ in found]
    units = np.split(by_unit, [4, 8, 12])
    assert [part.sum() for part in units] == by_layer.tolist()


GEOMETRIC = [case[1:] for case in golden()["frames"] if case[0] == "fine"]


@pytest.mark.parametrize(
    ("some", "group", "epochs", "dense", "fine", "frames"), GEOMETRIC
)
def test_geometric_frames_are_the_authors(some, group, epochs, dense, fine, frames):
    """Of a layer whose inputs the largest groups divide."""
    stages = {"begin": dense / epochs, "end": 1 - fine / epochs}
    pattern = {"scope": "nm", "nm_keep": some, "nm_group": group, "width": 16}
    keep = n_of_m.count(16, some, group)
    found = shown("sdgf_geometric", **pattern, **stages, epochs=epochs, keep=keep)
    assert [[e, s[-1], of.size * of.merged] for e, s, of in found] == frames


@pytest.mark.parametrize("name", ["ste", "sr_ste"])
def test_the_authors_ranking_is_an_entry_of_its_own(name):
    of_layers, of_all = (
        prepare.build_method(table(each, 1).iloc[0]) for each in (f"{name}_layer", name)
    )
    assert of_layers == replace(of_all, allocation="uniform_alive")
    configs = table(f"{name}_layer", 2, **SHORT)
    as_layers = table(name, 2, scope="layer", **SHORT)
    assert np.array_equal(decide(configs).masks, decide(as_layers).masks)


@pytest.mark.parametrize("keep", [26, 33, 44])
def test_ranked_over_all_layers_no_network_has_a_path_when_training_begins(keep):
    params = np.stack([mlp.initial_params(seed, 16) for seed in range(8)])
    sizes = np.abs(masks.of_weights(params, 16))
    kept = masks.keep_top(sizes, np.full(8, keep))
    assert not masks.on_path(masks.with_biases(kept, 16), 16).any()
    assert 20 <= kept[:, mlp.layers(16)[0].columns].sum(axis=1).mean() <= 24
