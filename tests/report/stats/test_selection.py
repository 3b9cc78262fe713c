"""Which setting and which seeds are reported."""

import numpy as np
import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.report.stats.selection import choose, codes
from tests.report import row, seeds, table


def two_rates(**values):
    """0.1 has the better mean, 0.2 the best single seed."""
    return [
        *seeds([0.7, 0.8, 0.75], lr=0.1, **values),
        *seeds([0.6, 0.9, 0.55], lr=0.2, **values),
    ]


def shown(rows, *more, **options):
    """Return the accuracies that are reported."""
    choice = choose(table(*rows, *more), **options)
    return choice.rows["accuracy"][choice.reported].tolist()


def test_each_half_is_reported_at_the_setting_of_the_other():
    """Seeds 0 and 2 prefer 0.1, seed 1 alone 0.2."""
    assert shown(two_rates()) == [0.8, 0.6, 0.55]
    clear = [*seeds([0.9] * 4, lr=0.1), *seeds([0.6, 0.99, 0.6, 0.6], lr=0.2)]
    assert shown(clear) == [0.9] * 4


def test_no_seed_chooses_its_own_setting():
    """However good a seed is, where it is reported does not change."""
    before = choose(table(*two_rates()))
    for place in range(6):
        rows = two_rates()
        rows[place] = rows[place] | {"accuracy": 1.0}
        after = choose(table(*rows))
        seed = rows[place]["seed"]
        own = (after.rows["seed"] == seed).to_numpy()
        assert (before.reported[own] == after.reported[own]).all()


def test_of_equal_means_the_first_setting_is_reported():
    even = [*seeds([0.6, 0.6], lr=0.2), *seeds([0.6, 0.6], lr=0.1)]
    choice = choose(table(*even))
    assert choice.rows["lr"][choice.reported].tolist() == [0.1, 0.1]


def test_a_single_seed_chooses_for_itself_and_is_marked():
    choice = choose(table(row(lr=0.1, accuracy=0.7), row(lr=0.2, accuracy=0.8)))
    assert choice.rows["accuracy"][choice.reported].tolist() == [0.8]
    assert choice.in_sample.tolist() == [False, True]
    assert not choose(table(*two_rates())).in_sample.any()
    assert not choose(table(row())).in_sample.any()  # nothing to choose


def test_any_field_of_a_config_makes_a_setting():
    rows = [*seeds([0.7, 0.8]), *seeds([0.6, 0.65], interval=50)]
    frame = table(*rows)
    frame["interval"] = pd.array([97, 97, 50, 50], "Int64")
    choice = choose(frame)
    assert choice.reported.tolist() == [True, True, False, False]
    assert choice.settings == ["lr", "schedule", "interval"]


def test_results_make_no_setting():
    rows = [row(accuracy=0.7, steps=1), row(seed=1, accuracy=0.8, steps=2)]
    assert choose(table(*rows)).settings == ["lr", "schedule"]


def test_a_setting_that_makes_groups_is_not_chosen():
    choice = choose(table(*two_rates()), ["method", "lr"])
    assert choice.reported.all()
    assert choice.groups["lr"].tolist() == [0.1, 0.2]


def test_each_width_chooses_for_itself_and_both_are_reported():
    other = [*seeds([0.6, 0.6], width=3, lr=0.1), *seeds([0.7, 0.8], width=3, lr=0.2)]
    found = shown(two_rates(), *other, by=["method"])
    assert found == [0.8, 0.6, 0.55, 0.7, 0.8]


def test_all_sizes_choose_together_unless_asked():
    """0.2 is better at 30 weights by 0.1, but worse at 20 by 0.2."""
    other = [*seeds([0.8] * 3, keep=30, lr=0.1), *seeds([0.9] * 3, keep=30, lr=0.2)]
    rows = [*seeds([0.8] * 3, lr=0.1), *seeds([0.6] * 3, lr=0.2), *other]
    assert shown(rows) == [0.8] * 6
    assert shown(rows, each_size=True) == [0.8] * 3 + [0.9] * 3


def test_sizes_with_other_settings_choose_apart():
    """Else a size whose settings none of the others has would have no rows."""
    rows = [*seeds([0.9] * 2, keep=20, lr=0.1), *seeds([0.7] * 2, keep=30, lr=0.2)]
    assert shown(rows) == [0.9, 0.9, 0.7, 0.7]


