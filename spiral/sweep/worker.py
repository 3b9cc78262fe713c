"""Train one pack: the work of a launch."""

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spiral import experiment, extras, paths
from spiral.engines import cpu
from spiral.errors import ConfigError, MethodError, StoreError
from spiral.methods import plugin
from spiral.methods.plugin import Source
from spiral.methods.registry import METHODS, options
from spiral.model import initial
from spiral.results import packed, store
from spiral.results.versions import complete
from spiral.sweep.pack_progress import Recorder
from spiral.sweep.work import Outcome, Tell
from spiral.tasks import from_file


@dataclass(frozen=True)
class Site:
    """The work of a launch: what its workers need, wherever they are."""

    out: Path
    """The results directory; only the launcher's machine sees it."""
    manifest: bytes = field(repr=False)
    """The configs of all packs, as a file. Workers read their pack's part of it."""
    method: Source | None = None
    """A user's method."""
    files: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the files hold that the configs name (``paths.CARRIED``), for machines that
    do not see them."""

    def do(self, pack: str, tell: Tell) -> Outcome:
        """Train one pack (see :func:`train_pack`)."""
        return train_pack(self, pack, tell)

    def save(self, outcome: Outcome) -> None:
        """Commit the rows of one pack, if they are those of its configs."""
        pack, data = outcome.pack, outcome.data
        packed.from_bytes(data, pack, f"result of pack {pack}", columns=["config_id"])
        store.commit_pack(self.out, pack, data)


READERS: dict[str, Callable[[str], Any]] = {
    "task": from_file.load,
    "init": initial.network,
}
"""What reads the files that configs name by ``path@digest``, for each key."""


def site(
    out: Path,
    method: str | None = None,
    named: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Site:
    """Return the work of a results directory that has a manifest.

    Args:
        out: The directory.
        method: Where a user's method is (see ``methods.plugin``).
        named: Values of these keys in the configs, if workers may not see files.

    Raises:
        ConfigError: A file cannot be read, or has changed.
    """
    source = None if method is None else Source.at(method)
    manifest = store.manifest_path(out).read_bytes()
    files = {
        name: READERS[key](name)
        for key, names in named.items()
        for name in names
        if "@" in name
    }
    return Site(out.resolve(), manifest, source, files)


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


def train_pack(site: Site, pack: str, tell: Tell) -> Outcome:
    """Train one pack of a launch.

    Args:
        site: The configs and the user's method.
        pack: The pack's id.
        tell: Called at intervals with the share of the training that is done.

    Raises:
        SpiralError: The pack cannot be trained.
    """
    began, recorder = time.perf_counter(), Recorder(tell)
    configs = store.configs_of(site.manifest, pack)
    if configs.empty:
        raise StoreError(
            f"expected pack {pack} in the manifest of {site.out}, got none; was the "
            "directory replaced? Launch the grid again"
        )
    _load_method(site, str(configs["method"].iloc[0]))
    paths.CARRIED.update(site.files)
    try:
        rows = experiment.run(complete(configs, options()), recorder)
    except MethodError as error:
        # A method is trusted for all rows or none: its breach shows in one row only
        none = f"no row of this pack ({len(configs):,} configs) is saved"
        raise MethodError(f"{error}; {none}") from error
    seconds = time.perf_counter() - began
    facts = {**machine(), "seconds": round(seconds, 3)}
    return Outcome(
        pack,
        rows.num_rows,
        seconds,
        statuses=dict(Counter(rows["status"].to_pylist())),
        work=recorder.seconds,
        data=packed.to_bytes(pack, rows, facts),
    )


def _load_method(site: Site, name: str) -> None:
    """Register the user's method in this process.

    Raises:
        ConfigError: It is another one than when the launch was prepared.
    """
    if site.method is not None and name not in METHODS:
        plugin.load(site.method.where, METHODS, site.method.text)
    if name not in METHODS:
        where = None if site.method is None else site.method.where
        raise ConfigError(
            f"expected method {name} in {where}, got another version of it; if it is "
            "a file, launch again; if a package, install the same version on all "
            "machines"
        )
