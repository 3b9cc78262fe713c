"""Train one pack: the work of a worker under every executor."""

import platform
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from spiral import experiment
from spiral.errors import ConfigError, MethodError, SpiralError, StoreError
from spiral.methods import plugin
from spiral.methods.registry import METHODS, options
from spiral.results import store
from spiral.results.versions import complete
from spiral.sweep import pack_progress

ATTEMPTS = 3
"""Attempts before a pack counts as failed: the worker repeats a pack that raises, the
executor one whose worker died."""


@dataclass(frozen=True)
class Site:
    """What every worker of a launch needs to know."""

    out: Path
    """The results directory, with a manifest."""
    method: str | None = None
    """Source of a user's method (see ``methods.plugin``)."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a pack."""

    pack: str
    networks: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    work: float = 0.0
    """Processor seconds of its training, 0 if unknown (``pack_progress.Recorder``)."""


Report = Callable[[Outcome], None]
"""Called by an executor once per pack, when it is done or has failed."""


@cache
def machine() -> dict[str, str]:
    """Return the facts about this machine that the footer of a file records."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        # from the metadata: importing torch would cost two seconds
        **{name: version(name) for name in ("numpy", "numba", "torch")},
    }


def train_pack(site: Site, pack: str) -> Outcome:
    """Train one pack of a launch and commit its rows.

    Args:
        site: The results directory and the user's method.
        pack: The pack's id.

    Raises:
        SpiralError: The pack cannot be trained or its rows cannot be written.
    """
    began, out = time.perf_counter(), site.out
    configs, _ = store.read_manifest(out, pack)
    if configs.empty:
        raise StoreError(
            f"expected pack {pack} in the manifest of {out}, got none; was the "
            "directory replaced? Launch the grid again"
        )
    _load_method(site, str(configs["method"].iloc[0]))
    try:
        with pack_progress.recorded(out, pack) as recorder:
            rows = experiment.run(complete(configs, options()), recorder)
    except MethodError as error:
        # A method is trusted for all rows or none: its breach shows in one row only
        none = f"no row of this pack ({len(configs):,} configs) is saved"
        raise MethodError(f"{error}; {none}") from error
    seconds = time.perf_counter() - began
    store.write_pack(out, pack, rows, {**machine(), "seconds": round(seconds, 3)})
    statuses = Counter(rows["status"].to_pylist())
    work = recorder.seconds
    return Outcome(pack, rows.num_rows, seconds, dict(statuses), work=work)


def _load_method(site: Site, name: str) -> None:
    """Register the user's method in this process.

    Raises:
        ConfigError: Its file has changed since the launch began.
    """
    if site.method is not None and name not in METHODS:
        plugin.load(site.method, METHODS)
    if name not in METHODS:
        raise ConfigError(
            f"expected method {name} in {site.method}, got a file that has changed; "
            "do not edit it during a launch, and launch again"
        )


def attempt(site: Site, pack: str) -> Outcome:
    """Train a pack and retry if it raises; report the first error if all attempts fail.

    Later errors may be consequences of the first, such as those of a module whose
    import failed half-way.
    """
    first: str | None = None
    for _ in range(ATTEMPTS):
        try:
            return train_pack(site, pack)
        except SpiralError as error:  # a broken method or a full disk: not transient
            return Outcome(pack, error=str(error))
        except (Exception, SystemExit) as error:  # a method may call sys.exit
            first = first or describe(error)
    return Outcome(pack, error=first)


def describe(error: BaseException) -> str:
    """Return an error with the file and line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    if "No usable temporary directory" in text:  # raised by tempfile, in any library
        text += "; set TMPDIR to a writable folder"
    return text
