"""Numba's compiler, with a writable cache wherever this package is installed."""

from collections.abc import Callable
from typing import Any

from spiral import homes
from spiral.errors import EngineUnavailable


def njit(**options: Any) -> Callable[[Any], Any]:
    """Return Numba's decorator of the same name.

    Raises:
        EngineUnavailable: By the decorator, if no folder for the cache is writable.
    """
    homes.settle_numba()
    import numba

    numba.config.reload_config()  # another package may have imported it before

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(**options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            raise EngineUnavailable(
                "expected a writable folder for compiled kernels, got none; set "
                "NUMBA_CACHE_DIR to one"
            ) from None

    return decorate
