"""The viewer: rows and the frontier as one self-contained HTML page.

The page computes everything it shows from masks and weights, which it carries as bits
and float32; the points it rebuilds from the ends of their segments.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spiral.model import masks
from spiral.protocol.config import OptionClasses
from spiral.report.viewer import bundle
from spiral.report.viewer.embed import Embedded, of_folders, of_frontier
from spiral.tasks import cubist

TITLE = "spiral-sweep: sparse networks on the spiral"


def page(
    folders: Sequence[Path],
    options: OptionClasses,
    select: str | None = None,
    leaders: bool = False,
    limit: int = 1000,
) -> str:
    """Return the page for the rows of launches and for the frontier.

    Args:
        folders: Results directories; without any the frontier is alone.
        options: Those of the methods that this process knows.
        select: Condition on columns, in the words of a grid's ``where``.
        leaders: Only rows better than all smaller ones of the same method and width.
        limit: The most rows; the best of each method, width and size come first.

    Raises:
        ConfigError: The condition is not valid, or no row satisfies it.
        StoreError: A folder holds no rows.
    """
    known = of_frontier()
    found = of_folders(folders, options, select, leaders, limit)
    source = [*found.notes, f"{len(known)} networks of the frontier"]
    text = document([*found.networks, *known], found.initial, ", ".join(source))
    parts = {
        "title": html.escape(TITLE),
        "style": bundle.read("style.css"),
        "data": text,
        "worker": bundle.bundle("work.js"),
        "page": bundle.bundle("main.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], bundle.read("index.html"))


def document(
    networks: Sequence[Embedded], initial: Sequence[np.ndarray], source: str
) -> str:
    """Return what the page shows as JSON that no element can end early."""
    columns = {
        name: [network.facts[name] for network in networks]
        for name in networks[0].facts
    }
    data = {
        "source": source,
        "count": cubist.POINTS,
        "points": points(),
        "columns": columns,
        "masks": base64(b"".join(masks.to_bits(n.mask) for n in networks)),
        "weights": base64(np.concatenate([n.kept for n in networks])),
        "initial": [base64(params) for params in initial],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def points() -> dict[str, Any]:
    """Return what the points are made from, for ``page/points.js``."""
    mean, deviation = cubist.scale_of(cubist.raw())
    polygons = [cubist.segments(corners) for corners in cubist.vertices()]
    return {
        "segments": [
            [[*start.tolist(), *stop.tolist(), n] for start, stop, n in polygon]
            for polygon in polygons
        ],
        "mean": mean.tolist(),
        "deviation": deviation.tolist(),
    }


def base64(data: bytes | np.ndarray) -> str:
    """Return bytes, or numbers as little-endian float32, as text."""
    if isinstance(data, np.ndarray):
        data = data.astype("<f4").tobytes()
    return b64encode(data).decode()
