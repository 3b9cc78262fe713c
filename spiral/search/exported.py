"""Networks that the viewer saved as JSON: read, checked, made entries of a frontier.

A file holds ``format``, ``schema`` and ``networks``; each has its mask as option
``matrices`` of method ``mask`` has it, and the kept parameters in order.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32

from spiral import formats
from spiral.errors import StoreError
from spiral.search import best_known
from spiral.search.network import reduced, score, unpacked

FORMAT = "spiral-sweep networks"
SCHEMA = 1
WANTED = "expected networks that the viewer saved as JSON"


class Saved(NamedTuple):
    """One network of a file."""

    name: str
    made: str | None
    """How it was changed, in words; None if it is as its row has it."""
    config_id: str
    width: int
    mask: Bool[np.ndarray, " P"]
    params: Float32[np.ndarray, " P"]
    correct: int
    """Points that it gets right, in float64, counted anew."""


def read(path: Path) -> list[Saved]:
    """Return the networks of a file, each evaluated anew.

    Raises:
        StoreError: It cannot be read, is no such file, or claims an accuracy that its
            weights do not have (by more than one point, as rounding may make).
    """
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from None
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise StoreError(f"{place}: {WANTED}, got what is not valid JSON") from None
    except (ValueError, RecursionError):  # no text, or brackets without end
        raise StoreError(f"{path}: {WANTED}, got {formats.kind(path)}") from None
    if not isinstance(text, dict) or text.get("format") != FORMAT:
        raise StoreError(f"{path}: {WANTED} (with format {FORMAT!r}), got other JSON")
    if text.get("schema") != SCHEMA:
        raise StoreError(
            f"{path}: expected schema {SCHEMA}, got {text.get('schema')!r}"
        )
    found = []
    for number, network in enumerate(text.get("networks", [])):
        try:
            found.append(_network(network))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise StoreError(
                f"{path}: network {number}: {type(error).__name__}: {error}"
            ) from None
    return found


def _network(said: dict[str, Any]) -> Saved:
    """Return one network; raises ValueError where it contradicts itself."""
    kept = np.array(said["params"], np.float64).astype(np.float32)
    if not np.isfinite(kept).all():
        raise ValueError("its parameters are not finite")
    mask, params, width = unpacked(said["matrices"], kept)
    correct = score(said["matrices"], kept.astype(np.float64), np.float64).correct
    claim = said.get("correct")
    if claim is not None and abs(int(claim) - correct) > 1:
        raise ValueError(
            f"it claims {claim} correct points; its weights get {correct} right"
        )
    made = said.get("made")
    return Saved(
        name=str(said.get("name", "")),
        made=None if made is None else str(made),
        config_id=str(said.get("config_id", "")),
        width=width,
        mask=mask,
        params=params,
        correct=correct,
    )


def entries(path: Path) -> pd.DataFrame:
    """Return the networks of a file as entries of kind ``any``, reduced and evaluated.

    Raises:
        StoreError: As :func:`read`.
    """
    found = []
    for saved in read(path):
        network = reduced(saved.mask, saved.params, saved.width)
        if network is not None:
            words = f"{saved.name}, {saved.made or 'as it was'}, by the viewer"
            found.append(best_known.entry(network, "any", saved.config_id, words))
    return pd.DataFrame(found, columns=best_known.SCHEMA.names)
