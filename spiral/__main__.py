"""The program ``spiral-sweep``, also ``python -m spiral``."""

import signal

from spiral.sweep import signals, streams


def main() -> None:
    """Run a command line as a process of its own.

    Signals count from here on, before what a command needs is imported. A reader that
    leaves ends a command as it ends other programs; launches go on.
    """
    streams.fill_gaps()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with signals.ending(_stopped, last=True):
        from spiral import cli

        cli.main()


def _stopped(name: str) -> str:
    """Return the message of a command that has nothing to go on with."""
    return f"stopped by {name}; nothing is half-written. Run it again to go on"


if __name__ == "__main__":
    main()
