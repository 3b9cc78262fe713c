"""Results in pieces: whole or refused, one pack at a time, each outcome once."""

import pickle
import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from spiral import paths
from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.model import initial
from spiral.results import store
from spiral.sweep import launch as launches
from spiral.sweep import worker
from spiral.sweep.grid import grid as grids
from spiral.sweep.ray import parcels, process
from spiral.sweep.work import ATTEMPTS, Outcome, Training
from spiral.tasks import catalogue

DATA = bytes(range(256)) * 9


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(parcels, "PIECE_BYTES", 1000)


@dataclass
class Ledger:
    """Work whose packs are DATA; it refuses anything else."""

    saved: list = field(default_factory=list)
    error: Exception | None = None

    def do(self, pack, tell):
        return Outcome(pack, networks=1, data=DATA)

    def save(self, outcome):
        if self.error is not None:
            raise self.error
        if outcome.data != DATA:
            raise CorruptPack("not what was sent")
        self.saved.append(outcome.pack)


@dataclass
class Patient:
    """Work that tells its progress and goes on when it may."""

    go: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)

    def do(self, pack, tell):
        tell(0.25)
        self.told.set()
        self.go.wait()
        return Outcome(pack, data=b"x")


@pytest.fixture
def heard():
    return []


@pytest.fixture
def receiver(heard):
    return parcels.Receiver(Ledger(), heard.append)


def carry(receiver, packs, kept=None):
    """Do packs as a worker would, and send what it brings to a receiver."""
    kept = {} if kept is None else kept

    def put(piece):
        kept[len(kept)] = piece
        return len(kept) - 1

    trial = parcels.Trial(receiver.work, put, 600.0)
    sender = parcels.Sender(receiver, kept.get)
    for pack in packs:
        trial.begin()
        while not (result := trial.step(pack)).get("done"):
            sender.stepped(result)
            assert "pieces" not in result  # Tune would keep them for ever
        sender.ended(pack)
    return kept


def test_results_arrive_in_pieces_and_are_saved_before_they_are_reported(
    receiver, heard
):
    stored = carry(receiver, ["a", "b"])
    assert [len(piece) for piece in stored.values()] == [1000, 1000, 304] * 2
    assert receiver.work.saved == ["a", "b"]
    assert heard == [Outcome("a", networks=1), Outcome("b", networks=1)]
    assert receiver.refused == {}


def test_a_receiver_holds_one_pack_at_a_time(receiver):
    receiver(parcels.Piece(0, DATA))
    receiver(Outcome("a"))
    assert receiver.pieces == []


def test_a_pack_that_is_sent_again_begins_anew(receiver):
    receiver(parcels.Piece(0, DATA[:1000]))  # then its worker died
    for number, piece in enumerate(parcels.pieces(DATA)):
        receiver(parcels.Piece(number, piece))
    receiver(Outcome("a"))
    assert receiver.work.saved == ["a"]


@pytest.mark.parametrize("spoil", [lambda piece: piece[:-1], lambda piece: b""])
def test_damaged_results_are_refused_and_not_reported(spoil, receiver, heard):
    class Spoiled(dict):
        def get(self, number):
            return spoil(self[number])

    carry(receiver, ["a"], Spoiled())
    assert (heard, receiver.work.saved) == ([], [])
    assert receiver.refused == {"a": "not what was sent"}


def test_lost_results_are_refused_if_their_worker_lives(receiver, heard):
    class Leaky(dict):
        def get(self, number):
            return None

    carry(receiver, ["a"], Leaky())
    assert heard == []
    assert receiver.refused.keys() == {"a"}


def test_a_worker_that_dies_with_its_results_is_left_to_tune(heard):
    sender = parcels.Sender(heard.append, lambda number: None)
    sender.stepped({"outcome": Outcome("a"), "pieces": [0]})
    assert heard == []
    sender.ended("a", "its worker died")
    assert heard[-1] == Outcome("a", error="its worker died")


def test_an_outcome_is_sent_once_though_its_worker_dies_after_it(heard):
    sender = parcels.Sender(heard.append, lambda number: b"x")
    for _ in range(2):
        sender.stepped({"outcome": Outcome("a"), "pieces": [0]})
    sender.ended("a", "its worker died")
    assert heard == [parcels.Piece(0, b"x"), Outcome("a")]


def test_a_disk_that_is_full_fails_the_pack(receiver, heard):
    receiver.work.error = StoreError("no room")
    carry(receiver, ["a"])
    assert heard == [Outcome("a", error="no room")]
    assert receiver.refused == {}


def test_a_pack_that_cannot_be_done_is_reported_without_saving(receiver, heard):
    def do(pack, tell):
        raise ConfigError("no such method")

    receiver.work.do = do
    carry(receiver, ["a"])
    assert heard == [Outcome("a", error="no such method")]
    assert receiver.work.saved == []


