"""The program ``spiral-sweep``, also ``python -m spiral``."""

import atexit
import os
import sys
from signal import SIG_DFL

from spiral.sweep import signals, streams


def main() -> None:
    """Run a command line, and end the process.

    Signals are handled from here on, before the slow imports of a command. If the
    reader of a pipe leaves, commands end as other programs do; launches go on.
    """
    streams.fill_gaps()
    signals.on_closed_pipe(SIG_DFL)
    with signals.ending(_stopped, last=True):
        code = _run()
    # Skip the rest of Python's shutdown, during which threads still run: about once in
    # sixty launches on a busy machine, a C++ library aborted there with all work done
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
    """Return the message of a command that cannot be continued."""
    return f"stopped by {name}; no file is half-written. Run the command again"


if __name__ == "__main__":
    main()
