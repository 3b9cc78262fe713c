"""``gmp`` follows the cubic, exactly."""

from fractions import Fraction

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import Drift, Still, decide, kept_weights, plan_at, table, view_of

USUAL = {"interval": 97, "end": 0.75}
SIZES = np.array([6, 9, 9, 3])


def history(engine=None, **values):
    """Return the weight masks after each event [events, N, W]."""
    engine = engine or Drift()
    decide(table("gmp", **values), engine)
    return np.stack(engine.seen[1:])


def cubic(total, keep, passed, events):
    left = (1 - Fraction(passed, events)) ** 3
    return round(keep + (total - keep) * left)


def test_at_50_epochs_150_events_from_97_to_14550():
    events = plan_at(50, "gmp", **USUAL).events
    assert len(events) == 150
    assert (events[0], events[1], events[-1]) == (97, 194, 14_550)


@pytest.mark.parametrize("keep", [1, 11, 26])
def test_kept_count_after_each_event_is_the_cubic(keep):
    counts = history(n=1, epochs=50, keep=keep)[:, 0].sum(axis=1)
    expected = [cubic(27, keep, i, 150) for i in range(1, 151)]
    assert counts.tolist() == expected
    assert counts[-1] == keep


def test_half_way_seven_eighths_are_gone():
    counts = history(n=1, epochs=50, keep=11)[:, 0].sum(axis=1)
    assert 27 - counts[74] == (27 - 11) * 7 / 8


def test_one_event_is_one_shot_magnitude():
    once = decide(table("gmp", interval=390, end=0.5))
    shot = decide(table("magnitude", at_epoch=1))
    assert np.array_equal(once.masks, shot.masks)
    assert np.array_equal(once.params, shot.params)


@pytest.mark.parametrize(
    ("options", "events"),
    [
        ({"interval": 1000}, (585,)),
        ({"interval": 780, "end": 1.0}, (780,)),
        ({"interval": 390, "end": 1.0}, (390, 780)),
        ({"interval": 97, "end": 1e-9}, (1,)),
    ],
)
def test_there_is_always_an_event(options, events):
    assert plan_at(2, "gmp", **{**USUAL, **options}).events == events


def test_smallest_weights_go_first():
    params = mlp.initial_params(0, 3)[mlp.is_weight(3)]
    found = history(Still(), n=1)
    for kept in found[:, 0]:
        assert np.abs(params[kept]).min() > np.abs(params[~kept]).max(initial=0)


@pytest.mark.parametrize("width", [2, 3, 16])
def test_layer_scope_shares_within_one_weight(width):
    sizes = np.array([2 * width, width**2, width**2, width])
    values = {"width": width, "keep": [5, 9, 11], "scope": "layer"}
    engine = Still()
    state = decide(table("gmp", 3, **values), engine)
    counts = masks.layer_counts(state.masks, width)
    exact = np.array([[5], [9], [11]]) * sizes / sizes.sum()
    assert np.abs(counts - exact).max() < 1
    for kept in engine.seen:
        total = kept.sum(axis=1, keepdims=True)
        full = masks.with_biases(kept, width)
        gap = masks.layer_counts(full, width) - total * sizes / sizes.sum()
        assert np.abs(gap).max() <= 1


def test_layer_scope_is_another_name_of_the_uniform_allocation():
    values = {"n": 3, "epochs": 50, "keep": [4, 11, 20]}
    scoped, same = (
        history(**values, **option)
        for option in ({"scope": "layer"}, {"allocation": "uniform"})
    )
    assert np.array_equal(scoped, same)
    ids = [
        table("gmp", **values, **option)["config_id"].tolist()
        for option in ({"scope": "layer"}, {"allocation": "uniform"})
    ]
    assert ids[0] == ids[1]


def test_a_manifest_that_knows_only_the_scope_means_the_uniform_allocation():
    configs = table("gmp", scope="layer").assign(allocation="global")
    found = prepare.build_method(configs.iloc[0])
    assert found == prepare.build_method(table("gmp", allocation="uniform").iloc[0])


