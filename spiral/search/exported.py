"""Read networks saved by the viewer as JSON, and convert them to frontier entries.

A file has the keys ``format``, ``schema`` and ``networks``. Each network has its mask
in the format of option ``matrices`` of method ``mask``, and its kept parameters in
order.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32

from spiral import formats
from spiral.errors import StoreError
from spiral.search import best_known, frontier_file
from spiral.search.network import reduced, score, unpacked
from spiral.tasks.task import Task

FORMAT = "spiral-sweep networks"
SCHEMA = 1
WANTED = "expected networks saved by the viewer as JSON"


class Saved(NamedTuple):
    """One network of a file."""

    name: str
    made: str | None
    """Description of the changes made in the viewer; None if it equals its row."""
    config_id: str
    width: int
    mask: Bool[np.ndarray, " P"]
    params: Float32[np.ndarray, " P"]
    correct: int
    """Points classified correctly in float64, evaluated again."""


def read(path: Path, task: Task) -> list[Saved]:
    """Return the networks of a file, each evaluated again on a task.

    Raises:
        StoreError: The file cannot be read, has another format, or claims an accuracy
            that its weights do not reach (by more than one point; rounding
            may change one).
    """
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from None
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise StoreError(f"{place}: {WANTED}, got invalid JSON") from None
    except (ValueError, RecursionError):  # not text, or nested too deeply
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
            found.append(_network(network, task))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise StoreError(
                f"{path}: network {number}: {type(error).__name__}: {error}"
            ) from None
    return found


def _network(saved: dict[str, Any], task: Task) -> Saved:
    """Return one network; raise ValueError if it is inconsistent."""
    kept = np.array(saved["params"], np.float64).astype(np.float32)
    if not np.isfinite(kept).all():
        raise ValueError("expected finite parameters")
    mask, params, width = unpacked(saved["matrices"], kept)
    double = kept.astype(np.float64)
    correct = score(saved["matrices"], double, np.float64, task).correct
    claim = saved.get("correct")
    if claim is not None and abs(int(claim) - correct) > 1:
        raise ValueError(
            f"expected {claim} correct points as claimed, got {correct} from its "
            "weights"
        )
    made = saved.get("made")
    return Saved(
        name=str(saved.get("name", "")),
        made=None if made is None else str(made),
        config_id=str(saved.get("config_id", "")),
        width=width,
        mask=mask,
        params=params,
        correct=correct,
    )


def entries(path: Path, task: Task) -> pd.DataFrame:
    """Return the networks of a file as entries of kind ``any``, reduced and evaluated.

    Raises:
        StoreError: As :func:`read`.
    """
    found = []
    for saved in read(path, task):
        network = reduced(saved.mask, saved.params, saved.width)
        if network is not None:
            words = f"{saved.name}, {saved.made or 'as it was'}, by the viewer"
            facts = saved.config_id, words
            found.append(best_known.entry(network, "any", *facts, task))
    return pd.DataFrame(found, columns=frontier_file.SCHEMA.names)
