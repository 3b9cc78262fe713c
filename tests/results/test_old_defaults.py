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
    kept, notes = old_defaults.latest(rows(OLD, NEW, OTHER, GMP), options())
    assert kept["ball_share"].fillna(0).tolist() == [0.02, 0.1, 0]
    assert notes == ["1 row at old defaults of sfw left out"]


def test_every_row_left_out_is_counted_once():
    once = {"method": "bimp", "recipe": "once", "cycles": 1, "dense_share": 0.8}
    four = {"method": "bimp", "recipe": "four", "cycles": 4, "dense_share": 0.6}
    study = rows(OLD, OLD, NEW, once, four, GMP)
    kept, notes = old_defaults.latest(study, options())
    assert kept["method"].tolist() == ["sfw", "bimp", "gmp"]
    assert notes == [
        "2 rows at old defaults of sfw left out",
        "1 row at old defaults of bimp left out",
    ]


def test_alone_they_stay_and_are_named():
    every = rows(OLD, OTHER, GMP)
    kept, notes = old_defaults.latest(every, options())
    assert kept.equals(every)
    assert notes == old_defaults.sentences(old_defaults.of(every, options())) != []


OF_OLD = {"method": "scratch", "of": "sfw"}
OF_NEW = {**OF_OLD, "ball_share": 0.02}


def test_a_recipe_has_the_defaults_of_the_method_it_wraps():
    (found,) = old_defaults.of(rows(OF_OLD, OF_NEW, GMP), options())
    assert found == ("scratch of sfw", "ball_share", 0.3, 0.02)
    kept, notes = old_defaults.latest(rows(OF_OLD, OF_NEW, OLD), options())
    assert kept["method"].tolist() == ["scratch", "sfw"]
    assert kept["ball_share"].tolist() == [0.02, 0.3]
    assert notes[0] == "1 row at old defaults of scratch of sfw left out"
    assert len(notes) == 2
    others = rows(OF_NEW, {"method": "scratch", "of": "gmp"}, {"method": "shuffled"})
    assert old_defaults.of(others, options()) == []


def test_sentences_name_the_method_and_both_values():
    once = {"method": "bimp", "recipe": "once", "cycles": 1, "dense_share": 0.8}
    found = old_defaults.sentences(old_defaults.of(rows(OLD, once), options()))
    assert found == [
        "sfw: rows with ball_share 0.3 are at the defaults of earlier versions (now "
        "0.02)",
        "bimp: rows with recipe once, cycles 1, dense_share 0.8 are at the defaults of "
        "earlier versions (now four, 4, 0.6)",
    ]
