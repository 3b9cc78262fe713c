"""From the keys of a sweep file to the keys of a grid, by other words for our names.

The words are those by which misspelt keys of grids are answered (``spelling``); a typo
of a name is never taken for it here, as that would change a study silently.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError

from spiral import spelling
from spiral.errors import ConfigError
from spiral.methods.registry import METHODS, config_fields
from spiral.model import mlp
from spiral.protocol.config import ConfigField
from spiral.sweep.grid.blocks import applies, fields_named
from spiral.sweep.grid.imports.found import Key, Left

LABELS = ("name", "type", "kind", "id", "_target_")
"""Last parts of dotted keys that name what is around them: ``optimizer.name``."""

INSIDE = {"optimiser": ("lr", "momentum", "weight_decay", "nesterov"), "schedule": ()}
"""Our names of what is around a key → the keys that can mean ours there: the
``step_size`` of a scheduler is no learning rate."""

SPARSITY = (
    *("sparsity", "sparsities", "final_sparsity", "target_sparsity", "sparsity_level"),
    *("pruning_ratio", "prune_ratio", "amount"),
)
DENSITY = ("density", "densities", "target_density", "final_density", "keep_ratio")

WITHOUT_KEEP, WITH_KEEP = "dense", "gmp"
"""Methods of a grid whose file names none."""

TENTH = 0.1
"""Of the weights are kept where a method needs ``keep`` and the file has none."""


class Mapped(NamedTuple):
    """A key of the grid."""

    field: str
    values: tuple[Any, ...]
    name: str
    """Of the key in the file; empty if the file lacks it."""
    place: str
    note: str = ""


@dataclass
class Translation:
    """The keys of a grid, and what has no counterpart."""

    keys: dict[str, Mapped] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def add(self, mapped: Mapped) -> None:
        """Add a key, unless another one of the file has become the same."""
        first = self.keys.setdefault(mapped.field, mapped)
        if first is not mapped:
            why = f"{first.name} at {first.place} is {mapped.field} already"
            self.left.append(Left(mapped.place, mapped.name, why))

    def values(self, name: str) -> tuple[Any, ...]:
        """Return the values of a key of the grid, or its default."""
        if name in self.keys:
            return self.keys[name].values
        return (config_fields()[name].default,)


def translate(keys: Sequence[Key]) -> Translation:
    """Map keys to those of a grid.

    The method first, as other keys apply to some methods only; then what sets a number
    of weights by a share of them, which needs the width.
    """
    found = Translation()
    named = [(key, names_of(key.name)) for key in keys]
    methods = [key for key, names in named if names == ["method"]]
    shares = [key for key, _ in named if _share(key.name)]
    for key in methods:
        _add(found, key, "method", ())
    if "method" not in found.keys:
        _add_method(found, bool(shares) or any(names == ["keep"] for _, names in named))
    for key, names in named:
        if key not in methods and key not in shares:
            _assign(found, key, names)
    for key in shares:
        _add_share(found, key)
    _settle_keep(found)
    return found


def names_of(name: str) -> list[str]:
    """Return our names for a dotted key; several if it may mean each of them."""
    *around, last = name.split(".")
    if around and last.lower() in LABELS:
        return names_of(".".join(around))
    outer = {ours for part in around for ours in _meant(part)}
    allowed = [INSIDE[ours] for ours in outer if ours in INSIDE]
    names = _meant(name) or _meant(last)
    return [each for each in names if all(each in some for some in allowed)]


def _meant(word: str) -> list[str]:
    """Return our names for a word."""
    known = config_fields()
    return [n for n in spelling.meant(word, known, spelling.KEYS) if n in known]


def _share(name: str) -> float | None:
    """Return -1 or 1 for a sparsity or density, None for any other key."""
    last = name.rpartition(".")[2].lower().replace("-", "_")
    return {**dict.fromkeys(SPARSITY, -1), **dict.fromkeys(DENSITY, 1)}.get(last)


def _assign(found: Translation, key: Key, names: list[str]) -> None:
    """Add a key whose names are known, or say why it cannot be."""
    methods = found.values("method")
    fitting = [n for n in names if any(applies(n, method) for method in methods)]
    if len(fitting) == 1:
        _add(found, key, fitting[0], methods)
        return
    why = "no counterpart"
    if fitting:
        why = f"may mean {' or '.join(fitting)}; choose one"
    elif names:
        why = f"{' and '.join(names)}: an option of none of the methods"
    found.left.append(Left(key.place, key.name, why))


def _add(found: Translation, key: Key, name: str, methods: Sequence[str]) -> None:
    """Add a key of the grid with those of its values that are legal."""
    swept = key.swept
    if swept.why:
        left = Left(key.place, key.name, swept.why, name, swept.suggested)
        found.left.append(left)
    kinds = fields_named(name, [method for method in methods if applies(name, method)])
    good: list[Any] = []
    for value in swept.values:
        parsed, why = _legal(name, value, kinds)
        if why:
            found.left.append(Left(key.place, f"{key.name} {value}", why))
        elif parsed not in good:
            good.append(parsed)
    if good:
        found.add(Mapped(name, tuple(good), key.name, key.place))


def _legal(name: str, value: Any, kinds: Sequence[ConfigField]) -> tuple[Any, str]:
    """Return a value as a grid has it, or why it is not legal."""
    for each in _spelt(name, value, kinds):
        try:
            for kind in kinds:
                kind.parse(each)
        except (ConfigError, ValidationError):
            continue
        return each, ""
    return None, f"no value of {name}"


def _spelt(name: str, value: Any, kinds: Sequence[ConfigField]) -> Iterator[Any]:
    """Yield what a value may be here: itself, a whole number, another word's name."""
    words = spelling.METHODS if name == "method" else spelling.VALUES
    legal = METHODS if name == "method" else kinds[0].legal().get("enum", ())
    if isinstance(value, str) and legal:
        for text in (value, value.split(".")[-1]):  # torch.optim.SGD
            meant = [n for n in spelling.meant(text, legal, words) if n in legal]
            yield from meant if len(meant) == 1 else ()
    elif isinstance(value, float) and value.is_integer() and kinds[0].kind is int:
        yield int(value)  # 1e3 epochs
    else:
        yield value


