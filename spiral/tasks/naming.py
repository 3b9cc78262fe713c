"""Names of tasks: ``cubist``, ``cubist(turns=3)``; one canonical text for each task."""

import re
from collections.abc import Mapping
from typing import Any

from spiral import spelling
from spiral.errors import ConfigError
from spiral.tasks.parameters import Family, Parameter

Values = dict[str, Any]
Families = Mapping[str, Family]

NAME = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:\(([^()]*)\)\s*)?")
LONGEST = 1000
"""Characters of a name; a longer text is none."""
SHOWN = 80
"""Characters of a wrong name in messages."""


def parsed(text: str, families: Families) -> tuple[Family, Values]:
    """Return the family that a name refers to, and all its parameters.

    Raises:
        ConfigError: There is no such family, or a parameter is unknown or illegal.
    """
    match = NAME.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        raise ConfigError(
            f"expected a task like cubist or cubist(turns=3), got {text[:SHOWN]!r}; "
            f"choose from {', '.join(families)}, or a file (.npz, .csv or .parquet)"
        )
    name, inside = match.groups()
    return checked(name, _pairs(inside or "", text), families)


def _pairs(inside: str, text: str) -> Values:
    """Return the parameters between the brackets of a name, as texts."""
    found: Values = {}
    for part in filter(str.strip, inside.split(",")):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or key in found:
            raise ConfigError(
                f"expected parameters like (turns=3, sides=6), each once, "
                f"got {part.strip()[:SHOWN]!r} in {text[:SHOWN]!r}"
            )
        found[key] = value.strip()
    return found


def checked(
    name: str, given: Mapping[Any, object], families: Families
) -> tuple[Family, Values]:
    """Return a family with legal values of all its parameters.

    Args:
        name: Of the family.
        given: Parameters by name, as texts or as YAML reads them.
        families: The known families by name.

    Raises:
        ConfigError: There is no such family, or a parameter is unknown or illegal.
    """
    if name not in families:
        hint = spelling.suggest(name, families, spelling.TASKS)
        raise ConfigError(f"unknown task {name[:SHOWN]!r}; {hint}")
    family = families[name]
    known = {parameter.name: parameter for parameter in family.parameters}
    for key in given:
        if key not in known:
            hint = spelling.suggest(str(key), known) if known else "it has none"
            raise ConfigError(
                f"task {name}: unknown parameter {str(key)[:SHOWN]!r}; {hint}"
            )
    values = {
        key: _value(name, parameter, given[key]) if key in given else parameter.default
        for key, parameter in known.items()
    }
    family.check(**values)
    return family, values


def _value(task: str, parameter: Parameter, given: object) -> Any:
    """Return one parameter's value."""
    try:
        return parameter.kind.read(given)
    except ValueError:
        raise ConfigError(
            f"task {task}: expected {parameter.name} to be {parameter.kind.expected}, "
            f"got {str(given)[:SHOWN]}"
        ) from None


def written(family: Family, values: Values) -> str:
    """Return the canonical name: without defaults, in the order of declaration."""
    parts = [
        f"{parameter.name}={parameter.kind.write(values[parameter.name])}"
        for parameter in family.parameters
        if values[parameter.name] != parameter.default
    ]
    return f"{family.name}({', '.join(parts)})" if parts else family.name
