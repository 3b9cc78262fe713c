"""The Ray executor: one Tune trial per pack. The only file that imports ray.

Tune is used thinly: it places packs on workers, retries them and survives their death.
What it would log, checkpoint and restore is switched off; the store does that better.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spiral import store
from spiral.sweep.work import ATTEMPTS, Outcome, Report, attempt

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing phones home
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON and TensorBoard per trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the launcher handles signals
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # no snapshots of all trials
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""Ray's environment; a user's own values win."""

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray keep the loopback address it is given, rather than an external one."""

OBJECT_STORE_BYTES = 100 * 2**20  # results travel as files, not as objects


def run(
    out: Path,
    packs: Sequence[str],
    workers: int,
    report: Report,
    *,
    address: str | None = None,
    gpu: bool = False,
) -> None:
    """Train packs on Ray and report what became of each.

    Args:
        out: The results directory; on a cluster, a folder that every node sees.
        packs: Ids, in the order to start them.
        workers: Packs that train at once; each takes one core, or one GPU.
        report: Called once per pack, when it is done or given up.
        address: Use this cluster; else start Ray on this machine, loopback only.
        gpu: Packs need a GPU each.
    """
    settings = SETTINGS if address is not None else {**SETTINGS, **LOOPBACK}
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(2 * workers))
    import ray

    # Tune logs a traceback for every dead worker; our report says it in a line
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    _start(ray, address, workers, gpu)
    # Tune insists on a folder; on a cluster its nodes must share it
    with TemporaryDirectory(dir=address and store.scratch(out)) as scratch:
        try:
            _tune(out.resolve(), packs, workers, report, gpu, scratch)
        finally:
            ray.shutdown()


def _start(ray: Any, address: str | None, workers: int, gpu: bool) -> None:
    """Connect to a cluster or start one on this machine."""
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address is not None:
        ray.init(address=address, **quiet)
        return
    ray.init(
        num_cpus=workers,
        num_gpus=workers if gpu else 0,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _node_ip_address="127.0.0.1",
        **quiet,
    )


def _tune(
    out: Path,
    packs: Sequence[str],
    workers: int,
    report: Report,
    gpu: bool,
    scratch: str,
) -> None:
    """Run one trial per pack."""
    from ray import tune

    need = {"cpu": 0, "gpu": 1} if gpu else {"cpu": 1}
    tuner = tune.Tuner(
        tune.with_resources(_trainable(), need),
        param_space={"out": str(out), "pack": tune.grid_search(list(packs))},
        tune_config=tune.TuneConfig(max_concurrent_trials=workers, reuse_actors=True),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=scratch,
            failure_config=tune.FailureConfig(max_failures=ATTEMPTS - 1),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[_reporter(report)],
            verbose=0,
            log_to_file=False,
        ),
    )
    tuner.fit()


def _trainable() -> type:
    """Return the trial: it trains its pack in one step and may be reused for others."""
    from ray import tune

    class PackTrial(tune.Trainable):  # type: ignore[misc]
        def step(self) -> dict[str, Any]:
            outcome = attempt(Path(self.config["out"]), self.config["pack"])
            return {"done": True, "outcome": outcome}

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """Keep nothing: a pack starts over."""

        def load_checkpoint(self, checkpoint: Any) -> None:
            """Restore nothing."""

    return PackTrial


def _reporter(report: Report) -> Any:
    """Return a Tune callback that passes on what became of each trial."""
    from ray import tune

    class Reporter(tune.Callback):  # type: ignore[misc]
        def __init__(self, report: Any):
            self.report = report

        def __reduce__(self) -> Any:
            """Tune pickles its callbacks; this one means nothing elsewhere."""
            return Reporter, (None,)

        def on_trial_complete(
            self, iteration: int, trials: list[Any], trial: Any, **info: Any
        ) -> None:
            self.report(trial.last_result["outcome"])

        def on_trial_error(
            self, iteration: int, trials: list[Any], trial: Any, **info: Any
        ) -> None:
            self.report(Outcome(trial.config["pack"], error="its worker died"))

    return Reporter(report)
