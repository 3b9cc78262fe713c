"""Frank-Wolfe: corners are optimal, steps have the right length, balls are not left."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from spiral import engines
from spiral.engines import frank_wolfe
from spiral.protocol import norm_balls
from spiral.protocol.job import Budget, FrankWolfe, Plan
from spiral.protocol.norm_balls import Cell
from tests import GOLDEN_FILES, oracles
from tests.engines import begin, build, furthest, make_job, on_devices, some_masks
from tests.tolerances import tolerance

FILE = GOLDEN_FILES / "frank_wolfe.json"
GOLDEN = json.loads(FILE.read_text())
ABLE = [name for name, entry in engines.ENGINES.items() if "sfw" in entry.optimisers]
KINDS = ["k_support", "k_polytope", "group_k_support", "l2"]
RESCALES = ["none", "diameter", "gradient", "fast_gradient"]


@pytest.fixture(params=on_devices(*ABLE))
def name(request):
    return request.param


def job_of(ids=(1, 2, 3), width=3, setting=("k_support", 0.4, 2.0, "gradient"), **more):
    """Return a job of Frank-Wolfe that starts within its balls."""
    job = make_job(ids, width, **more)
    optimiser = FrankWolfe(*setting)
    stack = frank_wolfe.cells(optimiser, width)
    initial = norm_balls.inside(stack, job.initial)
    return replace(job, initial=initial, plan=replace(job.plan, optimiser=optimiser))


def advance(name, job, stop):
    with np.errstate(all="ignore"):
        return build(name).advance(job, begin(job), stop)


# ---- corners


def corner(cell, values):
    """Return the corner of one ball that lies farthest against each row [N, n]."""
    whole = cell._replace(columns=slice(0, values.shape[1]))
    on = np.where(norm_balls.chosen((whole,), values), values, 0)
    facts = frank_wolfe.Balls.of((whole,), "cpu")
    return frank_wolfe.corners((whole,), torch.from_numpy(on), facts).numpy()


def cell(kind, k, radius=2.5):
    """Return a ball of twelve numbers: single ones, or four units of two and a bias."""
    return Cell(kind, slice(0, 12), 4 if kind == "group_k_support" else 12, k, radius)


def feasible(ball, count, random):
    """Return random points of a ball, most of them on its surface."""
    points = random.normal(size=(count, 12)) * random.exponential(size=(count, 12)) ** 3
    points /= norm_balls.gauge(ball, points)[:, None] / ball.radius
    return points


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_no_point_of_the_ball_lies_farther(kind, k):
    random = np.random.default_rng([k, KINDS.index(kind)])
    ball = cell(kind, 12 if kind == "l2" else k)
    m = random.normal(size=(5, 12))
    v = corner(ball, m)
    assert norm_balls.gauge(ball, v) == pytest.approx([ball.radius] * 5)
    lowest = (m @ feasible(ball, 10_000, random).T).min(axis=1)
    assert ((m * v).sum(axis=1) <= lowest).all()


@pytest.mark.parametrize("k", [1, 3, 12])
def test_what_a_corner_reaches(k):
    m = np.random.default_rng(k).normal(size=(4, 12))
    largest = -np.sort(-np.abs(m), axis=1)[:, :k]
    reached = (m * corner(cell("k_support", k), m)).sum(axis=1)
    assert reached == pytest.approx(-2.5 * np.linalg.norm(largest, axis=1))
    reached = (m * corner(cell("k_polytope", k), m)).sum(axis=1)
    assert reached == pytest.approx(-2.5 * largest.sum(axis=1))


def test_limits_of_corners():
    m = np.random.default_rng(0).normal(size=(4, 12))
    all_, l2 = corner(cell("k_support", 12), m), corner(cell("l2", 12), m)
    assert np.array_equal(all_, l2)
    one = corner(cell("k_support", 1), m)
    assert (np.count_nonzero(one, axis=1) == 1).all()
    assert np.array_equal(one, corner(cell("k_polytope", 1), m))
    every = corner(cell("k_polytope", 12), m)
    assert np.array_equal(every, -2.5 * np.sign(m))


def test_corners_are_the_authors():
    m = np.array([GOLDEN["x"]])
    for k, support, polytope in GOLDEN["corners"]:
        found = corner(cell("k_support", k), m)[0]
        assert found == pytest.approx(support, rel=1e-12)
        scaled = cell("k_polytope", k, 2.5 / k**0.5)  # of diameter 5, as theirs
        assert corner(scaled, m)[0] == pytest.approx(polytope, rel=1e-12)


def test_no_direction_leads_to_no_corner():
    assert not corner(cell("k_support", 3), np.zeros((1, 12))).any()
    assert not corner(cell("k_polytope", 3), np.zeros((1, 12))).any()


# ---- steps


def twin(job, n, steps):
    """Return what plain float64 steps make of network n."""
    setting = job.plan.optimiser
    stack = frank_wolfe.cells(setting, job.width)
    params = job.initial[n].astype(np.float64)
    m = np.zeros_like(params)
    for step in range(steps):
        x, y = (part[n] for part in job.batch_at(step))
        m = job.momentum[n] * m + oracles.gradient(params, x, y, job.width)
        chosen = norm_balls.chosen(stack, m[None])[0]
        for ball in stack:
            here = ball.columns
            on = np.where(chosen[here], m[here], 0)
            size = np.linalg.norm(on) if ball.ball != "k_polytope" else 1.0
            way = on if ball.ball != "k_polytope" else np.sign(on)
            v = -ball.radius * way / size
            factor = {
                "none": 1.0,
                "diameter": 1 / ball.diameter,
                "gradient": np.linalg.norm(m[here]) / np.linalg.norm(v - params[here]),
                "fast_gradient": np.linalg.norm(m[here]) / (ball.diameter / 2),
            }[setting.rescale]
            share = min(1.0, job.lr[n] * factor)
            params[here] = (1 - share) * params[here] + share * v
    return params


@functools.cache
def settled(kind, rescale):
    """Return a job and what the oracle makes of its networks, for all engines."""
    lr = np.full(3, 0.005 if rescale == "none" else 0.1)
    job = job_of(setting=(kind, 0.4, 2.0, rescale), lr=lr)
    return job, np.array([twin(job, n, 20) for n in range(3)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rescale", RESCALES)
def test_agrees_with_the_oracle(name, kind, rescale):
    job, expected = settled(kind, rescale)
    assert furthest(advance(name, job, 20).params, expected) <= tolerance(
        "steps_20", name
    )


@pytest.mark.parametrize("run", GOLDEN["runs"], ids=lambda run: run["rescale"])
def test_thirty_steps_are_the_authors(name, run):
    setting = (run["ball"], run["share"], run["radius"], run["rescale"])
    job = job_of((1,), setting=setting, lr=np.array([run["lr"]]))
    got = advance(name, job, 30).params[0]
    assert furthest(got, np.array(run["params"])) <= tolerance("steps_20", name)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_rescaled_by_the_gradient_are_as_long_as_those_of_sgd(name, kind):
    job = job_of(setting=(kind, 0.4, 20.0, "gradient"), lr=np.full(3, 0.01))
    before, after = (advance(name, job, stop) for stop in (7, 8))
    for ball in frank_wolfe.cells(job.plan.optimiser, 3):
        gap = (after.params - before.params)[:, ball.columns]
        sgd = 0.01 * np.linalg.norm(after.momentum[:, ball.columns], axis=1)
        limit = tolerance("step_1", name)
        assert np.linalg.norm(gap, axis=1) == pytest.approx(sgd, abs=limit)


def test_a_whole_step_lands_on_corners_of_k_weights(name):
    job = job_of(setting=("k_support", 0.4, 2.0, "none"), lr=np.ones(3))
    got = advance(name, job, 1)
    for ball in frank_wolfe.cells(job.plan.optimiser, 3)[::2]:
        part = got.params[:, ball.columns]
        sloping = np.count_nonzero(got.momentum[:, ball.columns], axis=1)
        assert np.array_equal(
            np.count_nonzero(part, axis=1), np.minimum(ball.k, sloping)
        )
        assert np.linalg.norm(part, axis=1) == pytest.approx([ball.radius] * 3)


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_leaves_the_balls(name, kind):
    job = job_of(setting=(kind, 0.4, 1.0, "fast_gradient"), lr=np.full(3, 2.0))
    state = begin(job)
    for stop in (1, 2, 5, 30):
        state = build(name).advance(job, state, stop)
        for ball in frank_wolfe.cells(job.plan.optimiser, 3):
            values = state.params[:, ball.columns].astype(np.float64)
            assert (norm_balls.gauge(ball, values) <= 1.00001 * ball.radius).all()


def test_there_is_no_penalty(name):
    heavy, light = (job_of(weight_decay=np.full(3, d)) for d in (0.5, 0.0))
    expected = advance(name, light, 10).params
    assert np.array_equal(advance(name, heavy, 10).params, expected)


def test_a_stop_on_the_way_changes_no_bit(name):
    job, engine = job_of(), build(name)
    got = engine.advance(job, engine.advance(job, begin(job), 7), 20)
    expected = advance(name, job, 20)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.momentum, expected.momentum)


def test_replaced_neighbours_change_no_bit(name):
    mine, other = (advance(name, job_of(ids), 40) for ids in ((1, 2, 3), (1, 8, 9)))
    assert np.array_equal(mine.params[0], other.params[0])
    assert not np.array_equal(mine.params[1], other.params[1])


def test_nan_stays_in_its_row(name):
    job = job_of()
    params = job.initial.copy()
    params[1, 0] = np.nan
    with np.errstate(invalid="ignore"):
        wild = build(name).advance(job, replace(begin(job), params=params), 20)
    calm = advance(name, job, 20)
    assert np.isnan(wild.params[1]).any()
    assert np.array_equal(wild.params[[0, 2]], calm.params[[0, 2]])


def test_masked_and_frozen_entries_stay(name):
    job, kept = job_of(), some_masks((1, 2, 3))
    trainable = kept & ~some_masks((7, 8, 9))
    state = replace(begin(job, kept), trainable=trainable)
    got = build(name).advance(job, state, 20)
    assert not got.params[~kept].any()
    frozen = kept & ~trainable
    assert np.array_equal(got.params[frozen], state.params[frozen])
    assert (got.params[trainable] != state.params[trainable]).mean() > 0.5


def test_sparse_declines_in_words():
    plan = Plan.simple(Budget(1, 390), optimiser=job_of().plan.optimiser)
    name, passed_over = engines.choose("auto", plan)
    assert name == "vmap"
    assert passed_over["sparse"] == "does not support optimiser 'sfw' (supported: sgd)"
