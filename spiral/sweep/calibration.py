"""How this machine compares with the one the cost model was measured on.

``spiral-sweep bench --calibrate`` writes it; estimates of time use it. Packs and the
choice of an engine never do, so that rows and manifests are the same on every machine.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from spiral import files, homes
from spiral.errors import ConfigError


def path() -> Path:
    """Return this user's calibration file."""
    return homes.cache() / "calibration.json"


@cache
def factors() -> Mapping[str, float]:
    """Return engine → its seconds here by those of the model; empty if not measured."""
    try:
        found = json.loads(path().read_text())
        return {str(engine): float(factor) for engine, factor in found.items()}
    except (OSError, ValueError, AttributeError, ConfigError):
        return {}


def save(measured: Mapping[str, float]) -> Path:
    """Keep what was measured, for this user on this machine.

    Raises:
        StoreError: The file cannot be written.
    """
    target = path()
    text = json.dumps(dict(measured), indent=1)
    files.replace_atomically(target, text.encode(), target.parent)
    factors.cache_clear()
    return target
