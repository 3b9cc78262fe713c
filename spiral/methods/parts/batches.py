"""Points on which decisions are made: those that training sees next."""

import numpy as np

from spiral.protocol.job import View


def next_batches(view: View, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the batches that training sees next, as one: [N, B, 2] and [N, B]."""
    pairs = [view.batch(view.step + i) for i in range(count)]
    points, labels = zip(*pairs, strict=True)
    return np.concatenate(points, axis=1), np.concatenate(labels, axis=1)


def next_points(view: View, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return as many of the points that training sees next, and their labels."""
    batches = -(-count // view.batch(view.step)[0].shape[1])
    points, labels = next_batches(view, batches)
    return points[:, :count], labels[:, :count]
