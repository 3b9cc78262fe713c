"""The ``ste`` family: limits, stages on exact steps, patterns, hardening."""

import numpy as np
import pytest

from spiral import experiment, masks, mlp
from spiral.methods import METHODS, flow, nm
from tests import oracles
from tests.methods import decide, table
from tests.methods.flows import FAMILY, SHORT, Noting, same, trained

STAGED = FAMILY[2:]


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


# ---- ramps


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
