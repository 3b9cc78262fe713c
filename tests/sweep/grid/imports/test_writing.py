"""Sweep files of W&B and Hydra, written by hand as their tools have them, as grids."""

from pathlib import Path

import pytest

from spiral.errors import ConfigError
from spiral.sweep.grid import grid, yaml_nodes
from spiral.sweep.grid.imports import writing

FILES = Path(__file__).parent / "files"

GRIDS = {
    "wandb_grid.yaml": {
        "method": ("gmp", "snip", "synflow"),
        "keep": (56, 28, 11),  # of 560 weights
        "lr": (0.1, 0.05),
        "batch": (128,),
        "seed": (0, 1, 2, 3, 4),
    },
    "wandb_bayes.yaml": {
        "method": ("dense",),
        "epochs": (5, 10, 15),
        "optimiser": ("adam", "sgd"),
    },
    "wandb_nested.yaml": {
        "method": ("dense",),
        "optimiser": ("sgd",),
        "momentum": (0.8, 0.85, 0.9),
        "schedule": ("cosine",),
        "width": (3, 16),
    },
    "wandb_random.yaml": {
        "method": ("magnitude",),
        "keep": tuple(range(16, 27)),
        "schedule": ("cosine", "step"),
    },
    "wandb_ambiguous.yaml": {
        "method": ("lth",),
        "keep": (28, 56),
        "width": (16,),
        "weight_decay": (0.0005,),
        "levels": (5,),
    },
    "hydra_config.yaml": {
        "method": ("gmp",),
        "keep": (24,),
        "optimiser": ("sgd",),
        "lr": (0.05, 0.1),
        "seed": (0, 1, 2, 3, 4),
        "width": (3, 16),
    },
    "hydra_optuna.yaml": {
        "method": ("dense",),
        "batch": (64, 128),
        "epochs": (10, 20, 30, 40),
    },
    "hydra_multirun.yaml": {
        "method": ("magnitude", "random"),
        "keep": (20, 25, 30),
        "epochs": (20,),
    },
    "hydra_overrides.yaml": {
        "method": ("gmp",),
        "keep": (56, 140),
        "lr": (0.1, 0.2, 0.3),
        "seed": (1, 2, 3),
        "optimiser": ("sgd", "adam"),
        "nesterov": (True, False),
    },
    "hydra_command.txt": {
        "method": ("snip", "grasp"),
        "lr": (0.1, 0.05),
        "weight_decay": (0, 0.0005),
        "keep": (26,),
    },
}
"""File → key → values."""

LEFT = {
    "wandb_grid.yaml": {},
    "wandb_bayes.yaml": {
        "program": 1,
        "method": 2,
        "metric": 3,
        "learning_rate": 7,
        "weight_decay": 10,
        "dropout": 14,
        "early_terminate": 20,
    },
    "wandb_nested.yaml": {"project": 1, "scheduler.step_size": 17},
    "wandb_random.yaml": {
        "program": 1,
        "method": 2,
        "run_cap": 3,
        "lr": 11,
        "momentum": 15,
        "schedule": 19,
        "command": 23,
    },
    "wandb_ambiguous.yaml": {
        "program": 1,
        "pruner foresight": 4,
        "width 512": 7,
        "layers": 8,
        "l2": 10,
    },
    "hydra_config.yaml": {"out": 9, "hydra.mode": 12},
    "hydra_optuna.yaml": {
        "override hydra/sweeper": 2,
        "hydra.sweeper.sampler._target_": 7,
        "hydra.sweeper.sampler.seed": 8,
        "hydra.sweeper.direction": 9,
        "hydra.sweeper.n_trials": 10,
        "lr": 12,
        "momentum": 13,
    },
    "hydra_multirun.yaml": {
        "hydra.run.dir": 3,
        "hydra.overrides.hydra": 5,
        "model": 11,
    },
    "hydra_overrides.yaml": {"~logger": 5},
    "hydra_command.txt": {"python": 1, "train.py": 1},
}
"""File → what has no counterpart → its line."""

SUGGESTED = {
    ("wandb_bayes.yaml", "lr"): (0.0001, 0.0251, 0.0501, 0.075, 0.1),
    ("wandb_bayes.yaml", "weight_decay"): (1e-5, 5.62e-5, 0.000316, 0.00178, 0.01),
    ("wandb_random.yaml", "lr"): (0.00101, 0.00318, 0.0101, 0.0317, 0.1),
    ("wandb_random.yaml", "momentum"): (0.88, 0.9, 0.92),
    ("hydra_optuna.yaml", "lr"): (0.001, 0.00316, 0.01, 0.0316, 0.1),
    ("hydra_optuna.yaml", "momentum"): (0.0, 0.225, 0.45, 0.675, 0.9),
}


TO_EDIT = {"hydra_overrides.yaml": "nesterov: adam and adamw have no such momentum"}
"""File → why no grid has all combinations of its values."""


def line(place: str) -> int:
    return int(place.rsplit(":", 2)[1])


def test_every_file_is_expected():
    assert {path.name for path in FILES.iterdir()} == GRIDS.keys() == LEFT.keys()


@pytest.mark.parametrize("name", GRIDS)
def test_what_has_a_counterpart_is_mapped(name):
    found = writing.read(FILES / name)
    values = {one.field: one.values for one in found.mapped}
    own = {key: some for key, some in values.items() if key in GRIDS[name]}
    assert own == GRIDS[name]
    added = values.keys() - own
    assert added <= {"keep"}  # where the methods need it and the file has none
    assert found.tool.startswith("W&B" if name.startswith("wandb") else "Hydra")


