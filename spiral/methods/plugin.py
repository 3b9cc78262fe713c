"""A user's own method: from a file, or from an installed package.

``my_file.py:MyMethod`` names a class on the protocol ``spiral.protocol.job.Method`` or
an ``Entry``. A class needs no more than ``plan``, ``start`` and ``act``; its options,
if it has any, are a class ``Options`` inside it (on ``spiral.protocol.config.Options``)
and reach it as keyword arguments. A package offers methods under the entry point group
``GROUP``.

Rows carry the class's name and a digest of its file, ``MyMethod-1a2b3c4d``: an edited
file is another method, and rows of the old one stay apart. The digest covers that one
file, not what it imports. Code is loaded only if a command line names it.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from spiral import spelling
from spiral.errors import ConfigError
from spiral.methods.entry import Entry, NoOptions, Taxonomy, method_class
from spiral.methods.own_file import digest_of, run
from spiral.protocol import config
from spiral.protocol.config import Options

GROUP = "spiral_sweep.methods"
PROTOCOL = ("plan", "start", "act")
UNKNOWN = Taxonomy(unit="?", when="?", schedule="?", criterion="?", allocation="?")
"""Of a class without an entry."""


class Source(NamedTuple):
    """A method for machines that do not see its file."""

    where: str
    """As :func:`load` takes it, with an absolute path."""
    text: bytes | None
    """The file; None for a method of an installed package."""

    @classmethod
    def at(cls, where: str) -> Self:
        """Read a method's file.

        Raises:
            ConfigError: It cannot be read.
        """
        path, colon, _ = where.rpartition(":")
        return cls(absolute(where), _read(Path(path)) if colon else None)


def load(
    where: str, methods: MutableMapping[str, Entry], text: bytes | None = None
) -> str:
    """Add a method to the registry of this process; return the name in its rows.

    Args:
        where: ``my_file.py:MyMethod``, the name of an entry point, or a method that
            is registered already (whose name it returns).
        methods: The registry, to which the method is added.
        text: The file, where it may be missing on this machine; else it is read.

    Raises:
        ConfigError: Nothing is found there, or what is found is not a method.
    """
    if where in methods:
        return where
    path, colon, attribute = where.rpartition(":")
    if colon:
        name, entry = _from_file(Path(path), attribute, text)
    else:
        name, entry = _from_package(where, methods)
    if name not in methods:
        _check_options(where, entry, methods.values())
        methods[name] = entry
    return name


def absolute(where: str) -> str:
    """Return a method's location with an absolute path, valid in any directory."""
    path, colon, attribute = where.rpartition(":")
    return f"{Path(path).resolve()}:{attribute}" if colon else where


def _read(path: Path) -> bytes:
    """Return a method's file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"--method {path}: {error.strerror}") from None


def _from_file(path: Path, attribute: str, text: bytes | None) -> tuple[str, Entry]:
    """Load a file and describe the method of that name in it."""
    source = _read(path) if text is None else text
    digest = digest_of(source)
    module = run(path, source, digest)
    if not hasattr(module, attribute):
        known = ", ".join(_candidates(module)) or "none"
        raise ConfigError(f"{path}: has no {attribute!r}; classes there: {known}")
    found = getattr(module, attribute)
    return _name(found, path.stem, digest), _entry(found, module, path)


def _from_package(name: str, methods: Iterable[str]) -> tuple[str, Entry]:
    """Load what an installed package offers under a name."""
    offered = metadata.entry_points(group=GROUP)
    if name not in offered.names:
        known = [*methods, *sorted(offered.names)]
        hint = spelling.suggest(name, known, spelling.METHODS)
        raise ConfigError(
            f"--method {name}: no method of this name; {hint} (one of your own is "
            "my_file.py:MyMethod)"
        )
    found = offered[name].load()
    home = _home(found)
    module = sys.modules[home.__module__]
    path = Path(inspect.getsourcefile(module) or "")
    return f"{name}-{digest_of(path.read_bytes())}", _entry(found, module, path)


def _home(found: Any) -> Any:
    """Return the class that a method's entry builds, or the class itself."""
    return method_class(found) if isinstance(found, Entry) else found


def _name(found: Any, stem: str, digest: str) -> str:
    """Return the name that rows carry."""
    home = _home(found)
    return f"{getattr(home, '__name__', stem)}-{digest}"


def _entry(found: Any, module: ModuleType, path: Path) -> Entry:
    """Return the entry that a file has for a method, or make one."""
    if isinstance(found, Entry):
        return found
    if not isinstance(found, type):
        raise ConfigError(f"{path}: expected a class or an Entry, got {found!r}")
    for value in vars(module).values():
        if isinstance(value, Entry) and _home(value) is found:
            return value
    missing = [name for name in PROTOCOL if not callable(getattr(found, name, None))]
    if missing:
        raise ConfigError(
            f"{path}: {found.__name__} lacks {', '.join(missing)}; a method has "
            "plan(budget), start(view) and act(view, state), see "
            "spiral.protocol.job.Method"
        )
    options = getattr(found, "Options", NoOptions)
    if not (isinstance(options, type) and issubclass(options, Options)):
        raise ConfigError(
            f"{path}: {found.__name__}.Options must be a class on "
            f"spiral.protocol.config.Options, got {options!r}"
        )
    return Entry(found, _summary(found), f"own, {path.name}", UNKNOWN, options)


def _summary(found: type) -> str:
    """Return the first line of a class's docstring."""
    written = inspect.cleandoc(str(vars(found).get("__doc__") or "")).strip()
    return (written or "no description").splitlines()[0].rstrip(".")


def _candidates(module: ModuleType) -> Iterator[str]:
    """Yield the classes of a file that might be methods."""
    for name, value in vars(module).items():
        here = getattr(value, "__module__", None) == module.__name__
        if isinstance(value, type) and here and hasattr(value, "act"):
            yield name


def _check_options(where: str, entry: Entry, others: Iterable[Entry]) -> None:
    """Raise ConfigError unless a method's options can stand beside those of others."""
    try:
        own = config.fields(entry.options)
    except (AssertionError, ValidationError) as error:
        raise ConfigError(f"{where}: {error}") from None
    common = config.fields(config.Config)
    for name, option in own.items():
        alike = [config.fields(e.options).get(name) for e in others]
        kinds = {other.kind for other in alike if other is not None}
        if name in common or kinds - {option.kind}:
            raise ConfigError(
                f"{where}: option {name!r} means something else elsewhere "
                "(`spiral-sweep methods`, `spiral-sweep schema`); rename it"
            )
        if option.required:
            raise ConfigError(f"{where}: option {name!r} needs a default")
