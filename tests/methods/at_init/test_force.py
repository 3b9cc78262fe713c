"""``force`` and ``iter_snip``: rounds of SNIP, with and without return."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.at_init import force
from spiral.methods.registry import METHODS
from tests import oracles
from tests.methods import (
    CELLS,
    Still,
    act,
    chosen,
    decide,
    first_view,
    silent,
    surplus,
    table,
)

BOTH = ("force", "iter_snip")
EVERY = list(range(1, 28))


@pytest.fixture(params=BOTH)
def name(request):
    return request.param


@pytest.fixture
def history(monkeypatch):
    """Return a function: configs (and parameters) → masks of each round [T, N, W]."""
    rounds = []
    choose = force.choose

    def noted(*args):
        rounds.append(choose(*args))
        return rounds[-1]

    monkeypatch.setattr(force, "choose", noted)

    def run(configs, params=None):
        rounds.clear()
        act(configs, params)
        return np.stack(rounds)

    return run


def batches_of(name, **options):
    """Return which batches a method asks for."""
    asked = []
    configs = table(name, 1, **options)
    view = first_view(configs)

    def batch(step):
        asked.append(step)
        return view.batch(step)

    method = prepare.build_method(configs.iloc[0])
    method.act(replace(view, batch=batch), None)
    return asked


def test_sixty_rounds_by_default_ten_under_zp24_a_batch_each(name):
    assert batches_of(name) == list(range(60))
    assert batches_of(name, fidelity="zp24") == list(range(10))
    assert batches_of(name, rounds=3) == [0, 1, 2]


def test_one_round_is_snip(name):
    once = act(table(name, 27, seed=3, keep=EVERY, rounds=1))
    snip = act(table("snip", 27, seed=3, keep=EVERY))
    assert np.array_equal(once.masks, snip.masks)
    assert np.array_equal(once.status, snip.status)


def test_kept_weights_have_their_initial_values(name):
    configs = table(name, 3, keep=[5, 11, 20])
    state, view = decide(configs, Still()), first_view(configs)
    assert np.array_equal(state.params[state.masks], view.params[state.masks])


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (16, 26)])
def test_masks_of_iterative_snip_are_nested(history, width, keep):
    found = history(table("iter_snip", 5, width=width, keep=keep))
    assert not any((after & ~before).any() for before, after in pairwise(found))


def test_weights_return_in_force(history):
    found = history(table("force", 5, width=16, keep=26))
    assert any((after & ~before).any() for before, after in pairwise(found))


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (3, 26), (16, 26)])
def test_counts_fall_exponentially_to_exactly_keep(name, history, width, keep):
    """Where no unit is dead and every weight has its say."""
    configs, total = table(name, 3, width=width, keep=keep), 2 * width**2 + 3 * width
    params = np.abs(first_view(configs).params)
    params[:, ~oracles.is_weight(width)] = 5
    counts = history(configs, params).sum(axis=2)
    exact = total * (keep / total) ** (np.arange(1, 61) / 60)
    assert (counts[-1] == keep).all()
    assert (counts <= exact[:, None] + 1e-9).all()
    assert (counts > exact[:, None] - 1 - 1e-9).all()


def test_a_round_that_says_too_little_prunes_nothing(name, history):
    """Of 27 weights 12 have a say: not enough for 15, but for 8 and 5."""
    params = silent()
    params[:, 21:] *= np.linspace(1, 2, 16, dtype=np.float32)  # layers 3 and 4
    found = history(table(name, 1, keep=5, rounds=3), params)
    assert found.sum(axis=2).ravel().tolist() == [27, 8, 5]
    assert not found[1:, 0, :15].any()


# ---- the whole algorithm, slowly


def rounds_of(view, n, keep, returns, strict, rounds):
    """Prune network n round by round; return its mask."""
    width, params = view.width, view.params[n].astype(float)
    free = np.flatnonzero(oracles.is_weight(width))
    total, kept = len(free), np.ones(len(free), bool)
    for i in range(rounds):
        x, y = (part[n] for part in view.batch(i))
        masked = params.copy()
        masked[free[~kept]] = 0
        slope = oracles.gradient(masked, x, y, width)
        score = np.abs(params * slope)[free]
        if not returns:
            score[~kept] = 0 if strict else -1
        count = int(total * np.exp(0 - ((i + 1) * (0 - np.log(keep / total)) / rounds)))
        if strict:
            kept = score > np.sort(score)[-count]
        elif i < rounds - 1:
            kept = score >= np.sort(score)[-max(count, keep)]
        else:
            kept = np.array(oracles.keep_top(score.tolist(), keep))
    return kept


@pytest.mark.parametrize(("width", "keep"), [(3, 20), (3, 26), (4, 15), (5, 26)])
@pytest.mark.parametrize("fidelity", ["exact", "zp24"])
def test_masks_are_those_of_one_network_at_a_time(name, width, keep, fidelity):
    values = {"width": width, "keep": keep, "fidelity": fidelity, "rounds": 10}
    configs = table(name, 6, **values)
    found, view = chosen(act(configs), width), first_view(configs)
    returns, strict = name == "force", fidelity == "zp24"
    for n in range(6):
        expected = rounds_of(view, n, keep, returns, strict, 10)
        assert np.array_equal(found[n], expected)


# ---- without information, and as in the code of Zhang & Papyan


def test_without_scores_the_index_decides_and_the_row_says_so(name):
    """Behind a dead layer 12 weights have a say, while none of them is pruned."""
    change = act(table(name, 2, keep=[12, 20], rounds=1), np.repeat(silent(), 2, 0))
    assert change.status.tolist() == ["", "degenerate"]
    assert chosen(change).sum(axis=1).tolist() == [12, 20]
    late = act(table(name, 1, keep=20), silent())
    assert late.status.tolist() == ["degenerate"]
    assert chosen(late).sum() == 20


@pytest.mark.parametrize("rounds", [10, 60])
def test_counts_are_rounded_as_in_the_published_code(rounds):
    """It takes exp and log of one number at a time, and int() of the product."""
    for width, keep in CELLS:
        total = 2 * width * width + 3 * width
        for i in range(rounds):
            share = np.exp(0 - ((i + 1) * (0 - np.log(keep / total)) / rounds))
            found = force.kept_after(i + 1, rounds, np.full(9, keep), total)
            assert found.tolist() == [int(total * share)] * 9


def test_counts_are_one_less_and_in_54_cells_two():
    """In 54 where NumPy has exp and log for AVX-512; in 50 where it takes libm's."""

    def kept(keep, total):
        return force.kept_after(10, 10, keep, total) - 1

    assert surplus(kept) in ({-1: 180, -2: 54}, {-1: 184, -2: 50})


def test_zp24_removes_all_that_scores_nothing(name):
    """Measured with the published code at width 3: from one too few to none left."""
    found = chosen(act(table(name, 12, keep=20, fidelity="zp24"))).sum(axis=1) - 20
    assert found.max() <= -1
    assert found.min() < -2


def test_options_are_the_same_and_the_names_tell_the_rest():
    assert METHODS["force"].options is METHODS["iter_snip"].options
    assert METHODS["force"].build(selection="rank", rounds=2).returns
    assert not METHODS["iter_snip"].build(selection="rank", rounds=2).returns
