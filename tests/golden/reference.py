"""Tables of the reference: keys, columns and speeds, from code and measurements."""

import json
from pathlib import Path

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


MEASURED = Path(__file__).parent.parent.parent / "benchmarks"
SPEEDS = "cpu-2-cores-amd-epyc-zen5.json"
"""The measurements that the pages show."""

WAYS = {
    "plain loop": ("loop", 1),
    "`reference`": ("reference", 1),
    "`vmap`": ("vmap", 1),
    "JAX, 2 cores": ("jax", 2),
    "`sparse`": ("sparse", 1),
    "`sparse`, 2 cores": ("sparse", 2),
}
"""Column → the engine and its threads."""


def engines() -> Lines:
    """Return how many networks each engine trains in a second, and the best ratio."""
    results = json.loads((MEASURED / SPEEDS).read_text())["results"]
    speeds = {
        (each["case"], each["engine"], each["threads"]): each["networks_per_s"]
        for each in results
    }
    cases = dict.fromkeys(case for case, *_ in speeds)
    head = ["network", *WAYS, "best to plain loop"]
    lines = []
    for case in cases:
        found = [speeds.get((case, *way)) for way in WAYS.values()]
        known = [speed for speed in found if speed]
        name = case.replace(" keep ", ", weights kept: ")
        shown = [f"{speed:.3g}" if speed else "–" for speed in found]
        lines.append([name, *shown, f"{max(known) / known[0]:,.0f}"])
    return head, lines


def _text(text: str) -> str:
    """Return text that ends no cell of a table."""
    return text.replace("|", "\\|")
