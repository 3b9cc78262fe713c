"""Which rows a question is about."""

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.methods import registry
from spiral.report.stats import row_filter
from spiral.report.stats.row_filter import of_task, select
from spiral.results import load, summary
from tests.report import METHODS, row, table


@pytest.fixture
def rows():
    found = table(
        row(method="gmp", keep=20, schedule="cosine"),
        row(method="snip", keep=26, schedule="step", lr=0.05),
        row(method="dense", keep=None),
    )
    return found.assign(source=["A", "A", "B"], version=["1", "2", None])


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({}, ["gmp", "snip", "dense"]),
        ({"method": ["snip", "gmp"]}, ["gmp", "snip"]),
        ({"when": ["before"]}, ["snip"]),
        ({"schedule": ["step"]}, ["snip"]),  # of training
        ({"schedule": ["gradual"]}, ["gmp"]),  # of pruning: an axis
        ({"lr": ["5e-2"]}, ["snip"]),
        ({"keep": ["20.0", "26"]}, ["gmp", "snip"]),
        ({"keep": ["none"]}, ["dense"]),
        ({"source": ["B"]}, ["dense"]),
        ({"version": ["2"], "lr": ["0.05"]}, ["snip"]),
        ({"rewind_epoch": ["none"]}, ["gmp", "snip", "dense"]),  # of absent methods
    ],
)
def test_columns_and_axes_select(rows, where, left):
    found = select(rows, where, METHODS)
    assert found["method"].tolist() == left
    assert found.index.tolist() == [*range(len(left))]


@pytest.mark.parametrize(
    ("value", "left"),
    [("global", [0, 3, 4]), ("erk", [1, 7]), ("lamp", [5, 6]), ("uniform", [2, 8])],
)
def test_rows_with_an_option_of_an_axis_name_are_judged_by_it(value, left):
    rows = table(
        row(method="gmp", allocation="global"),
        row(method="gmp", allocation="erk"),
        row(method="rigl", allocation="uniform"),
        row(method="rigl", allocation="global"),
        row(method="taylor_unit"),
        row(method="snip", allocation="lamp"),
        row(method="lamp"),
        row(method="mest"),
        row(method="l1_unit"),
    ).assign(source=[*range(9)])
    found = select(rows, {"allocation": [value]}, METHODS)
    assert found["source"].tolist() == left


def test_some_methods_stay_whatever_is_asked_of_methods(rows):
    for where in ({"method": ["gmp"]}, {"when": ["during"]}):
        assert set(select(rows, where, METHODS, ("dense",))["method"]) == {
            "gmp",
            "dense",
        }
    assert set(select(rows, {"keep": ["20"]}, METHODS, ("dense",))["method"]) == {"gmp"}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            {"units": ["neuron"]},
            "no column or axis of methods 'units'; did you mean 'unit'",
        ),
        ({"when": ["never ever"]}, "no method has when='never ever'; choose from "),
        ({"method": ["lth"]}, "no rows have method=lth; there are dense, gmp, snip"),
        ({"keep": ["21"]}, "no rows have keep=21; there are 20, 26, none"),
        ({"method": ["gmp"], "keep": ["26"]}, "no rows have method=gmp and keep=26"),
        ({"rewind_epoch": ["5"]}, "no rows have rewind_epoch=5; there are none"),
    ],
)
def test_what_selects_nothing_is_refused_with_what_there_is(rows, where, message):
    with pytest.raises(ConfigError, match=message):
        select(rows, where, METHODS)


def test_words_that_look_like_numbers_stay_words():
    rows = table(row(), row(), row()).assign(source=["007", "7", "1.0"])
    for name in ("007", "7", "1.0"):
        assert select(rows, {"source": [name]}, METHODS)["source"].tolist() == [name]


# ---- tasks

FILE = "/data/points.npz@0123456789abcdef"


@pytest.fixture
def several():
    tasks = ["cubist", "moons", "planted(nnz=16, seed=1)", FILE]
    return table(*(row(task=name, seed=n) for n, name in enumerate(tasks)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("moons", "moons"),
        (FILE, FILE),
        ("points.npz", FILE),
        ("/data/points.npz", FILE),
        ("0123456789abcdef", FILE),
    ],
)
def test_a_task_is_chosen_by_its_name_a_file_also_by_less(several, text, name):
    assert of_task(several, text)["task"].tolist() == [name]
    assert select(several, {"task": [text]}, METHODS)["task"].tolist() == [name]


def test_the_only_task_needs_no_name(several):
    assert len(of_task(several.iloc[:1], None)) == 1
    for choosing in (
        lambda: of_task(several, None),
        lambda: select(several, {}, METHODS),
    ):
        with pytest.raises(ConfigError, match="choose one by --task"):
            choosing()


def test_a_task_without_rows_is_refused_with_those_there_are(several):
    with pytest.raises(ConfigError, match=r"task xor; there are .*moons"):
        of_task(several, "xor")


def test_two_files_of_one_name_are_told_apart_by_their_digests(several):
    other = table(row(task="/else/points.npz@fedcba9876543210"))
    both = pd.concat([several, other], ignore_index=True)
    with pytest.raises(ConfigError, match=r"give one by its digest: 0123.*, fedc"):
        of_task(both, "points.npz")
    assert len(of_task(both, "fedcba9876543210")) == 1


@pytest.mark.parametrize(
    "where",
    [
        {"width": ["3"]},
        {"method": ["gmp", "snip"]},
        {"method": ["gmp"], "width": ["16"], "lr": ["0.1"]},
        {"when": ["before"], "width": ["3"]},
    ],
)
def test_what_is_read_alone_is_what_is_selected_from_all(where):
    file, methods = summary.shipped("fidelity"), registry.known()
    rows, pool, notes = row_filter.read([file], methods, where)
    every, said = load.read([file], methods.options)
    selected = row_filter.select(every, where, methods)
    pd.testing.assert_frame_equal(rows, selected[[*rows]])
    assert selected.drop(columns=[*rows]).isna().all(axis=None)
    assert notes == said
    assert len(rows) <= len(pool) < len(every) or "method" not in where


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"width": ["17"]}, "no rows have width=17; there are 3, 16"),
        ({"method": ["gpm"]}, "no rows have method=gpm; there are .*lth"),
    ],
)
def test_a_message_names_the_values_of_all_rows(where, says):
    with pytest.raises(ConfigError, match=says):
        row_filter.read([summary.shipped("fidelity")], registry.known(), where)
