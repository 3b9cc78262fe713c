"""Rank pruners against the sparsest networks that exist on the Cubist Spiral.

A *grid* (YAML) expands to *configs*; configs that can train together form *packs*;
an *engine* trains a pack while a *method* decides its masks; every config becomes one
*row* of Parquet. Data goes one way: grid -> packs -> rows -> comparison.

Axis letters used in every annotation and comment:

====  =========================================================================
N     networks of a pack
P     parameters of one network, flat: W1, b1, W2, b2, W3, b3, W4, b4
W     weights of one network, flat: W1, W2, W3, W4 (no biases)
B     points of a batch
D     points of the data set (49,982)
T     training steps
====  =========================================================================

A module of the package is loaded when it is first used (``spiral.rows``), so importing
``spiral`` loads neither torch nor pandas.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if not TYPE_CHECKING:  # or else the type checker would believe every name

    def __getattr__(name: str) -> object:
        """Import the module of that name."""
        if name.startswith("_") or find_spec(f"{__name__}.{name}") is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")
