"""Local paths; a URL, from which a path would make a folder named ``s3:``, is none."""

import re

from spiral.errors import ConfigError

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def refuse_url(text: str) -> None:
    """Raise ConfigError if the text is a URL rather than a path."""
    if URL.match(text):
        raise ConfigError(
            f"expected a local path, got the URL {text}; copy or mount its contents "
            "and give that path"
        )
