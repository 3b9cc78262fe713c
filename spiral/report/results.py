"""Reading the rows of launches."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from spiral import store
from spiral.errors import ConfigError, CorruptPack, StoreError

SUMMARY_COLUMNS = (
    "config_id method width keep lr schedule epochs seed init_seed order_seed status "
    "accuracy loss nnz nnz_params effective_nnz engine_used steps"
).split()


def read(out: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of one launch.

    Args:
        out: The results directory.
        columns: Which to read; all by default.

    Raises:
        StoreError: There are no rows yet.
        CorruptPack: A file cannot be read; `spiral-sweep verify` names all of them.
    """
    files = [str(path) for path in store.pack_files(out)]
    if not files:
        raise StoreError(f"{out} holds no rows yet; run `spiral-sweep launch` first")
    try:
        table = ds.dataset(files).to_table(None if columns is None else [*columns])
    except (pa.ArrowException, OSError) as error:
        raise CorruptPack(
            f"{out}: a result file cannot be read ({error}); "
            f"`spiral-sweep verify {out}` names it"
        ) from None
    return table.to_pandas(types_mapper=store.NULLABLE.get)


def find(out: Path, prefix: str) -> pd.Series:
    """Return the row whose config id starts with ``prefix``.

    Raises:
        ConfigError: No row or several rows do.
    """
    ids = read(out, ["config_id"])["config_id"]
    matches = ids[ids.str.startswith(prefix)]
    if len(matches) != 1:
        raise ConfigError(
            f"{len(matches)} rows of {out} have an id that starts with {prefix!r}; "
            f"give one such as {ids.iloc[0]!r} (column config_id)"
        )
    rows = read(out)
    return rows[rows["config_id"] == matches.iloc[0]].iloc[0]
