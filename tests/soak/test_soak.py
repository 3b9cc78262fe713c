"""A small part of the campaign, the same every time; ``make soak`` has all of it."""

from random import Random

import pytest

from tests.soak import (
    clock,
    files,
    fuzz,
    hygiene,
    kills,
    memory,
    methods,
    networks,
    pairs,
    points,
    signals,
)
from tests.soak.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    return Stage(tmp_path_factory.mktemp("soak"))


@pytest.mark.parametrize(
    "kind", [clock, files, memory, networks, pairs], ids=lambda kind: kind.__name__
)
def test_a_turn_of_each_kind_is_survived(kind, stage):
    assert kind.turn(stage, Random(1)) >= 1


def test_kills_are_survived(stage, monkeypatch):
    monkeypatch.setattr(kills, "DEATHS", 4)
    assert kills.turn(stage, Random(4)) == 4


def test_every_fault_point_is_listed(stage):
    assert points.passed(stage) == {*points.FIRST, *points.AGAIN, *points.RECORD}


@pytest.mark.parametrize(
    "case",
    [
        ("first", "write manifest", "kill"),
        ("first", "close folder results", "EIO"),
        ("first", "unlink record", "EIO"),
        ("again", "replace manifest", "kill after"),
        ("record", "fsync record", "ENOSPC"),
    ],
    ids=" ".join,
)
def test_a_fault_point_is_survived(case, stage):
    points.one(stage, *case)


def test_a_method_that_misbehaves_fails_alone(stage):
    for _ in range(3):
        methods.turn(stage, Random(1))


def test_bad_input_is_answered_in_words(stage):
    assert fuzz.turn(stage, Random(5), cases=100, measures=False) == 100


def test_sixty_packs_leave_nothing_behind(stage):
    assert hygiene.packs(stage, 60) == 60


@pytest.mark.slow
def test_signals_to_ray_end_it_at_each_moment(stage):
    assert signals.turn(stage, Random(1)) == len(signals.MOMENTS)
