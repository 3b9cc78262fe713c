"""A tolerance is worth something only if a real mistake exceeds it."""

from functools import cache
from math import factorial

import numpy as np
import pytest

from tests import oracles
from tests.tolerances import TOLERANCES, tolerance

WIDTH = 3
LABELS = np.repeat([0, 1], 24_991)


@cache
def points():
    return oracles.spiral()


@cache
def network():
    return np.random.default_rng(0).uniform(-0.6, 0.6, 37)


def batches(steps):
    order = np.random.default_rng(1).permutation(49_982)
    rows = order[: steps * 128].reshape(steps, 128)
    return [(points()[row], LABELS[row]) for row in rows]


def pruned():
    """Return a mask without four weights and without one hidden bias."""
    kept = np.ones(37, bool)
    kept[[0, 7, 10, 11, 20, 30]] = False  # 7: a bias of layer 1
    return kept


def dead():
    """Return the network with layer 2 at exactly 0 before its ReLU."""
    params = network().copy()
    params[9:21] = 0
    return params


def class_1():
    """Return the network that says class 1 everywhere."""
    return np.where(np.arange(37) == 36, 1.0, 0.0)


def trained(steps, start=None, kept=None, lr=0.1, **options):
    kept = pruned() if kept is None else kept
    start = network() if start is None else start
    lrs = [lr] * steps
    return oracles.train(np.where(kept, start, 0), kept, batches(steps), lrs, **options)


def training(steps, **mutation):
    """Return how far a mutated training ends from the right one."""
    return np.abs(trained(steps, **mutation) - trained(steps)).max()


def relu_slope(steps):
    everything = np.ones(37, bool)
    right = trained(steps, dead(), everything)
    return np.abs(trained(steps, dead(), everything, slope_at_zero=1.0) - right).max()


def unmasked_bias():
    kept = pruned()
    kept[7] = True
    return kept


def spared_biases():
    """Return weight decay that leaves biases alone."""
    biases = np.r_[6:9, 18:21, 30:33, 36:37]
    decay = np.full(37, 5e-4)
    decay[biases] = 0
    return decay


def short_batch(steps):
    kept, lrs = pruned(), [0.1] * steps
    short = [(x[:-1], y[:-1]) for x, y in batches(steps)]
    wrong = oracles.train(np.where(kept, network(), 0), kept, short, lrs)
    return np.abs(wrong - trained(steps)).max()


def of_training(steps):
    next_epoch = 0.1 * (1 + np.cos(np.pi / 50)) / 2
    return {
        "weight decay dropped": lambda: training(steps, decay=0.0),
        "weight decay spares biases": lambda: training(steps, decay=spared_biases()),
        "momentum 0.89": lambda: training(steps, momentum=0.89),
        "learning rate of the next epoch": lambda: training(steps, lr=next_epoch),
        "bias unmasked": lambda: training(steps, kept=unmasked_bias()),
        "labels smoothed by 0.001": lambda: training(steps, smoothing=0.001),
        "slope of relu 1 at 0": lambda: relu_slope(steps),
        "one point of a batch missing": lambda: short_batch(steps),
    }


def of_one_step():
    """Return the mutations that one step shows; momentum starts at the second."""
    mutants = of_training(1)
    del mutants["momentum 0.89"]
    return mutants


def of_spiral(measure):
    return {
        "biased deviation": lambda: measure(oracles.spiral(ddof=0)),
        "segments rounded": lambda: measure(oracles.spiral(rounding=round)),
        "classes swapped": lambda: measure(np.roll(points(), 24_991, axis=0)),
    }


def point_gap(wrong):
    size = min(len(wrong), len(points()))
    return np.abs(wrong[:size] - points()[:size]).max()


def logit_gap(change):
    params = network().copy()
    change(params)
    some = points()[::500]
    wrong, right = (oracles.logits(p, some, WIDTH) for p in (params, network()))
    return np.abs(wrong - right).max()


def transpose(params):
    params[9:18] = params[9:18].reshape(3, 3).T.ravel()


def last_bias(params):
    params[36] = 0


def slope_gap(scale=1.0, **wrong):
    x, y = batches(1)[0]
    right = oracles.gradient(network(), x, y, WIDTH)
    return np.abs(
        scale * oracles.gradient(network(), x, y, WIDTH, **wrong) - right
    ).max()


def rounded_gap():
    """Return what it costs to round the parameters to float32."""
    x, y = batches(1)[0]
    rounded = network().astype(np.float32)
    exact, wrong = (oracles.gradient(p, x, y, WIDTH) for p in (network(), rounded))
    return np.abs(wrong - exact).max()


def bend_gap(change):
    """Return how far the Hessian times a changed gradient is from that times g."""
    x, y = batches(1)[0]

    def slope(params):
        return oracles.gradient(params, x, y, WIDTH)

    g = slope(network())
    products = [oracles.hessian_times(network(), v, slope) for v in (g, change(g))]
    return np.abs(products[1] - products[0]).max()


def meta_gap(mutant):
    """Return how far a wrong meta-gradient is from that through two steps."""
    data = batches(3)

    def last_loss(scale, momentum=0.9):
        return oracles.loss_after_steps(scale, network(), data, 0.1, momentum)

    right = oracles.finite_differences(last_loss, np.ones(37))
    return np.abs(mutant(data, last_loss) - right).max()


def first_order(data, _):
    end = trained_on(data[:-1])
    return network() * oracles.gradient(end, *data[-1], WIDTH)


