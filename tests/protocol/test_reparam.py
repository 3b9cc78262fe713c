"""Learned weight maps: published numbers, and loops over single weights."""

from math import exp, log

import numpy as np
import pytest
import torch

from spiral.engines.reparam import TORCH
from spiral.model import mlp
from spiral.protocol import cuts, reparam
from spiral.protocol.reparam import MAPS, NUMPY, Reparam, Setting
from tests.tolerances import tolerance

WIDTH, C, K = 3, 1.7, 11
SOME = np.array([-0.5, -0.1, 0.02, 0.3])
LADDER = np.array([[0.1, 0.2, 0.3, 0.5, 0.8, 1.0]])
FIVE_DIGITS = 5.1e-6


def logistic(x):
    return 1 / (1 + exp(-x))


def network(n=0, kind="product"):
    """Return parameters [P] and numbers s [Q] in float64."""
    random = np.random.default_rng(n)
    params = random.uniform(-0.6, 0.6, mlp.param_count(WIDTH))
    return params, random.uniform(-1, 1, reparam.count(WIDTH, kind)) - 0.4


def given_for(kind, params, numbers):
    if MAPS[kind].noise:
        return (np.random.default_rng(5).normal(size=mlp.weight_count(WIDTH)),)
    found = reparam.given(kind, params[None], numbers[None], C, np.array([[K]]))
    return tuple(array[0] for array in found)


def by_hand(kind, params, numbers, noise):
    """Weight by weight, with plain comparisons for cuts."""
    found, columns = params.copy(), mlp.is_weight(WIDTH)
    weights = params[columns]
    layer_of = np.repeat(range(4), [6, 9, 9, 3])
    scores = {"top": numbers, "top_size": abs(numbers), "soft_top": abs(weights)}
    kept, tau = np.ones(len(weights), bool), 0.0
    if kind in scores:
        order = sorted(range(len(weights)), key=lambda i: -scores[kind][i])
        kept[order[K:]] = False
    if kind == "soft_top":
        low, high = -20.0, 20.0
        for _ in range(100):
            tau = (low + high) / 2
            total = sum(logistic(C * (abs(w) - tau)) for w in weights)
            low, high = (tau, high) if total > K else (low, tau)
    ends = []
    for i, w in enumerate(weights):
        which = layer_of[i] if kind == "soft_threshold" else i
        s = numbers[which] if numbers.size else 0
        drawn = 0 if noise is None else noise[i]
        size = size_of(kind, abs(w), s, drawn, tau)
        ends.append(kept[i] * size * np.sign(w))
    found[columns] = ends
    return found


def size_of(kind, size, s, noise, tau):
    """Return the size of one effective weight that no cut removes."""
    gate = min(1, max(0, 1.2 * logistic(1.5 * (noise + s)) - 0.1))
    return {
        "soft_threshold": max(size - logistic(s), 0),
        "power": size**C,
        "sigmoid": size * 1.3 * logistic(C * s),
        "hard_concrete": size * gate,
        "top": size,
        "top_size": size,
        "soft_top": size * logistic(C * (size - tau)),
        "product": size * s,
    }[kind]


@pytest.mark.parametrize("kind", MAPS)
def test_effective_weights_are_those_of_the_definition(kind):
    params, numbers = network(1, kind)
    given = given_for(kind, params, numbers)
    here = Setting(kind, 1.3, 0.0)
    found = reparam.effective(params, numbers, here, np.float64(C), given)
    noise = given[0] if MAPS[kind].noise else None
    assert found == pytest.approx(by_hand(kind, params, numbers, noise), abs=1e-6)
    assert np.array_equal(found[~mlp.is_weight(3)], params[~mlp.is_weight(3)])


@pytest.mark.parametrize("kind", MAPS)
def test_torch_and_numpy_agree_on_packs_and_single_networks(kind):
    pairs = [network(n, kind) for n in range(3)]
    params, numbers = map(np.stack, zip(*pairs, strict=True))
    given = [given_for(kind, *pair) for pair in pairs]
    stacked = tuple(map(np.stack, zip(*given, strict=True)))
    here, c = Reparam(kind, np.ones(1), 1.3, penalty=0.5), np.full(3, C)
    found = reparam.effective(params, numbers, here, c, stacked)
    tensors = [torch.tensor(a) for a in (params, numbers, c)]
    more = tuple(map(torch.tensor, stacked))
    theirs = reparam.effective(*tensors[:2], here, tensors[2], more, TORCH)
    assert np.abs(found - theirs.numpy()).max() <= tolerance("float64")
    mine = reparam.penalty(params, numbers, here, c, NUMPY)
    theirs = reparam.penalty(*tensors[:2], here, tensors[2], TORCH)
    assert mine == pytest.approx(theirs.numpy(), abs=tolerance("float64"))
    one = reparam.effective(*pairs[1], here, np.float64(C), given[1])
    assert np.abs(one - found[1]).max() <= tolerance("float64")


