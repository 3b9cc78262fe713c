"""One look everywhere: a colour and marker per method, deterministic files."""

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.colors
from matplotlib.figure import Figure

from spiral.errors import ConfigError, StoreError

LOOKS: dict[str, tuple[str, str]] = {
    "dense": ("#555555", "s"),
    "random": ("#999999", "x"),
    "magnitude": ("#0072B2", "o"),
    "block": ("#009E73", "D"),
    "mask": ("#CC79A7", "v"),
    "gmp": ("#D55E00", "^"),
    "lth": ("#332288", "P"),
    "snip": ("#56B4E9", "<"),
    "iter_snip": ("#44AA99", ">"),
    "force": ("#117733", "p"),
    "grasp": ("#E69F00", "h"),
    "synflow": ("#882255", "d"),
    "prospr": ("#AA4499", "X"),
    "rigl": ("#999933", "8"),
    "l1_unit": ("#CC6677", "1"),
    "taylor_unit": ("#56B4E9", "2"),
    "spa": ("#DDCC77", "3"),
    "obspa": ("#882255", "4"),
    "soft_filter": ("#CC6677", "+"),
    "group_norm": ("#DDCC77", "+"),
    "slimming": ("#56B4E9", "+"),
    "acdc": ("#CC6677", "H"),
    "acdc_pp": ("#661100", "3"),
    "imp": ("#6699CC", "1"),
    "bimp": ("#DDCC77", "2"),
    "ste": ("#4477AA", "o"),
    "sr_ste": ("#4477AA", "s"),
    "mdgf_linear": ("#228833", "^"),
    "mdgf_exp": ("#228833", "v"),
    "sdgf_step": ("#EE6677", "<"),
    "sdgf_geometric": ("#EE6677", ">"),
    "sfw": ("#F0E442", "P"),
}
"""Colour and marker of each method, from the palettes of Okabe & Ito and of Tol, which
colour-blind readers can tell apart; greys are the controls."""
UNKNOWN = ("#000000", "*")


def colour(method: str) -> str:
    """Return a method's colour; black for one that has none of its own."""
    return LOOKS.get(method, UNKNOWN)[0]


def marker(method: str) -> str:
    """Return a method's marker; a star for one that has none of its own."""
    return LOOKS.get(method, UNKNOWN)[1]


INK = "#222222"
"""Colour of what is known: the frontier, optima."""
CLASSES = ("#0072B2", "#D55E00")
"""Colours of class 0 and class 1."""
OPINION = mpl.colors.LinearSegmentedColormap.from_list(
    "classes", [CLASSES[0], "white", CLASSES[1]]
)
PALE = "#BBBBBB"
"""Colour of what is only there for orientation, and of what is dead."""


def plain(text: object) -> str:
    """Return a name from data as matplotlib shows it: nothing in it is a formula."""
    shown = str(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown  # else no legend has it


SETTINGS: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 10,
    "axes.titlesize": 10,
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


def to_bytes(fig: Figure, suffix: str) -> bytes:
    """Return a figure as a file of this type; equal figures give equal bytes.

    Raises:
        KeyError: The type is none of ``FORMATS``.
    """
    buffer, metadata = BytesIO(), FORMATS[suffix]
    with mpl.rc_context(SETTINGS):
        fig.savefig(buffer, format=suffix[1:], metadata=metadata)
    return buffer.getvalue()


def save(fig: Figure, path: Path) -> None:
    """Write a figure; equal figures give equal bytes.

    Raises:
        ConfigError: The file type is none of png, svg and pdf.
        StoreError: The file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: expected a name ending in {', '.join(FORMATS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_bytes(fig, suffix))
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from None
