"""Find out all about one card: ``python -m tests.gpu``, or ``make gpu``."""

import sys
import tempfile
from pathlib import Path

from tests import gpu


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run every step and say where the figures are."""
    card = gpu.card()
    if card is None:
        sys.exit(
            "no CUDA device: `make gpu` needs an NVIDIA GPU and a PyTorch that finds it"
        )
    folder = gpu.folder_of(card)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        todo = gpu.steps(folder, Path(scratch))
        found = gpu.run(todo, folder, say)
    say(f"commit {folder.relative_to(gpu.ROOT)}, whatever passed")
    sys.exit(any(each["outcome"] != "passed" for each in found.values()))


if __name__ == "__main__":
    main()
