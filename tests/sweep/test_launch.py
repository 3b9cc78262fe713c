"""Launches: the same rows whatever happens, nothing lost, nothing touched in error."""

import errno
import os
import random
import shlex
import signal

import pytest

from spiral.errors import EngineUnavailable
from spiral.results import store
from spiral.sweep import launch as launches
from spiral.sweep import status
from spiral.sweep.grid import grid as grids
from tests.patience import PATIENCE

MANY = ("--set", "interval=3..140", "--set", "seed=0..7")
"""140 packs of a few hundredths of a second, most on engine sparse."""


@pytest.fixture(scope="module")
def many(launch, tmp_path_factory):
    out = tmp_path_factory.mktemp("many")
    assert launch(out, *MANY).code == 0
    return out


def _files(out):
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def _started(out, child, packs):
    """Return a condition: so many packs are there, or the launch has ended."""
    return lambda: len([*store.pack_files(out)]) >= packs or not child.is_alive()


# ---- the same rows


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_the_same_rows(
    spawn, launch, many, values, proc, tmp_path
):
    out, moments, codes = tmp_path / "out", random.Random(20), []
    for number in range(10):
        child = spawn(out, *MANY)
        if number % 2:  # in the midst of training, not while it starts
            more = len([*store.pack_files(out)]) + 1
            proc.until(_started(out, child, more), "a pack")
        child.join(moments.uniform(0, 0.1 if number % 2 else 0.7))
        child.kill()
        child.join()
        codes.append(child.exitcode)
        assert status.verify(out).sound if store.manifest_path(out).exists() else True
    assert codes.count(-signal.SIGKILL) == 10
    assert launch(out, *MANY).code == 0
    assert values(out) == values(many)


@pytest.mark.slow
def test_two_workers_make_the_same_rows(launch, undisturbed, values, tmp_path):
    assert launch(tmp_path / "out", workers=2).code == 0
    assert values(tmp_path / "out") == values(undisturbed)


def test_two_shards_share_the_packs_and_make_the_same_rows(
    launch, undisturbed, values, tmp_path
):
    out = tmp_path / "out"
    first = launch(out, "--shard", "0/2")
    done = status.status(out).packs_done
    second = launch(out, "--shard", "1/2")
    assert (first.code, second.code) == (0, 0)
    assert (done, status.status(out).packs_done) == (2, 4)
    assert values(out) == values(undisturbed)


def test_a_limit_trains_so_many_packs_and_no_more(launch, tmp_path):
    out = tmp_path / "out"
    for packs in (1, 2):
        assert launch(out, "--limit", 1).code == 0
        assert status.status(out).packs_done == packs


# ---- what is there stays


def test_a_finished_launch_trains_nothing_when_launched_again(launch, tmp_path):
    launch(tmp_path)
    before = _files(tmp_path)
    again = launch(tmp_path)
    assert again.code == 0
    assert "trained 0 configs" in again.out
    assert _files(tmp_path) == before


def test_damaged_files_are_named_and_redone(launch, undisturbed, values, tmp_path):
    launch(tmp_path)
    flipped, short, empty, whole = store.pack_files(tmp_path)
    data = flipped.read_bytes()
    flipped.write_bytes(data[:999] + bytes([data[999] ^ 1]) + data[1000:])
    short.write_bytes(short.read_bytes()[:-1])
    empty.write_bytes(b"")
    kept = whole.read_bytes()
    again = launch(tmp_path)
    assert again.code == 0
    for path in (flipped, short, empty):
        assert f"damaged, will be trained again: {path}" in again.err
    assert whole.read_bytes() == kept
    assert values(tmp_path) == values(undisturbed)


def test_an_extended_grid_keeps_the_bytes_of_finished_packs(launch, tmp_path):
    launch(tmp_path)
    before = {path: path.read_bytes() for path in store.pack_files(tmp_path)}
    assert launch(tmp_path, "--set", "seed=0..5").code == 0
    after = {path: path.read_bytes() for path in store.pack_files(tmp_path)}
    assert before == {path: after[path] for path in before}
    verdict = status.verify(tmp_path)
    assert (verdict.rows, verdict.missing, verdict.sound) == (42, 0, True)


def test_a_changed_grid_is_refused(launch, tmp_path):
    launch(tmp_path, "--limit", 1)
    before = _files(tmp_path)
    ran = launch(tmp_path, "--set", "seed=1..4")
    assert ran.code == 2
    assert "28 configs, of which 7 are not in grid 'tiny'" in ran.err
    assert _files(tmp_path) == before


