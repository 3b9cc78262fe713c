"""``edge_popup``: weights are drawn and never train; scores choose among them."""

import numpy as np
import pytest

from spiral import experiment
from spiral.methods.parts import shares
from spiral.model import masks, mlp
from spiral.tasks import cubist
from tests import oracles
from tests.methods import act, plan_at, table
from tests.methods.learned import SHORT, Noting, trained


def test_weights_and_scores_are_drawn_by_their_layers_inputs():
    change = act(table("edge_popup", 2, width=64, keep=100))
    for layer in mlp.layers(64)[1:3]:
        weights = change.params[:, layer.weights]
        assert weights.std() == pytest.approx(np.sqrt(2 / 64), rel=0.03)
        scores = change.adapters[:, layer.columns]
        assert np.abs(scores).max() == pytest.approx(1 / 8, rel=0.01)
        assert not change.params[:, layer.biases].any()
    signed = act(table("edge_popup", 2, frozen_weights="signed")).params
    for layer in mlp.layers(3):
        size = np.abs(signed[:, layer.weights])
        assert size == pytest.approx(np.full_like(size, np.sqrt(2 / layer.inputs)))
    assert not change.trainable.any()


@pytest.mark.parametrize("shared", ["uniform_alive", "global"])
def test_weights_keep_their_bits_and_the_largest_scores_decide(shared):
    noting = Noting()
    configs = table("edge_popup", 2, keep=[6, 18], allocation=shared, **SHORT)
    state = trained(configs, noting)
    before = noting.ends[-1]
    drawn = act(configs).params
    drawn[:, -1] = 1e-6  # the output bias
    assert np.array_equal(state.params, np.where(state.masks, drawn, 0))
    assert (before.adapters != noting.starts[0].adapters).any()
    found = shares.at_least_one(np.array([6, 18]), 3)
    for n, keep in enumerate((6, 18)):
        sizes = np.abs(before.adapters[n])
        kept = masks.of_weights(state.masks, 3)[n]
        if shared == "global":
            assert kept.tolist() == oracles.keep_top(list(sizes), keep)
            continue
        for layer, share in zip(mlp.layers(3), found[n], strict=True):
            best = oracles.keep_top(list(sizes[layer.columns]), share)
            assert kept[layer.columns].tolist() == best


def test_a_silent_network_is_as_accurate_as_a_constant_one():
    """Of two classes: without a bias a logit of exactly 0 would be wrong everywhere."""
    configs = table("edge_popup", 1, keep=1, epochs=1, batch=4992)
    (row,) = experiment.run(configs).to_pylist()
    assert row["status"] == "collapsed"
    assert row["accuracy"] == pytest.approx(cubist.load().y.mean())


def test_it_searches_to_the_end():
    options = {"frozen_weights": "normal", "allocation": "uniform_alive"}
    assert plan_at(2, "edge_popup", **options).events == (0, 780)
