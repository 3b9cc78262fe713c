"""``perp``: what trains after pruning, what is merged, layers that are fitted."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.errors import ConfigError
from spiral.methods.parts import reconstruction
from spiral.methods.parts.reconstruction import Fit
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp, seeds
from spiral.model.schedules import ramp
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import AdamW, Sgd
from spiral.sweep.grid import grid
from tests import oracles
from tests.methods import decide, kept_weights, plan_at, table

DEFAULTS = {
    "subset": "biases",
    "adapter": "mask_lora",
    "rank": 1,
    "adapter_scale": 2.0,
    "by": "task",
    "optimiser": "adamw",
    "retrain_epochs": 5,
}
POINTS = np.random.default_rng(0).standard_normal((200, 2))
KINDS = ["lora", "lora_prune", "mask_lora", "scale_lora"]


@dataclass
class Noting:
    """An engine that knows adapters; it notes what it was given and what it made."""

    engine: Any = field(default_factory=lambda: engines.build("vmap"))
    trained: list = field(default_factory=list)

    def advance(self, job, state, stop):
        after = self.engine.advance(job, state, stop)
        if stop > state.step:
            self.trained.append((job, state, after))
        return after


def tune(n=1, **values):
    """Return the final state, and what both trainings began and ended with."""
    engine = Noting()
    values = {"batch": 2000, **values}  # 24 steps an epoch are enough to see
    return decide(table("perp", n, **values), engine), engine.trained


def test_of_fifty_epochs_five_retrain():
    plan = plan_at(50, "perp", **DEFAULTS)
    assert plan.events == (45 * 390, 50 * 390)
    assert plan.steps == 19_500
    assert plan.optimiser == AdamW(45 * 390)
    assert plan.weight_map == LowRank("mask_lora", 1, 2.0, (0, 1, 2, 3))
    assert plan.exact
    for name, curve in plan.curves.items():
        assert np.array_equal(curve[45 * 390 :], ramp(1950, 195)), name
    assert table("perp", 1, epochs=50)["retrain_epochs"].tolist() == [5]


def test_plain_sgd_of_a_subset_needs_no_special_engine():
    options = {**DEFAULTS, "adapter": "none", "optimiser": "sgd"}
    plan = plan_at(50, "perp", **options)
    assert (plan.optimiser, plan.weight_map) == (Sgd(), None)
    _, trained = tune(adapter="none", optimiser="sgd")
    assert trained[-1][2].adapters is None


@pytest.mark.parametrize(
    ("subset", "layers"),
    [("none", (0, 1, 2, 3)), ("biases", (0, 1, 2, 3)), ("biases_head", (0, 1, 2))],
)
def test_layers_that_train_themselves_have_no_adapter(subset, layers):
    plan = plan_at(50, "perp", **{**DEFAULTS, "subset": subset})
    assert plan.weight_map.layers == layers


def trainable(subset, width=3):
    """Return by hand which parameters train."""
    found = np.zeros(mlp.param_count(width), bool)
    for number, layer in enumerate(mlp.layers(width)):
        head = number == 3
        found[layer.weights] = subset == "all" or (head and "head" in subset)
        found[layer.biases] = found[layer.weights][0] or "biases" in subset
    return found


@pytest.mark.parametrize("subset", ["none", "biases", "head", "biases_head", "all"])
def test_only_the_subset_moves(subset):
    adapter = "none" if subset == "all" else "mask_lora"
    _, trained = tune(2, subset=subset, adapter=adapter, keep=[8, 14])
    _, before, after = trained[1]
    for n in range(2):
        expected = trainable(subset) & before.masks[n]
        assert np.array_equal(before.moving[n], expected)
        changed = after.params[n] != before.params[n]
        assert not (changed & ~expected).any()
        assert changed.any() == expected.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_retraining_begins_where_pruning_left_off(kind, optimiser):
    how = {"adapter": kind, "rank": 2, "optimiser": optimiser, "retrain_lr": 0.02}
    _, ((_, _, dense), (job, state, _)) = tune(2, **how)
    size = np.abs(dense.params[:, mlp.is_weight(3)])
    expected = np.argsort(-size, axis=1, kind="stable")[:, :11]
    for n in range(2):
        assert set(np.flatnonzero(kept_weights(state)[n])) == set(expected[n])
    running = adapters.effective(
        state.params, state.masks, state.adapters, job.plan.weight_map, np.concatenate
    )
    assert np.abs(running - np.where(state.masks, dense.params, 0)).max() < 5e-7
    assert job.rates(state, 24, 48).max() == pytest.approx(0.02)
    assert not job.weight_decay.any()
    assert not state.momentum.any()


@pytest.mark.parametrize("kind", ["mask_lora", "scale_lora", "lora_prune"])
def test_merging_keeps_the_mask_and_what_the_network_says(kind):
    how = {"adapter": kind, "rank": 2, "width": 8, "keep": [40, 60, 90]}
    found, (_, (job, before, after)) = tune(3, **how)
    assert np.array_equal(found.masks, before.masks)
    assert kept_weights(found, 8).sum(axis=1).tolist() == [40, 60, 90]
    assert not found.params[~found.masks].any()
    running = adapters.effective(
        after.params, after.masks, after.adapters, job.plan.weight_map, np.concatenate
    )
    assert (after.adapters != before.adapters).any(axis=1).all()
    for n in range(3):
        z, merged = (oracles.logits(p[n], POINTS, 8) for p in (running, found.params))
        if kind == "lora_prune":
            kept_only = np.where(found.masks[n], running[n], 0)
            assert np.array_equal(found.params[n], kept_only)
        else:
            assert np.abs(z - merged).max() <= 1e-6 * max(1, np.abs(z).max())


def test_lora_ends_with_the_dense_network_it_trains():
    found, (_, (job, _, after)) = tune(2, adapter="lora", width=8, keep=60)
    assert (kept_weights(found, 8).sum(axis=1) > 60).all()
    assert not plan_at(50, "perp", **{**DEFAULTS, "adapter": "lora"}).exact
    running = adapters.effective(
        after.params, after.masks, after.adapters, job.plan.weight_map, np.concatenate
    )
    assert np.array_equal(found.params, np.where(found.masks, running, 0))


def test_rows_count_what_was_trained():
    one, two = 5 + 6 + 6 + 4, 2 * (5 + 6 + 6) + 4
    for adapter, rank, numbers in (
        ("none", 1, 0),
        ("mask_lora", 1, one),
        ("mask_lora", 2, two),
    ):
        how = {"adapter": adapter, "rank": rank, "keep": 11, "batch": 2000}
        (row,) = experiment.run(table("perp", 1, **how)).to_pylist()
        assert row["trained_params"] == row["nnz_params"] - 11 + numbers
        assert (row["engine_used"], row["nnz"], row["status"]) == ("vmap", 11, "ok")
    (row,) = experiment.run(table("random", 1, batch=2000)).to_pylist()
    assert row["trained_params"] == row["nnz_params"]


def test_pruning_by_layers_takes_even_shares():
    found, _ = tune(1, scope="layer", width=8, keep=76, adapter="none")
    kept = kept_weights(found, 8)[0]
    counts = [kept[layer.columns].sum() for layer in mlp.layers(8)]
    assert counts == [8, 32, 32, 4]


# ---- layers fitted to their output


def layer_of(n, inputs=6, outputs=5, points=40):
    random = np.random.default_rng(n)
    weights = random.standard_normal((outputs, inputs))
    kept = random.random((outputs, inputs)) < 0.5
    seen = np.maximum(random.standard_normal((inputs, points)), 0)
    biases = random.standard_normal(outputs)
    target = weights @ seen + biases[:, None]
    trains = np.ones(outputs, bool)
    layer = reconstruction.Layer(weights * kept, kept, biases, trains)
    return layer, seen, target


def error(found, seen, target):
    weights, biases = found
    return ((weights @ seen + biases[:, None] - target) ** 2).mean()


def best_row_by_row(layer, seen, target):
    """Solve the normal equations of each unit's kept inputs and its bias."""
    weights = np.zeros_like(layer.weights)
    biases = np.zeros(len(weights))
    for unit, mask in enumerate(layer.kept):
        features = np.vstack([seen[mask], np.ones(seen.shape[1])])
        found = np.linalg.solve(features @ features.T, features @ target[unit])
        weights[unit, mask], biases[unit] = found[:-1], found[-1]
    return weights, biases


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize("how", ["all", "full rank"])
def test_it_reaches_masked_least_squares(n, how):
    layer, seen, target = layer_of(n)
    fit = Fit(how == "all", True, None if how == "all" else "mask_lora", 9)
    found = reconstruction.fit_layer(layer, seen, target, fit, np.random.default_rng(n))
    least = error(best_row_by_row(layer, seen, target), seen, target)
    assert least > 0.01
    assert error(found, seen, target) <= 1.01 * least
    assert not found[0][~layer.kept].any()


