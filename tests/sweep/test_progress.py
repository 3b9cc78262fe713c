"""A launch in which nothing ends says so, and what to do."""

import threading

import pandas as pd
import pytest

from spiral.sweep import progress
from spiral.sweep.launch import Launch
from spiral.sweep.work import Outcome


@pytest.fixture
def meter(tmp_path):
    packs = pd.DataFrame(
        {"pack": ["a", "b"], "networks": [3, 4], "seconds": [0.001, 0.002]}
    )
    return progress.Meter(Launch(tmp_path, 7, packs, ["a", "b"], []), workers=1)


def told(meter):
    """Make the meter's notices known."""
    said, heard = [], threading.Event()

    def note(message, **_):
        said.append(message)
        heard.set()

    meter.console.print = note
    return said, heard


def test_silence_for_long_is_told_with_cause_and_remedy(meter, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.02)
    said, heard = told(meter)
    with meter:
        assert heard.wait(30)
    assert said[0].startswith("no pack was done for ")
    assert "a method may hang" in said[0]
    assert "Ctrl-C ends the launch and keeps what is done" in said[0]


def test_slow_packs_are_given_twenty_times_their_time(meter, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.02)
    meter.cost = {"a": 1000.0, "b": 1.0}
    said, heard = told(meter)
    with meter:
        assert not heard.wait(0.5)
        meter(Outcome("a", networks=3))
    assert said == []
    assert meter.line().startswith("packs 1/2, configs 3/7")
