"""The record of proven bounds: a JSON file that ``verify`` checks again.

Reading it needs neither SciPy nor Numba.
"""

import json
from pathlib import Path
from typing import Any

from spiral import formats, results
from spiral.errors import StoreError
from spiral.protocol import identity
from spiral.results import atomic
from spiral.tasks import catalogue

NAME = "bounds.json"
SHIPPED = Path(results.__file__).parent / "shipped" / NAME
FORMAT = 1

KEYS = {"format", "points", "digest", "certificates", "bounds"}


def shipped(task: str) -> Path:
    """Return where the record of a task is shipped, if it is."""
    if task == catalogue.DEFAULT:
        return SHIPPED
    return SHIPPED.with_name(f"bounds-{identity.words(task)}.json")


def read(path: Path | None = None) -> dict[str, Any]:
    """Return a record; by default the shipped one.

    Raises:
        StoreError: The file is missing or is not a record.
    """
    path = path or SHIPPED
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(
            f"{path}: expected a record of bounds, got no file; write one by "
            f"`spiral-sweep frontier certify --out {path}`"
        ) from None
    except (OSError, ValueError):
        raise StoreError(
            f"{path}: not a record of bounds: expected a JSON file written by "
            f"`spiral-sweep frontier certify`, got {formats.broken(path)}"
        ) from None
    if not isinstance(record, dict) or record.keys() != KEYS:
        raise StoreError(
            f"{path}: not a record of bounds: expected the keys "
            f"{', '.join(sorted(KEYS))}; write one by `spiral-sweep frontier certify`"
        )
    if record["format"] != FORMAT:
        raise StoreError(
            f"{path}: expected format {FORMAT}, got {record['format']}; update "
            "spiral-sweep"
        )
    return record


def write(record: dict[str, Any], path: Path) -> None:
    """Write a record atomically."""
    text = json.dumps(record, separators=(",", ":"), sort_keys=True)
    # A line per group, so that versions can be compared
    text = text.replace("],[", "],\n[") + "\n"
    atomic.replace_atomically(path, text.encode(), path.parent)


def at_least(
    accuracy: float, path: Path | None = None, task: str = catalogue.DEFAULT
) -> int | None:
    """Return the proven lower bound for any accuracy, if there is one.

    What a lower accuracy needs a higher one needs, too.

    Args:
        accuracy: A share of the points.
        path: A record; by default the one that is shipped for the task, if one is.
        task: Whose points.
    """
    path = path or shipped(task)
    if not path.exists():
        return None
    known = bounds(path).items()
    reached = [weights for level, weights in known if level <= accuracy]
    return max(reached, default=None)


def bounds(path: Path | None = None) -> dict[float, int]:
    """Return for each accuracy the proven lower bound on the number of weights."""
    return {float(b["threshold"]): int(b["weights"]) for b in read(path)["bounds"]}