@pytest.mark.parametrize("selection", ["rank", "strict"])
def test_uniform_masks_are_cut_layer_by_layer(selection):
    """As they were when this was an option of its own: each share by its own cut."""
    configs = table("gmp", scope="layer", epochs=50, selection=selection)
    engine = Drift()
    decide(configs, engine)
    counts = [cubic(27, 11, i, 150) for i in range(1, 151)]
    for count, kept in zip(counts, engine.seen[1:], strict=True):
        shares = np.array(oracles.allocate(count, [6, 9, 9, 3]))
        left = np.maximum(shares - (selection == "strict"), 0)
        found = masks.layer_counts(masks.with_biases(kept, 3), 3)
        assert (found == left).all()


@pytest.mark.parametrize("keep", [4, 11, 20])
@pytest.mark.parametrize("allocation", ["uniform_alive", "erk", "igq", "lamp"])
def test_no_allocation_revives_a_weight_or_keeps_a_dead_one(keep, allocation):
    found = history(n=1, epochs=50, keep=keep, allocation=allocation)[:, 0]
    assert not (found[1:] & ~found[:-1]).any()
    expected = [cubic(27, keep, i, 150) for i in range(1, 151)]
    assert found.sum(axis=1).tolist() == expected


def test_lamp_is_gmp_under_its_allocation():
    values = {"epochs": 50, "keep": [4, 11, 20]}
    lamp, gmp = Drift(), Drift()
    decide(table("lamp", **values), lamp)
    decide(table("gmp", **values, allocation="lamp"), gmp)
    assert np.array_equal(lamp.seen, gmp.seen)


def test_lamp_empties_no_layer():
    state = decide(table("lamp", 20, keep=4, epochs=50))
    assert (masks.layer_counts(state.masks, 3) == 1).all()


@pytest.mark.parametrize("keep", [4, 11, 20])
def test_layer_scope_never_revives_a_weight(keep):
    """Though a layer's share may rise while the total falls (23 → 22 of 27)."""
    found = history(n=1, epochs=50, keep=keep, scope="layer")[:, 0]
    returned = found[1:] & ~found[:-1]
    assert not returned.any()


def test_a_kept_zero_outranks_a_pruned_weight():
    kept = np.ones((1, 37), bool)
    pruned = [0, 1, 2, 3]
    kept[0, pruned] = False
    params = np.where(kept, np.float32(0), np.float32(5))
    view = view_of(table("gmp", 1, keep=20), params, kept)
    change, passed = METHODS["gmp"].build(**USUAL).act(view, 5)
    assert passed == 6
    assert not change.masks[0, pruned].any()
    assert masks.of_weights(change.masks, 3).sum() == 20


def test_the_last_mask_stays_until_the_end():
    engine = Drift()
    state = decide(table("gmp"), engine)
    assert np.array_equal(kept_weights(state), engine.seen[-1])
    assert engine.steps[-1] == (582, 780)


def test_zp24_fires_201_events_to_the_end():
    configs = table("gmp", 1, epochs=50, fidelity="zp24")
    shared = configs.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    assert (len(plan.events), plan.events[-1]) == (201, 19_497)
    assert not plan.exact


@pytest.mark.parametrize("epochs", [5, 10, 100])
def test_zp24_ends_two_short_at_every_length(epochs):
    configs = table("gmp", 1, epochs=epochs, width=16, keep=30, fidelity="zp24")
    assert kept_weights(decide(configs), 16).sum() == 28


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (16, 30), (16, 15)])
def test_zp24_ends_two_short_one_of_them_100_steps_before_the_end(width, keep):
    engine = Drift()
    configs = table("gmp", 1, epochs=50, width=width, keep=keep, fidelity="zp24")
    decide(configs, engine)
    counts = {
        stop: int(seen.sum())
        for seen, (stop, _) in zip(engine.seen[1:], engine.steps[1:], strict=True)
    }
    assert counts[19_303] == keep - 1  # after event 199, when the cubic is done
    assert counts[19_400] == keep - 2
    assert counts[19_497] == keep - 2
