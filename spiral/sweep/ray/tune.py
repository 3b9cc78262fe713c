"""The Ray executor: one Tune trial per pack. The only file that imports ray.

It runs in a process separate from the launcher (see ``ray.process``), on the same
machine. Tune does three things: it places packs on workers, retries them, and survives
their death. Its logs, checkpoints and restoring are switched off, as the store already
makes a launch resumable. Nothing is shared but what Ray carries: workers get the work
from the object store, and results come back from there (see ``ray.parcels``).
"""

import logging
import os
from collections.abc import Callable
from socket import AF_INET, SOCK_DGRAM, create_connection, socket
from typing import Any, NamedTuple

from spiral import homes
from spiral.errors import ConfigError, LaunchIncomplete, SpiralError
from spiral.sweep.ray import token, watch
from spiral.sweep.ray.main import log
from spiral.sweep.ray.parcels import Send, Sender, Trial
from spiral.sweep.work import ATTEMPTS, Work

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no external network traffic
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_worker_niceness": "0",  # Ray's 15 leaves workers 3 % of a core that is in use
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the launcher handles SIGINT
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no log files per trial
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # no snapshots of all trials
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""Ray's environment; values set by the user take precedence."""

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray keep a loopback address instead of replacing it by an external one."""

CONNECT_SECONDS = 5.0
OBJECT_STORE_BYTES = 100 * 2**20
"""Memory for what travels, in a Ray started here. Each worker keeps at most one pack in
it, and most packs have less than 1 MB; of many wide ones, Ray moves some to its folder.
"""

STEP_SECONDS = 2.0
"""Least time between two reports of a pack in training."""

STEPS_PER_SECOND = 50
"""Most reports of all packs together: the loop of Tune that takes them also starts and
ends packs, and should be free for that."""

QUIET = {"log_to_driver": False, "logging_level": "error"}


class Job(NamedTuple):
    """The work a launcher gives to Ray."""

    work: Work
    packs: list[str]
    """Ids, in the order to start them."""
    workers: int
    """Packs trained at the same time; each takes one core, or one GPU."""
    address: str | None
    """Connect to this cluster; None starts Ray on this machine, loopback only."""
    gpu: float
    """GPUs that each pack needs; 0 if it needs a core instead."""


def run(job: Job, send: Send, lost: Callable[[str], None], folder: str) -> None:
    """Train packs on Ray and send the results of each.

    Args:
        job: What to train, and where.
        send: Gives a message to the launcher.
        lost: Called with a message when the head of the cluster is gone.
        folder: For Ray's files.
    """
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(2 * job.workers))
    ray = _start(job.address, job.workers, job.gpu, folder)
    # Tune logs a traceback for every dead worker; our report needs one line
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    with watch.watched(ray.get_runtime_context().gcs_address, lost):
        _tune(job, send, folder)
    if job.address is not None:
        ray.shutdown()  # a Ray started here is killed with its session instead


def check_address(
    address: str, send: Send, lost: Callable[[str], None], folder: str
) -> None:
    """Raise ConfigError unless a Ray cluster answers there within seconds."""
    host, _, port = address.rpartition(":")
    try:
        if port.isdecimal():
            create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise ConfigError(_no_cluster(address, error)) from None
    _start(address, 1, False, folder).shutdown()


def _brief(error: Exception) -> str:
    """Return the first line of a Ray error."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _no_cluster(address: str, error: Exception) -> str:
    """Return the message for an address without a cluster."""
    return (
        f"--address {address}: expected a Ray cluster, got no answer "
        f"({_brief(error)}); start one with `ray start --head`, or leave out --address "
        "to use this machine"
    )


