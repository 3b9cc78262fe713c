"""Packages that only some parts need, and the extras of pip that install them."""

from importlib.util import find_spec

from spiral.errors import MissingPackage

PACKAGES = {
    "torch": "PyTorch",
    "ray": "Ray",
    "mlflow": "MLflow",
    "obstore": "obstore",
    "numba_cuda": "numba-cuda",
}
"""Package → its name for people."""

EXTRAS = {"obstore": "cloud", "numba_cuda": "cuda"}
"""Package → the extra that installs it, if that is not called like it."""


def installed(package: str) -> bool:
    """Return whether a package can be found; does not import it."""
    try:
        return find_spec(package) is not None
    except ImportError:  # an import hook refuses it
        return False


def require(package: str, what: str, instead: str = "") -> None:
    """Raise MissingPackage unless a package is installed.

    Args:
        package: A key of :data:`PACKAGES`.
        what: What needs it, for the message.
        instead: What to do without it, for the message.
    """
    if not installed(package):
        raise MissingPackage(_sentence(package, what) + (instead and f", or {instead}"))


def explained(error: ImportError, what: str) -> MissingPackage | None:
    """Return the error to raise for a failed import, or None if no extra helps."""
    package = (error.name or "").partition(".")[0]
    if package not in PACKAGES or installed(package):
        return None
    return MissingPackage(_sentence(package, what))


def _sentence(package: str, what: str) -> str:
    """Return what is missing, and the command that installs it."""
    return (
        f"{what} needs {PACKAGES[package]}; install it by "
        f"`pip install 'spiral-sweep[{EXTRAS.get(package, package)}]'`"
    )
