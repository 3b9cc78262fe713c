"""Count the masks of a shape, labelled and up to symmetry, without enumerating them.

Counts are polynomials in x, where the exponent of x is the number of weights. They are
evaluated at one power of two so large that the coefficients occupy separate bits of a
Python integer (Kronecker substitution): exact, and a product of polynomials is one
product of integers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import comb, factorial, gcd, lcm, prod

from spiral.search.shape import Shape, checked, sizes, weight_count

Cycles = tuple[int, ...]
"""The cycle lengths of a permutation, longest first."""


@dataclass(frozen=True)
class Count:
    """Complete masks of a shape."""

    labelled: int
    canonical: int
    """Orbits under renumbering the hidden units of each layer."""
    by_nnz: dict[int, int]
    """Orbits by number of weights, output layer included."""


def count(shape: Shape, nnz: range | None = None) -> Count:
    """Count the complete masks of a shape.

    Burnside's lemma over S_d1×S_d2×S_d3: the number of orbits is the mean over the
    group of the number of masks fixed by a permutation, summed here over the cycle
    types of layer 2. Given one, layers 1 and 3 are independent: d1 unordered pairs
    (inputs, column of W2) and d3 unordered rows of W3, so that the mean over S_d1 or
    S_d3 is the cycle index of that group.

    Args:
        shape: Hidden units; 12-12-12 takes some seconds, 16-16-16 two minutes.
        nnz: Numbers of weights to count, output layer included.

    Raises:
        ValueError: The shape is invalid.

    Source:
        Burnside's lemma and Pólya's cycle index, with inclusion–exclusion over zero
        rows and columns.
    """
    _, d2, d3 = shape = checked(shape)
    bits = weight_count(shape)  # enough for any coefficient: there are 2**W masks
    x = 1 << bits
    layers = {
        cycles: _layers(cycles, shape, x)
        for units in range(d2 + 1)
        for cycles in _partitions(units, units)
    }
    total = 0
    for cycles in _partitions(d2, d2):
        parts = list(_parts(cycles))
        first = sum(ways * layers[part][0] for part, ways in parts)
        third = sum(ways * layers[part][1] for part, ways in parts)
        total += _permutations(cycles) * first * third * x**d3
    orbits = _coefficients(total // factorial(d2), bits, nnz)
    labelled = prod(_complete(*size, x) for size in sizes(shape))
    return Count(
        sum(_coefficients(labelled, bits, nnz).values()), sum(orbits.values()), orbits
    )


def _layers(cycles: Cycles, shape: Shape, x: int) -> tuple[int, int]:
    """Count the layers 1 and 3 that a permutation of some units of layer 2 fixes.

    They use every unit of layers 1 and 3, and both inputs: by inclusion–exclusion, all
    minus twice those with one input. Units of layer 2 may be unused; ``_parts``
    corrects for that.
    """
    d1, _, d3 = shape
    powers = range(1, max(d1, d3) + 1)
    links = [_links(cycles, k, x) for k in powers]
    one = [x**k * links[k - 1] for k in powers]
    two = [_links((1, 1), k, x) * links[k - 1] for k in powers]
    return _unordered(d1, two) - 2 * _unordered(d1, one), _unordered(d3, links)


def _links(cycles: Cycles, power: int, x: int) -> int:
    """Count the nonempty sets of units fixed by a power of a permutation, in x**power.

    A cycle of length i splits into gcd(i, power) cycles, each of which a fixed set
    contains completely or not at all.
    """
    sets = prod((1 + x ** lcm(i, power)) ** gcd(i, power) for i in cycles)
    return sets - 1


def _unordered(size: int, power_sums: list[int]) -> int:
    """Evaluate the cycle index of the symmetric group: n·Z_n = Σ p_k·Z_(n-k)."""
    index = [1]
    for n in range(1, size + 1):
        index.append(
            sum(power_sums[k - 1] * index[n - k] for k in range(1, n + 1)) // n
        )
    return index[size]


def _complete(rows: int, columns: int, x: int) -> int:
    """Count matrices without zero rows or columns, by inclusion–exclusion over rows."""
    return sum(
        (-1) ** i * comb(rows, i) * ((1 + x) ** (rows - i) - 1) ** columns
        for i in range(rows + 1)
    )


def _partitions(total: int, largest: int) -> Iterator[Cycles]:
    """Yield the cycle types of permutations of ``total`` elements."""
    if total == 0:
        yield ()
    for first in range(min(total, largest), 0, -1):
        for rest in _partitions(total - first, first):
            yield (first, *rest)


def _permutations(cycles: Cycles) -> int:
    """Return the number of permutations with this cycle type: n! / Π iᵐ·m!."""
    same = prod(i**m * factorial(m) for i, m in Counter(cycles).items())
    return factorial(sum(cycles)) // same


def _parts(cycles: Cycles) -> Iterator[tuple[Cycles, int]]:
    """Yield every subset of the cycles of a cycle type, with its signed number.

    The signs are those of inclusion–exclusion over unused units of layer 2: a set of
    unused units that the permutation fixes consists of whole cycles.
    """
    lengths = Counter(cycles)
    for kept in product(*(range(m + 1) for m in lengths.values())):
        left = zip(lengths.items(), kept, strict=True)
        ways = prod(comb(m, k) for (_, m), k in left)
        sign = (-1) ** (len(cycles) - sum(kept))
        yield (
            tuple(i for i, k in zip(lengths, kept, strict=True) for _ in range(k)),
            sign * ways,
        )


def _coefficients(value: int, bits: int, nnz: range | None) -> dict[int, int]:
    """Read a polynomial's nonzero coefficients by exponent."""
    found = {}
    exponent = 0
    while value:
        value, coefficient = value >> bits, value & ((1 << bits) - 1)
        if coefficient and (nnz is None or exponent in nnz):
            found[exponent] = coefficient
        exponent += 1
    return found
