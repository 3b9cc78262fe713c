"""A head that is gone is missed in words, one that answers is not."""

import threading
from socket import create_server

from spiral.sweep.ray import watch as ray_watch
from tests.patience import PATIENCE


def test_a_head_that_answers_is_not_missed(monkeypatch):
    monkeypatch.setattr(ray_watch, "SECONDS", 0.01)
    said = []
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with ray_watch.watched(address, said.append):
            for _ in range(5):
                server.accept()[0].close()
    assert said == []


def test_one_that_is_gone_is_missed_once_in_words(monkeypatch):
    monkeypatch.setattr(ray_watch, "SECONDS", 0.01)
    said, told = [], threading.Event()

    def lost(message):
        said.append(message)
        told.set()

    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        watch = ray_watch.watched(address, lost)
        with watch:
            server.accept()[0].close()
            server.close()
            assert told.wait(PATIENCE)
    (message,) = said
    assert f"Ray cluster at {address} no longer answers" in message
    assert "are saved" in message
    assert "run the same command" in message


def test_one_that_never_answered_may_be_out_of_sight(monkeypatch):
    knocks, enough = [], threading.Event()

    def knock(place, timeout):
        knocks.append(place)
        if len(knocks) > 3 * ray_watch.MISSES:
            enough.set()
        raise ConnectionRefusedError

    monkeypatch.setattr(ray_watch, "SECONDS", 0.001)
    monkeypatch.setattr(ray_watch, "create_connection", knock)
    said = []
    with ray_watch.watched("there:1", said.append):
        assert enough.wait(PATIENCE)
    assert said == []


def test_it_is_given_up_after_some_misses_in_a_row(monkeypatch):
    knocks, told = [], threading.Event()
    answers = iter([False, True, False, True, *[False] * ray_watch.MISSES])

    def knock(place, timeout):
        knocks.append(place)
        if not next(answers):
            raise ConnectionRefusedError
        return create_server(("127.0.0.1", 0))

    monkeypatch.setattr(ray_watch, "SECONDS", 0.001)
    monkeypatch.setattr(ray_watch, "create_connection", knock)
    with ray_watch.watched("there:1", lambda _: told.set()):
        assert told.wait(PATIENCE)
    assert len(knocks) == 4 + ray_watch.MISSES
