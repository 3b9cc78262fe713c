"""``obs``, ``woodfisher``, ``cbs`` and ``chita`` as methods of a pack."""

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.methods.second_order import path
from spiral.model import mlp
from tests.methods import (
    Still,
    chosen,
    decide,
    first_view,
    plan_at,
    silent,
    table,
)

FAMILY = ["obs", "woodfisher", "cbs", "chita"]


def act(configs, params=None):
    """Return a method's answer at its first event, of given parameters or its own."""
    view = first_view(configs, params)
    method = prepare.build_method(configs.iloc[0])
    with np.errstate(invalid="ignore"):  # as in training
        return method.act(view, method.start(view))[0]


def plan(method, **more):
    given = {name: field.default for name, field in fields(method).items()}
    return plan_at(50, method, **(given | more))


def fields(method):
    return METHODS[method].options.model_fields


@pytest.mark.parametrize("method", FAMILY)
def test_it_prunes_once_after_four_fifths_or_gradually(method):
    assert plan(method).events == (40 * 390,)
    assert plan(method, at_epoch=50).events == (19_500,)
    gradual = plan(method, timing="gradual", events=4).events
    assert gradual == (3656, 7312, 10968, 14625)


def test_gradual_counts_follow_the_cubic():
    keeps, engine = np.array([5, 11, 20]), Still()
    decide(table("obs", timing="gradual", events=3, keep=keeps.tolist()), engine)
    seen = [kept.sum(axis=1) for kept in engine.seen]
    expected = [keeps + (27 - keeps) * (1 - i / 3) ** 3 for i in range(4)]
    assert np.array_equal(seen, np.rint(expected))


@pytest.mark.parametrize("method", FAMILY)
def test_equal_networks_share_one_path(method, monkeypatch):
    walks = []

    def walk(self, network, goals, real=path.Path.walk):
        walks.append(sorted(goals))
        return real(self, network, goals)

    monkeypatch.setattr(path.Path, "walk", walk)
    keeps = [20, 11, 5, 11]
    same = {"seed": [0, 0, 1, 0], "points": 100}
    change = act(table(method, 4, keep=keeps, **same))
    assert sorted(walks) == [[5], [11, 11, 20]]
    for n, keep in enumerate(keeps):
        alone = act(table(method, 1, keep=keep, seed=same["seed"][n], points=100))
        assert np.array_equal(change.masks[n], alone.masks[0])
        assert np.array_equal(change.params[n], alone.params[0])


@pytest.mark.parametrize("method", FAMILY)
def test_a_network_that_says_nothing_is_degenerate_and_pruned_by_size(method):
    params = silent()
    params[0, mlp.layers(3)[1].weights] = np.linspace(1, 2, 9)
    change = act(table(method, 1, keep=9, points=100), params)
    assert change.status.tolist() == ["degenerate"]
    if method in ("obs", "woodfisher"):
        assert chosen(change)[0, 6:15].sum() >= 5


@pytest.mark.parametrize("method", FAMILY)
def test_what_is_kept_is_compensated_unless_told(method):
    configs = table(method, 1, keep=15, points=300)
    change = act(configs)
    before = first_view(configs).params
    moved = (change.params != before) & change.masks
    assert moved.sum() > 10
    still = act(configs.assign(compensate="none", renewal=0.0))
    assert np.array_equal(still.params[still.masks], before[still.masks])


def test_methods_differ_in_what_they_keep():
    configs = {m: table(m, 8, keep=9, points=300, seed=list(range(8))) for m in FAMILY}
    kept = {method: chosen(act(each)) for method, each in configs.items()}
    assert not np.array_equal(kept["obs"], kept["woodfisher"])
    assert not np.array_equal(kept["woodfisher"], kept["chita"])
    assert not np.array_equal(kept["obs"], kept["chita"])


def test_cbs_begins_with_what_it_is_told():
    configs = table("cbs", 4, keep=9, points=300, renewal=0.0, least_gain=1e9)
    greedy = act(table("obs", 4, keep=9, points=300, renewal=0.0, matrix="fisher"))
    assert np.array_equal(chosen(act(configs)), chosen(greedy))
    by_size = chosen(act(configs.assign(begin_with="magnitude")))
    sizes = np.abs(first_view(configs).params[:, mlp.is_weight(3)])
    expected = np.argsort(-sizes, axis=1)[:, :9]
    assert all(
        set(np.flatnonzero(row)) == set(places)
        for row, places in zip(by_size, expected.tolist(), strict=True)
    )


@pytest.mark.parametrize("cost", ["joint", "none"])
def test_cbs_exchanges_until_nothing_is_gained(cost):
    shared = {"keep": 9, "points": 300, "renewal": 0.0, "matrix_blocks": "network"}
    shared |= {"begin_with": "magnitude", "swap_cost": cost}
    configs = table("cbs", 4, seed=list(range(4)), **shared)
    many = chosen(act(configs.assign(least_gain=1e-9)))
    few = chosen(act(configs.assign(least_gain=1e9)))
    assert (many != few).any(axis=1).sum() >= 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"at_epoch": 3}, "at_epoch"),
        ({"matrix_blocks": "network", "width": 64}, "matrix_blocks"),
        ({"matrix_blocks": "layer", "width": 128}, "matrix_blocks"),
        ({"matrix": "exact", "width": 32}, "matrix"),
    ],
)
def test_what_cannot_work_is_refused(values, field):
    (mistake,) = METHODS["obs"].check(table("obs", 1, **values))
    assert mistake.field == field


@pytest.mark.parametrize("width", [1, 16, 32, 64, 256])
def test_every_width_is_accepted_by_default(width):
    assert METHODS["obs"].check(table("obs", 1, width=width)) == []


@pytest.mark.parametrize(("width", "keep"), [(1, 3), (64, 40)])
@pytest.mark.parametrize("method", FAMILY)
def test_narrow_and_wide_networks_keep_exactly_keep(method, width, keep):
    change = act(table(method, 1, width=width, keep=keep, points=128, renewal=0.3))
    assert chosen(change, width).sum() == keep
    assert np.isfinite(change.params).all()


def test_a_dense_part_is_shared_and_a_gradual_one_is_not():
    once = METHODS["obs"].cost_profile(table("obs"), 27, np.full(3, 3.0))
    assert np.allclose(once.share[0], 0.5 / 3)  # one of two epochs
    gradual = METHODS["obs"].cost_profile(
        table("obs", timing="gradual"), 27, np.ones(3)
    )
    assert np.allclose(gradual.share.sum(axis=0), 1)


def test_the_price_of_a_path_is_shared_by_the_networks_that_share_it():
    price = METHODS["obs"].gradients
    same = {"width": 16, "seed": 0, "keep": [20, 30, 40]}
    alone = price(table("obs", 1, width=16))
    assert np.allclose(alone, 5900)
    assert np.allclose(price(table("obs", 3, **same)), alone / 3)
    gradual = price(table("obs", 3, timing="gradual", **same))
    assert np.allclose(gradual, 2 * alone)
    assert price(table("obs", 1, width=16, points=1024)) < alone / 2
