"""Numbers of the random streams: ``python tests/golden/streams.py`` rewrites them.

A change here changes every result: raise the version, and say so.
"""

import json
from pathlib import Path

from spiral.model import mlp, seeds
from spiral.protocol import orders
from spiral.tasks import cubist

FILE = Path(__file__).with_suffix(".json")


def current() -> dict:
    """Return the first numbers of each stream as this version draws them."""
    return {
        "init, seed 0, width 3": mlp.initial_params(0, 3)[:6].tolist(),
        "init, seed 1, width 16": mlp.initial_params(1, 16)[-6:].tolist(),
        "order, seed 0, epoch 0": orders.epoch_order(0, 0, cubist.POINTS)[:8].tolist(),
        "order, seed 2, epoch 49": orders.epoch_order(2, 49, cubist.POINTS)[
            :8
        ].tolist(),
        "random, seed 5, width 4": seeds.stream("random", 5, 4).random(4).tolist(),
        "children of seed 7": [seeds.child(7, n) for n in range(4)],
    }


def regenerate(path: Path = FILE) -> None:
    """Write the current numbers."""
    path.write_text(json.dumps(current(), indent=1) + "\n")


if __name__ == "__main__":
    regenerate()
