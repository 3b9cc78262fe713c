"""Masks of a thousand networks in one call, in seconds on a quiet machine."""

import time

import pytest

from spiral import experiment, job
from tests.methods import first_view, table

BARS = {
    "snip": 1,
    "grasp": 2,
    "synflow": 10,
    "force": 20,
    "iter_snip": 20,
    "prospr": 5,
}
NETWORKS = 1_000


def seconds(name: str) -> float:
    """Time one answer; every network has weights and a batch order of its own."""
    configs = table(name, NETWORKS, width=16, keep=26, epochs=50)
    method, view = experiment.build_method(configs.iloc[0]), first_view(configs)
    method.act(first_view(table(name, 2, width=16, keep=26)), None)  # load torch
    job.epoch_order.cache_clear()
    began = time.perf_counter()
    method.act(view, None)
    return time.perf_counter() - began


@pytest.mark.benchmark
@pytest.mark.parametrize("name", BARS)
def test_a_thousand_networks_are_scored_in_time(name):
    assert seconds(name) < BARS[name]
