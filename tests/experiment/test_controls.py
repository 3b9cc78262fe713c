"""Controls of a config: where they hold, and where they are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spiral import engines
from spiral.errors import ConfigError
from spiral.experiment import controls, prepare, training
from spiral.methods.registry import METHODS, options
from spiral.model import mlp
from spiral.protocol import identity
from spiral.protocol.job import (
    Adam,
    AdamW,
    Change,
    Controls,
    FrankWolfe,
    Sam,
    Sgd,
)
from spiral.results import columns
from spiral.sweep import packs
from spiral.sweep.grid.grid import loads
from spiral.tasks import cubist
from tests import oracles
from tests.experiment import run
from tests.experiment.test_training import state_of
from tests.methods import table
from tests.tolerances import tolerance

SOME = {"optimiser": "adam", "label_smoothing": 0.1}


def planned(method, **values):
    return prepare.planned(table(method, 1, **values).iloc[0])[1]


def complaints(text):
    with pytest.raises(ConfigError) as caught:
        loads(text, "g")
    return str(caught.value).splitlines()


# ---- laid over plans


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Controls()),
        ({"nesterov": True}, Controls(Sgd(nesterov=True))),
        (SOME, Controls(Adam(), 0.1)),
        ({"optimiser": "adamw"}, Controls(AdamW())),
    ],
)
def test_a_plan_follows_the_controls_of_its_config(values, expected):
    plan = planned("gmp", **values)
    assert (plan.optimiser, plan.label_smoothing) == (
        expected.optimiser,
        expected.label_smoothing,
    )
    assert plan.controls == expected


def test_a_plan_that_is_cut_keeps_them_and_so_does_the_one_methods_see():
    plan = planned("gmp", epochs=3, stop_epoch=2, **SOME)
    assert plan.whole is not None
    for each in (plan, plan.whole):
        assert (each.optimiser, each.label_smoothing) == (Adam(), 0.1)


def test_plain_training_is_that_of_the_config():
    values = {"optimiser": "adamw", "label_smoothing": 0.2}
    plan = planned("sr_ste", **values)
    assert plan.weight_map is not None
    job = prepare.make_job(table("sr_ste", 1, **values), plan)
    after = job.after(Change(plain=True), job).plan
    assert after.weight_map is None
    assert (after.optimiser, after.label_smoothing) == (AdamW(), 0.2)


def test_a_method_that_ends_its_own_way_goes_on_as_the_config_says():
    """The first part of scratch smooths labels as acdc_pp does, the second does not."""
    usual = {"of": "acdc_pp", "epochs": 60, "second_epochs": 60}
    plan = planned("scratch", nesterov=True, **usual)
    assert (plan.optimiser, plan.label_smoothing) == (Sgd(nesterov=True), 0.1)
    assert plan.plain().optimiser == Sgd(nesterov=True)
    assert plan.plain().label_smoothing == 0
    assert planned("scratch", **usual).plain().optimiser == Sgd()


def test_an_optimiser_that_starts_late_leaves_the_steps_before_it():
    plan = planned("perp", nesterov=True, retrain_epochs=1)
    assert plan.optimiser == AdamW(since=390)
    assert plan.controls.optimiser == Sgd(nesterov=True)


def test_an_option_called_like_a_control_is_none():
    for optimiser in ("sgd", "adamw"):
        shared = table("perp", 1, optimiser=optimiser).iloc[0]
        assert controls.of(shared) == Controls()


# ---- refused

REFUSED = [
    ("sfw", {"optimiser": "adam"}, "optimiser: sfw trains by its own optimiser, sfw"),
    ("sfw", {"nesterov": True}, "nesterov: sfw trains by its own optimiser, sfw"),
    ("acdc_pp", {"label_smoothing": 0.1}, "label_smoothing: acdc_pp has its own, 0.1"),
    ("one_shot", {"sam": 0.1, "optimiser": "adamw"}, "its own optimiser, sam"),
]


@pytest.mark.parametrize(("method", "values", "text"), REFUSED)
def test_what_a_method_sets_itself_is_refused_before_training(method, values, text):
    with pytest.raises(ConfigError, match=text):
        planned(method, **values)


def test_a_grid_reports_all_refusals_with_their_places():
    found = complaints(
        "method: [gmp, sfw, acdc_pp]\n"
        "keep: 20\n"
        "epochs: 50\n"
        "label_smoothing: [0, 0.1]\n"
        "optimiser: adam\n"
        "lr: 0.001\n"
    )
    assert len(found) == 2
    assert found[0].startswith("g:4:22: label_smoothing: acdc_pp has its own, 0.1;")
    assert found[1].startswith("g:5:12: optimiser: sfw trains by its own optimiser")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("nesterov: 1", "g:4:11: nesterov: expected true or false, got 1"),
        ("optimiser: lion", "g:4:12: optimiser: should be 'sgd', 'adam' or 'adamw'"),
        ("label_smoothing: 1", "g:4:18: label_smoothing: should be less than 1"),
        (
            "nesterov: true\noptimiser: adam",
            "g:4:11: nesterov: adam and adamw have no such momentum",
        ),
        (
            "nesterov: [true, false]\nmomentum: [0, 0.9]",
            "g:4:12: nesterov: expected a momentum above 0, got 0",
        ),
        (
            "optimiser: [sgd, adamw]\nmomentum: 0.5",
            "g:5:11: momentum: adam and adamw have β instead",
        ),
    ],
)
def test_values_that_contradict_each_other_are_mistakes(lines, text):
    (found,) = complaints(f"method: gmp\nkeep: 4\nwidth: 3\n{lines}")
    assert found.startswith(text)


def test_an_option_of_a_method_is_checked_beside_the_control():
    (found,) = complaints("method: [gmp, perp]\nkeep: 4\nwidth: 3\noptimiser: adam")
    assert found.startswith("g:4:12: optimiser: should be 'adamw' or 'sgd', got 'adam'")
    text = "method: [gmp, perp]\nkeep: 4\nwidth: 3\noptimiser: [sgd, adamw]"
    found = loads(text).configs
    assert found["optimiser"].tolist() == ["sgd", "adamw"] * 2


def test_smoothing_of_acdc_pp_is_either_its_option_or_the_control():
    usual = "method: acdc_pp\nkeep: 20\nepochs: 50\nsmoothing: 0\nlabel_smoothing: 0.2"
    assert len(loads(usual).configs) == 1
    plan = planned("acdc_pp", smoothing=0.0, label_smoothing=0.2)
    assert plan.label_smoothing == 0.2
    assert planned("acdc_pp").label_smoothing == 0.1


# ---- ids, columns and engines


def test_neutral_values_change_no_id():
    neutral = {"optimiser": "sgd", "nesterov": False, "label_smoothing": 0.0}
    found = [
        identity.identify(table("gmp", 1, **values), options())[0]
        for values in (
            *({}, neutral, {"nesterov": True}, {"optimiser": "adam"}),
            {"label_smoothing": 0.1},
        )
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 4


def test_grids_may_ask_for_true_and_false():
    text = "method: gmp\nkeep: 4\nwidth: 3\nnesterov: [true, false]\nwhere: {}"
    for condition, expected in (
        ("nesterov", [True]),
        ("not nesterov", [False]),
        ("nesterov or keep < 5", [True, False]),
    ):
        found = loads(text.format(condition)).configs["nesterov"]
        assert found.dtype == pd.BooleanDtype()
        assert found.tolist() == expected


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_controls_or_refuses_in_words(method):
    """And where it takes them, an engine trains its plan."""
    configs = table(method, 1, **SOME)
    wrong = prepare.refusals(configs)
    own = prepare.own_plan(prepare.build_method(configs.iloc[0]), configs.iloc[0])
    assert [m.field for m in wrong] == [
        *(["label_smoothing"] if own.label_smoothing else []),
        *(["optimiser"] if isinstance(own.optimiser, FrankWolfe | Sam) else []),
    ]
    if not wrong:
        plan = planned(method, **SOME)
        assert engines.choose("auto", plan)[0] == "vmap"


def test_packs_have_one_plan():
    text = "method: gmp\nkeep: [20, 21]\nnesterov: [true, false]\n"
    text += "label_smoothing: [0, 0.1]"
    assert packs.pack(loads(text).configs).table["networks"].tolist() == [2] * 4


def test_adam_takes_longer_than_sgd_by_its_factor():
    usual, adam = (
        packs.pack(loads(f"method: gmp\nkeep: 20\nengine: vmap\n{line}").configs)
        for line in ("lr: 0.1", "optimiser: adam")
    )
    more = adam.table["seconds"].sum() - usual.table["seconds"].sum()
    step = engines.ENGINES["vmap"].price.seconds[16]
    assert more == pytest.approx(step, rel=0.5)


# ---- moments at events


def with_moments(adapters=None):
    size = 4 if adapters is None else 4 + adapters.shape[1]
    moments = np.arange(1, 2 * size + 1, dtype=np.float32).reshape(1, 2, size)
    born = np.full((1, size), 2)
    return replace(state_of(), moments=moments, born=born, adapters=adapters)


def apply(state, **change):
    return training.apply(Change(**change), state, "method")


def test_moments_of_pruned_frozen_and_reset_entries_begin_anew():
    flags = np.array([[False, True, True, True]])
    for name in ("masks", "trainable"):
        found = apply(with_moments(), **{name: flags})
        assert found.moments[0].tolist() == [[0, 2, 3, 4], [0, 6, 7, 8]]
        assert found.born.tolist() == [[5, 2, 2, 2]]
    found = apply(with_moments(), reset_momentum=flags)
    assert found.moments[0].tolist() == [[1, 0, 0, 0], [5, 0, 0, 0]]
    assert found.born.tolist() == [[2, 5, 5, 5]]


def test_entries_that_come_back_are_as_old_as_their_return():
    flags = np.array([[False, True, True, True]])
    away = replace(apply(with_moments(), masks=flags), step=9)
    back = apply(away, masks=np.ones((1, 4), bool))
    assert back.born.tolist() == [[9, 2, 2, 2]]
    assert back.moments[0, :, 0].tolist() == [0, 0]


def test_moments_of_adapters_go_on_and_end_with_them():
    own = np.ones((1, 2), np.float32)
    flags = np.array([[False, True, True, True]])
    found = apply(with_moments(own), masks=flags)
    assert found.moments[0, 0].tolist() == [0, 2, 3, 4, 5, 6]
    assert found.born.tolist() == [[5, 2, 2, 2, 2, 2]]
    plain = apply(with_moments(own), plain=True)
    assert plain.adapters is None
    assert plain.moments[0].tolist() == [[1, 2, 3, 4], [7, 8, 9, 10]]
    new = apply(with_moments(own), adapters=own)
    assert new.moments is new.born is None


# ---- rows


def test_neutral_controls_leave_rows_as_they_are():
    (usual,) = run("gmp")
    (neutral,) = run("gmp", optimiser="sgd", nesterov=False, label_smoothing=0.0)
    varying = {"seconds"}
    assert {k: v for k, v in usual.items() if k not in varying} == {
        k: v for k, v in neutral.items() if k not in varying
    }


def test_rows_have_their_controls_and_the_loss_without_smoothing():
    (usual,), (smooth,) = run("gmp"), run("gmp", label_smoothing=0.3)
    assert (smooth["optimiser"], smooth["nesterov"]) == ("sgd", False)
    assert smooth["label_smoothing"] == 0.3
    assert smooth["weights"] != usual["weights"]
    network = mlp.initial_params(0, 3) * 0
    network[columns.params_of(smooth)[0]] = smooth["weights"]
    expected = oracles.loss(network, cubist.load().x, cubist.load().y, 3)
    assert smooth["loss"] == pytest.approx(expected, abs=tolerance("loss"))


def test_adam_trains_a_method_to_its_exact_count():
    (row,) = run("gmp", optimiser="adam", lr=0.01)
    assert row["engine_used"] == "vmap"
    assert (row["nnz"], row["status"]) == (11, "ok")
