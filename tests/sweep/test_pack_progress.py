"""Files of progress: what they hold, that they go, and that losing them is no harm."""

import os
from itertools import count

import pandas as pd
import pytest

from spiral.results import buckets, store
from spiral.sweep import launch as launches
from spiral.sweep import pack_progress


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A folder of results; files are written from the first second on."""
    monkeypatch.setattr(pack_progress, "SECONDS", 0.0)
    store.scratch(tmp_path).mkdir(parents=True)
    return tmp_path


def test_what_a_worker_notes_is_read_while_it_trains_and_then_gone(out):
    with pack_progress.recorded(out, "a") as recorder:
        recorder(0.25)
        assert pack_progress.read(out) == {"a": 0.25}
    assert [*store.scratch(out).iterdir()] == []


def test_a_pack_that_fails_leaves_no_file(out):
    def fail():
        with pack_progress.recorded(out, "a") as recorder:
            recorder(0.25)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [*store.scratch(out).iterdir()] == []


def test_the_file_is_written_once_a_second(out, monkeypatch):
    monkeypatch.setattr(pack_progress, "SECONDS", 1.0)
    times = iter([0.0, 0.9, 1.0, 1.5])
    recorder = pack_progress.Recorder(
        pack_progress.path(out, "a"), clock=lambda: next(times)
    )
    read = []
    for share in (0.1, 0.2, 0.3, 0.4):
        recorder(share)
        read.append(pack_progress.read(out)["a"])
    assert read == [0.1, 0.1, 0.3, 0.3]


@pytest.mark.parametrize("text", ["", "0.", "half", "nan", "2", "-1"])
def test_half_written_and_foreign_files_are_passed_over(out, text):
    pack_progress.path(out, "a").write_text(text)
    pack_progress.path(out, "b").write_text("0.5")
    found = pack_progress.read(out)
    assert found.pop("b") == 0.5
    assert found in ({}, {"a": 0.0})


def test_a_folder_that_is_gone_or_full_does_no_harm(tmp_path):
    with pack_progress.recorded(tmp_path / "nowhere", "a") as recorder:
        recorder(0.5)
        recorder(1.0)
    assert pack_progress.read(tmp_path / "nowhere") == {}
    pack_progress.clear(tmp_path / "nowhere", ["a"])


def test_what_killed_workers_left_is_forgotten_pack_by_pack(out):
    for pack in "ab":
        pack_progress.path(out, pack).write_text("0.5")
    pack_progress.clear(out, ["a", "c"])
    assert pack_progress.read(out) == {"b": 0.5}


def test_what_nobody_forgot_goes_with_other_unfinished_files(out):
    file = pack_progress.path(out, "a")
    file.write_text("0.5")
    os.utime(file, (0, 0))
    store.tidy(out)
    assert not file.exists()


def test_a_pack_that_is_done_at_once_needs_no_file(out, monkeypatch):
    monkeypatch.setattr(pack_progress, "SECONDS", 1e9)
    with pack_progress.recorded(out, "a") as recorder:
        recorder(1.0)
        assert pack_progress.read(out) == {}


def test_every_pack_of_a_launch_is_followed_to_its_end(out, launch, monkeypatch):
    followed, call = {}, pack_progress.Recorder.__call__

    def note(self, share):
        call(self, share)
        (pack,) = pack_progress.read(out)
        followed.setdefault(pack, []).append(share)

    monkeypatch.setattr(pack_progress.Recorder, "__call__", note)
    assert launch(out, workers=1).code == 0
    assert len(followed) == 4
    assert all(shares == sorted(set(shares)) for shares in followed.values())
    assert {shares[-1] for shares in followed.values()} == {1.0}
    assert [*store.scratch(out).iterdir()] == []


def test_a_launch_forgets_what_was_left_before_and_is_left_after(out, monkeypatch):
    packs = pd.DataFrame({"pack": ["a"], "engine": ["sparse"], "seconds": [1.0]})
    pack_progress.path(out, "a").write_text("0.9")
    seen = []

    def killed(site, packs, workers, report):
        seen.append(pack_progress.read(out))
        pack_progress.path(out, "a").write_text("0.1")
        raise KeyboardInterrupt

    monkeypatch.setattr(launches, "executor", lambda *_: killed)
    begun = launches.Launch(out, 1, packs, ["a"], [])
    with pytest.raises(KeyboardInterrupt):
        launches.run(begun, launches.Settings(), lambda outcome: None)
    assert seen == [{}]
    assert pack_progress.read(out) == {}


def test_work_is_that_of_the_whole_training_without_its_first_piece(out):
    """The first hundredth took 50 s, since it compiled; the next half takes 10 s."""
    times = iter([50.0, 60.0])
    recorder = pack_progress.Recorder(
        pack_progress.path(out, "a"), work=lambda: next(times)
    )
    assert recorder.seconds == 0
    recorder(0.01)
    assert recorder.seconds == 0
    recorder(0.51)
    assert recorder.seconds == pytest.approx(20.0)


def test_work_of_a_training_in_one_piece_is_unknown(out):
    ticks = count()
    recorder = pack_progress.Recorder(
        pack_progress.path(out, "a"), work=lambda: float(next(ticks))
    )
    recorder(1.0)
    recorder(1.0)  # evaluated again, say: nothing was trained
    assert recorder.seconds == 0


@pytest.mark.usefixtures("out")
def test_of_a_launch_into_a_bucket_it_lies_in_the_cache_folder_and_goes():
    there = buckets.at("s3://bucket/x")
    with pack_progress.recorded(there, "a") as recorder:
        recorder(0.5)
        assert pack_progress.read(there) == {"a": 0.5}
        assert pack_progress.read(buckets.at("s3://bucket/y")) == {}
    assert store.scratch(there).is_dir()
    pack_progress.clear(there, ["a"])
    assert not store.scratch(there).exists()
