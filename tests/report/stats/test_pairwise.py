"""Who beats whom, on rows that were planted."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spiral.report.stats import means, tuning
from spiral.report.stats import pairwise as pairs_file
from spiral.report.stats.pairwise import COLUMNS, MOST, pairwise
from spiral.report.stats.selection import choose
from tests.report import only, row, seeds, table


def met(*rows, by=("method", "width"), seed_split=False):
    return pairwise(choose(table(*rows), by, seed_split))


def over_all(*rows, **options):
    found = met(*rows, **options)
    return found[found["keep"].isna()]


def ahead(wins, n=10, keep=20):
    """Return rows of gmp and lth: gmp wins so many seeds, the rest it loses."""
    gmp = [0.9 if s < wins else 0.6 for s in range(n)]
    return [*seeds(gmp, keep=keep), *seeds([0.7] * n, method="lth", keep=keep)]


def test_a_planted_share_of_wins_is_found_with_wilsons_limits():
    found = only(over_all(*ahead(7)))
    assert (found["a"], found["b"], found["width"]) == ("gmp", "lth", 16)
    assert (found["n"], found["pairs"], found["ties"]) == (10, 10, 0)
    expected = stats.binomtest(7, 10).proportion_ci(method="wilson")
    assert found["probability"] == pytest.approx(0.7)
    assert (found["low"], found["high"]) == pytest.approx([*expected])


def test_ties_count_half():
    rows = [*seeds([0.9, 0.9, 0.9, 0.1]), *seeds([0.5, 0.9, 0.9, 0.9], method="lth")]
    found = only(over_all(*rows))
    assert (found["probability"], found["ties"]) == (0.5, 2)


def test_two_failures_tie_whatever_was_measured():
    rows = [
        row(status="diverged", accuracy=0.0),
        row(method="lth", status="collapsed", accuracy=0.5),
    ]
    assert only(over_all(*rows))["probability"] == 0.5


def test_only_equal_seeds_meet():
    gmp = [row(seed=s, accuracy=0.9) for s in (0, 1, 2, 7)]
    lth = [row(seed=s, method="lth", accuracy=0.1 * s) for s in (1, 2, 3)]
    found = only(over_all(*gmp, *lth))
    assert (found["n"], found["probability"]) == (2, 1)


def test_rows_at_the_chosen_setting_meet_even_if_it_differs():
    rows = [
        *seeds([0.9, 0.9], lr=0.1),
        *seeds([0.1, 0.1], lr=0.2),
        *seeds([0.2, 0.2], method="lth", lr=0.1),
        *seeds([0.5, 0.5], method="lth", lr=0.2),
    ]
    found = only(over_all(*rows))
    assert (found["n"], found["probability"]) == (2, 1)


def test_at_equal_settings_all_settings_meet_their_equals():
    """At 0.1 the first always wins, at 0.2 never; at 0.3 there is none to meet."""
    rows = [
        *seeds([0.9, 0.9], lr=0.1),
        *seeds([0.6, 0.6], lr=0.2),
        *seeds([0.6, 0.6], lr=0.3),
        *seeds([0.8, 0.8], method="lth", lr=0.1),
        *seeds([0.8, 0.8], method="lth", lr=0.2),
    ]
    choice = choose(table(*rows), ("method", "width"), equal_settings=True)
    assert choice.reported.all()
    assert (choice.settings, choice.strata) == ([], ["lr", "schedule"])
    found = pairwise(choice)
    line = only(found[found["keep"].isna()])
    assert (line["n"], line["pairs"], line["probability"]) == (2, 4, 0.5)


def test_initial_weights_and_order_must_be_equal():
    gmp = [row(init_seed=i, order_seed=o) for i in (0, 1) for o in (0, 1)]
    lth = [r | {"method": "lth", "accuracy": 0.5} for r in gmp[:3]]
    assert only(over_all(*gmp, *lth))["pairs"] == 3


def test_each_size_is_compared_and_all_together_seed_by_seed():
    """A seed's mean over sizes counts once: one seed of two sizes is one piece."""
    rows = [*ahead(4, n=4, keep=20), *ahead(0, n=2, keep=30)]
    found = met(*rows)
    assert found["keep"].tolist()[1:] == [20, 30]
    assert found["probability"].tolist() == pytest.approx([0.75, 1, 0])
    assert found["n"].tolist() == [4, 4, 2]
    assert found["pairs"].tolist() == [6, 4, 2]


def test_more_sizes_of_one_seed_do_not_narrow_the_limits():
    one = only(over_all(*ahead(7, keep=20)))
    many = [r for keep in (20, 26, 33, 40) for r in ahead(7, keep=keep)]
    found = only(over_all(*many))
    assert found["pairs"] == 40
    assert [found[c] for c in ("probability", "low", "high", "n")] == pytest.approx(
        [one[c] for c in ("probability", "low", "high", "n")]
    )


