"""``ntk_sap``: the tangent kernel's dependence on masks, of weights drawn anew."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.at_init import ntk_sap
from spiral.methods.registry import METHODS
from spiral.model import gradients, masks, mlp
from tests import oracles
from tests.methods import act, chosen, decide, first_view, table

WEIGHTS = oracles.is_weight(3)


def sines(values, shape=(1, 37)):
    """Return values of one network's weights, biases 0."""
    found = np.zeros(shape)
    found[:, WEIGHTS] = values
    return found


THETA = sines(np.sin(np.arange(27) + 1))
ONES = sines(np.ones(27))


def test_a_sampled_score_is_that_of_the_authors():
    """NTKSAP.score of YiteWang/NTK-SAP, Pruners/pruners.py, given these draws."""
    points = np.sin(3 * np.arange(32) + 1.0).reshape(1, 16, 2)
    noise = 0.01 * sines(np.cos(2 * np.arange(27) + 1))
    slope = gradients.perturbed_slope(ONES, THETA, noise, points, 3)
    expected = np.zeros(27)
    expected[:9] = [
        *(3.78734864e-04, 2.07082526e-04, 3.56753750e-05, 3.97677536e-05),
        *(1.55316849e-05, 1.23889533e-05, 3.99504513e-05, 5.78301125e-05),
        2.78336839e-05,
    ]
    expected[[12, 13, 14]] = [1.31701887e-04, 6.19224912e-05, 8.69542779e-08]
    expected[[18, 20, 25]] = [6.99468799e-05, 6.96924413e-05, 1.39639321e-04]
    assert np.abs(slope[0, WEIGHTS]) == pytest.approx(expected, abs=5e-13)


def test_the_exact_score_is_the_mean_of_the_sampled_one():
    random = np.random.default_rng(0)
    points = random.standard_normal((1, 256, 2))
    exact = gradients.tangent_slope(ONES, THETA, points, 3)[0, WEIGHTS]
    noises = np.zeros((2000, 37))
    noises[:, WEIGHTS] = 0.01 * random.standard_normal((2000, 27))
    same = [np.repeat(array, 2000, axis=0) for array in (ONES, THETA, points)]
    drawn = gradients.perturbed_slope(*same[:2], noises, same[2], 3)[:, WEIGHTS]
    mean = drawn.mean(axis=0)
    assert np.corrcoef(mean, exact)[0, 1] > 0.999
    assert mean @ exact / (exact @ exact) == pytest.approx(1e-4, rel=0.1)
    alone = [np.corrcoef(one, exact)[0, 1] for one in drawn]
    assert 0.7 < np.mean(alone) < 0.95
    assert exact.min() >= 0


def method(**options):
    usual = {"rounds": 20, "draws": 5, "inputs": 256, "noise": "exact"}
    return METHODS["ntk_sap"].build(**usual | options)


def test_the_first_round_scores_drawn_weights_and_no_biases():
    configs = table("ntk_sap", 1, keep=11, rounds=1, draws=1, inputs=5)
    view = first_view(configs)
    random = view.stream(0, "ntk_sap/1/0")
    params = ntk_sap.fresh(random, 3)
    points = random.standard_normal((1, 5, 2))
    slope = gradients.tangent_slope(ONES, params[None], points, 3)[0, WEIGHTS]
    expected = oracles.keep_top(np.float32(np.abs(slope) / np.abs(slope).max()), 11)
    assert chosen(act(configs))[0].tolist() == expected


def test_fresh_weights_have_the_law_of_initial_ones():
    random = np.random.default_rng(0)
    drawn = np.stack([ntk_sap.fresh(random, 16) for _ in range(50)])
    for layer in mlp.layers(16):
        part = drawn[:, layer.weights]
        most = layer.inputs**-0.5
        assert 0.98 * most < np.abs(part).max() <= most
        assert part.std() == pytest.approx(most / 3**0.5, rel=0.05)
        assert not drawn[:, layer.biases].any()


def agreement(scores):
    """Return the mean rank correlation between networks."""
    ranks = scores.argsort(axis=1).argsort(axis=1)
    found = np.corrcoef(ranks)
    return found[np.triu_indices(len(found), 1)].mean()


def test_scores_of_two_seeds_agree_more_than_those_of_snip():
    """0.22 and 0.07 at width 16: no score is of the weights of one seed alone."""
    view = first_view(table("ntk_sap", 6, width=16))
    own = method()._scores(view, np.ones((6, 560), bool), 1)
    slope = view.params * gradients.gradient(view.params, view.batch(0), 16)
    snip = np.abs(masks.of_weights(slope, 16))
    assert agreement(own) > 0.15 > 0.1 > agreement(snip)


def test_every_round_draws_anew():
    asked = []
    configs = table("ntk_sap", 1, rounds=3, draws=2)
    view = first_view(configs)

    def stream(n, purpose):
        asked.append(purpose)
        return view.stream(n, purpose)

    method(rounds=3, draws=2).act(replace(view, stream=stream), None)
    assert len(set(asked)) == len(asked) == 6


def test_counts_of_the_rounds():
    """27 · (11/27)^(t/4): 21.6, 17.2, 13.8, 11, of which fractions stay."""
    counts = []

    class Noted(ntk_sap.NtkSap):
        def _scores(self, view, kept, passed):
            counts.append(int(kept.sum()))
            return super()._scores(view, kept, passed)

    view = first_view(table("ntk_sap", 1, keep=11))
    noted = Noted(rounds=4, draws=1, inputs=8, noise="exact")
    change, _ = noted.act(view, None)
    counts.append(int(chosen(change).sum()))
    assert counts == [27, 22, 18, 14, 11]


@pytest.mark.parametrize("noise", ["exact", "sampled"])
@pytest.mark.parametrize("width", [1, 3, 16, 64])
def test_exact_counts_and_no_data_and_no_initial_weights(noise, width):
    total = 2 * width * width + 3 * width
    keep = [4, total - 1, total]
    configs = table("ntk_sap", 3, width=width, keep=keep, rounds=3, noise=noise)
    change = act(configs)
    assert chosen(change, width).sum(axis=1).tolist() == keep
    assert change.params is None  # the initial weights train
    other = np.zeros((3, mlp.param_count(width)), np.float32)
    assert np.array_equal(act(configs, other).masks, change.masks)


def test_a_nan_among_the_weights_stays_there():
    configs = table("ntk_sap", 2)
    params = first_view(configs).params.copy()
    params[0, 3] = np.nan
    assert np.array_equal(act(configs, params).masks, act(configs).masks)


def test_five_draws_a_round_leave_paths_and_one_does_not():
    keep = [26, 44, 65] * 4
    five, one = (
        act(table("ntk_sap", 12, width=16, keep=keep, rounds=20, draws=draws))
        for draws in (5, 1)
    )
    useful = masks.on_path(five.masks, 16).sum(axis=1)
    assert (useful >= np.array(keep) - 4).all()
    assert masks.on_path(one.masks, 16).any(axis=1).mean() < 0.5
    assert (one.status == "degenerate").mean() > 0.5


def test_the_cost_counts_rounds_draws_and_inputs():
    one = table("ntk_sap", 1, rounds=20)
    more = table("ntk_sap", 1, rounds=20, draws=10, inputs=512)
    cost = METHODS["ntk_sap"].gradients
    assert cost(more) == 4 * cost(one)
    assert cost(one) == pytest.approx([500])


def test_stop_epoch_is_respected_after_the_only_event():
    configs = table("ntk_sap", 1).assign(stop_epoch=1)
    shared = configs.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    assert plan.events == (0,)
    assert decide(configs).step == 390