def _add_share(found: Translation, key: Key) -> None:
    """Add the numbers of weights that follow from sparsities or densities."""
    sign, widths = _share(key.name), found.values("width")
    shares = [value for value in key.swept.values if _is_share(value, sign)]
    why = key.swept.why
    if len(shares) < len(key.swept.values):
        why = "expected shares of the weights between 0 and 1"
    elif shares and len(widths) > 1:
        why = "keep is a number of weights, and a share of them differs among widths"
    if not any(METHODS[method].needs_keep for method in found.values("method")):
        why = "none of the methods needs keep"
    if why:
        found.left.append(Left(key.place, key.name, why))
        return
    weights = mlp.weight_count(int(widths[0]))
    kept = (share if sign == 1 else 1 - share for share in shares)
    counts = dict.fromkeys(max(1, round(weights * share)) for share in kept)
    note = f"of {weights} weights at width {widths[0]}"
    found.add(Mapped("keep", tuple(counts), key.name, key.place, note))


def _is_share(value: Any, sign: float | None) -> bool:
    """Return whether a value is a sparsity below 1, or a density above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < 1 if sign == -1 else 0 < value <= 1


def _add_method(found: Translation, with_keep: bool) -> None:
    """Add a method to a grid whose file names none."""
    method = WITH_KEEP if with_keep else WITHOUT_KEEP
    found.add(Mapped("method", (method,), "", "", "the file names no pruner"))


def _settle_keep(found: Translation) -> None:
    """Add ``keep`` if a method needs it and the file lacks it."""
    needy = [m for m in found.values("method") if METHODS[m].needs_keep]
    if needy and "keep" not in found.keys:
        weights = mlp.weight_count(int(min(found.values("width"))))
        note = f"the file has none; a tenth of {weights} weights"
        keep = (max(1, round(TENTH * weights)),)
        found.add(Mapped("keep", keep, "", "", note))
