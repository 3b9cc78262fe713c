"""Figures of the search say what they are given."""

import numpy as np
import pandas as pd

from spiral.model import masks, mlp
from spiral.report.figures import files, layout, networks, search, style
from spiral.search import best_known
from spiral.search.certify import record


def drawn(paint):
    return layout.draw(paint).axes[0]


def network(width=3, cut=()):
    """Return a network of width 3 in which some weights are pruned."""
    weights = np.ones((1, mlp.weight_count(width)), bool)
    weights[0, list(cut)] = False
    mask = masks.with_biases(weights, width)[0]
    params = np.where(mask, mlp.initial_params(1, width), 0)
    return networks.Drawn("a title", mask, params, width)


def test_the_frontier_shows_both_kinds_the_levels_and_the_paper():
    best = {
        "any": pd.Series([0.7, 0.96], [12, 24]),
        "protocol": pd.Series([0.6, 0.95], [12, 26]),
    }
    axes = drawn(lambda a: search.frontier(a, best, "nnz_params", (0.95,)))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [
        "by any means",
        "trained as in the paper",
        "Zhang & Papyan 2024 (about)",
    ]
    stars = axes.lines[-1].get_xydata().tolist()
    assert stars == [[30, 0.95], [45, 0.995]]
    assert axes.get_xlabel() == "weights and biases"
    plain = drawn(lambda a: search.frontier(a, best, "nnz", (0.95,)))
    assert len(plain.get_legend().get_texts()) == 2


def test_brackets_are_bars_from_proven_to_known():
    best = {"any": pd.Series([0.7, 0.96], [12, 24])}
    brackets = {0.95: (9, 24)}
    axes = drawn(lambda a: search.frontier(a, best, "nnz", (0.95,), brackets))
    (bars,) = axes.collections
    assert bars.get_segments()[0].tolist() == [[9, 0.95], [24, 0.95]]
    assert axes.lines[-1].get_xydata().tolist() == [[9, 0.95], [24, 0.95]]


def test_the_figure_of_the_shipped_frontier_has_both_ends(tmp_path):
    path = tmp_path / "frontier.parquet"
    best_known.save(best_known.load(best_known.SHIPPED), path)
    table = best_known.load(path)
    (bars, *more) = files.frontier(path, "nnz").axes[0].collections
    first = [[c.get_segments()[0][e][0] for e in (0, 1)] for c in (bars, *more)]
    expected = [
        [record.at_least(level), best_known.fewest(table, level)]
        for level in best_known.THRESHOLDS
    ]
    assert first == expected
    assert not files.frontier(path, "nnz_params").axes[0].collections


def test_success_shows_shares_and_counts():
    shares = pd.DataFrame(
        {
            "level": [0.8, 0.8, 0.9, 0.9],
            "nnz": [10, 11, 10, 11],
            "hits": [1, 5, 0, 2],
            "n": [1000] * 4,
            "low": [0.0, 0.002, 0.0, 0.0005],
            "high": [0.005, 0.01, 0.003, 0.006],
        }
    )
    axes = drawn(lambda a: search.success(a, shares))
    lines = [line.get_xydata().tolist() for line in axes.lines]
    assert lines == [[[10, 0.001], [11, 0.005]], [[11, 0.002]]]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["accuracy ≥ 0.8 (6 hits)", "accuracy ≥ 0.9 (2 hits)"]
    assert axes.get_ylabel() == "share of 2,000 trainings"


def test_a_gallery_is_a_row_of_graphs_over_a_row_of_maps(tmp_path):
    figure = search.gallery([network(), network(cut=[3])])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["a title", "a title", "", ""]
    assert len(figure.axes[2].images) == 1
    assert "orange positive, blue negative" in " ".join(figure.get_supxlabel().split())
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["class 0", "class 1"]
    style.save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_neurons_of_networks_stand_below_each_other():
    figure = search.inside([network(), network(cut=[3])])
    first, second = figure.axes
    units = 2 + 3 * 3 + 1
    assert len(first.images) == len(second.images) == units
    assert figure.get_figheight() > 6
    assert "orange positive" in figure.get_supxlabel()
