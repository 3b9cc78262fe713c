"""Train one pack: the work of a launch."""

import platform
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from spiral import experiment, extras
from spiral.engines import cpu
from spiral.errors import ConfigError, MethodError, StoreError
from spiral.methods import plugin
from spiral.methods.registry import METHODS, options
from spiral.results import store
from spiral.results.versions import complete
from spiral.sweep import pack_progress
from spiral.sweep.work import Outcome


@dataclass(frozen=True)
class Site:
    """What every worker of a launch needs to know."""

    out: Path
    """The results directory, with a manifest."""
    method: str | None = None
    """Source of a user's method (see ``methods.plugin``)."""

    def do(self, pack: str) -> Outcome:
        """Train one pack and commit its rows (see :func:`train_pack`)."""
        return train_pack(self, pack)


@cache
def machine() -> dict[str, str]:
    """Return the facts about this machine that the footer of a file records."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cpu": cpu.name(),
        "instructions": cpu.instructions(),
        "python": platform.python_version(),
        # from the metadata: importing torch would cost two seconds
        **{name: version(name) for name in ("numpy", "numba")},
        "torch": version("torch") if extras.installed("torch") else "none",
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
