"""The line moves while packs train, and a launch in which nothing moves says so."""

import re

import pandas as pd
import pytest

from spiral.sweep import progress
from spiral.sweep.launch import Launch
from spiral.sweep.work import Outcome, Training


@pytest.fixture
def clock(monkeypatch):
    """A time that stands still until it is moved."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def meter(clock, tmp_path):
    return make(tmp_path, {"a": (3, 0.001), "b": (4, 0.002)})


def make(out, packs, workers=1):
    """Return a meter of packs of so many networks and seconds; nobody watches."""
    table = pd.DataFrame(
        [(name, *size) for name, size in packs.items()],
        columns=["pack", "networks", "seconds"],
    )
    count = int(table["networks"].sum())
    return progress.Meter(Launch(out, count, table, [*packs], []), workers)


def said_by(meter, clock, steps, capsys):
    """Return the warnings of the watch if the clock moves before each of its looks."""
    left = list(steps)

    def wait(_):
        if not left:
            return True
        step = left.pop(0)
        if callable(step):
            step()
        else:
            clock[0] += step
        return False

    meter.stopping.wait = wait
    meter._watch()
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if not line.startswith("packs ")]


def test_nothing_to_train_shows_no_progress(tmp_path, capsys):
    with make(tmp_path, {}):
        pass
    assert capsys.readouterr().err == ""


# ---- silence


def test_silence_for_long_is_told_with_cause_and_remedy(clock, meter, capsys):
    (message,) = said_by(meter, clock, [590, 20, 500], capsys)
    assert message.startswith("no progress for 10 min, while")
    assert "a method may hang" in message
    assert "Ctrl-C ends the launch and keeps finished packs" in message


def test_it_is_told_again_with_the_whole_silence(clock, meter, capsys):
    said = said_by(meter, clock, [601, 601, 601], capsys)
    assert [text.split(",")[0][-6:] for text in said] == ["10 min", "20 min", "30 min"]


def test_a_pack_that_is_done_ends_the_silence(clock, meter, capsys):
    def done():
        meter(Outcome("a", networks=3))

    assert len(said_by(meter, clock, [601, done, 599, 2], capsys)) == 2
    assert meter.line().startswith("packs 1/2, configs 3/7")


def test_so_does_a_pack_that_gets_further(clock, meter, capsys):
    def further(share):
        return lambda: meter(Training("a", share))

    steps = [500, further(0.1), 500, further(0.2), 500]
    assert said_by(meter, clock, steps, capsys) == []
    assert len(said_by(meter, clock, [101], capsys)) == 1


def test_slow_packs_are_given_twice_their_time(clock, meter, capsys):
    meter.cost = {"a": 1000.0, "b": 1.0}
    assert said_by(meter, clock, [1_999], capsys) == []
    assert len(said_by(meter, clock, [2], capsys)) == 1


# ---- the line


def look(meter, clock, time, **shares):
    """Let packs be so far at some time of the launch, and return the line."""
    clock[0] = 1000.0 + time
    for pack, share in shares.items():
        meter(Training(pack, share))
    meter.refresh()
    return meter.line()


def test_before_all_training_the_model_says_how_long(clock, tmp_path):
    packs = {"a": (5, 100.0), "b": (5, 100.0), "c": (5, 100.0), "d": (5, 100.0)}
    meter = make(tmp_path, packs, workers=2)
    assert meter.line() == "packs 0/4, configs 0/20, about 3 min left"
    assert meter.remaining() == 200


def test_the_time_left_follows_what_is_done_within_the_first_packs(clock, tmp_path):
    """Ray and compilers take 40 s here; then a tenth of all is done in 30 s."""
    meter = make(tmp_path, {"a": (10, 100.0), "b": (30, 300.0)}, workers=2)
    line = look(meter, clock, 40, a=0.1)
    assert line == "packs 0/2, configs 0/40, 2.5% trained, about 5 min left"
    line = look(meter, clock, 70, a=0.3, b=0.1)
    assert "15% trained, 0.167 networks/s" in line  # (3 + 3 - 1) / 30 s
    pace = 30 / (30 + 30 - 10)
    assert meter.remaining() == pytest.approx(2 * 270 * pace)  # b, on one worker of two


def test_a_pack_that_is_done_counts_once(clock, tmp_path):
    meter = make(tmp_path, {"a": (10, 100.0), "b": (10, 100.0)})
    look(meter, clock, 10, a=0.9)
    meter(Outcome("a", networks=10))
    line = look(meter, clock, 20, a=0.95, b=0.1)
    assert line.startswith("packs 1/2, configs 10/20, 55% trained, 0.2 networks/s")
    assert meter.remaining() == pytest.approx(90 * 10 / 20)


def test_progress_that_comes_after_the_end_of_its_pack_does_not_count(clock, meter):
    meter(Outcome("a", networks=3))
    look(meter, clock, 10, a=0.5)
    assert meter.latest.networks == 3


def test_lines_become_rarer_and_there_is_none_without_news(clock, meter, capsys):
    """A look every two seconds, at all of which there is news, for five minutes."""
    spoken = []
    for n in range(1, 151):
        look(meter, clock, 2.0 * n, a=n / 200)
        spoken += [2 * n] * len(capsys.readouterr().err.splitlines())
    assert spoken == [2, 6, 14, 30, 62, 122, 182, 242]
    look(meter, clock, 400)
    assert re.fullmatch("packs .*\n", capsys.readouterr().err)
    look(meter, clock, 500)
    assert capsys.readouterr().err == ""
