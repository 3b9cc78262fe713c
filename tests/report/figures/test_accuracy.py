"""What is drawn over size and width is what was given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from spiral.methods.registry import METHODS
from spiral.report.figures import accuracy, layout, style

SUMMARY = pd.DataFrame(
    {
        "method": ["gmp", "gmp", "gmp", "random", "random", "dense"],
        "width": 16,
        "keep": pd.array([30, 10, 20, 10, 20, None], "Int64"),
        "median": [0.9, 0.6, 0.8, 0.5, 0.55, 0.99],
        "median_low": [0.85, 0.55, np.nan, 0.45, 0.5, 0.97],
        "median_high": [0.93, 0.65, np.nan, 0.55, 0.6, 1.0],
        "best": [0.95, 0.7, 0.85, 0.6, 0.65, 1.0],
        "n": [3, 3, 2, 5, 5, 4],
        "settings": 1,
    }
)
KNOWN = {
    "any": pd.Series([0.6, 0.9, 0.97], [8, 16, 25]),
    "protocol": pd.Series([0.55, 0.8], [8, 18]),
}
TRAINED = "best known, trained as in the paper"


def accuracy_axes(summary=SUMMARY, known=None):
    paint = lambda axes: accuracy.accuracy_over_keep(axes, summary, known)  # noqa: E731
    return layout.draw(paint).axes[0]


def points(line):
    return [tuple(map(float, point)) for point in line.get_xydata()]


def labelled(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return line


def caption(figure):
    return " ".join(figure.get_supxlabel().split())


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_medians_are_solid_and_in_the_order_of_keep():
    solid = [a for a in accuracy_axes().lines if a.get_linestyle() == "-"]
    random, gmp = (points(line) for line in solid)
    assert gmp == [(10, 0.6), (20, 0.8), (30, 0.9)]
    assert random == [(10, 0.5), (20, 0.55)]


def test_the_best_seeds_are_dotted():
    dotted = [a for a in accuracy_axes().lines if a.get_linestyle() == ":"]
    assert points(dotted[0]) == [(10, 0.6), (20, 0.65)]
    assert points(dotted[1]) == [(10, 0.7), (20, 0.85), (30, 0.95)]


def test_a_method_without_keep_is_a_level_line():
    (level,) = [a for a in accuracy_axes().lines if a.get_linestyle() == "--"]
    assert list(level.get_ydata()) == [0.99, 0.99]


def test_lines_wear_their_methods_colour_and_marker():
    for line in accuracy_axes().lines:
        label = line.get_label().split()[0]
        if label in METHODS:
            assert to_hex(line.get_color()) == style.colour(label).lower()
            expected = "None" if label == "dense" else style.marker(label)
            assert line.get_marker() == expected


def test_axes_say_what_they_show():
    axes = accuracy_axes()
    assert axes.get_xlabel() == "weights kept"
    assert axes.get_ylabel() == "accuracy"


def test_bars_are_the_limits_of_medians_that_have_them():
    _, gmp = accuracy_axes().collections
    ends = [[tuple(map(float, p)) for p in s] for s in gmp.get_segments()]
    assert ends[0] == [(10, 0.55), (10, 0.65)]
    assert ends[-1] == [(30, 0.85), (30, 0.93)]


def test_the_frontier_is_a_step_over_the_sizes_of_methods():
    line = labelled(accuracy_axes(known=KNOWN), "best known")
    assert points(line) == [(10, 0.6), (16, 0.9), (25, 0.97), (30, 0.97)]
    assert line.get_drawstyle() == "steps-post"
    trained = labelled(accuracy_axes(known=KNOWN), TRAINED)
    assert points(trained) == [(10, 0.55), (18, 0.8), (30, 0.8)]
    assert trained.get_linestyle() != line.get_linestyle()


def test_a_frontier_that_begins_later_begins_there():
    late = {"any": pd.Series([0.9], [16])}
    line = labelled(accuracy_axes(known=late), "best known")
    assert points(line) == [(16, 0.9), (30, 0.9)]


@pytest.mark.parametrize(
    "known", [pd.Series([0.9], [99]), pd.Series([], [], dtype=float)]
)
def test_a_frontier_of_other_sizes_is_not_drawn(known):
    labels = [line.get_label() for line in accuracy_axes(known={"any": known}).lines]
    assert "best known" not in labels


def test_dense_networks_alone_are_a_level_without_a_frontier():
    axes = accuracy_axes(SUMMARY[SUMMARY["method"] == "dense"], KNOWN)
    assert [line.get_label() for line in axes.lines] == ["dense"]


def test_many_methods_have_no_dotted_lines():
    names = [f"m{number}" for number in range(accuracy.CROWD + 1)]
    many = pd.concat([SUMMARY.head(1).assign(method=name) for name in names])
    axes = accuracy_axes(many)
    assert len(axes.lines) == len(names)
    assert ":" not in [line.get_linestyle() for line in axes.lines]


def test_every_width_has_a_panel_and_the_page_one_legend():
    two = pd.concat([SUMMARY.assign(width=4), SUMMARY.assign(width=16)])
    lower = {kind: series - 0.1 for kind, series in KNOWN.items()}
    figure = accuracy.accuracy(two, {4: lower, 16: KNOWN})
    assert [axes.get_title() for axes in figure.axes] == ["width 4", "width 16"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy", ""]
    assert legend(figure) == ["dense", "random", "gmp", "best known", TRAINED]
    narrow, wide = (labelled(axes, "best known") for axes in figure.axes)
    assert narrow.get_ydata()[0] == wide.get_ydata()[0] - 0.1


def test_captions_count_seeds_and_settings():
    said = caption(accuracy.accuracy(SUMMARY))
    assert "n = 2–5 seeds" in said
    assert "95 % intervals" in said
    assert "setting" not in said
    several = SUMMARY.assign(settings=1234, n=1, median_low=np.nan)
    said = caption(accuracy.accuracy(several))
    assert "n = 1 seed, cross-fitted over up to 1,234 settings" in said
    assert "95 %" not in said
    masks = caption(accuracy.accuracy(several.assign(method="mask")))
    assert "setting" not in masks  # each mask is a setting of the method mask


def test_over_width_has_a_panel_for_each_size_and_its_level():
    wide = [SUMMARY.assign(width=width) for width in (3, 4, 16)]
    table = pd.concat(wide).dropna(subset="keep")
    levels = {
        10: {
            "any": pd.Series([np.nan, 0.8, 0.85], [3, 4, 16]),
            "protocol": pd.Series([0.7], [16]),
        },
        30: {"any": pd.Series([np.nan], [3])},
    }
    figure = accuracy.over_width(table, levels)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["10 weights", "20 weights", "30 weights"]
    ten, _, thirty = figure.axes
    assert points(labelled(ten, "gmp")) == [(3, 0.6), (4, 0.6), (16, 0.6)]
    assert points(labelled(ten, "best known")) == [(4, 0.8), (16, 0.85)]
    assert points(labelled(ten, TRAINED)) == [(16, 0.7)]
    assert "best known" not in [line.get_label() for line in thirty.lines]
    assert [tick.get_text() for tick in ten.get_xticklabels()] == ["3", "4", "16"]
    assert "n = 2–5 seeds" in caption(figure)


def test_a_method_of_ones_own_gets_a_colour_and_a_marker():
    axes = accuracy_axes(SUMMARY.assign(method="mine"))
    line = axes.get_lines()[0]
    assert (line.get_color(), line.get_marker()) == style.look("mine")


@pytest.mark.parametrize("name", ["$x$", "_hidden", "a\\$b", "$"])
def test_names_are_never_formulas_nor_lost(name, tmp_path):
    figure = accuracy.accuracy(SUMMARY.assign(method=name))
    assert legend(figure)[0].strip().replace("\\$", "$") == name
    style.save(figure, tmp_path / "a.svg")
