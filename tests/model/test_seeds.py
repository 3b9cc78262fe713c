"""Streams are named by what they are for; golden/streams.json holds their numbers."""

import json
import runpy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.model import seeds
from tests import GOLDEN_FILES

GOLDEN = GOLDEN_FILES
STREAMS = runpy.run_path(str(GOLDEN / "streams.py"))
EXPECTED = json.loads((GOLDEN / "streams.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_numbers_have_not_changed(name):
    assert STREAMS["current"]()[name] == EXPECTED[name]


def test_regenerate_writes_the_golden_file(tmp_path):
    STREAMS["regenerate"](tmp_path / "s.json")
    written = (tmp_path / "s.json").read_text()
    assert written == (GOLDEN / "streams.json").read_text()


def test_a_stream_does_not_depend_on_what_was_drawn_before():
    alone = seeds.stream("order", 3, 7).random(5)
    seeds.stream("order", 3, 6).random(1000)
    np.random.default_rng(3).random(10)
    assert np.array_equal(seeds.stream("order", 3, 7).random(5), alone)


NAMES = st.tuples(st.sampled_from(["init", "order"]), *[st.integers(0, 130)] * 2)


@settings(max_examples=60)
@given(NAMES, NAMES)
def test_streams_are_equal_only_if_their_names_are(a, b):
    same = seeds.stream(*a).random() == seeds.stream(*b).random()
    assert same == (a == b)


def test_keys_are_not_run_together():
    first, second = seeds.stream("a", 1, 23), seeds.stream("a", 12, 3)
    assert first.random() != second.random()
    assert seeds.stream("a", 1, 2).random() != seeds.stream("a", 1).random()


def test_neighbouring_seeds_are_uncorrelated():
    draws = np.array([seeds.stream("init", s).random(500) for s in range(40)])
    together = np.corrcoef(draws) - np.eye(40)
    assert np.abs(together).max() < 5 / np.sqrt(500)


def test_the_first_child_is_the_config_itself():
    assert seeds.child(7, 0) == 7
    children = [seeds.child(seed, n) for seed in range(20) for n in range(1, 20)]
    assert len(set(children)) == len(children)
    assert all(0 <= child < 2**53 for child in children)
