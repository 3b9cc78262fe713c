"""Planning the paper's 485,838 configs, against making the same table plainly."""

import json

import pytest

from tests.benchmarks.measure import at_most, command, cost
from tests.sweep.test_paper_grids import NAMES, SWEEPS

pytestmark = pytest.mark.benchmark

PLAIN = """
import hashlib
import pandas as pd
from tests.sweep.test_paper_grids import EXPECTED
tables = []
for name, made in EXPECTED.items():
    columns, rows = made()
    tables.append(pd.DataFrame(rows, columns=columns).assign(block=name))
table = pd.concat(tables, ignore_index=True)
columns = [column for column in table if column != "block"]
table["id"] = [
    hashlib.blake2b(repr(row).encode()).hexdigest()
    for row in table[columns].itertuples(index=False, name=None)
]
assert table["id"].nunique() == len(table) == 485_838
print(table.groupby("block").size().to_json())
"""
"""The columns that vary, and a digest of each row; no checks, no defaults, no packs."""


def test_planning_takes_little_more_than_a_table_in_pandas():
    plan = command("plan", *(SWEEPS / f"paper/{n}.yaml" for n in NAMES), "--json")
    plain = cost(PLAIN)
    assert json.loads(plan.out)["blocks"] == json.loads(plain.out)
    at_most(3, "time of planning", plan.seconds, plain.seconds)
    at_most(3, "memory of planning", plan.kilobytes, plain.kilobytes)
