"""Notebooks as pages: what lies in ``analysis/`` with outputs, nothing run again."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "notebooks"

TABLE = re.compile(r"<table.*</table>", re.DOTALL)
"""What of an output in HTML is shown: its tables, in the style of the site."""


def nav(folder: Path) -> list[str]:
    """Return the pages of a folder's notebooks."""
    return [f"{FOLDER}/{path.stem}.md" for path in _found(folder)]


def files(folder: Path) -> Iterator[tuple[str, str | bytes]]:
    """Yield the place and the content of every page and figure.

    Args:
        folder: Where the notebooks lie.
    """
    for path in _found(folder):
        parts, pictures = [], 0
        for cell in json.loads(path.read_text())["cells"]:
            parts.append(_source(cell))
            for output in cell.get("outputs", []):
                data = output.get("data", {"text/plain": output.get("text", "")})
                if "image/png" in data:
                    name, pictures = f"{path.stem}-{pictures}.png", pictures + 1
                    yield f"{FOLDER}/{name}", base64.b64decode(_text(data["image/png"]))
                    parts.append(f"![Figure of the cell above]({name})")
                else:
                    parts.append(_shown(data))
        yield f"{FOLDER}/{path.stem}.md", "\n\n".join(filter(None, parts)) + "\n"


def _found(folder: Path) -> list[Path]:
    """Return the notebooks of a folder."""
    return sorted(folder.glob("*.ipynb"))


def _text(value: str | list[str]) -> str:
    """Return text, which notebooks also have as a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def _source(cell: dict[str, Any]) -> str:
    """Return what a cell has: prose as it is, code in a block."""
    text = _text(cell["source"]).strip()
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    return text if cell["cell_type"] == "markdown" else _block("python", code)


def _shown(data: dict[str, Any]) -> str:
    """Return an output that is no picture, the richest form it has."""
    if "text/markdown" in data:
        return _text(data["text/markdown"])
    if table := TABLE.search(_text(data.get("text/html", ""))):
        return re.sub(r"<table[^>]*>", "<table>", table[0])
    return _block("text", _text(data.get("text/plain", "")))


def _block(language: str, text: str) -> str:
    """Return a block of code; nothing if it is empty."""
    text = text.strip("\n")
    return f"```{language}\n{text}\n```" if text else ""
