"""``spartan``: counts fall, gates sharpen, and their values are final."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol import cuts
from tests import oracles
from tests.methods import plan_at, table
from tests.methods.learned import SHORT, Noting, trained

USUAL = {"warmup": 0.2, "interval": 97, "sharpness": 20.0, "end": 0.8}


def test_counts_fall_along_a_line_and_gates_sharpen_along_another():
    plan = plan_at(50, "spartan", **USUAL)
    assert plan.events == (0, *range(97, 3_900, 97), 3_900, 15_600)
    curve = plan.weight_map.curve
    assert (curve[0], curve[7_800], curve[-1]) == pytest.approx((1, 10.5, 20))
    noting = Noting()
    trained(table("spartan", 1, keep=7, interval=39), noting)
    counts = {start.step: start.active_counts for start in noting.starts}
    found = {step: int(count[0, 0]) for step, count in counts.items() if step < 624}
    assert found == {0: 27, 39: 22, 78: 17, 117: 12, 156: 7}


def test_a_config_may_start_at_its_final_count():
    assert plan_at(2, "spartan", **{**USUAL, "warmup": 0.0}).events == (0, 624)
    noting = Noting()
    trained(table("spartan", 1, keep=7, warmup=0.0, **SHORT), noting)
    assert noting.starts[0].active_counts.tolist() == [[7]]


def test_the_largest_weights_stay_with_the_values_of_their_gates():
    noting = Noting()
    state = trained(table("spartan", 2, keep=[6, 18], **SHORT), noting)
    before, start = noting.ends[-2], noting.starts[-1]
    c = noting.jobs[-2].plan.weight_map.curve[before.step - 1]
    for n, keep in enumerate((6, 18)):
        weights = before.params[n][mlp.is_weight(3)].astype(np.float64)
        kept = oracles.keep_top(list(np.abs(weights)), keep)
        assert masks.of_weights(state.masks, 3)[n].tolist() == kept
        tau = cuts.threshold(np.abs(weights)[None], c, np.array([keep]))
        gates = cuts.sigmoid(c * (np.abs(weights) - tau))
        assert gates.sum() == pytest.approx(keep)
        found = start.params[n][mlp.is_weight(3)]
        assert found == pytest.approx(np.where(kept, weights * gates, 0), abs=1e-6)


def test_the_count_must_be_reached_before_the_end():
    check = METHODS["spartan"].check
    assert check(table("spartan")) == []
    (found,) = check(table("spartan", warmup=0.9))
    assert found.field == "end"
