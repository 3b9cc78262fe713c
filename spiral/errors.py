"""Every error that spiral-sweep raises on purpose.

::

    SpiralError            exit code 1 unless said otherwise
    ├── ConfigError        2  a grid, option or argument is wrong
    ├── EngineUnavailable  2  the engine exists but not on this machine
    ├── MissingPackage     2  an optional package is not installed
    ├── UnsupportedJob     2  the engine cannot run this method, with the reason
    ├── MethodError        3  a method breached its contract (its pack fails)
    ├── LaunchIncomplete   3  the launch finished, with failed packs
    └── StoreError         1  the results directory cannot be used
        ├── CorruptPack    4  a result file is not what was written
        └── SchemaMismatch 4  a result file has columns unknown to this version

A message says what was expected, what arrived and what to do.
"""


class SpiralError(Exception):
    """Base class; ``exit_code`` is the exit code of a command that raises it."""

    exit_code = 1


class ConfigError(SpiralError):
    """A grid, option or argument is wrong; the message lists every mistake found."""

    exit_code = 2


class EngineUnavailable(SpiralError):
    """The engine exists, but this machine lacks what it needs."""

    exit_code = 2


class MissingPackage(SpiralError):
    """What was asked for needs a package that is not installed."""

    exit_code = 2


class UnsupportedJob(SpiralError):
    """The engine cannot train this plan; the message gives the reason."""

    exit_code = 2


class MethodError(SpiralError):
    """A method breached its contract; the message names the row."""

    exit_code = 3
    step: int | None = None
    """The event at which the method failed on a pack, -1 at its start; else None."""


class LaunchIncomplete(SpiralError):
    """The launch ended, but some packs failed."""

    exit_code = 3


class StoreError(SpiralError):
    """The results directory cannot be read or written."""


class CorruptPack(StoreError):
    """A result file is truncated, damaged or not the pack its name says."""

    exit_code = 4


class SchemaMismatch(StoreError):
    """A table does not have the columns of this version."""

    exit_code = 4
