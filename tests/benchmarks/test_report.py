"""A page of as many rows as the paper has, from disk."""

import pytest

from tests.benchmarks.measure import at_most, command, cost
from tests.benchmarks.test_compare import PLAIN, launched, paper

pytestmark = pytest.mark.benchmark


def test_a_report_of_half_a_million_rows_takes_a_few_readings_of_them(tmp_path):
    launched(tmp_path, paper())
    page = tmp_path / "report.html"
    ran = command("report", tmp_path, "-o", page)
    plain = cost(PLAIN, tmp_path / "results")
    assert "485,838 rows" in page.read_text()
    assert page.stat().st_size < 6e6
    at_most(8, "time of a report", ran.seconds, plain.seconds)
    at_most(2, "memory of a report", ran.kilobytes, plain.kilobytes)