@pytest.mark.parametrize("kind", ["mask_lora", "scale_lora"])
def test_a_higher_rank_fits_no_worse(kind):
    for n in range(5):
        layer, seen, target = layer_of(n)
        pruned = error((layer.weights, layer.biases), seen, target)
        least = error(best_row_by_row(layer, seen, target), seen, target)
        before = pruned
        for rank in (1, 2, 6):
            fit = Fit(False, True, kind, rank)
            random = np.random.default_rng(n)
            found = reconstruction.fit_layer(layer, seen, target, fit, random)
            now = error(found, seen, target)
            assert least * 0.999 <= now <= before * 1.02
            before = now
            assert not found[0][~layer.kept].any()
        assert before < 0.95 * pruned


def test_rank_one_beats_any_of_many_random_adapters():
    layer, seen, target = layer_of(0)
    fit = Fit(False, False, "mask_lora", 1)
    found = reconstruction.fit_layer(layer, seen, target, fit, np.random.default_rng(0))
    random, best = np.random.default_rng(1), np.inf
    for _ in range(300):
        change = np.outer(random.standard_normal(5), random.standard_normal(6))
        change *= layer.kept
        step = change @ seen
        rest = target - layer.weights @ seen - layer.biases[:, None]
        far = (step * rest).sum() / (step**2).sum()
        tried = layer.weights + far * change, layer.biases
        best = min(best, error(tried, seen, target))
    assert error(found, seen, target) < best


