"""Pictures of tasks."""

import numpy as np
import pytest

from spiral.errors import ConfigError
from spiral.report.figures import style, tasks
from spiral.tasks import load

SMALL = ("rings(n=2, points=1000)", "planted(shape=2-1-1, nnz=6, points=2000)")


def test_each_panel_has_the_points_of_its_task_by_class():
    figure = tasks.draw(SMALL)
    assert len(figure.axes) == 2
    for axes, name in zip(figure.axes, SMALL, strict=True):
        task = load(name)
        assert axes.get_title().replace("\n", "") == name
        assert [line.get_color() for line in axes.lines] == [*style.CLASSES]
        for label, line in enumerate(axes.lines):
            wanted = task.x[task.y == label]
            assert np.array_equal(
                sorted(line.get_xydata().tolist()), sorted(wanted.tolist())
            )
        assert (*axes.get_xlim(), *axes.get_ylim()) == task.window


def test_at_most_some_points_are_drawn_and_the_caption_counts_them_all(monkeypatch):
    monkeypatch.setattr(tasks, "SHOWN", 300)
    figure = tasks.draw(SMALL[:1])
    assert sum(len(line.get_xydata()) for line in figure.axes[0].lines) == 300
    caption = " ".join(figure.get_supxlabel().split())
    assert caption.startswith("n = 1,000 points of each task, of which up to 300")
    assert "boundary" not in caption


def test_a_planted_task_has_the_boundary_of_its_teacher():
    clean, planted = tasks.draw(SMALL).axes
    assert not clean.collections
    (contour,) = planted.collections
    (path,) = contour.get_paths()
    task = load(SMALL[1])
    away = np.linalg.norm(path.vertices[:, None] - task.x, axis=2).min(axis=1)
    assert away.max() < 0.2  # along the gap in the points
    for label in (0, 1):
        own = task.x[task.y == label]
        assert np.linalg.norm(path.vertices[:, None] - own, axis=2).min() > 0.01


def test_all_shipped_tasks_are_drawn_by_default():
    from spiral.tasks import names

    figure = tasks.draw()
    assert [axes.get_title() for axes in figure.axes] == names()


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match="unknown task 'rungs'"):
        tasks.draw(["rungs"])
