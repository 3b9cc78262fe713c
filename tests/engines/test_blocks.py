"""Blocks of steps, as a GPU captures them; here they are called, or kept on a tape."""

from dataclasses import replace

import numpy as np
import pytest
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from spiral.engines import batches, blocks, ranks, reparam
from spiral.engines.vmap import VmapEngine
from spiral.protocol.job import Adam, AdamW, Sam, Sgd
from tests.engines import (
    begin,
    make_job,
    some_masks,
    test_adapted,
    test_forward,
    test_frank_wolfe,
    test_optimisers,
    test_reparam,
)

IDS = (1, 2, 3)
STOP = 71  # four blocks, and what is left before and after them


def plain(**fields):
    job = make_job(IDS, **fields)
    return job, begin(job, some_masks(IDS))


def corners():
    job = test_frank_wolfe.job_of(setting=("k_polytope", 0.4, 2.0, "gradient"))
    return job, begin(job)


def masked(kind="layer", **mapped):
    job = test_forward.mapped_job(kind, 0.3, mapped=mapped)
    return job, test_forward.start(job, test_forward.SHOWN[kind])


def sharp():
    job, state = plain()
    return replace(job, plan=replace(job.plan, optimiser=Sam(0.05))), state


def aged():
    """Return a pack whose moments began at two steps."""
    job = test_optimisers.job_of(Adam())
    half = VmapEngine("cpu").advance(job, begin(job), 7)
    reset = np.arange(half.params.shape[1]) % 2 == np.zeros((3, 1))
    return job, test_optimisers.apply(half, reset_momentum=reset)


def adam_behind_a_mask():
    job = test_optimisers.behind_a_mask(Adam())
    return job, replace(begin(job), active_counts=np.full((3, 1), 10))


def low_rank(kind, optimiser):
    job = test_adapted.job_of(kind, optimiser)
    return job, test_adapted.state_of(job)


def learned(kind, **setting):
    job = test_reparam.job_of(kind, **setting)
    return job, test_reparam.state_of(job)


def late(job, state):
    """Return a state from which the last epoch, whose losses count, is near."""
    return job, replace(state, step=job.last_epoch - 20)


CASES = {
    "sgd": plain,
    "schedules": lambda: plain(schedule=("cosine", "step", "constant"), epochs=2),
    "losses": lambda: plain(batch=1_000, epochs=2),
    "sam": sharp,
    "frank-wolfe": corners,
    "masks at every step": masked,
    "masks at intervals": lambda: masked(interval=8),
    "masks that empty": lambda: masked("global", interval=3, stored=True),
    "moments of two ages": aged,
    "adam behind a mask": adam_behind_a_mask,
    "low rank, adamw": lambda: low_rank("mask_lora", AdamW(5)),
    "low rank, sgd": lambda: low_rank("scale_lora", Sgd(nesterov=True)),
    **{kind: lambda k=kind: learned(k) for kind in test_reparam.KINDS},
    "bounded": lambda: learned("product", bound=0.5),
    "losses of a map": lambda: late(*learned("sigmoid")),
}


@pytest.fixture(autouse=True)
def fresh():
    """Nothing is captured before, nor kept."""
    blocks._captured.cache_clear()
    yield
    blocks._captured.cache_clear()


def arrays(state):
    found = [state.params, state.momentum, state.losses, state.active]
    found += [state.adapters, state.moments]
    return [array for array in found if array is not None]


def trained_both_ways(name):
    """Train a pack without blocks and with them; return what was trained."""
    job, state = CASES[name]()
    state = replace(state, step=3) if name == "losses" else state
    stop = state.step - state.step % blocks.BLOCK + STOP
    engines = VmapEngine("cpu"), VmapEngine("cpu", in_blocks=True)
    return [arrays(engine.advance(job, state, stop)) for engine in engines]


def equal(some, others):
    return [np.array_equal(*both) for both in zip(some, others, strict=True)]


@pytest.mark.parametrize("name", CASES)
def test_blocks_change_no_bit(name):
    assert all(equal(*trained_both_ways(name)))
    assert blocks._captured.cache_info().misses > 0


class Tape(TorchDispatchMode):
    """Keeps operations with their tensors, as a CUDA graph does, and repeats them.

    Whatever else ``run`` does, in Python or NumPy, happens once.
    """

    def __init__(self, run, device):
        super().__init__()
        self.kept = []
        with self:
            run()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        self.kept.append((operation, args, kwargs or {}, found))
        return found

    def __call__(self):
        for operation, args, kwargs, found in self.kept:
            again = operation(*args, **kwargs)
            for old, new in zip(tree_leaves(found), tree_leaves(again), strict=True):
                if old.data_ptr() != new.data_ptr():  # else it is a view
                    old.copy_(new)


@pytest.fixture
def on_tape(monkeypatch):
    """Capture blocks on tapes; cuts are found by sorting, as on a device."""
    monkeypatch.setattr(blocks, "record", Tape)
    monkeypatch.setattr(ranks, "_on_host", lambda values: False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("on_tape")
def test_what_is_captured_is_all_that_a_step_does(name):
    assert all(equal(*trained_both_ways(name)))
    assert blocks._captured.cache_info().hits > 0


@pytest.mark.usefixtures("on_tape")
def test_a_step_that_counts_in_python_is_seen(monkeypatch):
    """As one that took its noise from an iterator would."""
    usual, calls = reparam.given, []

    def given(*args):
        calls.append(args)
        c, *others = usual(*args)
        return c + len(calls) % 3, *others

    monkeypatch.setattr(reparam, "given", given)
    assert not all(equal(*trained_both_ways("sigmoid")))


def test_pieces_hold_whole_blocks(monkeypatch):
    """However many numbers a step reads; only the first and the last are cut."""
    job = make_job(IDS)
    cuts = list(batches.pieces(job, 3, 3 * 16 + 2, "cpu", 2**20, 16))
    assert [piece[:2] for piece in cuts] == [(3, 16), (16, 32), (32, 48), (48, 50)]
    few = list(batches.pieces(job, 3, 50, "cpu", 2**20 // 40, 16))
    assert [piece[:2] for piece in few] == [(3, 32), (32, 50)]
    assert [len(piece.x) for piece in few] == [29, 18]
    alone = list(batches.pieces(job, 3, 6, "cpu", 2**20))
    assert [piece[:2] for piece in alone] == [(3, 4), (4, 5), (5, 6)]


def test_a_block_is_captured_once_for_packs_of_one_shape():
    engine = VmapEngine("cpu", in_blocks=True)
    job, state = plain()
    first = engine.advance(job, state, 64)
    kept = first.params.copy()
    other = make_job((4, 5, 6))
    engine.advance(other, begin(other, some_masks((4, 5, 6))), 64)
    assert blocks._captured.cache_info().misses == 1
    assert np.array_equal(first.params, kept)  # it is no view of a block's tensors
    assert np.array_equal(engine.advance(job, state, 64).params, kept)


def test_blocks_begin_at_multiples():
    size = blocks.BLOCK
    cuts = list(blocks.cut(3, 3 * size + 2))
    assert cuts[0] == (3, size)
    assert cuts[-1] == (3 * size, 3 * size + 2)
    assert [end - begin for begin, end in cuts[1:-1]] == [size, size]


def test_masks_at_intervals_need_few_blocks():
    """They are chosen at the same steps of each."""
    job, state = masked(interval=8)
    VmapEngine("cpu", in_blocks=True).advance(job, state, 160)
    assert blocks._captured.cache_info().misses == 1
