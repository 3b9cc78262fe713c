"""What every method must obey; a new line in METHODS is covered by itself.

The quick tier asks each method once, of small networks; the slow tier asks more.
"""

import functools
import importlib
import pkgutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from spiral import methods
from spiral.engines import sparse
from spiral.errors import MethodError
from spiral.experiment import prepare
from spiral.methods.entry import Taxonomy
from spiral.methods.parts import shares
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol import config
from spiral.protocol.job import TrainJob
from tests import mostly_slow, oracles
from tests.methods import (
    EXAMPLES,
    Drift,
    Passing,
    Still,
    decide,
    kept_weights,
    table,
)

PRUNERS = [
    name
    for name, entry in METHODS.items()
    if entry.needs_keep and entry.taxonomy.unit == "weight"
]
OF_UNITS = [
    name
    for name, entry in METHODS.items()
    if entry.needs_keep and entry.taxonomy.unit == "neuron"
]
BLIND = [name for name, e in METHODS.items() if e.taxonomy.data == "none"]
NEVER_GROW = [name for name, e in METHODS.items() if e.taxonomy.grow == "none"]
KEEPS = [1, 11, 26, 27]
ALLOCATED = [
    (name, allocation)
    for name, entry in METHODS.items()
    if "allocation" in (options := config.fields(entry.options))
    for allocation in options["allocation"].legal()["enum"]
]
QUICK = [case for case in ALLOCATED if case[1] == "erk"]
SCORED = ["snip", "grasp", "synflow", "force", "iter_snip", "prospr"]
"""Methods that rank weights by what the loss or the output says of them."""


@pytest.fixture(params=METHODS)
def name(request):
    return request.param


@functools.cache
def usual(name):
    """Return three usual configs; tests leave them as they are."""
    return table(name)


@functools.cache
def plan_of(name):
    """Return the plan of the usual configs."""
    return prepare.planned(usual(name).iloc[0])[1]


@functools.cache
def decided(name):
    """Return what three usual configs end with; tests leave it as it is."""
    return decide(usual(name))


@pytest.mark.parametrize("name", PRUNERS)
def test_exactly_keep_weights_stay(name):
    state = decide(table(name, 4, keep=KEEPS))
    assert kept_weights(state).sum(axis=1).tolist() == KEEPS


@pytest.mark.parametrize("name", PRUNERS)
@pytest.mark.parametrize("width", [8, pytest.param(16, marks=pytest.mark.slow)])
def test_exactly_keep_weights_stay_at_other_widths(name, width):
    keeps = [15, 26] * 3
    state = decide(table(name, 6, width=width, keep=keeps, **exactly(name)))
    assert kept_weights(state, width).sum(axis=1).tolist() == keeps


@pytest.mark.parametrize("case", mostly_slow(ALLOCATED, QUICK), ids="-".join)
def test_exactly_keep_weights_stay_under_every_allocation(case):
    are_kept_under(*case, 4, [4, 16, 26, 44])


@pytest.mark.slow
@pytest.mark.parametrize("case", QUICK, ids="-".join)
def test_exactly_keep_weights_stay_under_an_allocation_of_wider_networks(case):
    are_kept_under(*case, 16, [4, 16, 26, 44, 65, 560])


def are_kept_under(name, allocation, width, keeps):
    """Check the counts of all weights, and of each layer by its quota."""
    how = {"width": width, "keep": keeps, "allocation": allocation}
    kept = kept_weights(decide(table(name, len(keeps), **how), Still()), width)
    assert kept.sum(axis=1).tolist() == keeps
    if allocation in shares.RULES and name != "rigl":  # which rounds otherwise
        quotas = shares.quotas(np.array(keeps), width, allocation)
        assert np.array_equal(shares.of_mask(kept, width), quotas)


@pytest.mark.parametrize("name", OF_UNITS)
@pytest.mark.parametrize(("width", "keeps"), [(3, [5, 11, 26, 27]), (16, [5, 26, 300])])
def test_whole_units_stay_and_no_more_weights_than_keep(name, width, keeps):
    state = decide(table(name, len(keeps), width=width, keep=keeps))
    for kept, keep in zip(kept_weights(state, width), keeps, strict=True):
        assert 5 <= kept.sum() <= keep
        first, second, third, last = oracles.weight_matrices(kept, width)
        a, b, c = (matrix.any(axis=1) for matrix in (first, second, third))
        assert np.array_equal(first, np.outer(a, [True, True]))
        assert np.array_equal(second, np.outer(b, a))
        assert np.array_equal(third, np.outer(c, b))
        assert np.array_equal(last, c[None])


