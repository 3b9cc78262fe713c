"""``sr_ste`` pulls what it hides towards zero."""

import numpy as np

from spiral import masks, mlp
from tests.methods.flows import Noting, same, trained


def test_without_pull_sr_ste_is_ste():
    assert same(trained("sr_ste", pull=0.0), trained("ste"))
    assert not same(trained("sr_ste", pull=0.5), trained("ste"))


def test_a_strong_pull_empties_hidden_weights_and_ends_flips():
    calm = {"momentum": 0.0, "weight_decay": 0.0, "epochs": 20, "lr": 1.0}
    flips, hidden = [], []
    for pull in (0.0, 0.5):  # times the learning rate: below 1
        engine = Noting(apart=1)
        trained("sr_ste", 3, engine, pull=pull, schedule="constant", **calm)
        params = np.stack([state.params for state in engine.states])
        sizes = np.abs(params[..., mlp.is_weight(3)])
        shown = np.stack([masks.keep_top(s, np.full(3, 20)) for s in sizes])
        flips.append((shown[61:] ^ shown[60:-1]).sum())
        hidden.append(sizes[-1][~shown[-1]].max())
    assert flips[0] > 0
    assert flips[1] == 0
    assert hidden[1] < 0.03 < hidden[0]
