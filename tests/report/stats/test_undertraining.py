"""Undertraining: medians per budget and size, and what is drawn of them."""

from math import isnan

import pandas as pd
import pytest

from spiral.cli import main
from spiral.errors import ConfigError
from spiral.report.figures import undertraining as figures
from spiral.report.stats import undertraining
from tests.report import METHODS, row, table


def rows_of(entropies, accuracies=None, **values):
    """Return rows of one config that differ in seed."""
    values = {
        "smoothing": 0.1,
        "label_smoothing": 0.0,
        "batch": 128,
        "loss": 0.1,
        "running_loss": 0.2,
        **values,
    }
    accuracies = accuracies or [0.9] * len(entropies)
    pairs = zip(entropies, accuracies, strict=True)
    return [
        row(seed=seed, entropy=h, accuracy=a, **values)
        for seed, (h, a) in enumerate(pairs)
    ]


def summary(*rows):
    found = table(*rows).assign(epochs=lambda t: t["epochs"].astype("Int64"))
    return undertraining.over_budget(found)


def two_budgets(**values):
    short = rows_of([0.5, 0.1, 0.4], epochs=50, steps=19_500, **values)
    long = rows_of([0.3, 0.2], epochs=100, steps=39_000, **values)
    return [*short, *long]


def test_medians_of_every_budget_and_size():
    found = summary(*two_budgets(keep=20), *two_budgets(keep=30))
    assert found["keep"].tolist() == [20, 30, 20, 30]
    assert found["trained"].tolist() == [50, 50, 100, 100]
    assert found["entropy"].tolist() == [0.4, 0.4, 0.25, 0.25]
    assert found["running_loss"].tolist() == [0.2] * 4
    assert found["n"].tolist() == [3, 3, 2, 2]


def test_epochs_are_those_trained_whatever_the_budget_was_called():
    longer = rows_of([0.1], epochs=50, steps=27_300, method="imp")
    assert summary(*longer)["trained"].tolist() == [70]
    large = rows_of([0.1], epochs=50, steps=2_450, batch=1000)
    assert summary(*large)["trained"].tolist() == [50]


def test_the_best_setting_is_shown():
    poor = rows_of([0.6, 0.6], [0.7, 0.7], epochs=50, lr=0.2)
    good = rows_of([0.3, 0.3], [0.9, 0.9], epochs=50, lr=0.05)
    (line,) = summary(*poor, *good).to_dict("records")
    assert (line["accuracy"], line["entropy"]) == (0.9, 0.3)


def test_entropies_of_different_smoothing_are_apart():
    sharp = rows_of([0.1], [0.99], epochs=50, smoothing=0.0)
    smooth = rows_of([0.2], [0.9], epochs=50, smoothing=0.1)
    assert summary(*sharp, *smooth)["entropy"].tolist() == [0.1, 0.2]
    assert "smoothing" not in summary(*sharp)


def lines_of(found, column="entropy"):
    """Return, for each column of panels, its lines in one row."""
    axes = figures.draw(found).axes
    wide = len(axes) // len(figures.PANELS)
    first = [*figures.PANELS].index(column) * wide
    return {
        axes[n].get_title(): {
            line.get_label(): [tuple(map(float, point)) for point in line.get_xydata()]
            for line in axes[first + n].lines
        }
        for n in range(wide)
    }


def test_a_line_for_each_size_over_the_epochs_with_the_dense_one():
    whole = rows_of([0.01], epochs=100, steps=39_000, method="dense", keep=None)
    found = summary(*two_budgets(keep=30), *two_budgets(keep=20), *whole)
    assert lines_of(found) == {
        "gmp": {
            "20": [(50, 0.4), (100, 0.25)],
            "30": [(50, 0.4), (100, 0.25)],
            "dense": [(100, 0.01)],
        }
    }
    assert lines_of(found, "accuracy")["gmp"]["20"] == [(50, 0.9), (100, 0.9)]


def test_dense_networks_alone_have_columns():
    short, long = (
        rows_of([h], epochs=e, steps=390 * e, method="dense", keep=None)
        for h, e in ((0.2, 50), (0.1, 100))
    )
    found = summary(*short, *long)
    assert lines_of(found) == {"dense": {"dense": [(50, 0.2), (100, 0.1)]}}


