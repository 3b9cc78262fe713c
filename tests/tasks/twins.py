"""Slow twins of tasks, point by point; they import nothing of what they judge."""

from math import cos, floor, log, pi, sin, sqrt

import numpy as np


def standardised(points):
    points = np.array(points)
    return (points - points.mean(axis=0)) / points.std(axis=0, ddof=1)


def moons(points=50_000):
    found = []
    for label in (0, 1):
        for k in range(points // 2):
            angle = pi * k / (points // 2 - 1)
            x, y = cos(angle), sin(angle)
            found.append((1 - x, 0.5 - y, 1) if label else (x, y, 0))
    return found


def rings(n=3, points=50_000):
    found = []
    for label in (0, 1):
        radii = [radius for radius in range(1, n + 1) if (radius - 1) % 2 == label]
        for radius in radii:
            count = floor(points // 2 * radius / sum(radii))
            for k in range(count):
                angle = 2 * pi * k / count
                found.append((radius * cos(angle), radius * sin(angle), label))
    return found


def spirals(turns=1.75, points=50_000):
    found = []
    for label, sign in ((0, 1), (1, -1)):
        for k in range(points // 2):
            angle = pi / 2 + 2 * pi * turns * k / (points // 2 - 1)
            radius = sign * angle / pi
            found.append((radius * cos(angle), radius * sin(angle), label))
    return found


def checkerboard(n=3, points=50_000):
    side = round(sqrt(points) / n)
    cells = [(i, k) for i in range(n) for k in range(side)]
    found = []
    for row, above in cells:
        for column, right in cells:
            x, y = (0.05 + 0.9 * (k + 0.5) / side for k in (right, above))
            found.append((column + x, row + y, (row + column) % 2))
    return found


def xor(points=50_000):
    """The sign of a product, with points as far from the axes as squares have them."""
    side = round(sqrt(points) / 2)
    line = [0.05 + 0.9 * (k + 0.5) / side for k in range(side)]
    line = [value - 1 for value in line] + line
    return [(x, y, int(x * y < 0)) for y in line for x in line]


def blobs(n=6, points=50_000):
    count, found = points // n, []
    deviation = abs(1 - np.exp(2j * pi / n)) / 10
    for blob in range(n):
        x, y = cos(2 * pi * blob / n), sin(2 * pi * blob / n)
        for k in range(count):
            radius = deviation * sqrt(-2 * log(1 - (k + 0.5) / count))
            angle = k * pi * (3 - sqrt(5))
            found.append((x + radius * cos(angle), y + radius * sin(angle), blob % 2))
    return found
