"""Rows of several launches, from files."""

import numpy as np
import pandas as pd
import pytest

import spiral
from spiral.errors import StoreError
from spiral.methods.registry import options
from spiral.model import masks, mlp
from spiral.protocol import config
from spiral.results import columns, load, packed, store, summary, versions
from spiral.sweep.grid import grid
from tests.results import write_pack

GRID = "{{method: gmp, width: 3, keep: {keep}, seed: {seed}}}"


def written(out, text, accuracy=0.9, drop=(), params=None):
    """Write a launch of made-up results, without some columns; return the configs.

    Networks have the given parameters, if any; those that are zero are masked.
    """
    configs = grid.loads(text).configs
    count = len(configs)
    places = np.arange(mlp.param_count(3))
    kept = [(places % 5 == s).sum() for s in range(count)]
    mask = [masks.to_bits(places % 5 == s) for s in range(count)]
    results = {
        "status": ["ok"] * count,
        "accuracy": [accuracy] * count,
        "task_chance": [0.5] * count,
        "mask": mask,
        "weights": [[0.5] * int(bits) for bits in kept],
        "engine_used": ["sparse"] * count,
        "connected": [True] * count,
    }
    if params is not None:
        results["mask"] = [masks.to_bits(row != 0) for row in params]
        results["weights"] = [row[row != 0] for row in params]
    numbers = [name for name in columns.RESULTS if name not in results]
    results |= {name: [7] * count for name in numbers}
    table = columns.assemble(configs, results, options()).drop(list(drop))
    pack = packed.pack_id(configs["config_id"])
    for folder in (store.results_folder(out), store.scratch(out)):
        folder.mkdir(parents=True, exist_ok=True)
    write_pack(out, pack, table, {})
    store.write_manifest(out, configs.assign(pack=pack), {})
    return configs


def test_one_launch_is_read_without_masks_and_weights(tmp_path):
    configs = written(tmp_path, GRID.format(keep=20, seed="0..3"))
    found, notes = load.read([tmp_path], options())
    assert found["config_id"].tolist() == configs["config_id"].tolist()
    assert found["seed"].tolist() == [0, 1, 2, 3]
    assert set(found["folder"]) == {0}
    assert notes == []
    assert not {"mask", "weights"} & set(found)
    assert {*load.MEASURED, *config.fields_of("gmp", options())} < set(found)
    assert "rate" not in found  # an option of other methods


def test_several_launches_are_one_table(tmp_path):
    for number, keep in enumerate((20, 22)):
        written(tmp_path / str(number), GRID.format(keep=keep, seed="0..1"))
    found, notes = load.read([tmp_path / "0", tmp_path / "1"], options())
    assert found["keep"].tolist() == [20, 20, 22, 22]
    assert found["folder"].tolist() == [0, 0, 1, 1]
    assert notes == []


def test_a_config_of_several_launches_counts_once_as_in_the_first(tmp_path):
    written(tmp_path / "0", GRID.format(keep=20, seed="0..2"), accuracy=0.7)
    written(tmp_path / "1", GRID.format(keep=20, seed="1..4"), accuracy=0.8)
    written(tmp_path / "2", GRID.format(keep=20, seed="4..4"), accuracy=0.8)
    found, notes = load.read([tmp_path / name for name in "012"], options())
    assert found["seed"].tolist() == [0, 1, 2, 3, 4]
    assert found["accuracy"].tolist() == [0.7, 0.7, 0.7, 0.8, 0.8]
    assert found.index.tolist() == [0, 1, 2, 3, 4]
    (note,) = notes
    assert "3 rows are in several folders" in note
    assert "2 of them differ" in note


def test_masks_are_read_from_the_launch_of_their_row(tmp_path):
    written(tmp_path / "0", GRID.format(keep=20, seed="0..1"))
    written(tmp_path / "1", GRID.format(keep=22, seed="0..1"))
    folders = [tmp_path / "0", tmp_path / "1"]
    chosen = load.read(folders, options()).rows.iloc[[3, 0]]
    found = load.masks(folders, chosen)
    for place, name in enumerate(chosen["config_id"]):
        kept = masks.from_bits(found[name], mlp.param_count(3))
        assert np.flatnonzero(kept)[0] == [1, 0][place]
    assert len(found) == 2


def test_what_older_files_lack_is_filled_in(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    lacking = ("init", "connected", "selection", "planned_events", "rate")
    written(old, GRID.format(keep=20, seed="0..1"), drop=lacking)
    written(new, GRID.format(keep=22, seed="0..1"))
    for folders in ([old], [old, new], [new, old]):
        found = load.read(folders, options()).rows
        assert set(found["init"]) == {"default"}
        assert set(found["selection"]) == {"rank"}
        assert found["connected"].all()
        assert found["planned_events"].isna().all()  # its default is none
        assert "rate" not in found  # an option of other methods


def test_completing_leaves_values_and_other_methods_alone():
    fields = columns.config_fields(options())
    table = pd.DataFrame(
        {name: pd.array([None] * 3, field.dtype) for name, field in fields.items()}
    ).assign(
        method=pd.array(["gmp", "lth", "gmp"], "string"),
        effective_nnz=pd.array([0, 5, 5], "Int64"),
        connected=pd.array([None, None, False], "boolean"),
    )
    table["interval"] = pd.array([None, None, 50], "Int64")
    found = versions.complete(table, options())
    assert found["interval"].fillna(-1).tolist() == [97, -1, 50]
    assert found["rate"].fillna(-1).tolist() == [-1, 0.2, -1]
    assert found["connected"].tolist() == [False, True, False]


def test_a_folder_without_rows_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="expected a results directory"):
        load.read([tmp_path], options())


def test_rows_tell_their_launch_and_the_version_that_trained_them(
    tmp_path, monkeypatch
):
    one, two = tmp_path / "one", tmp_path / "two"
    written(one, GRID.format(keep=20, seed="0..1"))
    monkeypatch.setattr(packed, "__version__", "9.9")
    configs = written(two, GRID.format(keep=22, seed="0..1"))
    more = written(two, GRID.format(keep=24, seed="0..0"))
    packs = [packed.pack_id(some["config_id"]) for some in (configs, more)]
    manifest = pd.concat([configs.assign(pack=packs[0]), more.assign(pack=packs[1])])
    store.write_manifest(two, manifest, {})
    found = load.read([one, two], options()).rows
    assert found["source"].tolist() == [str(one)] * 2 + [str(two)] * 3
    assert found["version"].tolist() == [spiral.__version__] * 2 + ["9.9"] * 3
    monkeypatch.setattr(packed, "__version__", "10.0")
    written(two, GRID.format(keep=24, seed="0..0"))
    store.write_manifest(two, manifest, {})
    found = load.read([two], options()).rows.set_index("keep")["version"]
    assert found[22].tolist() == ["9.9"] * 2
    assert found[24] == "10.0"


def test_a_shipped_summary_tells_its_name_and_version():
    found = load.read([summary.shipped("standard")], options()).rows
    assert set(found["source"]) == {"standard"}
    assert found["version"].notna().all()
