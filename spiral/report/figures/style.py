"""One look everywhere: a colour and marker per method, deterministic files."""

import colorsys
import hashlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.colors
from matplotlib.figure import Figure

from spiral.errors import ConfigError, StoreError

_LOOKS: dict[str, tuple[str, str]] = {}


def register(looks: Mapping[str, tuple[str, str]]) -> None:
    """Set the colour and marker of methods, in the order in which figures list them.

    Figures know no methods. Whoever draws hands the looks in, usually those of the
    registry (``spiral.methods.registry.looks``); a method without any gets a star.

    Args:
        looks: Colour and marker by name; an empty colour or marker counts as none.
    """
    _LOOKS.clear()
    _LOOKS.update({name: look for name, look in looks.items() if all(look)})


def look(method: str) -> tuple[str, str]:
    """Return a method's colour and marker.

    A method that was not registered, such as a user's own, gets a star, which no
    shipped method has, of a dark colour whose hue follows from its name.
    """
    if method in _LOOKS:
        return _LOOKS[method]
    digest = hashlib.blake2b(method.encode(), digest_size=2).digest()
    hue = int.from_bytes(digest, "big") / 2**16
    return mpl.colors.to_hex(colorsys.hls_to_rgb(hue, 0.35, 0.8)), UNREGISTERED


UNREGISTERED = "*"
"""Marker of methods that were not registered."""


def colour(method: str) -> str:
    """Return a method's colour."""
    return look(method)[0]


def marker(method: str) -> str:
    """Return a method's marker."""
    return look(method)[1]


def ordered(methods: Iterable[object]) -> list[str]:
    """Return names in the order in which they were registered, then all others."""
    places = {name: place for place, name in enumerate(_LOOKS)}
    names = {str(method) for method in methods}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


INK = "#222222"
"""Colour of what is best known."""
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
