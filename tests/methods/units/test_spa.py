"""``spa`` keeps the hidden units with the highest scores, of whatever kind."""

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.methods.units import structured
from spiral.model import mlp
from tests import oracles
from tests.methods import Still, act, decide, first_view, plan_at, table
from tests.methods.parts.test_hidden_units import GOLDEN, greedy

METHOD = METHODS["spa"]
DEFAULTS = {"scope": "global", "remainder": "units", "batches": 2}


def method(**options):
    known = {"criterion": "l1", "aggregate": "sum", "normalise": "none"}
    return METHOD.build(
        **DEFAULTS | known | {"biases": "score", "at_epoch": 0} | options
    )


def scores_of(params, **options):
    view = first_view(table("spa", 1, width=5), params.astype(np.float32)[None])
    return method(**options)._scores(view)[0]


def wild(seed):
    """Return parameters of width 5 that are no draw of an initialisation."""
    return np.random.default_rng(seed).standard_normal(mlp.param_count(5))


def batches(view):
    (x, y), (more, labels) = view.batch(0), view.batch(1)
    return np.concatenate([x[0], more[0]]), np.concatenate([y[0], labels[0]])


def ridge(params, x, width):
    """Return what each parameter is worth to its layer: the least error without it."""
    first, *zs = oracles.activations(params, x, width)
    found = []
    seen = [first, *(np.maximum(z, 0) for z in zs[:-1])]
    seen = [np.concatenate([h, np.ones((len(h), 1))], axis=1) for h in seen]
    for h, (matrix, bias) in zip(seen, oracles.split(params, width), strict=True):
        shift = 0.01 * (h**2).mean(axis=0).mean()
        weights = np.concatenate([matrix, bias[:, None]], axis=1)
        each = np.empty(weights.shape)
        for unit, place in np.ndindex(weights.shape):
            others = [i for i in range(h.shape[1]) if i != place]
            # minimise mean((h·d)²) + λ‖d‖² where d must cancel one weight
            rows = np.concatenate([h / len(h) ** 0.5, shift**0.5 * np.eye(h.shape[1])])
            target = rows[:, place] * weights[unit, place]
            left = np.linalg.lstsq(rows[:, others], target, rcond=None)[0]
            each[unit, place] = ((target - rows[:, others] @ left) ** 2).sum()
        found += [each[:, :-1].ravel(), each[:, -1]]
    return np.concatenate(found)


def expected_values(criterion, view):
    params = view.params[0].astype(float)
    x, y = batches(view)

    def slope(p):
        return oracles.gradient(p, x, y, 5)

    match criterion:
        case "l1":
            return np.abs(params)
        case "l2":
            return params**2
        case "snip":
            return np.abs(params * slope(params))
        case "taylor":
            return params * slope(params)
        case "grasp":
            return params * oracles.hessian_times(params, slope(params), slope)
        case "obs":
            return ridge(params, x, 5)


@pytest.mark.parametrize("criterion", structured.CRITERIA)
@pytest.mark.parametrize("seed", range(2))
def test_every_score_of_a_parameter_equals_its_definition(criterion, seed):
    view = first_view(table("spa", 1, width=5), wild(seed).astype(np.float32)[None])
    found = structured.CRITERIA[criterion](view, 2)[0]
    expected = expected_values(criterion, view)
    tolerance = 1e-4 if criterion == "grasp" else 1e-8  # differences of gradients
    assert np.allclose(found, expected, rtol=tolerance, atol=tolerance * 0.1)


