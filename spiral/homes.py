"""Folders of the user's own: for what is kept, and for what libraries have to write.

Nothing is ever written into the installed package. A home may be missing or closed to
writing (services, containers): then caches go to a temporary folder, and what should
be kept asks for the variable that names a folder.
"""

import os
import stat
import tempfile
from pathlib import Path

from spiral.errors import ConfigError

OWN = "spiral-sweep"
PACKAGE = Path(__file__).parent


def data() -> Path | None:
    """Return the folder for what the user keeps; None if there is no home."""
    return _below("XDG_DATA_HOME", ".local/share", OWN)


def cache() -> Path:
    """Return the folder for what can be made anew; a temporary one if need be.

    Raises:
        ConfigError: There is neither a home nor a temporary folder to write.
    """
    folder = _below("XDG_CACHE_HOME", ".cache", OWN)
    if folder is None or not (os.environ.get("XDG_CACHE_HOME") or writable(folder)):
        folder = _temporary()
    if folder is None:
        raise ConfigError("no folder to cache in: set XDG_CACHE_HOME to one")
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
    """Return where a file of the user's is kept; it can be written there.

    Args:
        name: Of the file.
        instead: What the user can give in place of a home, for the message.

    Raises:
        ConfigError: There is no home, or it is closed to writing.
    """
    folder = data()
    if folder is not None and writable(folder):
        return folder / name
    where = "there is no home folder" if folder is None else f"cannot write {folder}"
    raise ConfigError(
        f"{where} to keep {name} in: set XDG_DATA_HOME to a folder that you may "
        f"write, or {instead}"
    )


def writable(path: Path) -> bool:
    """Return whether a file or folder can be made, or written where there is one."""
    existing = next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))
    if existing == path and not path.is_dir():
        return path.is_file() and os.access(path.parent, os.W_OK | os.X_OK)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def settle_numba() -> None:
    """Name a folder for Numba's cache where none of those it tries can be written."""
    beside = PACKAGE / "__pycache__"
    usual = _below("XDG_CACHE_HOME", ".cache", "numba")
    _settle("NUMBA_CACHE_DIR", any(f and writable(f) for f in (beside, usual)))


def settle_matplotlib() -> None:
    """Name a folder for Matplotlib where it could not write its own."""
    homes = (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
    usual = [_below(variable, place, "matplotlib") for variable, place in homes]
    _settle("MPLCONFIGDIR", all(f and writable(f) for f in usual))


def settle_ray() -> None:
    """Name a home where there is none: importing Ray's parts needs one."""
    try:
        Path.home()
    except RuntimeError:
        folder = _temporary()
        if folder is not None:
            os.environ["HOME"] = str(folder)


def _settle(variable: str, well: bool) -> None:
    """Set a variable to a folder below the temporary one, unless all is well."""
    if well or os.environ.get(variable):
        return
    folder = _temporary()
    if folder is not None:
        os.environ[variable] = str(folder / variable.lower())


def _temporary() -> Path | None:
    """Return a temporary folder of this user's, the same each time if possible.

    Caches hold code, so it must be closed to others: anybody may have made a folder of
    this name.
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
