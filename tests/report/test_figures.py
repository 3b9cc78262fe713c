"""What is drawn is what was given, and equal figures are equal files."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from spiral import cubist, mlp
from spiral.errors import ConfigError, StoreError
from spiral.methods import METHODS
from spiral.report import figures, style
from tests.tolerances import tolerance

SUMMARY = pd.DataFrame(
    {
        "method": ["gmp", "gmp", "gmp", "random", "random", "dense"],
        "width": 16,
        "keep": pd.array([30, 10, 20, 10, 20, None], "Int64"),
        "median": [0.9, 0.6, 0.8, 0.5, 0.55, 0.99],
        "best": [0.95, 0.7, 0.85, 0.6, 0.65, 1.0],
        "n": [3, 3, 2, 5, 5, 4],
    }
)


def axes_of(paint):
    return figures.draw(paint).axes[0]


def accuracy_axes(summary=SUMMARY):
    return axes_of(lambda axes: figures.accuracy_over_keep(axes, summary))


def points(line):
    return [tuple(map(float, point)) for point in line.get_xydata()]


def ramp():
    """Return a network of width 2 whose logit is the first coordinate."""
    params = np.zeros(mlp.param_count(2))
    first, *hidden, output = mlp.matrices(params, 2)
    first[0][:] = [[1, 0], [-1, 0]]
    for weights, _ in hidden:
        weights[:] = np.eye(2)
    output[0][:] = [[1, -1]]
    return params


def boundary_axes(params, **more):
    return axes_of(lambda axes: figures.boundary(axes, params, 2, **more))


def test_medians_are_solid_and_in_the_order_of_keep():
    solid = [a for a in accuracy_axes().lines if a.get_linestyle() == "-"]
    gmp, random = (points(line) for line in solid)
    assert gmp == [(10, 0.6), (20, 0.8), (30, 0.9)]
    assert random == [(10, 0.5), (20, 0.55)]


def test_the_best_seeds_are_dotted():
    dotted = [a for a in accuracy_axes().lines if a.get_linestyle() == ":"]
    assert points(dotted[0]) == [(10, 0.7), (20, 0.85), (30, 0.95)]
    assert points(dotted[1]) == [(10, 0.6), (20, 0.65)]


def test_a_method_without_keep_is_a_level_line():
    (level,) = [a for a in accuracy_axes().lines if a.get_linestyle() == "--"]
    assert list(level.get_ydata()) == [0.99, 0.99]


def test_the_legend_counts_seeds():
    texts = [t.get_text() for t in accuracy_axes().get_legend().get_texts()]
    assert texts == ["gmp (n = 2–3)", "random (n = 5)", "dense (n = 4)"]


def test_lines_wear_their_methods_colour_and_marker():
    for line in accuracy_axes().lines:
        label = line.get_label().split()[0]
        if label in METHODS:
            assert to_hex(line.get_color()) == style.LOOKS[label][0].lower()
            expected = "None" if label == "dense" else style.LOOKS[label][1]
            assert line.get_marker() == expected


def test_axes_say_what_they_show():
    axes = accuracy_axes()
    assert axes.get_xlabel() == "weights kept"
    assert axes.get_ylabel() == "accuracy on all points"


def test_every_method_has_its_own_look():
    assert set(style.LOOKS) >= set(METHODS)
    looks = {(colour.lower(), marker) for colour, marker in style.LOOKS.values()}
    assert len(looks) == len(style.LOOKS)


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
    assert colours == [colour.lower() for colour in figures.CLASS_COLOURS]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_equal_figures_are_equal_files(tmp_path, suffix):
    files = [tmp_path / "deep" / f"{name}{suffix}" for name in "ab"]
    for file in files:
        drawn = figures.draw(lambda axes: figures.accuracy_over_keep(axes, SUMMARY))
        style.save(drawn, file)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert len(first) > 5000


def test_saving_one_figure_twice_gives_equal_bytes(tmp_path):
    drawn = figures.draw(lambda axes: figures.boundary(axes, ramp(), 2))
    for file in (tmp_path / "a.svg", tmp_path / "b.svg"):
        style.save(drawn, file)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_other_file_types_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"ending in \.png, \.svg, \.pdf"):
        style.save(Figure(), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        style.save(Figure(), tmp_path / "file" / "a.png")


def test_every_width_has_a_line_and_its_name():
    two = pd.concat([SUMMARY.assign(width=4), SUMMARY.assign(width=16)])
    axes = accuracy_axes(two)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 2 * SUMMARY["method"].nunique()
    assert all("width 4 (" in label or "width 16 (" in label for label in labels)


def test_a_method_of_ones_own_gets_a_colour_and_a_marker():
    axes = accuracy_axes(SUMMARY.assign(method="mine"))
    assert axes.get_lines()[0].get_color() == style.colour("mine") == "#000000"
