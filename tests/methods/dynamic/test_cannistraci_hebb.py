"""``cht`` and ``chts``: what goes with its chain, and where weights come."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from spiral.methods.dynamic import cannistraci_hebb
from spiral.methods.parts import topology
from spiral.model import masks, mlp
from tests.methods import Drift, decide, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update

BOTH = pytest.mark.parametrize("method", ["cht", "chts"])


def rewired(seen, method, **changed):
    """Return weights that stayed, those that came, and all others [N, W]."""
    change = update(seen, method, **changed)
    now = masks.of_weights(change.masks, seen.width)
    return now, change


def test_updates_after_every_epoch_until_three_quarters():
    events = plan_at(50, "cht", **options("cht"), sampled=False).events
    assert events == tuple(range(0, 14_626, 390))


@BOTH
@pytest.mark.parametrize("links", ["l3p", "l3n"])
def test_layers_keep_their_shares(method, links):
    engine = Drift()
    decide(table(method, 2, keep=17, update_interval=60, links=links), engine)
    assert len(engine.seen) > 5
    for kept in engine.seen[1:]:
        full = masks.with_biases(kept, 3)
        assert (masks.layer_counts(full, 3) == erk_shares(3, 17)).all()


def test_the_best_places_of_the_graph_come():
    seen = seen_at(390, *start("cht", keep=100))
    kept = masks.of_weights(seen.masks, 16)
    now, _ = rewired(seen, "cht", chain_removal="no")
    size = np.abs(masks.of_weights(seen.params, 16))
    compared = 0
    for n, layer in ((n, layer) for n in range(3) for layer in mlp.layers(16)):
        here, there = kept[n, layer.columns], now[n, layer.columns]
        gone = int(0.3 * here.sum())
        order = np.argsort(np.where(here, size[n, layer.columns], 9))
        left = here.copy()
        left[order[:gone]] = False
        links = left.reshape(layer.outputs, layer.inputs).astype(float)
        score = np.round(topology.by_paths(links).ravel(), 9)
        assert there[left].all()
        assert there.sum() == here.sum()
        come, stayed_out = there & ~left, ~there
        if come.any() and stayed_out.any():
            assert score[come].min() >= score[stayed_out].max()
            compared += score[come].max() > 0
    assert compared > 5


def test_weights_on_no_path_go_too():
    seen = seen_at(390, *start("cht", keep=60))
    kept = masks.of_weights(seen.masks, 16)
    useful = masks.on_path(seen.masks, 16)
    assert (kept & ~useful).any()
    now, _ = rewired(seen, "cht", drop=0.0)
    assert now[useful].all()
    assert (now & ~kept).any()
    same, _ = rewired(seen, "cht", drop=0.0, chain_removal="no")
    assert np.array_equal(same, kept)


def test_equal_scores_are_drawn_anew_at_every_step():
    """In an empty layer all places score 0."""
    configs, params, kept = start("cht", keep=12)
    kept = np.zeros_like(kept)
    kept[:, :3] = kept[:, 40:43] = True
    seen = seen_at(390, configs, params, kept)
    first, _ = rewired(seen, "cht")
    second, _ = rewired(replace(seen, step=780), "cht")
    assert first.sum(axis=1).tolist() == [6] * 3
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


@BOTH
def test_new_weights_are_0_and_those_that_come_back_as_they_were(method):
    seen = seen_at(390, *start(method, width=3, keep=22))
    state = after(seen, update(seen, method))
    weights = mlp.is_weight(3)
    new = state.masks & ~seen.masks & weights
    old = state.masks & seen.masks & weights
    assert new.any()
    assert not state.params[new].any()
    assert not state.momentum[new].any()
    assert np.array_equal(state.params[old], seen.params[old])


def test_the_cosine_lets_fewer_go_late():
    seen = seen_at(13_650, *start("cht", keep=100))
    kept = masks.of_weights(seen.masks, 16)
    calm = {"chain_removal": "no", "fraction": "cosine"}
    now, _ = rewired(seen, "cht", **calm)
    assert np.array_equal(now, kept)
    now, _ = rewired(seen, "cht", chain_removal="no")
    assert not np.array_equal(now, kept)


def chance(order, weights):
    """Return the probability to draw these places in this order."""
    left, found = sum(weights), 1.0
    for place in order:
        found *= weights[place] / left
        left -= weights[place]
    return found


def test_sampling_is_in_proportion_and_without_replacement():
    weights, runs, draws = [0.1, 0.2, 0.7, 0.0], 20_000, np.random.default_rng(0)
    order = cannistraci_hebb.sampling_order(
        np.tile(weights, (runs, 1)), draws.random((runs, 4))
    )
    found = np.argsort(-order, axis=1)
    assert (found[:, 3] == 3).all()  # weight 0 comes last
    for case in permutations(range(3)):
        share = (found[:, :3] == case).all(axis=1).mean()
        expected = chance(case, weights)
        assert abs(share - expected) < 4 * (expected / runs) ** 0.5


def test_among_weights_of_0_chance_decides():
    draws = np.random.default_rng(0).random((2_000, 4))
    order = cannistraci_hebb.sampling_order(np.zeros((2_000, 4)), draws)
    first = np.bincount(order.argmax(axis=1), minlength=4) / 2_000
    assert first == pytest.approx(np.full(4, 0.25), abs=0.04)


def test_larger_weights_stay_more_often_the_more_so_the_later():
    """|w|^T with T from 1 to 3: at T = 1 a tenth of the weight is a tenth as likely."""
    weights = np.tile([1.0, 3.0], (20_000, 1))
    draws = np.random.default_rng(0).random((20_000, 2))
    for power in (1.0, 2.0, 3.0):
        order = cannistraci_hebb.sampling_order(weights, draws, power)
        share = (order[:, 1] > order[:, 0]).mean()
        assert share == pytest.approx(3**power / (1 + 3**power), abs=0.01)
    mean = {}
    for step in (390, 14_430):
        seen = seen_at(step, *start("chts", keep=200, n=20))
        change = update(seen, "chts", chain_removal="no", drop=0.7)
        sizes = np.where(seen.masks & change.masks, np.abs(seen.params), 0)
        middle = mlp.layers(16)[1].weights  # the largest layer, sparse enough
        mean[step] = sizes[:, middle].sum() / (sizes[:, middle] > 0).sum()
    assert mean[14_430] > mean[390]
