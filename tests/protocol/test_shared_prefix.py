"""Configs that are alike until their method tells them apart train once."""

from dataclasses import replace

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.engines import sparse
from spiral.methods.registry import METHODS
from spiral.protocol import shared_prefix
from spiral.protocol.job import Change, TrainState
from tests import VARYING
from tests.engines import make_job
from tests.methods import Scripted, table


class Counting:
    """The sparse engine, noting how many networks it trains how far."""

    name = "sparse"

    def __init__(self):
        self.inner = sparse.SparseEngine()
        self.trained = []

    def advance(self, job, state, stop):
        if stop > state.step:
            self.trained.append((job.networks, state.step, stop))
        return self.inner.advance(job, state, stop)

    def evaluate(self, job, state):
        return self.inner.evaluate(job, state)


@pytest.fixture
def counting(monkeypatch):
    engine = Counting()
    monkeypatch.setattr(engines, "build", lambda name: engine)
    return engine


def values(table):
    return table.drop_columns([*VARYING]).to_pylist()


def test_keeps_share_the_dense_epoch_of_magnitude(counting):
    configs = table("magnitude", 4, keep=[8, 9, 10, 11], seed=5, epochs=2, at_epoch=1)
    experiment.run(configs)
    assert counting.trained == [(1, 0, 390), (4, 390, 780)]


def test_rows_are_those_of_separate_trainings(counting):
    configs = table("magnitude", 4, keep=[8, 9, 9, 11], seed=[5, 5, 6, 5], epochs=2)
    together = values(experiment.run(configs))
    alone = [values(experiment.run(configs.iloc[[n]]))[0] for n in range(4)]
    assert together == alone


@pytest.mark.parametrize(
    "differing",
    [
        {"lr": [0.1, 0.2]},
        {"schedule": ["step", "cosine"]},
        {"momentum": [0.9, 0.8]},
        {"weight_decay": [0.0, 5e-4]},
        {"init_seed": [1, 2]},
        {"order_seed": [1, 2]},
    ],
)
def test_networks_that_train_differently_are_no_twins(counting, differing):
    experiment.run(table("magnitude", 2, seed=1, **differing))
    assert counting.trained[0][0] == 2


def test_twins_part_when_anything_of_their_state_differs():
    job = make_job([1, 1, 1])
    state = TrainState.fresh(job)
    alike = shared_prefix.at_start(job)
    assert alike.tolist() == [0, 0, 0]
    assert shared_prefix.after_event(alike, job, state).tolist() == [0, 0, 0]
    for name in ("params", "momentum", "masks"):
        array = getattr(state, name).copy()
        array[1, 3] = array[1, 3] == 0
        parted = shared_prefix.after_event(alike, job, replace(state, **{name: array}))
        assert parted.tolist() == [0, 1, 0], name
    shown = np.eye(3, job.initial.shape[1], dtype=bool)[[0, 1, 0]]
    parted = shared_prefix.after_event(alike, job, replace(state, active=shown))
    assert parted.tolist() == [0, 1, 0]
    scaled = replace(state, lr_scale=np.array([1.0, 1.0, 0.5]))
    assert shared_prefix.after_event(alike, job, scaled).tolist() == [0, 0, 1]
    for name, values in (
        ("weight_decay", np.array([0.0, 0.0, 1e-4])),
        ("order_seeds", np.array([1, 1, 2])),
        ("schedule", ("step", "step", "cosine")),
    ):
        parted = shared_prefix.after_event(alike, replace(job, **{name: values}), state)
        assert parted.tolist() == [0, 0, 1], name


def test_twins_that_parted_stay_apart():
    job = make_job([1, 1])
    state = TrainState.fresh(job)
    assert shared_prefix.after_event(np.array([0, 1]), job, state).tolist() == [0, 1]


def test_siblings_train_once_until_they_are_told_apart(counting, monkeypatch):
    part = Change(orders=np.array([0, 1, 2] * 2))
    method = Scripted([part], (390,), {"siblings": 3})
    entry = replace(METHODS["dense"], build=lambda: method)
    monkeypatch.setitem(METHODS, "dense", entry)
    experiment.run(table("dense", 2, epochs=2))
    assert counting.trained == [(2, 0, 390), (6, 390, 780)]
