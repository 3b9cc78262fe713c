"""``l1_unit`` keeps the hidden units with the largest incoming weights."""

import numpy as np

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import act, decide, kept_weights, plan_at, table


def test_only_incoming_weights_count():
    """Of two units the one of larger bias and outgoing weights goes."""
    params = np.zeros((1, mlp.param_count(2)), np.float32)
    for weights, biases in mlp.matrices(params, 2):
        weights[:], biases[:] = 1, 0
    (first, bias), (second, _), *_ = mlp.matrices(params, 2)
    first[0, 0] = [2, -2]
    bias[0] = [0, 9]
    second[0, :, 1] = 9
    configs = table("l1_unit", 1, width=2, keep=10, at_epoch=0)
    masks = act(configs, params).masks
    sizes = [b.sum() for _, b in mlp.matrices(masks[0], 2)]
    assert sizes == [2, 1, 1, 1]  # of equal ranks layer 3 goes first, then layer 2
    configs = table("l1_unit", 1, width=2, keep=5, at_epoch=0)
    units = [b.tolist() for _, b in mlp.matrices(act(configs, params).masks[0], 2)]
    assert units == [[True, False], [True, False], [True, False], [True]]


def test_all_layers_shrink_alike_unless_units_of_all_compete():
    alike = decide(table("l1_unit", 1, width=16, keep=60))
    apart = decide(table("l1_unit", 1, width=16, keep=60, scope="global"))
    sizes = [b.sum() for _, b in mlp.matrices(alike.masks[0], 16)[:3]]
    assert sizes == [5, 5, 4]
    assert kept_weights(alike, 16).sum() == 2 * 5 + 5 * 5 + 5 * 4 + 4
    assert not np.array_equal(alike.masks, apart.masks)


def test_it_prunes_half_way_by_default():
    options = {"at_epoch": None, "scope": "layer", "remainder": "units"}
    plan = plan_at(50, "l1_unit", **options)
    assert plan.events == (9750,)
    assert not plan.exact
    assert plan_at(50, "l1_unit", **options | {"remainder": "weights"}).exact


def test_its_cost_is_dense_and_then_sparse():
    profile = METHODS["l1_unit"].cost_profile(table("l1_unit", 1), 27, np.ones(1))
    assert profile.kept.tolist() == [[27], [11]]
    assert profile.share.tolist() == [[0.5], [0.5]]
