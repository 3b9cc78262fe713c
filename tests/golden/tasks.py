"""Points of the shipped tasks: ``python tests/golden/tasks.py`` rewrites them.

A change here gives results of equal names different data. Change the name instead.
"""

import json
from pathlib import Path

from spiral import tasks

FILE = Path(__file__).with_suffix(".json")
OTHERS = ("cubist(turns=3)", "moons(noise=0.1)", "planted(seed=1, shape=4-3-1, nnz=12)")
"""Tasks whose parameters are not defaults."""


def current() -> dict:
    """Return numbers of each task as this version builds it."""
    return {name: numbers(name) for name in (*tasks.names(), *OTHERS)}


def numbers(name: str) -> dict:
    """Return how many points a task has, a few of them, and its teacher's weights."""
    task = tasks.load(name)
    few = task.x[:: task.points // 7]
    weights = task.planted.weights.tolist() if task.planted else None
    return {
        "classes": [int((task.y == label).sum()) for label in (0, 1)],
        "points": few.tolist(),
        "mean": task.scale.mean.tolist(),
        "deviation": task.scale.deviation.tolist(),
        "weights": weights,
    }


def regenerate(path: Path = FILE) -> None:
    """Write the current numbers."""
    path.write_text(json.dumps(current(), indent=1) + "\n")


if __name__ == "__main__":
    regenerate()
