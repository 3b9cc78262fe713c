"""Masks of a thousand networks in one call, against training in a plain loop."""

import pytest

from spiral import bench
from spiral.bench import baselines
from spiral.experiment import prepare
from spiral.protocol import orders
from tests.benchmarks.measure import at_most, seconds
from tests.methods import first_view, table

BARS = {
    "snip": 1,
    "grasp": 2,
    "synflow": 10,
    "force": 20,
    "iter_snip": 20,
    "prospr": 5,
}
"""Score of 1,000 networks → times as long as 1,000 steps of the loop, at most."""

NETWORKS = 1_000


@pytest.fixture(scope="module")
def loop():
    """Return the seconds that 1,000 steps of a plain loop take on this machine."""
    pack = bench.job_of(bench.CASES[2], 1)
    return 5 * seconds(lambda: baselines.loop(*pack, 200))


@pytest.mark.benchmark
@pytest.mark.parametrize("name", BARS)
def test_a_thousand_networks_are_scored_in_time(name, loop):
    """Every network has weights and a batch order of its own."""
    configs = table(name, NETWORKS, width=16, keep=26, epochs=50)
    method, view = prepare.build_method(configs.iloc[0]), first_view(configs)
    method.act(first_view(table(name, 2, width=16, keep=26)), None)  # load torch
    orders.forget()
    taken = seconds(lambda: method.act(view, None), repeats=1)
    at_most(BARS[name], f"{name} of {NETWORKS:,} networks", taken, loop)
