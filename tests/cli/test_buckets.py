"""Launches into a bucket of a server, which fails in several ways, and reading them."""

import json
import os
import subprocess
import sys
import threading

import pandas as pd
import pytest

from spiral.results import bucket_server, buckets, store
from tests import VARYING
from tests.bucket_servers import SECRET, Proxy, Server, point_at
from tests.cli import run, run_json

pytestmark = pytest.mark.slow

HERE = ("--executor", "local", "--workers", 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("server") / "data")
    yield found
    found.kill()


@pytest.fixture
def proxy(server, monkeypatch):
    """A proxy that this process and its children use, and that gives up early."""
    found = Proxy(server)
    monkeypatch.setattr(bucket_server, "RETRIES", 2)
    point_at(monkeypatch, found.port)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def trained(server, grid):
    """A finished launch into the bucket, by two workers: its place, what it printed."""
    out = "s3://bucket/trained/here"
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, server.port)
        ran = run("launch", grid, "--out", out, "--executor", "local", "--workers", 2)
    assert ran.code == 0, ran.err
    return out, ran


def folder_of(server, out):
    """Return where the server keeps a results directory."""
    return server.folder / out.removeprefix("s3://")


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ---- one launch, read in all ways


def test_the_rows_are_those_of_a_local_launch(server, trained, rows):
    out, ran = trained
    assert f"{out}: 9 of 9 configs" in ran.out
    found = pd.read_parquet(folder_of(server, out))
    fixed = [name for name in rows if name not in VARYING]
    pd.testing.assert_frame_equal(found[fixed], rows[fixed])
    folders = [path.parent.name for path in objects(folder_of(server, out))]
    assert folders == ["_spiral", "results", "results"]


@pytest.mark.parametrize(
    "words",
    [
        ("status", "DIR"),
        ("verify", "DIR"),
        ("compare", "DIR"),
        ("compare", "DIR", "--table", "distances", "--json"),
        ("network", "export", "DIR", "gmp@12", "-o", "FILE.npz"),
        ("plot", "accuracy", "DIR", "-o", "FILE.svg"),
        ("summary", "DIR", "-o", "FILE.parquet"),
        ("view", "DIR", "-o", "FILE.html"),
        ("report", "DIR", "-o", "FILE.html"),
    ],
    ids=lambda words: words[0],
)
def test_commands_print_what_they_print_of_a_local_launch(
    words, trained, launched, proxy, tmp_path
):
    def ran(place):
        file = str(tmp_path / "file")
        line = [str(w).replace("DIR", place).replace("FILE", file) for w in words]
        done = run(*line)
        assert done.code == 0, done.err
        return done.out.replace(place, "DIR")

    assert ran(trained[0]) == ran(str(launched[0]))


def test_the_page_of_networks_is_that_of_a_local_launch(
    trained, launched, proxy, tmp_path
):
    pages = []
    for place in (trained[0], str(launched[0])):
        run("view", place, "-o", tmp_path / "page.html")
        name = place.rpartition("/")[2]
        page = (tmp_path / "page.html").read_text()
        pages.append(page.replace(f"rows of {name}", "rows of it"))
    assert pages[0] == pages[1]


def test_rows_are_read_by_one_listing_and_each_object_once(trained, proxy):
    assert run("compare", trained[0]).code == 0
    packs = proxy.counts("GET", "/results/pack-")
    assert {*packs.values()} == {1}
    assert len(packs) == 2
    listed = proxy.counts("GET", "list-type")
    assert sorted("results" in path for path in listed) == [False, True]
    assert listed.total() == 2  # the other: whether there is something at all


def test_a_summary_can_lie_in_a_bucket(trained, proxy, tmp_path):
    run_json("summary", trained[0], "-o", tmp_path / "s.parquet")
    there = "s3://bucket/summaries/s.parquet"
    buckets.at(there).put((tmp_path / "s.parquet").read_bytes())
    rows = run("compare", there, "--csv").out
    assert rows == run("compare", trained[0], "--csv").out


def test_the_same_command_has_nothing_left_to_do(trained, grid, proxy):
    assert run_json("launch", grid, "--out", trained[0], *HERE)["trained"] == 0
    assert not proxy.counts("PUT", "")


def test_a_place_with_other_contents_is_refused(trained, grid, proxy):
    ran = run("launch", grid, "--out", "s3://bucket/trained", *HERE)
    assert ran.code == 2
    assert "is not a results directory (it contains here)" in ran.err


# ---- damage


def test_a_damaged_object_is_found_and_trained_again(server, grid, proxy):
    out = "s3://bucket/damaged"
    run_json("launch", grid, "--out", out, *HERE)
    file = next((folder_of(server, out) / "results").iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    ran = run("verify", out, "--json")
    assert ran.code == 4
    assert json.loads(ran.out)["corrupt"] == [f"results/{file.name}"]
    lost = json.loads(ran.out)["missing"]
    assert run_json("launch", grid, "--out", out, *HERE)["trained"] == lost > 0
    assert run("verify", out).code == 0


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
