"""Tasks of the user's own points, in a file with columns x1, x2 and label.

A grid names a file ``path@digest``, as it does initial weights: a task always means the
same points, and a file that has changed is an error instead of a different result.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from spiral import formats, paths
from spiral.errors import ConfigError
from spiral.paths import SHOWN
from spiral.tasks import tables
from spiral.tasks.tables import Column
from spiral.tasks.task import Raw, scale_of

LEAST_POINTS = 256
"""Two batches of the default size."""

DIGITS = 16
NAMED = re.compile(rf".*\.(npz|csv|parquet)(@[0-9a-f]{{{DIGITS}}})?", re.I | re.S)


def is_meant(text: str) -> bool:
    """Return whether a text may be a path, rather than a family of tasks."""
    before = text.partition("(")[0]
    return is_named(text) or "/" in before or "." in before


def is_named(text: str) -> bool:
    """Return whether a text is the name of a file of points, with a digest or not."""
    return NAMED.fullmatch(text) is not None


def stamp(text: str, near: Path | None = None) -> str:
    """Return a file's absolute path with the digest of its contents.

    Args:
        text: A path; one with a digest stays as it is.
        near: The folder to which a relative path refers.

    Raises:
        ConfigError: It is not a file that can be read, or has the wrong type.
    """
    paths.refuse_url(text)
    place = str((near or Path()) / text)
    given, at, _ = place.rpartition("@")
    if at and not paths.is_file(place) and paths.is_file(given):
        return f"{Path(given).resolve()}@{text.rpartition('@')[2]}"
    if not is_named(text):
        raise ConfigError(
            f"task {text[:SHOWN]}: expected a file of points whose name ends in "
            f"{', '.join(tables.READERS)}, got another name; save it as one of these"
        )
    digest = _digest(place)
    return f"{Path(place).resolve()}@{digest}"


def load(stamped: str) -> Raw:
    """Return the points of a stamped file; the smaller label is class 0.

    Raises:
        ConfigError: The file has changed, or does not hold two classes of points.
    """
    if stamped in paths.CARRIED:
        carried: Raw = paths.CARRIED[stamped]
        return carried
    path = paths.unchanged(stamped, _digest, "task")
    try:
        columns = tables.read(path)
        return Raw(_points(columns), _labels(columns))
    except tables.Refused as error:
        raise ConfigError(f"task {str(path)[:SHOWN]}: expected {error}") from None


def _points(columns: dict[str, Column]) -> Float64[np.ndarray, "D 2"]:
    """Return the coordinates; raise Refused if they cannot be standardised."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len({*lengths.values()}) != 1:
        raise tables.Refused(f"columns of equal length, got {lengths}")
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise tables.Refused(
                f"finite numbers in {name}, got NaN, infinity or an empty cell in row "
                f"{np.argmin(np.isfinite(column)) + 1}; remove such rows"
            )
    if len(columns["x1"]) < LEAST_POINTS:
        raise tables.Refused(
            f"at least {LEAST_POINTS} points (two batches of 128), got "
            f"{len(columns['x1'])}"
        )
    points = np.stack([columns["x1"], columns["x2"]], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = scale_of(points).deviation
    if not (np.isfinite(deviation) & (deviation > 0)).all():
        raise tables.Refused(
            "coordinates that vary within the range of floats, got deviations "
            f"{deviation[0]:g} of x1 and {deviation[1]:g} of x2"
        )
    return points


def _labels(columns: dict[str, Column]) -> np.ndarray:
    """Return labels 0 and 1; raise Refused unless there are exactly two classes."""
    values = np.unique(columns["label"])
    if len(values) != 2:
        some = ", ".join(f"{value:g}" for value in values[:4])
        more = ", …" if len(values) > 4 else ""
        raise tables.Refused(
            f"two different values in label, got {len(values):,} ({some}{more}); a "
            "task has two classes"
        )
    return (columns["label"] == values[1]).astype(np.uint8)


def _digest(path: str) -> str:
    """Return the first digits of the BLAKE2b digest of a file of limited size."""
    try:
        if not paths.is_file(path) and Path(path).exists():
            got = formats.kind(Path(path))
            raise ConfigError(f"task {path[:SHOWN]}: expected a file, got {got}")
        size = Path(path).stat().st_size
        if size > tables.MAX_BYTES:
            raise ConfigError(
                f"task {path[:SHOWN]}: expected at most {tables.MAX_BYTES:,} bytes, "
                f"got {size:,}"
            )
        with Path(path).open("rb") as file:
            found = hashlib.file_digest(
                file, lambda: hashlib.blake2b(digest_size=DIGITS // 2)
            )
        return found.hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"task {path[:SHOWN]}: cannot be read ({reason}); give a readable file"
        ) from None
