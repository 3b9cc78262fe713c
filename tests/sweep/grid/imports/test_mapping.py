"""Other words for keys of grids: which are taken, and which are left open."""

import pytest

from spiral.protocol.config import Config, fields
from spiral.sweep.grid.imports.found import Key, Swept
from spiral.sweep.grid.imports.mapping import names_of, translate


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lr", ["lr"]),
        ("Learning-Rate", ["lr"]),
        ("optimizer.lr", ["lr"]),
        ("optimizer.name", ["optimiser"]),
        ("model.optimizer._target_", ["optimiser"]),
        ("optimizer.epochs", []),
        ("scheduler.step_size", []),
        ("trainer.max_epochs", ["epochs"]),
        ("pruner.type", ["method"]),
        ("dropout", []),
        ("epohcs", []),  # a typo is never taken for a key
    ],
)
def test_a_key_means_what_its_words_and_its_surroundings_say(name, expected):
    assert names_of(name) == expected


@pytest.mark.parametrize("name", fields(Config))
def test_every_key_of_a_config_means_itself(name):
    assert names_of(name) == [name]


def made(**values):
    keys = [
        Key(name, f"f:{n}:1", Swept(tuple(some)))
        for n, (name, some) in enumerate(values.items())
    ]
    found = translate(keys)
    return {key: one.values for key, one in found.keys.items()}, {
        one.name: one.why for one in found.left
    }


def test_shares_become_numbers_of_weights_of_the_width():
    assert made(sparsity=[0.5], width=[3], method=["gmp"])[0]["keep"] == (14,)
    assert made(density=[1.0, 0.5], width=[3], method=["gmp"])[0]["keep"] == (27, 14)
    keys, left = made(sparsity=[0.5], width=[3, 16], method=["gmp"])
    assert "differs among widths" in left["sparsity"]
    assert keys["keep"] == (3,)  # added, as gmp needs one
    for wrong in (90, 1.0, "half", True):
        assert "between 0 and 1" in made(sparsity=[wrong])[1]["sparsity"]


def test_an_option_belongs_to_the_methods_that_have_it():
    keys, _ = made(pruner=["rigl"], update_frequency=[50], keep=[20])
    assert keys["update_interval"] == (50,)
    _, left = made(pruner=["snip"], update_frequency=[50], keep=[20])
    assert "option of none of the methods" in left["update_frequency"]


def test_values_keep_their_kind():
    keys, left = made(
        epochs=[10.0], lr=[1, 0.1], nesterov=["yes"], optimizer=["torch.optim.SGD"]
    )
    assert (keys["epochs"], keys["lr"], keys["optimiser"]) == (
        (10,),
        (1, 0.1),
        ("sgd",),
    )
    assert type(keys["epochs"][0]) is int
    assert left == {"nesterov yes": "no value of nesterov"}


def test_keep_is_left_where_no_method_needs_it():
    keys, left = made(method=["dense"], keep=[20])
    assert keys == {"method": ("dense",)}
    assert [*left] == ["keep"]
    assert "needs keep" in made(method=["dense"], sparsity=[0.5])[1]["sparsity"]


def test_what_may_mean_two_keys_is_left_open():
    _, left = made(pruner=["lth"], pruning_rate=[0.2])
    assert left["pruning_rate"] == "may mean keep or rate; choose one"
