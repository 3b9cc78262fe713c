"""Tasks in a grid: names, parameters, files, and what depends on them."""

import json

import jsonschema
import numpy as np
import pytest

from spiral.errors import ConfigError
from spiral.sweep.grid import grid, schema

GMP = "{method: gmp, width: 3, keep: 12, "


def tasks(text):
    return grid.loads(f"{GMP}task: {text}}}").configs["task"].tolist()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("moons", ["moons"]),
        ("[cubist, moons]", ["cubist", "moons"]),
        ("{moons: {points: 1000}}", ["moons(points=1000)"]),
        ("[cubist, {moons: {points: 1000}}]", ["cubist", "moons(points=1000)"]),
        ("{cubist: {sides: 8, turns: 2}}", ["cubist"]),  # its defaults
        ("'cubist( turns = 3 )'", ["cubist(turns=3)"]),
        ("{rings: {n: 2..4}}", ["rings(n=2)", "rings", "rings(n=4)"]),
        ("{cubist: }", ["cubist"]),
        ("{moons: , xor: }", ["moons", "xor"]),
    ],
)
def test_a_task_is_a_name_or_a_mapping_and_may_be_several(text, names):
    assert tasks(text) == names
    written = schema.grid_schema()
    document = {"method": "gmp", "keep": 12, "task": yaml_of(text)}
    jsonschema.validate(document, written)


def yaml_of(text):
    """Return what YAML reads as JSON does."""
    import yaml

    return json.loads(json.dumps(yaml.safe_load(text)))


def test_parameters_multiply():
    found = tasks("{planted: {seed: [1, 2], nnz: [12, 14], shape: 3-2-1}}")
    assert len(set(found)) == 4
    assert all("shape=3-2-1" in name for name in found)


def test_the_default_task_changes_no_id_and_another_does():
    plain = grid.loads(f"{GMP}seed: 1}}").configs["config_id"]
    written = grid.loads(f"{GMP}seed: 1, task: cubist}}").configs["config_id"]
    other = grid.loads(f"{GMP}seed: 1, task: moons}}").configs["config_id"]
    assert plain.equals(written)
    assert not plain.equals(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cubits", r"g:1:41: unknown task 'cubits'; did you mean 'cubist'"),
        ("{moons: {poins: 9}}", r"g:1:42: task moons: unknown parameter 'poins'; did"),
        ("{moons: {points: 9}}", r"g:1:42: task moons: expected points to be a whole"),
        ("[cubist, 7]", r"g:1:50: task: expected a string, got 7"),
        ("nowhere.npz", r"g:1:41: task .*nowhere.npz"),
        ("{file: nowhere.csv}", r"g:1:42: task .*nowhere.csv"),
    ],
)
def test_mistakes_are_said_with_their_place(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        grid.loads(f"{GMP}task: {text}}}", "g")


def test_a_file_is_identified_by_its_points_alone(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    x1, x2 = random.normal(size=(2, 300))
    columns = {"x1": x1, "x2": x2, "label": x1 > x2}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "p.npz", **columns)
    monkeypatch.chdir(tmp_path / "a")
    found = [
        grid.loads(f"{GMP}task: {{file: {name}}}}}").configs
        for name in ("p.npz", tmp_path / "b" / "p.npz")
    ]
    names = [table["task"].iloc[0] for table in found]
    assert names[0] != names[1]
    assert names[0].startswith(str(tmp_path / "a" / "p.npz@"))
    assert found[0]["config_id"].equals(found[1]["config_id"])


@pytest.mark.parametrize(
    ("task", "most"), [("cubist", 24_991), ("moons(points=1000)", 500)]
)
def test_an_epoch_has_two_batches_at_least(task, most):
    assert len(grid.loads(f"{GMP}task: '{task}', batch: {most}}}").configs) == 1
    message = f"g:1:.*batch: expected at most {most:,}, half of the points of task"
    with pytest.raises(ConfigError, match=message):
        grid.loads(f"{GMP}task: '{task}', batch: {most + 1}}}", "g")
    huge = f"{GMP}task: '{task}', batch: {2**62}}}"
    with pytest.raises(ConfigError, match=message):
        grid.loads(huge, "g")


def test_the_dense_batch_of_one_shot_has_the_same_bound():
    text = "{method: one_shot, width: 3, keep: 12, task: 'moons(points=1000)', "
    assert len(grid.loads(f"{text}dense_batch: 500}}").configs) == 1
    with pytest.raises(ConfigError, match="dense_batch: expected at most 500"):
        grid.loads(f"{text}dense_batch: 501}}")


def test_options_are_checked_against_the_steps_of_the_task():
    text = "{method: sdgf_step, width: 3, keep: 12, epochs: 1, "
    assert len(grid.loads(f"{text}task: cubist}}").configs) == 1
    with pytest.raises(ConfigError, match="end: expected an end at least 10 steps"):
        grid.loads(f"{text}task: 'moons(points=1000)'}}")


def test_a_fresh_seed_depends_on_the_task_unless_it_is_the_default():
    found = [
        grid.loads(f"{GMP}seed: fresh{more}}}").configs["seed"].iloc[0]
        for more in ("", ", task: cubist", ", task: moons")
    ]
    assert found[0] == found[1] != found[2]
