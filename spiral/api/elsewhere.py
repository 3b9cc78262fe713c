"""Networks and masks of other programs as rows of method ``mask``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from spiral.errors import ConfigError
from spiral.search import network_files
from spiral.search.network_files import Saved
from spiral.tasks import catalogue

if TYPE_CHECKING:
    from spiral.sweep.grid.grid import Grid

# What launches and reads grids is imported where it is used: most comparisons are of
# no other program's networks, and it takes a tenth of a second to load.


def grid_of(places: Iterable[Path], train: bool, sets: Sequence[str] = ()) -> "Grid":
    """Return a grid whose configs are the networks of files.

    Args:
        places: Files, or folders of them.
        train: Whether to train the masks from scratch; otherwise networks are evaluated
            as they are, and rows of equal size get the seeds 0, 1, … .
        sets: Further keys, as of ``--set``.

    Raises:
        ConfigError: A file has a mask alone and is not to be trained.
        StoreError: A file cannot be read.
    """
    from spiral.sweep.grid import grid as grids

    files = network_files.found_in(places)
    task = catalogue.load(catalogue.DEFAULT)
    found = [(f, saved) for f in files for saved in network_files.read_any(f, task)]
    columns = _masks(found) if train else _networks(found)
    block = {"method": "mask", "zip": columns} | ({} if train else {"train": False})
    return grids.loads(yaml.safe_dump(block, sort_keys=False), "elsewhere", sets)


@contextmanager
def evaluated(
    places: Sequence[Path], task: str = catalogue.DEFAULT
) -> Iterator[dict[Path, str]]:
    """Yield results directories of other programs' networks, and the name of each.

    They vanish afterwards: to evaluate a network takes less time than to find out
    whether its file has changed.
    """
    with TemporaryDirectory() as folder:
        yield {
            evaluate(place, Path(folder) / str(number), task): place.resolve().stem
            for number, place in enumerate(places)
        }


def evaluate(place: Path, out: Path, task: str = catalogue.DEFAULT) -> Path:
    """Write rows of the networks of a folder, evaluated as they are.

    Args:
        place: The folder, or one file.
        out: A new results directory.
        task: On whose points.

    Returns:
        The same directory.
    """
    from spiral.api import launching
    from spiral.sweep import launch

    grid = grid_of([place], False, [f"task={task}"])
    settings = launch.Settings("local")
    prepared = launch.prepare(grid, out, settings)
    launch.run(prepared, settings, lambda outcome: None)
    launching.check(prepared)
    return out


def _masks(found: Sequence[tuple[Path, Saved]]) -> dict[str, list[Any]]:
    """Return the keys of configs that train masks, each mask once."""
    masks = {saved.matrices: saved.width for _, saved in found}
    return {"matrices": [*masks], "width": [*masks.values()]}


def _networks(found: Sequence[tuple[Path, Saved]]) -> dict[str, list[Any]]:
    """Return the keys of configs that evaluate networks."""
    sizes: Counter[tuple[int, int]] = Counter()
    keys: dict[str, list[Any]] = {"matrices": [], "width": [], "init": [], "seed": []}
    for path, saved in found:
        _check(path, saved)
        size = (saved.width, saved.matrices.count("1"))
        values = (saved.matrices, saved.width, str(path.resolve()), sizes[size])
        for name, value in zip(keys, values, strict=True):
            keys[name].append(value)
        sizes[size] += 1
    return keys


def _check(path: Path, saved: Saved) -> None:
    """Raise ConfigError if a network cannot be evaluated as it is."""
    if saved.correct is None:
        raise ConfigError(
            f"{path}: expected weights, got a mask alone (zeros and ones), and nothing "
            f"is trained here; `spiral-sweep network rows {path.parent} --train --out "
            "DIR` trains it, and then compare DIR"
        )
    if path.suffix.lower() == ".json":
        raise ConfigError(
            f"{path}: expected a file of one network, got the viewer's JSON; "
            f"`spiral-sweep network export {path} -o {path.with_suffix('.npz')}` "
            "converts it"
        )
