"""Connection and fixed starts are drawn as given."""

import pandas as pd

from spiral.report.figures import connection, style

TABLE = pd.DataFrame(
    {
        "method": ["gmp", "gmp", "lth", "gmp"],
        "width": [3, 3, 3, 16],
        "keep": pd.array([20, 10, 10, 20], "Int64"),
        "n": [5, 5, 7, 5],
        "rows": [5, 5, 7, 45],
        "connected": [1.0, 0.6, 0.5, 0.2],
        "low": [0.6, 0.3, 0.2, 0.1],
        "high": [1.0, 0.8, 0.8, 0.4],
        "effective_nnz": [19.0, 8.0, 7.0, 5.0],
    }
)
SUMMARY = pd.DataFrame(
    {
        "init_seed": [1, 1, 2],
        "width": 16,
        "method": ["gmp", "gmp", "lth"],
        "keep": pd.array([16, 20, 16], "Int64"),
        "median": [0.6, 0.7, 0.8],
        "median_low": [0.5, 0.6, 0.7],
        "median_high": [0.65, 0.75, 0.9],
        "best": [0.7, 0.8, 0.9],
        "n": [5, 5, 4],
    }
)
CONTAINED = pd.DataFrame(
    {
        "init_seed": [1, 1, 1, 2],
        "width": 16,
        "nnz": [12, 18, 20, 14],
        "accuracy": [0.8, 0.9, 0.95, 0.99],
        "rows": [30, 30, 30, 40],
    }
)


def points(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return [tuple(map(float, point)) for point in line.get_xydata()]


def test_shares_stand_above_weights_a_column_for_each_width():
    figure = connection.connected(TABLE)
    above, beside, below, last = figure.axes
    assert [above.get_title(), beside.get_title()] == ["width 3", "width 16"]
    assert points(above, "gmp") == [(10, 0.6), (20, 1.0)]
    assert points(above, "lth") == [(10, 0.5)]
    assert points(below, "gmp") == [(10, 8), (20, 19)]
    assert points(last, "gmp") == [(20, 5)]
    assert points(below, "all on a path") == [(10, 10), (20, 20)]
    assert below.get_xlabel() == "weights kept"
    assert above.get_xlabel() == ""
    said = " ".join(figure.get_supxlabel().split())
    assert "n = 5–7 seeds, 5–45 rows" in said


def test_bars_are_the_limits_of_shares():
    above = connection.connected(TABLE).axes[0]
    ends = [
        tuple(float(y) for _, y in segment)
        for lines in above.collections
        for segment in lines.get_segments()
    ]
    assert ends == [(0.3, 0.8), (0.6, 1.0), (0.2, 0.8)]


def test_each_start_has_its_methods_and_what_it_contains():
    figure = connection.fixed(SUMMARY, CONTAINED)
    one, two = figure.axes
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["initial weights 1, width 16", "initial weights 2, width 16"]
    assert points(one, "gmp") == [(16, 0.6), (20, 0.7)]
    contained = "contained in the same weights"
    assert points(one, contained) == [(16, 0.8), (18, 0.9), (20, 0.95)]
    assert points(two, contained) == [(16, 0.99)]
    small = [line for line in one.lines if line.get_markersize() == 2]
    assert [list(line.get_ydata()) for line in small] == [[0.7, 0.8]]
    assert small[0].get_marker() == style.marker("gmp")
    said = " ".join(figure.get_supxlabel().split())
    assert "n = 4–5 seeds" in said
    assert "n = 30–40 trainings" in said
