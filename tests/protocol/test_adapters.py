"""Adapters: what networks run on and end with, against loops over single weights."""

import numpy as np
import pytest
import torch

from spiral.model import masks, mlp
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from tests import oracles
from tests.tolerances import tolerance

KINDS = ["lora", "lora_prune", "mask_lora", "scale_lora"]
WIDTH = 5
ALL = (0, 1, 2, 3)


def network(n=0, share=0.5):
    random = np.random.default_rng(n)
    kept = masks.with_biases(random.random((1, mlp.weight_count(WIDTH))) < share, WIDTH)
    params = np.where(kept[0], mlp.initial_params(n, WIDTH), np.float32(0))
    return params, kept[0]


def some(setting, n=0):
    size = adapters.count(WIDTH, setting)
    return np.random.default_rng(n).standard_normal(size).astype(np.float32)


def by_hand(params, kept, values, setting):
    """Weight by weight, in float64."""
    found = params.astype(np.float64).copy()
    place = 0
    for number in setting.layers:
        layer = mlp.layers(WIDTH)[number]
        rank = min(setting.rank, layer.inputs, layer.outputs)
        down = values[place : (place := place + rank * layer.inputs)]
        up = values[place : (place := place + layer.outputs * rank)]
        for o in range(layer.outputs):
            for i in range(layer.inputs):
                at = layer.weights.start + o * layer.inputs + i
                change = sum(
                    float(up[o * rank + k]) * float(down[k * layer.inputs + i])
                    for k in range(rank)
                )
                if setting.kind == "scale_lora":
                    found[at] *= change
                elif setting.kind != "mask_lora" or kept[at]:
                    found[at] += setting.scale * change
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 9])
@pytest.mark.parametrize("layers", [ALL, (0, 1, 2), (2,)])
def test_effective_weights_are_those_made_one_by_one(kind, rank, layers):
    setting = LowRank(kind, rank, 2.0, layers)
    (params, kept), values = network(), some(setting)
    found = adapters.effective(params, kept, values, setting, np.concatenate)
    expected = by_hand(params, kept, values, setting)
    assert np.abs(found - expected).max() < 3e-6
    torch_found = adapters.effective(
        *map(torch.tensor, (params, kept, values)), setting, torch.cat
    )
    assert np.abs(torch_found.numpy() - expected).max() < 3e-6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_adapters_begin_as_nothing(kind, rank):
    setting = LowRank(kind, rank, 2.0, ALL)
    params, kept = network()
    first = adapters.initial(WIDTH, setting, np.random.default_rng(0))
    found = adapters.effective(params, kept, first, setting, np.concatenate)
    assert np.abs(found - params).max() <= tolerance("float32")
    assert first.any()  # else nothing would ever train


@pytest.mark.parametrize("kind", ["mask_lora", "scale_lora"])
def test_merging_keeps_mask_and_logits(kind):
    setting = LowRank(kind, 2, 2.0, ALL)
    (params, kept), values = network(3), some(setting)
    merged = adapters.merged(params, kept, values, setting)
    assert not merged[~kept].any()
    running = adapters.effective(params, kept, values, setting, np.concatenate)
    points = np.random.default_rng(0).standard_normal((200, 2))
    before, after = (oracles.logits(p, points, WIDTH) for p in (running, merged))
    assert np.abs(before - after).max() <= 1e-6 * max(1, np.abs(before).max())


def test_pruned_lora_loses_what_it_has_outside_the_mask():
    setting = LowRank("lora_prune", 2, 2.0, ALL)
    (params, kept), values = network(3), some(setting)
    merged = adapters.merged(params, kept, values, setting)
    running = adapters.effective(params, kept, values, setting, np.concatenate)
    assert np.array_equal(merged[kept], running[kept])
    assert not merged[~kept].any()
    weights = mlp.is_weight(WIDTH)
    assert (running[~kept & weights] != 0).all()


def test_lora_ends_as_it_runs():
    setting = LowRank("lora", 1, 2.0, ALL)
    (params, kept), values = network(3), some(setting)
    merged = adapters.merged(params, kept, values, setting)
    assert np.abs(merged - by_hand(params, kept, values, setting)).max() < 3e-6


def test_without_pruning_three_kinds_are_one():
    (params, _), values = network(), some(LowRank("lora", 2, 2.0, ALL))
    kept = np.ones(len(params), bool)
    found = [
        adapters.effective(
            params, kept, values, LowRank(kind, 2, 2.0, ALL), np.concatenate
        )
        for kind in KINDS[:3]
    ]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_ranks_are_at_most_what_a_layer_has():
    setting = LowRank("lora", 3, 2.0, ALL)
    ranks = [place.rank for place in adapters.places(WIDTH, setting).values()]
    assert ranks == [2, 3, 3, 1]
    assert adapters.count(WIDTH, setting) == 2 * 7 + 3 * 10 + 3 * 10 + 6
