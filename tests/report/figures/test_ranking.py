"""Rankings stand in order, and what is censored is open."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from spiral.report.figures import layout, style
from spiral.report.figures import ranking as ranking_figures

GAPS = pd.DataFrame(
    {
        "method": ["gmp", "lth", "snip", "random"],
        "width": 16,
        "threshold": 0.95,
        "n": [10, 10, 9, 10],
        "smallest": [16, 16, 16, 16],
        "largest": [40, 40, 40, 40],
        "best_known": 16,
        "best_known_protocol": 18,
        "random_masks": pd.array([30, None, 26, 16], "Int64"),
        "median_excess": pd.array([6, 2, None, 0], "Int64"),
        "median_excess_low": pd.array([4, 1, 24, 0], "Int64"),
        "median_excess_high": pd.array([10, None, None, 0], "Int64"),
        "best_excess": pd.array([2, 1, None, 0], "Int64"),
    }
)
ORDER = ["random", "lth", "gmp", "snip"]
PAIRS = pd.DataFrame(
    {
        "method": ["gmp", "gmp", "lth"],
        "width": 16,
        "keep": pd.array([None, 20, None], "Int64"),
        "a": "exact",
        "b": "zp24",
        "probability": [0.8, 0.75, 0.4],
        "low": [0.6, 0.5, 0.2],
        "high": [0.9, 0.9, 0.7],
        "n": [10, 10, 8],
        "pairs": [30, 10, 16],
    }
)


def ranking(table=GAPS, order=ORDER):
    return layout.draw(lambda a: ranking_figures.excess_ranking(a, table, order)).axes[
        0
    ]


def marks(axes):
    """Return the markers by place: (method's place, excess, marker, is open)."""
    found = {}
    for line in axes.lines:
        if line.get_marker() not in ("None", "|", "x"):
            (x,), (y,) = line.get_xdata(), line.get_ydata()
            empty = to_hex(line.get_markerfacecolor()) == "#ffffff"
            found[int(y)] = (float(x), line.get_marker(), empty)
    return found


def bars(axes):
    found = {}
    for lines in axes.collections:
        for (x0, y), (x1, _) in lines.get_segments():
            found.setdefault(int(y), []).append((float(x0), float(x1)))
    return found


def test_the_best_method_is_first_and_what_never_reached_last():
    assert ranking_figures.by_excess(GAPS) == ORDER


def test_reaching_late_is_better_than_never_even_of_smaller_sizes():
    table = GAPS.assign(largest=[40, 40, 20, 40])
    assert ranking_figures.by_excess(table)[-1] == "snip"


def test_marks_are_the_excess_and_open_where_it_is_a_limit():
    found = marks(ranking())
    assert found == {
        0: (0.0, "<", True),  # random: already the smallest reaches
        1: (2.0, style.marker("lth"), False),
        2: (6.0, style.marker("gmp"), False),
        3: (24.0, ">", True),  # snip: more than the largest
    }


def test_both_best_known_are_lines_with_their_sizes_and_random_masks_crosses():
    axes = ranking()
    lines = [line for line in axes.lines if line.get_marker() == "None"]
    assert [line.get_xdata()[0] for line in lines] == [0, 2]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert axes.get_title() == "over 16 (dashed: 18)"
    (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert crosses.get_xydata().round().tolist() == [[0, 0], [14, 2], [10, 3]]
    unknown = ranking(GAPS.assign(best_known_protocol=pd.NA))
    assert unknown.get_title() == "over 16"


def test_a_panel_without_a_best_known_network_says_so():
    narrow = GAPS.assign(width=3).head(0)
    axes = ranking(narrow)
    assert "no network this narrow" in axes.texts[0].get_text()
    assert marks(axes) == {}
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ORDER


def test_bars_are_intervals_and_go_on_where_there_is_no_upper_limit():
    found = bars(ranking())
    end = 24 * ranking_figures.BEYOND
    assert found[2] == [(4, 10)]
    assert found[1] == [(1, 24), (24, end)]
    assert found[3] == [(24, 24), (24, end)]


def test_an_interval_that_excludes_no_size_is_not_drawn():
    told = GAPS["method"] == "lth"
    low = GAPS["median_excess_low"].mask(told)
    assert sorted(bars(ranking(GAPS.assign(median_excess_low=low)))) == [0, 2, 3]


def test_labels_are_the_methods_in_order_and_their_colours():
    axes = ranking()
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ORDER
    first, last = axes.get_ylim()
    assert first > last
    ticks = [line for line in axes.lines if line.get_marker() == "|"]
    assert {to_hex(t.get_color()) for t in ticks} == {
        style.colour(name).lower() for name in ("gmp", "lth", "random")
    }


@pytest.mark.parametrize("change", [{"n": 0}, {"method": "other"}])
def test_a_method_without_rows_has_no_mark(change):
    one = GAPS.head(1).assign(**change)
    assert marks(ranking(one)) == {}


def test_each_threshold_is_a_row_with_its_own_order():
    harder = GAPS.assign(
        threshold=0.995, median_excess=pd.array([1, 9, 5, 7], "Int64"), smallest=10
    )
    wider = pd.concat([GAPS, harder])
    both = pd.concat([wider, wider.assign(width=64)])
    figure = ranking_figures.excess(both)
    titles = [axes.get_title().splitlines()[0] for axes in figure.axes]
    assert titles == [
        "width 16, 95 %",
        "width 64, 95 %",
        "width 16, 99.5 %",
        "width 64, 99.5 %",
    ]
    names = [[t.get_text() for t in a.get_yticklabels()] for a in figure.axes[::2]]
    assert names == [ORDER, ["gmp", "snip", "random", "lth"]]
    for axes, order in zip(figure.axes[::2], names, strict=True):
        for place, (_, marker, empty) in marks(axes).items():
            assert empty or marker == style.marker(order[place])
    assert "n = 9–10 seeds" in " ".join(figure.get_supxlabel().split())


def test_versions_have_a_mark_with_limits_and_a_dot_for_each_size():
    figure = ranking_figures.fidelity(PAIRS, [16])
    (axes,) = figure.axes
    points = {
        (float(x), round(float(y), 2))
        for line in axes.lines
        for x, y in line.get_xydata()
        if line.get_marker() != "None"
    }
    assert points == {(0.8, 0), (0.75, 0.28), (0.4, 1)}
    assert bars(axes) == {0: [(0.6, 0.9)], 1: [(0.2, 0.7)]}
    assert axes.get_xlabel() == "P(exact better than zp24)"
    said = " ".join(figure.get_supxlabel().split())
    assert "n = 8–10 seeds in 16–30 pairs" in said
    assert [t.get_text() for t in axes.get_yticklabels()] == ["gmp", "lth"]


def test_nan_is_not_drawn_as_a_best():
    axes = ranking(GAPS[GAPS["method"] == "snip"], ["snip"])
    assert not [line for line in axes.lines if line.get_marker() == "|"]
    assert np.isfinite(axes.get_xlim()).all()