# ---- mistakes


def test_a_folder_with_other_things_is_refused_and_left_alone(launch, tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    ran = launch(tmp_path)
    assert ran.code == 2
    assert "thesis.tex" in ran.err
    assert [*tmp_path.iterdir()] == [tmp_path / "thesis.tex"]


@pytest.mark.parametrize(
    "mistake",
    [
        ("--set", "width=0"),
        ("--set", "colour=red"),
        ("--engine", "abacus"),
        ("--shard", "2/2"),
        ("--workers", "0"),
        ("--address", "auto"),
    ],
    ids=" ".join,
)
def test_a_mistake_creates_nothing(mistake, launch, tmp_path):
    ran = launch(tmp_path / "out", *mistake)
    assert ran.code == 2
    assert mistake[1] in ran.err or mistake[0] in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("under", ["", "out"])
def test_a_file_in_the_way_is_a_message(under, launch, tmp_path):
    (tmp_path / "file").write_text("mine")
    ran = launch(tmp_path / "file" / under)
    assert ran.code in (1, 2)
    assert str(tmp_path / "file") in ran.err
    assert (tmp_path / "file").read_text() == "mine"


# ---- signals and full disks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [("SIGTERM", 143), ("SIGINT", 130), ("SIGUSR1", 143), ("SIGHUP", 143)],
)
def test_a_signal_stops_a_launch_that_its_message_resumes(
    number, code, spawn, cli, many, values, proc, tmp_path
):
    out = tmp_path / "out"
    child = spawn(out, *MANY)
    proc.until(_started(out, child, 1), "a pack")
    os.kill(child.pid, getattr(signal, number))
    child.join(PATIENCE)
    assert child.exitcode == code
    said = child.log.read_text()
    assert f"stopped by {number}" in said
    assert "Traceback" not in said
    assert 1 <= len([*store.pack_files(out)]) < len([*store.pack_files(many)])
    assert not any(store.scratch(out).iterdir())
    command = shlex.split(said.rstrip().splitlines()[-1])
    assert cli(*command[1:]).code == 0
    assert values(out) == values(many)


@pytest.fixture
def full_disk(monkeypatch):
    """Let every fsync whose file's name starts with a prefix find a full disk."""

    def arm(prefix):
        real = os.fsync

        def fsync(handle):
            path = os.readlink(f"/proc/self/fd/{handle}")
            if f"/_spiral/tmp/{prefix}" in path:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    return arm


@pytest.mark.parametrize(
    ("prefix", "code"),
    [("pack-", 3), ("", 1)],
    ids=["no room for packs", "no room at all"],
)
def test_a_full_disk_is_a_message_and_can_be_resumed(
    prefix, code, launch, undisturbed, values, full_disk, monkeypatch, tmp_path
):
    out = tmp_path / "out"
    launch(out, "--limit", 1)
    before = values(out)
    full_disk(prefix)
    ran = launch(out)
    assert ran.code == code
    assert "No space left on device" in ran.err
    assert "Make room" in ran.err
    assert values(out) == before
    assert not any(store.scratch(out).iterdir())
    monkeypatch.undo()
    assert launch(out).code == 0
    assert values(out) == values(undisturbed)


def test_of_two_first_launches_the_second_extends_the_first(
    launch, cli, grid, monkeypatch, tmp_path
):
    """Both look before either has written its manifest."""
    out, write = tmp_path / "out", store.write_manifest

    def quicker(*args, **options):
        monkeypatch.setattr(store, "write_manifest", write)
        assert launch(out).code == 0
        return write(*args, **options)

    monkeypatch.setattr(store, "write_manifest", quicker)
    assert launch(out, "--set", "seed=0..5").code == 0
    assert status.verify(out).sound
    assert (status.verify(out).rows, status.verify(out).missing) == (42, 0)


def test_a_cluster_has_the_devices_that_the_launcher_lacks(grid, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("spiral.sweep.ray.process.check_address", lambda address: None)
    loaded = grids.load(grid, ["engine=vmap:cuda"])
    with pytest.raises(EngineUnavailable):
        launches.prepare(loaded, tmp_path, launches.Settings(executor="ray"))
    settings = launches.Settings(executor="ray", address="head:6379")
    assert launches.prepare(loaded, tmp_path, settings).gpu
