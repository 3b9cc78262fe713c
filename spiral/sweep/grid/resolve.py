"""Expand one block of a grid to a table: product, defaults, conditions, checks."""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod

import numpy as np
import pandas as pd

from spiral import spelling
from spiral.errors import ConfigError
from spiral.experiment import prepare
from spiral.methods.registry import METHODS, config_fields, options
from spiral.model import initial, mlp
from spiral.protocol import budgets, config, identity
from spiral.results import conditions
from spiral.sweep.grid.axes import length
from spiral.sweep.grid.blocks import TO_DERIVE, Block, applies
from spiral.sweep.grid.yaml_nodes import Mistakes

ORDERS = 256
"""Batch orders that configs of fresh seeds share, chosen by the last bits of the seed.

An order of one's own would cost ten times the training of a small network (76 ms of 50
epochs against 7 ms), and which order it is hardly matters: among 8,192 trainings of the
block 3-3-3, 256 initial weights × 32 orders, the order explains 0.04 % of the variance
of accuracy and none of that of reaching 0.8, 0.9 or 0.95; initial weights explain 40 %
and 15 to 18 %, the interaction the rest.
"""


def configs(block: Block, mistakes: Mistakes) -> pd.DataFrame:
    """Return the resolved configs of one block."""
    sizes = [length(axis) for axis in block.axes]
    table = _resolve(_product(block, sizes), block, mistakes)
    for condition in block.conditions:
        try:
            table = table[_holds(condition.value, table)].reset_index(drop=True)
        except conditions.WhereError as error:
            mistakes.add(condition.place, f"where: {error}")
    _check_values(table, block, mistakes)
    table.insert(0, "block", pd.array([block.name] * len(table), "string"))
    return table


def _product(block: Block, sizes: list[int]) -> pd.DataFrame:
    """Return the cross product of the axes, with null for keys that do not apply.

    An axis of which no key applies to a method does not multiply its configs.
    """
    total = prod(sizes)
    codes = np.unravel_index(np.arange(total), sizes)
    columns = {}
    for axis, code in zip(block.axes, codes, strict=True):
        for key, column in axis.items():
            field = config_fields()[key]
            values = config.column(field, [item.value for item in column.items])
            columns[key] = values.take(code)
    table = pd.DataFrame(columns)
    wanted = np.ones(total, bool)
    for rows, has in _users(table):
        for axis, code in zip(block.axes, codes, strict=True):
            foreign = [key for key in axis if not has(key)]
            if len(foreign) == len(axis):  # keep one of its equal configs
                wanted &= ~rows | (code == 0)
            for key in foreign:
                table.loc[rows, key] = pd.NA
    return table[wanted].reset_index(drop=True)


def _users(table: pd.DataFrame) -> Iterator[tuple[np.ndarray, Callable[[str], bool]]]:
    """Yield some configs of a block, and whether a key applies to them."""
    for method, rows in _by_method(table):
        yield rows, partial(applies, method=method)
    if "replicate" in table:  # some seeds are fresh
        shared = (table["seed"] != TO_DERIVE).to_numpy(bool)
        yield shared, lambda key: key != "replicate"


