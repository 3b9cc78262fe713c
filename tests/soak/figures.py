"""What a campaign reached, and where: for people, and for RELIABILITY.md."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spiral import __version__
from spiral.sweep.launch import cores
from spiral.sweep.worker import machine


def of(campaign: Any, seed: int) -> dict[str, Any]:
    """Return the figures of a campaign."""
    versions = {name: machine()[name] for name in ("python", "numpy", "numba")}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{cores()} cores, {_processor()}, {machine()['system']}",
        "versions": {"spiral-sweep": __version__, **versions},
        "kinds": {name: _of_kind(campaign, name, seed) for name in campaign.goal},
    }


def _of_kind(campaign: Any, name: str, seed: int) -> dict[str, Any]:
    """Return the figures of one kind of fault."""
    found = {
        "survived": campaign.faults[name],
        "wanted": campaign.goal[name],
        "turns": campaign.turns[name],
        "seed": seed,
        "failed": [each for each in campaign.failures if each.startswith(f"{name}:")],
    }
    if name in campaign.skipped:
        found["skipped"] = campaign.skipped[name]
    if name in campaign.stages and campaign.stages[name].notes:
        found["notes"] = campaign.stages[name].notes
    return found


def _processor() -> str:
    """Return the processor's name, as the system tells it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return machine()["machine"]


def add(found: dict[str, Any], path: Path) -> None:
    """Replace the figures of the kinds that ran in a JSON file."""
    known = json.loads(path.read_text()) if path.exists() else {"kinds": {}}
    found = {**found, "kinds": {**known["kinds"], **found["kinds"]}}
    path.write_text(json.dumps(found, indent=1) + "\n")


PAGE = Path(__file__).parents[2] / "RELIABILITY.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
WORDS = {
    "kills": "random kills (SIGKILL, SIGTERM, SIGINT; launcher and workers)",
    "signals": "signals to launches on Ray (start, training, end)",
    "points": "fault points of the store x (kill before, kill after, EIO, disk full)",
    "files": "damaged, lost or foreign files found, and redone",
    "fuzz": "bad inputs answered in words",
    "cluster": "deaths in a Ray cluster of three nodes",
    "disk": "full disks and read-only folders",
    "pairs": "crowds of launches on one directory",
    "clock": "launches under a jumping clock",
    "memory": "launches without memory",
    "methods": "methods that break their contract",
    "networks": "packs with exploding networks",
    "hygiene": "packs in one launch without growth",
    "scale": "launches of 485,838 configs",
}


def render(found: dict[str, Any]) -> str:
    """Return the figures as a table in Markdown."""
    versions = ", ".join(f"{name} {value}" for name, value in found["versions"].items())
    lines = [f"{found['date']}, {found['machine']}; {versions}.", ""]
    lines += ["| fault | survived | goal | failed | seed |", "|---|---|---|---|---|"]
    for name, words in WORDS.items():
        if name in found["kinds"]:
            kind = found["kinds"][name]
            cells = [f"{kind[key]:,}" for key in ("survived", "wanted")]
            cells += [", ".join(kind["failed"]) or "none", str(kind["seed"])]
            lines.append(f"| {words} | {' | '.join(cells)} |")
    notes = [
        f"{name.partition(': ')[2]} {value}"
        for kind in found["kinds"].values()
        for name, value in kind.get("notes", {}).items()
    ]
    lines += ["", f"At scale: {'; '.join(notes)}."] if notes else []
    return "\n".join(lines)


def publish(path: Path) -> None:
    """Put the figures of a JSON file into RELIABILITY.md."""
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    table = render(json.loads(path.read_text()))
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
