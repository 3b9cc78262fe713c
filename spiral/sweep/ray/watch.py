"""Watch the head of a Ray cluster, and report when it is gone.

Ray waits a minute for a head that does not answer and then aborts the process from C++,
so that no Python code could report it. This thread notices earlier.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import create_connection

SECONDS = 5.0
"""Interval between connection attempts, and the timeout of each."""

MISSES = 9
"""Failed attempts in a row after which the head counts as gone, before Ray gives up."""


@contextmanager
def watched(address: str, lost: Callable[[str], None]) -> Iterator[None]:
    """Watch a head, ``host:port``, during a block; call ``lost`` once if it is gone."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(address, over, lost), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2 * SECONDS)


def _watch(address: str, over: threading.Event, lost: Callable[[str], None]) -> None:
    """Connect at intervals until ``over`` is set or the head is gone."""
    host, _, port = address.rpartition(":")
    # A head that never answered may only be unreachable from here: count misses after
    # its first answer
    misses, known = 0, False
    while misses < MISSES:
        if over.wait(SECONDS):
            return
        try:
            create_connection((host, int(port)), timeout=SECONDS).close()
            misses, known = 0, True
        except OSError:
            misses += known
    lost(
        f"the head of the Ray cluster at {address} no longer answers. Finished packs "
        "are saved: start a head again (or leave out --address to use this machine) "
        "and run the same command to continue"
    )
