"""Sweeps of Weights & Biases.

Top-level keys, parameters and distributions are those of its documentation ("Sweep
configuration options"); grids of numbers are expanded as its grid search does:
``int_uniform`` with both ends, ``q_uniform`` without the upper one.
"""

from collections.abc import Callable
from typing import Any

import yaml

from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.imports import numbers
from spiral.sweep.grid.imports.found import Foreign, Key, Left, Swept, Walk, listed
from spiral.sweep.grid.imports.numbers import Number

TOOL = "W&B sweep"
ABOUT = ("name", "description")
STRATEGY = "method"
ELSEWHERE = {
    "program": "a grid trains by itself; no program is run",
    "command": "a grid trains by itself; no program is run",
    "metric": "every result is recorded; `compare` ranks by the normalised gap",
    "early_terminate": "every config is trained to its end",
    "run_cap": "every config is trained; `plan --sample` and `launch --limit` bound it",
}
"""Top-level keys, and what there is in their place."""

Spec = dict[str, Any]
"""Keys of a parameter that are scalars."""


def recognises(root: yaml.Node) -> bool:
    """Return whether a file is a sweep of W&B: a mapping with ``parameters``."""
    return isinstance(root, yaml.MappingNode) and any(
        isinstance(key, yaml.ScalarNode) and key.value == "parameters"
        for key, _ in root.value
    )


def read(root: yaml.Node, walk: Walk) -> Foreign:
    """Read the sweep."""
    found = Foreign(TOOL)
    for name, place, node in walk.mapping(root, "", 0):
        value = yaml_nodes.scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if name == "parameters":
            _parameters(found, walk, node, "", 1)
        elif name in ABOUT and isinstance(value, str):
            found.about[name] = value
        elif name != STRATEGY:
            why = ELSEWHERE.get(name, "no counterpart")
            found.left.append(Left(place, name, why))
        elif value != "grid":
            why = f"expected grid, got {value}: a grid trains every combination"
            found.left.append(Left(place, name, why))
    return found


def _parameters(
    found: Foreign, walk: Walk, node: yaml.Node, prefix: str, depth: int
) -> None:
    """Add parameters, and those nested in them."""
    for name, place, value in walk.mapping(node, prefix, depth):
        if not isinstance(value, yaml.MappingNode):
            why = "expected value, values or a distribution"
            found.left.append(Left(place, name, why))
            continue
        spec = {key: inner for key, _, inner in walk.mapping(value, "", depth + 1)}
        if "parameters" in spec:
            _parameters(found, walk, spec["parameters"], f"{name}.", depth + 2)
        else:
            found.keys.append(Key(name, place, _swept(spec)))


def _swept(nodes: dict[str, yaml.Node]) -> Swept:
    """Return the values of a parameter."""
    spec = {
        key: yaml_nodes.scalar(node)
        for key, node in nodes.items()
        if isinstance(node, yaml.ScalarNode)
    }
    kind = str(spec.get("distribution") or _default(nodes, spec))
    if kind in ("constant", "categorical", "categorical_w_probabilities"):
        return _listed(nodes)
    if kind not in DISTRIBUTIONS:
        return Swept(why=f"distribution {kind} has no counterpart; choose values")
    return DISTRIBUTIONS[kind](spec)


def _listed(nodes: dict[str, yaml.Node]) -> Swept:
    """Return the value or values of a parameter."""
    if "values" not in nodes:
        one = nodes.get("value")
        return listed([one]) if one else Swept(why="expected value or values")
    several = nodes["values"]
    if not isinstance(several, yaml.SequenceNode):
        return Swept(why="values: expected a list")
    found = listed(several.value)
    lost = "probabilities have no counterpart: every value is trained"
    return found._replace(why=lost) if found.values and _weighed(nodes) else found


def _weighed(nodes: dict[str, yaml.Node]) -> bool:
    """Return whether values have probabilities."""
    return "probabilities" in nodes


def _default(nodes: dict[str, yaml.Node], spec: Spec) -> str:
    """Return the distribution of a parameter that names none."""
    if "values" in nodes or "value" in nodes:
        return "categorical"
    if {"mu", "sigma"} & nodes.keys():
        return "normal"
    ends = [spec.get("min"), spec.get("max")]
    return "int_uniform" if all(type(end) is int for end in ends) else "uniform"


def _ends(spec: Spec) -> tuple[Number, Number] | None:
    """Return ``min`` and ``max``."""
    low, high = (numbers.number(spec.get(key)) for key in ("min", "max"))
    return None if low is None or high is None else (low, high)


NO_ENDS = Swept(why="expected min and max, two numbers")


def _integers(spec: Spec) -> Swept:
    """Return all integers from min to max."""
    ends = _ends(spec)
    return numbers.steps(*ends, 1, True) if ends else NO_ENDS


def _quantised(spec: Spec) -> Swept:
    """Return the multiples of q from min on, below max."""
    ends, step = _ends(spec), numbers.number(spec.get("q", 1))
    if ends is None or step is None:
        return NO_ENDS
    return numbers.steps(*ends, step, False)


def _interval(
    logarithmic: bool, change: Callable[[Number], Number] | None = None
) -> Callable[[Spec], Swept]:
    """Return what suggests values from min to max, or from functions of them."""

    def suggest(spec: Spec) -> Swept:
        ends = _ends(spec)
        if ends is None:
            return NO_ENDS
        low, high = sorted(ends if change is None else map(change, ends))
        kind = str(spec.get("distribution", "uniform"))
        return numbers.between(low, high, kind, logarithmic)

    return suggest


def _normal(spec: Spec) -> Swept:
    """Suggest the mean and a standard deviation to both sides."""
    mean, sigma = (numbers.number(spec.get(k, d)) for k, d in (("mu", 0), ("sigma", 1)))
    why = "a normal distribution lists no values, and none are drawn; choose some"
    if mean is None or sigma is None:
        return Swept(why=why)
    near = [mean - sigma, mean, mean + sigma]
    if "log" in str(spec.get("distribution")):
        near = [numbers.exponential(each) for each in near]
    return Swept(why=why, suggested=tuple(map(numbers.brief, near)))


def _inverse(value: Number) -> Number:
    """Return e^-value."""
    return numbers.exponential(-value)


DISTRIBUTIONS: dict[str, Callable[[Spec], Swept]] = {
    "int_uniform": _integers,
    "q_uniform": _quantised,
    "uniform": _interval(False),
    "log_uniform": _interval(True, numbers.exponential),
    "q_log_uniform": _interval(True, numbers.exponential),
    "inv_log_uniform": _interval(True, _inverse),
    "log_uniform_values": _interval(True),
    "q_log_uniform_values": _interval(True),
    "inv_log_uniform_values": _interval(True),
    **dict.fromkeys(("normal", "q_normal", "log_normal", "q_log_normal"), _normal),
}
"""How values follow from a distribution; beta has none worth suggesting."""
