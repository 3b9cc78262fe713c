"""The Ray executor: one Tune trial per pack. The only file that imports ray.

Tune is used thinly: it places packs on workers, retries them and survives their death.
What it would log, checkpoint and restore is switched off; the store does that better.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, create_connection, socket
from tempfile import TemporaryDirectory
from typing import Any

from spiral import homes, store
from spiral.errors import ConfigError, SpiralError
from spiral.sweep import head
from spiral.sweep.work import ATTEMPTS, Outcome, Report, Site, attempt

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

CONNECT_SECONDS = 5.0
OBJECT_STORE_BYTES = 100 * 2**20  # results travel as files, not as objects


def run(
    site: Site,
    packs: Sequence[str],
    workers: int,
    report: Report,
    *,
    address: str | None = None,
    gpu: bool = False,
) -> None:
    """Train packs on Ray and report what became of each.

    Args:
        site: Where the packs come from and go; on a cluster, every node must see the
            folder, and the file of a method of one's own.
        packs: Ids, in the order to start them.
        workers: Packs that train at once; each takes one core, or one GPU.
        report: Called once per pack, when it is done or given up.
        address: Use this cluster; else start Ray on this machine, loopback only.
        gpu: Packs need a GPU each.
    """
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(2 * workers))
    site = replace(site, out=site.out.resolve())
    with _signals_kept():
        ray = _start(address, workers, gpu)
    # Tune logs a traceback for every dead worker; our report says it in a line
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    # Tune insists on a folder; on a cluster its nodes must share it
    with TemporaryDirectory(dir=address and store.scratch(site.out)) as scratch:
        try:
            with head.watched(ray.get_runtime_context().gcs_address):
                _tune(site, packs, workers, report, gpu, scratch)
        finally:
            ray.shutdown()


def check_address(address: str) -> None:
    """Raise ConfigError unless a Ray cluster answers there within seconds."""
    host, _, port = address.rpartition(":")
    try:
        if port.isdecimal():
            create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
        _start(address, 1, gpu=False).shutdown()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"--address {address}: no Ray cluster answers there ({error}); start one "
            "with `ray start --head`, or leave --address out to use this machine"
        ) from None


def _only_loopback(address: str) -> bool:
    """Return whether a cluster is given by a loopback address and has no other.

    Ray takes the machine's outer address instead, and would wait for ever there.
    """
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        return False
    try:
        with socket(AF_INET, SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # only asks for the route: sends nothing
            outer = probe.getsockname()[0]
        create_connection((outer, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError:
        return True
    return False


def _start(address: str | None, workers: int, gpu: bool) -> Any:
    """Connect to a cluster, or start Ray on this machine; return the module."""
    inside = address is None or _only_loopback(address)
    settings = {**SETTINGS, **LOOPBACK} if inside else SETTINGS
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    homes.settle_ray()
    import ray

    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address is not None:
        ray.init(address=address, **quiet)
        return ray
    homes.settle_ray_head()
    ray.init(
        address="local",  # not some other Ray that happens to run here
        num_cpus=workers,
        num_gpus=None if gpu else 0,  # Ray counts the devices
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _node_ip_address="127.0.0.1",
        **quiet,
    )
    return ray


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put our signal handlers back, which ray.init replaces by its own."""
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _tune(
    site: Site,
    packs: Sequence[str],
    workers: int,
    report: Report,
    gpu: bool,
    scratch: str,
) -> None:
    """Run one trial per pack."""
    from ray import tune

    need = {"cpu": 0, "gpu": 1} if gpu else {"cpu": 1}
    reporter = _reporter(report)
    tuner = tune.Tuner(
        tune.with_resources(_trainable(), need),
        param_space={
            "out": str(site.out),
            "method": site.method,
            "pack": tune.grid_search(list(packs)),
        },
        tune_config=tune.TuneConfig(max_concurrent_trials=workers, reuse_actors=True),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=scratch,
            failure_config=tune.FailureConfig(max_failures=ATTEMPTS - 1),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[reporter],
            verbose=0,
            log_to_file=False,
        ),
    )
    tuner.fit()
    if reporter.errors:
        raise reporter.errors[0]


def _trainable() -> type:
    """Return the trial: it trains its pack in one step and may be reused for others."""
    from ray import tune

    class PackTrial(tune.Trainable):  # type: ignore[misc]
        def step(self) -> dict[str, Any]:
            site = Site(Path(self.config["out"]), self.config["method"])
            outcome = attempt(site, self.config["pack"])
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
            self.errors: list[SpiralError] = []

        def pass_on(self, outcome: Outcome) -> None:
            """Report; what goes wrong here must not pass through Tune."""
            try:
                self.report(outcome)
            except SpiralError as error:
                self.errors.append(error)

        def __reduce__(self) -> Any:
            """Tune pickles its callbacks; this one means nothing elsewhere."""
            return Reporter, (None,)

        def on_trial_complete(
            self, iteration: int, trials: list[Any], trial: Any, **info: Any
        ) -> None:
            self.pass_on(trial.last_result["outcome"])

        def on_trial_error(
            self, iteration: int, trials: list[Any], trial: Any, **info: Any
        ) -> None:
            self.pass_on(Outcome(trial.config["pack"], error="its worker died"))

    return Reporter(report)
