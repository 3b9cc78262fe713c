"""What is shipped is described by what the files contain."""

import pytest

from spiral.results import data_sets, summary
from spiral.sweep.grid import shipped

FOUND = data_sets.shipped(shipped.descriptions())


def test_every_shipped_summary_is_listed():
    assert [each.name for each in FOUND] == summary.names()


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.name)
def test_the_numbers_are_those_of_the_file(found):
    rows, facts = summary.read(summary.shipped(found.name))
    assert (found.rows, found.methods) == (len(rows), len({*rows["method"]}))
    assert found.seeds == len({*rows["seed"]})
    assert found.bytes == len(summary.shipped(found.name).read_bytes())
    assert found.versions == ", ".join(facts["version"])
    assert found.grid in shipped.files()
    assert found.meaning


def test_networks_are_counted(tmp_path, monkeypatch):
    some = summary.read(summary.shipped("leaders"))[0]
    some = some.assign(weights=[[1.0], *[None] * (len(some) - 1)])
    monkeypatch.setattr(summary, "read", lambda file: (some, {}))
    monkeypatch.setattr(summary, "names", lambda: ["leaders"])
    (found,) = data_sets.shipped({"leaders": "ten"})
    assert found.networks == 1
    assert found.cpus == ""
