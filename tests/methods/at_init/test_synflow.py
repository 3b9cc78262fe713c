"""``synflow``: the flow is conserved, so no layer is cut while others can spare."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.at_init import synflow
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import CELLS, act, chosen, first_view, table
from tests.tolerances import tolerance


def sizes(width, n=3):
    """Return absolute initial parameters [n, P], biases zero."""
    view = first_view(table("synflow", n, width=width))
    return np.abs(view.params.astype(float)) * oracles.is_weight(width)


def output(size, width):
    """Return R of one network: its output at (1, 1), nothing being negative."""
    h = np.ones(2)
    for weights, biases in oracles.split(size, width):
        h = weights @ h + biases
    return float(h[0])


def scores(size, width):
    """Return w · ∂R/∂w: what is lost without the weight, as R is linear in each."""
    whole, found = output(size, width), []
    for j in np.flatnonzero(oracles.is_weight(width)):
        without = size.copy()
        without[j] = 0
        found.append(whole - output(without, width))
    return np.array(found)


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("biases", [False, True])
def test_the_score_is_the_weights_share_of_the_output(width, biases):
    view = first_view(table("synflow", 3, width=width))
    size = np.abs(view.params.astype(float))
    size *= biases | oracles.is_weight(width)
    expected = [scores(row, width) for row in size]
    gap = np.abs(synflow.flow(size, width) - expected).max()
    assert gap <= tolerance("float64")


@pytest.mark.parametrize("width", [1, 3, 16, 64])
def test_all_layers_carry_the_same_flow(width):
    size = sizes(width)
    flow = synflow.flow(size, width)
    sums = [flow[:, layer.columns].sum(axis=1) for layer in mlp.layers(width)]
    expected = [output(row, width) for row in size]
    assert np.array(sums) == pytest.approx(np.array([expected] * 4), rel=1e-12)


@pytest.mark.parametrize("width", [3, 16])
def test_what_enters_a_unit_leaves_it(width):
    for flow in synflow.flow(sizes(width), width):
        parts = oracles.weight_matrices(flow, width)
        for before, after in pairwise(parts):
            assert before.sum(axis=1) == pytest.approx(after.sum(axis=0), rel=1e-12)


def test_biases_in_the_scoring_pass_break_the_conservation():
    size = np.abs(first_view(table("synflow", 1, width=16)).params.astype(float))
    flow = synflow.flow(size, 16)[0]
    sums = [flow[layer.columns].sum() for layer in mlp.layers(16)]
    assert max(sums) > 1.01 * min(sums)


@pytest.mark.parametrize("width", [3, 16, 64])
def test_four_weights_are_enough_for_a_path(width):
    keep = [4, 5, 7, 15, 26]
    configs = table("synflow", 25, width=width, keep=5 * keep, seed=sorted(5 * keep))
    change = act(configs)
    kept = chosen(change, width)
    assert kept.sum(axis=1).tolist() == 5 * keep
    assert masks.on_path(change.masks, width).any(axis=1).all()
    assert set(change.status) == {""}


def test_data_are_not_looked_at():
    configs = table("synflow", 3)

    def no_batch(step):
        raise AssertionError

    method = prepare.build_method(configs.iloc[0])
    blind = replace(first_view(configs), batch=no_batch)
    change, _ = method.act(blind, None)
    assert np.array_equal(change.masks, act(configs).masks)


def test_signs_do_not_matter():
    configs = table("synflow", 3)
    view = first_view(configs)
    flipped = view.params * np.where(np.arange(37) % 2, -1, 1).astype(np.float32)
    assert np.array_equal(act(configs, flipped).masks, act(configs).masks)


# ---- ties


def test_the_weights_of_a_chain_are_equal_and_the_lower_index_stays():
    """Products in another order differ in the last bit; that must not decide."""
    random = np.random.default_rng(0)
    params = np.zeros((100, 37), np.float32)
    chain = [2, 6 + 3 + 4, 21 + 1, 33 + 0]  # one weight of each layer
    values = random.uniform(0.05, 1, (100, 4)).astype(np.float32)
    params[:, chain] = values
    flow = synflow.flow(params.astype(float), 3)
    assert any(len(set(row[row > 0])) > 1 for row in flow)  # the last bit differs
    kept = chosen(act(table("synflow", 100, keep=3, rounds=1), params))
    full = np.zeros((100, 37), bool)
    full[:, oracles.is_weight(3)] = kept
    assert full[:, chain].all(axis=0).tolist() == [True, True, True, False]


def test_more_than_the_positive_scores_are_filled_up_by_index():
    params = np.zeros((2, 9), np.float32)
    params[:, [1, 3, 5, 7]] = 0.5  # width 1: the second input's chain, the first is 0
    change = act(table("synflow", 2, width=1, keep=[4, 5]), params)
    assert change.status.tolist() == ["", "degenerate"]
    assert chosen(change, 1).tolist() == [[False, *[True] * 4], [True] * 5]


# ---- the whole algorithm, slowly


def rounds_of(params, width, keep, strict, biases, rounds=100):
    """Prune one network in rounds; return its mask."""
    size = np.abs(params.astype(float))
    if not biases:
        size = size * oracles.is_weight(width)
    free = np.flatnonzero(oracles.is_weight(width))
    total, kept = len(free), np.ones(len(free), bool)
    for i in range(1, rounds + 1):
        size[free[~kept]] = 0
        score = scores(size, width)
        if not strict:
            score = np.float32(score / max(score.max(), 1e-300))
        share = i / rounds
        removed = int(total - keep**share / total ** (share - 1.0))
        if removed < 1:
            continue
        if strict:
            kept = score > np.sort(score)[removed]
        else:
            ranked = np.where(kept, score, -1).tolist()
            kept = np.array(oracles.keep_top(ranked, total - removed))
    return kept


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (3, 27), (4, 15), (5, 26)])
@pytest.mark.parametrize("fidelity", ["exact", "zp24"])
def test_masks_are_those_of_one_network_at_a_time(width, keep, fidelity):
    configs = table("synflow", 3, width=width, keep=keep, fidelity=fidelity)
    found, strict = chosen(act(configs), width), fidelity == "zp24"
    for n, params in enumerate(first_view(configs).params):
        expected = rounds_of(params, width, keep, strict, biases=strict)
        assert np.array_equal(found[n], expected)


def test_one_round_keeps_the_best_of_the_dense_network():
    configs = table("synflow", 3, keep=11, rounds=1)
    flow = synflow.flow(sizes(3), 3).astype(np.float32)
    expected = [oracles.keep_top(row.tolist(), 11) for row in flow]
    assert np.array_equal(chosen(act(configs)), expected)


# ---- squares


def sines(width=3):
    """Return absolute parameters [1, P] of weights sin(i + 1), biases 0."""
    size = np.zeros((1, len(oracles.is_weight(width))))
    weights = oracles.is_weight(width)
    size[:, weights] = np.abs(np.sin(np.arange(weights.sum()) + 1))
    return size


@pytest.mark.parametrize(("power", "layer"), [(1, 8.413072), (2, 3.049880)])
def test_all_layers_of_a_given_network_carry_this_flow(power, layer):
    flow = synflow.flow(sines() ** power, 3)[0]
    sums = [part.sum() for part in oracles.weight_matrices(flow, 3)]
    assert sums == pytest.approx([layer] * 4, abs=5e-7)


def test_the_flow_of_squares_is_what_px_scores():
    """Shares of the whole by PX.score of iurada/px-ntk-pruning, lib/pruners.py."""
    px = [0.03217772, 0.03757413, 0.0037795, 0.1086983, 0.06246663, 0.00530372]
    flow = synflow.flow(sines() ** 2, 3)[0]
    assert flow[:6] == pytest.approx(
        [0.39255, 0.45839, 0.04611, 1.32607, 0.76206, 0.06470], abs=5e-6
    )
    assert flow[:6] / flow.sum() == pytest.approx(px, abs=5e-9)


@pytest.mark.parametrize("fidelity", ["exact", "zp24"])
def test_power_2_is_synflow_on_squared_weights(fidelity):
    configs = table("synflow", 3, keep=11, fidelity=fidelity)
    params = first_view(configs).params
    squares = np.sqrt(np.abs(params.astype(float)))  # whose squares are |w|
    twice = table("synflow", 3, keep=11, fidelity=fidelity, power=2.0)
    scored = [act(configs, params), act(twice, squares)]
    assert np.array_equal(scored[0].masks, scored[1].masks)
    assert not np.array_equal(act(twice, params).masks, scored[0].masks)


# ---- as in the code of Zhang & Papyan


def test_the_last_round_removes_all_that_should_go():
    for width, keep in CELLS:
        total = 2 * width * width + 3 * width
        removed = synflow.removed_by(np.array([keep]), total, 1.0)
        assert total - int(removed[0]) == keep


@pytest.mark.parametrize(("width", "keep"), [(4, 15), (16, 26), (64, 40)])
def test_zp24_keeps_one_less(width, keep):
    change = act(table("synflow", 5, width=width, keep=keep, fidelity="zp24"))
    assert chosen(change, width).sum(axis=1).tolist() == [keep - 1] * 5


def test_zp24_tells_apart_what_float32_would_not():
    """Scores of two weights of layer 2: (1 + e)(1 + 2e) and 1 + 3e, e being 2⁻²³."""
    params, e = np.zeros((1, 21), np.float32), np.float32(2**-23)
    params[0, :4] = [0.5, 0.5, 0.5 + e, 0.5 + e]
    params[0, [6, 7, 12, 18]] = [1 + 3 * e, 1 + e, 1, 1]  # W2, one unit from here on
    configs = table("synflow", 1, width=2, keep=4, rounds=1, fidelity="zp24")
    kept = chosen(act(configs, params), 2)[0]
    assert np.flatnonzero(kept).tolist() == [5, 8, 12]  # and not [8, 12]: no tie


def test_zp24_leaves_weights_on_no_path():
    """Measured with the published code at width 64: 19.6 of 26, without biases 25.6."""
    found = {}
    for fidelity in ("exact", "zp24"):
        change = act(table("synflow", 20, width=64, keep=26, fidelity=fidelity))
        found[fidelity] = masks.on_path(change.masks, 64).sum(axis=1).mean()
    assert found["exact"] > 25
    assert 17 < found["zp24"] < 22