@pytest.mark.parametrize("criterion", structured.CRITERIA)
def test_units_go_by_the_sum_of_their_scores_over_the_mean_of_the_layer(criterion):
    keeps = [5, 12, 25, 40, 60]
    configs = table(
        "spa", 5, width=5, seed=0, at_epoch=0, keep=keeps, criterion=criterion,
        batches=2,
    )  # fmt: skip
    params = np.tile(wild(1).astype(np.float32), (5, 1))
    change = act(configs, params)
    view = first_view(configs.iloc[:1], params[:1])
    values = expected_values(criterion, view)
    sums = np.array(
        [[values[line].sum() for line in p] for p in hidden_units.members(5)]
    )
    sums = np.abs(sums) if criterion == "taylor" else sums
    sums /= np.abs(sums).mean(axis=1, keepdims=True)
    every = np.ones((3, 5), bool)
    stay = np.stack([greedy(sums, keep, every, "units") for keep in keeps])
    expected = hidden_units.mask_of(stay, params, np.array(keeps))
    assert np.array_equal(change.masks, expected)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("magnitude", {"criterion": "l2", "biases": "ignore", "normalise": "mean"}),
        ("magnitude_with_biases", {"criterion": "l2", "normalise": "mean"}),
        ("l1_first", {"aggregate": "first", "biases": "ignore"}),
    ],
)
def test_torch_pruning_has_the_same_scores(theirs, ours):
    found = scores_of(np.array(GOLDEN["params"]), **ours)
    assert np.allclose(found, GOLDEN["scores"][theirs], rtol=1e-5)  # theirs: float32


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("taylor", {"criterion": "snip", "biases": "ignore", "normalise": "mean"}),
        (
            "taylor_multivariable",
            {"criterion": "taylor", "aggregate": "first", "biases": "ignore"},
        ),
    ],
)
def test_torch_pruning_has_the_same_gradient_scores(theirs, ours, monkeypatch):
    batch = np.array(GOLDEN["points"])[None], np.array(GOLDEN["labels"])[None]
    monkeypatch.setattr(structured, "next_batches", lambda view, count: batch)
    found = scores_of(np.array(GOLDEN["params"]), **ours)
    expected = np.array(GOLDEN["scores"][theirs])
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-9)  # theirs: float32


def test_a_layers_sum_and_mean_are_the_same_once_normalised():
    sums, means = (
        scores_of(wild(3), aggregate=how, normalise="mean") for how in ("sum", "mean")
    )
    assert np.allclose(sums, means, rtol=1e-12)


@pytest.mark.parametrize("criterion", structured.CRITERIA)
def test_scores_follow_units_wherever_they_stand(criterion):
    params, order = wild(4), np.array([3, 0, 4, 1, 2])
    moved = params.copy()
    stack = mlp.matrices(moved, 5)
    (w2, b2), (w3, _) = stack[1], stack[2]
    w2[:], b2[:], w3[:] = w2[order].copy(), b2[order].copy(), w3[:, order].copy()
    before, after = (scores_of(p, criterion=criterion) for p in (params, moved))
    assert np.allclose(after[1], before[1][order], rtol=1e-5)
    assert np.allclose(after[[0, 2]], before[[0, 2]], rtol=1e-5)


@pytest.mark.parametrize("criterion", structured.CRITERIA)
def test_only_scores_of_the_loss_do_not_change_with_the_scale_of_a_unit(criterion):
    """(W_l[j]·c, b·c, W_{l+1}[:, j]/c) computes the same; 4 keeps float32 exact."""
    params = wild(5)
    scaled = params.copy()
    (w1, b1), (w2, _), *_ = mlp.matrices(scaled, 5)
    w1[2] *= 4
    b1[2] *= 4
    w2[:, 2] /= 4
    before, after = (scores_of(p, criterion=criterion) for p in (params, scaled))
    same = np.allclose(after, before, rtol=1e-6)
    assert same == (criterion in ("snip", "taylor"))


@pytest.mark.parametrize(("at_epoch", "event"), [(0, 0), (None, 9750), (50, 19_500)])
def test_it_prunes_at_any_time(at_epoch, event):
    options = DEFAULTS | {"criterion": "l1", "aggregate": "sum"}
    plan = plan_at(
        50, "spa", at_epoch=at_epoch, normalise="mean", biases="score", **options
    )
    assert plan.events == (event,)


def test_layers_may_shrink_alike():
    keeps = [20, 60, 120, 300]
    state = decide(table("spa", 4, width=16, keep=keeps, scope="layer"), Still())
    for mask in state.masks:
        parts = [biases.sum() for _, biases in mlp.matrices(mask, 16)[:3]]
        assert max(parts) - min(parts) <= 1
        assert parts == sorted(parts, reverse=True)


def test_an_epoch_after_the_end_is_a_mistake():
    (mistake,) = METHOD.check(table("spa", at_epoch=3))
    assert mistake.field == "at_epoch"


def test_scores_without_data_cost_no_gradient():
    kinds = ["l1", "snip", "grasp"]
    assert METHOD.gradients(table("spa", criterion=kinds)).tolist() == [0, 8, 32]