def test_a_setting_gains_nothing_by_lacking_a_hard_size():
    """0.2 is worse at both sizes; without its failures at 16 its mean is higher."""
    rows = [
        *seeds([0.5, 0.5, 0.55], keep=16, lr=0.1),
        *seeds([0.9, 0.9, 0.9], keep=40, lr=0.1),
        row(seed=0, keep=16, lr=0.2, accuracy=0.5),
        *seeds([0.85, 0.85, 0.85], keep=40, lr=0.2),
    ]
    choice = choose(table(*rows))
    assert choice.rows["lr"][choice.reported].unique().tolist() == [0.1]


def test_replicates_are_repeats_where_each_config_has_a_seed_of_its_own():
    rates = {0.1: [0.7, 0.8, 0.75], 0.2: [0.6, 0.9, 0.55]}
    rows = [
        row(lr=lr, seed=int(1000 * lr) + n, replicate=n, accuracy=accuracy)
        for lr, accuracies in rates.items()
        for n, accuracy in enumerate(accuracies)
    ]
    assert shown(rows) == shown(two_rates())
    choice = choose(table(*rows))
    assert choice.rows["fold"].tolist() == [0, 1, 2] * 2
    assert choice.settings == ["lr", "schedule"]


def test_a_setting_without_rows_for_a_half_is_not_chosen_for_it():
    """0.2 is better, but only seeds 0 and 2 have it: 1 and 3 are reported at 0.1."""
    rows = [*seeds([0.6] * 4, lr=0.1), *seeds([0.9] * 3, lr=0.2)[::2]]
    choice = choose(table(*rows))
    found = choice.rows[choice.reported]
    assert sorted(found["seed"]) == [0, 1, 2, 3]
    assert set(found.loc[found["seed"] % 2 == 1, "lr"]) == {0.1}


def test_an_accuracy_below_chance_counts_as_chance():
    assert shown([row(accuracy=0.4), row(seed=1)]) == [0.5, 0.9]


@pytest.mark.parametrize("status", ["aborted", "collapsed", "diverged", "infeasible"])
def test_failures_count_as_chance_whatever_was_measured(status):
    choice = choose(table(row(status=status, accuracy=0.97), row(seed=1)))
    assert choice.rows["accuracy"].tolist() == [0.5, 0.9]
    assert choice.rows["failed"].tolist() == [True, False]


def test_a_degenerate_row_counts_as_it_is_and_a_missing_accuracy_as_chance():
    choice = choose(
        table(row(status="degenerate", accuracy=0.97), row(seed=1, accuracy=None))
    )
    assert choice.rows["accuracy"].tolist() == [0.97, 0.5]


def test_size_is_what_was_asked_or_else_what_there_is():
    rows = [
        row(keep=20, nnz=19),
        row(method="block", keep=None, nnz=18),
        row(method="dense", keep=None),
    ]
    groups = choose(table(*rows)).groups.set_index("method")["keep"]
    assert (groups["gmp"], groups["block"]) == (20, 18)
    assert pd.isna(groups["dense"])


def test_groups_come_sorted_and_the_order_of_rows_does_not_matter():
    rows = [*two_rates(), *two_rates(method="lth"), *two_rates(keep=None, nnz=9)]
    frame = table(*rows)
    mixed = frame.sample(frac=1, random_state=1)
    one, other = choose(frame), choose(mixed)
    pd.testing.assert_frame_equal(one.groups, other.groups)
    assert one.groups["method"].tolist() == ["gmp", "gmp", "lth"]
    assert one.groups["keep"].tolist() == [9, 20, 20]
    back = pd.Series(other.reported, mixed.index).sort_index()
    assert back.tolist() == one.reported.tolist()


# ---- honest


def test_half_of_the_seeds_choose_and_the_others_are_reported():
    """Seeds 0, 2, 4 prefer 0.2; seeds 1 and 3, which are reported, would not."""
    low = seeds([0.6, 0.9, 0.6, 0.9, 0.6], lr=0.1)
    high = seeds([0.8, 0.7, 0.8, 0.75, 0.8], lr=0.2)
    assert shown([*low, *high], seed_split=True) == [0.7, 0.75]


def test_halves_are_of_the_seeds_that_a_problem_has():
    some = [row(seed=s, accuracy=0.5 + s / 200) for s in (90, 3, 17, 40)]
    assert sorted(shown(some, seed_split=True)) == [0.585, 0.95]


def test_halves_are_the_same_for_all_settings():
    rows = two_rates() + two_rates(schedule="step")
    choice = choose(table(*rows), seed_split=True)
    assert choice.rows["seed"][choice.reported].tolist() == [1]


def test_equal_seeds_are_halved_alike_in_every_method_and_size():
    rows = [
        r for m in ("gmp", "lth") for k in (20, 30) for r in two_rates(method=m, keep=k)
    ]
    choice = choose(table(*rows), seed_split=True)
    assert set(choice.rows["seed"][choice.reported]) == {1}
    assert choice.reported.sum() == 4


