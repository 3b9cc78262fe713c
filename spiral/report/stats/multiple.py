"""Corrections for making many comparisons at once."""

import numpy as np
from jaxtyping import Float, Int


def holm(
    p: Float[np.ndarray, " K"], family: Int[np.ndarray, " K"]
) -> Float[np.ndarray, " K"]:
    """Return p-values that hold for all comparisons of a family at once.

    Where those up to 0.05 are called significant, the probability of even one false
    call in the family is at most 0.05, however the comparisons depend on each other.

    Source: Holm, *A simple sequentially rejective multiple test procedure*,
    Scandinavian Journal of Statistics 1979.

    Args:
        p: Of single comparisons; NaN for none, which does not count.
        family: A number for the family of each.
    """
    order = np.lexsort((p, family))  # NaN comes last
    sizes = np.bincount(family[~np.isnan(p)], minlength=family.max(initial=-1) + 1)
    start = np.flatnonzero(np.diff(family[order], prepend=-1))
    place = np.arange(len(p)) - np.repeat(start, np.diff(np.append(start, len(p))))
    scaled = p[order] * (sizes[family[order]] - place)
    found = np.empty_like(p)
    for part in np.split(np.arange(len(p)), start[1:]):
        found[order[part]] = np.fmin(np.fmax.accumulate(scaled[part]), 1)
    return np.where(np.isnan(p), np.nan, found)