def test_biases_alone_take_the_mean_of_what_is_missing():
    layer, seen, target = layer_of(3)
    fit = Fit(False, True, None, 1)
    weights, biases = reconstruction.fit_layer(
        layer, seen, target, fit, np.random.default_rng(0)
    )
    assert np.array_equal(weights, layer.weights)
    expected = (target - layer.weights @ seen).mean(axis=1)
    assert np.abs(biases - expected).max() < 1e-12


def test_nothing_free_changes_nothing():
    layer, seen, target = layer_of(3)
    fit = Fit(False, False, None, 1)
    layer = replace(layer, trains=np.zeros(5, bool))
    found = reconstruction.fit_layer(layer, seen, target, fit, np.random.default_rng(0))
    assert np.array_equal(found[0], layer.weights)
    assert np.array_equal(found[1], layer.biases)


def pruned_network(width=6, keep=0.5):
    random = np.random.default_rng(5)
    dense = mlp.initial_params(3, width) * 2
    kept = random.random((1, mlp.weight_count(width))) < keep
    points = random.standard_normal((128, 2))
    return dense, masks.with_biases(kept, width)[0], points


def test_layers_see_what_their_fitted_predecessors_make():
    """By hand: each layer's least squares on the inputs of the layers before it."""
    dense, kept, points = pruned_network()
    fits = (Fit(True, True, None, 1),) * 4
    found = reconstruction.fit(dense, kept, points, fits, np.random.default_rng(0))
    seen = points.T
    for (old, bias), (mask, lives), (new, shift) in zip(
        *(mlp.matrices(p, 6) for p in (dense.astype(float), kept, found)), strict=True
    ):
        target = old @ seen + bias[:, None]
        for unit in range(len(old)):
            features = [seen[i] for i in np.flatnonzero(mask[unit])]
            features += [np.ones(128)] if lives[unit] else []
            if not features:
                continue
            stack = np.stack(features, axis=1)
            best = stack @ np.linalg.lstsq(stack, target[unit], rcond=None)[0]
            if lives[unit]:
                made = new[unit] @ seen + shift[unit]
                assert np.abs(made - best).max() < 1e-4
        seen = np.maximum(new @ seen + shift[:, None], 0).astype(float)
    assert not found[~kept].any()


def test_with_everything_kept_the_network_stays():
    dense, _, points = pruned_network()
    kept = np.ones(len(dense), bool)
    fits = (Fit(False, True, "mask_lora", 2),) * 4
    found = reconstruction.fit(dense, kept, points, fits, np.random.default_rng(0))
    z, expected = (oracles.logits(p, points, 6) for p in (found, dense))
    assert np.abs(z - expected).max() < 1e-4


def test_the_method_fits_after_a_whole_dense_training():
    how = {"by": "layers", "width": 8, "keep": [30, 60], "adapter": "mask_lora"}
    found, ((job, _, dense),) = tune(2, **how)
    assert plan_at(50, "perp", **{**DEFAULTS, "by": "layers"}).events == (19_500,)
    x, _ = job.batch_at(0)
    fits = (Fit(False, True, "mask_lora", 1),) * 4
    for n, keep in enumerate((30, 60)):
        kept = kept_weights(found, 8)[n]
        size = np.abs(dense.params[n, mlp.is_weight(8)])
        assert kept.sum() == keep
        assert size[kept].min() >= size[~kept].max()
        random = seeds.stream("method/adapters", n, 8)
        expected = reconstruction.fit(
            dense.params[n], found.masks[n], x[n], fits, random
        )
        assert np.array_equal(found.params[n], expected)
        assert (found.params[n] != dense.params[n])[found.masks[n]].mean() > 0.5


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"subset": "none", "adapter": "none"}, "subset"),
        ({"subset": "all"}, "subset"),
        ({"adapter": "lora", "by": "layers"}, "adapter"),
        ({"retrain_epochs": 2}, "retrain_epochs"),
    ],
)
def test_what_makes_no_sense_is_said(options, field):
    (mistake,) = METHODS["perp"].check(table("perp", 1, **options))
    assert mistake.field == field


def test_grids_hear_of_it():
    with pytest.raises(ConfigError, match="subset: no parameter trains"):
        grid.loads("{method: perp, keep: 9, subset: none, adapter: none}")


def test_cost_counts_the_dense_part_once():
    pair = table("perp", 2, keep=[10, 11], epochs=50)
    profile = METHODS["perp"].cost_profile(pair, 27, np.full(2, 2.0))
    assert profile.share.tolist() == [[0.45, 0.45], [0.1, 0.1]]
    assert profile.kept.tolist() == [[27, 27], [10, 11]]
