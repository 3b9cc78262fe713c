"""Watches the head of a Ray cluster, and says when it is gone.

Ray waits a minute for a head that does not answer, and then aborts the process from
within C++, with a message of its own; nothing in Python is asked.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import create_connection

SECONDS = 5.0
"""Between two knocks; also how long one waits for an answer."""

MISSES = 9
"""Knocks in a row without an answer after which a head is gone: before Ray gives up."""


@contextmanager
def watched(address: str, lost: Callable[[str], None]) -> Iterator[None]:
    """Knock at a head, ``host:port``, while something runs; call ``lost`` once."""
    over = threading.Event()
    thread = threading.Thread(target=_knock, args=(address, over, lost), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2 * SECONDS)


def _knock(address: str, over: threading.Event, lost: Callable[[str], None]) -> None:
    """Knock until it is over or nobody answers."""
    host, _, port = address.rpartition(":")
    misses, known = 0, False  # one that never answered may be out of sight, not gone
    while misses < MISSES:
        if over.wait(SECONDS):
            return
        try:
            create_connection((host, int(port)), timeout=SECONDS).close()
            misses, known = 0, True
        except OSError:
            misses += known
    lost(
        f"the head of the Ray cluster at {address} does not answer any more. All "
        "packs that were done are saved: start a head again (without --address Ray "
        "starts its own) and run the same command"
    )
