"""Figures of scores draw the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import rows as figures
from spiral.report.figures import scores
from tests.report import frontier, row, seeds, table

KNOWN = frontier(("any", 12, 0.9), ("any", 30, 1.0))
GAPS = pd.DataFrame(
    {
        "method": ["lth", "gmp", "random"],
        "gap": [0.5, 0.3, 1.0],
        "gap_low": [0.4, 0.2, 0.95],
        "gap_high": [0.6, 0.4, 1.0],
        "rank_low": [1, 1, 3],
        "rank_high": [2, 2, 3],
        "epochs": [700.0, 50.0, 50.0],
    }
)


def axes_of(draw, shown):
    axes = Figure().subplots()
    draw(axes, shown)
    return axes


def source(*rows, known=KNOWN):
    return figures.Source([], table(*rows).assign(batch=128), known)


def lines(method, accuracy, width=16):
    return [
        line
        for keep in (16, 30, 65)
        for line in seeds([accuracy] * 4, method=method, keep=keep, width=width)
    ]


def test_methods_stand_in_the_order_of_their_gaps_with_their_ranks():
    axes = axes_of(scores.gaps_in_order, GAPS)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "gmp",
        "lth",
        "random",
    ]
    assert [text.get_text() for text in axes.texts] == ["1–2", "1–2", "3"]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.3, 0.5, 1.0]
    ends = [bar.get_segments()[0][:, 0].tolist() for bar in axes.collections]
    assert ends == [[0.2, 0.4], [0.4, 0.6], [0.95, 1.0]]


def test_a_profile_is_the_share_of_networks_up_to_a_gap():
    lacks = pd.DataFrame({"method": ["gmp"] * 4, "lack": [0.0, 0.25, 0.5, 2.0]})
    (line,) = axes_of(scores.profiles, lacks).lines
    x, y = line.get_data()
    assert np.interp([0.0, 0.2, 0.3, 0.99], x, y).tolist() == [0.25, 0.25, 0.5, 0.75]


def test_only_the_best_profiles_have_names():
    lacks = pd.DataFrame(
        {"method": [f"m{i}" for i in range(9)], "lack": np.arange(9) / 9}
    )
    axes = axes_of(scores.profiles, lacks)
    assert len(axes.lines) == 9
    _, labels = axes.get_legend_handles_labels()
    assert labels == [f"m{i}" for i in range(scores.NAMED)]


def test_the_smallest_gap_for_so_many_epochs_is_joined():
    axes = axes_of(scores.gap_over_cost, GAPS)
    joined, *marks = axes.lines
    assert joined.get_xydata().tolist() == [[50.0, 0.3]]
    assert [mark.get_ydata()[0] for mark in marks] == [0.3, 1.0, 0.5]
    assert marks[0].get_xdata()[0] == 50
    assert 50 < marks[1].get_xdata()[0] < 75


@pytest.mark.parametrize("draw", [scores.ranks, scores.profile, scores.cost])
def test_figures_have_a_panel_for_each_width_and_count_seeds(draw):
    both = [*lines("gmp", 0.9), *lines("lth", 0.8), *lines("gmp", 0.8, width=64)]
    figure = draw(source(*both))
    assert [axes.get_title() for axes in figure.axes] == ["width 16", "width 64"]
    assert "n = " in figure.get_supxlabel()
    assert len(draw(source(*both), widths=[64]).axes) == 1


@pytest.mark.parametrize("draw", [scores.ranks, scores.profile, scores.cost])
def test_without_pruners_or_frontier_there_is_nothing_to_draw(draw):
    dense = [row(method="dense", keep=None)]
    with pytest.raises(ConfigError, match="expected rows of pruners"):
        draw(source(*dense))
    with pytest.raises(ConfigError, match="no best known networks"):
        draw(source(*lines("gmp", 0.9), known=None))
