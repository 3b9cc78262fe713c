"""``magnitude`` keeps the largest weights of all layers, once."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import decide, kept_weights, plan_at, table, view_of

METHOD = METHODS["magnitude"]


def act(params, keep):
    """Return the weights that one network of width 1 keeps."""
    configs = table("magnitude", 1, width=1, keep=keep)
    row = np.array([params], np.float32)
    view = view_of(configs, row, np.ones(row.shape, bool))
    change, _ = METHOD.build(at_epoch=1).act(view, None)
    return change.masks[0].astype(int).tolist()


@pytest.mark.parametrize(("at_epoch", "event"), [(0, 0), (25, 9750), (50, 19_500)])
def test_the_event_is_before_an_epoch(at_epoch, event):
    assert plan_at(50, "magnitude", at_epoch=at_epoch).events == (event,)


def test_sign_does_not_matter_and_biases_do_not_compete():
    # W1 = (1, -3), b1 = 9, W2 = -2, b2 = 9, W3 = 4, b3 = 9, W4 = 0.5, b4 = 9
    params = [1, -3, 9, -2, 9, 4, 9, 0.5, 9]
    assert act(params, 2) == [0, 1, 0, 0, 1, 1, 0, 0, 1]
    assert act(params, 4) == [1, 1, 1, 1, 1, 1, 0, 0, 1]


def test_ties_go_to_the_lower_index():
    assert act([1, -1, 0, 1, 0, 1, 0, -1, 0], 3) == [1, 1, 1, 1, 0, 0, 0, 0, 1]


def test_pruning_at_epoch_0_ranks_the_initial_weights():
    state = decide(table("magnitude", 1, at_epoch=0, keep=5))
    size = np.abs(mlp.initial_params(0, 3)[mlp.is_weight(3)])
    assert kept_weights(state)[0].sum() == 5
    assert size[kept_weights(state)[0]].min() > size[~kept_weights(state)[0]].max()


def test_later_pruning_ranks_the_trained_weights():
    early = decide(table("magnitude", 1, at_epoch=0))
    late = decide(table("magnitude", 1, at_epoch=1))
    assert not np.array_equal(early.masks, late.masks)


def test_an_epoch_after_the_end_is_a_mistake():
    (mistake,) = METHOD.check(table("magnitude", at_epoch=3))
    assert mistake.field == "at_epoch"
    assert "0 to 2, got 3" in mistake.message
    assert METHOD.check(table("magnitude", at_epoch=2)) == []
