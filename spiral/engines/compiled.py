"""Numba's compiler, with a place for its cache wherever this package is installed."""

from collections.abc import Callable
from typing import Any

from spiral import homes
from spiral.errors import EngineUnavailable


def njit(**options: Any) -> Callable[[Any], Any]:
    """Return Numba's decorator of that name.

    Raises:
        EngineUnavailable: By the decorator, where no folder can hold the cache.
    """
    homes.settle_numba()
    import numba

    numba.config.reload_config()  # somebody else may have imported it before

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(**options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            raise EngineUnavailable(
                "no folder can hold the compiled kernels: set NUMBA_CACHE_DIR to a "
                "folder that you may write"
            ) from None

    return decorate
