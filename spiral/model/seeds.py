"""Random streams keyed by their purpose, never by position or pack.

NumPy's Philox is counter-based: a 128-bit key names a stream, and streams of different
keys are independent. Keys are digests of (purpose, seed, architecture ...), so one
config draws the same numbers in any pack, on any machine, in any order.
"""

import hashlib

import numpy as np


def stream(purpose: str, seed: int, *key: int | str) -> np.random.Generator:
    """Return the random stream of one purpose.

    Args:
        purpose: What the numbers are for, e.g. ``"init"`` or ``"order"``.
        seed: The config's seed for that purpose.
        key: Further parts of the key, e.g. the width or the epoch.
    """
    name = "|".join(map(str, (purpose, seed, *key)))
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def child(seed: int, number: int) -> int:
    """Return the seed of a config's sibling; number 0 is the config's own."""
    if number == 0:
        return seed
    return int(stream("sibling", seed, number).integers(2**53))
