"""Edge lists: what a mask becomes, written out and by brute force."""

import numpy as np
import pytest

from spiral.engines.sparse.lists import build
from spiral.model import masks, mlp
from tests.engines import some_masks


def chain() -> np.ndarray:
    """Return one path: input 1 → unit 0 → unit 1 → unit 0 → output, in width 2."""
    kept = np.zeros((1, mlp.weight_count(2)), bool)
    kept[0, [1, 4 + 2, 8 + 1, 12]] = True  # W1[0,1], W2[1,0], W3[0,1], W4[0]
    return masks.with_biases(kept, 2)


def test_a_chain_is_five_nodes_in_reverse_order():
    lists = build(chain(), 2)
    assert lists.nodes.tolist() == [6]  # output, three units, both inputs
    assert lists.first.tolist() == [0, 2, 4, 6, 8, 8, 8]
    layers = mlp.layers(2)
    biases = [layer.biases.start for layer in layers]
    expected = [
        *(biases[3], layers[3].weights.start),
        *(biases[2], layers[2].weights.start + 1),
        *(biases[1] + 1, layers[1].weights.start + 2),
        *(biases[0], layers[0].weights.start + 1),
    ]
    assert lists.flat[:8].tolist() == expected
    assert (lists.flat[8:] == -1).all()
    rows = lists.source[[1, 3, 5, 7]]
    assert rows.tolist() == [1, 2, 3, 4]  # node 4 is input 1


def test_outgoing_edges_mirror_incoming_ones():
    lists = build(chain(), 2)
    assert lists.out_first.tolist() == [0, 0, 1, 2, 3, 4, 4]
    assert lists.out_row.tolist() == [0, 1, 2, 3]
    assert lists.out_slot.tolist() == [1, 3, 5, 7]


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_every_kept_parameter_has_exactly_one_slot(width):
    kept = some_masks(range(20), width)
    lists = build(kept, width)
    for n, mask in enumerate(kept):
        slots = lists.flat[lists.slot_at[n] : lists.slot_at[n + 1]]
        used = slots[slots >= 0]
        assert len(used) == len(set(used))
        assert set(np.flatnonzero(mask)) <= set(used)
        assert len(slots) % 16 == 0


@pytest.mark.parametrize("width", [2, 3, 7])
def test_units_without_a_way_to_the_output_are_no_nodes(width):
    kept = some_masks(range(20), width)
    lists = build(kept, width)
    for n, mask in enumerate(kept):
        live = reaching(mask, width)
        assert lists.nodes[n] == 3 + sum(map(len, live))


def reaching(mask: np.ndarray, width: int) -> list[set[int]]:
    """Return the hidden units, layer by layer, with a path to the output."""
    found, targets = [], {0}
    for weights, _ in reversed(mlp.matrices(mask, width)[1:]):
        targets = {i for i in range(width) if any(weights[j, i] for j in targets)}
        found.append(targets)
    return found


def test_compaction_makes_wide_and_narrow_networks_equal():
    narrow = masks.of_weights(some_masks(range(5), 3), 3)
    wide = masks.with_biases(masks.embed(narrow, 3, 40), 40)
    small, large = build(masks.with_biases(narrow, 3), 3), build(wide, 40)
    for name in ("nodes", "slot_at", "first", "source", "out_row", "out_slot"):
        assert np.array_equal(getattr(small, name), getattr(large, name)), name


def test_slots_start_at_cache_lines():
    lists = build(some_masks(range(9), 5), 5)
    assert (lists.slot_at % 16 == 0).all()


def test_layers_begin_where_their_nodes_do():
    lists = build(chain(), 2)
    assert lists.layers.tolist() == [[0, 1, 2, 3, 4, 6]]
