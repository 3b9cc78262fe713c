"""Cyclic training: how long cycles are, and what happens at their start."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.parts import cycles
from spiral.methods.registry import METHODS
from spiral.model import schedules
from spiral.protocol.job import Budget
from tests.methods import Drift, decide, plan_at, table

CYCLIC = [
    name
    for name, entry in METHODS.items()
    if issubclass(entry.options, cycles.CyclicOptions)
]
STATIC = ["snip", "mask", "static"]


@pytest.mark.parametrize(
    ("lengths", "count", "authors"),
    [
        ("linear_down", 4, [20, 15, 10, 5]),
        ("linear_up", 4, [5, 10, 15, 20]),
        ("exponential_down", 4, [17, 13, 10, 8]),
        ("exponential_up", 4, [8, 10, 13, 17]),
        ("peak", 4, [8, 16, 16, 8]),
        ("alternating", 4, [16, 8, 16, 8]),
        ("plateau", 4, [10, 22, 8, 8]),
        ("constant", 4, [12, 12, 12, 12]),
        ("linear_down", 5, [16, 13, 10, 6, 3]),
        ("exponential_down", 5, [13, 11, 9, 8, 6]),
        ("peak", 5, [8, 16, 12, 8, 4]),
        ("alternating", 5, [12, 6, 12, 6, 12]),
        ("plateau", 5, [10, 20, 6, 6, 6]),
        ("peak", 3, [25, 16, 8]),
        ("alternating", 3, [20, 9, 20]),
        ("plateau", 3, [30, 9, 9]),
    ],
)
def test_lengths_are_the_authors_and_the_longest_gets_what_they_lose(
    lengths, count, authors
):
    """50 epochs by nelaturuharsha/TurboPrune, utils/harness_utils.py."""
    found = cycles.epochs_of(count, lengths, 50)
    expected = list(authors)
    expected[authors.index(max(authors))] += 50 - sum(authors)
    assert list(found) == expected


@pytest.mark.parametrize("lengths", get_args(cycles.Lengths))
def test_lengths_add_up_and_one_cycle_is_all(lengths):
    for epochs in (1, 2, 7, 50, 333):
        assert cycles.epochs_of(1, lengths, epochs) == (epochs,)
        for count in range(2, 9):
            found = cycles.epochs_of(count, lengths, epochs)
            assert len(found) == count
            assert sum(found) == epochs
            assert min(found) >= 0


def test_who_is_cyclic():
    assert set(CYCLIC) == {*STATIC, "lth", "lrr"}


@pytest.mark.parametrize("name", CYCLIC)
def test_one_cycle_is_the_plain_method(name):
    shared = table(name, 1, schedule_cycles=1, cycle_lengths="peak").iloc[0]
    method = prepare.build_method(shared)
    assert not isinstance(method, cycles.Cyclic)
    assert len(prepare.plan_of(method, shared).events) in (1, 5)  # five trainings


@pytest.mark.parametrize("name", STATIC)
def test_the_schedule_runs_once_a_cycle(name):
    shared = table(
        name, 1, epochs=50, schedule_cycles=4, cycle_lengths="linear_down"
    ).iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    assert plan.steps == 50 * 390
    assert plan.events == (0, 20 * 390, 35 * 390, 45 * 390)
    for schedule, curve in plan.curves.items():
        parts = [schedules.SCHEDULES[schedule](n) for n in (20, 15, 10, 5)]
        assert np.array_equal(curve, np.repeat(np.concatenate(parts), 390))


@pytest.mark.parametrize("name", ["lth", "lrr"])
def test_every_level_is_cyclic(name):
    plan = plan_at(
        *(50, name),
        **{"rate": 0.2, "shrink": "rate", "levels": 2, "selection": "rank"},
        **{"rewind_epoch": 0, "schedule_cycles": 2, "cycle_lengths": "constant"},
    )
    assert plan.steps == 3 * 19_500
    assert plan.events == tuple(9_750 * n for n in range(6))
    for curve in plan.curves.values():
        parts = curve.reshape(6, -1)
        assert (parts == parts[0]).all()


class Pushing(Drift):
    """Notes the state where each part of a training starts; gives weights momentum."""

    def __init__(self):
        super().__init__()
        self.starts = []

    def advance(self, job, state, stop):
        self.starts.append(state)
        state = super().advance(job, state, stop)
        pushed = np.where(state.masks, np.float32(0.5), np.float32(0))
        return replace(state, momentum=pushed)


@pytest.mark.parametrize("name", STATIC)
def test_momentum_is_fresh_in_every_cycle_and_masks_and_weights_stay(name):
    engine = Pushing()
    state = decide(table(name, 2, epochs=3, schedule_cycles=3), engine)
    assert engine.steps == [(0, 0), (0, 390), (390, 780), (780, 1170)]
    for start in engine.starts[2:]:
        assert not start.momentum.any()
        assert np.array_equal(start.masks, state.masks)
        assert start.params[start.masks].all()


@pytest.mark.parametrize("name", STATIC)
def test_masks_are_those_of_one_cycle(name):
    plain, cyclic = (decide(table(name, 3, schedule_cycles=n), Drift()) for n in (1, 2))
    assert np.array_equal(plain.masks, cyclic.masks)
    assert plain.step == cyclic.step


@pytest.mark.parametrize("name", CYCLIC)
def test_a_training_stops_within_a_cycle(name):
    whole, stopped = Pushing(), Pushing()
    decide(table(name, 2, epochs=4, schedule_cycles=2), whole)
    state = decide(
        table(name, 2, epochs=4, schedule_cycles=2).assign(stop_epoch=3), stopped
    )
    assert state.step == 3 * 390
    assert stopped.steps == [(0, 0), (0, 780), (780, 1170)]
    for one, other in zip(stopped.starts, whole.starts, strict=False):
        assert np.array_equal(one.params, other.params)
        assert np.array_equal(one.masks, other.masks)


@pytest.mark.parametrize("name", CYCLIC)
def test_every_cycle_needs_an_epoch(name):
    (mistake,) = METHODS[name].check(table(name, 1, epochs=3, schedule_cycles=4))
    assert mistake.field == "schedule_cycles"
    assert METHODS[name].check(table(name, 1, epochs=4, schedule_cycles=4)) == []
    (mistake,) = METHODS[name].check(
        table(name, 1, epochs=9, schedule_cycles=4, cycle_lengths="linear_up")
    )
    assert mistake.field == "schedule_cycles"


@pytest.mark.parametrize("name", CYCLIC)
def test_lengths_without_cycles_are_refused(name):
    check = METHODS[name].check
    how = {"epochs": 20, "cycle_lengths": ["constant", "peak"]}
    (mistake,) = check(table(name, 2, schedule_cycles=[2, 1], **how))
    assert mistake == (
        "cycle_lengths",
        "has no effect with schedule_cycles: 1; remove it",
        "peak",
    )
    assert check(table(name, 2, schedule_cycles=[1, 2], **how)) == []


def test_a_method_that_acts_within_a_training_is_refused():
    build = cycles.cyclic(METHODS["magnitude"].build)
    options = {"at_epoch": 1, "allocation": "global"}
    method = build(schedule_cycles=2, **options)
    with pytest.raises(AssertionError):
        method.plan(Budget(4, 390))