def test_dense_networks_meet_every_size():
    dense = seeds([0.95, 0.8], method="dense", keep=None)
    found = met(*dense, *seeds([0.9, 0.9], keep=20), *seeds([1.0, 1.0], keep=30))
    assert found["a"].tolist() == ["dense"] * 3
    assert found["keep"].tolist()[1:] == [20, 30]
    assert found["probability"].tolist() == pytest.approx([0.25, 0.5, 0])


def test_dense_networks_meet_each_other():
    rows = [
        *seeds([0.9, 0.9], method="dense", keep=None, width=3),
        *seeds([0.95, 0.8], method="dense", keep=None, width=16),
    ]
    found = only(met(*rows, by=["width", "method"]))
    assert (found["a"], found["b"], found["method"]) == (3, 16, "dense")
    assert (found["n"], found["probability"]) == (2, 0.5)


def test_other_columns_must_be_equal():
    rows = [*ahead(2, n=2), *[r | {"width": 3} for r in ahead(0, n=2)]]
    found = over_all(*rows)
    assert found["width"].tolist() == [3, 16]
    assert found["probability"].tolist() == [0, 1]


def test_widths_that_are_no_groups_meet_their_equals():
    rows = [*ahead(2, n=2), *[r | {"width": 3} for r in ahead(0, n=2)]]
    found = only(over_all(*rows, by=["method"]))
    assert (found["n"], found["pairs"], found["probability"]) == (2, 4, 0.5)


def test_every_two_of_several_meet_once():
    rows = [r for m in ("c", "a", "b") for r in seeds([0.5], method=m)]
    found = over_all(*rows)
    assert list(zip(found["a"], found["b"], strict=True)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_meetings_of_one_are_those_of_all_that_it_is_in():
    rows = [
        r
        for m, a in zip("cab", (0.5, 0.6, 0.7), strict=True)
        for r in seeds([a], method=m)
    ]
    choice = choose(table(*rows))
    every, one = pairwise(choice), pairwise(choice, "b")
    its = every[(every["a"] == "b") | (every["b"] == "b")].reset_index(drop=True)
    assert (one["p_holm"] <= its["p_holm"]).all()  # corrected for two, not three
    one, its = (found.drop(columns="p_holm") for found in (one, its))
    pd.testing.assert_frame_equal(one, its)
    assert len(one) == 4
    many = [row(method=f"m{i}") for i in range(MOST + 1)]
    assert len(pairwise(choose(table(*many)), "m0")) == 2 * MOST


@pytest.mark.parametrize(
    "rows",
    [
        seeds([0.9]),
        [row(seed=0), row(seed=1, method="lth")],
        [row(width=3), row(width=16, method="lth")],
        [row(method=f"m{i}") for i in range(MOST + 1)],
    ],
    ids=["one method", "other seeds", "other widths", "too many"],
)
def test_without_pairs_the_table_is_empty_but_has_its_columns(rows):
    found = met(*rows)
    assert found.empty
    assert list(found) == ["width", "keep", "a", "b", *COLUMNS]


def test_honest_pairs_are_of_the_seeds_reported():
    assert only(over_all(*ahead(10), seed_split=True))["n"] == 5
    assert met(*ahead(1, n=1), seed_split=True).empty


def test_agrees_with_two_loops():
    random = np.random.default_rng(1)
    rows = [
        row(method=m, width=w, keep=k, seed=s, accuracy=random.integers(5, 9) / 10)
        for m in ("gmp", "lth")
        for w in (3, 16)
        for k in (None, 10, 20)
        for s in range(8)
        if random.random() < 0.8
    ]
    rows = [r | {"nnz": 10} if r["keep"] is None else r for r in rows]
    frame = table(*[r for r in rows if r["keep"] is not None])
    found = over_all(*[r for r in rows if r["keep"] is not None], by=["method"])
    each = {}
    for _, a in frame[frame["method"] == "gmp"].iterrows():
        for _, b in frame[frame["method"] == "lth"].iterrows():
            if all(a[n] == b[n] for n in ("width", "keep", "seed")):
                score = (a["accuracy"] > b["accuracy"]) + (
                    a["accuracy"] == b["accuracy"]
                ) / 2
                each.setdefault(a["seed"], []).append(score)
    line = only(found)
    assert line["n"] == len(each)
    assert line["pairs"] == sum(map(len, each.values()))
    assert line["probability"] == pytest.approx(np.mean([*map(np.mean, each.values())]))
    assert pd.isna(line["keep"])


def one_by_one(choice):
    """The slow, obvious way: two values at a time, side by side in one table."""
    first, *others = choice.by
    rows = choice.rows[choice.reported]
    seeds = ["fold"]
    strata = choice.strata
    run = [*others, *strata, *seeds]
    units = rows[["keep", *run]].drop_duplicates().sort_values(["keep", *run])
    columns = {value: side(units, rows[rows[first] == value], run) for value in
               sorted(rows[first].dropna().unique())}  # fmt: skip
    parts = []
    for (a, of_a), (b, of_b) in combinations(columns.items(), 2):
        both = units.assign(score=np.sign(of_a - of_b) / 2 + 0.5).dropna(subset="score")
        both["seed"] = both.groupby(seeds).ngroup()
        for by in ([*others], [*others, "keep"]):
            some = both.dropna(subset="keep") if "keep" in by else both
            if len(some):
                tuned = any(
                    rows_of.groupby("problem")["setting"].nunique().max() > 1
                    for value in (a, b)
                    if len(rows_of := choice.rows[choice.rows[first] == value])
                )
                part = averaged(some, by, tuning.INFLATION if tuned else 1.0)
                parts.append(part.assign(a=a, b=b))
    order = [*others, "keep", "a", "b", *COLUMNS]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=order)
    if parts and "keep" not in found:
        found["keep"] = np.nan
    if parts:
        family = found.groupby([*others, "keep"], dropna=False)["p"]
        found["p_holm"] = family.transform(stepwise)
    return found.reindex(columns=order).reset_index(drop=True)


