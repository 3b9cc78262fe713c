"""One look everywhere: a colour and marker per method, deterministic files."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from spiral.errors import ConfigError, StoreError

COLOURS = {
    "dense": "#555555",
    "random": "#999999",
    "magnitude": "#0072B2",
    "gmp": "#D55E00",
    "block": "#009E73",
    "mask": "#CC79A7",
}
"""Okabe & Ito's palette, safe for colour-blind readers; greys are the controls."""

MARKERS = {
    "dense": "s",
    "random": "x",
    "magnitude": "o",
    "gmp": "^",
    "block": "D",
    "mask": "v",
}


def colour(method: str) -> str:
    """Return a method's colour; black for one that has none of its own."""
    return COLOURS.get(method, "#000000")


def marker(method: str) -> str:
    """Return a method's marker; a star for one that has none of its own."""
    return MARKERS.get(method, "*")


SETTINGS: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 10,
    "svg.hashsalt": "spiral-sweep",
    "pdf.fonttype": 42,
}

FORMATS = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
"""File types and the metadata that would make equal figures differ."""


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, without a window."""
    with mpl.rc_context(SETTINGS):
        return Figure(figsize=(width, height), dpi=150)


def save(fig: Figure, path: Path) -> None:
    """Write a figure; equal figures give equal bytes.

    Raises:
        ConfigError: The file type is none of png, svg and pdf.
        StoreError: The file cannot be written.
    """
    metadata = FORMATS.get(path.suffix.lower())
    if metadata is None:
        raise ConfigError(f"{path}: expected a name ending in {', '.join(FORMATS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(SETTINGS):
            fig.savefig(path, metadata=metadata)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from None
