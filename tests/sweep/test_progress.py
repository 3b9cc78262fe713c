"""A launch in which nothing ends says so, and what to do."""

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


@pytest.fixture
def clock(monkeypatch):
    """A time that stands still until it is moved."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def said_by(meter, clock, steps):
    """Return what the watch says if the clock moves on before each of its looks."""
    said, left = [], list(steps)
    meter.console.print = lambda message, **_: said.append(message)

    def wait(_):
        if not left:
            return True
        step = left.pop(0)
        if callable(step):
            step()
        else:
            clock[0] += step
        return False

    meter.over.wait = wait
    meter._watch()
    return said


def test_silence_for_long_is_told_with_cause_and_remedy(clock, meter):
    (message,) = said_by(meter, clock, [590, 20, 500])
    assert message.startswith("no pack was done for 10 min, one takes about 0 s")
    assert "a method may hang" in message
    assert "Ctrl-C ends the launch and keeps what is done" in message


def test_it_is_told_again_with_the_whole_silence(clock, meter):
    said = said_by(meter, clock, [601, 601, 601])
    assert [text.split(",")[0][-6:] for text in said] == ["10 min", "20 min", "30 min"]


def test_a_pack_that_is_done_ends_the_silence(clock, meter):
    def done():
        meter(Outcome("a", networks=3))

    assert len(said_by(meter, clock, [601, done, 599, 2])) == 2
    assert meter.line().startswith("packs 1/2, configs 3/7")


def test_slow_packs_are_given_twenty_times_their_time(clock, meter):
    meter.cost = {"a": 1000.0, "b": 1.0}
    assert said_by(meter, clock, [19_000]) == []
    assert len(said_by(meter, clock, [1_001])) == 1
