"""``zp24`` against masks that the published code of Zhang & Papyan made."""

import json
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.parts import erk, shares
from spiral.model import masks, mlp
from tests import GOLDEN_FILES
from tests.methods import Still, act, decide, table, view_of

GOLDEN = json.loads((GOLDEN_FILES / "zp24_masks.json").read_text())


def cells(part, size):
    """Return each cell's columns that differ within it, by those that do not."""
    rows = GOLDEN[part]["rows"]
    parted = groupby(rows, key=itemgetter(*range(size)))
    return [(*cell, [row[size:] for row in group]) for cell, group in parted]


def named(value):
    """Return what a test case is called: its cell, without the masks."""
    return "" if isinstance(value, list) else str(value)


def configs_of(method, width, keep, seeds, **values):
    return table(
        method,
        len(seeds),
        width=width,
        keep=keep,
        seed=seeds,
        lr=0.1,
        epochs=50,
        fidelity="zp24",
        **values,
    )


def hexed(mask):
    return masks.to_bits(mask).hex()


@pytest.mark.parametrize(
    ("method", "width", "keep", "expected"), cells("at_start", 3), ids=named
)
def test_masks_before_training_are_theirs(method, width, keep, expected):
    change = act(configs_of(method, width, keep, [seed for seed, _ in expected]))
    aborted = change.status == "aborted"
    found = np.where(aborted, "aborted", [hexed(mask) for mask in change.masks])
    assert found.tolist() == [mask for _, mask in expected]


@pytest.mark.parametrize(
    ("method", "width", "keep", "expected"), cells("of_unmoved_weights", 3), ids=named
)
def test_masks_by_magnitude_are_theirs(method, width, keep, expected):
    """Of weights that training leaves where they are, at some of the prunings."""
    engine = Still()
    decide(configs_of(method, width, keep, [seed for seed, _ in expected]), engine)
    first = {"gmp": 0, "lth": 1}[method]  # lth remembers its weights at an event first
    for n, (_, prunings) in enumerate(expected):
        for number, mask in prunings.items():
            kept = engine.seen[first + int(number)][[n]]
            assert hexed(masks.with_biases(kept, width)[0]) == mask


@pytest.mark.parametrize(("method", "less"), [("lth", 1), ("snip", 0)])
@pytest.mark.parametrize("allocation", [*shares.RULES])
def test_their_rules_apply_within_layers_too(method, less, allocation):
    """A strict threshold of its own takes one weight of every layer."""
    keep = [44, 65]
    configs = table(
        method, 2, width=16, keep=keep, fidelity="zp24", allocation=allocation
    )
    kept = masks.of_weights(decide(configs, Still()).masks, 16)
    quotas = shares.quotas(np.array(keep), 16, allocation)
    assert np.array_equal(shares.of_mask(kept, 16), quotas - less)


@pytest.mark.parametrize(
    ("width", "keep", "expected"), cells("rigl_updates", 2), ids=named
)
def test_updates_of_rigl_are_theirs(width, keep, expected):
    """From the first mask and the initial weights, whatever the step."""
    configs = configs_of("rigl", width, keep, [0, 1, 2])
    kept = decide(configs.assign(drop=0.0), Still()).masks
    params = np.stack([mlp.initial_params(seed, width) for seed in range(3)]) * kept
    method = prepare.build_method(configs.iloc[0])
    view = view_of(configs, params, kept)
    for step in {step for _, step, _ in expected}:
        change, _ = method.act(replace(view, step=step), None)
        for seed, _, mask in (row for row in expected if row[1] == step):
            assert hexed(change.masks[seed]) == mask


def test_layer_budgets_of_rigl_are_theirs():
    for width, keep, *budgets in GOLDEN["rigl_budgets"]["rows"]:
        assert erk.budgets(width, keep, "up") == tuple(budgets)
