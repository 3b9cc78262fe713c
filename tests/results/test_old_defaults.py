"""Rows at defaults that have changed since: found, named, displaced by newer ones."""

import pandas as pd

from spiral.methods.registry import options
from spiral.results import old_defaults, versions


def rows(*configs):
    """Return rows of a method and some options, completed as those of any version."""
    return versions.complete(pd.DataFrame(configs), options())


OLD = {"method": "sfw", "ball_share": 0.3}
NEW = {"method": "sfw", "ball_share": 0.02}
OTHER = {"method": "sfw", "ball_share": 0.1}
GMP = {"method": "gmp"}


def test_rows_at_the_first_default_are_found():
    (found,) = old_defaults.of(rows(OLD, NEW, GMP), options())
    assert found == ("sfw", "ball_share", 0.3, 0.02)
    assert old_defaults.of(rows(NEW, OTHER, GMP), options()) == []


def test_unknown_methods_have_no_defaults():
    assert old_defaults.of(rows({"method": "mine"}), options()) == []


def test_rows_at_todays_default_displace_those_at_the_first():
    kept = old_defaults.latest(rows(OLD, NEW, OTHER, GMP), options())
    assert kept["ball_share"].fillna(0).tolist() == [0.02, 0.1, 0]


def test_alone_they_stay():
    every = rows(OLD, OTHER, GMP)
    assert old_defaults.latest(every, options()).equals(every)


def test_sentences_name_the_method_and_both_values():
    once = {"method": "bimp", "recipe": "once", "cycles": 1, "dense_share": 0.8}
    found = old_defaults.sentences(old_defaults.of(rows(OLD, once), options()))
    assert found == [
        "sfw: rows with ball_share 0.3 are at the defaults of earlier versions (now "
        "0.02)",
        "bimp: rows with recipe once, cycles 1, dense_share 0.8 are at the defaults of "
        "earlier versions (now four, 4, 0.6)",
    ]