@pytest.mark.parametrize(
    "name", [n for n in OF_UNITS if "remainder" in config.fields(METHODS[n].options)]
)
def test_single_weights_go_where_a_unit_is_too_much(name):
    keeps = [5, 11, 26, 27]
    state = decide(table(name, 4, keep=keeps, remainder="weights"))
    assert kept_weights(state).sum(axis=1).tolist() == keeps


def exactly(name):
    """Return the preset that promises exact counts, where a method has presets."""
    known = "fidelity" in config.fields(METHODS[name].options)
    return {"fidelity": "exact"} if known else {}


@pytest.mark.parametrize("name", PRUNERS)
def test_a_network_that_says_nothing_still_keeps_exactly_keep(name):
    """All weights zero: no loss, no flow, no size ranks any of them."""

    class Empty(Still):
        def advance(self, job, state, stop):
            state = super().advance(job, state, stop)
            return replace(state, params=np.zeros_like(state.params))

    state = decide(table(name, 4, keep=KEEPS), Empty())
    assert kept_weights(state).sum(axis=1).tolist() == KEEPS
    if name in SCORED:
        assert state.status[:3].tolist() == ["degenerate"] * 3


def test_biases_follow_the_rule(name):
    state = decided(name)
    expected = masks.with_biases(kept_weights(state), 3)
    assert np.array_equal(state.masks, expected)


@pytest.mark.parametrize("name", NEVER_GROW)
def test_a_pruned_weight_never_returns(name):
    engine, siblings = Drift(), plan_of(name).siblings
    state = decide(table(name, keep=[3, 11, 20]), engine)
    history = [*(seen[::siblings] for seen in engine.seen), kept_weights(state)]
    for before, after in pairwise(history):
        assert not (after & ~before).any()


def test_equal_configs_get_equal_masks_every_time(name):
    first, second = decided(name), decide(usual(name))
    assert np.array_equal(first.masks, second.masks)
    assert np.array_equal(first.params, second.params)


def test_a_row_does_not_depend_on_its_neighbours(name):
    pack, alone = decided(name), decide(usual(name).iloc[[1]])
    assert np.array_equal(pack.masks[1], alone.masks[0])
    assert np.array_equal(pack.params[1], alone.params[0])


def test_a_diverged_neighbour_changes_nothing(name):
    class Diverging(Drift):
        def advance(self, job, state, stop):
            state = super().advance(job, state, stop)
            wild = (job.initial == mlp.initial_params(1, 3)).all(axis=1)[:, None]
            # a copy: at step 0 these are the job's initial parameters
            params = np.where(wild & state.masks, np.float32(np.nan), state.params)
            return replace(state, params=params)

    calm, wild = decided(name), decide(usual(name), Diverging())
    assert np.array_equal(calm.masks[[0, 2]], wild.masks[[0, 2]])
    assert np.isnan(wild.params[1][wild.masks[1]]).any()
    assert (wild.params[1][~wild.masks[1]] == 0).all()


def test_a_stopped_training_is_the_beginning_of_the_whole(name):
    """Bit for bit, though methods plan by the length of the whole."""
    configs, passing = usual(name), Passing(390)
    decide(configs, passing)
    stopped = decide(configs.assign(stop_epoch=1), sparse.SparseEngine())
    assert stopped.step == 390
    for field in ("params", "masks", "momentum"):
        found, expected = getattr(stopped, field), getattr(passing.noted, field)
        assert np.array_equal(found, expected)


def test_events_lie_within_the_training(name):
    for _, shared in table(name, epochs=[2, 3, 50]).iterrows():
        _, plan = prepare.planned(shared)
        assert list(plan.events) == sorted(set(plan.events))
        assert all(0 <= event <= plan.steps for event in plan.events)
        assert plan.siblings >= 1


