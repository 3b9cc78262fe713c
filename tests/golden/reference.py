"""Tables of the reference: keys of grids and columns of rows, as the code has them."""

from spiral.cli.methods import default_text, legal_text
from spiral.methods.registry import options
from spiral.protocol import config
from spiral.results import columns

Lines = tuple[list[str], list[list[str]]]
"""The head of a table, and its lines."""

ANY = {"method": "the name of a method", "engine": "auto, or the name of an engine"}
"""Keys whose values are checked against what is there, and what they may be."""


def keys() -> Lines:
    """Return the keys that configs of every method have."""
    head = ["key", "meaning", "values", "default"]
    return head, [
        [
            f"`{field.name}`",
            _text(field.description),
            _text(ANY.get(field.name) or legal_text(field.legal())),
            _text(default_text(field).removeprefix("default ")),
        ]
        for field in config.fields(config.Config).values()
    ]


def options_of_methods() -> Lines:
    """Return the keys that some methods have, once for each meaning."""
    head = ["key", "meaning", "methods"]
    found = [line for line in columns.explained(options()) if line.methods is not None]
    ordered = sorted(found, key=lambda line: line.name)
    return head, [
        [f"`{line.name}`", _text(line.meaning), _methods(line.methods or [])]
        for line in ordered
    ]


def _methods(names: list[str]) -> str:
    """Return names with links to where they are described."""
    return ", ".join(f"[`{name}`](methods.md#{name})" for name in names)


def results() -> Lines:
    """Return the columns of results."""
    head = ["column", "type", "unit", "meaning"]
    return head, [
        [f"`{name}`", str(kind).replace("element", "item"), unit, meaning]
        for name, (kind, unit, meaning) in columns.RESULTS.items()
    ]


def _text(text: str) -> str:
    """Return text that ends no cell of a table."""
    return text.replace("|", "\\|")
