"""Networks that explode, beside networks that do not."""

from random import Random

import pandas as pd

from tests import VARYING
from tests.soak.stage import Stage, check

WANTED = 20
WELL = "{method: [gmp, random], keep: 12, width: 3, epochs: 1, batch: 2000, seed: 0..3"
RATES = (1e3, 1e6, 1e9)


def turn(stage: Stage, chance: Random) -> int:
    """Train with absurd rates beside sound ones: rows say so, neighbours stay."""
    rates = [0.1, *chance.sample(RATES, 2)]
    decay = chance.choice([5e-4, 1e6])
    alone = _rows(stage, "alone", f"{WELL}, lr: 0.1}}")
    extra = f"weight_decay: [5.0e-4, {decay:e}]" if decay > 1 else ""
    both = _rows(stage, "both", f"{WELL}, lr: {rates}, {extra}}}".replace(", }", "}"))
    shared = both[both["config_id"].isin(alone["config_id"])]
    check(_values(shared) == _values(alone), "neighbours changed")
    wild = both[~both["config_id"].isin(alone["config_id"])]
    diverged = int((wild["status"] == "diverged").sum())
    check(diverged > 0, "nothing exploded")
    finite = wild["loss"].map(lambda loss: loss == loss and abs(loss) < float("inf"))
    check(finite[wild["status"] != "diverged"].all(), "an infinite loss is not said")
    return 1


def _rows(stage: Stage, name: str, text: str) -> pd.DataFrame:
    """Launch a grid and return its rows."""
    grid, out = stage.folder / f"{name}.yaml", stage.fresh(name)
    grid.write_text(text)
    local = ("--executor", "local", "--workers", 1)
    child = stage.start("launch", grid, "--out", out, *local)
    check(child.wait() == 0, child.said)
    found: pd.DataFrame = pd.read_parquet(out)
    return found


def _values(table: pd.DataFrame) -> str:
    """Return the exact text of all values, by config."""
    ordered = table.sort_values("config_id").drop(columns=[*VARYING])
    return repr([[repr(v) for v in row] for row in ordered.itertuples(index=False)])
