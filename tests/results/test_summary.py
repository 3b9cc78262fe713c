"""Summaries hold what a comparison needs, and say who made them."""

import numpy as np
import pandas as pd
import pytest

from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.methods import registry
from spiral.protocol import identity
from spiral.report.stats import compare
from spiral.results import data_sets, load, old_defaults, store, summary
from spiral.search import best_known as frontier
from spiral.search import trained
from spiral.sweep import launch
from spiral.sweep.grid import grid
from spiral.sweep.grid import shipped as shipped_grids
from tests import mostly_slow

GRID = """
name: few
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..3}
blocks:
  pruned: {method: [gmp, random], keep: [12, 20], lr: [0.05, 0.1]}
  shared: {method: random, keep: 12, init_seed: 7}
  dense: {method: dense}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("few")
    settings = launch.Settings(executor="local")
    prepared = launch.prepare(grid.loads(GRID), out, settings)
    launch.run(prepared, settings, lambda outcome: None)
    return out


@pytest.fixture(scope="module")
def file(folder, tmp_path_factory):
    file = tmp_path_factory.mktemp("summary") / "few.parquet"
    assert summary.write([folder], file) == 40
    return file


def test_a_summary_has_every_number_of_the_rows_and_their_ids(folder, file):
    rows, _ = load.read([folder], registry.options())
    found, notes = load.read([file], registry.options())
    rows, found = (t.set_index("config_id").sort_index() for t in (rows, found))
    assert notes == []
    assert {*found} == {*rows}
    own = rows.drop(columns="source")
    pd.testing.assert_frame_equal(found[[*own]], own)


def test_its_name_says_what_it_is(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"few\.csv: expected .* ending in \.parquet"):
        summary.write([folder], tmp_path / "few.csv")
    assert not (tmp_path / "few.csv").exists()


def test_a_comparison_of_it_is_that_of_the_launch(folder, file):
    best_known = frontier.load()
    one, other = (
        compare.of_rows(rows, compare.Question(), best_known)
        for rows in (load.read([it], registry.options()).rows for it in (folder, file))
    )
    for name in ("excess", "groups", "pairwise"):
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])


def test_it_has_no_distances_and_no_hint_how_to_get_them(file):
    found = compare.of_folders([file], registry.known())
    assert found.tables["distances"].empty
    assert not any("--distances" in note for note in found.notes)


def test_a_launch_and_its_summary_count_once(folder, file):
    found, (note,) = load.read([folder, file], registry.options())
    assert len(found) == 40
    assert "40 rows are in several folders and count once" in note
    assert "0 of them differ" in note


def test_the_footer_says_who_made_it(file):
    _, facts = summary.read(file)
    assert facts["grid"] == "few"
    assert facts["blocks"] == {"pruned": 32, "shared": 4, "dense": 4}
    assert facts["rows"] == 40
    assert facts["version"]
    assert all(len(facts[name]) == 1 for name in ("machine", "numpy", "torch"))


def test_equal_rows_make_equal_bytes(folder, file, tmp_path):
    again = tmp_path / "again.parquet"
    summary.write([folder], again)
    assert again.read_bytes() == file.read_bytes()


def test_it_keeps_the_networks_that_are_asked_for(folder, tmp_path):
    file = tmp_path / "hits.parquet"
    assert summary.write([folder], file, hits=summary.Hits(12, 0.5)) == 40
    rows = load.read([file], registry.options()).rows
    hits = rows[(rows["nnz"] <= 12) & (rows["accuracy"] >= 0.5)]
    assert 0 < len(hits) < 40
    found = load.networks([file], hits)
    own = load.networks([folder], hits)
    assert [*found["mask"]] == [*own["mask"]]
    for one, other in zip(found["weights"], own["weights"], strict=True):
        assert one.tolist() == other.tolist()
    others = load.networks([file], rows.drop(hits.index))
    assert others[["mask", "weights"]].isna().all(axis=None)


def test_no_network_is_no_error(folder, tmp_path):
    file = tmp_path / "none.parquet"
    assert summary.write([folder], file, hits=summary.Hits(1, 1.0)) == 40
    assert load.read([file], registry.options()).notes == []


def test_networks_stay_in_a_summary_of_summaries(folder, tmp_path):
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    for places, file in ([folder], first), ([first], second):
        summary.write(places, file, hits=summary.Hits(12, 0.5))
    assert second.read_bytes() == first.read_bytes()


def test_a_damaged_summary_is_found(file, tmp_path):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(data)
    with pytest.raises(CorruptPack):
        summary.read(broken)


def test_other_files_are_no_summaries(folder, tmp_path):
    with pytest.raises(
        StoreError, match="expected a summary; write one by `spiral-sweep summary"
    ):
        summary.read(next(store.pack_files(folder)))
    with pytest.raises(StoreError, match="No such file"):
        summary.read(tmp_path / "nothing.parquet")


def test_shipped_ones_have_names(tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "SHIPPED", tmp_path)
    for name in ("one", "one-more"):
        (tmp_path / f"{name}.parquet").touch()
    assert summary.shipped("one") == tmp_path / "one.parquet"
    with pytest.raises(StoreError, match=r"two: expected .* from one, one-more"):
        summary.shipped("two")


SHIPPED = data_sets.grids_of(shipped_grids.files())
"""Each shipped summary and its grid."""

TRAINED = {
    "exact": lambda configs: (
        ~(
            configs["seed"].ge(identity.LEAST_FRESH)
            & (
                (configs["width"].gt(16) & configs["method"].eq("lth"))
                | (configs["width"].eq(256) & configs["method"].eq("gmp"))
            )
        )
    ),
    "tasks": lambda configs: (
        configs["lr"].isin([0.05, 0.1]) & configs["schedule"].eq("cosine")
    ),
}
"""Which configs of a grid its summary has; by default all."""


@pytest.mark.parametrize("name", mostly_slow(SHIPPED, ["fidelity"]))
def test_what_is_shipped_is_of_its_grid_and_has_every_seed(name):
    """But for defaults that changed since it was trained."""
    found, notes = load.read([summary.shipped(name)], registry.options())
    configs = grid.load(shipped_grids.files()[SHIPPED[name]]).configs
    if name in TRAINED:
        configs = configs[TRAINED[name](configs)]
    wanted = set(configs["config_id"])
    assert notes == []
    old = found[~found["config_id"].isin(wanted)]
    today = identity.identify(at_todays_defaults(old), registry.options())
    assert {*found["config_id"]} - {*old["config_id"]} | {*today} == wanted


UNREPEATED = ["063ddc1f92074423a735962283f7a85d"]
"""Rows of engine ``vmap``, whose sums depend on the machine, that end elsewhere now."""


@pytest.mark.parametrize("name", mostly_slow(SHIPPED, ["fidelity"]))
def test_no_row_beats_the_frontier(name):
    """A row that does is missing there: train its config again, and add the results by
    ``frontier update``."""
    rows, _ = load.read([summary.shipped(name)], registry.options())
    rows = rows[~rows["config_id"].isin(UNREPEATED)]
    for task, own in rows.groupby("task"):
        best = frontier.load(task=task)
        for kind in ("any", "protocol"):
            known = frontier.of_kind(best, kind)
            part = own if kind == "any" else own[trained.in_protocol(own)]
            reached = known.groupby("nnz")["accuracy"].max().cummax()
            place = np.searchsorted(reached.index, part["effective_nnz"], "right") - 1
            level = np.append(reached, part["task_chance"].max())[place]
            better = part[part["accuracy"].to_numpy(float) > level]
            shown = better[["method", "width", "keep", "seed", "accuracy"]]
            assert better.empty, f"{task}, {kind}:\n{shown}"


def at_todays_defaults(rows):
    """Return rows with the defaults of today in place of first ones."""
    rows = rows.copy()
    for method, option, was, now in old_defaults.of(rows, registry.options()):
        rows.loc[(rows["method"] == method) & (rows[option] == was), option] = now
    return rows


def test_what_is_shipped_is_small_and_says_what_made_it():
    for path in summary.SHIPPED.glob("*.parquet"):
        rows, facts = summary.read(path)
        networks = rows["weights"].notna().sum() if "weights" in rows else 0
        assert path.stat().st_size < 100_000 + 25 * facts["rows"] + 250 * networks
        assert facts["grid"]  # of one launch its grid, of several theirs
        assert facts["version"]


def test_all_of_them_are_small():
    sizes = [path.stat().st_size for path in summary.SHIPPED.glob("*.parquet")]
    assert sum(sizes) < 15_000_000


def test_summaries_of_parts_make_that_of_the_whole(folder, file, tmp_path):
    text = GRID.replace("seed: 0..3", "seed: 0..1")
    settings = launch.Settings(executor="local")
    prepared = launch.prepare(grid.loads(text), tmp_path / "part", settings)
    launch.run(prepared, settings, lambda outcome: None)
    small = tmp_path / "part.parquet"
    assert summary.write([tmp_path / "part"], small) == 20
    both = tmp_path / "both.parquet"
    assert summary.write([small, folder], both) == 40  # each config once
    one, other = summary.read(both), summary.read(file)
    pd.testing.assert_frame_equal(one[0], other[0])
    assert one[1]["cpu"] == other[1]["cpu"]
    assert one[1]["grid"] == ["few", "few"]
