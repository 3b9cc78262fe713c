"""``snip`` keeps the weights whose removal changes the loss most."""

import numpy as np
import pytest

from spiral.methods.parts import selection
from spiral.model import mlp
from tests import oracles
from tests.methods import (
    Still,
    act,
    chosen,
    decide,
    first_view,
    silent,
    surplus,
    table,
)

EVERY = list(range(1, 28))


def weights(values, width=3):
    return np.asarray(values)[..., oracles.is_weight(width)]


def slopes(view, n, width=3):
    """Return w · ∂L/∂w on the first batch, by hand."""
    x, y = view.batch(0)
    params = view.params[n].astype(float)
    return weights(params * oracles.gradient(params, x[n], y[n], width), width)


@pytest.mark.parametrize("seed", range(5))
def test_for_every_keep_the_largest_weight_times_gradient_stay(seed):
    configs = table("snip", 27, seed=seed, keep=EVERY)
    score = np.abs(slopes(first_view(configs), 0))
    expected = [oracles.keep_top(score, keep) for keep in EVERY]
    assert np.array_equal(chosen(act(configs)), expected)


def test_the_score_is_what_shrinking_a_weight_does_to_the_loss():
    """L(c = 1) - L(c_j = 1 - ε) over ε, for c that multiplies the weights."""
    configs = table("snip", 27, seed=1, keep=EVERY)
    view, epsilon = first_view(configs), 1e-7
    (x, y), params = view.batch(0), view.params[0].astype(float)
    score = []
    for j in np.flatnonzero(oracles.is_weight(3)):
        scale = np.ones(37)
        scale[j] -= epsilon
        shrunk, whole = (
            oracles.loss(p, x[0], y[0], 3) for p in (scale * params, params)
        )
        score.append(abs(whole - shrunk) / epsilon)
    expected = [oracles.keep_top(score, keep) for keep in EVERY]
    assert np.array_equal(chosen(act(configs)), expected)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_rescaled_layer_changes_no_mask(layer):
    """Units made twice as strong and heard half as loud: the same function."""
    configs = table("snip", 27, seed=2, keep=EVERY)
    params = first_view(configs).params.copy()
    here, following = mlp.layers(3)[layer : layer + 2]
    params[:, here.weights.start : here.biases.stop] *= 2
    params[:, following.weights] /= 2
    assert np.array_equal(chosen(act(configs, params)), chosen(act(configs)))


def test_biases_do_not_compete_and_weights_stay_as_they_were():
    configs = table("snip", 3, keep=[5, 11, 20])
    state = decide(configs, Still())
    view = first_view(configs)
    assert np.array_equal(state.params[state.masks], view.params[state.masks])
    loud = view.params.copy()
    loud[:, ~oracles.is_weight(3)] = 3  # large biases, all units alive
    score = np.abs(slopes(first_view(configs, loud), 0))
    expected = oracles.keep_top(score, 5)
    assert chosen(act(configs, loud))[0].tolist() == expected


def test_without_scores_the_index_decides_and_the_row_says_so():
    """Behind a dead layer only layers 3 and 4 have a say: 12 weights."""
    configs = table("snip", 2, keep=[12, 20])
    change = act(configs, np.repeat(silent(), 2, axis=0))
    assert change.status.tolist() == ["", "degenerate"]
    assert chosen(change)[0].tolist() == [False] * 15 + [True] * 12
    assert chosen(change)[1].tolist() == [True] * 8 + [False] * 7 + [True] * 12


# ---- as in the code of Zhang & Papyan


def test_counts_are_rounded_down_where_the_ratio_is_a_little_less():
    assert surplus(selection.floored) == {0: 229, -1: 5}


def loose(score, keep):
    """Keep what reaches the threshold, after dividing by the sum."""
    total = sum(score)
    if total == 0:
        return [False] * len(score)
    shares = [s / total for s in score]
    threshold = sorted(shares)[-int(len(shares) * (keep / len(shares)))]
    return [s >= threshold for s in shares]


def xavier(configs):
    """Return the parameters that the zp24 variant scores and trains."""
    return act(configs).params


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (4, 20), (6, 26), (8, 53)])
def test_zp24_keeps_all_that_reach_the_threshold(width, keep):
    """In the last two cells one less than asked, where that many are positive."""
    configs = table("snip", 6, width=width, keep=keep, fidelity="zp24")
    change = act(configs)
    view = first_view(configs, change.params)
    for n, kept in enumerate(chosen(change, width)):
        score = np.abs(slopes(view, n, width))
        assert kept.tolist() == loose(score.tolist(), keep)


@pytest.mark.parametrize(("keep", "least", "most"), [(15, 1, 14), (26, 43, 59)])
def test_zp24_keeps_everything_where_too_few_scores_are_positive(keep, least, most):
    """Measured with the published code: 5 and 52 of 60 networks of width 3."""
    found = chosen(act(table("snip", 60, keep=keep, fidelity="zp24")))
    assert least <= found.all(axis=1).sum() <= most


def test_zp24_keeps_nothing_where_no_score_is_positive():
    configs = table("snip", 1, keep=20, selection="loose")
    mute = silent()
    mute[:, mlp.layers(3)[3].weights] = 0
    mute[:, mlp.layers(3)[2].biases] = -9  # nothing reaches the output
    mute[:, mlp.layers(3)[2].weights] = 0
    change = act(configs, mute)
    assert not chosen(change).any()
    assert change.status.tolist() == ["degenerate"]


def test_xavier_has_its_deviations_and_spares_the_biases():
    configs = table("snip", 40, width=16, keep=20, reinit="xavier")
    view, found = first_view(configs), xavier(configs)
    assert found.dtype == np.float32
    biases = ~oracles.is_weight(16)
    assert np.array_equal(found[:, biases], view.params[:, biases])
    for layer, fans in zip(mlp.layers(16), (18, 32, 32, 17), strict=True):
        drawn = found[:, layer.weights].ravel()
        assert drawn.std() == pytest.approx((2 / fans) ** 0.5, rel=0.1)
        assert abs(drawn.mean()) < 5 * drawn.std() / drawn.size**0.5


def test_xavier_weights_train_and_are_drawn_by_seed_alone():
    configs = table("snip", 3, seed=[4, 5, 4], keep=[20, 20, 9], reinit="xavier")
    drawn, state = xavier(configs), decide(configs, Still())
    assert np.array_equal(state.params[state.masks], drawn[state.masks])
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])
