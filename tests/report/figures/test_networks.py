"""Graphs have an edge per kept weight, and maps of the units that live."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from spiral import report
from spiral.model import masks, mlp
from spiral.report.figures import layout, networks, style


def drawn(paint):
    return layout.draw(paint).axes[0]


def network(width=3, cut=()):
    """Return a network of width 3 in which some weights are pruned."""
    weights = np.ones((1, mlp.weight_count(width)), bool)
    weights[0, list(cut)] = False
    mask = masks.with_biases(weights, width)[0]
    params = np.where(mask, mlp.initial_params(1, width), 0)
    return networks.Drawn("a title", mask, params, width)


def edges(axes):
    return [line for line in axes.lines if line.get_marker() == "None"]


def test_a_graph_has_an_edge_per_kept_weight_coloured_by_sign():
    one = network(cut=[7, 20])
    axes = drawn(lambda a: networks.graph(a, one))
    found = edges(axes)
    assert len(found) == 25
    weights = one.params[one.mask & mlp.is_weight(3)]
    negative, positive = (
        sum(to_hex(line.get_color()) == colour.lower() for line in found)
        for colour in networks.SIGNS
    )
    assert (negative, positive) == ((weights < 0).sum(), (weights > 0).sum())
    thickest = max(line.get_linewidth() for line in found)
    share = np.abs(weights).max() / np.abs(one.params).max()
    assert thickest == pytest.approx(0.4 + 3.6 * share)


def test_signs_have_the_colours_of_the_viewer():
    css = (Path(report.__file__).parent / "viewer" / "page" / "style.css").read_text()
    (minus, plus) = (re.search(rf"--{n}: (#\w+)", css)[1] for n in ("minus", "plus"))
    assert [colour.lower() for colour in networks.SIGNS] == [minus, plus]


def test_weights_on_no_path_are_grey():
    column = [24]  # the output weight of the first unit of layer 3
    axes = drawn(lambda a: networks.graph(a, network(cut=column)))
    colours = [to_hex(line.get_color()) for line in edges(axes)]
    assert colours.count(style.PALE.lower()) == 3  # what leads into that unit


def neuron_axes(one, maps):
    return drawn(lambda a: networks.neurons(a, one, maps))


def flat_maps(values):
    """Return maps of two pixels a side, one value for each unit."""
    ramp = np.array([[-1.0, 1.0], [-1.0, 1.0]])
    return [np.stack([value * ramp for value in layer]) for layer in values]


WHOLE = flat_maps([[1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1]])


def test_every_unit_has_a_map_and_starts_where_its_line_is():
    axes = neuron_axes(network(), WHOLE)
    assert len(axes.images) == 2 + 9 + 1
    assert len(axes.collections) == 9 + 1  # contours of hidden units and output
    hidden = axes.images[2].get_array()
    assert hidden.tolist() == [[0, 1], [0, 1]]  # ReLU, by its own scale
    output = axes.images[-1].get_array()
    assert output.tolist() == [[-np.tanh(0.5), np.tanh(0.5)]] * 2
    assert len(edges(axes)) == 27
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["x₁", "x₂"]


def test_a_unit_that_is_never_active_is_grey_with_its_edges():
    maps = [layer.copy() for layer in WHOLE]
    maps[2][0] = -1
    axes = neuron_axes(network(), maps)
    grey = style.PALE.lower()
    assert [to_hex(line.get_color()) for line in edges(axes)].count(grey) == 3 + 3
    frames = [to_hex(patch.get_edgecolor()) for patch in axes.patches]
    assert frames.count(grey) == 1


def test_a_unit_on_no_path_is_grey_and_one_without_weights_is_not_there():
    cut = network(cut=[24])  # nothing takes the first unit of layer 3
    axes = neuron_axes(cut, WHOLE)
    assert [to_hex(p.get_edgecolor()) for p in axes.patches].count("#bbbbbb") == 1
    gone = network(cut=[15, 16, 17, 24])  # nothing feeds it either
    assert len(neuron_axes(gone, WHOLE).images) == 2 + 8 + 1


def test_height_follows_the_largest_layer():
    one = network()
    assert networks.tallest(one) == pytest.approx(0.6 + 3 * 0.95)
