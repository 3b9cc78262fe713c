"""What one worker does with one pack, whoever drives it."""

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
from spiral.results.columns import complete
from spiral.sweep import pack_progress

ATTEMPTS = 3
"""How often a pack is tried before it counts as failed: by the worker when it raises,
by the executor when the worker dies."""


@dataclass(frozen=True)
class Site:
    """What every worker of a launch has to know."""

    out: Path
    """The results directory, with a manifest."""
    method: str | None = None
    """Where a method of the user's own comes from (see ``methods.plugin``)."""


@dataclass(frozen=True)
class Outcome:
    """What became of a pack."""

    pack: str
    networks: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    work: float = 0.0
    """Processor seconds of its training, 0 if unknown (see ``pack_progress.Pulse``)."""


Report = Callable[[Outcome], None]
"""Called by an executor once per pack, when it is done or given up."""


@cache
def machine() -> dict[str, str]:
    """Return the facts about this machine that a footer records."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        # asked of the metadata: importing torch would cost two seconds for nothing
        **{name: version(name) for name in ("numpy", "numba", "torch")},
    }


def train_pack(site: Site, pack: str) -> Outcome:
    """Train one pack of a launch and commit its rows.

    Args:
        site: Where.
        pack: The pack's id.

    Raises:
        SpiralError: The pack cannot be trained or its rows cannot be written.
    """
    began, out = time.perf_counter(), site.out
    configs, _ = store.read_manifest(out, pack)
    if configs.empty:
        raise StoreError(f"pack {pack} is not in the manifest; was {out} replaced?")
    _load_method(site, str(configs["method"].iloc[0]))
    try:
        with pack_progress.kept(out, pack) as beats:
            rows = experiment.run(complete(configs, options()), beats)
    except MethodError as error:
        none = f"none of the {len(configs):,} rows of this pack is saved"
        raise MethodError(f"{error}; {none}") from error
    seconds = time.perf_counter() - began
    store.write_pack(out, pack, rows, {**machine(), "seconds": round(seconds, 3)})
    statuses = Counter(rows["status"].to_pylist())
    work = beats.seconds
    return Outcome(pack, rows.num_rows, seconds, dict(statuses), work=work)


def _load_method(site: Site, name: str) -> None:
    """Make the user's own method known to this process.

    Raises:
        ConfigError: Its file is no longer what it was when the launch began.
    """
    if site.method is not None and name not in METHODS:
        plugin.load(site.method, METHODS)
    if name not in METHODS:
        raise ConfigError(
            f"method {name} is not what {site.method} holds now: leave the file as it "
            "is while it trains, and launch again"
        )


def attempt(site: Site, pack: str) -> Outcome:
    """Train a pack, again if it raises; then the first error becomes its outcome.

    Later ones may only follow from it, as of a module whose import broke off.
    """
    first: str | None = None
    for _ in range(ATTEMPTS):
        try:
            return train_pack(site, pack)
        except SpiralError as error:  # a broken method or a full disk stays what it is
            return Outcome(pack, error=str(error))
        except (Exception, SystemExit) as error:  # a method may call sys.exit
            first = first or describe(error)
    return Outcome(pack, error=first)


def describe(error: BaseException) -> str:
    """Return what happened, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    if "No usable temporary directory" in text:  # of tempfile, whoever asked for one
        text += "; set TMPDIR to a folder that you may write"
    return text
