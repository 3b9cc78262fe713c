"""Relative sizes in grids: numbers of weights, on each task its own."""

import pytest

from spiral.errors import ConfigError
from spiral.search import relative
from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.grid import Grid, loads

FEWEST = {"cubist": 14, "moons": 6, "rings": 9}


@pytest.fixture(autouse=True)
def frontiers(monkeypatch):
    """Frontiers of which tests know the numbers; 99.5 % takes three weights more."""

    def fewest(task, accuracy):
        if task not in FEWEST:
            raise ConfigError(f"expected a network of task {task}, got none; search")
        return FEWEST[task] + 3 * (accuracy > 0.99)

    monkeypatch.setattr(relative, "fewest", fewest)


def sizes(grid: Grid) -> list[tuple[str, int]]:
    return [*grid.configs[["task", "keep"]].itertuples(index=False, name=None)]


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "g")
    return str(caught.value).splitlines()


def test_multiples_are_of_the_default_task_where_none_is_written():
    found = loads("{method: gmp, keep: {relative: [0.75, 1, 2]}}")
    assert sizes(found) == [("cubist", 11), ("cubist", 14), ("cubist", 28)]
    assert found.configs["keep"].dtype == "Int64"


def test_each_task_has_sizes_of_its_own():
    text = "{method: gmp, keep: {relative: [1, 2]}, task: [moons, rings], seed: 0..1}"
    found = sizes(loads(text))
    wanted = [("moons", 6), ("moons", 12), ("rings", 9), ("rings", 18)]
    assert sorted(found) == sorted(2 * wanted)


def test_of_names_another_accuracy():
    assert sizes(loads("{method: gmp, keep: {relative: [1], of: 0.995}}"))[0][1] == 17


def test_plain_sizes_may_stand_beside():
    text = "{method: gmp, keep: [40, {relative: [1]}, 7..8], task: [moons, cubist]}"
    found = sizes(loads(text))
    assert [keep for task, keep in found if task == "moons"] == [40, 6, 7, 8]
    assert [keep for task, keep in found if task == "cubist"] == [40, 14, 7, 8]


def test_ids_are_those_of_the_numbers():
    some = loads("{method: gmp, keep: {relative: [1, 2]}, task: rings}").configs
    plain = loads("{method: gmp, keep: [9, 18], task: rings}").configs
    assert some["config_id"].tolist() == plain["config_id"].tolist()


def test_sizes_and_tasks_may_vary_together_with_other_keys():
    text = """
    method: gmp
    zip:
      - {keep: {relative: [1, 2]}, lr: [0.1, 0.2]}
      - {task: [moons, rings], seed: [3, 4]}
    """
    found = loads(text).configs[["keep", "lr", "task", "seed"]]
    assert found.to_numpy().tolist() == [
        [6, 0.1, "moons", 3],
        [9, 0.1, "rings", 4],
        [12, 0.2, "moons", 3],
        [18, 0.2, "rings", 4],
    ]
    together = "{method: gmp, zip: {keep: {relative: [1, 2]}, task: [moons, rings]}}"
    assert sizes(loads(together)) == [("moons", 6), ("rings", 18)]


def test_overrides_of_either_key_count():
    text = "{method: gmp, keep: {relative: [2]}, task: moons}"
    assert sizes(loads(text, overrides=["task=rings"])) == [("rings", 18)]
    assert sizes(loads(text, overrides=["keep=5"])) == [("moons", 5)]
    plain = "{method: gmp, keep: 30}"
    assert sizes(loads(plain, overrides=["keep={relative: [1]}"])) == [("cubist", 14)]


def test_a_method_without_sizes_has_one_config_for_each_task():
    text = "{method: [dense, gmp], keep: {relative: [1, 2]}, task: [moons, rings]}"
    counts = loads(text).configs["method"].value_counts()
    assert counts.to_dict() == {"gmp": 4, "dense": 2}


def test_every_task_without_a_frontier_is_named_where_the_sizes_are():
    text = "{method: gmp, keep: {relative: [1, 2]}, task: [xor, moons, blobs]}"
    found = mistakes(text)
    assert [line.partition(", got")[0] for line in found] == [
        f"g:1:22: keep: expected a network of task {task}" for task in ("xor", "blobs")
    ]


def test_a_mistake_beside_sizes_is_reported_alone():
    together = "{method: gmp, zip: {keep: {relative: [1, 2]}, task: [moon, cubist]}}"
    assert mistakes(together) == ["g:1:54: unknown task 'moon'; did you mean 'moons'?"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{relative: 2}", "g:1:32: relative: should be a valid list, got '2'"),
        ("{relative: [1, 0]}", "g:1:36: relative: should be greater than 0, got '0'"),
        ("{relative: [1], off: 1}", "g:1:37: relative: off: unknown argument; did "),
        ("{relative: [1], of: 0.4}", "g:1:41: relative: of: should be greater than 0."),
        ("{relativ: [1]}", "g:1:22: keep: unknown listing 'relativ'; did you mean "),
        ("{of: 0.9}", "g:1:22: keep: unknown listing 'of'; choose from relative"),
    ],
)
def test_a_mistake_has_its_place(value, said):
    (found,) = mistakes(f"{{method: gmp, keep: {value}}}")
    assert found.startswith(said)


def test_products_that_are_too_large_are_never_built(monkeypatch):
    monkeypatch.setattr(yaml_nodes, "MAX_VALUES", 100)
    text = "{method: gmp, keep: {relative: [1..30]}, task: [moons, rings, cubist]}"
    (found,) = mistakes(text)
    assert "at most 100 values" in found


def test_a_size_beyond_the_network_is_reported_at_its_place():
    (found,) = mistakes("{method: gmp, keep: {relative: [1, 100]}}")
    assert found.startswith("g:1:22: keep: expected at most the 560 weights")
