"""Compare the accuracies of one grid on two devices.

Single networks differ: rounding grows over 19,500 steps. Their distribution must not.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from scipy import stats

from spiral.api.rows import load_rows
from spiral.methods.registry import config_fields

LEAST_P = 0.01
"""Probability below which the distributions count as different."""


def compare(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, object]:
    """Return how the accuracies of equal configs differ.

    Two-sample Kolmogorov–Smirnov test of all rows, the mean difference of pairs, and
    the same by method.
    """
    told_apart = config_fields().keys() - {"engine"}
    keys = [name for name in one.columns if name in told_apart]
    pairs = one.merge(other, on=keys, suffixes=("_one", "_other"), validate="1:1")
    if pairs.empty:
        sys.exit("expected rows of equal configs in both launches, got none")
    groups = {"all": pairs, **dict(iter(pairs.groupby("method", observed=True)))}
    found = {str(name): _difference(rows) for name, rows in groups.items()}
    whole = len(pairs) == len(one) == len(other)
    p = found["all"]["p"]
    return {"same": bool(whole and p >= LEAST_P), "rows": len(pairs), "groups": found}


def _difference(rows: pd.DataFrame) -> dict[str, float]:
    """Return the test of two columns of accuracies."""
    one, other = rows["accuracy_one"], rows["accuracy_other"]
    test = stats.ks_2samp(one, other, method="asymp")
    return {
        "networks": len(rows),
        "statistic": float(test.statistic),
        "p": float(test.pvalue),
        "mean_one": float(one.mean()),
        "mean_other": float(other.mean()),
        "equal": int((one == other).sum()),
    }


def main(one: str, other: str, target: str) -> None:
    """Compare two launches; write a JSON file, and fail if they differ."""
    found = compare(load_rows(one), load_rows(other))
    Path(target).write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found["groups"]["all"]) + "\n")
    sys.exit(not found["same"])


if __name__ == "__main__":
    main(*sys.argv[1:])
