"""Rewrite the golden files (``make golden``); read the diff before you keep it."""

import json
import runpy
from pathlib import Path

from spiral.sweep.grid import grid

FOLDER = Path(__file__).parent


def config_ids(document: dict) -> dict:
    """Return the golden configs with the ids that this version gives them."""
    return {
        name: {
            "config": case["config"],
            "id": grid.loads(json.dumps(case["config"])).configs["config_id"].item(),
        }
        for name, case in document.items()
    }


GOLDEN = {"config_ids.json": config_ids}


def rewrite(folder: Path = FOLDER) -> None:
    """Recompute every golden file of a folder from the inputs it holds."""
    for name, recompute in GOLDEN.items():
        path = folder / name
        document = recompute(json.loads(path.read_text()))
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def run_the_others() -> None:
    """Run the other scripts here; each rewrites its own file."""
    for script in sorted(FOLDER.glob("*.py")):
        if script.name != Path(__file__).name:
            runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    rewrite()
    run_the_others()
