"""Several tasks: gaps that are each of one, and rank correlations that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from spiral.errors import ConfigError
from spiral.report.stats import normalised_gap
from spiral.report.stats.compare import Question
from spiral.report.stats.selection import choose
from spiral.report.stats.transfer import agreement, kendall, of_rows, over_turns
from tests.report import frontier, row, table

METHODS = ("gmp", "lth", "snip", "random")
GAPS = {"gmp": 0.2, "lth": 0.4, "snip": 0.6, "random": 0.8}
FEWEST = {"cubist": 10, "moons": 6, "cubist(turns=3)": 20}
"""Weights known to reach 95 %; fewer reach 80 %."""


def known(task):
    return frontier(("any", 2, 0.8), ("any", FEWEST[task], 1.0))


def rows_of(task, gaps, noise=0.0, multiples=(1, 2, 4)):
    """Return rows of methods with these gaps on a task, where every size allows all."""
    random = np.random.default_rng(len(task))
    return [
        row(
            method=method,
            task=task,
            keep=int(FEWEST[task] * times),
            seed=seed,
            accuracy=1 - 0.5 * (gap + noise * random.standard_normal()),
        )
        for method, gap in gaps.items()
        for seed in range(4)
        for times in multiples
    ]


def found(*rows, question=None):
    return of_rows(table(*rows), question or Question(), known)


def backwards(gaps):
    return dict(zip(gaps, reversed(gaps.values()), strict=True))


def test_equal_orders_have_tau_1_and_reversed_ones_minus_1():
    same = found(*rows_of("cubist", GAPS), *rows_of("moons", GAPS))
    line = same.agreement.iloc[0]
    assert line[["a", "b", "methods"]].tolist() == ["cubist", "moons", 4]
    assert line[["tau", "low", "high"]].tolist() == [1, 1, 1]
    reverse = found(*rows_of("cubist", GAPS), *rows_of("moons", backwards(GAPS)))
    assert reverse.agreement.iloc[0][["tau", "low", "high"]].tolist() == [-1, -1, -1]


def test_one_exchange_of_four_methods():
    moved = GAPS | {"gmp": 0.4, "lth": 0.2}
    line = found(*rows_of("cubist", GAPS), *rows_of("moons", moved)).agreement.iloc[0]
    assert line["tau"] == pytest.approx((5 - 1) / 6)


def test_each_gap_is_that_of_its_task_alone():
    ours, theirs = rows_of("cubist", GAPS, 0.05), rows_of("moons", GAPS, 0.05)
    both = found(*ours, *theirs).gaps
    assert both["task"].tolist() == ["cubist"] * 4 + ["moons"] * 4
    for task, rows in (("cubist", ours), ("moons", theirs)):
        alone = found(*rows).gaps
        part = both[both["task"] == task].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone)
        choice = choose(table(*rows), ["method"])
        span = (FEWEST[task], 4 * FEWEST[task])
        direct = normalised_gap.of_seeds(choice, known(task), span=span)
        means = direct.groupby("line")["gap"].mean()
        assert part["gap"].tolist() == pytest.approx(means.tolist())


def test_sizes_count_from_the_best_known_to_four_times_it():
    every = found(*rows_of("moons", GAPS, multiples=(0.5, 1, 3, 4, 9))).gaps
    assert set(every["least"]) == {6}
    assert set(every["most"]) == {24}
    assert every.set_index("method")["gap"].to_dict() == pytest.approx(GAPS)


def test_dense_networks_and_searches_have_no_rank():
    more = [row(method="dense", keep=None, task="moons", seed=s) for s in range(4)]
    rows = found(*rows_of("cubist", GAPS), *rows_of("moons", GAPS), *more)
    assert set(rows.gaps["method"]) == set(METHODS)


def test_methods_of_one_task_alone_do_not_count():
    fewer = {name: GAPS[name] for name in ("gmp", "lth", "snip")}
    both = found(*rows_of("cubist", GAPS), *rows_of("moons", backwards(fewer)))
    line = both.agreement.iloc[0]
    assert (line["methods"], line["tau"]) == (3, -1)


def test_limits_enclose_what_seeds_leave_open():
    close = {"gmp": 0.5, "lth": 0.5, "snip": 0.5, "random": 0.9}
    both = found(*rows_of("cubist", close, 0.1), *rows_of("moons", close, 0.1))
    line = both.agreement.iloc[0]
    assert line["low"] < 0.5 < line["high"]
    again = found(*rows_of("cubist", close, 0.1), *rows_of("moons", close, 0.1))
    pd.testing.assert_frame_equal(both.agreement, again.agreement)


def test_one_seed_has_no_limits():
    one = pd.DataFrame({0: [0.1, 0.2, 0.3]}, index=["a", "b", "c"])
    line = agreement({"x": one, "y": one}).iloc[0]
    assert line["tau"] == 1
    assert line[["low", "high"]].isna().all()


def test_without_two_methods_there_is_no_tau():
    one = pd.DataFrame({0: [0.1], 1: [0.2]}, index=["a"])
    line = agreement({"x": one, "y": one}).iloc[0]
    assert line[["tau", "low", "high"]].isna().all()


@pytest.mark.parametrize("levels", [3, 1000])
def test_kendall_is_that_of_scipy_ties_and_all(levels):
    random = np.random.default_rng(levels)
    one, other = random.integers(0, levels, (2, 50, 7)).astype(float)
    wanted = [kendalltau(a, b).statistic for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(kendall(one, other), wanted)


def test_kendall_leaves_out_pairs_with_a_missing_number():
    one, other = np.array([1.0, 2, np.nan, 3]), np.array([5.0, 7, 6, 6])
    wanted = kendalltau([1, 2, 3], [5, 7, 6]).statistic
    assert kendall(one, other) == pytest.approx(wanted)


def test_a_task_whose_frontier_does_not_reach_95_is_an_error():
    with pytest.raises(ConfigError, match="no best known networks for task moons"):
        of_rows(
            table(*rows_of("moons", GAPS)),
            Question(),
            lambda task: frontier(("any", 2, 0.8)),
        )


def test_a_task_without_sizes_in_the_range_is_an_error():
    with pytest.raises(ConfigError, match="between 6 and 24 weights on task moons"):
        found(*rows_of("moons", GAPS, multiples=[8]))


def test_turns_are_those_of_the_family():
    rows = [*rows_of("cubist(turns=3)", GAPS), *rows_of("cubist", GAPS)]
    both = found(*rows, *rows_of("moons", GAPS))
    turns = over_turns(both.gaps)
    assert turns["turns"].tolist() == [2.0] * 4 + [3.0] * 4
    assert turns["fewest"].tolist() == [10] * 4 + [20] * 4
    with pytest.raises(ConfigError, match="two tasks like cubist and cubist"):
        over_turns(both.gaps[both.gaps["task"] != "cubist"])


def test_spirals_of_other_sides_and_files_are_not_of_the_family():
    gaps = pd.DataFrame(
        {
            "task": ["cubist", "cubist(turns=3, sides=6)", "cubist(turns=3)"],
            "method": "gmp",
            "gap": 0.5,
        }
    )
    assert over_turns(gaps)["task"].tolist() == ["cubist", "cubist(turns=3)"]
