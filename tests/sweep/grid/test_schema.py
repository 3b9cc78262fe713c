"""The JSON Schema that editors use agrees with what the grid reader accepts."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from spiral.errors import ConfigError
from spiral.search import best_known, relative
from spiral.sweep.grid import grid, shipped, yaml_nodes
from spiral.sweep.grid.schema import grid_schema

GRIDS = list(shipped.files().values())
VALIDATOR = Draft202012Validator(grid_schema())


def plain(node: yaml.Node) -> Any:
    """Return a node as JSON has it, scalars by the grid's own rules."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(part) for part in node.value]
    return yaml_nodes.scalar(node)


def fits(text: str) -> bool:
    return VALIDATOR.is_valid(plain(yaml_nodes.parse(text, "g")))


def expands(text: str) -> bool:
    try:
        grid.loads(text)
    except ConfigError:
        return False
    return True


def test_the_schema_is_itself_valid():
    Draft202012Validator.check_schema(grid_schema())


def test_there_are_grids_to_check():
    assert "quickstart" in {path.stem for path in GRIDS}


@pytest.fixture
def frontiers(monkeypatch):
    """Let every task have a frontier: which networks are known is no matter of form."""
    known = relative.fewest

    def fewest(task, accuracy):
        return known(task, accuracy) if best_known.exists(task) else 14

    monkeypatch.setattr(relative, "fewest", fewest)


@pytest.mark.slow
@pytest.mark.usefixtures("frontiers")
@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_the_grids_of_the_package_fit_and_expand(path):
    errors = list(VALIDATOR.iter_errors(plain(yaml_nodes.read(path))))
    assert not errors
    if path.parent.name != "paper":  # those are expanded in test_paper_grids
        assert len(grid.load(path).configs) > 0


@pytest.mark.parametrize(
    "text",
    [
        "method: dense",
        "{name: x, description: y, method: dense}",
        "{name: 2024, method: dense}",
        "{defaults: {lr: 0.5}, method: dense}",
        "{method: [random, gmp], keep: [5..7, 9], lr: [5e-4, 1]}",
        "{method: dense, seed: 0..3, width: 3..9..3, init_seed: [~, 3]}",
        "{method: dense, zip: {lr: [0.1, 0.2], seed: 0..1}}",
        "{method: dense, zip: [{lr: [1, 2], seed: 0..1}, {width: 3, batch: 9}]}",
        "{method: dense, where: seed < 3}",
        "{method: dense, seed: fresh}",
        "{method: dense, seed: [0..3, fresh], replicate: [0..2, 5]}",
        "{method: dense, where: [seed < 3, width > 3]}",
        "{method: mask, width: 1, matrices: '11/1/1/1'}",
        "{method: mask, matrices: {paper_masks: {shape: [3, 2, 2], below: 9}}}",
        "{method: mask, matrices: ['11/1/1/1', {paper_masks: {shape: [1, 2, 2]}}]}",
        "{method: gmp, keep: {relative: [0.75, 1, 2]}}",
        "{method: gmp, keep: [{relative: [1, 2], of: 0.995}, 40..42]}",
        "{method: block, d1: 1..3, d2: 2, d3: [3]}",
        "{method: dense, engine: [auto, 'reference']}",
        "{blocks: {a: {method: dense}, b: {method: gmp, keep: 4, scope: layer}}}",
        "{method: [force, synflow], keep: 4, selection: strict}",
        "{method: snip, keep: 4, fidelity: [exact, zp24], selection: loose}",
    ],
)
def test_what_expands_fits_the_schema(text):
    assert expands(text)
    assert fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "{method: dense, widht: 3}",
        "{method: dnse}",
        "{method: dense, engine: vmpa}",
        "{method: dense, schedule: cosin}",
        "{method: dense, width: 0}",
        "{method: dense, width: 257}",
        "{method: dense, width: 3.5}",
        "{method: dense, width: '3'}",
        "{method: dense, width: yes}",
        "{method: dense, width: true}",
        "{method: dense, width: []}",
        "{method: dense, width: [[3]]}",
        "{method: dense, width: 3...5}",
        "{method: dense, lr: 0}",
        "{method: dense, lr: x}",
        "{method: dense, momentum: 1}",
        "{method: dense, seed: ~}",
        "{method: dense, seed: frehs}",
        "{method: dense, init_seed: fresh}",
        "{method: dense, seed: fresh, replicate: -1}",
        "{method: gmp, keep: 4, end: 1.5}",
        "{method: gmp, keep: 4, scope: all}",
        "{method: gmp, keep: {relative: 2}}",
        "{method: gmp, keep: {relative: [0]}}",
        "{method: gmp, keep: {relative: [1], off: 0.9}}",
        "{method: gmp, keep: {of: 0.9}}",
        "{method: gmp, lr: {relative: [1]}}",
        "{method: mask, matrices: {}}",
        "{method: mask, matrices: {paper_mask: {shape: [3, 2, 2]}}}",
        "{method: mask, matrices: {paper_masks: {shape: [3, 2]}}}",
        "{method: mask, matrices: {paper_masks: {shape: [3, 2, 2], most: 3}}}",
        "{method: mask, matrices: {paper_masks: {shape: [3, 2, 2], below: 8..9}}}",
        "{method: dense, lr: {paper_masks: {shape: [3, 2, 2]}}}",
        "{method: snip, keep: 4, selection: tight}",
        "{method: snip, keep: 4, fidelity: zp25}",
        "{method: dense, zip: 3}",
        "{method: dense, zip: {widht: [3, 4]}}",
        "{method: dense, zip: {zip: {lr: [1, 2]}}}",
        "{method: dense, zip: {where: lr > 3}}",
        "{method: dense, where: 3}",
        "{method: dense, where: []}",
        "{method: dense, where: {a: b}}",
        "{name: [x], method: dense}",
        "{defaults: {defaults: {lr: 1}}, method: dense}",
        "{blocks: {}}",
        "{blocks: []}",
        "{blocks: {a: {method: dense}}, width: 3}",
        "{blocks: {a: {method: dense, name: x}}}",
        "[{method: dense}]",
        "3",
    ],
)
def test_what_does_not_fit_does_not_expand(text):
    assert not fits(text)
    assert not expands(text)
