"""Packs that train in pieces: the same bits, and a share that rises to 1."""

from itertools import cycle, pairwise

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.engines import paced
from spiral.experiment import prepare
from tests import VARYING
from tests.engines import EVERYWHERE, begin, make_job
from tests.methods import Still, table

SMALL = {"epochs": 2, "batch": 2000}
"""24 steps an epoch."""

METHODS = {
    "gmp": {},
    "lth": {},
    "rigl": {},
    "perp": {},
    "sfw": {},
    "sms": {},
    "acdc_pp": {},
    "scratch": {"of": "random"},
    "random": {"width": 16, "engine": "vmap"},
    "magnitude": {"keep": [8, 9, 9, 11], "seed": [5, 5, 6, 5]},
}
"""Events at many steps, replaced steps, adapters, corners, siblings, weight maps, a
training after another, dead units that an engine leaves out, twins."""


class Clock:
    """A time that moves by these seconds, one after the other, at every look."""

    def __init__(self, *seconds):
        self.now, self.seconds = 0.0, cycle(seconds)

    def __call__(self):
        self.now += next(self.seconds)
        return self.now


def values(table):
    return table.drop_columns([*VARYING]).to_pylist()


@pytest.fixture
def paces(monkeypatch):
    """Let the pieces of every pack follow a clock."""

    def follow(*seconds):
        def build(*given):
            return paced.Paced(*given, clock=Clock(*seconds))

        monkeypatch.setattr(experiment, "Paced", build)

    return follow


@pytest.mark.parametrize("method", METHODS)
def test_pieces_change_no_row(method, paces):
    configs = table(method, 4, **{**SMALL, **METHODS[method]})
    expected = values(experiment.run(configs))
    for seconds in ((0.3,), (0.0001, 10.0, 0.001)):
        paces(*seconds)
        heard = []
        assert values(experiment.run(configs, heard.append)) == expected
        _, plan = prepare.planned(configs.iloc[0])
        assert len(heard) > len(plan.events) + 1


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize("method", ["gmp", "dense"])
def test_pieces_change_no_row_of_any_engine(engine, method, paces):
    configs = table(method, 2, engine=engine, **SMALL)
    paces(0.3)
    found = experiment.run(configs, lambda share: None)
    assert values(found) == values(experiment.run(configs))


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_cuts_within_and_between_epochs_change_no_bit(engine):
    job, trainer = make_job(epochs=3, batch=2000), engines.build(engine)
    whole = trainer.advance(job, begin(job), 72)
    ends = []

    class Noting:
        def advance(self, job, state, stop):
            ends.append(stop)
            return trainer.advance(job, state, stop)

    pieces = paced.Paced(Noting(), 3, lambda share: None, Clock(0.1))
    state = pieces.advance(job, begin(job), 72)
    assert {stop % 24 == 0 for stop in ends} == {True, False}
    for name in ("params", "momentum", "losses"):
        assert np.array_equal(getattr(state, name), getattr(whole, name))


def test_the_share_rises_to_one():
    heard = []
    job, trainer = make_job(), paced.Paced(Still(), 3, heard.append, Clock(0.1))
    state = trainer.advance(job, begin(job), 390)
    assert heard[-1] == pytest.approx(0.5)
    trainer.advance(job, state, 780)
    assert all(a < b for a, b in pairwise(heard))
    assert heard[-1] == 1


def test_twins_that_train_as_one_count_once():
    """One trains for four at first: a fifth of the work is done, not half of it."""
    heard = []
    job, trainer = make_job(), paced.Paced(Still(), 4, heard.append, Clock(100.0))
    trainer.advance(job.take(np.array([0])), begin(job).take(np.array([0])), 390)
    assert heard[-1] == pytest.approx(390 / (390 + 4 * 390))


def lengths(clock, epochs=8):
    """Return how many steps the pieces of one network have."""
    still, job = Still(), make_job((1,), epochs=epochs)
    trainer = paced.Paced(still, 1, lambda share: None, clock)
    trainer.advance(job, begin(job), job.plan.steps)
    return [stop - start for start, stop in still.steps]


def test_pieces_that_take_no_time_grow_eightfold_and_then_end_with_epochs():
    assert lengths(Clock(0.0, 1e-3)) == [1, 8, 64, 390 - 73, 7 * 390]


def test_slow_steps_are_reported_one_by_one():
    assert lengths(Clock(1.0), epochs=1) == [1] * 390
