"""``phew``: all weights lie on paths, and large ones are likelier."""

from collections import Counter

import numpy as np
import pytest

from spiral.methods.at_init import phew
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import act, chosen, first_view, table


def sizes(width, seed=0):
    return np.random.default_rng(seed).random(2 * width * width + 3 * width)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_count_is_met_and_every_weight_is_on_a_path(width):
    total = 2 * width * width + 3 * width
    for keep in range(4, total + 1):
        for seed in range(20):
            random = np.random.default_rng([width, keep, seed])
            kept = phew.walked(random, sizes(width, seed), keep, width)
            assert kept.sum() == keep
            full = masks.with_biases(kept[None], width)
            assert np.array_equal(masks.on_path(full, width)[0], kept)


@pytest.mark.parametrize("width", [16, 64])
def test_effective_weights_are_all_weights(width):
    keep = [4, 5, 6, 7, 26, 44, 65, 300, 559]
    change = act(table("phew", 18, width=width, keep=keep * 2, seed=list(range(18))))
    assert chosen(change, width).sum(axis=1).tolist() == keep * 2
    assert masks.on_path(change.masks, width).sum(axis=1).tolist() == keep * 2


def test_the_first_walk_starts_at_the_first_input_and_likes_large_weights():
    """Chances are products: 3,000 walks of width 2 among eight."""
    weights, drawn = sizes(2), Counter()
    for seed in range(3000):
        kept = phew.walked(np.random.default_rng(seed), weights, 4, 2)
        first, second, third, _ = oracles.weight_matrices(kept, 2)
        assert not first[:, 1].any()
        drawn[tuple(int(m.any(axis=1).argmax()) for m in (first, second, third))] += 1
    first, second, third, _ = oracles.weight_matrices(weights, 2)
    chi = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                chance = first[a, 0] / first[:, 0].sum()
                chance *= second[b, a] / second[:, a].sum()
                chance *= third[c, b] / third[:, b].sum()
                chi += (drawn[a, b, c] - 3000 * chance) ** 2 / (3000 * chance)
    assert chi < 24.3  # 7 degrees of freedom, 0.1 %


def test_the_second_walk_comes_back_from_the_output():
    """One weight of the last layer is huge: walks back take it, walks there cannot."""
    weights = np.ones(14)
    weights[-1] = 1e6  # from unit 1 of layer 3
    last = np.zeros(2)
    for seed in range(200):
        kept = phew.walked(np.random.default_rng(seed), weights, 8, 2)
        last += oracles.weight_matrices(kept, 2)[3][0]
    assert last[1] == 200
    assert last[0] < 200


def test_inputs_take_turns_and_every_other_walk_comes_back(monkeypatch):
    begun, walk = [], phew.paths.walk

    def noted(random, steps, new, start, least, most):
        begun.append((len(steps[0]), start))  # so many units where it begins
        return walk(random, steps, new, start, least, most)

    monkeypatch.setattr(phew.paths, "walk", noted)
    phew.walked(np.random.default_rng(0), sizes(16), 60, 16)
    assert begun[:6] == [(2, 0), (1, 0), (2, 1), (1, 0), (2, 0), (1, 0)]


def test_a_complete_block_makes_way():
    """Width 2, six weights: 1-1-1 has five, and the sixth alone is on no path."""
    found = set()
    for seed in range(300):
        kept = phew.walked(np.random.default_rng(seed), np.ones(14), 6, 2)
        units = [m.any(axis=1).sum() for m in oracles.weight_matrices(kept, 2)]
        found.add(tuple(int(n) for n in units[:3]))
    assert (1, 1, 1) not in found
    assert {(1, 1, 2), (1, 2, 1), (2, 1, 1)} <= found


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_fewer_than_four_begin_a_path(keep):
    kept = phew.walked(np.random.default_rng(0), sizes(3), keep, 3)
    counts = [int(m.sum()) for m in oracles.weight_matrices(kept, 3)]
    assert counts == [1] * keep + [0] * (4 - keep)


def test_zeros_and_nan_are_taken_last():
    params = first_view(table("phew", 1)).params.copy()
    dead = np.flatnonzero(mlp.is_weight(3))[[0, 7, 16]]
    params[0, dead] = [0, np.nan, 0]
    kept = chosen(act(table("phew", 1, keep=15), params))[0]
    assert not kept[[0, 7, 16]].any()
    assert chosen(act(table("phew", 1, keep=27), params)).all()


def test_scale_and_sign_do_not_matter():
    configs = table("phew", 3)
    params = first_view(configs).params
    flipped = -4 * params * np.where(np.arange(37) % 2, -1, 1).astype(np.float32)
    assert np.array_equal(act(configs, flipped).masks, act(configs).masks)
