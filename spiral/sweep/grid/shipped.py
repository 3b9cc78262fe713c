"""Grids by name: those that come with the package, and files."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import yaml

from spiral import paths, spelling
from spiral.errors import ConfigError
from spiral.sweep.grid import grid as grid_file
from spiral.sweep.grid.grid import Grid


def folder() -> Path:
    """Return the folder of the grids that come with the package.

    The build copies sweeps/ to spiral/grids. A source tree (also when installed as
    editable) reads sweeps/ directly, so that no stale copy can be used.
    """
    package = Path(str(resources.files("spiral")))
    built = package / "grids"
    return built if built.is_dir() else package.parent / "sweeps"


def files() -> dict[str, Path]:
    """Return the grids that come with the package, by name."""
    root = folder()
    return {
        str(path.relative_to(root).with_suffix("")): path
        for path in sorted(root.rglob("*.yaml"))
    }


def descriptions() -> dict[str, str]:
    """Return what each of them is, without expanding it."""
    return {
        name: yaml.safe_load(path.read_text("utf-8"))["description"]
        for name, path in files().items()
    }


def find(name: str) -> Path:
    """Return a grid file by path, or one that comes with the package by name.

    Raises:
        ConfigError: There is no such grid.
    """
    paths.refuse_url(name)
    path = Path(name)
    if path.is_file():
        return path
    known = files()
    if name in known:
        return known[name]
    if path.exists():
        return path  # e.g. a folder: reading it raises the right error
    hint = spelling.suggest(name, known)
    raise ConfigError(
        f"expected a grid file or the name of a shipped grid, got {name}; {hint}"
    )


def load(name: str, sets: Sequence[str] = (), share: float | None = None) -> Grid:
    """Return an expanded grid, or a random share of it.

    Args:
        name: A grid file, or the name of a grid that comes with the package.
        sets: ``KEY=VALUE`` texts that override keys (see ``grid.load``).
        share: Share of the configs; all by default.

    Raises:
        ConfigError: Lists every mistake; or the share contains no config.
    """
    grid = grid_file.load(find(name), sets)
    if share is None:
        return grid
    some = grid_file.sample(grid, share)
    if some.configs.empty:
        raise ConfigError(
            f"{name}: --sample {share} selects no config; give a larger share"
        )
    return some
