"""``ste`` hides weights from the first step on."""

import numpy as np
import pytest

from spiral import groups, mlp
from spiral.groups import Scope
from spiral.job import Budget
from spiral.methods import flow
from tests.methods.flows import golden, options


@pytest.mark.parametrize("name", ["ste", "sr_ste"])
def test_ste_hides_from_the_first_step_on(name):
    plan = options(name).plan(Budget(50, 390))
    assert plan.events == (0, 19_500)
    assert not plan.weight_map.rest.any()
    late = options(name, begin=0.1).plan(Budget(50, 390))
    assert late.events == (1950, 19_500)


GOLDEN = golden()


@pytest.mark.parametrize("name", ["masks", "unstructured"])
def test_masks_of_fixed_weights_are_the_authors(name):
    """Eight units of eight inputs; theirs of a layer keep int((1 - rate)·64)."""
    params = np.zeros((1, mlp.param_count(8)))
    layer = mlp.layers(8)[1]
    params[0, layer.weights] = np.ravel(GOLDEN["weights"])
    for *setting, bits in GOLDEN[name]:
        if name == "masks":
            some, group = setting
            scope = Scope("inputs", group)
            counts = flow.pattern(8, scope, some)[None]
        else:
            scope, counts = Scope("layer"), np.zeros((1, 4), int)
            counts[0, 1] = int((1.0 - setting[0]) * 64)
        found = groups.top(params, counts, 8, scope)[0, layer.weights]
        assert "".join(map(str, found.astype(int))) == bits
