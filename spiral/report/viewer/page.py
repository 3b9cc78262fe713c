"""The viewer: rows and the frontier as one self-contained HTML page.

The page computes everything it shows from masks and weights, which it carries as bits
and float32. It shows one task at a time: its points, its networks, its frontier.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spiral.model import masks
from spiral.protocol.config import OptionClasses
from spiral.report.viewer import bundle, points
from spiral.report.viewer.embed import Embedded, of_folders, of_frontier, of_task
from spiral.tasks import Task, catalogue

TITLE = "spiral-sweep: sparse networks on the spiral"


def page(
    folders: Sequence[Path],
    options: OptionClasses,
    select: str | None = None,
    leaders: bool = False,
    limit: int = 1000,
) -> str:
    """Return the page for the rows of launches and for the frontiers.

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
    tasks = tasks_of(found.networks)
    others = [n for task in tasks[1:] for n in of_task(task.name, found.networks)]
    every = [*found.networks, *known, *others]
    text = document(every, found.initial, ", ".join(source), tasks)
    parts = {
        "title": html.escape(TITLE),
        "style": bundle.read("style.css"),
        "data": text,
        "worker": bundle.bundle("work.js"),
        "page": bundle.bundle("main.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], bundle.read("index.html"))


def document(
    networks: Sequence[Embedded],
    initial: Sequence[np.ndarray],
    source: str,
    tasks: Sequence[Task],
) -> str:
    """Return what the page shows as JSON that no element can end early."""
    columns = {
        name: [network.facts[name] for network in networks]
        for name in networks[0].facts
    }
    data = {
        "source": source,
        "tasks": [points.of_task(task) for task in tasks],
        "columns": columns,
        "masks": base64(b"".join(masks.to_bits(n.mask) for n in networks)),
        "weights": base64(np.concatenate([n.kept for n in networks])),
        "initial": [base64(params) for params in initial],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def tasks_of(networks: Sequence[Embedded]) -> list[Task]:
    """Return the default task, the tasks of networks, and all that are shipped.

    Raises:
        ConfigError: The points of one cannot be made or read.
    """
    used = sorted({network.facts["task"] for network in networks})
    every = dict.fromkeys([catalogue.DEFAULT, *catalogue.names(), *used])
    return [catalogue.load(name) for name in every]


def base64(data: bytes | np.ndarray) -> str:
    """Return bytes, or numbers as little-endian float32, as text."""
    if isinstance(data, np.ndarray):
        data = data.astype("<f4").tobytes()
    return b64encode(data).decode()
