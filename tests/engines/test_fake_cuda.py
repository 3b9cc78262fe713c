"""Steps stay on the device: all of training runs on a pretended GPU.

What the numbers are is the matter of ``test_laws``; these tests see where tensors are.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._pytree import tree_leaves

from spiral.engines import adapted, blocks, evaluate, hiding, optimisers, plain, ranks
from spiral.engines.vmap import VmapEngine
from spiral.model.groups import Scope, count
from spiral.protocol import norm_balls
from spiral.protocol.job import (
    Adam,
    AdamW,
    ForwardMask,
    FrankWolfe,
    Sam,
    Sgd,
)
from tests.engines import begin, fake, make_job, some_masks, test_adapted, test_reparam

IDS = (1, 2, 3)
SHORT = {"batch": 2_000, "epochs": 1}
"""24 steps, all of which sum losses."""


def with_optimiser(chosen, **fields):
    job = make_job(IDS, **{**SHORT, **fields})
    return replace(job, plan=replace(job.plan, optimiser=chosen))


def pack(chosen=None, **fields):
    job = with_optimiser(chosen or Sgd(), **fields)
    return job, begin(job, some_masks(IDS))


def corners(ball):
    return pack(FrankWolfe(ball, 0.4, 2.0, "gradient"))


def masked(scope, width=8, optimiser=None, **how):
    job = with_optimiser(optimiser or Sgd(), width=width)
    here = ForwardMask({0: scope}, np.linspace(1, 0, 24), **how)
    job = replace(job, plan=replace(job.plan, weight_map=here))
    counts = np.ones((len(IDS), count(width, scope)), np.int64)
    return job, replace(begin(job), active_counts=counts)


def learned(kind, **setting):
    job = test_reparam.job_of(kind, **setting)
    return job, test_reparam.state_of(job)


def aged():
    """Return a pack whose moments began at two steps."""
    job = with_optimiser(Adam())
    born = np.zeros(job.initial.shape, int)
    born[:, ::2] = 3
    moments = np.zeros((len(IDS), 2, born.shape[1]), np.float32)
    return job, replace(begin(job), step=5, moments=moments, born=born)


def lowrank():
    job = test_adapted.job_of()
    return job, test_adapted.state_of(job)


PLAIN = {
    "sgd": pack,
    "smoothing": lambda: pack(smoothing=0.1),
    "nesterov": lambda: pack(Sgd(nesterov=True)),
    "sam": lambda: pack(Sam(0.05)),
    "odd batches": lambda: pack(batch=1_999),
    **{f"sfw {ball}": lambda b=ball: corners(b) for ball in norm_balls.Ball.__args__},
    "masks of all": lambda: masked(Scope("global")),
    "masks of layers": lambda: masked(Scope("layer"), gradient="chain", pull=0.1),
    "masks of units": lambda: masked(Scope("unit"), interval=2, stored=True),
    "masks of inputs": lambda: masked(Scope("inputs", 4)),
}
ADAPTED = {
    "adam": lambda: pack(Adam()),
    "adamw": lambda: pack(AdamW()),
    "moments of two ages": aged,
    "adam under masks": lambda: masked(Scope("layer"), optimiser=Adam()),
    "low rank": lowrank,
    **{kind: lambda k=kind: learned(k) for kind in test_reparam.KINDS},
    "bounded": lambda: learned("product", bound=0.5),
}
CASES = {**PLAIN, **ADAPTED}


def train(name, steps, in_blocks=False):
    """Train on the pretended GPU; return what was trained and the copies to it."""
    job, state = CASES[name]()
    if name in ADAPTED:
        state = adapted.with_moments(state)
    with fake.cuda() as uploads:
        engine = VmapEngine("cuda", in_blocks)
        after, _ = engine.train(job, state, state.step + steps)
    assert (uploads.captures > 0) == in_blocks
    return after, uploads.count


@pytest.fixture
def short(monkeypatch):
    """Blocks are short, and none is kept: its tensors have no numbers."""
    monkeypatch.setattr(blocks, "BLOCK", 4)
    blocks._captured.cache_clear()
    yield
    blocks._captured.cache_clear()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("short")
def test_training_stays_on_the_device(name):
    """And copies as often to it for four steps as for twelve, and as for blocks."""
    runs = train(name, 4), train(name, 12), train(name, 12, in_blocks=True)
    for after, _ in runs:
        assert {tensor.device.type for tensor in after} == {"cuda"}
    assert len({count for _, count in runs}) == 1


def test_evaluation_stays_on_the_device():
    job, state = pack()
    with fake.cuda() as uploads:
        sums = evaluate.sums_of(job, state, "cuda", together=2)
    assert [found.shape for found in sums] == [(3,)] * 3
    assert {found.device.type for found in sums} == {"cuda"}
    assert uploads.count == 3  # points, labels, parameters


def test_siblings_are_networks_like_others():
    """Those of one config train next to each other on one order of batches."""
    job = make_job((1, 1, 2, 2), **SHORT)
    job = replace(job, plan=replace(job.plan, siblings=2))
    with fake.cuda() as uploads:
        after, _ = VmapEngine("cuda").train(job, begin(job), 8)
    assert after.params.shape == (4, 37)
    assert uploads.count == train("sgd", 8)[1]


# ---- tests of the tests: each mistake must be seen


def to_host(values, *_):
    values.cpu()
    raise AssertionError("not noticed")


def number(values, *_):
    values.sum().item()
    raise AssertionError("not noticed")


def made_there(values, *_):
    torch.zeros(values.shape)
    raise AssertionError("not noticed")


def mixed(values, *_):
    with torch.utils._python_dispatch._disable_current_modes():
        there = torch.zeros(values.shape)
    return values + there


def which_are_set(values, *_):
    torch.ops.aten.index.Tensor(values, [values > 0])
    raise AssertionError("not noticed")


MISTAKES = {
    "reads the tensor": (to_host, "in host memory"),
    "reads a number": (number, "_local_scalar_dense"),
    "makes a tensor there": (made_there, "in host memory"),
    "uses a tensor from there": (mixed, "FakeTensor|two devices"),
    "an index of unknown size": (which_are_set, "not linked|nonzero|index"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("where", ["top", "chosen"])
def test_a_step_that_goes_to_the_host_is_seen(monkeypatch, mistake, where):
    wrong, said = MISTAKES[mistake]
    monkeypatch.setattr(
        ranks, where, lambda *args: wrong(next(a for a in args if torch.is_tensor(a)))
    )
    name = {"top": "masks of all", "chosen": "sfw k_support"}[where]
    with pytest.raises(Exception, match=said) as raised:
        train(name, 8)
    assert not str(raised.value).startswith("not noticed")


def test_a_copy_at_every_step_is_counted(monkeypatch):
    usual = hiding.hide

    def hide(turn, params, shown, rest, rule):
        again = torch.tensor(np.ones(params.shape, bool), device="cuda")
        return usual(turn, params, again, rest, rule)

    monkeypatch.setattr(hiding, "hide", hide)
    few, many = (train("sgd", steps)[1] for steps in (4, 12))
    assert many == few + 8


def test_a_graph_that_computes_elsewhere_is_seen(monkeypatch):
    """As it would if its operations kept the device on which they were traced."""
    usual = plain.Recipe.sgd

    def elsewhere(recipe, masked):
        return usual(replace(recipe, device="cpu"), masked)

    monkeypatch.setattr(plain.Recipe, "sgd", elsewhere)
    with pytest.raises(fake.HostTensor):
        train("sgd", 4)


OF_HOST = {
    "adam": (optimisers, "step"),
    "low rank": (adapted.Recipe, "beside_batch"),
    "hard_concrete": (adapted.reparam, "given"),
    "soft_top": (ranks, "threshold"),
    "bounded": (adapted.reparam, "bounded"),
}
"""Where a step of some packs computes."""


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", OF_HOST)
def test_adapters_maps_and_adam_that_go_to_the_host_are_seen(
    monkeypatch, name, mistake
):
    wrong, said = MISTAKES[mistake]
    monkeypatch.setattr(
        *OF_HOST[name],
        lambda *args: wrong(next(t for t in tree_leaves(args) if torch.is_tensor(t))),
    )
    with pytest.raises(Exception, match=said) as raised:
        train(name, 4)
    assert not str(raised.value).startswith("not noticed")


@pytest.mark.parametrize("name", ["sgd", "adam", "soft_top", "low rank"])
@pytest.mark.usefixtures("short")
def test_a_copy_in_a_captured_block_is_seen(monkeypatch, name):
    usual = hiding.hide

    def hide(turn, params, shown, rest, rule):
        torch.tensor(np.float32(1), device="cuda")
        return usual(turn, params, shown, rest, rule)

    monkeypatch.setattr(hiding, "hide", hide)
    with pytest.raises(AssertionError, match="copies from host memory"):
        train(name, 12, in_blocks=True)
