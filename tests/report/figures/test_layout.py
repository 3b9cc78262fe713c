"""Panels share scales, one legend and one caption."""

import pytest

from spiral.report.figures import layout


def paint(label):
    def painted(axes):
        axes.plot([1, 2], [3, 4], label=label)
        axes.set(xlabel="x", ylabel="y")

    return painted


def test_labels_stand_left_and_below_the_last_panel_of_each_column():
    sheet = layout.Sheet(2)
    figure = layout.panels([paint("a"), paint("b"), paint("a")], sheet, "said")
    assert [(a.get_xlabel(), a.get_ylabel()) for a in figure.axes] == [
        ("", "y"),
        ("x", ""),
        ("x", "y"),
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert figure.get_supxlabel() == "said"


def test_without_labels_there_is_no_legend():
    figure = layout.panels([lambda axes: axes.plot([1], [1])], layout.Sheet(3))
    assert not figure.legends
    assert figure.get_supxlabel() == ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "n = 0 seeds"),
        ([1, 1], "n = 1 seed"),
        ([2], "n = 2 seeds"),
        ([3, 1234, 5], "n = 3–1,234 seeds"),
    ],
)
def test_counts_are_said_in_words(values, said):
    assert layout.counted(values, "seeds") == said


def test_some_of_many_are_spread_from_first_to_last():
    widths = [3, 4, 5, 6, 7, 8, 16, 32, 64]
    assert layout.some(widths, 4) == [3, 6, 8, 64]
    assert layout.some([16, 3, 16], 4) == [3, 16]
