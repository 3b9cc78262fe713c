"""Steps stay on the device: all of training runs on a pretended GPU.

What the numbers are is the matter of ``test_laws``; these tests see where tensors are.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spiral.engines import adapted, blocks, evaluate, hiding, ranks
from spiral.engines.hiding import Hiding
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


def plain(chosen=None, **fields):
    job = with_optimiser(chosen or Sgd(), **fields)
    return job, begin(job, some_masks(IDS))


def corners(ball):
    return plain(FrankWolfe(ball, 0.4, 2.0, "gradient"))


def masked(scope, width=8, optimiser=None, **how):
    job = with_optimiser(optimiser or Sgd(), width=width)
    here = ForwardMask({0: scope}, np.linspace(1, 0, 24), **how)
    job = replace(job, plan=replace(job.plan, weight_map=here))
    counts = np.ones((len(IDS), count(width, scope)), np.int64)
    return job, replace(begin(job), active_counts=counts)


def learned(kind):
    job = test_reparam.job_of(kind)
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
    "sgd": plain,
    "smoothing": lambda: plain(smoothing=0.1),
    "nesterov": lambda: plain(Sgd(nesterov=True)),
    "sam": lambda: plain(Sam(0.05)),
    "odd batches": lambda: plain(batch=1_999),
    **{f"sfw {ball}": lambda b=ball: corners(b) for ball in norm_balls.Ball.__args__},
    "masks of all": lambda: masked(Scope("global")),
    "masks of layers": lambda: masked(Scope("layer"), gradient="chain", pull=0.1),
    "masks of units": lambda: masked(Scope("unit"), interval=2, stored=True),
    "masks of inputs": lambda: masked(Scope("inputs", 4)),
}
ADAPTED = {
    "adam": lambda: plain(Adam()),
    "adamw": lambda: plain(AdamW()),
    "moments of two ages": aged,
    "adam under masks": lambda: masked(Scope("layer"), optimiser=Adam()),
    "low rank": lowrank,
    **{
        kind: lambda k=kind: learned(k)
        for kind in test_reparam.KINDS
        if kind != "soft_top"
    },
}
CASES = {**PLAIN, **ADAPTED}


def train(name, steps):
    """Train on the pretended GPU; return what was trained and the copies to it."""
    job, state = CASES[name]()
    stop = state.step + steps
    with fake.cuda() as uploads:
        if name in PLAIN:
            after, _ = VmapEngine("cuda").train(job, state, stop)
        else:
            state = adapted._with_moments(state)
            hide = Hiding.of(job, state, stop, "cuda")
            after = adapted.train(job, state, hide, stop, "cuda")
    return after, uploads.count


@pytest.mark.parametrize("name", CASES)
def test_training_stays_on_the_device(name):
    """And copies as often to it for four steps as for twelve."""
    few, many = (train(name, steps) for steps in (4, 12))
    for tensor in (*few[0], *many[0]):
        assert tensor.device.type == "cuda"
    assert few[1] == many[1]


def test_evaluation_stays_on_the_device():
    job, state = plain()
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
    usual = blocks._sgd

    def elsewhere(recipe, masked):
        return usual(recipe._replace(device="cpu"), masked)

    monkeypatch.setattr(blocks, "_sgd", elsewhere)
    with pytest.raises(fake.HostTensor):
        train("sgd", 4)


def test_the_cut_of_soft_top_waits_for_the_host():
    """The known exception, which :data:`CASES` leaves out."""
    CASES["soft_top"] = lambda: learned("soft_top")
    try:
        with pytest.raises(fake.HostTensor):
            train("soft_top", 2)
    finally:
        del CASES["soft_top"]
