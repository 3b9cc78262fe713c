"""Progress of a pack: how often it is told, and the work that follows from it."""

from itertools import count

import pytest

from spiral.sweep.pack_progress import Recorder


def test_progress_is_told_after_a_second_and_then_once_a_second():
    times, told = iter([0.0, 0.0, 0.9, 1.0, 1.5, 2.0]), []
    recorder = Recorder(told.append, clock=lambda: next(times))
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        recorder(share)
    assert told == [0.3, 0.5]


def test_work_is_that_of_the_whole_training_without_its_first_piece():
    """The first hundredth took 50 s, since it compiled; the next half takes 10 s."""
    times = iter([50.0, 60.0])
    recorder = Recorder(print, work=lambda: next(times))
    assert recorder.seconds == 0
    recorder(0.01)
    assert recorder.seconds == 0
    recorder(0.51)
    assert recorder.seconds == pytest.approx(20.0)


def test_work_of_a_training_in_one_piece_is_unknown():
    ticks = count()
    recorder = Recorder(print, work=lambda: float(next(ticks)))
    recorder(1.0)
    recorder(1.0)  # evaluated again, say: nothing was trained
    assert recorder.seconds == 0
