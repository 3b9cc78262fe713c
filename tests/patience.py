"""How tests wait for other processes: until something holds, on however slow a machine.

Nothing else in the tests looks at a clock (see tests/test_rules.py).
"""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 600.0
"""Seconds after which a test gives up: a hundred times what any wait takes."""


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until a condition holds and return what it returned.

    Raises:
        AssertionError: It did not hold for so long that it never will.
    """
    ends = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.02)  # another process works meanwhile
    return found
