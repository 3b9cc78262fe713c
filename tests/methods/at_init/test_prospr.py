"""``prospr``: meta-gradients through the first steps."""

from functools import partial

import numpy as np
import pytest
import torch

from spiral import experiment
from spiral.methods.at_init import prospr
from spiral.model import gradients, masks, mlp
from tests import oracles
from tests.methods import act, chosen, first_view, silent, surplus, table

EVERY = list(range(1, 28))
FREE = oracles.is_weight(3)


def scores(view, n, lr, steps=3, momentum=0.9):
    """Return |∂L/∂c| by finite differences in c."""
    batches = [tuple(part[n] for part in view.batch(i)) for i in range(steps + 1)]
    params = view.params[n].astype(float)
    last = partial(
        oracles.loss_after_steps,
        params=params,
        batches=batches,
        lr=lr,
        momentum=momentum,
    )
    return np.abs(oracles.finite_differences(last, np.ones(37)))[FREE]


def best(score, keeps):
    """Rank by scores to nine digits: finite differences have no more."""
    rounded = np.round(score, 9).tolist()
    return [oracles.keep_top(rounded, keep) for keep in keeps]


@pytest.mark.parametrize("seed", range(3))
def test_for_every_keep_the_largest_meta_gradients_stay(seed):
    configs = table("prospr", 27, seed=seed, keep=EVERY, lr=0.3)
    expected = best(scores(first_view(configs), 0, 0.3), EVERY)
    assert np.array_equal(chosen(act(configs)), expected)


def test_the_learning_rate_is_the_configs_or_the_options():
    rates = [0.05, 0.5]
    configs = table("prospr", 2, seed=1, keep=11, lr=rates)
    found, view = chosen(act(configs)), first_view(configs)
    for n, lr in enumerate(rates):
        assert found[n].tolist() == best(scores(view, n, lr), [11])[0]
    assert not np.array_equal(*found)
    fixed = chosen(act(table("prospr", 2, seed=1, keep=11, lr=rates, inner_lr=0.5)))
    assert np.array_equal(fixed, [found[1]] * 2)


@pytest.mark.parametrize(("steps", "momentum"), [(1, 0.9), (2, 0.0), (5, 0.5)])
def test_steps_and_momentum_are_options(steps, momentum):
    options = {"inner_steps": steps, "inner_momentum": momentum}
    configs = table("prospr", 27, seed=4, keep=EVERY, lr=0.3, **options)
    score = scores(first_view(configs), 0, 0.3, steps, momentum)
    assert np.array_equal(chosen(act(configs)), best(score, EVERY))


def test_without_steps_it_is_snip():
    none = act(table("prospr", 27, seed=3, keep=EVERY, inner_steps=0))
    snip = act(table("snip", 27, seed=3, keep=EVERY))
    assert np.array_equal(none.masks, snip.masks)
    assert np.array_equal(none.status, snip.status)


@pytest.mark.parametrize("lr", [0.0, 1e-9])
def test_a_vanishing_learning_rate_is_snip_on_the_last_batch(lr):
    configs = table("prospr", 27, seed=3, keep=EVERY, inner_lr=lr)
    view = first_view(configs)
    (x, y), params = view.batch(3), view.params[0].astype(float)
    score = np.abs(params * oracles.gradient(params, x[0], y[0], 3))[FREE]
    expected = [oracles.keep_top(score.tolist(), keep) for keep in EVERY]
    assert np.array_equal(chosen(act(configs)), expected)


def test_biases_do_not_compete():
    loud = first_view(table("prospr", 1)).params.copy()
    loud[:, ~FREE] = 3
    configs = table("prospr", 1, keep=11, lr=0.01)
    score = scores(first_view(configs, loud), 0, 0.01)
    assert chosen(act(configs, loud)).tolist() == best(score, [11])


def test_without_scores_the_index_decides_and_the_row_says_so():
    change = act(table("prospr", 2, keep=[12, 20]), np.repeat(silent(), 2, axis=0))
    assert change.status.tolist() == ["", "degenerate"]
    assert chosen(change).sum(axis=1).tolist() == [12, 20]


# ---- as in the code of Zhang & Papyan


def test_counts_are_one_more_in_74_cells():
    assert surplus(prospr.rounded_up) == {0: 160, 1: 74}


def test_zp24_keeps_the_weight_more():
    cells = [(3, 15), (3, 20), (16, 26)]
    for width, keep in cells:
        configs = table("prospr", 3, width=width, keep=keep, fidelity="zp24")
        expected = int(prospr.rounded_up(np.array([keep]), 2 * width**2 + 3 * width)[0])
        found = chosen(act(configs), width).sum(axis=1)
        assert found.tolist() == [expected] * 3


@pytest.mark.parametrize("fidelity", ["exact", "zp24"])
def test_a_network_with_an_empty_layer_is_a_trained_row(fidelity):
    """Two weights cannot fill four layers; the original leaves no record."""
    configs = table("prospr", 2, keep=[2, 14], epochs=1, fidelity=fidelity)
    emptied, whole = experiment.run(configs).to_pylist()
    assert emptied["status"] == {"exact": "collapsed", "zp24": "aborted"}[fidelity]
    assert (emptied["nnz"], emptied["effective_nnz"]) == (2, 0)
    assert emptied["connected"] is False
    assert emptied["steps"] == 390
    assert emptied["accuracy"] >= 0.5
    assert (whole["status"], whole["connected"]) == ("ok", True)


def test_zp24_aborts_where_a_layer_is_empty_and_only_there():
    """Measured with the published code at width 32: 33 % at 15 weights, none at 26."""
    configs = table("prospr", 40, width=32, keep=15, fidelity="zp24")
    change = act(configs)
    empty = [
        not all(part.any() for part in oracles.weight_matrices(kept, 32))
        for kept in chosen(change, 32)
    ]
    assert ((change.status == "aborted") == empty).all()
    assert 4 <= sum(empty) <= 24


def test_zp24_lets_torch_choose_among_weights_of_score_zero():
    configs = table("prospr", 3, keep=20, lr=0.1, fidelity="zp24")
    view, found = first_view(configs), chosen(act(configs))
    batches = [view.batch(step) for step in range(4)]
    meta = gradients.meta_gradient(view.params, batches, view.lr, 0.9, 3)
    for score, kept in zip(np.abs(meta)[:, FREE], found, strict=True):
        assert (score == 0).sum() > 7  # so the score decides nothing here
        best = torch.topk(torch.tensor(score), kept.sum()).indices
        assert set(np.flatnonzero(kept)) == set(best.tolist())
    exact = chosen(act(table("prospr", 3, keep=20, lr=0.1)))
    assert not np.array_equal(exact, found)


@pytest.mark.parametrize(("width", "spared"), [(3, [2]), (4, [])])
def test_zp24_spares_the_biases_of_the_third_layer_at_width_3(width, spared):
    """A loop over layers there stops at the rows of one layer's mask."""
    change = act(table("prospr", 9, width=width, keep=8, fidelity="zp24"))
    theirs, rule = change.masks, masks.with_biases(chosen(change, width), width)
    for number, layer in enumerate(mlp.layers(width)):
        if number in spared:
            assert theirs[:, layer.biases].all()
            assert not rule[:, layer.biases].all()
        else:
            assert np.array_equal(theirs[:, layer.biases], rule[:, layer.biases])
