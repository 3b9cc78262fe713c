"""Figures of several tasks, by their artists."""

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.report.figures import transfer
from spiral.report.stats.transfer import Transfer

TASKS = ("cubist", "cubist(turns=3)", "moons")
GAPS = {"gmp": 0.2, "snip": 0.6, "random": 0.9}


def made(tasks=TASKS):
    lines = [
        {
            "task": task,
            "method": method,
            "gap": gap + 0.01 * place,
            "gap_low": gap - 0.1,
            "gap_high": gap + 0.1,
            "n": 8,
            "least": 14,
            "most": 56,
            "fewest": 14 + 10 * place,
        }
        for place, task in enumerate(tasks)
        for method, gap in GAPS.items()
    ]
    pairs = [(a, b) for i, a in enumerate(tasks) for b in tasks[i + 1 :]]
    numbers = {"methods": 3, "tau": 0.67, "low": 0.33, "high": 1.0}
    agreement = pd.DataFrame([{"a": a, "b": b} | numbers for a, b in pairs])
    return Transfer(pd.DataFrame(lines), agreement)


def points(axes):
    """Return place and gap of each marker."""
    found = [line for line in axes.lines if line.get_marker() != "None"]
    return {int(p.get_ydata()[0]): p.get_xdata()[0] for p in found}


def test_each_task_has_a_panel_in_the_order_of_the_first():
    figure = transfer.transfer(made())
    *panels, matrix = figure.axes
    assert [axes.get_title() for axes in panels] == [*TASKS]
    assert points(panels[0]) == dict(enumerate(GAPS.values()))
    assert points(panels[2])[1] == pytest.approx(0.62)
    order = [label.get_text() for label in panels[0].get_yticklabels()]
    assert order == ["gmp", "snip", "random"]
    assert "8 seeds" in figure.get_supxlabel()
    assert len(matrix.images) == 1


def test_the_matrix_has_tau_above_the_diagonal_and_limits_below():
    matrix = transfer.transfer(made()).axes[-1]
    texts = {tuple(map(int, t.get_position())): t.get_text() for t in matrix.texts}
    assert texts[1, 0] == texts[2, 0] == texts[2, 1] == "0.67"
    assert texts[0, 1] == texts[0, 2] == texts[1, 2] == "0.33\nto 1.00"
    shade = matrix.images[0].get_array()
    assert shade[0, 1] == 0.67
    assert shade.mask[1, 0]


def test_methods_without_a_gap_on_the_first_task_come_last():
    found = made()
    gaps = found.gaps[~found.gaps[["task", "method"]].eq(["cubist", "gmp"]).all(axis=1)]
    assert transfer.in_order(gaps, "cubist") == ["snip", "random", "gmp"]


def test_rows_of_one_task_are_refused():
    with pytest.raises(ConfigError, match="several tasks, got those of cubist"):
        transfer.transfer(made(["cubist"]))


def test_difficulty_has_a_line_for_each_method_over_turns():
    known, over = transfer.difficulty(made()).axes
    assert known.lines[0].get_xydata().tolist() == [[2, 14], [3, 24]]
    lines = {line.get_label(): line for line in over.lines}
    assert [*lines] == ["gmp", "snip", "random"]
    assert lines["snip"].get_xdata() == pytest.approx([2, 3], abs=0.05)
    assert lines["snip"].get_ydata() == pytest.approx([0.6, 0.61])
