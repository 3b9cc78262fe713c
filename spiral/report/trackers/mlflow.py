"""Export runs to MLflow; each at most once, however often it is repeated.

A run is found again by a tag with its key. It counts as exported once it has ended,
which is the last thing written: an export that was interrupted completes it.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from spiral import extras
from spiral.errors import SpiralError
from spiral.report.trackers.runs import Run

KEY, DIGEST = "spiral.key", "spiral.digest"
"""Tags: which run it is, and which configs it contains."""

MOST_PARAMS = 100
"""MLflow takes no more in one call; runs have far fewer metrics and tags."""

PAGE = 1000
ENDED = "FINISHED"

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # no traffic but to the tracker
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its default waits for minutes
    "MLFLOW_ALLOW_FILE_STORE": "true",  # a folder is used only if the URI names one
}
"""Its environment; values set by the user take precedence."""


class Exported(NamedTuple):
    """The outcome of an export."""

    new: int
    changed: int
    """Groups that have other configs than when they were exported."""
    same: int


def export(runs: Iterable[Run], uri: str, experiment: str) -> Exported:
    """Export runs to an experiment of a tracker.

    Args:
        runs: The runs.
        uri: The tracking URI: a server, or ``file:`` and a folder.
        experiment: Its name; it is created if it is missing.

    Raises:
        MissingPackage: MLflow is not installed.
        SpiralError: The tracker does not answer, or refuses.
    """
    extras.require("mlflow", "an export to MLflow")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with _explained(uri):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri)
        number = _experiment(client, experiment)
        known = {run.data.tags[KEY]: run for run in _known(client, number)}
        counts = {"new": 0, "changed": 0, "same": 0}
        for run in runs:
            counts[_put(client, number, run, known.get(run.key))] += 1
    return Exported(**counts)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Convert errors of MLflow to one line."""
    try:
        yield
    except SpiralError:
        raise
    except Exception as error:  # it raises many types, by the kind of store
        text = str(error).strip().partition("\n")[0][:300]
        raise SpiralError(
            f"--mlflow {uri}: {type(error).__name__}: {text}; what was exported stays: "
            "check the URI and run the command again"
        ) from error


def _experiment(client: Any, name: str) -> str:
    """Return the id of an experiment; create it if it is missing."""
    found = client.get_experiment_by_name(name)
    return found.experiment_id if found else client.create_experiment(name)


def _known(client: Any, experiment: str) -> Iterator[Any]:
    """Yield the runs of an experiment that were exported from here."""
    token: str | None = None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, page_token=token)
        yield from (run for run in page if KEY in run.data.tags)
        token = page.token
        if not token:
            return


def _put(client: Any, experiment: str, run: Run, known: Any) -> str:
    """Export a run unless it is there; return whether it is new, changed or same."""
    digest = known and known.data.tags.get(DIGEST)
    if known and known.info.status == ENDED and digest == run.digest:
        return "same"
    if known is None:
        tags = {KEY: run.key, "mlflow.source.name": "spiral-sweep"}
        known = client.create_run(experiment, tags=tags, run_name=run.name)
    _log(client, known.info.run_id, run)
    return "changed" if digest else "new"


def _log(client: Any, number: str, run: Run) -> None:
    """Write all of a run, its end last."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    params = [Param(name, value) for name, value in run.params.items()]
    metrics = [Metric(name, value, now, 0) for name, value in run.metrics.items()]
    for start in range(0, len(params), MOST_PARAMS):
        client.log_batch(number, params=params[start : start + MOST_PARAMS])
    tags = [RunTag(f"spiral.{name}", value) for name, value in run.tags.items()]
    client.log_batch(number, metrics=metrics, tags=[*tags, RunTag(DIGEST, run.digest)])
    client.set_terminated(number, ENDED)
