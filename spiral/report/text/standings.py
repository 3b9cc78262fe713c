"""The document of the standings: the shipped methods of one width, ranked."""

import pandas as pd

from spiral.report.stats.standings import Standings
from spiral.report.text import comparison, scores
from spiral.report.text.document import Document, Table


def document(found: Standings) -> Document:
    """Return all of the standings."""
    main = Table(title(found), found.scores, table(found), definitions(found))
    raw = {"excess": found.excess, "sizes": found.sizes}
    facts = {"width": found.width}
    rest = {name: Table(name, each) for name, each in raw.items()}
    return Document({"scores": main} | rest, found.notes, facts=facts)


def table(found: Standings) -> pd.DataFrame:
    """Return the standings, a line for each method."""
    shown = scores.shown(found.scores, ["method"])
    lowest = found.excess["threshold"] == found.excess["threshold"].min()
    lines = found.excess[lowest].set_index("method").loc[shown["method"]]
    needed = comparison.needed(lines).join(comparison.yardsticks(lines))
    shown = shown.join(needed.set_axis(shown.index).drop(columns="protocol"))
    return shown.assign(epochs=[f"{each:.0f}" for each in found.scores["epochs"]])


def title(found: Standings) -> str:
    """Return what was compared."""
    tried, seeds = found.tried, found.scores["n"]
    counts = (
        f"{seeds.min()}" if seeds.nunique() == 1 else f"{seeds.min()}–{seeds.max()}"
    )
    over = " × ".join(
        f"{name} {{{', '.join(str(value) for value in values)}}}"
        for name, values in found.settings.items()
    )
    most = int(found.scores["settings"].max())
    tuned = f"tuned over up to {most} settings of {over}" if over else "at defaults"
    return (
        f"Methods at width {found.width}, {len(tried)} sizes from {tried[0]} to "
        f"{tried[-1]} weights, n = {counts} seeds, {tuned}"
    )


def definitions(found: Standings) -> dict[str, str]:
    """Return what the columns of the standings mean."""
    lowest = found.excess.sort_values("threshold").iloc[0]
    accuracy, fewest = f"{lowest['threshold']:g}", lowest["best_known"]
    known = "none known" if pd.isna(fewest) else f"{fewest} weights"
    return scores.COLUMNS | {
        "median": "between which numbers of weights half of the seeds begin to reach "
        f"{accuracy}, and the excess over the best known by any means ({known}); > "
        "none of the sizes tried reaches it, ≤ the smallest size tried does. Methods "
        "that remove whole units keep at most the weights asked for, all others "
        "exactly as many",
        "interval": comparison.EXCESS["interval"],
        "best": "the fewest weights with which any seed reaches it",
        "random": comparison.YARDSTICKS["random"],
        "epochs": "epochs of one setting and seed, all trainings together (median)",
    }
