"""Rows as runs: every config one, or every group of seeds."""

import numpy as np
import pytest

from spiral.methods.registry import options
from spiral.report.trackers import runs
from spiral.results import load
from tests.report import launches

GRID = "{method: gmp, width: 3, keep: [12, 20], seed: 0..2, lr: 0.05}"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    launches.write(out, GRID)
    return load.read([out], options(), runs.MORE).rows


def test_each_config_is_a_run_with_what_it_was_asked_and_what_it_reached(rows):
    found = [*runs.of_configs(rows, options())]
    assert [run.key for run in found] == [*rows["config_id"]]
    run, row = found[0], rows.iloc[0]
    assert run.params["method"] == "gmp"
    assert run.params["lr"] == "0.05"
    assert run.params["seed"] == str(row["seed"])
    assert run.metrics["accuracy"] == row["accuracy"]
    assert run.metrics["nnz"] == row["nnz"]
    assert run.metrics["connected"] in (0.0, 1.0)
    assert run.tags["status"] == "ok"
    assert run.name == f"gmp@{row['keep']} width 3 seed {row['seed']}"


def test_options_that_a_config_lacks_are_no_parameters(rows):
    (run, *_) = runs.of_configs(rows, options())
    assert "rewind_epoch" not in run.params
    assert "None" not in run.params.values()
    assert "<NA>" not in run.params.values()


def test_a_group_has_the_medians_of_its_seeds(rows):
    found = {run.params["keep"]: run for run in runs.of_groups(rows, options())}
    assert found.keys() == {"12", "20"}
    some = rows[rows["keep"] == 12]
    run = found["12"]
    assert run.metrics["n"] == 3
    assert run.metrics["accuracy"] == np.median(some["accuracy"])
    assert run.metrics["accuracy_min"] == some["accuracy"].min()
    assert run.metrics["accuracy_max"] == some["accuracy"].max()
    assert run.tags["status.ok"] == "3"
    assert not {*run.params} & {*runs.SEEDS}


def test_a_group_keeps_its_key_when_seeds_are_added(rows):
    whole = {run.key: run for run in runs.of_groups(rows, options())}
    part = {run.key: run for run in runs.of_groups(rows[rows["seed"] < 2], options())}
    assert whole.keys() == part.keys()
    assert len(whole) == 2
    assert all(whole[key].digest != part[key].digest for key in whole)


def test_results_that_are_not_finite_are_left_out(rows):
    broken = rows.assign(loss=np.inf)
    broken.loc[0, "accuracy"] = np.nan
    one, *others = runs.of_configs(broken, options())
    assert not {"loss", "accuracy"} & {*one.metrics}
    assert all("accuracy" in run.metrics for run in others)
    assert all("loss" not in run.metrics for run in runs.of_groups(broken, options()))
