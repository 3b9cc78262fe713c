"""The directory of an evolution: settings, archives, frontier.

::

    DIR/search.json                        the settings
    DIR/generation-12/island-0.parquet     the archive of an island after 12 generations
    DIR/frontier.parquet                   the best network of each size so far

Only the last two generations stay on the disk.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spiral import formats
from spiral.errors import ConfigError, StoreError
from spiral.results import atomic
from spiral.search.evolve import island as islands
from spiral.tasks import catalogue

SETTINGS = "search.json"


@dataclass(frozen=True)
class Search:
    """A search: everything that determines its archives."""

    settings: islands.Settings
    islands: int

    @property
    def facts(self) -> dict[str, Any]:
        """Return the settings as they are written and compared.

        Searches from before there were other tasks can be continued.
        """
        facts = {**asdict(self.settings), "islands": self.islands}
        if facts["task"] == catalogue.DEFAULT:
            del facts["task"]
        found: dict[str, Any] = json.loads(json.dumps(facts))
        return found


def path(out: Path, generation: int, island: int) -> Path:
    """Return the file of an archive."""
    return _folder(out, generation) / f"island-{island}.parquet"


def _folder(out: Path, generation: int) -> Path:
    """Return the folder of a generation."""
    return out / f"generation-{generation}"


def begin(search: Search, out: Path) -> int:
    """Create or check a directory; return the last complete generation, 0 if none.

    Raises:
        ConfigError: The directory belongs to something else.
        StoreError: It cannot be read or written.
    """
    known = read_settings(out)
    if known is None:
        if out.exists() and any(out.iterdir()):
            raise ConfigError(
                f"--out {out}: expected an empty directory or one of `search evolve`, "
                "got other files; give another --out"
            )
        out.mkdir(parents=True, exist_ok=True)
        data = json.dumps(search.facts, indent=1).encode()
        atomic.replace_atomically(out / SETTINGS, data, out)
    elif known != search.facts:
        names = {**search.facts, **known}
        changed = [n for n in names if known.get(n) != search.facts.get(n)]
        raise ConfigError(
            f"--out {out}: expected the settings that this search began with; "
            f"{', '.join(changed)} differ: give them as before, or another --out"
        )
    return last(out, search.islands)


def read_settings(out: Path) -> Mapping[str, Any] | None:
    """Return the settings of the search in a directory, if there is one."""
    try:
        found: Mapping[str, Any] = json.loads((out / SETTINGS).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{out / SETTINGS}: expected the settings of a search, got "
            f"{formats.broken(out / SETTINGS)}"
        ) from error
    return found


def last(out: Path, count: int) -> int:
    """Return the last complete generation in a directory, 0 if there is none."""
    complete = [n for n in _numbers(out) if not missing(out, n, count)]
    return max(complete, default=0)


def _numbers(out: Path) -> list[int]:
    """Return the generations that have folders."""
    return [
        int(folder.name.removeprefix("generation-"))
        for folder in out.glob("generation-*")
    ]


def missing(out: Path, generation: int, count: int) -> list[int]:
    """Return the islands whose archives a generation lacks; create its folder."""
    _folder(out, generation).mkdir(exist_ok=True)
    return [
        island for island in range(count) if not path(out, generation, island).exists()
    ]


def tidy(out: Path, generation: int) -> None:
    """Remove the archives that nothing needs after a complete generation."""
    for old in _numbers(out):
        if old < generation - 1:
            shutil.rmtree(_folder(out, old), ignore_errors=True)
