"""Every move makes a valid network, and changes it as its name says."""

import numpy as np
import pytest

from spiral.search import best_known
from spiral.search.candidate import (
    Layer,
    activations,
    from_network,
    mask_of,
    nnz_of,
    shape_of,
    simplified,
)
from spiral.search.evolve import moves, random_start, unit_moves
from spiral.search.polish import spaced
from spiral.tasks import catalogue

CUBIST = catalogue.load("cubist")

LARGEST = (7, 3, 4)
SEEN = spaced(CUBIST, unit_moves.EVERY)[0]


@pytest.fixture(scope="module")
def parents():
    table = best_known.load()
    rows = table[table["nnz"].between(12, 30)].to_dict("records")[::3]
    return [from_network(best_known.network_of(row)) for row in rows]


@pytest.mark.parametrize("name", [*moves.MOVES])
def test_moves_leave_their_parent_alone_and_no_dead_units(name, parents):
    random, applied = np.random.default_rng(0), 0
    for parent in parents:
        before = [part.copy() for layer in parent for part in layer]
        found = moves.apply(moves.MOVES[name], parent, random, LARGEST, SEEN)
        after = [part for layer in parent for part in layer]
        assert all(map(np.array_equal, before, after))
        if found is None:
            continue
        applied += 1
        assert (np.array(shape_of(found)) <= LARGEST).all()
        for kept, weights, biases in found:
            assert kept.shape == weights.shape
            assert len(biases) == len(kept)
            assert not weights[~kept].any()
            assert kept.any(axis=0).all() or kept.shape[1] == 2
            assert kept.any(axis=1).all()
    assert applied > 0


@pytest.mark.parametrize("move", moves.HOPS)
def test_hops_keep_the_mask(move, parents):
    random = np.random.default_rng(0)
    found = [(each, moves.apply(move, each, random, LARGEST, SEEN)) for each in parents]
    hops = [(before, after) for before, after in found if after is not None]
    assert hops
    assert all(mask_of(before) == mask_of(after) for before, after in hops)


def applied(step, parents, seed=0):
    random = np.random.default_rng(seed)
    pairs = [(parent, step(parent, random, SEEN)) for parent in parents]
    return [(parent, found) for parent, found in pairs if found is not None]


def test_dropping_and_adding_count(parents):
    for parent, found in applied(moves.drop, parents):
        assert nnz_of(found) == nnz_of(parent) - 1
    for parent, found in applied(moves.add, parents):
        assert nnz_of(found) == nnz_of(parent) + 1


@pytest.mark.parametrize("step", [moves.perturb, moves.redraw, moves.narrow])
def test_moves_of_weights_keep_the_mask(step, parents):
    pairs = applied(step, parents)
    assert pairs
    for parent, found in pairs:
        assert mask_of(found) == mask_of(parent)
        assert any(
            not np.array_equal(one.weights, other.weights)
            for one, other in zip(parent, found, strict=True)
        )


def test_units_come_and_go(parents):
    for parent, found in applied(unit_moves.add_unit, parents):
        assert sum(shape_of(found)) == sum(shape_of(parent)) + 1
    for step in (unit_moves.remove_unit, unit_moves.merge):
        for parent, found in applied(step, parents):
            assert sum(shape_of(found)) == sum(shape_of(parent)) - 1


def test_narrowing_brings_two_lines_closer_and_keeps_the_step():
    # Two opposite hinges along x: a step of height 1 between 0 and 0.4
    x = np.array([[-1.0, 0.0, 0.2, 0.4, 2.0], np.zeros(5)])
    layers = (
        Layer(
            np.array([[True, False]] * 2),
            np.array([[1.0, 0.0]] * 2),
            np.array([0.0, -0.4]),
        ),
        Layer(np.ones((1, 2), bool), np.array([[2.5, -2.5]]), np.zeros(1)),
        Layer(np.ones((1, 1), bool), np.ones((1, 1)), np.zeros(1)),
        Layer(np.ones((1, 1), bool), np.ones((1, 1)), np.zeros(1)),
    )
    found = moves.narrow(layers, np.random.default_rng(0), SEEN)
    first = -found[0].biases / found[0].weights[:, 0]
    assert abs(first[1] - first[0]) < 0.3
    height = activations(found, x)[-1][0]
    assert height[0] == pytest.approx(0)
    assert height[-1] == pytest.approx(1)


def test_random_starts_are_networks_without_dead_units():
    random = np.random.default_rng(0)
    for _ in range(50):
        found = random_start.start(random, LARGEST, (8, 26), CUBIST)
        assert (np.array(shape_of(found)) <= LARGEST).all()
        assert mask_of(simplified(found)) == mask_of(found)
        logits = activations(found, SEEN)[-1][0]
        assert np.isfinite(logits).all()
