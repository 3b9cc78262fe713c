"""The bench measures real engines on real networks."""

import json

import pytest

from spiral import bench
from spiral.bench import gpu, timing
from spiral.bench.cases import Contender, contenders, packs
from spiral.cli import bench as command
from spiral.model import masks
from tests.cli import run

pytestmark = pytest.mark.slow  # trains for the bench


@pytest.mark.parametrize("case", bench.CASES, ids=lambda case: case.name)
def test_a_case_is_what_its_name_says(case):
    kept = case.masks(3)
    nnz = masks.of_weights(kept, case.width).sum(axis=1)
    d1, d2, d3 = case.sizes
    assert (nnz == (case.keep or 2 * d1 + d1 * d2 + d2 * d3 + d3)).all()
    assert (masks.on_path(kept, case.width).sum(axis=1) == nnz).all()


@pytest.fixture(scope="module")
def brief():
    """What a bench of two cases finds in no time, and what it says meanwhile."""
    events = []
    found = bench.measure(
        (bench.CASES[0], bench.CASES[3]),
        repeats=1,
        on_start=lambda text: events.append(("now", text)),
        on_line=lambda text: events.append(("line", text)),
        seconds=0.0,
    )
    return found, events


def _named(line):
    """Return case and engine of a line of the table."""
    return line[:20].strip(), line[20:34].strip()


def _names(found):
    return [(row["case"], row["engine"]) for row in found["results"]]


def test_every_engine_of_a_case_is_measured(brief):
    found, _ = brief
    assert found["sgemm_gflops"] > 0
    rows = [row for row in found["results"] if row["case"] == "3-3-3"]
    engines = {row["engine"] for row in rows}
    assert {"loop", "reference", "vmap", "sparse", "sparse-plain"} <= engines
    for row in rows:
        assert 0 < row["lowest"] <= row["networks_per_s"] <= row["highest"]
        flops = row["networks_per_s"] * 19_500 * 128 * 6 * 37
        assert row["gflops"] == pytest.approx(flops / 1e9, rel=1e-2)


def test_peers_and_sizes_are_contenders_and_the_loop_is_the_first():
    field = list(contenders(bench.CASES[0], 2, ["compile", "jax"]))
    assert field[0].engine == "loop"
    sizes = {one.networks for one in field if one.engine == "vmap-compiled"}
    assert sizes == {64, 128, 256, 512}
    brief = list(contenders(bench.CASES[0], 2, ["compile", "jax"], brief=True))
    assert {one.engine for one in brief} == {one.engine for one in field}
    assert [one.networks for one in brief if one.engine == "jax"] == [256]


def test_what_a_card_is_to_do_trains_on_the_cpu_too(monkeypatch):
    """The contenders of a GPU, but for torch.compile, which compiles for minutes."""
    monkeypatch.setattr(gpu, "BRIEF_SIZES", (3,))
    case = bench.CASES[0]
    field = list(gpu.contenders(case, 1, brief=True, device="cpu"))
    names = [one.engine for one in field]
    assert names == ["loop", "uncaptured", "captured", "compiled", "sparse"]
    jobs = packs(case, field)
    for one in (one for one in field if one.engine != "compiled"):
        assert one.seconds(*jobs[one.networks], 30) > 0


def test_a_card_that_is_not_there_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    ran = run("bench", "--device", "cuda")
    assert ran.code == 2
    assert "expected a CUDA device" in ran.err
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    ran = run("bench", "--device", "cuda", "--peer", "compile")
    assert ran.code == 2
    assert "--peer compile is of the CPU" in ran.err


def test_small_packs_are_the_beginning_of_large_ones():
    case = bench.CASES[3]
    found = packs(case, list(contenders(case, 1, (), brief=True)))
    assert found.keys() == {1, 200, 256}
    for size, (job, state) in found.items():
        assert job.networks == size
        assert (state.masks == case.masks(256)[:size]).all()


def contender(call: float, step: float, steps: int) -> tuple[Contender, list[int]]:
    """Return one whose calls cost as said, and a list of the steps it was asked for."""
    asked = []

    def seconds(job, state, steps):
        asked.append(steps)
        return call + step * steps

    return Contender("computed", 1, 1, steps, seconds), asked


FIELDS = {
    "steps cost everything": (0.0, 1e-3, 1.0),
    "a call costs as much as thousands of steps": (0.05, 1e-4, 0.01),
    "no time is left": (0.1, 1e-3, -3.0),
    "the time is enough for all steps": (0.1, 1e-3, 1e9),
    "as long as it takes": (0.1, 1e-3, float("inf")),
}


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_too_slow_trains_fewer_steps_and_is_extrapolated(name):
    call, step, seconds = FIELDS[name]
    one, asked = contender(call, step, 19_500)
    steps, short = timing._reach(one, (None, None), seconds)
    assert short == pytest.approx(call + 20 * step)
    assert (steps == 19_500) == (seconds > 20)
    taken = call + step * steps
    if steps < 19_500:
        assert taken >= max(seconds / 2, 3 * short)
    assert sum(asked) < 6 * steps
    whole = timing.whole(taken, steps, short, 19_500)
    assert whole == pytest.approx(call + step * 19_500)


def test_a_disturbed_short_call_does_not_turn_time_negative():
    assert timing.whole(1.0, 200, 30.0, 2000) == pytest.approx(0.5 + 0.5 * 11)


def test_at_least_one_repeat_is_made_and_no_more_than_time_allows():
    one, asked = contender(0.0, 1e-3, 20)
    for seconds, repeats in ((-1.0, 1), (float("inf"), 3)):
        pace = timing.Pace(3, seconds)
        (taken,) = timing.times(bench.CASES[0], [one], pace, lambda _: None)
        assert taken == [pytest.approx(0.02)] * repeats
    assert asked == [20] * 6  # a warm-up each


def test_lines_come_when_they_are_known(brief):
    """Those of a case before anything of the next is measured."""
    found, events = brief
    lines = [text for kind, text in events if kind == "line"]
    assert [_named(line) for line in lines[1:]] == _names(found)
    second = events.index(("now", "3-3-3 keep 18: drawing masks"))
    first = [row for row in found["results"] if row["case"] == "3-3-3"]
    assert len([1 for kind, _ in events[:second] if kind == "line"]) == 1 + len(first)
    assert ("now", "3-3-3: warming up sparse-plain, networks 200, threads 1") in events


def test_the_command_measures_a_case_once_and_saves_it(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SECONDS", 0.0)
    file = tmp_path / "b.json"
    ran = run("bench", *("--case", "3-3-3") * 2, "--repeats", 1, "-o", file)
    saved = json.loads(file.read_text())
    assert [_named(line) for line in ran.out.splitlines()[2:]] == _names(saved)
    assert "3-3-3: warming up loop" in ran.err
    assert saved.keys() == {
        *("schema", "machine", "load", "versions", "sgemm_gflops", "results"),
    }
    rows = saved["results"]
    assert len(rows) == len({(row["engine"], row["threads"]) for row in rows})
    wrong = run("bench", "--case", "3-3-4")
    assert (wrong.code, "did you mean '3-3-3'?" in wrong.err) == (2, True)
