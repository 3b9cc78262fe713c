"""What a launch makes of directories that lost something or come from elsewhere."""

import errno
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.protocol import identity
from spiral.results import columns, read, sealed, store, versions
from spiral.sweep import recover, status
from spiral.sweep.grid import grid
from tests.results import write_pack


@pytest.fixture
def copy(undisturbed, tmp_path):
    """Return a copy of a finished launch."""
    return shutil.copytree(undisturbed, tmp_path / "copy")


def files(out):
    return {path.name: path.read_bytes() for path in store.pack_files(out)}


def test_a_lost_manifest_is_made_anew_from_the_results(launch, copy):
    before = files(copy)
    store.manifest_path(copy).unlink()
    ran = launch(copy)
    assert ran.code == 0
    assert "trained 0" in ran.out
    assert files(copy) == before
    assert status.verify(copy).missing == 0


def test_a_lost_manifest_and_a_lost_pack_cost_that_pack(launch, copy, values):
    before = values(copy)
    store.manifest_path(copy).unlink()
    next(store.pack_files(copy)).unlink()
    assert launch(copy).code == 0
    assert values(copy) == before
    assert pd.read_parquet(copy)["config_id"].is_unique


def test_an_empty_manifest_counts_as_lost(launch, copy, values):
    """A launch may die between claiming that name and giving it its content."""
    before = values(copy)
    store.manifest_path(copy).write_bytes(b"")
    ran = launch(copy)
    assert ran.code == 0, ran.err
    assert "trained 0" in ran.out
    assert values(copy) == before


def test_a_file_system_without_links_and_syncing_of_folders_will_do(
    launch, undisturbed, values, tmp_path, monkeypatch
):
    real = os.fsync

    def refuse(*args, **more):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def fsync(handle):
        if Path(f"/proc/self/fd/{handle}").is_dir():
            refuse()
        real(handle)

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "fsync", fsync)
    assert launch(tmp_path / "out").code == 0
    assert values(tmp_path / "out") == values(undisturbed)


def test_a_damaged_manifest_says_how_to_go_on(cli, launch, copy):
    store.manifest_path(copy).write_bytes(b"PAR1")
    for command in ("status", "verify"):
        ran = cli(command, copy)
        assert ran.code == 4
        assert "Remove it and launch the grid again" in ran.err
    store.manifest_path(copy).unlink()
    assert launch(copy).code == 0


def test_copies_and_strangers_are_not_counted(cli, copy):
    first = next(store.pack_files(copy))
    expected = cli("compare", copy, "--json").out
    shutil.copy(first, first.with_name("pack-copy.parquet"))
    shutil.copy(first, first.with_name(f"{first.stem} (2).parquet"))
    (first.parent / "notes.txt").write_text("mine")
    assert cli("compare", copy, "--json").out == expected
    verdict = status.verify(copy)
    assert (verdict.rows, verdict.missing) == (28, 0)
    assert len(verdict.corrupt) == 3


def test_a_broken_record_of_a_failure_does_not_hide_the_others(cli, copy):
    pack = next(store.pack_files(copy)).stem.removeprefix("pack-")
    (copy / "_spiral" / "failed").mkdir()
    (copy / "_spiral" / "failed" / "dead.json").write_text("{")
    store.write_failure(copy, pack, "because")
    assert store.failures(copy) == {
        "dead": "its record cannot be read",
        pack: "because",
    }
    assert cli("status", copy).code == 0


# ---- an option that an earlier version did not have


@pytest.fixture
def older(copy):
    """Return a launch as the first version left it, but for ``interval``."""
    configs, facts = store.read_manifest(copy)
    usual = configs["interval"].isin([97]) | configs["interval"].isna()
    kept = configs[usual].drop(columns=["interval", "init"])
    store.write_manifest(copy, kept, facts)
    for path in store.pack_files(copy):
        pack = path.stem.removeprefix("pack-")
        if pack not in set(kept["pack"]):
            path.unlink()
            continue
        table, footer = store.read_pack(path)
        newer = ["interval", "init", "connected"]
        write_pack(copy, pack, table.drop_columns(newer), footer)
    return copy


def test_results_of_an_earlier_version_stay_sound_and_grow(cli, launch, older):
    before = {path: store.read_pack(path) for path in store.pack_files(older)}
    verdict = status.verify(older)
    assert verdict.sound
    assert verdict.missing == 0
    assert launch(older).code == 0
    for path, (rows, footer) in before.items():
        wider, same = store.read_pack(path)  # with nulls in the columns it lacked
        assert wider.select(rows.column_names).equals(rows)
        assert same == footer
    assert status.verify(older).rows == 28
    found = read.read(older)
    assert len(found) == 28
    assert set(found["interval"].dropna()) == {5, 6}
    assert set(found["init"].dropna()) == {"default"}
    assert found["connected"].dtype == "boolean"
    known = found["connected"].notna()
    assert 0 < known.sum() < 28
    assert (found["connected"] == (found["effective_nnz"] > 0))[known].all()


