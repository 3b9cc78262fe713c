"""Rank pruners against the sparsest networks known on the Cubist Spiral.

A *grid* (YAML) expands to *configs*; configs that can train together form *packs*;
an *engine* trains a pack while a *method* decides its masks; every config becomes one
*row* of Parquet. Data goes one way: grid -> packs -> rows -> comparison.

Axis letters used in every annotation and comment:

====  =========================================================================
N     networks of a pack
P     parameters of one network, flat: W1, b1, W2, b2, W3, b3, W4, b4
W     weights of one network, flat: W1, W2, W3, W4 (no biases)
B     points of a batch
D     points of the task (49,982 of the default one)
T     training steps
====  =========================================================================

From Python, ``spiral.load_rows``, ``frontier``, ``launch``, ``compare``, ``rank``,
``plot`` and ``Network`` do what the command line does (see ``spiral.api``). Nothing
else is public.
"""

import importlib
from typing import Any

__version__ = "0.2.0"

API = {
    "Network": "network",
    "compare": "rows",
    "frontier": "rows",
    "launch": "launching",
    "load_rows": "rows",
    "plot": "rows",
    "rank": "launching",
}
"""Public name → its module in ``spiral.api``."""


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: pandas and matplotlib load slowly."""
    if name not in API:
        raise AttributeError(f"module 'spiral' has no attribute {name!r}")
    # By name: a plain import would make the API a dependency of every module here
    found = getattr(importlib.import_module(f"spiral.api.{API[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names, for completion in notebooks."""
    return sorted([*globals(), *API])
