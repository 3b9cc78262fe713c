"""The largest shape of the search, enumerated in full; the fast polish beside torch."""

import json

import numpy as np
import pytest
import torch

from spiral.model import gradients, mlp
from spiral.search import best_known
from spiral.search.burnside import count
from spiral.search.candidate import from_network
from spiral.search.network import unpacked
from spiral.search.polish import QUICK, polish
from spiral.tasks import catalogue, cubist
from tests.benchmarks.measure import at_most, cost, seconds
from tests.search import complete_masks, renumbered

CUBIST = catalogue.load("cubist")

pytestmark = pytest.mark.benchmark

ENUMERATED = """
import json
from collections import Counter
import numpy as np
from spiral.search.enumerate import orbits
found = Counter()
for block in orbits(tuple(map(int, sys.argv[1:]))):
    for weights, masks in enumerate(np.bincount(block.sum(axis=1))):
        found[weights] += int(masks)
print(json.dumps({weights: masks for weights, masks in found.items() if masks}))
"""
"""Masks of a shape by their weights."""

TINY = (3, 2, 2)


def test_7_3_3_is_enumerated_fast_and_in_the_memory_of_a_small_shape():
    small, large = cost(ENUMERATED, *TINY), cost(ENUMERATED, 7, 3, 3)
    found = {int(weights): n for weights, n in json.loads(large.out).items()}
    assert found == count((7, 3, 3)).by_nnz
    total = sum(found.values())
    assert total == 8_338_343
    slow = seconds(lambda: {min(renumbered(mask)) for mask in complete_masks(TINY)})
    plain = slow / sum(json.loads(small.out).values())
    at_most(0.01, "a mask, against the slowest way", large.seconds / total, plain)
    at_most(1.5, "memory of all masks", large.kilobytes, small.kilobytes)


def lbfgs(network, sharpness=(1.0, 4.0, 16.0)):
    """Polish as version 0.1.0 did: L-BFGS on the cross-entropy of all points."""
    mask, start, width = unpacked(network.matrices, network.params)
    free, points = torch.tensor(mask), cubist.load()
    x = torch.tensor(points.x.T.copy(), dtype=torch.float64)
    signs = torch.tensor(1.0 - 2.0 * points.y)
    moving = torch.tensor(start[mask].astype(np.float64)).requires_grad_(True)
    for factor in sharpness:
        search = torch.optim.LBFGS(
            [moving], max_iter=150, history_size=20, line_search_fn="strong_wolfe"
        )

        def loss(factor=factor, search=search):
            search.zero_grad()
            full = torch.zeros(len(mask), dtype=torch.float64)
            full = full.masked_scatter(free, moving)
            z = mlp.logits(full, x, width, relu=torch.relu)
            total = torch.nn.functional.softplus(signs * z * factor).mean()
            total.backward()
            return total

        search.step(loss)


def test_300_networks_are_polished_while_lbfgs_polishes_one():
    table = best_known.load()
    random, noisy = np.random.default_rng(0), []
    for row in table[table["nnz"].between(15, 20)].head(6).to_dict("records"):
        network = best_known.network_of(row)
        noise = 1 + 0.05 * random.normal(size=len(network.params))
        params = (network.params * noise).astype(np.float32)
        noisy.append(network._replace(params=params))
    starts = [from_network(network) for network in noisy]
    polish(starts[0], CUBIST, QUICK)  # compiles
    fast = seconds(lambda: [polish(start, CUBIST, QUICK) for start in starts])
    with gradients.one_thread():
        plain = seconds(lambda: [lbfgs(network) for network in noisy], 1)
    at_most(1 / 300, "a quick polish, against L-BFGS", fast, plain)
