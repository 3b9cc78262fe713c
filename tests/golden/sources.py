"""Stamps of the sparse kernels: ``python tests/golden/sources.py`` rewrites them.

Numba decides by a file's own content whether its cached machine code is still good.
What a kernel takes from its neighbours must therefore show in its own file.
"""

import hashlib
import re
from pathlib import Path

from spiral.engines import sparse

FOLDER = Path(sparse.__file__).parent
STAMP = re.compile(r'^SOURCE = "([^"]*)"$', re.MULTILINE)


def digest() -> str:
    """Return the digest of what the kernels are made of beside themselves."""
    names = ["llvm", "vectors", "sums", "lists", "kernel"]
    names += ["forward_choice", "forward_lists"]
    parts = [STAMP.sub("", (FOLDER / f"{name}.py").read_text()) for name in names]
    return hashlib.blake2b("".join(parts).encode(), digest_size=8).hexdigest()


def stamps() -> dict[str, str]:
    """Return file → the digest it carries."""
    return {
        file.name: stamp[1]
        for file in FOLDER.glob("*.py")
        if (stamp := STAMP.search(file.read_text()))
    }


def regenerate() -> None:
    """Write the present digest into the kernels."""
    for name in stamps():
        file = FOLDER / name
        file.write_text(STAMP.sub(f'SOURCE = "{digest()}"', file.read_text()))


if __name__ == "__main__":
    regenerate()
