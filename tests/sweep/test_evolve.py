"""Evolution on islands: the same files whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from click.testing import CliRunner

from spiral.cli import main
from spiral.cli.evolve import STARTS
from spiral.errors import ConfigError, LaunchIncomplete
from spiral.search import best_known
from spiral.search.evolve import island
from spiral.search.evolve.island import Settings
from spiral.sweep import evolve, evolve_files, local
from spiral.sweep.evolve import Limits
from spiral.sweep.evolve_files import Search
from spiral.sweep.work import Outcome
from tests import patience

SEARCH = Search(Settings(0, ("one-unit", "random"), (4, 2, 2), (8, 14), 8), 2)
OPTIONS = ["--seed", "0", "--units", "4,2,2", "--nnz", "8..14", "--tries", "8"]
LONGER = Search(Settings(0, ("one-unit", "random"), (5, 2, 3), (8, 20), 25), 2)
"""Generations that last long enough for a kill to come between them."""


def run(out, generations, search=SEARCH, executor=local.run):
    reports = []
    limits = Limits(generations=generations)
    evolve.run(search, out, limits, (executor, 1), reports.append)
    return reports


def contents(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def any_exists(files):
    return any(file.exists() for file in files)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("search") / "whole"
    run(out, 4)
    return out


def test_only_two_generations_stay_and_the_frontier_is_true(whole):
    names = {path.name for path in whole.iterdir()}
    assert names == {"search.json", "frontier.parquet", "generation-3", "generation-4"}
    table = best_known.load(whole / "frontier.parquet")
    assert best_known.mistakes(table) == []
    assert table["found"].str.startswith("evolve, seed 0, generation ").all()


def test_a_search_in_parts_equals_one_in_one_go(whole, tmp_path):
    out = tmp_path / "parts"
    run(out, 1)
    run(out, 3)
    (evolve_files.path(out, 3, 1)).unlink()  # killed before its second island was saved
    reports = run(out, 4)
    assert [report.generation for report in reports] == [3, 4]
    assert contents(out) == contents(whole)


def test_a_failed_island_loses_no_other_one(whole, tmp_path):
    out = tmp_path / "failed"

    def failing(work, packs, workers, report):
        local.run(work, packs[:1], workers, report)
        report(Outcome(packs[1], error="its worker died"))

    with pytest.raises(LaunchIncomplete, match="island 1: its worker died"):
        run(out, 1, executor=failing)
    assert evolve_files.path(out, 1, 0).exists()
    run(out, 4)
    assert contents(out) == contents(whole)


def test_other_settings_and_other_folders_are_refused(whole, tmp_path):
    other = Search(SEARCH.settings, 3)
    with pytest.raises(ConfigError, match="islands"):
        run(whole, 5, search=other)
    (tmp_path / "something").write_text("else")
    with pytest.raises(ConfigError, match="empty directory"):
        run(tmp_path, 1)


def test_limits_end_a_search(tmp_path):
    with pytest.raises(ConfigError, match="got none"):
        evolve.run(SEARCH, tmp_path / "a", Limits(minutes=0), (local.run, 1), print)
    reports = []
    limits = Limits(generations=50, patience=1e-9)
    evolve.run(SEARCH, tmp_path / "b", limits, (local.run, 1), reports.append)
    assert reports
    assert len(reports) < 50
    assert not reports[-1].better or len(reports) == 1
    goals = ((14, 0.6), (14, 0.5))
    reports.clear()
    limits = Limits(generations=50, goals=goals)
    table = evolve.run(SEARCH, tmp_path / "c", limits, (local.run, 1), reports.append)
    assert evolve.reached(table, goals)
    assert len(reports) < 50
    assert not evolve.reached(table, ((14, 0.6), (14, 1.1)))
    assert not evolve.reached(table, ())


def test_a_search_that_can_find_nothing_says_so(tmp_path):
    settings = Settings(0, ("one-unit",), (1, 1, 1), (30, 40), 3)
    with pytest.raises(ConfigError, match="more units"):
        run(tmp_path / "out", 1, search=Search(settings, 1))


def test_the_command_evolves_resumes_and_feeds_a_frontier(whole, tmp_path):
    out, file = tmp_path / "out", tmp_path / "frontier.parquet"
    command = ["search", "evolve", "--out", str(out), *OPTIONS, "--workers", "1"]
    for generations in ("2", "4"):
        done = CliRunner().invoke(main, [*command, "--generations", generations])
        assert done.exit_code == 0, done.output
    assert "generation 4: " in done.stderr
    assert f"frontier update {out}" in done.output
    assert contents(out) == contents(whole)
    update = ["frontier", "update", str(out), "--file", str(file)]
    done = CliRunner().invoke(main, update)
    assert done.exit_code == 0, done.output
    assert len(best_known.load(file)) == len(best_known.load(out / "frontier.parquet"))


def test_the_command_hops_on_one_mask_and_goes_on(tmp_path):
    command = ["search", "evolve", "--mask", "10,01/11/1/1", "--islands", "1"]
    command += ["--tries", "20", "--workers", "1", "--json"]
    for name, parts in (("whole", "2"), ("parts", "1"), ("parts", "2")):
        out = ["--out", str(tmp_path / name), "--generations", parts]
        done = CliRunner().invoke(main, [*command, *out])
        assert done.exit_code == 0, done.output
    assert contents(tmp_path / "whole") == contents(tmp_path / "parts")
    (network,) = json.loads(done.stdout)["networks"]
    assert network["shape"] == "2,1,1"
    assert network["nnz"] == 6


def test_a_mask_with_a_dead_unit_is_refused(tmp_path):
    command = ["search", "evolve", "--out", str(tmp_path / "out"), "--mask"]
    done = CliRunner().invoke(main, [*command, "10,01,01/110/1,1/11"])
    assert done.exit_code == 2
    assert "expected inputs and outputs for every unit" in done.stderr


def test_the_command_offers_the_starts_that_exist():
    assert set(STARTS) == set(island.STARTS)


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "kills"), [("local", 3), ("ray", 2)])
def test_a_search_killed_many_times_makes_the_same_files(tmp_path, executor, kills):
    out = tmp_path / "killed"
    command = [
        *(sys.executable, "-m", "spiral", "search", "evolve", "--out", str(out)),
        *("--seed", "0", "--units", "5,2,3", "--nnz", "8..20", "--tries", "25"),
        *("--generations", str(kills + 1), "--workers", "2"),
        *("--executor", executor),
    ]
    for number in range(1, kills + 1):
        process = subprocess.Popen(command, start_new_session=True)
        # The first is gone already, if the last kill came two generations later
        files = [evolve_files.path(out, number + ahead, 0) for ahead in (0, 1)]
        patience.until(partial(any_exists, files), f"generation {number}")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True)
    run(tmp_path / "whole", kills + 1, LONGER)
    assert contents(out) == contents(tmp_path / "whole")
