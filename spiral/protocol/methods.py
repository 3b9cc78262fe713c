"""What is known of methods by name: their options, and how they classify.

The registry describes its methods in these terms (``spiral.methods.registry.known``).
Whoever reads rows is handed the description, so that no report loads a method.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from spiral import spelling
from spiral.errors import ConfigError
from spiral.protocol.config import OptionClasses


@dataclass(frozen=True)
class Methods:
    """The methods that this process knows."""

    options: OptionClasses
    taxonomy: Mapping[str, Mapping[str, str]]
    """Method → axis → value, of the methods' default options."""

    def axes(self) -> dict[str, frozenset[str]]:
        """Return the axes of the taxonomy, and the values that methods have on them."""
        found: dict[str, frozenset[str]] = {}
        for kind in self.taxonomy.values():
            for axis, value in kind.items():
                found[axis] = found.get(axis, frozenset()) | {value}
        return found

    def of_kind(self, where: Mapping[str, Collection[str]]) -> list[str]:
        """Return the methods that have one of the given values on every axis given.

        Raises:
            ConfigError: An axis does not exist, or no method has a value on it.
        """
        known = self.axes()
        for axis, values in where.items():
            if axis not in known:
                hint = spelling.suggest(axis, known)
                raise ConfigError(f"the taxonomy has no axis {axis!r}; {hint}")
            for value in values:
                if value not in known[axis]:
                    hint = spelling.suggest(value, sorted(known[axis]))
                    raise ConfigError(f"no method has {axis}={value!r}; {hint}")
        return [
            name
            for name, kind in self.taxonomy.items()
            if all(kind[axis] in values for axis, values in where.items())
        ]
