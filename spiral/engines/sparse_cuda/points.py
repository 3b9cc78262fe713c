"""What kernels compute for one point, in float32."""

import math

import numpy as np
from numba import cuda

ZERO, ONE = np.float32(0), np.float32(1)


@cuda.jit(device=True, inline="always")
def relu(x):
    """0 where x < 0, else x; NaN stays."""
    return ZERO if x < ZERO else x


@cuda.jit(device=True, inline="always")
def gate(h, x):
    """0 where h <= 0, else x; passes x where h is NaN."""
    return ZERO if h <= ZERO else x


@cuda.jit(device=True, inline="always")
def softplus(z):
    """log(1 + exp(z)) without overflow; NaN stays."""
    above = z if z > ZERO else z * ZERO
    return above + math.log1p(math.exp(-abs(z)))


@cuda.jit(device=True, inline="always")
def sigmoid(z):
    """1 / (1 + exp(-z)) without overflow; NaN stays."""
    odds = math.exp(-abs(z))
    return (odds if z < ZERO else ONE) / (ONE + odds)


@cuda.jit(device=True, inline="always")
def delta(z, label, weight, low, high):
    """Return dL/dz = (σ(z) - y)·weight."""
    return (sigmoid(z) - (high if label > ZERO else low)) * weight


@cuda.jit(device=True, inline="always")
def weight(place, batch, share):
    """Return the weight of a point in the mean over a batch."""
    return share if place < batch else ZERO


@cuda.jit(device=True, inline="always")
def judge(z, label):
    """Return whether a logit is right, its loss and its entropy."""
    right = z > ZERO if label > ZERO else z < ZERO
    size = abs(z)
    odds = math.exp(-size)
    doubt = math.log1p(odds)
    loss = (z if z > ZERO else z * ZERO) + doubt - z * label
    return right, loss, doubt + size * odds / (ONE + odds)