def test_steps_tell_the_progress_while_a_pack_is_in_training(heard):
    work = Patient()
    trial = parcels.Trial(work, lambda piece: piece, 0.0)
    assert trial.step("a").keys() == {"training"}
    work.told.wait()
    result = trial.step("a")
    assert result == {"training": Training("a", 0.25)}
    parcels.Sender(heard.append, None).stepped(result)
    assert heard == [Training("a", 0.25)]
    work.go.set()
    trial.seconds = None
    assert trial.step("a")["pieces"] == [b"x"]
    assert trial.step("a") == {"done": True}


# ---- what is refused is done again


@pytest.fixture
def rounds(monkeypatch):
    """Replace Ray's process: it damages the first so many results of each pack."""
    asked = []

    def do(run, receiver):
        (job,) = run.args
        asked.append(job.packs)
        for pack in job.packs:
            bad = pack == "b" and len(asked) <= rounds.bad
            receiver(parcels.Piece(0, b"" if bad else DATA))
            receiver(Outcome(pack))

    def rounds(bad):
        rounds.bad = bad
        return asked

    monkeypatch.setattr(process, "_do", do)
    return rounds


def test_a_pack_whose_results_are_damaged_is_done_again(rounds, heard):
    asked, work = rounds(1), Ledger()
    process.run(work, ["a", "b", "c"], 2, heard.append)
    assert asked == [["a", "b", "c"], ["b"]]
    assert [outcome.pack for outcome in heard] == ["a", "c", "b"] == work.saved


def test_it_fails_if_they_are_damaged_every_time(rounds, heard):
    asked = rounds(ATTEMPTS)
    process.run(Ledger(), ["a", "b"], 2, heard.append)
    assert len(asked) == ATTEMPTS
    assert heard == [Outcome("a"), Outcome("b", error="not what was sent")]


# ---- packs of a launch


@pytest.fixture
def site(grid, tmp_path):
    settings = launches.Settings(executor="local")
    prepared = launches.prepare(grids.load(grid), tmp_path / "out", settings)
    return worker.site(prepared.out), prepared.missing


def test_a_launch_saves_no_pack_but_the_one_it_asked_for(site):
    site, (one, other, *_) = site
    outcome = site.do(one, print)
    at = len(outcome.data) // 2
    flipped = bytes([outcome.data[at] ^ 1])
    for wrong in (
        replace(outcome, pack=other),
        replace(outcome, data=b""),
        replace(outcome, data=outcome.data[:-1]),
        replace(outcome, data=outcome.data[:at] + flipped + outcome.data[at + 1 :]),
    ):
        with pytest.raises(CorruptPack, match=f"result of pack {wrong.pack}: "):
            site.save(wrong)
    assert not [*store.pack_files(site.out)]
    site.save(outcome)
    assert store.pack_path(site.out, one).read_bytes() == outcome.data


def test_a_worker_needs_no_file_of_the_launchers(site):
    site, (pack, *_) = site
    before = site.do(pack, print)
    store.manifest_path(site.out).unlink()
    again = site.do(pack, print)
    assert again.statuses == before.statuses
    assert again.networks == before.networks > 0


FROM_FILES = """
name: files
defaults: {{width: 3, epochs: 1, batch: 128, seed: 0, method: random, keep: 12}}
blocks:
  points: {{task: "{0}/points.npz"}}
  given: {{init: "{0}/init.npz"}}
"""


def test_a_worker_on_a_cluster_needs_no_file_that_a_grid_names(
    tmp_path, heard, monkeypatch
):
    random, out, grid = np.random.default_rng(0), tmp_path / "out", tmp_path / "g.yaml"
    points = random.normal(size=(2, 400))
    label = np.arange(400) % 2
    np.savez(tmp_path / "points.npz", x1=points[0], x2=points[1], label=label)
    sizes = [(3, 2), (3, 3), (3, 3), (1, 3)]
    arrays = {f"{n}.weight": random.normal(size=size) for n, size in enumerate(sizes)}
    np.savez(tmp_path / "init.npz", **arrays)
    grid.write_text(FROM_FILES.format(tmp_path))
    settings = launches.Settings(address="10.0.0.1:1")
    monkeypatch.setattr(process, "check_address", print)
    prepared = launches.prepare(grids.load(grid), out, settings)
    monkeypatch.setattr(process, "_do", lambda run, receiver: heard.append(run.args[0]))
    launches.run(prepared, settings, print)
    for name in ("points.npz", "init.npz"):
        (tmp_path / name).unlink()
    catalogue.load.cache_clear()
    initial.network.cache_clear()
    initial._from_file.cache_clear()
    monkeypatch.setattr(paths, "CARRIED", {})
    (job,) = heard
    site = pickle.loads(pickle.dumps(job.work))
    for pack in job.packs:
        site.save(site.do(pack, print))
    assert launches.recover.missing(out, job.packs) == ([], [])
    assert len(job.packs) == 2
