"""What a campaign reached, and where: for people, and for RELIABILITY.md."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spiral import __version__
from spiral.sweep.launch import cores
from spiral.sweep.work import machine


def of(
    faults: Mapping[str, int],
    goal: Mapping[str, int],
    failures: Sequence[str],
    skipped: Mapping[str, str],
    seed: int,
) -> dict[str, Any]:
    """Return the figures of a campaign."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": seed,
        "machine": f"{cores()} cores, {machine()['system']} {machine()['machine']}",
        "versions": {"spiral-sweep": __version__, "python": machine()["python"]},
        "kinds": {
            name: {
                "survived": faults.get(name, 0),
                "wanted": wanted,
                "failed": [f for f in failures if f.startswith(f"{name}:")],
                **({"skipped": skipped[name]} if name in skipped else {}),
            }
            for name, wanted in goal.items()
        },
    }


def add(found: dict[str, Any], path: Path) -> None:
    """Replace the figures of the kinds that ran in a JSON file."""
    known = json.loads(path.read_text()) if path.exists() else {"kinds": {}}
    found = {**found, "kinds": {**known["kinds"], **found["kinds"]}}
    path.write_text(json.dumps(found, indent=1) + "\n")
