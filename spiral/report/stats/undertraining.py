"""Undertraining: accuracy, loss and entropy of networks over the training budget."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spiral.errors import ConfigError
from spiral.protocol.methods import Methods
from spiral.report.stats.row_filter import Where, select
from spiral.report.stats.selection import choose
from spiral.results import load, read

BY = ("method", "width", "epochs")
MORE = ("loss", "entropy", "running_loss")
MEDIANS = ("accuracy", *MORE)


def over_budget(found: pd.DataFrame) -> pd.DataFrame:
    """Return what longer trainings change.

    Entropies compare only between trainings of equal label smoothing, as each has a
    different floor (0.1985 nats at 0.1): where it differs, so do the lines.

    Args:
        found: Rows as ``load.read`` has them, with ``MORE``.

    Returns:
        A line for each method, width, ``keep``, ``smoothing`` and budget: its
        ``trained`` epochs in all (median), and medians of accuracy, loss, entropy and
        running loss over the seeds of the best setting; ``n`` seeds.
    """
    found = found.assign(smoothing=_smoothing(found))
    by = [*BY, "smoothing"] if found["smoothing"].nunique() > 1 else [*BY]
    choice = choose(found, by)
    some = choice.rows[choice.reported]
    epochs = read.epochs(some)
    by_group = some.assign(trained=epochs).groupby("group")
    medians = by_group[["trained", *MEDIANS]].median().astype("float64")
    return choice.groups.join(medians).assign(n=by_group.size())


def _smoothing(found: pd.DataFrame) -> pd.Series:
    """Return the label smoothing of rows, by the config or by an option of the method.

    Where no config controls it, methods without the option have none, which is no line
    of its own.
    """
    none = pd.Series(pd.NA, found.index, "Float64")
    own, common = found.get("smoothing", none), found["label_smoothing"]
    controlled = common > 0
    if not controlled.any():
        return own
    return own.fillna(0.0).mask(controlled, common)


def of_folders(
    folders: Sequence[Path], methods: Methods, where: Where | None = None
) -> pd.DataFrame:
    """Return :func:`over_budget` of the rows of launches.

    Args:
        folders: Results directories, or summaries of them.
        methods: Those that this process knows.
        where: Which of their rows (see ``select``); all by default.

    Raises:
        StoreError: One of them holds no rows yet.
        ConfigError: None of them has the entropy, or all have one budget.
    """
    found, _ = load.read(folders, methods.options, MORE)
    found = select(found, where or {}, methods)
    found = found[found["entropy"].notna()]
    budgets = sorted(found["epochs"].unique().tolist())
    if len(budgets) < 2:
        raise ConfigError(
            "expected rows with the entropy at two budgets or more (as epochs: "
            f"[50, 100]), got {budgets}; write summaries with `--with loss --with "
            "entropy --with running_loss`"
        )
    return over_budget(found)
