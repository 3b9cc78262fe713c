"""A diagnosis of robustness in tables for people, and in full for JSON."""

import textwrap
from typing import Any

from spiral.report.studies.robustness.corruptions import CORRUPTIONS
from spiral.report.studies.robustness.diagnosis import Diagnosis
from spiral.report.studies.robustness.measure import KINDS
from spiral.report.text.comparison import as_text, records

TABLES = ("networks", "groups", "curves", "overlap", "redundancy")
SHOWN = ("method", "width", "keep", "n", "nnz", "accuracy", "mean_corruption", "drop")
POINTS = ("angle", "length", "margin", "room", "silent", "fragile", "lost")


def document(found: Diagnosis) -> dict[str, Any]:
    """Return all that a diagnosis has found, for JSON."""
    tables = {name: records(getattr(found, name)) for name in TABLES}
    sizes = {kind: [*values] for kind, (_, values) in CORRUPTIONS.items()}
    return {"corruptions": sizes, "notes": found.notes, **tables}


def page(found: Diagnosis) -> str:
    """Return the tables that people want to see."""
    order = ["width", "keep", "mean_corruption"]
    groups = found.groups.sort_values(order, ascending=[True, True, False])
    parts = [
        "mean_corruption: accuracy over eight kinds at five severities; drop: how much "
        "less that is than on clean points, as a share; angles are in degrees",
        as_text(groups[[*SHOWN, *POINTS]]),
        "accuracy under each kind",
        as_text(groups[["method", "width", "keep", *KINDS]]),
        "overlap of the points that are fragile, or lost, in two methods (Jaccard)",
        as_text(found.overlap),
        "how alike two kinds move the margins of points (correlation)",
        as_text(found.redundancy),
        *(textwrap.fill(f"note: {note}", 88) for note in found.notes),
    ]
    return "\n".join(f"{part}\n" for part in parts).rstrip()