OLDER = {("perp", "optimiser")}
"""Options that are older than the common field of their name."""


def test_options_are_described_and_have_a_default_or_are_required(name):
    for option in config.fields(METHODS[name].options).values():
        assert option.description
        common = option.name in config.fields(config.Config)
        assert common == ((name, option.name) in OLDER)
        if option.required:
            assert option.name in EXAMPLES[name]
        elif option.default is not None:
            assert option.parse(option.default) == option.default


def test_examples_and_defaults_pass_the_methods_own_check(name):
    assert METHODS[name].check(usual(name)) == []


DOCSTRINGS = [
    importlib.import_module(module.name).__doc__ or ""
    for module in pkgutil.walk_packages(methods.__path__, "spiral.methods.")
]


def test_it_says_what_it_is_and_where_it_comes_from(name):
    entry = METHODS[name]
    assert any(f"``{name}``" in text for text in DOCSTRINGS)
    assert entry.summary
    assert not entry.summary.endswith(".")
    assert entry.citation == "control" or any(c.isdigit() for c in entry.citation)


def test_the_taxonomy_uses_the_words_it_defines(name):
    taxonomy = METHODS[name].taxonomy
    assert all(getattr(taxonomy, f.name) for f in fields(Taxonomy))
    assert taxonomy.unit in {"weight", "n:m", "neuron"}
    assert taxonomy.when in {"before", "during", "after", "never"}
    schedules = {"once", "gradual", "iterative", "alternating", "none"}
    assert taxonomy.schedule in schedules
    assert taxonomy.cost in {"sparse", "dense to sparse", "dense", "alternating"}
    phases = {"none", "train", "fine-tune", "rewind", "re-initialise"}
    assert taxonomy.second_phase in phases


def test_the_taxonomy_says_the_default_allocation(name):
    option = config.fields(METHODS[name].options).get("allocation")
    assert option is None or METHODS[name].taxonomy.allocation == option.default


def test_the_taxonomy_says_when_it_prunes(name):
    taxonomy, plan = METHODS[name].taxonomy, plan_of(name)
    events = set(plan.events)
    assert (taxonomy.when == "never") == (not events)
    if taxonomy.when == "before":
        assert 0 in events
        engine = Drift()
        final = kept_weights(decide(usual(name), engine))
        for kept in engine.seen[1:]:  # later events leave masks as they are
            assert np.array_equal(kept, final)
    if taxonomy.when == "after":
        assert events - {0} == {plan.steps}  # at 0 some say where they begin
    if taxonomy.when == "during":
        assert max(events) > 0
    if taxonomy.schedule in ("gradual", "alternating"):
        assert len(events) > 1
    if max(events, default=0) == plan.steps:
        assert taxonomy.second_phase == "none"
    if taxonomy.second_phase == "rewind":
        assert plan.steps > 2 * 390  # more than one training


def test_the_taxonomy_says_what_trains(name):
    """As the cost of engine sparse is counted."""
    kept, share = METHODS[name].cost_profile(usual(name), 27, np.ones(3))
    assert plan_of(name).siblings > 1 or np.allclose(
        share.sum(axis=0), 1
    )  # they share a part
    said = METHODS[name].taxonomy.cost
    trained = kept[share[:, 0] > 0, 0]
    if said == "dense":
        assert (trained == 27).all()
    if said == "sparse":
        assert (trained < 27).all()
    if said == "dense to sparse":
        assert trained[0] > 20
        assert trained[-1] == 11
    if said == "alternating":
        assert trained.max() == 27
        assert trained.min() == 11


@pytest.mark.parametrize("name", METHODS)
def test_who_needs_no_data_gets_none_and_who_names_data_looks_at_them(
    name, monkeypatch
):
    asked = []

    def refuse(job, step):
        asked.append(step)
        raise LookupError

    monkeypatch.setattr(TrainJob, "batch_at", refuse)
    keep = {"keep": 20} if METHODS[name].needs_keep else {}  # where rigl swaps some
    looks = pytest.raises(MethodError, match="LookupError")
    with nullcontext() if name in BLIND else looks:
        decide(table(name, **keep))
    assert bool(asked) == (name not in BLIND)


def test_no_method_imports_torch():
    code = "import sys, spiral.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