@pytest.mark.parametrize("name", LEFT)
def test_every_other_key_is_listed_with_its_line(name):
    found = writing.read(FILES / name)
    assert {one.name: line(one.place) for one in found.left} == LEFT[name]
    assert all(one.why for one in found.left)
    for one in found.left:
        assert f"# {'':2}{one.place}: {one.name}" in found.text


@pytest.mark.parametrize("name", GRIDS)
def test_the_grid_is_one_that_plan_accepts(name):
    found = writing.read(FILES / name)
    told = TO_EDIT.get(name)
    assert len(found.mistakes) == bool(told), found.mistakes
    if told:
        assert told in found.mistakes[0]
        return
    configs = grid.loads(found.text).configs
    for one in found.mapped:
        assert {*configs[one.field].dropna()} == {*one.values}, one.field


def test_distributions_suggest_values_and_set_none():
    found = {}
    for name in GRIDS:
        made = writing.read(FILES / name)
        for one in made.left:
            if one.suggested:
                found[name, one.field] = pytest.approx(one.suggested, rel=1e-9)
                assert one.field not in {each.field for each in made.mapped}
                values = writing.values(one.suggested)
                assert f"\n# {one.field}: {values}\n" in made.text
    assert found == SUGGESTED


def test_names_and_descriptions_are_kept():
    text = writing.read(FILES / "wandb_grid.yaml").text
    assert "name: pruners\n" in text
    assert 'description: "sparsity of three pruners"\n' in text


def imported(tmp_path, text):
    file = tmp_path / "sweep.yaml"
    file.write_text(text)
    return writing.read(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("method: gmp\nkeep: 20\n", "expected a W&B sweep"),
        ("just text", "expected a W&B sweep"),
        ("parameters: [", "not valid YAML"),
        ("parameters: {lr: {value: 1}, lr: {value: 2}}", "expected once"),
        ("parameters: 3", "expected `key: value` lines"),
    ],
)
def test_what_is_no_sweep_is_refused(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told):
        imported(tmp_path, text)


def bomb(levels: int) -> str:
    """Ten parameters, each with ten of the level below, and so on."""
    lines = ["x0: &x0 {value: 1}"]
    for n in range(1, levels):
        inner = ", ".join(f"p{k}: *x{n - 1}" for k in range(10))
        lines.append(f"x{n}: &x{n} {{parameters: {{{inner}}}}}")
    return "\n".join([*lines, f"parameters: {{all: *x{levels - 1}}}"])


@pytest.mark.parametrize(
    "text",
    [
        bomb(9),
        "parameters: &a {b: {parameters: *a}}",
        "hydra: &a {sweeper: *a}",
        "hydra: {sweeper: {params: {"
        + ", ".join(f"k{n}: 1" for n in range(2000))
        + "}}}",
    ],
    ids=["aliases", "itself", "itself in hydra", "keys"],
)
def test_files_that_explode_are_refused(tmp_path, text):
    with pytest.raises(ConfigError, match="expected at most 1,000 keys in 20 levels"):
        imported(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {seed: {min: 0, max: 900000000000}}",
        "parameters: {momentum: {distribution: q_uniform, min: 0, max: 1, q: 1e-300}}",
        "parameters: {seed: {values: [" + "1," * 20_000 + "]}}",
        "[seed=range(1000000000)]",
        "['seed=" + "1," * 20_000 + "2']",
        "['seed=" + "shuffle(" * 9_000 + "1" + ")" * 9_000 + "']",
    ],
    ids=["integers", "steps", "values", "range", "commas", "brackets"],
)
def test_values_are_counted_before_they_are_made(tmp_path, text):
    found = imported(tmp_path, text)
    assert [one.why for one in found.left if "expected at most" in one.why]
    assert {one.field for one in found.mapped} == {"method"}


def test_no_text_of_the_file_becomes_a_key_of_the_grid(tmp_path):
    key = '"x\\nkeep: 3\\u2028keep: 4"'
    text = f'parameters: {{{key}: {{value: 1}}}}\nname: "a\\nwidth: 3"\n'
    found = imported(tmp_path, text)
    root = yaml_nodes.parse(found.text, "f")
    assert [node.value for node, _ in root.value] == ["name", "method"]
    assert root.value[0][1].value == "a\nwidth: 3"


def test_nothing_is_executed(tmp_path):
    mark = tmp_path / "mark"
    touch = f"!!python/object/apply:os.system ['touch {mark}']"
    found = imported(tmp_path, f"parameters:\n  lr: {{value: {touch}}}\n")
    assert [one.name for one in found.left] == ["lr"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("several", "text"),
    [
        ((3,), "3"),
        ((0, 1, 2, 3), "0..3"),
        ((2, 4, 6, 8), "2..8..2"),
        ((1, 2, 3), "[1, 2, 3]"),
        ((3, 2, 1, 0), "[3, 2, 1, 0]"),
        ((1e-05, 2.0), "[1e-05, 2.0]"),
        ((True, False), "[true, false]"),
        (("cosine", "a b", "true", "12"), '[cosine, "a b", "true", "12"]'),
        (("0..9", "é"), '["0..9", "\\xE9"]'),
    ],
)
def test_values_are_written_as_a_grid_reads_them(several, text):
    assert writing.values(several) == text
    mistakes = yaml_nodes.Mistakes()
    node = yaml_nodes.parse(f"k: {text}", "f").value[0][1]
    read = [item.value for item in yaml_nodes.items(node, "f", mistakes)]
    assert (tuple(read), mistakes.found) == (several, [])


def test_sizes_that_narrow_networks_lack_are_left_out(tmp_path):
    found = imported(tmp_path, "['keep=20,44', 'width=3,16', method=gmp]")
    assert found.mistakes == []
    configs = grid.loads(found.text).configs
    pairs = {*configs[["width", "keep"]].itertuples(index=False, name=None)}
    assert pairs == {(3, 20), (16, 20), (16, 44)}
