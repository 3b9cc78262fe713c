"""The program ``spiral-sweep``, also ``python -m spiral``."""

import atexit
import os
import signal
import sys

from spiral.sweep import signals, streams


def main() -> None:
    """Run a command line as a process of its own.

    Signals count from here on, before what a command needs is imported. A reader that
    leaves ends a command as it ends other programs; launches go on.
    """
    streams.fill_gaps()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with signals.ending(_stopped, last=True):
        code = _run()
    # Python would take the process apart while threads run: a library in C++ aborted
    # there, once in some sixty launches on a busy machine, with all work done
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _run() -> int:
    """Run a command line; return its exit code."""
    from spiral import cli

    try:
        cli.main(prog_name="spiral-sweep")
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def _stopped(name: str) -> str:
    """Return the message of a command that has nothing to go on with."""
    return f"stopped by {name}; nothing is half-written. Run it again to go on"


if __name__ == "__main__":
    main()