def test_init_and_order_are_seeds_too():
    rows = [row(init_seed=i, order_seed=o) for i in (0, 1) for o in (0, 1)]
    choice = choose(table(*rows))
    assert choice.rows["fold"].nunique() == 4
    assert choose(table(*rows), seed_split=True).reported.sum() == 2


def test_a_single_seed_has_nothing_left_to_report():
    assert shown([row(), row(lr=0.2, accuracy=0.3)], seed_split=True) == []


# ---- columns


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kep", "did you mean 'keep'"),
        ("seed", "choose from method, task, wid"),
        ("accuracy", "choose from method, task, wid"),
    ],
)
def test_a_column_that_makes_no_group_is_refused_with_those_that_do(name, hint):
    with pytest.raises(ConfigError, match=f"no column '{name}'.*{hint}"):
        choose(table(row()), ["method", name])


def test_without_columns_there_is_nothing_to_compare():
    with pytest.raises(ConfigError, match="at least one column"):
        choose(table(row()), ["keep"])


def test_codes_number_distinct_rows_in_order():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": pd.array(random.choice(["x", "y", None], 300), "string"),
            "b": pd.array(random.choice([1, 2, 3, None], 300), "Int64"),
            "c": random.integers(0, 4, 300),
        }
    )
    expected = frame.groupby(["a", "b", "c"], dropna=False, sort=True).ngroup()
    found, distinct = codes(frame, ["a", "b", "c"])
    assert found.tolist() == expected.tolist()
    again = distinct.iloc[found].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, frame)


def test_codes_of_many_columns_do_not_overflow():
    """Nine columns of 256 codes each have 2^72 combinations."""
    steps = np.arange(255)
    same = {f"c{i}": [*steps, *np.zeros(255, int)] for i in range(1, 9)}
    frame = pd.DataFrame({"c0": [*steps, *steps]} | same)
    found, distinct = codes(frame, list(frame))
    assert len(distinct) == 509  # (0, 0, …) comes twice
    again = distinct.iloc[found].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, frame)
    assert distinct.equals(distinct.sort_values(list(frame)).reset_index(drop=True))


def test_choosing_agrees_with_a_slow_search():
    random = np.random.default_rng(3)
    rows = [
        row(method=m, keep=k, lr=lr, seed=s, accuracy=random.uniform(0.5, 1))
        for m in ("gmp", "lth")
        for k in (10, 20)
        for lr in (0.1, 0.2, 0.3)
        for s in range(5)
    ]
    frame = table(*rows)
    choice = choose(frame)
    for method, part in frame.groupby("method"):
        for half in (0, 1):
            others = part[part["seed"] % 2 != half]
            means = others.groupby("lr")["accuracy"].mean()
            own = (frame["method"] == method) & (frame["seed"] % 2 == half)
            expected = frame.index[own & (frame["lr"] == means.idxmax())]
            assert {*frame.index[own & choice.reported]} == {*expected}


def test_rows_in_any_order_are_reported_alike():
    random = np.random.default_rng(4)
    rows = [
        row(keep=k, lr=lr, seed=s, accuracy=random.integers(5, 9) / 10)
        for k in (10, 20)
        for lr in (0.1, 0.2, 0.3)
        for s in range(6)
        if random.random() < 0.8
    ]
    frame = table(*rows)
    mixed = frame.sample(frac=1, random_state=2)
    back = pd.Series(choose(mixed).reported, mixed.index).sort_index()
    assert back.tolist() == choose(frame).reported.tolist()


def test_rows_of_two_tasks_are_refused():
    rows = table(*seeds([0.7, 0.8]), *seeds([0.9, 0.9], task="moons"))
    with pytest.raises(ConfigError, match=r"got those of cubist, moons; .*--task"):
        choose(rows)


def test_a_file_is_one_task_wherever_it_lies():
    lying = ["/a/p.npz@0123456789abcdef", "/b/q.npz@0123456789abcdef"]
    rows = [row(task=name, seed=n) for n, name in enumerate(lying)]
    choice = choose(table(*rows))
    assert choice.settings == ["lr", "schedule"]
    assert choice.task in lying


def test_no_accuracy_is_below_the_chance_of_its_task():
    rows = [
        row(task="file@1", task_chance=0.7, accuracy=0.6),
        row(task="file@1", task_chance=0.7, accuracy=0.8, seed=1),
        row(task="file@1", task_chance=0.7, accuracy=0.9, seed=2, status="collapsed"),
    ]
    assert choose(table(*rows)).rows["accuracy"].tolist() == [0.7, 0.8, 0.7]
