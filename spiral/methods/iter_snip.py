"""``iter_snip``: rounds of SNIP in which pruned weights stay pruned."""

from typing import Any

from spiral.methods.progressive import Progressive, entry


def build(**options: Any) -> Progressive:
    """Return the method."""
    return Progressive(**options, returns=False)


ENTRY = entry(build, "rounds of SNIP in which pruned weights stay pruned", grow="none")
