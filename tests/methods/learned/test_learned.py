"""What all methods with learned masks obey, trained by the engine that knows them."""

import functools
from itertools import product

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.experiment import prepare, training
from spiral.methods.registry import METHODS
from spiral.model import masks
from spiral.protocol import reparam
from tests import mostly_slow, oracles
from tests.methods import prepared, table
from tests.methods.learned import SHORT, Noting, trained
from tests.tolerances import tolerance

LEARNED = ["str", "powerprop", "movement", "cs", "spartan", "l0"]
ALL = [*LEARNED, "edge_popup", "sign_in"]


def rows_of(name, **values):
    rows = experiment.run(table(name, **{**SHORT, **values})).to_pylist()
    return [row | {"seconds": 0} for row in rows]


@functools.cache
def calm_rows(name):
    return rows_of(name, n=2, seed=[1, 2], keep=[9, 9])


CASES = [*product(ALL, [(1, [1, 3]), (3, [5, 26]), (64, [4, 90])])]
QUICK = [case for case in CASES if case[1][0] == 3 or case[0] == "powerprop"]


@pytest.mark.parametrize(
    "case", mostly_slow(CASES, QUICK), ids=lambda case: f"{case[0]}-{case[1][0]}"
)
def test_rows_keep_exactly_keep_weights_and_do_not_depend_on_their_pack(case):
    name, (width, keeps) = case
    both = rows_of(name, n=2, width=width, seed=[1, 2], keep=keeps)
    assert [row["nnz"] for row in both] == keeps
    assert all(row["status"] in ("ok", "collapsed") for row in both)
    (alone,) = rows_of(name, n=1, width=width, seed=[2], keep=keeps[1:])
    for column in ("weights", "mask", "accuracy", "running_loss", "status"):
        assert alone[column] == both[1][column]  # evaluation rounds in other orders


@pytest.mark.parametrize("name", ALL)
def test_engine_vmap_trains_them(name):
    shared = table(name).iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    assert prepare.engine_of(shared, plan) == "vmap"


@pytest.mark.parametrize("name", ["str", "powerprop", "cs", "l0"])
def test_configs_that_differ_in_keep_alone_train_once_until_the_mask_is_final(name):
    noting = Noting()
    trained(table(name, 3, seed=[1] * 3, keep=[5, 9, 20], **SHORT), noting)
    assert noting.networks == [1, 3]


@pytest.mark.parametrize("name", LEARNED)
def test_networks_behave_the_same_before_and_after_the_mask_is_final(name):
    """Where all weights stay; then they train plainly, with fresh momentum."""
    noting = Noting()
    configs = table(name, 2, keep=27, **SHORT)
    after = trained(configs, noting)
    before, start = noting.ends[-2], noting.starts[-1]
    job = noting.jobs[-2]
    here = job.plan.weight_map
    params, numbers = before.params, before.adapters
    c = here.curve[before.step - 1]
    given = reparam.given(here.kind, params, numbers, c, before.active_counts)
    if name == "l0":  # the gates of tests, of which half a sigmoid's noise is none
        given = (-numbers / 3,)
    seen = reparam.effective(params, numbers, here, np.full(2, c), given)
    assert start.adapters is None
    assert not start.momentum.any()
    assert after.step == 50
    for n in range(2):
        logits = [oracles.logits(p[n], job.x[:200], 3) for p in (seen, start.params)]
        assert np.abs(logits[0] - logits[1]).max() <= tolerance("logit")
    assert noting.jobs[-1].plan.weight_map is None


@pytest.mark.parametrize("name", LEARNED)
def test_without_an_end_there_is_no_training_after_the_mask_is_final(name):
    noting = Noting()
    state = trained(table(name, 2, keep=[5, 20], end=1.0, **SHORT), noting)
    assert masks.of_weights(state.masks, 3).sum(axis=1).tolist() == [5, 20]
    assert noting.ends[-1].step == 50
    assert noting.ends[-1].adapters is not None


@pytest.mark.parametrize("name", ["movement", "powerprop", "str", "cs", "l0"])
def test_masks_can_be_cut_within_layers(name):
    state = trained(table(name, 2, keep=[5, 20], allocation="uniform", **SHORT))
    shares = masks.layer_counts(state.masks, 3)
    assert np.array_equal(shares, masks.allocate(np.array([5, 20]), [6, 9, 9, 3]))


@pytest.mark.parametrize("name", ALL)
def test_a_diverged_network_keeps_its_count_and_its_neighbours_their_bits(name):
    calm = calm_rows(name)
    wild = rows_of(name, n=2, seed=[1, 2], keep=[9, 9], lr=[0.1, 1e9])
    assert wild[0] == calm[0]
    assert wild[1]["nnz"] == 9


@pytest.mark.parametrize("name", ALL)
def test_a_map_that_stop_epoch_ends_has_no_running_loss(name):
    """It would be that of effective weights, in a row of stored ones."""
    (cut, _) = rows_of(name, n=2, seed=[1, 2], keep=[9, 9], stop_epoch=3)
    assert np.isnan(cut["running_loss"])
    assert np.isfinite(cut["loss"])
    (whole, _) = calm_rows(name)
    assert np.isfinite(whole["running_loss"])


def test_the_reference_trains_the_same_networks():
    for name in ALL:
        configs = table(name, 2, keep=[9, 20], epochs=2, batch=4992)
        found, expected = (
            training.train(engines.build(engine), *prepared(configs))
            for engine in ("vmap", "reference")
        )
        assert np.abs(found.params - expected.params).max() <= 2e-5
        assert np.array_equal(found.masks, expected.masks)


@pytest.mark.parametrize("name", ALL)
def test_a_weight_map_has_as_many_numbers_as_its_kind(name):
    noting = Noting()
    state = trained(table(name, 2, keep=9, **SHORT), noting)
    found = noting.ends[0].adapters.shape[1]
    assert found == {"str": 4, "powerprop": 0, "spartan": 0}.get(name, 27)
    assert state.adapters is None  # all end plainly


def test_no_two_have_the_same_marker():
    assert len({METHODS[name].marker for name in ALL}) == len(ALL)