def test_soft_threshold_of_the_published_code():
    """RAIVNLab/STR, utils/conv_type.py: sparseFunction at s = -2."""
    pair = reparam.Pair(np.tile(SOME, 7)[:27], np.full(4, -2.0), 0.0, (), None, 3)
    found = MAPS["soft_threshold"].weights(pair, NUMPY)
    expected = [-0.38080, 0, 0, 0.18080]
    assert found[:4] == pytest.approx(expected, abs=FIVE_DIGITS)
    assert cuts.sigmoid(-2.0) == pytest.approx(0.11920, abs=FIVE_DIGITS)
    assert cuts.sigmoid(np.float32(-200)) == 0  # without a warning


def test_power_of_the_published_code():
    """google-deepmind/deepmind-research, powerpropagation: α = 2."""
    stored = np.sign(SOME) * np.abs(SOME) ** 0.5
    expected = [-0.70711, -0.31623, 0.14142, 0.54772]
    assert stored == pytest.approx(expected, abs=FIVE_DIGITS)
    w = torch.tensor(stored, requires_grad=True)
    pair = reparam.Pair(w, w[:0], torch.tensor(2.0), (), None, 3)
    theta = MAPS["power"].weights(pair, TORCH)
    assert theta.detach().numpy() == pytest.approx(SOME, abs=1e-12)
    (slope,) = torch.autograd.grad(theta.sum(), w)
    # a step on w moves θ by the square of this
    assert slope.numpy() ** 2 == pytest.approx([2, 0.4, 0.08, 1.2], abs=1e-9)


def test_gates_of_the_published_code_of_continuous_sparsification():
    """lolemacs/continuous-sparsification, models/layers.py: scaling and mask."""
    for start, scale in ((-0.2, 2.2214), (0.0, 2.0), (0.2, 1.8187)):
        assert 1 / cuts.sigmoid(start) == pytest.approx(scale, abs=5e-5)
    ones = np.ones(2)
    setting = Setting("sigmoid", 2.0, 0.0)
    pair = reparam.Pair(ones, np.array([0.01, -0.01]), np.array(200.0), (), setting, 3)
    assert MAPS["sigmoid"].weights(pair, NUMPY) / 2 == pytest.approx(
        [0.88, 0.12], abs=0.005
    )
    flat = pair._replace(c=np.array(0.0))
    assert MAPS["sigmoid"].weights(flat, NUMPY).tolist() == [1.0, 1.0]


def test_hard_concrete_of_the_published_code():
    """AMLab-Amsterdam/L0_regularization, l0_layers.py: cdf_qz and sample_z."""
    s = np.array([-2.0, 0.0, 2.0])
    pair = reparam.Pair(np.ones(3), s, 0.0, (), None, 3)
    opened = MAPS["hard_concrete"].penalty(pair, NUMPY)
    assert opened == pytest.approx([0.40098, 0.83182, 0.97337], abs=FIVE_DIGITS)
    gates = reparam.hard_concrete(s)
    assert gates == pytest.approx([0.04304, 0.5, 0.95696], abs=FIVE_DIGITS)


def test_hard_concrete_gates_have_the_mean_and_the_zeros_of_their_distribution():
    uniform = (np.arange(100_000) + 0.5) / 100_000
    noise = np.log(uniform) - np.log(1 - uniform)
    pair = reparam.Pair(np.ones(100_000), np.zeros(100_000), 0.0, (noise,), None, 3)
    gates = MAPS["hard_concrete"].weights(pair, NUMPY)
    opened = MAPS["hard_concrete"].penalty(pair, NUMPY)[0]
    assert (gates > 0).mean() == pytest.approx(opened, abs=2e-5)
    assert gates.mean() == pytest.approx(0.5, abs=1e-6)  # symmetric at s = 0


def test_gradient_of_soft_gates_is_the_published_one():
    """facebookresearch/spartan, sparsifier.py: SinkhornTopK.backward at c = 10."""
    kept = torch.ones(6, dtype=torch.bool)
    tau = torch.tensor(cuts.threshold(LADDER, 10, np.array([2])))
    w = torch.tensor(LADDER[0], requires_grad=True)
    pair = reparam.Pair(w, w[:0], torch.tensor(10.0), (kept, tau), None, 3)
    upstream = torch.tensor([1, -1, 2, 0.5, -0.5, 1], dtype=torch.float64)
    gates = MAPS["soft_top"].weights(pair, TORCH) / w.detach()
    whole = (gates * upstream).sum()
    own = torch.sigmoid(10 * (w.detach() - tau)) / w.detach()  # of w before the gates
    (slope,) = torch.autograd.grad(whole, w)
    expected = [0.0311, -0.1253, 0.4929, 0.4359, -1.0711, 0.2365]
    assert (slope - own * upstream).numpy() == pytest.approx(expected, abs=6e-5)


def test_numbers_are_none_one_a_layer_or_one_a_weight():
    assert {kind: reparam.count(16, kind) for kind in MAPS} == {
        "soft_threshold": 4,
        "power": 0,
        "sigmoid": 560,
        "hard_concrete": 560,
        "top": 560,
        "top_size": 560,
        "soft_top": 0,
        "product": 560,
    }


def test_the_probability_of_open_gates_uses_the_limits():
    assert reparam.BETA * log(0.1 / 1.1) == pytest.approx(-1.5986, abs=5e-5)
