"""The Ray executor: one Tune trial per pack. The only file that imports ray.

All this runs in a process apart from the launcher (see ``sweep.ray_process``). Tune
is used thinly: it places packs on workers, retries them and survives their death. What
it would log, checkpoint and restore is switched off; the store does that better.
"""

import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, create_connection, socket
from typing import Any, NamedTuple

from spiral import homes
from spiral.errors import ConfigError, LaunchIncomplete, SpiralError
from spiral.sweep import ray_session, ray_watch
from spiral.sweep.worker import ATTEMPTS, Outcome, Report, Site, attempt

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing phones home
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the launcher handles signals
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON and TensorBoard per trial
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # no snapshots of all trials
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""Ray's environment; a user's own values win."""

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray keep the loopback address it is given, rather than an external one."""

CONNECT_SECONDS = 5.0
OBJECT_STORE_BYTES = 100 * 2**20  # results travel as files, not as objects


QUIET = {"log_to_driver": False, "logging_level": "error"}

TOKEN_FILE = "~/.ray/auth_token"
REFUSED = ("Unauthenticated", "AuthenticationError", "InvalidAuthToken")
"""How Ray says, in an error or in its log, that a cluster did not take the token."""


LOG = "said"
"""File in a folder of Ray's with what its process writes."""


class Job(NamedTuple):
    """What a launcher wants of Ray."""

    site: Site
    """Where the packs come from and go; on a cluster, every node must see the folder,
    and the file of a method of one's own."""
    packs: list[str]
    """Ids, in the order to start them."""
    workers: int
    """Packs that train at once; each takes one core, or one GPU."""
    address: str | None
    """Use this cluster; else start Ray on this machine, loopback only."""
    gpu: bool
    """Packs need a GPU each."""


class Folders(NamedTuple):
    """Folders that the launcher makes for Ray, and removes."""

    own: str
    """On this machine; its path is short."""
    shared: str
    """Seen by all nodes."""


def serve(handle: int) -> None:
    """Do the job that a launcher sends; the body of the process Ray lives in.

    Everything the job reports is sent back as ("report", it), then ("done", None) or
    ("error", a SpiralError).
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # the launcher decides when to stop
    os.set_inheritable(handle, False)
    line, lock = Connection(handle), threading.Lock()
    work, folders = line.recv()
    threading.Thread(target=_end_with, args=(line, folders), daemon=True).start()

    def send(kind: str, what: object) -> None:
        with lock, suppress(OSError):  # without a launcher this process ends, too
            line.send((kind, what))

    try:
        work(
            lambda what: send("report", what),
            lambda text: send("error", LaunchIncomplete(text)),
            folders,
        )
        send("done", None)
    except SpiralError as error:
        send("error", error)
    threading.Event().wait()  # until the launcher ends this process


def _end_with(line: Connection, folders: Folders) -> None:
    """End all processes of this session once the launcher is gone."""
    with suppress(EOFError, OSError):
        line.recv()
    ray_session.kill(os.getpid())
    for folder in folders:
        ray_session.remove(folder)
    os._exit(1)


def run(
    job: Job, report: Report, lost: Callable[[str], None], folders: Folders
) -> None:
    """Train packs on Ray and report what became of each.

    Args:
        job: What to train, and where.
        report: Called once per pack, when it is done or given up.
        lost: Called with a message when the head of the cluster is gone.
        folders: For what Ray writes.
    """
    site, packs, workers, address, gpu = job
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(2 * workers))
    ray = _start(address, workers, gpu, folders.own)
    # Tune logs a traceback for every dead worker; our report says it in a line
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    with ray_watch.watched(ray.get_runtime_context().gcs_address, lost):
        _tune(site, packs, workers, report, gpu, folders.shared)
    if address is not None:
        ray.shutdown()  # one of our own is simply killed


def check_address(
    address: str, report: Report, lost: Callable[[str], None], folders: Folders
) -> None:
    """Raise ConfigError unless a Ray cluster answers there within seconds."""
    host, _, port = address.rpartition(":")
    try:
        if port.isdecimal():
            create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise ConfigError(_no_cluster(address, error)) from None
    _start(address, 1, False, folders.own).shutdown()


def log(folder: str) -> str:
    """Return what this process, and Ray within it, has written."""
    try:
        return Path(folder, LOG).read_text(errors="replace")
    except FileNotFoundError:
        return ""


def _brief(error: Exception) -> str:
    """Return the first line of an error of Ray's."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _no_cluster(address: str, error: Exception) -> str:
    """Return a message about an address at which there is no cluster."""
    return (
        f"--address {address}: no Ray cluster answers there ({_brief(error)}); start "
        "one with `ray start --head`, or leave --address out to use this machine"
    )


def _refused(address: str) -> str:
    """Return a message about a cluster that wants a token, or another one."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        got = "none (RAY_AUTH_MODE is not token)"
    else:
        names = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
        given = [name for name in names if name in os.environ]
        got = f"another, or none, in {(*given, TOKEN_FILE)[0]}"
    return (
        f"--address {address}: the Ray cluster refuses authentication: expected its "
        f"token, got {got}. Set RAY_AUTH_MODE=token and, unless the token is in "
        f"{TOKEN_FILE}, RAY_AUTH_TOKEN_PATH=FILE or RAY_AUTH_TOKEN; `ray "
        "get-auth-token` prints it where the head was started"
    )


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


def _start(address: str | None, workers: int, gpu: bool, folder: str) -> Any:
    """Connect to a cluster, or start Ray on this machine; return the module.

    Raises:
        ConfigError: There is no cluster, or it refuses authentication.
        SpiralError: Ray does not start.
    """
    inside = address is None or _only_loopback(address)
    for name, value in LOOPBACK.items() if inside else ():
        os.environ.setdefault(name, value)
    if address is None:
        _own_token()
    homes.settle_ray()
    import ray

    try:
        if address is not None:
            ray.init(address=address, **QUIET)
        else:
            _start_here(ray, workers, gpu, folder)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if address is None:
            text = f"Ray does not start here ({_brief(error)}); use --executor local"
            raise SpiralError(text) from None
        # only Ray's log says why a head that has been reached gives no answer
        said = f"{type(error).__name__} {error} {log(folder)}"
        if any(word in said for word in REFUSED):
            raise ConfigError(_refused(address)) from None
        raise ConfigError(_no_cluster(address, error)) from None
    return ray


def _start_here(ray: Any, workers: int, gpu: bool, folder: str) -> None:
    """Start Ray on this machine, for this process only."""
    ray.init(
        address="local",  # not some other Ray that happens to run here
        num_cpus=workers,
        num_gpus=None if gpu else 0,  # Ray counts the devices
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
        **QUIET,
    )


def _own_token() -> None:
    """Let a Ray of our own know us by a new token, whatever this user has for clusters.

    Others on this machine reach loopback, too.
    """
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)


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
    if reporter.heard < len(packs):  # something told Tune to stop
        raise LaunchIncomplete(
            f"Ray stopped after {reporter.heard} of {len(packs)} packs; they are "
            "saved: run the same command again"
        )


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
            self.heard = 0

        def pass_on(self, outcome: Outcome) -> None:
            self.heard += 1
            self.report(outcome)

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
