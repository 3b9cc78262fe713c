"""Which numbers each figure shows, and what is said where there are none."""

import numpy as np
import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.report.figures import rows as figures
from spiral.report.stats.compare import Question
from spiral.results import load
from tests.report import METHODS, frontier, row, table
from tests.results.test_load import written

KNOWN = frontier(("any", 16, 0.96), ("any", 22, 0.996))


def source(*rows, known=KNOWN, **more):
    made = table(*rows).assign(**more)  # options stand before results
    return figures.Source([], made[[*more, *made.columns.drop([*more])]], known)


def several(**values):
    """Return rows of two methods, three widths and two sizes."""
    return [
        row(method=method, width=width, keep=keep, seed=seed, **values)
        for method in ("gmp", "lth")
        for width in (3, 8, 16)
        for keep in (20, 26)
        for seed in range(2)
    ]


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def drawn(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return [tuple(map(float, point)) for point in line.get_xydata()]


def test_accuracy_shows_medians_of_the_widths_asked_for_and_the_frontier():
    rows = [row(seed=s, accuracy=a) for s, a in enumerate([0.6, 0.7, 0.95])]
    figure = figures.accuracy(source(*rows, row(width=3)), [16])
    assert titles(figure) == ["width 16"]
    assert drawn(figure.axes[0], "gmp") == [(20, 0.7)]
    assert drawn(figure.axes[0], "best known") == [(20, 0.96)]
    assert titles(figures.accuracy(source(*several()))) == [
        "width 3",
        "width 8",
        "width 16",
    ]


def said(figure):
    return " ".join(figure.get_supxlabel().split())


def test_captions_say_how_the_best_known_is_found():
    assert "by any means, in networks no wider" in said(figures.accuracy(source(row())))
    assert "known" not in said(figures.accuracy(source(row(), known=None)))


@pytest.mark.parametrize("draw", [figures.excess, figures.connected])
def test_captions_say_how_many_widths_are_left_out(draw):
    rows = source(*(row(width=width) for width in (3, 5, 8, 16, 64)))
    assert said(draw(rows)).endswith("4 of 5 values of --width.")
    assert "values of" not in said(draw(rows, [3, 5, 8, 16, 64]))


def test_over_width_says_how_many_sizes_are_left_out():
    rows = [row(width=w, keep=keep) for w in (3, 8) for keep in range(20, 28)]
    figure = figures.over_width(source(*rows))
    assert said(figure).endswith("6 of 8 values of --keep.")


def test_a_seed_split_shows_other_seeds():
    rows = [row(seed=s, accuracy=a) for s, a in enumerate([0.6, 0.7, 0.65, 0.9])]
    split = figures.Source([], table(*rows), None, Question(seed_split=True))
    assert drawn(figures.accuracy(split).axes[0], "gmp") == [(20, 0.8)]


def test_over_width_takes_sizes_of_several_widths():
    figure = figures.over_width(source(*several(), row(keep=30)))
    assert titles(figure) == ["20 weights", "26 weights"]
    levels = [line.get_ydata()[0] for a in figure.axes for line in a.lines[-1:]]
    assert levels == [0.96, 0.996]
    assert titles(figures.over_width(source(*several()), [26])) == ["26 weights"]


def test_sizes_below_the_frontier_have_no_level():
    late = frontier(("any", 24, 0.9))
    small, large = figures.over_width(source(*several(), known=late)).axes
    assert "best known" not in [line.get_label() for line in small.lines]
    assert drawn(large, "best known") == [(3, 0.9), (8, 0.9), (16, 0.9)]


def test_the_best_known_in_a_panel_fits_in_its_width():
    wide = "10,01,11,10/1111/1/1"
    both = frontier(("protocol", 16, 0.8), ("any", 20, 0.9, wide), ("any", 18, 0.85))
    rows = source(*several(), known=both)
    narrow, *_, broad = figures.accuracy(rows).axes
    assert drawn(narrow, "best known") == [(20, 0.85), (26, 0.85)]
    assert drawn(broad, "best known") == [(20, 0.9), (26, 0.9)]
    trained = "best known, trained as in the paper"
    assert drawn(broad, trained) == [(20, 0.8), (26, 0.8)]
    twenty, _ = figures.over_width(rows).axes
    assert drawn(twenty, "best known") == [(3, 0.85), (8, 0.9), (16, 0.9)]


def test_connection_is_of_pruned_networks():
    figure = figures.connected(source(*several(), row(method="dense", keep=None)))
    assert titles(figure) == ["width 3", "width 8", "width 16"]
    assert drawn(figure.axes[0], "gmp") == [(20, 1), (26, 1)]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["gmp", "lth", "all on a path"]


def test_ranking_leaves_out_what_is_no_pruner():
    given = row(method="mask", keep=None, nnz=18, accuracy=0.99)
    dense = row(method="dense", keep=None, accuracy=1)
    figure = figures.excess(source(*several(accuracy=0.97), given, dense), [16])
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert sorted(names) == ["gmp", "lth"]


def test_fidelity_pairs_equal_seeds():
    exact = [row(seed=s, accuracy=0.9) for s in range(6)]
    paper = [row(seed=s, accuracy=0.8) for s in range(6)]
    told = source(*exact, *paper, fidelity=["exact"] * 6 + ["zp24"] * 6)
    (axes,) = figures.fidelity(told).axes
    assert axes.get_xlabel() == "P(exact better than zp24)"
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "^"]
    assert marks == [1]


