"""Packs in processes of this machine: trained here, by a crew, and when workers die."""

import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spiral import experiment
from spiral.results import store
from spiral.sweep import launch as launches
from spiral.sweep import local, pack_progress, status, worker
from spiral.sweep.grid import grid as grids
from spiral.sweep.work import Outcome, Training

COMMIT = "/_spiral/tmp/pack-"
"""Opened when a pack is trained and about to be written."""

FIRST_USE = "engines/__pycache__/vmap."
"""Opened when a worker has its first pack and loads the engine (before torch)."""


@pytest.fixture
def prepared(grid, tmp_path):
    settings = launches.Settings(executor="local")
    return launches.prepare(grids.load(grid), tmp_path / "out", settings)


def outcomes(prepared, workers):
    """Run the packs; return their outcomes in order."""
    said = []
    local.run(worker.site(prepared.out), prepared.missing, workers, said.append)
    return [each for each in said if isinstance(each, Outcome)]


def test_one_worker_trains_in_this_process_in_the_given_order(prepared):
    packs, seen = sorted(prepared.missing), []

    def report(outcome):
        seen.append((outcome.pack, outcome.error, multiprocessing.active_children()))

    local.run(worker.site(prepared.out), packs, 1, report)
    assert seen == [(pack, None, []) for pack in packs]


def test_an_outcome_counts_what_was_trained(prepared):
    found = outcomes(prepared, 1)
    sizes = dict(zip(prepared.packs["pack"], prepared.packs["networks"], strict=True))
    assert {o.pack: o.networks for o in found} == sizes
    assert all(sum(o.statuses.values()) == o.networks for o in found)


def test_an_outcome_no_longer_has_the_results_that_are_saved(prepared):
    assert [outcome.data for outcome in outcomes(prepared, 1)] == [b""] * 4
    assert launches.recover.missing(prepared.out, prepared.missing) == ([], [])


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_pack_is_followed_to_its_end(prepared, workers, monkeypatch):
    monkeypatch.setattr(pack_progress, "SECONDS", 0.0)
    if workers > 1:  # new processes read the module again
        monkeypatch.setattr(local, "_serve", _serve_impatiently)
    said, followed = [], {}
    local.run(worker.site(prepared.out), prepared.missing, workers, said.append)
    for each in said:
        if isinstance(each, Training):
            followed.setdefault(each.pack, []).append(each.share)
        else:
            shares = followed[each.pack]
            assert shares == sorted(set(shares))
            assert shares[-1] == 1.0
    assert followed.keys() == {*prepared.missing}


def _serve_impatiently(work, pipe):
    pack_progress.SECONDS = 0.0
    _serve(work, pipe)


_serve = local._serve


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_pack_tried_again(
    prepared, suicide, undisturbed, values
):
    deaths = suicide(COMMIT, times=1)
    found = outcomes(prepared, 2)
    assert [path.name for path in deaths.iterdir()] == ["0"]
    assert sorted((o.pack, o.error) for o in found) == sorted(
        (pack, None) for pack in prepared.missing
    )
    assert values(prepared.out) == values(undisturbed)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_pack_that_kills_three_workers_fails_and_the_next_launch_redoes_it(
    launch, suicide, undisturbed, values, tmp_path
):
    out, deaths = tmp_path / "out", suicide(FIRST_USE, times=3)
    ran = launch(out, "--limit", 1, workers=2)
    assert len([*deaths.iterdir()]) == 3
    assert ran.code == 3
    assert "its worker died" in ran.err
    assert "-9" in ran.err or "SIGKILL" in ran.err
    state = status.status(out)
    assert (state.packs_failed, state.done, len(state.errors)) == (1, 0, 1)
    assert launch(out).code == 0
    assert status.status(out).errors == {} == store.failures(out)
    assert values(out) == values(undisturbed)


def _loaded_torch(pid):
    try:
        return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


@pytest.mark.slow
def test_workers_die_with_a_killed_launcher(spawn, proc, tmp_path):
    launcher = spawn(tmp_path / "out", "--set", "epochs=10000", workers=2)

    def busy():
        return [p for p in proc.descendants(launcher.pid) if _loaded_torch(p)][1:]

    proc.until(busy, "two workers with torch loaded")
    family = proc.descendants(launcher.pid)
    os.kill(launcher.pid, signal.SIGKILL)
    proc.until(lambda: not proc.alive(family), "death of all workers")
    assert "Traceback" not in launcher.log.read_text()


def test_a_method_that_exits_fails_its_pack(prepared, monkeypatch):
    def leave(configs, on_progress):
        sys.exit(0)

    monkeypatch.setattr(experiment, "run", leave)
    found = outcomes(prepared, 1)
    assert len(found) == len(prepared.missing)
    assert all("SystemExit: 0" in outcome.error for outcome in found)


def test_results_that_are_damaged_on_their_way_are_made_again(prepared, monkeypatch):
    saved, save = [], worker.Site.save

    def damaged_once(site, outcome):
        saved.append(outcome.pack)
        data = outcome.data if len(saved) > 1 else outcome.data[:-9]
        save(site, replace(outcome, data=data))

    monkeypatch.setattr(worker.Site, "save", damaged_once)
    first, *_ = done = outcomes(prepared, 1)
    assert saved[:2] == [first.pack, first.pack]
    assert [each.error for each in done] == [None] * len(prepared.missing)
