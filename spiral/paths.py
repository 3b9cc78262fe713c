"""Local paths; a URL, from which a path would make a folder named ``s3:``, is none.

A grid names a file as ``path@digest``, so that a config always means the same numbers.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spiral.errors import ConfigError

CARRIED: dict[str, Any] = {}
"""``path@digest`` → what the file holds, on machines that do not see it: workers of a
cluster get it with their work."""

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def refuse_url(text: str) -> None:
    """Raise ConfigError if the text is a URL rather than a path."""
    if URL.match(text):
        plain = re.sub(r"(?<=//)[^/]*@|[?#].*", "", text)  # without credentials
        raise ConfigError(
            f"expected a local path, got the URL {plain}; copy or mount its contents "
            "and give that path"
        )


SHOWN = 200
"""Characters of a path in messages."""


def is_file(text: str) -> bool:
    """Return whether a text is the path of a regular file; not if it cannot be one."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or contains a zero byte
        return False


def unchanged(stamped: str, digest_of: Callable[[str], str], what: str) -> Path:
    """Return the path of a file that a grid names ``path@digest``.

    Args:
        stamped: Path and digest.
        digest_of: Returns the digest of the file at a path.
        what: The key that names it, for the message.

    Raises:
        ConfigError: The file has changed.
    """
    path, _, digest = stamped.rpartition("@")
    if digest_of(path) != digest:
        raise ConfigError(
            f"{what} {path[:SHOWN]}: expected the file with digest {digest}, got a "
            "file that has changed since; restore it, or launch the grid into another "
            "folder"
        )
    return Path(path)
