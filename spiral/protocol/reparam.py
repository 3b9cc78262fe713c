"""Weight maps with learned masks: effective weights θ = φ(w, s), both of which train.

w are the stored weights [..., W], s further numbers (``Change.adapters``), c a number
of each step. Biases are not mapped. σ is the logistic function.

| kind | θ | s | penalty R |
|---|---|---|---|
| soft_threshold | sign(w)·max(abs(w) - σ(s), 0) | one a layer | – |
| power | sign(w)·abs(w)^c | none | – |
| sigmoid | w·κσ(cs) | one a weight | Σκσ(cs) |
| hard_concrete | w·clip(1.2σ((u + s)/β) - 0.1, 0, 1) | one a weight | ΣP(gate > 0) |
| top | w where s is among the k highest, else 0 | one a weight | – |
| top_size | w where abs(s) is among the k highest, else 0 | one a weight | – |
| soft_top | w·σ(c(abs(w) - τ)) where abs(w) is among the k highest, else 0 | none | – |
| product | w·s | one a weight | – |

u is the logit of uniform noise, τ makes the gates of all weights add up to k. Cuts at k
pass gradients straight through: in ``top`` s gets that of a factor on w, in
``soft_top`` w gets that of the soft gates.

The functions accept NumPy arrays and torch tensors, as those of ``adapters`` do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from spiral.model import mlp
from spiral.protocol import cuts

Kind = Literal[
    "soft_threshold",
    "power",
    "sigmoid",
    "hard_concrete",
    "top",
    "top_size",
    "soft_top",
    "product",
]
Array = Any  # np.ndarray or torch.Tensor

BETA = 2 / 3
"""β: the temperature of the hard concrete distribution (Louizos et al. 2018)."""

LIMITS = (-0.1, 1.1)
"""The interval to which it is stretched before it is cut to 0 … 1."""


@dataclass(frozen=True)
class Reparam:
    """A weight map whose numbers s train next to w, once a method creates them."""

    kind: Kind
    curve: Float[np.ndarray, " T"]
    """c of every step."""
    scale: float = 1.0
    """κ: a factor on every gate of ``sigmoid``."""
    penalty: float = 0.0
    """λ: λR is added to the loss."""
    rate: float = 1.0
    """Factor on the learning rate of s."""
    decays: bool = False
    """Whether the L2 penalty acts on s, too."""
    bound: float | None = None
    """Largest absolute value of s: after each step it is cut to that."""
    name: ClassVar[str] = "reparam"

    @property
    def setting(self) -> "Setting":
        """What defines θ and the penalty."""
        return Setting(self.kind, self.scale, self.penalty)


class Setting(NamedTuple):
    """What of a weight map defines θ and the penalty; hashable."""

    kind: Kind
    scale: float
    penalty: float


class Library(NamedTuple):
    """The functions that NumPy and torch spell in different ways."""

    where: Callable[..., Any]
    sign: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    join: Callable[[list[Any], int], Any]
    detach: Callable[[Any], Any]


NUMPY = Library(np.where, np.sign, cuts.sigmoid, np.concatenate, lambda array: array)


class Pair(NamedTuple):
    """Weights and numbers of networks at one step, and what follows from them."""

    w: Array  # [..., W]
    s: Array  # [..., Q]
    c: Array  # [...]
    given: tuple[Array, ...]  # see `given`
    setting: Setting
    width: int


def count(width: int, kind: Kind) -> int:
    """Return Q, the numbers s of a network."""
    sizes = {"none": 0, "layer": len(mlp.layers(width))}
    return sizes.get(MAPS[kind].numbers, mlp.weight_count(width))


def effective(
    params: Array,
    numbers: Array,
    here: Reparam | Setting,
    c: Array,
    given: tuple[Array, ...] = (),
    library: Library = NUMPY,
) -> Array:
    """Return the effective parameters of networks, [..., P].

    Args:
        params: Parameters [..., P].
        numbers: s [..., Q].
        here: The weight map.
        c: c of this step [...].
        given: What :func:`given` returns for these.
        library: NumPy's functions, or torch's.
    """
    pair = _pair(params, numbers, here, c, given, library)
    theta = MAPS[pair.setting.kind].weights(pair, library)
    parts: list[Array] = []
    biases = [each for _, each in mlp.matrices(params, pair.width)]
    for layer, own in zip(mlp.layers(pair.width), biases, strict=True):
        parts += [theta[..., layer.columns], own]
    return library.join(parts, -1)


def penalty(
    params: Array, numbers: Array, here: Reparam | Setting, c: Array, library: Library
) -> Array:
    """Return λR of networks [...]."""
    pair = _pair(params, numbers, here, c, (), library)
    return pair.setting.penalty * MAPS[pair.setting.kind].penalty(pair, library).sum(-1)


def weights_of(params: Array, library: Library = NUMPY) -> Array:
    """Return the weights [..., W] of parameters [..., P]."""
    width = mlp.width_of(params.shape[-1])
    lead = params.shape[:-1]
    found = [w.reshape(*lead, -1) for w, _ in mlp.matrices(params, width)]
    return library.join(found, -1)


def _pair(
    params: Array,
    numbers: Array,
    here: Reparam | Setting,
    c: Array,
    given: tuple[Array, ...],
    library: Library,
) -> Pair:
    setting = here.setting if isinstance(here, Reparam) else here
    width = mlp.width_of(params.shape[-1])
    return Pair(weights_of(params, library), numbers, c, given, setting, width)


def given(
    kind: Kind,
    params: Float32[np.ndarray, "N P"],
    numbers: Float32[np.ndarray, "N Q"],
    c: float,
    counts: Int[np.ndarray, "N G"] | None,
) -> tuple[np.ndarray, ...]:
    """Return what a map needs besides w, s and c, but for noise.

    Args:
        kind: The map.
        params: Parameters.
        numbers: s.
        c: c of this step.
        counts: Weights kept in all, or in each layer; None means all.

    Returns:
        For maps with a cut where it lets weights through, bool [N, W]; for ``soft_top``
        also τ, float32 [N, 1]; nothing for other maps.
    """
    ranks = MAPS[kind].ranks
    if ranks is None:
        return ()
    width = mlp.width_of(params.shape[1])
    scores = ranks(params[:, mlp.is_weight(width)], numbers)
    if counts is None:
        counts = np.full((len(scores), 1), scores.shape[1])
    kept = cuts.highest(scores, counts, width)
    if kind != "soft_top":
        return (kept,)
    threshold = cuts.threshold(scores.astype(np.float64), c, kept.sum(axis=1))
    return kept, threshold[:, None].astype(np.float32)


def hard_concrete(logits: Array, library: Library = NUMPY) -> Array:
    """Return the gates clip(1.2σ(logits) - 0.1, 0, 1)."""
    low, high = LIMITS
    return (library.sigmoid(logits) * (high - low) + low).clip(0, 1)


def _soft_threshold(pair: Pair, library: Library) -> Array:
    thresholds = library.sigmoid(pair.s)
    left = [
        abs(pair.w[..., layer.columns]) - thresholds[..., n : n + 1]
        for n, layer in enumerate(mlp.layers(pair.width))
    ]
    return library.sign(pair.w) * library.join(left, -1).clip(min=0)


def _power(pair: Pair, library: Library) -> Array:
    return library.sign(pair.w) * abs(pair.w) ** pair.c[..., None]


def _gates(pair: Pair, library: Library) -> Array:
    return pair.setting.scale * library.sigmoid(pair.c[..., None] * pair.s)


def _sigmoid(pair: Pair, library: Library) -> Array:
    return pair.w * _gates(pair, library)


def _hard_concrete(pair: Pair, library: Library) -> Array:
    (noise,) = pair.given
    return pair.w * hard_concrete((noise + pair.s) / BETA, library)


def _open(pair: Pair, library: Library) -> Array:
    """Return the probability that gates are not 0."""
    return library.sigmoid(pair.s - BETA * log(-LIMITS[0] / LIMITS[1]))


def _cut(pair: Pair, scores: Array, library: Library) -> Array:
    (kept,) = pair.given
    # adds 0; its gradient makes that of the scores the gradient of a factor on w
    pull = library.detach(pair.w) * (scores - library.detach(scores))
    return library.where(kept, pair.w, 0.0) + pull


def _top(pair: Pair, library: Library) -> Array:
    return _cut(pair, pair.s, library)


def _top_size(pair: Pair, library: Library) -> Array:
    return _cut(pair, abs(pair.s), library)


def _soft_top(pair: Pair, library: Library) -> Array:
    kept, threshold = pair.given
    size, c = abs(pair.w), pair.c[..., None]
    fixed = library.detach(library.sigmoid(c * (size - threshold)))
    share = fixed * (1 - fixed)
    total = share.sum(-1)[..., None]
    share = share / library.where(total > 0, total, total + 1)
    # adds 0; its gradient is that of τ, which keeps the sum of the gates
    moved = (share * (size - library.detach(size))).sum(-1)[..., None]
    soft = pair.w * library.sigmoid(c * (size - threshold - moved))
    return soft + library.detach(soft * kept - soft)


def _product(pair: Pair, library: Library) -> Array:
    return pair.w * pair.s


def _no_penalty(pair: Pair, library: Library) -> Array:
    return 0 * pair.w


class Map(NamedTuple):
    """One kind of weight map."""

    weights: Callable[[Pair, Library], Array]
    numbers: Literal["none", "layer", "weight"] = "weight"
    penalty: Callable[[Pair, Library], Array] = _no_penalty
    ranks: Callable[[Array, Array], Array] | None = None
    """For maps with a cut: from w and s to scores [..., W]."""
    noise: bool = False


MAPS: dict[str, Map] = {
    "soft_threshold": Map(_soft_threshold, "layer"),
    "power": Map(_power, "none"),
    "sigmoid": Map(_sigmoid, penalty=_gates),
    "hard_concrete": Map(_hard_concrete, penalty=_open, noise=True),
    "top": Map(_top, ranks=lambda w, s: s),
    "top_size": Map(_top_size, ranks=lambda w, s: abs(s)),
    "soft_top": Map(_soft_top, "none", ranks=lambda w, s: abs(w)),
    "product": Map(_product),
}
