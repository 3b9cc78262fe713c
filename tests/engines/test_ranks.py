"""What a device finds by sorting is what the host chooses, ties and NaN included."""

import numpy as np
import pytest
import torch

from spiral.engines import frank_wolfe, ranks
from spiral.model import groups, masks, mlp
from spiral.model.groups import Scope
from spiral.protocol import cuts, norm_balls
from spiral.protocol.job import FrankWolfe
from tests.tolerances import tolerance

SCOPES = [Scope("global"), Scope("layer"), Scope("unit"), Scope("inputs", 2)]
ODD = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 3.4028235e38, -3.4028235e38])


def values(shape, seed):
    """Return numbers with many ties, some of them NaN and infinite."""
    random = np.random.default_rng(seed)
    found = random.integers(-3, 4, shape).astype(np.float32) / 2
    strange = random.random(shape) < 0.1
    return np.where(strange, random.choice(ODD, shape), found).astype(np.float32)


@pytest.mark.parametrize("size", [1, 5, 8, 9, 40])
def test_the_highest_of_each_row(size):
    scores = values((200, size), size)
    keep = np.random.default_rng(0).integers(0, size + 1, 200)
    found = ranks.keep_top(torch.tensor(scores), torch.tensor(keep)).numpy()
    assert np.array_equal(found, masks.keep_top(scores, keep))
    assert (found.sum(axis=1) == keep).all()


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.kind)
@pytest.mark.parametrize("width", [2, 4])
def test_masks_of_groups(scope, width):
    some = values((50, mlp.param_count(width)), width)
    random, found = np.random.default_rng(1), []
    for part in groups.parts(width, scope):
        number = part.groups.stop - part.groups.start
        most = min(part.size, mlp.weight_count(width))
        found.append(random.integers(0, most + 1, (50, number)))
    counts = np.concatenate(found, axis=1)
    got = ranks.top_by_sorting(torch.tensor(some), torch.tensor(counts), width, scope)
    assert np.array_equal(got.numpy(), groups.top(some, counts, width, scope))


@pytest.mark.parametrize("ball", norm_balls.Ball.__args__)
@pytest.mark.parametrize("width", [3, 5])
def test_supports_of_corners(ball, width):
    stack = frank_wolfe.cells(FrankWolfe(ball, 0.4, 2.0, "gradient"), width)
    some = values((50, mlp.param_count(width)), width)
    some = np.where(np.isfinite(some), some, np.float32(0.25))
    some[np.abs(some) > 10] = 2.0
    got = ranks.chosen_by_sorting(stack, torch.tensor(some)).numpy()
    assert np.array_equal(got, norm_balls.chosen(stack, some))


@pytest.mark.parametrize("layers", [False, True])
def test_cuts(layers):
    width, random = 3, np.random.default_rng(2)
    scores = values((50, mlp.weight_count(width)), 3)
    sizes = [w.outputs * w.inputs for w in mlp.layers(width)] if layers else [27]
    counts = np.stack([random.integers(0, size + 1, 50) for size in sizes], axis=1)
    tensors = torch.tensor(scores), torch.tensor(counts)
    got = ranks.highest_by_sorting(*tensors, width).numpy()
    assert np.array_equal(got, cuts.highest(scores, counts, width))


def sizes_of(spread, shape, random):
    """Return sizes of weights as float32, some of them equal."""
    draw = {
        "normal": random.standard_normal,
        "tied": lambda shape: random.integers(1, 9, shape) / 4,
        "heavy tails": lambda shape: np.exp(4 * random.standard_normal(shape)),
        "close": lambda shape: 1 + 1e-4 * random.random(shape),
    }[spread]
    return np.abs(draw(shape)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("spread", ["normal", "tied", "heavy tails", "close"])
@pytest.mark.parametrize("c", [0.1, 1.0, 20.0, 1000.0])
def test_thresholds_of_soft_gates(spread, c):
    """The gates are those of the host, and add up to the number that is kept."""
    random = np.random.default_rng(4)
    sizes = sizes_of(spread, (100, 152), random)
    k = random.integers(1, 153, 100)
    kept = torch.tensor(masks.keep_top(sizes, k))
    tensors = torch.tensor(sizes), torch.tensor(c, dtype=torch.float64), kept
    found = ranks.threshold_by_steps(*tensors).numpy()
    host = ranks.threshold(*tensors).numpy()
    assert np.array_equal(host, cuts.threshold(sizes, c, k))
    assert np.array_equal(found == cuts.OPEN, k == 152)
    gates, expected = (cuts.sigmoid(c * (sizes - t[:, None])) for t in (found, host))
    assert np.abs(gates - expected).max() <= tolerance("float32")
    assert np.abs(gates.sum(axis=1) - k).max() <= cuts.CLOSE * 152


def test_a_threshold_of_what_diverged_is_no_number_and_leaves_others_alone():
    random = np.random.default_rng(5)
    sizes = sizes_of("normal", (3, 27), random)
    wild = sizes.copy()
    wild[1, 4] = np.nan
    kept = torch.tensor(masks.keep_top(sizes, np.full(3, 9)))
    c = torch.tensor(5.0, dtype=torch.float64)
    calm, found = (
        ranks.threshold_by_steps(torch.tensor(s), c, kept).numpy()
        for s in (sizes, wild)
    )
    assert np.isnan(found[1])
    assert np.array_equal(found[[0, 2]], calm[[0, 2]])
