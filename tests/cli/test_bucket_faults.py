"""Launches into a bucket: two at once, servers that fail or die, credentials."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from spiral.results import bucket_server, buckets, store
from tests.bucket_servers import HOST, SECRET, Proxy, Server, point_at
from tests.cli import run, run_json
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

HERE = ("--executor", "local", "--workers", 1)


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ---- two launches begin at once

LARGER = """
name: larger
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..3}
blocks:
  gmp: {method: gmp, keep: 12}
  again: {method: gmp, keep: [12, 20, 24], seed: 0}
  dense: {method: dense}
"""


def test_of_two_first_launches_the_second_extends_the_manifest_of_the_first(
    grid, proxy, tmp_path
):
    larger = tmp_path / "larger.yaml"
    larger.write_text(LARGER)
    both, first = threading.Barrier(2), threading.Event()
    sizes, out = [], "s3://bucket/both"

    def fault(request):
        # Hold the first manifest of each until both are there; the smaller goes first
        if request.method != "PUT" or "manifest" not in request.path or len(sizes) == 2:
            return
        sizes.append(len(request.data))
        both.wait()
        if len(request.data) == max(sizes):
            first.wait()

    proxy.fault, proxy.answered = fault, lambda: len(sizes) == 2 and first.set()
    line = [sys.executable, "-m", "spiral", "launch"]
    rest = ["--out", out, "--executor", "local", "--workers", "1"]
    children = [subprocess.Popen([*line, file, *rest]) for file in (grid, larger)]
    assert [child.wait() for child in children] == [0, 0]
    assert len(set(sizes)) == 2
    assert run_json("status", out)["configs"] == 10
    assert run("verify", out).code == 0


def test_many_first_puts_have_one_winner(proxy):
    path, won = buckets.at("s3://bucket/race/x"), []

    def put(n):
        try:
            path.put(b"%d" % n * 99, first=True)
        except FileExistsError:
            return
        won.append(n)

    threads = [threading.Thread(target=put, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert path.read_bytes() == b"%d" % won[0] * 99


# ---- servers that fail


def test_requests_that_fail_once_are_repeated(grid, proxy):
    failed = set()

    def fault(request):
        asked = (request.method, request.path)
        if asked not in failed:
            failed.add(asked)
            return 500
        return None

    proxy.fault = fault
    out = "s3://bucket/flaky"
    assert run_json("launch", grid, "--out", out, *HERE)["trained"] == 9
    assert run_json("verify", out)["rows"] == 9
    assert len(failed) > 9


def test_an_answer_that_is_too_slow_is_asked_for_again(grid, proxy, monkeypatch):
    monkeypatch.setattr(bucket_server, "TIMEOUT", 1)
    slow, again = set(), threading.Event()

    def fault(request):
        if not slow:
            slow.add(request.path)
            again.wait()  # longer than any patience: until it is asked again
        elif request.path in slow:
            again.set()

    proxy.fault = fault
    state = run_json("launch", grid, "--out", "s3://bucket/slow", *HERE)
    assert state["trained"] == 9
    assert again.is_set()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "the server fails (500), after up to 2 repetitions within 180 s"),
        (503, "the server fails (503), after up to 2 repetitions within 180 s"),
        (403, "access is denied (403); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS"),
        (400, "the server does not do it (400)"),
    ],
)
def test_a_server_that_goes_on_failing_is_told_in_one_sentence(
    status, said, trained, grid, proxy
):
    proxy.fault = lambda request: status
    for words in (("status", trained[0]), ("launch", grid, "--out", trained[0], *HERE)):
        ran = run(*words)
        assert ran.code == 1
        assert ran.err.startswith(f"error: cannot read {trained[0]}")
        assert said in ran.err
        assert ran.err.count("\n") == 1


def test_a_signal_ends_a_launch_that_waits_for_a_server(grid, monkeypatch):
    with socket.create_server(
        (HOST, 0)
    ) as server:  # it takes requests, and that is all
        server.settimeout(PATIENCE)
        point_at(monkeypatch, server.getsockname()[1])
        line = [
            sys.executable,
            "-m",
            "spiral",
            "launch",
            grid,
            "--out",
            "s3://bucket/x",
        ]
        child = subprocess.Popen([*line, *map(str, HERE)], stderr=subprocess.PIPE)
        asked, _ = server.accept()
        with asked:
            assert asked.recv(1)
            child.terminate()
            said = child.communicate()[1].decode()
    assert child.returncode == 143
    assert said.startswith("stopped by SIGTERM; 0 configs of this launch are saved")


def test_a_bucket_that_does_not_exist_is_told(grid, proxy):
    for words in (
        ("status", "s3://wrong/x"),
        ("launch", grid, "--out", "s3://wrong/x"),
    ):
        ran = run(*words, *(HERE if words[0] == "launch" else ()))
        assert ran.code == 1
        assert "expected a bucket wrong, got none of this name; create it" in ran.err


def test_want_of_credentials_is_told(trained, proxy, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    bucket_server.connected.cache_clear()
    ran = run("status", trained[0])
    assert ran.code == 1
    assert "found no credentials; set AWS_ACCESS_KEY_ID" in ran.err


def test_a_server_that_dies_loses_nothing_that_is_finished(tmp_path, grid, monkeypatch):
    server = Server(tmp_path / "data")
    proxy, seen = Proxy(server), []
    monkeypatch.setattr(bucket_server, "RETRIES", 2)
    point_at(monkeypatch, proxy.port)

    def fault(request):
        if request.method == "PUT" and "/results/" in request.path:
            seen.append(request.path)
            if len(seen) == 2:
                server.kill()

    proxy.fault = fault
    out = "s3://bucket/run"
    ran = run("launch", grid, "--out", out, *HERE)
    assert ran.code == 1
    lines = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert ran.err.endswith(f"{lines[0]}\n")
    assert f"cannot write {out}/" in lines[0]
    assert lines[0].endswith("is safe: run the same command again to continue")
    server.start()
    proxy.fault = lambda request: None
    assert len(store.present(buckets.at(out), packs_of(out))) == 1
    state = run_json("launch", grid, "--out", out, *HERE)
    assert 0 < state["trained"] < 9
    assert state["done"] == 9
    assert run("verify", out).code == 0
    proxy.stop()
    server.kill()


def packs_of(out):
    return store.read_manifest(buckets.at(out))[0]["pack"].unique()


# ---- credentials


def test_credentials_are_nowhere_but_in_the_environment(
    server, trained, grid, launched, proxy, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = "s3://bucket/secret"
    said = [run("launch", grid, "--out", out, "--executor", "local", "--workers", 2)]
    page = tmp_path / "page.html"
    said += [run("report", out, "-o", page), run("status", "s3://wrong/x", "--json")]
    for status in (500, 403):
        proxy.fault = lambda request, status=status: status
        said.append(run("status", out))
        said.append(run("launch", grid, "--out", out, *HERE))
    written = [*objects(server.folder), *objects(tmp_path)]
    texts = [one.out + one.err for one in said]
    for text in [*texts, *(path.read_bytes() for path in written)]:
        data = text.encode() if isinstance(text, str) else text
        assert SECRET.encode() not in data
        assert b"somebody" not in data
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert not any(SECRET.encode() in one.data for one in proxy.asked)
    assert len(written) > 4