def test_smoothing_that_configs_control_counts_as_an_option_does():
    sharp = rows_of([0.1], epochs=50, smoothing=None)
    smooth = rows_of([0.2], epochs=50, smoothing=None, label_smoothing=0.1)
    own = rows_of([0.3], epochs=50, smoothing=0.2, method="acdc_pp")
    found = summary(*sharp, *smooth, *own)
    assert found["smoothing"].tolist() == [0.2, 0.0, 0.1]
    assert found["entropy"].tolist() == [0.3, 0.1, 0.2]


def test_columns_tell_widths_and_smoothing_apart_where_they_differ():
    found = summary(
        *rows_of([0.1], epochs=50, width=16, smoothing=0.0),
        *rows_of([0.2], epochs=50, width=64, smoothing=0.1),
        *rows_of([0.3], epochs=50, width=64, smoothing=0.1, method="dense", keep=None),
    )
    assert lines_of(found) == {
        "gmp\nwidth 16\nε = 0": {"20": [(50, 0.1)]},
        "gmp\nwidth 64\nε = 0.1": {"20": [(50, 0.2)], "dense": [(50, 0.3)]},
    }


def test_dense_networks_of_another_smoothing_stand_nowhere():
    """Their entropy has another floor."""
    found = summary(
        *rows_of([0.1], epochs=50, smoothing=None),
        *rows_of([0.2], epochs=50, smoothing=0.1),
        *rows_of([0.3], epochs=50, smoothing=None, method="dense", keep=None),
        *rows_of([0.4], epochs=50, smoothing=0.2, method="dense", keep=None),
    )
    columns = lines_of(found)
    assert [[*lines] for lines in columns.values()] == [["20"], ["dense", "20"]]


GRID = """
name: budgets
defaults: {width: 2, keep: 8, batch: 5000, seed: 0..1}
blocks:
  pp: {method: gmp, epochs: [1, 2]}
"""


def launch(folder, text):
    path = folder / "grid.yaml"
    path.write_text(text)
    local = ["--executor", "local", "--workers", "1"]
    main(
        ["launch", str(path), "--out", str(folder / "out"), *local],
        standalone_mode=False,
    )
    return folder / "out"


def test_the_command_draws_a_launch(tmp_path):
    out, file = launch(tmp_path, GRID), tmp_path / "b.png"
    main(["plot", "budget", str(out), "-o", str(file)], standalone_mode=False)
    assert file.read_bytes().startswith(b"\x89PNG")
    found = undertraining.of_folders([out], METHODS)
    assert found["trained"].tolist() == [1, 2]
    assert not any(map(isnan, found["running_loss"]))


def test_a_summary_tells_what_it_was_asked_to_keep(tmp_path):
    out, file = launch(tmp_path, GRID), tmp_path / "few.parquet"
    main(["summary", str(out), "-o", str(file)], standalone_mode=False)
    with pytest.raises(ConfigError, match=r"with the entropy .* got \[\]"):
        undertraining.of_folders([file], METHODS)
    more = [word for name in undertraining.MORE for word in ("--with", name)]
    main(["summary", str(out), "-o", str(file), *more], standalone_mode=False)
    found = undertraining.of_folders([file], METHODS)
    pd.testing.assert_frame_equal(found, undertraining.of_folders([out], METHODS))


def test_a_shipped_summary_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["plot", "budget", "budgets", "-o", "b.png"], standalone_mode=False)
    assert (tmp_path / "b.png").stat().st_size > 10_000


def test_one_budget_is_refused(tmp_path):
    out = launch(tmp_path, GRID.replace("[1, 2]", "1"))
    with pytest.raises(ConfigError, match=r"two budgets or more .* got \[1\]"):
        undertraining.of_folders([out], METHODS)


def test_rows_of_earlier_versions_tell_of_no_entropy(tmp_path, monkeypatch):
    out, read = launch(tmp_path, GRID), undertraining.load.read

    def older(*args):
        found = read(*args)
        none = pd.array([None] * len(found.rows), "Float64")
        return found._replace(rows=found.rows.assign(entropy=none))

    monkeypatch.setattr(undertraining.load, "read", older)
    with pytest.raises(ConfigError, match=r"got \[\]"):
        undertraining.of_folders([out], METHODS)
