"""What is said of unknown names: other people's words, typos, and neither."""

import pytest

from spiral import engines, spelling, tasks
from spiral.methods.registry import METHODS, config_fields

KINDS = {
    "methods": (spelling.METHODS, METHODS),
    "keys": (spelling.KEYS, config_fields()),
    "engines": (spelling.ENGINES, engines.names()),
    "tasks": (spelling.TASKS, tasks.names()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_words_stand_for_names_that_exist_and_are_none_themselves(kind):
    words, known = KINDS[kind]
    assert words.of.keys() | words.notes.keys() <= {*known}
    for called in words.of.values():
        assert not {*called} & {*known}
        assert len({*called}) == len(called)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_leads_to_each_of_its_names(kind):
    words, known = KINDS[kind]
    for name, called in words.of.items():
        for word in called:
            assert repr(name) in spelling.suggest(word, known, words)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("sf", "synflow"),
        ("mag", "magnitude"),
        ("iterative magnitude pruning", "imp"),
        ("Lottery-Ticket", "lth"),
        ("lottery_tickets", "lth"),
        ("SNIP-it", "iter_snip"),
        ("iter-snip", "iter_snip"),
        ("GMP", "gmp"),
        ("gradual", "gmp"),
        ("AC/DC", "acdc"),
        ("AC/DC++", "acdc_pp"),
        ("gpm", "gmp"),
        ("snipp", "snip"),
        ("magnitud", "magnitude"),
    ],
)
def test_methods_are_found_by_the_words_of_the_field_and_by_typos(word, name):
    found = spelling.suggest(word, METHODS, spelling.METHODS)
    assert found == f"did you mean {name!r}?"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("learning_rate", "lr"),
        ("batch_size", "batch"),
        ("batchSize", "batch"),
        ("num_epochs", "epochs"),
        ("n_epochs", "epochs"),
        ("wd", "weight_decay"),
        ("l2", "weight_decay"),
        ("weight-decay", "weight_decay"),
        ("optimizer", "optimiser"),
        ("hidden_size", "width"),
        ("seeds", "seed"),
        ("widht", "width"),
        ("momentm", "momentum"),
    ],
)
def test_keys_are_found_by_the_words_of_the_field_and_by_typos(word, name):
    found = spelling.suggest(word, config_fields(), spelling.KEYS)
    assert found == f"did you mean {name!r}?"


@pytest.mark.parametrize("word", ["density", "sparsity", "pruning ratio"])
def test_a_share_of_weights_is_told_from_their_number(word):
    found = spelling.suggest(word, config_fields(), spelling.KEYS)
    assert found.startswith("did you mean 'keep' (the number of weights")


@pytest.mark.parametrize("word", ["omega", "x", "sq", "zzz", "", "*", "w" * 9999])
def test_what_is_near_nothing_gets_no_guess_but_where_to_look(word):
    found = spelling.suggest(word, config_fields(), spelling.KEYS)
    assert "did you mean" not in found
    assert "`spiral-sweep methods NAME`" in found
    assert len(found) < 120


def test_long_lists_are_cut_to_the_names_that_share_a_word():
    found = spelling.suggest("prune_lr", config_fields(), spelling.KEYS)
    assert found.startswith("similar: lr, inner_lr, ")
    assert "width" not in found


def test_short_lists_are_named_in_full():
    assert spelling.suggest("zzz", ["width", "lr"]) == "choose from width, lr"


def test_another_word_for_an_absent_name_is_no_typo_of_a_third():
    """SynFlow's own short name is near ``sfw`` only as letters go."""
    assert spelling.suggest("sf", ["sfw"], spelling.METHODS) == "choose from sfw"
    assert spelling.suggest("omp", ["gmp"], spelling.METHODS) == "choose from gmp"
    assert spelling.suggest("omp", ["gmp"]) == "did you mean 'gmp'?"


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [
        ("", "", 0),
        ("ab", "ba", 1),
        ("gpm", "gmp", 1),
        ("cat", "cart", 1),
        ("kitten", "sitting", 3),
        ("density", "fidelity", 4),
        ("abc", "", 3),
    ],
)
def test_slips_are_letters_missed_added_replaced_or_swapped(a, b, slips):
    assert spelling._slips(a, b) == spelling._slips(b, a) == slips
