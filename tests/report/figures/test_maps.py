"""Maps show what networks compute, pixel by pixel."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from spiral.model import mlp
from spiral.report.figures import layout, maps, style
from spiral.report.figures.networks import Drawn
from spiral.tasks import catalogue, cubist
from tests.tolerances import tolerance


def ramp():
    """Return a network of width 2 whose logit is the first coordinate."""
    params = np.zeros(mlp.param_count(2))
    first, *hidden, output = mlp.matrices(params, 2)
    first[0][:] = [[1, 0], [-1, 0]]
    for weights, _ in hidden:
        weights[:] = np.eye(2)
    output[0][:] = [[1, -1]]
    return params


def boundary_axes(params, task="cubist", **more):
    one = Drawn("a title", params != 0, params, 2, task)
    paint = lambda axes: maps.boundary(axes, one, **more)  # noqa: E731
    return layout.draw(paint).axes[0]


def drawn(title="a title"):
    params = ramp()
    return Drawn(title, params != 0, params, 2)


def test_a_map_shows_twice_the_probability_minus_one():
    (image,) = boundary_axes(ramp()).images
    ticks = np.linspace(-2.25, 2.25, 512)
    expected = np.tile(2 / (1 + np.exp(-ticks)) - 1, (512, 1))
    assert np.abs(image.get_array() - expected).max() <= tolerance("pixel")
    assert image.get_clim() == (-1, 1)
    assert image.get_extent() == [-2.25, 2.25, -2.25, 2.25]


def test_rows_of_a_map_run_upwards():
    params = ramp()
    params[[0, 1, 2, 3]] = [0, 1, 0, -1]  # now the logit is the second coordinate
    (image,) = boundary_axes(params).images
    assert image.origin == "lower"
    assert image.get_array()[0, 0] < 0 < image.get_array()[-1, 0]


def test_the_contour_is_where_the_logit_is_zero():
    (contour,) = boundary_axes(ramp()).collections
    x, y = contour.get_paths()[0].vertices.T
    assert np.abs(x).max() < 1e-9
    assert (y.min(), y.max()) == (-2.25, 2.25)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_a_network_of_one_opinion_has_no_contour(bias):
    params = np.zeros(mlp.param_count(2))
    params[-1] = bias
    axes = boundary_axes(params, title="flat")
    assert not axes.collections
    assert axes.get_title() == "flat"


def test_a_map_shows_points_of_both_classes():
    data = cubist.load()
    zero, one = boundary_axes(ramp()).lines
    assert np.array_equal(zero.get_xydata(), data.x[:24_991:25])
    assert np.array_equal(one.get_xydata(), data.x[24_991::25])
    colours = [to_hex(line.get_color()) for line in (zero, one)]
    assert colours == [colour.lower() for colour in style.CLASSES]


def test_a_map_of_another_task_shows_its_window_and_points():
    axes, data = boundary_axes(ramp(), "moons"), catalogue.load("moons")
    assert axes.images[0].get_extent() == [*data.window]
    assert axes.get_xlim() + axes.get_ylim() == data.window
    every = round(data.points / 2_000)
    for label, line in enumerate(axes.lines):
        assert np.array_equal(line.get_xydata(), data.x[data.y == label][::every])
    inputs = maps.layers(drawn()._replace(task="moons"))[0]
    assert (inputs[0].min(), inputs[0].max()) == data.window[:2]


def test_layers_are_inputs_hidden_values_before_relu_and_the_logit():
    inputs, first, *_, output = maps.layers(drawn())
    ticks = np.linspace(-2.25, 2.25, 512)
    across = np.tile(ticks, (512, 1))
    assert np.array_equal(inputs, [across, across.T])
    assert np.abs(first - [across, -across]).max() <= tolerance("pixel")
    assert np.abs(output[0] - across).max() <= tolerance("pixel")


@pytest.mark.parametrize(("framed", "frames"), [(True, 4), (False, 0)])
def test_maps_stand_side_by_side_and_the_first_may_have_a_frame(framed, frames):
    figure = maps.beside([drawn(f"$n{i}") for i in range(7)], "seven", framed)
    first, second, *_ = figure.axes
    assert len(figure.axes) == 7
    visible = [sum(s.get_visible() for s in a.spines.values()) for a in (first, second)]
    assert visible == [frames, 0]
    assert first.get_title() == r"\$n0"
    assert figure.get_supxlabel() == "seven"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "class 0",
        "class 1",
    ]
