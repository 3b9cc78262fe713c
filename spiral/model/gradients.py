"""Derivatives of the loss for a pack of networks, used by methods to score weights.

The loss of one network is written once and lifted over the pack with ``torch.func``.
Scores are computed in float64, so that rounding in a batched product does not decide a
mask.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import softplus

from spiral.model import mlp

Batch = tuple[Shaped[np.ndarray, "N B 2"], Shaped[np.ndarray, "N B"]]
Derivative = Float[np.ndarray, "N P"]

NUMBERS = 400_000
"""Parameters and activations of the networks differentiated at once: about the fastest
on one core for gradients, Hessian products and unrolled steps, from width 16 to 256."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that sums have one order whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def loss_of_one(
    width: int, smoothing: float = 0.0, temperature: float = 1.0
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the loss of one network: (params [P], x [2, B], y [B]) → scalar.

    Binary cross-entropy with logits, log(1 + exp(z)) - z·y', with the smoothed target
    y' = y(1 - ε) + ε/2 and the logit z divided by the temperature.
    """

    def loss(params: Float[Tensor, " P"], x: Tensor, y: Tensor) -> Tensor:
        z = mlp.logits(params, x, width, relu=torch.relu)
        z = z if temperature == 1 else z / temperature
        target = y if smoothing == 0 else y * (1 - smoothing) + smoothing / 2
        return (softplus(z) - z * target).mean()

    return loss


def gradient(
    params: Shaped[np.ndarray, "N P"],
    batch: Batch,
    width: int,
    temperature: float = 1.0,
    kind: type = np.float64,
) -> Derivative:
    """Return the gradient of each network's loss on its batch.

    Args:
        params: Parameters; a weight that is zero because it is masked gets its dense
            gradient.
        batch: Points and labels (0 or 1), as ``View.batch`` gives them.
        width: Hidden width w.
        temperature: Divides the logit.
        kind: ``np.float32`` where speed counts more than rounding.
    """
    slope = grad(loss_of_one(width, temperature=temperature))
    return _lift(slope, [params, *_turned(batch)], width, kind)


def hessian_times(
    params: Shaped[np.ndarray, "N P"],
    vectors: Shaped[np.ndarray, "N P"],
    batch: Batch,
    width: int,
    temperature: float = 1.0,
) -> Derivative:
    """Return the product of each network's Hessian with its own vector [P]."""
    slope = grad(loss_of_one(width, temperature=temperature))

    def along(params: Tensor, vector: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return slope(params, x, y) @ vector

    return _lift(grad(along), [params, vectors, *_turned(batch)], width)


def meta_gradient(
    params: Shaped[np.ndarray, "N P"],
    batches: Sequence[Batch],
    lr: Float[np.ndarray, " N"],
    momentum: float,
    width: int,
) -> Derivative:
    """Return ∂L(w_M; B_M)/∂c at c = 1, where SGD takes M steps from w_0 = c·w to w_M.

    With momentum, the gradient of the first step is treated as a constant, as in the
    authors' code, whose optimiser detaches a momentum buffer when it creates it.

    Args:
        params: Parameters w.
        batches: B_0 … B_M.
        lr: Learning rate of the steps.
        momentum: Momentum of the steps.
        width: Hidden width w.
    """
    loss = loss_of_one(width)
    slope = grad(loss)
    *inner, last = range(len(batches))

    def final(c: Tensor, params: Tensor, lr: Tensor, *data: Tensor) -> Tensor:
        pairs = list(zip(data[::2], data[1::2], strict=True))
        w, velocity = c * params, torch.zeros_like(params)
        for step in inner:
            new = slope(w, *pairs[step])
            velocity = momentum * velocity + new
            if momentum and step == 0:
                velocity = velocity.detach()
            w = w - lr * velocity
        return loss(w, *pairs[last])

    ones = np.ones_like(params)
    data = [array for batch in batches for array in _turned(batch)]
    return _lift(grad(final), [ones, params, lr, *data], width)


def tangent_slope(
    masks: Shaped[np.ndarray, "N P"],
    params: Shaped[np.ndarray, "N P"],
    points: Shaped[np.ndarray, "N B 2"],
    width: int,
) -> Derivative:
    """Return ∂/∂m of Σ_x ‖m ⊙ ∂f/∂θ(x; m⊙θ)‖², the trace of the tangent kernel.

    f is the logit; masks vary as real numbers. To first order the trace is the mean of
    Σ_x (f(x; m⊙(θ + ξ)) - f(x; m⊙θ))² over ξ ~ N(0, 1), see :func:`perturbed_slope`.

    Args:
        masks: m, zeros and ones; biases that are not to count have zeros.
        params: θ.
        points: x.
        width: Hidden width w.
    """

    def trace(m: Tensor, params: Tensor, x: Tensor) -> Tensor:
        stack = mlp.matrices(m * params, width)
        inputs = [x]
        for weights, biases in stack[:-1]:
            inputs.append(torch.relu(weights @ inputs[-1] + biases[:, None]))
        slope, total = torch.ones_like(x[:1]), x.new_zeros(())
        layers = zip(stack, mlp.matrices(m, width), inputs, strict=True)
        for (weights, _), kept, below in reversed(list(layers)):
            # The slope of a weight is that of its unit times its input
            squares = slope.square() @ below.square().T
            total = total + (kept[0].square() * squares).sum()
            total = total + (kept[1].square() @ slope.square()).sum()
            slope = (weights.T @ slope) * (below > 0)
        return total

    return _lift(grad(trace), [masks, params, points.transpose(0, 2, 1)], width)


def perturbed_slope(
    masks: Shaped[np.ndarray, "N P"],
    params: Shaped[np.ndarray, "N P"],
    noise: Shaped[np.ndarray, "N P"],
    points: Shaped[np.ndarray, "N B 2"],
    width: int,
) -> Derivative:
    """Return ∂/∂m of Σ_x (f(x; m⊙(θ + ξ)) - f(x; m⊙θ))² for a given ξ.

    Args:
        masks: m, zeros and ones.
        params: θ.
        noise: ξ.
        points: x.
        width: Hidden width w.
    """

    def change(m: Tensor, params: Tensor, noise: Tensor, x: Tensor) -> Tensor:
        before, after = (
            mlp.logits(m * theta, x, width, relu=torch.relu)
            for theta in (params, params + noise)
        )
        return (after - before).square().sum()

    turned = points.transpose(0, 2, 1)
    return _lift(grad(change), [masks, params, noise, turned], width)


def _turned(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch with the points as the last axis, as ``mlp.logits`` takes them."""
    points, labels = batch
    return points.transpose(0, 2, 1), labels


def _lift(
    function: Callable[..., Tensor],
    arrays: list[Shaped[np.ndarray, "N ..."]],
    width: int,
    kind: type = np.float64,
) -> Derivative:
    """Apply a function of one network to a pack, a bounded number at a time.

    In float64, equal networks on equal data are computed once: packs of scoring methods
    contain many (configs that differ only in ``keep`` or schedule).
    """
    which = np.arange(len(arrays[0]))
    if kind is np.float64:
        first, which = _distinct(arrays)
        arrays = [array[first] for array in arrays]
    numbers = mlp.param_count(width) + 3 * width * arrays[-1].shape[-1]
    chunk = max(1, NUMBERS // numbers)
    lifted = vmap(function)
    found = []
    with one_thread():
        for start in range(0, len(arrays[0]), chunk):
            part: list[np.ndarray] = [
                array[start : start + chunk].astype(kind) for array in arrays
            ]
            found.append(lifted(*map(torch.from_numpy, part)).numpy())
    return np.concatenate(found)[which]


def _distinct(
    arrays: list[Shaped[np.ndarray, "N ..."]],
) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " N"]]:
    """Return one network of each set of equal ones, and which set each belongs to."""
    known: dict[bytes, int] = {}
    keys = [
        b"".join(row.tobytes() for row in rows) for rows in zip(*arrays, strict=True)
    ]
    which = np.array([known.setdefault(key, len(known)) for key in keys])
    return np.unique(which, return_index=True)[1], which
