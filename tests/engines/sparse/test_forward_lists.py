"""Lists of active edges, written out and by brute force."""

import numpy as np
import pytest

from spiral.engines.sparse.forward_choice import ACTIVE, ALWAYS, HIDDEN
from spiral.engines.sparse.forward_lists import list_edges, no_edges, padded, units
from spiral.model import mlp


def states(kept: np.ndarray, width: int) -> np.ndarray:
    """Return the states [S] of one network, given its active weights [P]."""
    found = np.full(padded(width), ALWAYS, np.int32)
    weights = np.flatnonzero(mlp.is_weight(width))
    found[weights] = np.where(kept[weights], ACTIVE, HIDDEN)
    return found


def test_lists_of_a_chain():
    """Width 2: input 1 → unit 0 → unit 1 → unit 0 → output; all else is hidden."""
    kept = np.zeros(21, bool)
    first, second, third, last = mlp.layers(2)
    starts = [layer.weights.start for layer in (first, second, third, last)]
    kept[[starts[0] + 1, starts[1] + 2, starts[2] + 1, starts[3]]] = True
    edges = no_edges(units(2), padded(2))
    count = list_edges(units(2), states(kept, 2), 0, edges)
    assert edges.first.tolist() == [0, 1, 1, 1, 2, 3, 3, 4]
    assert edges.weight[:4].tolist() == [1, starts[1] + 2, starts[2] + 1, starts[3]]
    assert edges.source[:4].tolist() == [1, 2, 5, 6]
    assert edges.live.tolist() == [1, 0, 0, 1, 1, 0, 1]
    assert edges.out_first.tolist()[:7] == [0, 1, 1, 1, 2, 3, 3]
    assert edges.out_row[:3].tolist() == [5, 6, 8]
    assert count == 3 * 4  # a bias and two inputs for the output and each live unit
    assert edges.slope[:3].tolist() == [20, 18, 19]
    assert set(edges.slope[count:]) == {padded(2) - 1}


@pytest.mark.parametrize("width", [1, 3, 6])
@pytest.mark.parametrize("everything", [0, 1])
def test_lists_hold_each_edge_once_from_both_ends(width, everything):
    random = np.random.default_rng(width)
    where, edges = units(width), no_edges(units(width), padded(width))
    for _ in range(10):
        kept = random.random(mlp.param_count(width)) < 0.4
        list_edges(where, states(kept, width), everything, edges)
        end = edges.first[-1]
        listed = kept | bool(everything)
        expected = np.flatnonzero(listed & mlp.is_weight(width))
        assert sorted(edges.weight[:end]) == expected.tolist()
        pairs = set()
        for u in range(3 * width + 1):
            for e in range(edges.first[u], edges.first[u + 1]):
                origin = edges.source[e] - 2
                if origin >= 0 and edges.live[u]:
                    pairs.add((origin, u + 2, edges.weight[e]))
        found = {
            (u, edges.out_row[e], edges.out_weight[e])
            for u in range(3 * width)
            for e in range(edges.out_first[u], edges.out_first[u + 1])
        }
        assert found == pairs