def _resolve(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> pd.DataFrame:
    """Fill in defaults, so that every field of every config has a value."""
    columns = {}
    methods = table["method"].to_numpy(object)
    of_method = {method: methods == method for method in dict.fromkeys(methods)}
    nowhere = np.zeros(len(table), int)
    fields = {method: config.fields_of(method, options()) for method in of_method}
    for key, field in config_fields().items():
        if key in table:
            values = table[key].array.copy()
        else:
            values = config.column(field, [None]).take(nowhere)
        for method, of_it in of_method.items():
            own = fields[method]
            if key not in own or not applies(key, method):
                continue
            rows = of_it & np.asarray(values.isna(), bool)
            if key in config.fields(METHODS[method].options):
                _preset(values, rows, table, METHODS[method].options, field)
                rows &= np.asarray(values.isna(), bool)
            required = own[key].required or key == "keep"
            if required and rows.any():
                mistakes.add(
                    block.place, f"{key}: missing; method {method} requires it"
                )
            elif own[key].default is not None:
                values[rows] = own[key].default
        columns[key] = values
    return _seeded(_derive(pd.DataFrame(columns)))


def _preset(
    values: pd.api.extensions.ExtensionArray,
    rows: np.ndarray,
    table: pd.DataFrame,
    model: type[config.Options],
    field: config.ConfigField,
) -> None:
    """Fill in missing values of an option from the chosen preset."""
    for selector, case, value in config.presets(model, field.name):
        if selector in table:
            chosen = np.asarray((table[selector] == case).fillna(False), bool)
            values[rows & chosen] = value


def _derive(table: pd.DataFrame) -> pd.DataFrame:
    """Fill in options that are derived from the rest of a config."""
    for method, rows in _by_method(table):
        some = table if rows.all() else table[rows]  # copying takes long
        for name, values in METHODS[method].resolved(some).items():
            table.loc[rows, name] = values
    return table


def _by_method(table: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each method, and which configs are its."""
    for method in table["method"].unique():
        yield method, (table["method"] == method).to_numpy(bool)


def _seeded(table: pd.DataFrame) -> pd.DataFrame:
    """Derive fresh seeds, and fill in seeds that were left out.

    So conditions and engines need not know the defaults.
    """
    fresh = (table["seed"] == TO_DERIVE).to_numpy(bool)
    if fresh.any():
        first = fresh & table["replicate"].isna().to_numpy()
        table["replicate"] = table["replicate"].mask(first, 0)
        # Without `keep` a method is given its mask, by its options
        given = [name for name, entry in METHODS.items() if not entry.needs_keep]
        seeds = identity.fresh_seeds(table, options(), given)
        table["seed"] = table["seed"].mask(fresh, seeds)
    order = table["seed"].mask(fresh, table["seed"] % ORDERS)
    return table.assign(
        init_seed=table["init_seed"].fillna(table["seed"]),
        order_seed=table["order_seed"].fillna(order),
    )


def _holds(condition: str, table: pd.DataFrame) -> np.ndarray:
    """Evaluate a condition for every config of a block."""
    columns: dict[str, np.ndarray] = {}
    for name in conditions.names(condition):
        if name == "weights":
            columns[name] = _weights(table).to_numpy(np.float64)
        elif name in table:
            columns[name] = _plain(name, table)
        else:
            known = [k for k in table if not table[k].isna().all()]
            hint = spelling.suggest(name, [*known, "weights"], spelling.KEYS)
            raise conditions.WhereError(f"unknown name {name!r}; {hint}")
    return np.broadcast_to(conditions.evaluate(condition, columns), len(table))


def _plain(name: str, table: pd.DataFrame) -> np.ndarray:
    """Return a column without nulls as numbers, strings, or true and false."""
    column = table[name]
    if column.isna().any():
        method = table["method"][column.isna()].iloc[0]
        raise conditions.WhereError(
            f"{name} does not apply to method {method}; move that method to another "
            "block"
        )
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.to_numpy(bool)
    text = pd.api.types.is_string_dtype(column.dtype)
    return column.to_numpy(str if text else np.float64)


def _check_values(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> None:
    """Report values that contradict each other."""
    if not _check_batch(table, block, mistakes):
        return  # methods cannot plan an epoch without steps
    weights = _weights(table)
    large = (table["keep"] > weights).fillna(False)
    if large.any():
        first = large.idxmax()
        keep, width = table["keep"][first], table["width"][first]
        mistakes.add(
            block.place_of("keep", keep),
            f"keep: expected at most the {weights[first]} weights of width {width}, "
            f"got {keep} ({large.sum()} configs); lower it or add `where: keep <= "
            "weights`",
        )
    _check_init(table, block, mistakes)
    late = (table["stop_epoch"] > table["epochs"]).fillna(False)
    if late.any():
        stop, epochs = table[late].iloc[0][["stop_epoch", "epochs"]]
        mistakes.add(
            block.place_of("stop_epoch", stop),
            f"stop_epoch: expected at most the {epochs} epochs of the training, got "
            f"{stop}; lower it",
        )
    for method, rows in _by_method(table):
        part = table if rows.all() else table[rows]
        wrong = METHODS[method].check(part) or prepare.refusals(part)
        for field, message, value in wrong:
            mistakes.add(block.place_of(field, value), f"{field}: {message}")


def _check_batch(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> bool:
    """Report batches of which an epoch has too few; return whether there are none."""
    most = budgets.largest_batch_of_each(table)
    large = (table["batch"] > most).to_numpy(bool)
    if large.any():
        task, batch = table[large].iloc[0][["task", "batch"]]
        mistakes.add(
            block.place_of("batch", batch),
            f"batch: expected at most {most[large][0]:,}, half of the points of task "
            f"{task}, got {batch:,}; lower it",
        )
    return not large.any()


def _weights(table: pd.DataFrame) -> pd.Series:
    """Return the weights of the dense network of each config."""
    widths = table["width"].unique().tolist()
    found: pd.Series = table["width"].map({w: mlp.weight_count(w) for w in widths})
    return found


def _check_init(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> None:
    """Report initial weights that are too narrow for a network."""
    for source in set(table["init"].unique()) - {initial.DEFAULT}:
        widest = int(table.loc[table["init"] == source, "width"].max())
        try:
            initial.params(source, 0, widest)
        except ConfigError as error:
            mistakes.add(block.place_of("init", source), str(error))