def stepwise(p):
    """Holm's correction, one after the other."""
    found, least = pd.Series(index=range(len(p)), dtype=float), 0.0
    for done, place in enumerate(np.argsort(p.to_numpy(), kind="stable")):
        least = max(least, min((len(p) - done) * p.iloc[place], 1.0))
        found[place] = least
    return found.to_numpy()


def side(units, own, run):
    """The accuracy of one value at each unit: of its size, else of no size."""
    sized = units.merge(own, on=["keep", *run], how="left")["accuracy"]
    unsized = own[own["keep"].isna()].drop(columns="keep")
    anywhere = units.merge(unsized, on=run, how="left")["accuracy"]
    return np.where(sized.isna(), anywhere, sized)


def averaged(some, by, inflation):
    """The mean over seeds of their means, in each place."""
    lines = []
    for place, part in some.groupby(by) if by else [((), some)]:
        each = part.groupby("seed")["score"].mean()
        spread = np.array([each.var()])
        low, high = means.share(
            np.array([each.mean()]), np.array([len(each)]), spread, inflation
        )
        lines.append(
            dict(zip(by, place, strict=True))
            | {"probability": each.mean(), "low": low[0], "high": high[0]}
            | {
                "p": means.p_half(
                    each.mean(), np.array([len(each)]), spread, inflation
                )[0]
            }
            | {"n": len(each), "pairs": len(part)}
            | {"ties": int((part["score"] == 0.5).sum())}
        )
    return pd.DataFrame(lines)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "method": st.sampled_from(["gmp", "lth", "snip", "dense"]),
            "width": st.sampled_from([3, 16]),
            "keep": st.sampled_from([10, 20, 30]),
            "seed": st.integers(0, 6),
            "accuracy": st.sampled_from([0.5, 0.7, 0.7, 0.9, 0.95, None]),
            "status": st.sampled_from(["ok", "ok", "ok", "collapsed", "diverged"]),
            "lr": st.sampled_from([0.1, 0.1, 0.2]),
        }
    ),
    min_size=2,
    max_size=80,
    unique_by=lambda r: (
        *(r["method"], r["width"], r["seed"], r["lr"]),
        None if r["method"] == "dense" else r["keep"],
    ),
)
"""Missing seeds, ties, failures, measurements that are missing, dense networks."""


@settings(max_examples=60, deadline=None)
@given(
    ROWS,
    st.sampled_from([["method", "width"], ["method"], ["width", "method"], ["lr"]]),
    st.booleans(),
    st.integers(1, 200),
)
def test_all_pairs_at_once_are_those_of_each_two(rows, by, seed_split, at_once):
    rows = [row(**r | ({"keep": None} if r["method"] == "dense" else {})) for r in rows]
    choice = choose(table(*rows), by, seed_split)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_file, "AT_ONCE", at_once)
        found = pairwise(choice)
    expected = one_by_one(choice)
    assert len(found) == len(expected)
    if len(found):
        kinds = {name: found[name].dtype for name in found}
        pd.testing.assert_frame_equal(found, expected.astype(kinds), rtol=1e-9)


def test_thousands_of_pairs_take_one_count(monkeypatch):
    counts, means = [], pairs_file._means
    monkeypatch.setattr(
        pairs_file, "_means", lambda *found: counts.append(1) or means(*found)
    )
    rows = [row(method=f"m{i}", seed=s) for i in range(MOST) for s in range(3)]
    assert len(pairwise(choose(table(*rows)))) == MOST * (MOST - 1)
    assert len(counts) == 1
