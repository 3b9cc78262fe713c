"""The cost model against what engines do here."""

import pytest

from spiral import bench
from tests.benchmarks.measure import at_most

pytestmark = pytest.mark.benchmark


def test_the_model_is_off_by_much_the_same_for_all_engines():
    """How fast this machine is cancels out; a term of the model that is wrong stays."""
    factors = bench.calibrate().values()
    at_most(10, "the slowest engine by the model", max(factors), min(factors))