def trained_on(data):
    lrs, all_train = [0.1] * len(data), np.ones(37, bool)
    return oracles.train(network(), all_train, data, lrs, decay=0.0)


def first_step_followed(data, _):
    """Differentiate through the gradient of the first step too."""

    def last_loss(scale):
        start, all_train = scale * network(), np.ones(37, bool)
        end = oracles.train(start, all_train, data[:-1], [0.1] * 2, decay=0.0)
        return oracles.loss(end, *data[-1], WIDTH)

    return oracles.finite_differences(last_loss, np.ones(37))


def loss_gap(rows=slice(None), **wrong):
    right = oracles.loss(network(), points(), LABELS, WIDTH)
    mutated = oracles.loss(network(), points()[rows], LABELS[rows], WIDTH, **wrong)
    return abs(mutated - right)


def count_gap(params, change):
    z = oracles.logits(params, points(), WIDTH)
    wrong, labels = change(z)
    return abs(oracles.correct(wrong, labels) - oracles.correct(z, LABELS))


def power_gap(dropped):
    """Return the error of 2^f, |f| <= 1/2, where its series ends too early."""
    f, ln2 = np.linspace(-0.5, 0.5, 1001), np.log(2)
    series = sum((f * ln2) ** k / factorial(k) for k in range(7 - dropped))
    return np.abs(series - 2**f)


def adam_gap(size=1e-5, steps=3, **wrong):
    """Return what a wrong AdamW makes of slopes as small as those compared."""

    def end(scale=1.0, **how):
        def slopes(_, k):
            return scale * size * np.array([1.0, 0.5 ** (k + 1)])

        return oracles.adam(np.ones(2), slopes, [0.01] * steps, **how)

    return np.abs(end(**wrong) - end()).max()


def cosine(epoch, epochs=50):
    return (1 + np.cos(np.pi * epoch / epochs)) / 2


OF_SPIRAL = of_spiral(point_gap)
MUTANTS = {
    "sample": {k: v for k, v in OF_SPIRAL.items() if k != "biased deviation"},
    "point": OF_SPIRAL,
    "moment": {
        "biased deviation": lambda: oracles.spiral(ddof=0).std(axis=0, ddof=1)[0] - 1
    },
    "logit": {
        "hidden matrix transposed": lambda: logit_gap(transpose),
        "output bias dropped": lambda: logit_gap(last_bias),
    },
    "backprop": {
        "labels smoothed": lambda: slope_gap(smoothing=0.001),
        "mean over one point less": lambda: slope_gap(scale=128 / 127),
    },
    "float64": {"parameters rounded to float32": rounded_gap},
    "float32": {
        "labels smoothed": lambda: slope_gap(smoothing=0.001),
        "mean over one point less": lambda: slope_gap(scale=128 / 127),
    },
    "curvature": {
        "biases left out": lambda: bend_gap(lambda g: g * oracles.is_weight(WIDTH)),
        "first order": lambda: meta_gap(first_order),
        "first step followed": lambda: meta_gap(first_step_followed),
        "no momentum": lambda: meta_gap(
            lambda _, loss: oracles.finite_differences(
                lambda scale: loss(scale, momentum=0.0), np.ones(37)
            )
        ),
    },
    "step_1": of_one_step(),
    "steps_20": of_training(20),
    "steps_100": of_training(100),
    "sparse_cuda": of_training(2),
    "adam": {
        "moments not corrected": lambda: adam_gap(correct=False),
        "second moment 0.99": lambda: adam_gap(second=0.99),
        "decay": lambda: adam_gap(decay=5e-4),
        "slopes of half the size": lambda: adam_gap(scale=0.5),
    },
    "loss": {
        "labels smoothed": lambda: loss_gap(smoothing=0.1),
        "incomplete batch dropped": lambda: loss_gap(rows=slice(49_920)),
    },
    "count": {
        "a logit of 0 is right": lambda: count_gap(
            np.zeros(37), lambda z: (2.0 * LABELS - 1, LABELS)
        ),
        "incomplete batch dropped": lambda: count_gap(
            class_1(), lambda z: (z[:49_920], LABELS[:49_920])
        ),
    },
    "sigmoid": {
        "polynomial a degree short": lambda: np.max(power_gap(1) / 4),
    },
    "softplus": {
        "polynomial a degree short": lambda: np.max(power_gap(1) / 2),
        "log1p as its argument": lambda: 1e-3 - np.log1p(1e-3),
    },
    "cosine_end": {
        "an epoch early": lambda: cosine(48) - cosine(49),
        "reaches zero": lambda: cosine(49) - cosine(49, 49),
    },
    "pixel": {
        "logits unscaled": lambda: np.tanh(1.0) - np.tanh(0.5),
        "one grid line aside": lambda: np.tanh(4.5 / 511 / 2),
    },
}
CASES = [(name, mutant) for name, found in MUTANTS.items() for mutant in found]


@pytest.mark.parametrize(("name", "mutant"), CASES)
def test_the_mutation_exceeds_the_tolerance(name, mutant):
    assert MUTANTS[name][mutant]() > max(tolerance(name), tolerance(name, ":cuda"))


def test_every_tolerance_has_a_mutation():
    assert MUTANTS.keys() == TOLERANCES.keys()
    assert all(MUTANTS.values())


@pytest.mark.parametrize("name", TOLERANCES)
def test_every_tolerance_has_a_reason_in_a_sentence(name):
    value, reason, cuda = TOLERANCES[name]
    assert 0 < value <= (cuda or value)
    assert reason.endswith(".")
    assert len(reason.split()) >= 8