BLANK = {"fidelity": pd.NA, "init_seed": pd.array([pd.NA], "Int64")}


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda s: figures.accuracy(s, [5]), r"width 5 in the rows, got \[16\]"),
        (figures.over_width, "a size with rows of two widths"),
        (figures.fidelity, "rows of equal method, .* launch fidelity"),
        (figures.from_fixed, "no pruners start from"),
        (
            lambda s: figures.best_maps(s, 99),
            "networks of 99 weights .* there are 20",
        ),
    ],
)
def test_rows_that_do_not_make_a_figure_are_said(draw, said):
    with pytest.raises(ConfigError, match=said):
        draw(source(row(), **BLANK))


@pytest.mark.parametrize("draw", [figures.excess, figures.connected, figures.best_maps])
def test_dense_rows_alone_make_no_figure_of_pruning(draw):
    with pytest.raises(ConfigError, match=r"expected .*, got none"):
        draw(source(row(method="dense", keep=None)))


def test_without_a_frontier_there_is_no_ranking():
    with pytest.raises(ConfigError, match="frontier update"):
        figures.excess(source(row(), known=None))


def test_versions_without_common_seeds_are_no_pairs():
    rows = source(row(seed=0), row(seed=1), fidelity=["exact", "zp24"])
    with pytest.raises(ConfigError, match="equal method, width, size and seed"):
        figures.fidelity(rows)


@pytest.fixture
def launched(tmp_path):
    written(tmp_path, "{method: [gmp, magnitude], width: 3, keep: 20, seed: 0..1}")
    return tmp_path


def test_the_best_of_each_method_stands_beside_the_best_known(launched):
    found = figures.Source(
        [launched], load.read([launched], METHODS.options).rows, None
    )
    figure = figures.best_maps(found)
    assert [name.split(",")[0] for name in titles(figure)] == ["magnitude", "gmp"]
    assert "asked for 20 weights, of n = 4 rows" in figure.get_supxlabel()
    best = figures.read([launched], METHODS)
    framed = figures.best_maps(best, 20)
    assert titles(framed)[0].startswith("best known\n")
    assert len(framed.axes) == 3


def test_the_usual_size_is_what_most_methods_have_closest_to_the_best_known():
    rows = [row(method=m, keep=k) for m in ("gmp", "lth") for k in (20, 30, 18)]
    rows.append(row(keep=16))
    both = source(*rows)
    assert figures._usual_size(both, both.rows) == 18
    free = source(*rows, known=None)
    assert figures._usual_size(free, free.rows) == 18


def test_networks_come_in_the_order_asked_for_with_their_weights(launched):
    rows = load.read([launched], METHODS.options).rows.iloc[::-1]
    found = load.networks([launched], rows)
    assert found["config_id"].tolist() == rows["config_id"].tolist()
    assert all((np.array(weights) == 0.5).all() for weights in found["weights"])


def budgets():
    """Return rows of two methods whose budgets differ between and within lines."""
    frame = source(*several()).rows
    epochs = np.where(frame["method"] == "gmp", 2, 10)
    epochs[(frame["width"] == 3) & (frame["seed"] == 1)] = 50
    return frame.assign(epochs=pd.array(epochs, "Int64"))[
        ["epochs", *[name for name in frame if name != "epochs"]]
    ]


@pytest.mark.parametrize(
    "draw",
    [
        figures.accuracy,
        figures.over_width,
        figures.connected,
        figures.excess,
    ],
)
def test_captions_say_what_differs_beyond_the_lines(draw):
    text = said(draw(figures.Source([], budgets(), KNOWN)))
    assert "Lines differ in epochs: 2, 50 (gmp 3), 2 (gmp 8, gmp 16), " in text
    assert "Rows of different epochs (2, 10, 50) are pooled in gmp 3, lth 3" in text
    assert "--by" not in text
    assert "differ" not in said(draw(source(*several())))
