"""A machine's factors change estimates, never packs."""

import json

import pandas as pd
import pytest

from spiral import engines
from spiral.errors import StoreError
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.results import store
from spiral.sweep import calibration, launch
from spiral.sweep import packs as plan
from spiral.sweep.grid.grid import loads
from spiral.sweep.launch import Launch

GRID = "{method: [random, dense], keep: 9, width: 3, seed: 0..99, engine: [auto, vmap]}"


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A user of whom nothing is kept; nothing is measured of this machine."""

    def refuse(engine):
        raise AssertionError(f"measured {engine}")

    monkeypatch.setattr(calibration, "measure", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calibration.forget()
    yield tmp_path
    monkeypatch.undo()
    calibration.forget()


@pytest.fixture
def measured(fresh):
    """Twice as slow with one engine, as ever with the other."""
    calibration.save({"sparse": 2.0, "vmap": 1.0})
    return fresh


class Ticks:
    """A clock that moves on by so many seconds at each look."""

    def __init__(self, seconds):
        self.now, self.seconds, self.looks = 0.0, seconds, 0

    def __call__(self):
        self.now += self.seconds
        self.looks += 1
        return self.now


# ---- what is kept


def test_what_is_saved_is_read_back_by_another_process(measured):
    file = measured / "spiral-sweep" / "calibration.json"
    assert calibration.path() == file
    assert [*json.loads(file.read_text()).values()] == [{"sparse": 2.0, "vmap": 1.0}]
    assert calibration.factors() == {"sparse": 2.0, "vmap": 1.0}
    assert calibration.factor("sparse") == 2.0


def test_engines_are_kept_one_by_one(measured):
    calibration.save({"reference": 3.0, "vmap": 4.0})
    assert calibration.factors() == {"sparse": 2.0, "vmap": 4.0, "reference": 3.0}


def test_other_processors_and_versions_have_their_own(measured, monkeypatch):
    mine = calibration.machine()
    monkeypatch.setattr(calibration, "machine", lambda: "another")
    calibration.forget()
    assert calibration.factors() == {}
    calibration.save({"sparse": 9.0})
    kept = json.loads(calibration.path().read_text())
    assert kept == {mine: {"sparse": 2.0, "vmap": 1.0}, "another": {"sparse": 9.0}}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", '{"sparse": 2.0}', '{"MACHINE": [1]}'),
        *('{"MACHINE": {"sparse": "fast"}}', '{"MACHINE": {"sparse": -1}}'),
    ],
)
def test_a_damaged_file_counts_as_none(measured, text):
    calibration.path().write_text(text.replace("MACHINE", calibration.machine()))
    calibration.forget()
    assert calibration.factors() == {}


def test_a_folder_that_cannot_be_made_is_a_message(fresh, monkeypatch):
    (fresh / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    with pytest.raises(StoreError, match="cannot write"):
        calibration.save({"sparse": 1.0})


# ---- what is measured


@pytest.mark.parametrize("engine", ["sparse", "vmap", "reference"])
def test_a_measurement_is_seconds_by_those_of_the_model(engine):
    """A second for four steps, by this clock: one stretch of each width is enough."""
    clock, expected = Ticks(1.0), 1.0
    price = engines.ENGINES[engine].price
    for width, pack in ((3, 512), (16, 128)):
        weights = float(mlp.weight_count(width))
        profile = CostProfile.even(pd.Series([weights]).to_numpy())
        model = price.step(width, profile, calibration.PLAN)[0]
        networks = max(1, min(pack, int(calibration.MODEL_SECONDS / model)))
        loop = price.loop_seconds / calibration.STEPS
        expected *= 1 / (4 * (networks * model + loop))
    found = calibration.measure(engine, clock)
    assert found == pytest.approx(expected**0.5, rel=0.01)
    assert clock.looks == 4


def test_what_compiles_does_so_before_the_clock_is_asked(monkeypatch):
    calls = []

    class Noting:
        def advance(self, job, state, stop):
            calls.append((job.width, stop - state.step))
            return state

    def clock():
        calls.append("clock")
        return float(len(calls))

    monkeypatch.setattr(engines, "build", lambda name: Noting())
    calibration.measure("sparse", clock)
    per_width = [[(width, 2), "clock", (width, 4), "clock"] for width in (3, 16)]
    assert calls == per_width[0] + per_width[1]


def test_a_stretch_that_is_over_at_once_is_followed_by_longer_ones():
    """Each takes 0.04 s: 4, 8, 16, 32 steps, of which the last stretch counts."""
    clock = Ticks(0.04)
    calibration.measure("sparse", clock)
    assert clock.looks == 2 * 2 * 4


def test_an_engine_is_measured_once_and_kept(fresh, monkeypatch):
    asked = []
    monkeypatch.setattr(calibration, "measure", lambda e: asked.append(e) or 3.0)
    for _ in range(2):
        assert calibration.factor("sparse") == 3.0
        calibration.forget()
    assert asked == ["sparse"]


def test_bench_measures_anew_what_is_kept(measured, cli, monkeypatch):
    monkeypatch.setattr(calibration, "measure", lambda engine: 7.0)
    found = json.loads(cli("bench", "--calibrate", "--json").out)["factors"]
    assert found == {"sparse": 7.0, "vmap": 7.0}
    assert calibration.factors() == {"sparse": 7.0, "vmap": 7.0}


def test_where_nothing_can_be_kept_it_is_measured_once_a_process(fresh, monkeypatch):
    asked = []
    monkeypatch.setattr(calibration, "measure", lambda e: asked.append(e) or 3.0)
    (fresh / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    assert [calibration.factor("sparse") for _ in range(3)] == [3.0] * 3
    assert asked == ["sparse"]


def test_an_engine_that_cannot_run_here_is_estimated_by_the_model(fresh):
    """``measure`` raises: plans are made on machines without the device, too."""
    assert calibration.factor("vmap:cuda") == 1.0
    assert calibration.factors() == {}


# ---- estimates and packs


@pytest.mark.parametrize("factor", [1e-6, 2.0, 1e6])
def test_estimates_follow_it_and_packs_do_not(measured, factor):
    configs = loads(GRID).configs
    calibration.save({"sparse": 1.0, "vmap": 1.0})
    before = plan.pack(configs)
    calibration.save({"sparse": factor})
    after = plan.pack(configs)
    pd.testing.assert_frame_equal(after.configs, before.configs)
    ratio = after.table["seconds"] / before.table["seconds"]
    expected = after.table["engine"].map({"sparse": factor, "vmap": 1.0})
    assert set(after.table["engine"]) == {"sparse", "vmap"}
    assert ratio.to_numpy() == pytest.approx(expected.to_numpy())


# ---- what launches teach

PACKS = pd.DataFrame(
    [("a", "sparse", 4.0), ("b", "sparse", 6.0), ("c", "vmap", 10.0)],
    columns=["pack", "engine", "seconds"],
)


@pytest.mark.parametrize(
    ("work", "factor"),
    [
        ({"a": 12.0, "b": 18.0}, 6.0),
        ({"a": 12.0}, 6.0),
        ({"a": 12.0, "b": 0.0}, 6.0),
        ({"a": 0.5, "b": 5.0 * 0.9}, 2.0),
        ({"a": 2.0, "b": 4.0}, 2.0),
        ({"a": 7.9, "b": 11.9}, 2.0),
        ({}, 2.0),
        ({"c": 100.0}, 2.0),
    ],
    ids=["off", "one pack", "one unknown", "not far", "in", "just in", "none", "other"],
)
def test_a_launch_off_by_more_than_twice_corrects_the_engine(measured, work, factor):
    calibration.learn(PACKS, work)
    assert calibration.factor("sparse") == factor
    assert calibration.factor("vmap") == (10.0 if "c" in work else 1.0)


def test_a_launch_that_was_much_quicker_corrects_it_too(measured):
    calibration.learn(PACKS.assign(seconds=100.0), {"a": 10.0, "b": 10.0})
    assert calibration.factor("sparse") == 0.2


def test_seconds_of_processor_time_teach_nothing(measured):
    calibration.learn(PACKS.assign(seconds=0.001), {"a": 0.1, "b": 4.8})
    assert calibration.factor("sparse") == 2.0


def test_a_launch_teaches_what_its_packs_took(measured, monkeypatch, tmp_path):
    def run(site, packs, workers, report):
        for pack in packs:
            report(launch.Outcome(pack, networks=1, work=40.0))

    monkeypatch.setattr(launch, "executor", lambda *_: run)
    store.write_manifest(tmp_path, PACKS[["pack"]].assign(config_id="c"), {})
    begun = Launch(tmp_path, 2, PACKS[:2], ["a", "b"], [])
    launch.run(begun, launch.Settings(executor="local"), lambda outcome: None)
    assert calibration.factor("sparse") == 2.0 * 80 / 10
