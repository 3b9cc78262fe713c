"""Networks in files: those that the viewer saved, and those of other programs.

The viewer's JSON has the keys ``format``, ``schema`` and ``networks``. Each network has
its mask in the format of option ``matrices`` of method ``mask``, and its kept
parameters in order. Other programs' files hold the arrays of one network (see
``state_dict``), or its mask alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32

from spiral import formats
from spiral.errors import StoreError
from spiral.model import array_files, stack, state_dict
from spiral.model.stack import Stack
from spiral.search import best_known, frontier_file, shape
from spiral.search.network import reduced, score, unpacked
from spiral.tasks.task import Task

FORMAT = "spiral-sweep networks"
SCHEMA = 1
WANTED = "expected networks saved by the viewer as JSON"


class Saved(NamedTuple):
    """One network of a file."""

    name: str
    stack: Stack
    correct: int | None = None
    """Points classified correctly in float64, evaluated again; None of a mask."""
    accuracy: float | None = None
    """Their share of all points."""
    loss: float | None = None
    made: str | None = None
    """Description of the changes made in the viewer; None if it equals its row."""
    config_id: str = ""
    origin: str = "the viewer"
    """Who made the file."""

    @property
    def matrices(self) -> str:
        """Its mask as a string."""
        flat = np.concatenate([layer.kept.ravel() for layer in self.stack])
        return shape.spell(flat[None], stack.sizes_of(self.stack))[0]

    @property
    def width(self) -> int:
        """Units of its widest layer."""
        return max(stack.sizes_of(self.stack))

    @property
    def mask(self) -> Bool[np.ndarray, " P"]:
        """Its mask, as wide as its widest layer."""
        return stack.flat_of(self.stack).mask

    @property
    def params(self) -> Float32[np.ndarray, " P"]:
        """Its parameters, as wide as its widest layer; 0 where not kept."""
        flat = stack.flat_of(self.stack)
        return np.where(flat.mask, flat.params, np.float32(0))


def is_one(path: Path) -> bool:
    """Return whether a file is one of networks: any that is not Parquet."""
    return path.is_file() and formats.kind(path) != formats.PARQUET


def found_in(places: Iterable[Path]) -> list[Path]:
    """Return files, and in place of each folder its files of networks by name.

    Raises:
        StoreError: A folder has none.
    """
    found: list[Path] = []
    for place in places:
        inside = sorted(place.iterdir()) if place.is_dir() else [place]
        files = [f for f in inside if not place.is_dir() or f.suffix.lower() in ENDINGS]
        if not files:
            raise StoreError(
                f"{place}: expected files of networks ({', '.join(ENDINGS)}), got none"
            )
        found += files
    return found


ENDINGS = (".npz", ".safetensors", ".pt", ".pth", ".json")
"""Ends of the names of files of networks in a folder."""


def read(path: Path, task: Task) -> list[Saved]:
    """Return the networks of a file, each evaluated again on a task.

    Raises:
        StoreError: The file cannot be read, has another format, has masks alone, or
            claims an accuracy that its weights do not reach (by more than one point;
            rounding may change one).
    """
    found = read_any(path, task)
    if any(saved.correct is None for saved in found):
        raise StoreError(
            f"{path}: expected weights, got a mask alone (zeros and ones); train it: "
            f"`spiral-sweep network rows {path} --train --out DIR`"
        )
    return found


def read_any(path: Path, task: Task) -> list[Saved]:
    """Return the networks of a file, or the mask if it has no weights.

    Raises:
        StoreError: As :func:`read`.
    """
    try:
        if path.suffix.lower() == ".json":
            return _of_json(path, task)
        return [_of_arrays(path, task)]
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from None
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from None


def _of_arrays(path: Path, task: Task) -> Saved:
    """Return the network of another program's file."""
    arrays = array_files.read(path)
    found = state_dict.find(arrays.named, ordered=arrays.ordered)
    saved = Saved(path.stem, found.stack, origin=f"import of {path.name}")
    return saved if found.masks_only else evaluated(saved, task)


def evaluated(saved: Saved, task: Task) -> Saved:
    """Return a network with the points of a task that it classifies correctly."""
    kept = saved.params[saved.mask].astype(np.float64)
    found = score(saved.matrices, kept, np.float64, task)
    share = found.correct / task.points
    return saved._replace(correct=found.correct, accuracy=share, loss=found.loss)


def _of_json(path: Path, task: Task) -> list[Saved]:
    """Return the networks that the viewer saved."""
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
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
    flat = stack.Flat(*unpacked(saved["matrices"], kept))
    made = saved.get("made")
    found = evaluated(
        Saved(
            name=str(saved.get("name", "")),
            stack=stack.of_flat(flat, shape.outline(saved["matrices"])),
            made=None if made is None else str(made),
            config_id=str(saved.get("config_id", "")),
        ),
        task,
    )
    claim = saved.get("correct")
    if claim is not None and abs(int(claim) - (found.correct or 0)) > 1:
        raise ValueError(
            f"expected {claim} correct points as claimed, got {found.correct} from its "
            "weights"
        )
    return found


def as_json(networks: Iterable[Saved]) -> str:
    """Return networks as the viewer saves them."""
    listed = [
        {
            "name": saved.name,
            "made": saved.made,
            "config_id": saved.config_id,
            "width": saved.width,
            "matrices": saved.matrices,
            "params": saved.params[saved.mask].tolist(),
            "correct": saved.correct,
        }
        for saved in networks
    ]
    return json.dumps(
        {"format": FORMAT, "schema": SCHEMA, "networks": listed}, indent=1
    )


def entries(networks: Iterable[Saved], task: Task) -> pd.DataFrame:
    """Return networks as entries of kind ``any``, reduced and evaluated on a task."""
    found = []
    for saved in networks:
        network = reduced(saved.mask, saved.params, saved.width)
        if network is not None:
            words = f"{saved.name}, {saved.made or 'as it was'}, by {saved.origin}"
            facts = saved.config_id, words
            found.append(best_known.entry(network, "any", *facts, task))
    return pd.DataFrame(found, columns=frontier_file.SCHEMA.names)