def test_a_missing_option_gets_its_default_where_a_method_has_it():
    table = pd.DataFrame({"method": ["gmp", "random"], "config_id": ["a", "b"]})
    found = versions.complete(table, options())
    assert found["interval"].tolist() == [97, pd.NA]
    assert found["end"].tolist() == [0.75, pd.NA]
    assert set(columns.config_fields(options())) <= set(found.columns)


OLD = "{method: sfw, keep: 20, seed: 0..2, ball_share: 0.3}"


def test_a_grid_that_left_out_an_option_whose_default_changed_is_refused_in_words(
    tmp_path,
):
    known = grid.loads(OLD).configs
    now = grid.loads("{method: sfw, keep: 20, seed: 0..2}")
    with pytest.raises(ConfigError, match=r"ball_share: 0.3 for sfw \(0.02 now\)"):
        recover.check_extends(now, known, tmp_path)
    recover.check_extends(grid.loads(OLD), known, tmp_path)
    more = grid.loads(OLD.replace("0.3", "[0.3, 0.02]"))
    recover.check_extends(more, known, tmp_path)


FIRST = {
    "sfw": {"ball_share": 0.3},
    "bimp": {"cycles": 1, "dense_share": 0.8},
    "one_shot": {"retrain_share": 1.0},
    "group_norm": {"penalty_rate": "base"},
    "slimming": {"penalty_rate": "base"},
}


@pytest.mark.parametrize("recipe", ["scratch", "shuffled"])
@pytest.mark.parametrize("of", FIRST)
def test_a_recipe_of_0_1_0_goes_on_with_the_first_defaults_written_out(
    recipe, of, tmp_path
):
    """As planned then: nothing of the wrapped method but what follows from keep."""
    config = {"method": recipe, "of": of, "keep": 20, "seed": [0, 1, 2]}
    today = grid.loads(json.dumps(config))
    old = today.configs.assign(**dict.fromkeys(FIRST[of], pd.NA))
    old = old.astype(today.configs.dtypes)
    old["config_id"] = identity.identify(old, options())
    said = "write them into its blocks, " + ", ".join(
        rf"{name}: {value} for {recipe} of {of} \(.* now\)"
        for name, value in FIRST[of].items()
    )
    with pytest.raises(ConfigError, match=said):
        recover.check_extends(today, old, tmp_path)
    again = grid.loads(json.dumps({**config, **FIRST[of]}))
    recover.check_extends(again, old, tmp_path)
    assert again.configs[[*FIRST[of]]].isna().all(axis=None)


def test_other_changes_of_a_grid_are_not_blamed_on_defaults(tmp_path):
    known = grid.loads(OLD).configs
    fewer = grid.loads(OLD.replace("0..2", "0..1"))
    with pytest.raises(ConfigError) as raised:
        recover.check_extends(fewer, known, tmp_path)
    assert "defaults" not in str(raised.value)


def test_json_of_verify_keeps_its_keys_for_foreign_files(cli, copy):
    (copy / "results" / "notes.txt").write_text("mine")
    ran = cli("verify", copy, "--json")
    assert ran.code == 4
    assert json.loads(ran.out)["corrupt"] == ["results/notes.txt"]
    assert "move foreign files elsewhere" in ran.err


def test_a_stale_record_of_a_failure_is_cleared(launch, copy):
    """Its pack stands: only the last fsync had failed."""
    pack = next(store.pack_files(copy)).stem.removeprefix("pack-")
    store.write_failure(copy, pack, "cannot write: Input/output error")
    assert launch(copy).code == 0
    assert store.failures(copy) == {}


@pytest.mark.parametrize(
    "command", [("compare", "{}"), ("plot", "boundary", "{}", "dense")], ids=" ".join
)
def test_flipped_bytes_never_become_numbers(command, cli, copy, tmp_path):
    """Every reader checks the seal first."""
    path = next(store.pack_files(copy))
    whole, answered = path.read_bytes(), cli("compare", copy).out
    for place in range(100, len(whole) // 2, len(whole) // 12):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        ran = cli(*[word.format(copy) for word in command], *_output(command, tmp_path))
        assert ran.code == 4 or ran.out == answered
        assert "verify" in ran.err or not ran.code


def _output(command, folder):
    return ("-o", folder / "x.png") if command[0] == "plot" else ()


def test_a_sealed_table_that_holds_no_results_is_no_row(cli, copy):
    path = next(store.pack_files(copy))
    table, footer = store.read_pack(path)
    path.write_bytes(sealed.to_bytes(table.drop_columns(["nnz"]), footer))
    ran = cli("compare", copy)
    assert ran.code == 4
    assert "does not have the columns of a result file" in ran.err
