"""``force``: rounds of SNIP in which pruned weights may return."""

from typing import Any

from spiral.methods.progressive import Progressive, entry


def build(**options: Any) -> Progressive:
    """Return the method."""
    return Progressive(**options, returns=True)


ENTRY = entry(build, "rounds of SNIP in which pruned weights may return", grow="|w·g|")
