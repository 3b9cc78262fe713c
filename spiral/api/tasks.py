"""The task that a function of the API is asked about."""

from spiral.errors import ConfigError

CUBIST = "cubist"


def check(task: str) -> None:
    """Raise ConfigError unless there is such a task."""
    if task != CUBIST:
        raise ConfigError(f"expected the task {CUBIST}, got {task!r}")