def _only_loopback(address: str) -> bool:
    """Return whether a cluster is reachable by its loopback address only.

    Ray replaces loopback by the machine's external address, and would then wait for
    ever for an answer there.
    """
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        return False
    try:
        with socket(AF_INET, SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # selects a route and sends nothing
            outer = probe.getsockname()[0]
        create_connection((outer, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError:
        return True
    return False


def _start(address: str | None, workers: int, gpu: float, folder: str) -> Any:
    """Connect to a cluster, or start Ray on this machine; return the module.

    Raises:
        ConfigError: No cluster answers, or it rejects the token.
        SpiralError: Ray does not start.
    """
    inside = address is None or _only_loopback(address)
    for name, value in LOOPBACK.items() if inside else ():
        os.environ.setdefault(name, value)
    if address is None:
        token.renew()
    homes.settle_ray()
    import ray

    try:
        if address is not None:
            ray.init(address=address, **QUIET)
        else:
            _start_here(ray, workers, gpu, folder)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if address is None:
            text = f"Ray could not start ({_brief(error)}); use --executor local"
            raise SpiralError(text) from None
        # Only Ray's log says why a reachable head does not answer
        said = f"{type(error).__name__} {error} {log(folder)}"
        if token.rejected(said):
            raise ConfigError(token.rejection(address)) from None
        raise ConfigError(_no_cluster(address, error)) from None
    return ray


def _start_here(ray: Any, workers: int, gpu: float, folder: str) -> None:
    """Start Ray on this machine for this process only."""
    ray.init(
        address="local",  # never an unrelated Ray that runs here
        num_cpus=workers,
        num_gpus=None if gpu else 0,  # None: Ray counts the devices
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
        **QUIET,
    )


def _tune(job: Job, send: Send, folder: str) -> None:
    """Run one trial per pack."""
    from ray import tune

    # A GPU pack claims no core: Tune would else run only as many as there are cores
    need = {"cpu": 0, "gpu": job.gpu} if job.gpu else {"cpu": 1}
    seconds = max(STEP_SECONDS, job.workers / STEPS_PER_SECOND)
    # The work may be large: as a parameter it is one object for all trials
    trainable = tune.with_parameters(_trainable(), work=job.work, seconds=seconds)
    sender = Sender(send, _get)
    tuner = tune.Tuner(
        tune.with_resources(trainable, need),
        param_space={"pack": tune.grid_search(job.packs)},
        tune_config=tune.TuneConfig(
            max_concurrent_trials=job.workers, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=folder,  # workers write nothing there
            # Tune retries packs whose worker died; those that raise, ``tried``
            failure_config=tune.FailureConfig(max_failures=ATTEMPTS - 1),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[_reporter(sender)],
            verbose=0,
            log_to_file=False,
        ),
    )
    tuner.fit()
    if len(sender.sent) < len(job.packs):  # e.g. Tune received a signal
        raise LaunchIncomplete(
            f"Ray stopped after {len(sender.sent)} of {len(job.packs)} packs. "
            "Finished packs are saved: run the same command to continue"
        )


def _trainable() -> type:
    """Return the trial class.

    ``reset_config`` lets Tune reuse the process, with its imports and compiled kernels,
    for the next pack.
    """
    import ray
    from ray import tune

    class PackTrial(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any], work: Work, seconds: float) -> None:
            self.trial = Trial(work, ray.put, seconds)

        def step(self) -> dict[str, Any]:
            return self.trial.step(self.config["pack"])

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.trial.begin()
            return True

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """Save nothing: a pack that is interrupted starts over."""

        def load_checkpoint(self, checkpoint: Any) -> None:
            """Restore nothing."""

    return PackTrial


def _reporter(sender: Sender) -> Any:
    """Return a Tune callback that passes on what becomes of trials."""
    from ray import tune

    class Reporter(tune.Callback):  # type: ignore[misc]
        def __init__(self, sender: Any):
            self.sender = sender

        def __reduce__(self) -> Any:
            """Make it picklable for Tune; ``sender`` stays in this process."""
            return Reporter, (None,)

        def on_trial_result(self, *, result: dict[str, Any], **info: Any) -> None:
            self.sender.stepped(result)

        def on_trial_complete(self, *, trial: Any, **info: Any) -> None:
            self.sender.ended(trial.config["pack"])

        def on_trial_error(self, *, trial: Any, **info: Any) -> None:
            self.sender.ended(trial.config["pack"], "its worker died")

    return Reporter(sender)


def _get(reference: Any) -> bytes | None:
    """Return an object of Ray's; None if it is lost."""
    import ray

    try:
        data: bytes = ray.get(reference)
    except ray.exceptions.RayError:
        return None
    return data
