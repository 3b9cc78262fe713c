"""The user's folders for data to keep, and for caches of this package and libraries.

Nothing is ever written into the installed package. The home folder may be missing or
read-only (services, containers). Then caches go to a temporary folder, and data to keep
is an error that names the variable to set.
"""

import os
import stat
import tempfile
from pathlib import Path

from spiral.errors import ConfigError

OWN = "spiral-sweep"
PACKAGE = Path(__file__).parent


def data() -> Path | None:
    """Return the folder for the user's data; None if there is no home folder."""
    return _below("XDG_DATA_HOME", ".local/share", OWN)


def cache() -> Path:
    """Return the folder for caches; a temporary one if there is no writable home.

    Raises:
        ConfigError: There is no writable temporary folder either.
    """
    folder = _below("XDG_CACHE_HOME", ".cache", OWN)
    if folder is None or not (os.environ.get("XDG_CACHE_HOME") or writable(folder)):
        folder = _temporary()
    if folder is None:
        raise ConfigError(
            "expected a writable folder for caches, got none; set XDG_CACHE_HOME to one"
        )
    return folder


def _below(variable: str | None, usual: str, name: str) -> Path | None:
    """Return a folder below the one that a variable names, or its usual place."""
    if variable and os.environ.get(variable):
        return Path(os.environ[variable], name)
    if os.environ.get("HOME") == "":
        return None  # Path.home() would be the root folder
    try:
        return Path.home() / usual / name
    except RuntimeError:  # no HOME, and a user whom the system does not know
        return None


def kept(name: str, instead: str) -> Path:
    """Return the path of a file in the user's data folder, which is writable.

    Args:
        name: The name of the file.
        instead: What the user can do without a data folder, for the message.

    Raises:
        ConfigError: There is no home folder, or it is read-only.
    """
    folder = data()
    if folder is not None and writable(folder):
        return folder / name
    where = "there is no home folder" if folder is None else f"cannot write {folder}"
    raise ConfigError(
        f"expected a writable folder for {name}, but {where}; set XDG_DATA_HOME to "
        f"one, or {instead}"
    )


def writable(path: Path) -> bool:
    """Return whether a file or folder is writable, or can be created."""
    existing = next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))
    if existing == path and not path.is_dir():
        return path.is_file() and os.access(path.parent, os.W_OK | os.X_OK)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def settle_numba() -> None:
    """Choose a folder for Numba's cache if it can write none of its usual ones."""
    beside = PACKAGE / "__pycache__"
    usual = _below("XDG_CACHE_HOME", ".cache", "numba")
    _settle("NUMBA_CACHE_DIR", any(f and writable(f) for f in (beside, usual)))


def settle_matplotlib() -> None:
    """Choose a folder for Matplotlib if it cannot write its usual ones."""
    homes = (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
    usual = [_below(variable, place, "matplotlib") for variable, place in homes]
    _settle("MPLCONFIGDIR", all(f and writable(f) for f in usual))


def settle_ray() -> None:
    """Choose a home folder if there is none: importing parts of Ray needs one."""
    try:
        Path.home()
    except RuntimeError:
        folder = _temporary()
        if folder is not None:
            os.environ["HOME"] = str(folder)


def _settle(variable: str, well: bool) -> None:
    """Set a variable to a temporary folder, unless it is set or all is well."""
    if well or os.environ.get(variable):
        return
    folder = _temporary()
    if folder is not None:
        os.environ[variable] = str(folder / variable.lower())


def _temporary() -> Path | None:
    """Return a temporary folder of this user, the same each time if possible.

    Caches contain code, so the folder must be private: another user may have created a
    folder of this name.
    """
    try:
        folder = Path(tempfile.gettempdir(), f"{OWN}-{os.geteuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
        if ours and not facts.st_mode & 0o077:
            return folder
        return Path(tempfile.mkdtemp(prefix=f"{OWN}-"))
    except OSError:
        return None
