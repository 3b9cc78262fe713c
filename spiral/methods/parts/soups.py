"""Soups: averages of the parameters of networks that one config trains."""

from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from spiral.model import mlp, seeds
from spiral.protocol.job import Mask, Params
from spiral.tasks.task import Task

Members = Float32[np.ndarray, "m P"]
Soup = Float32[np.ndarray, " P"]
Rule = Callable[[Members], Soup]
"""Makes one network of its members."""


def stir(params: Params, members: int, rule: Rule) -> Params:
    """Replace the members of each config by their soup.

    Args:
        params: Members of each config side by side, [N·m, P].
        members: m.
        rule: Makes one network of m.
    """
    each = params.reshape(-1, members, params.shape[1])
    return np.repeat(np.stack([rule(some) for some in each]), members, axis=0)


def union(kept: Mask, members: int) -> Mask:
    """Give every member the weights that any member of its config keeps."""
    each = kept.reshape(-1, members, kept.shape[1]).any(axis=1)
    return np.repeat(each, members, axis=0)


def uniform(members: Members) -> Soup:
    """Return the mean; of equal members it is the member, to the bit."""
    return np.asarray(members.mean(axis=0, dtype=np.float64), np.float32)


def greedy(members: Members, task: Task) -> Soup:
    """Return the mean of those members that help (Wortsman et al., ICML 2022).

    The best comes first; each next one stays if the mean with it is no worse on a tenth
    of the points. So the soup is at least as good there as the best member.
    """
    correct = [_correct(member, task) for member in members]
    first, *others = np.argsort(np.negative(correct), kind="stable").tolist()
    chosen, best = [first], correct[first]
    for member in others:
        found = _correct(uniform(members[[*chosen, member]]), task)
        if found >= best:
            chosen, best = [*chosen, member], found
    return uniform(members[chosen])


@cache
def tenth(points: int) -> Int[np.ndarray, " D"]:
    """Return the points on which greedy soups are scored, one draw for all configs.

    Args:
        points: How many the task has.
    """
    drawn = seeds.stream("hold-out", 0).permutation(points)
    chosen: Int[np.ndarray, " D"] = drawn[: points // 10]
    return chosen


def _correct(params: Float[np.ndarray, " P"], task: Task) -> int:
    """Count the points of the tenth with the right sign."""
    some = tenth(task.points)
    z = mlp.logits(params, task.x[some].T, mlp.width_of(len(params)))
    right: Bool[np.ndarray, " D"] = np.where(task.y[some] > 0, z > 0, z < 0)
    return int(right.sum())
