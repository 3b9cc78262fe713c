"""What was run, from files."""

import pandas as pd
import pytest

from spiral.errors import StoreError
from spiral.methods.registry import options
from spiral.results import load, provenance, store
from tests.results import write_pack
from tests.results.test_load import GRID, written


@pytest.fixture
def launched(tmp_path):
    written(tmp_path, GRID.format(keep="[20, 22]", seed="0..2"))
    return tmp_path


def one(out):
    (run,) = provenance.runs([out], load.read([out], options()).rows)
    return run


def test_facts_of_a_launch(launched):
    run = one(launched)
    assert run.folder == str(launched)
    assert run.facts["configs"] == "6, 6 of them done"
    assert run.facts["packs"] == "1, 1 done, 0 given up"
    assert (run.facts["methods"], run.facts["widths"]) == ("gmp", "3")
    assert run.facts["seeds"] == "3"
    assert run.statuses == {"ok": 6}
    assert run.failures == {}
    assert "spiral-sweep 0." in run.facts["versions"]


def rewritten(out, footer, grid=None):
    """Give the only pack of a launch these facts."""
    (path,) = store.pack_files(out)
    table, _ = store.read_pack(path)
    write_pack(out, path.stem.removeprefix("pack-"), table, footer)
    configs, _ = store.read_manifest(out)
    if grid:
        store.write_manifest(out, configs, {"grid": grid})


def test_versions_machine_and_grid_are_those_of_the_files(launched):
    facts = {"seconds": 30.4, "machine": "m1", "system": "Linux", "torch": "2.9"}
    rewritten(launched, facts, "a <grid>")
    run = one(launched)
    assert run.facts["grid"] == "a <grid>"
    assert run.facts["machine"] == "Linux m1"
    assert run.facts["training"].startswith("30 s")
    assert "torch 2.9; NumPy unknown" in run.facts["versions"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (600, "10 minutes"), (9000, "2.5 hours")]
)
def test_times_are_said_as_people_do(launched, seconds, said):
    rewritten(launched, {"seconds": seconds})
    assert one(launched).facts["training"].startswith(said)


def test_packs_given_up_are_listed_unless_they_came_later(launched):
    configs, _ = store.read_manifest(launched)
    (done,) = configs["pack"].unique()
    more = configs.assign(pack="0" * 16, config_id=configs["config_id"].str[::-1])
    both = configs.merge(more, how="outer")
    store.write_manifest(launched, both, {"grid": "g"})
    for pack in (done, "0" * 16, "f" * 16):
        store.write_failure(launched, pack, f"error of {pack}")
    run = one(launched)
    assert run.failures == {"0" * 16: f"error of {'0' * 16}"}
    assert run.facts["configs"] == "12, 6 of them done"
    assert run.facts["packs"] == "2, 1 done, 1 given up"


def test_a_pack_that_cannot_be_read_has_no_facts(launched):
    rows = load.read([launched], options()).rows
    (path,) = store.pack_files(launched)
    path.write_bytes(b"broken")
    (run,) = provenance.runs([launched], rows)
    assert run.facts["configs"] == "6, 0 of them done"
    assert run.facts["machine"] == "unknown unknown"


def test_a_folder_without_a_launch_is_said(tmp_path):
    with pytest.raises(StoreError, match="expected a results directory"):
        provenance.runs([tmp_path], pd.DataFrame({"folder": []}))
