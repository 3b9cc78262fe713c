"""Names of tasks, and the tasks they stand for."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiral import tasks
from spiral.errors import ConfigError
from spiral.tasks import catalogue, cubist
from tests.golden import tasks as golden
from tests.tasks import tasks_with_parameters

NAMES = tasks.names()
GOLDEN = json.loads(golden.FILE.read_text())


def test_the_default_comes_first():
    assert NAMES[0] == tasks.DEFAULT == "cubist"


def test_the_default_is_the_cubist_spiral_to_the_bit():
    task, data = tasks.load("cubist"), cubist.load()
    assert task.name == "cubist"
    assert task.x.tobytes() == data.x.tobytes()
    assert task.y.tobytes() == data.y.tobytes()
    assert task.chance == 0.5
    assert task.window == (-2.25, 2.25, -2.25, 2.25)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_alone_is_canonical_and_loaded_once(name):
    assert tasks.canonical(name) == name
    assert tasks.load(name) is tasks.load(name)
    assert tasks.load(name).name == name


@given(tasks_with_parameters())
def test_a_canonical_name_is_its_own(case):
    name, values = case
    written = tasks.canonical({name: values})
    assert tasks.canonical(written) == written
    assert (
        tasks.canonical({written: None} if "(" not in written else written) == written
    )


@given(tasks_with_parameters(), st.randoms(use_true_random=False))
def test_neither_order_nor_spaces_of_parameters_matter(case, random):
    name, values = case
    pairs = [f"{key}={text_of(name, key, value)}" for key, value in values.items()]
    random.shuffle(pairs)
    assert tasks.canonical(f" {name} ( {' ,  '.join(pairs)} )") == tasks.canonical(
        {name: values}
    )


def text_of(family, key, value):
    (found,) = (p for p in catalogue.FAMILIES[family].parameters if p.name == key)
    return found.kind.write(value)


@given(tasks_with_parameters())
def test_defaults_are_dropped_and_nothing_else(case):
    name, values = case
    written = tasks.canonical({name: values})
    for parameter in catalogue.FAMILIES[name].parameters:
        given_ = values.get(parameter.name, parameter.default)
        assert (f"{parameter.name}=" in written) == (given_ != parameter.default)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("cubist()", "cubist"),
        ("cubist(turns=2)", "cubist"),
        ("cubist(sides=8,turns=2.0)", "cubist"),
        ("cubist(sides=6, turns=1.50)", "cubist(turns=1.5, sides=6)"),
        ({"cubist": None}, "cubist"),
        ({"cubist": {"turns": 3}}, "cubist(turns=3)"),
        ({"cubist": {"turns": 3.0, "sides": 8}}, "cubist(turns=3)"),
    ],
)
def test_spellings_of_one_task(text, canonical):
    assert tasks.canonical(text) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cubits", "did you mean 'cubist'"),
        ("", "choose from cubist"),
        ("cubist(turns=3", "expected a task like"),
        ("cubist(turns)", "each once, got 'turns'"),
        ("cubist(turns=3, turns=2)", "each once, got 'turns=2'"),
        ("cubist(turn=3)", "did you mean 'turns'"),
        ("cubist(turns=0)", "expected turns to be a multiple of 0.25 from 1 to 4"),
        ("cubist(turns=1.1)", "expected turns to be a multiple of 0.25"),
        ("cubist(sides=6.5)", "expected sides to be a whole number from 6 to 16"),
        ("cubist(turns=nan)", "expected turns"),
        ("cubist(turns=1e999)", "expected turns"),
        (f"cubist(turns={'9' * 900})", "expected turns"),
        ({"cubist": {"turns": True}}, "expected turns"),
        ({"cubist": {"turns": [1]}}, "expected turns"),
        ({"cubist": {"turns": 10**400}}, "expected turns"),
        ({"cubist": {"turns": float("nan")}}, "expected turns"),
        ({"cubist": {1: 2}}, "unknown parameter '1'"),
        ({"cubist": 3}, "{cubist: {turns: 3}}"),
        ({}, "{cubist: {turns: 3}}"),
        ({"cubist": None, "other": None}, "{cubist: {turns: 3}}"),
    ],
)
def test_a_wrong_name_is_refused_with_what_was_expected(text, said):
    with pytest.raises(ConfigError) as error:
        tasks.canonical(text)
    assert said in str(error.value)
    assert len(str(error.value)) < 400


def test_no_text_but_a_task_is_accepted():
    for text in (
        "a" * 10**6,
        "cubist" + "(" * 10**6,
        "cubist\0",
        "cubist(turns=2)x",
        "cubist" + " " * 10**4,
    ):
        with pytest.raises(ConfigError):
            tasks.canonical(text)


def test_a_task_is_read_only():
    task = tasks.load("cubist")
    for array in (task.x, task.y, *task.scale, *task.curves):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("name", NAMES)
def test_a_task_is_standardised_and_sorted_by_class(name):
    task = tasks.load(name)
    assert (task.x.dtype, task.y.dtype) == (np.float32, np.uint8)
    assert np.abs(task.x.mean(axis=0, dtype=float)).max() < 1e-6
    assert np.abs(task.x.std(axis=0, ddof=1, dtype=float) - 1).max() < 1e-6
    assert 45_000 < task.points < 55_000
    assert (np.diff(task.y.astype(int)) >= 0).all()
    assert np.unique(task.y).tolist() == [0, 1]
    assert 0.5 <= task.chance <= 0.7
    low, high = task.window[:2]
    assert low < task.x.min() < task.x.max() < high
    assert task.window[2:] == (low, high)


def test_digests_differ_between_tasks():
    every = [*NAMES, "cubist(turns=3)", "cubist(sides=6)"]
    assert len({tasks.load(name).digest for name in every}) == len(every)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_name_means_the_same_points_in_every_version(name):
    """Approximately: processors differ in the last digit of a cosine."""
    found, wanted = golden.numbers(name), GOLDEN[name]
    assert found["classes"] == wanted["classes"]
    assert (found["weights"] is None) == (wanted["weights"] is None)
    for key in ("points", "mean", "deviation", "weights"):
        if wanted[key] is not None:
            here, there = np.array(found[key]), np.array(wanted[key])
            assert here == pytest.approx(there, rel=1e-5, abs=1e-6)


def test_every_shipped_task_has_golden_points():
    assert {*NAMES} < {*GOLDEN}
