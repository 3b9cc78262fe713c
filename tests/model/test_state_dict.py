"""A network among named arrays: names, order, masks, biases."""

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from spiral.model import stack, state_dict

SHAPES = [(4, 2), (3, 4), (5, 3), (1, 5)]
ALIKE = [(3, 2), (3, 3), (3, 3), (1, 3)]


def matrices(shapes=SHAPES):
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def vectors(shapes=SHAPES):
    return [np.arange(rows, dtype=np.float32) + 1 for rows, _ in shapes]


def check(found, weights, biases=None):
    for layer, matrix, vector in zip(
        found.stack, weights, biases or [0] * 4, strict=True
    ):
        np.testing.assert_array_equal(layer.weights, matrix)
        np.testing.assert_array_equal(layer.kept, matrix != 0)
        np.testing.assert_array_equal(layer.biases, vector)


@pytest.mark.parametrize(
    "names",
    [
        ("0", "2", "4", "6"),
        ("net.fc1", "net.fc2", "net.fc3", "net.head"),
        ("first_layer", "second_layer", "third_layer", "clf"),
        ("in", "a/b", "c", "out"),
    ],
)
def test_layers_may_have_any_names(names):
    named = {}
    for name, weights, biases in zip(names, matrices(), vectors(), strict=True):
        named |= {f"{name}.weight": weights, f"{name}.bias": biases}
    named["steps"] = np.array(7)
    check(state_dict.find(named), matrices(), vectors())


def test_matrices_and_vectors_may_have_names_without_endings():
    named = {f"W{n}": m for n, m in enumerate(matrices())}
    check(state_dict.find(named), matrices())
    named |= {f"b{n}": v for n, v in enumerate(vectors())}
    check(state_dict.find(named), matrices(), vectors())
    del named["b2"]
    with pytest.raises(ValueError, match="4 matrices and 3 vectors"):
        state_dict.find(named)


@pytest.mark.parametrize("order", [(3, 1, 0, 2), (2, 3, 1, 0)])
def test_the_order_follows_from_the_sizes(order):
    named = {"abcd"[n] + ".weight": matrices()[n] for n in order}
    check(state_dict.find(named), matrices())
    check(state_dict.find(named, ordered=False), matrices())


def test_equal_sizes_are_in_the_order_of_their_numbers():
    named = {f"l{n}.weight": matrices(ALIKE)[n - 9] for n in (12, 11, 10, 9)}
    check(state_dict.find(named, ordered=False), matrices(ALIKE))
    check(state_dict.find(named), matrices(ALIKE))


def test_equal_sizes_are_in_the_order_of_the_file_or_refused():
    named = {f"{n}.weight": m for n, m in zip("xcby", matrices(ALIKE), strict=True)}
    check(state_dict.find(named), matrices(ALIKE))
    with pytest.raises(ValueError, match="order can be known, got c and b"):
        state_dict.find(named, ordered=False)


def test_the_papers_names_have_an_order_of_their_own():
    pairs = zip(state_dict.LAYERS, matrices(ALIKE), strict=True)
    named = {f"{name}.weight": matrix for name, matrix in sorted(pairs)}
    check(state_dict.find(named, ordered=False), matrices(ALIKE))


def pruned():
    """Return a module that PyTorch pruned, and the masks."""
    torch.manual_seed(0)
    layers = [torch.nn.Linear(columns, rows) for rows, columns in SHAPES]
    for layer in layers:
        prune.random_unstructured(layer, "weight", amount=0.5)
    prune.random_unstructured(layers[1], "bias", amount=2)
    return torch.nn.Sequential(*layers), [layer.weight_mask for layer in layers]


def test_the_buffers_of_torchs_pruning_are_understood():
    module, masks = pruned()
    found = state_dict.find(module.state_dict())
    for layer, mask, part in zip(found.stack, masks, module, strict=True):
        np.testing.assert_array_equal(layer.kept, mask.numpy() == 1)
        np.testing.assert_array_equal(layer.weights, part.weight.detach().numpy())
        np.testing.assert_array_equal(layer.biases, part.bias.detach().numpy())
    assert 0 < sum(layer.kept.sum() for layer in found.stack) < 38


def given(kind, masks):
    names = "abcd"
    if kind == "list":
        return masks
    named = {f"{n}.weight": m for n, m in zip(names, masks, strict=True)}
    return {name: torch.tensor(m) for name, m in named.items()}


@pytest.mark.parametrize("kind", ["list", "named"])
def test_a_mask_given_apart_counts(kind):
    """Also where it keeps a weight that is zero."""
    weights = matrices()
    weights[0][0] = 0
    masks = [
        np.random.default_rng(n).random(m.shape) < 0.5 for n, m in enumerate(weights)
    ]
    masks[0][0] = True
    named = {f"{n}.weight": m for n, m in zip("abcd", weights, strict=True)}
    found = state_dict.find(named, given(kind, masks))
    for layer, mask, matrix in zip(found.stack, masks, weights, strict=True):
        np.testing.assert_array_equal(layer.kept, mask)
        np.testing.assert_array_equal(layer.weights, matrix * mask)


@pytest.mark.parametrize("name", ["{}.weight", "{}.weight_mask", "{}.mask", "{}"])
@pytest.mark.parametrize("kind", [bool, np.uint8, np.float32])
def test_a_mask_alone_is_recognised(name, kind):
    masks = [np.random.default_rng(0).random(m.shape) < 0.5 for m in matrices()]
    named = {name.format(n): mask.astype(kind) for n, mask in enumerate(masks)}
    found = state_dict.find(named)
    assert found.masks_only
    for layer, mask in zip(found.stack, masks, strict=True):
        np.testing.assert_array_equal(layer.kept, mask)
    assert not state_dict.find(dict(enumerate(matrices()))).masks_only


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"c.weight": np.ones((5, 4))}, "expected four layers"),
        ({"c.weight": np.ones(3)}, "got 3 among a.weight"),
        ({"e.weight": np.ones((2, 2))}, "got 5 among"),
        ({"a.weight": np.full((4, 2), np.nan)}, "finite"),
        ({"a.weight": np.full((4, 2), 1e300)}, "finite"),
        ({"a.weight": np.ones((4, 2), complex)}, "real numbers in a.weight"),
        ({"a.bias": np.ones(3)}, "one bias per row"),
        ({"a.mask": np.ones((2, 4))}, "a: expected a mask of shape"),
        ({"a.mask": np.full((4, 2), 0.5)}, "zeros and ones in a.mask"),
    ],
)
def test_what_is_no_network_is_refused(change, said):
    named = {f"{n}.weight": m for n, m in zip("abcd", matrices(), strict=True)}
    with pytest.raises(ValueError, match=said):
        state_dict.find(named | change)


def test_a_network_survives_the_way_through_its_widest_layer():
    found = state_dict.find(dict(enumerate(matrices()))).stack
    flat = stack.flat_of(found)
    assert (flat.width, stack.sizes_of(found)) == (5, (4, 3, 5))
    for layer, again in zip(found, stack.of_flat(flat, (4, 3, 5)), strict=True):
        for part, same in zip(layer, again, strict=True):
            np.testing.assert_array_equal(part, same)
