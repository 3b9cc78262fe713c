"""Running the file of a user's own method, and where in it something went wrong."""

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import CodeType, ModuleType

from spiral import formats
from spiral.errors import ConfigError


def run(path: Path, source: bytes, digest: str) -> ModuleType:
    """Run exactly the bytes whose digest names the method; no cache can be older."""
    name = f"spiral_own_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_loader(name, None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path.resolve())
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # so that it finds its neighbours, as a script does
    sys.modules[name] = module  # dataclasses look their module up
    try:
        exec(_compiled(path, source), module.__dict__)
    except (KeyboardInterrupt, ConfigError):
        del sys.modules[name]
        raise
    except BaseException as error:  # a file that exits is no success
        del sys.modules[name]
        text = f"{path}: cannot be loaded: {type(error).__name__}: {error}"
        raise ConfigError(f"{text} ({place(error, module.__file__)})") from error
    return module


def _compiled(path: Path, source: bytes) -> CodeType:
    """Return the code of a file.

    Raises:
        ConfigError: It is no Python.
    """
    try:
        return compile(source, str(path.resolve()), "exec")
    except (SyntaxError, ValueError) as error:  # ValueError: zero bytes
        line = getattr(error, "lineno", None)
        where = f"{path}:{line}" if line else f"{path}"
        kind = formats.kind(path)
        wrong = f"expected Python source, got {kind}"
        if kind == "Python source":
            wrong = getattr(error, "msg", str(error))
        raise ConfigError(f"{where}: {wrong}") from None


def digest_of(source: bytes) -> str:
    """Return the digest of a file that names of methods contain."""
    return hashlib.blake2b(source, digest_size=4).hexdigest()


def place(error: BaseException, file: str | None) -> str:
    """Return where an exception was raised, as ``file:line``, preferably in a file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    last = (own or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
