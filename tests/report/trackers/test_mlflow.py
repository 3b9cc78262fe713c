"""Exports to a real store of MLflow, in a folder: whole, once, and continued."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spiral import extras

pytestmark = [
    pytest.mark.slow,  # importing MLflow takes seconds
    pytest.mark.skipif(
        not extras.installed("mlflow"),
        reason="MLflow is not installed: pip install 'spiral-sweep[mlflow]'",
    ),
]

EXPORT = """
import json, sys
from pathlib import Path
from mlflow.tracking import MlflowClient
from spiral.report.trackers import mlflow
from spiral.report.trackers.runs import Run
from tests.cli import run_json
from tests.report import launches

out, uri = Path("out"), Path("store").absolute().as_uri()
grid = "{method: gmp, width: 3, keep: [12, 20], seed: 0..%d, lr: 0.05}"


def stored(name):
    client = MlflowClient(tracking_uri=uri)
    number = client.get_experiment_by_name(name).experiment_id
    return client.search_runs([number])


def export(*more):
    return run_json("export", out, "--mlflow", uri, *more)


def counts(found):
    return [found[name] for name in ("new", "changed", "same")]

launches.write(out, grid % 1)
assert counts(export()) == [4, 0, 0]
assert counts(export()) == [0, 0, 4]
first = stored("spiral-sweep")
assert len({run.data.tags["spiral.key"] for run in first}) == len(first) == 4
assert {run.info.status for run in first} == {"FINISHED"}
assert {run.data.params["keep"] for run in first} == {"12", "20"}
assert all(0 <= run.data.metrics["accuracy"] <= 1 for run in first)

group = ("--each", "group", "--experiment", "groups")
assert counts(export(*group)) == [2, 0, 0]
launches.write(out, grid % 2)
assert counts(export(*group)) == [0, 2, 0]
assert counts(export(*group)) == [0, 0, 2]
assert [run.data.metrics["n"] for run in stored("groups")] == [3, 3]
assert counts(export()) == [2, 0, 4]

# an export that ended before the end of a run
client = MlflowClient(tracking_uri=uri)
number = client.get_experiment_by_name("groups").experiment_id
client.create_run(number, tags={mlflow.KEY: "half"})
half = Run("half", "d", "name", {"lr": "1"}, {"accuracy": 0.5}, {})
assert tuple(mlflow.export([half], uri, "groups")) == (1, 0, 0)
assert tuple(mlflow.export([half], uri, "groups")) == (0, 0, 1)
assert len(stored("groups")) == 3
print("done")
"""
"""In a process of its own, as MLflow warns of its dependencies when it is imported."""


def test_runs_are_exported_once_updated_and_completed(tmp_path):
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", EXPORT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.endswith("done\n"), ran.stderr


def test_a_store_that_cannot_be_used_is_an_error_of_one_line(tmp_path):
    from spiral.errors import SpiralError
    from spiral.report.trackers import mlflow

    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SpiralError, match="check the URI and run the command again"):
        mlflow.export([], (file / "below").as_uri(), "name")
