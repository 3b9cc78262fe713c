"""Connectivity, likeness and regimes, against definitions written out."""

import numpy as np
import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.model import masks, mlp
from spiral.report.figures import style
from spiral.report.studies.regimes import figure, measure, regime_map, text
from spiral.report.studies.regimes.measure import Retrained, Thresholds
from spiral.report.text.document import as_json, render
from spiral.results import columns
from spiral.search import best_known
from spiral.search.network import unpacked
from spiral.sweep import launch
from spiral.sweep.grid import grid
from spiral.tasks import catalogue, cubist
from tests import oracles
from tests.report import METHODS

CUBIST = catalogue.load("cubist")

WIDTH = 4
ON = measure.points(catalogue.load("cubist"), 50)


def network(n, scale=3.0):
    return scale * mlp.initial_params(n, WIDTH).astype(np.float64)


def retrained(params, mask=None):
    full = np.ones(len(params), bool) if mask is None else mask
    return Retrained(np.where(full, params, 0), full, WIDTH)


def by_hand(one, other):
    """Return connectivity in a loop over the line, on single points."""
    data = cubist.load()
    x, y = data.x[::50].astype(np.float64), data.y[::50]
    errors = []
    for k in range(11):
        z = oracles.logits((1 - k / 10) * one + k / 10 * other, x, WIDTH)
        errors.append(1 - oracles.correct(z, y) / len(y))
    middle = (errors[0] + errors[10]) / 2
    furthest = max(range(11), key=lambda k: abs(middle - errors[k]))
    return middle - errors[furthest]


def cka_by_features(a, b):
    """Return ‖AᵀB‖² / (‖AᵀA‖ ‖BᵀB‖) of centred features [D, 2]: both probabilities."""
    a, b = (np.stack([p, 1 - p], axis=1) for p in (a, b))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return ((a.T @ b) ** 2).sum() / np.sqrt(
        ((a.T @ a) ** 2).sum() * ((b.T @ b) ** 2).sum()
    )


def cka_by_gram(a, b):
    """Return HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) of the Gram matrices."""
    a, b = (np.stack([p, 1 - p], axis=1) for p in (a, b))
    centre = np.eye(len(a)) - 1 / len(a)
    k, m = (centre @ f @ f.T @ centre for f in (a, b))
    return (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("n", range(4))
def test_connectivity_is_that_of_the_line_point_by_point(n):
    one, other = network(n), network(n + 10)
    (pair,) = measure.pairs([retrained(one), retrained(other)], ON)
    assert pair.lmc == pytest.approx(by_hand(one, other), abs=1e-12)


def test_a_network_is_connected_with_itself_and_alike():
    same = retrained(network(1))
    (pair,) = measure.pairs([same, same], ON)
    assert pair.lmc == 0
    assert pair.cka == pytest.approx(1, abs=1e-12)


def test_connectivity_has_no_direction():
    both = [retrained(network(2)), retrained(network(3))]
    (there,), (back,) = measure.pairs(both, ON), measure.pairs(both[::-1], ON)
    assert there.lmc == pytest.approx(back.lmc, abs=1e-12)
    assert there.cka == pytest.approx(back.cka, abs=1e-12)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([0.1, 0.1, 0.1], 0),
        ([0.1, 0.5, 0.1], -0.4),
        ([0.2, 0.1, 0.2], 0.1),
        ([0.0, 0.3, 0.2], -0.2),
        ([0.0, 0.1, 0.2], 0.1),  # the ends are as far from their mean: the first counts
    ],
)
def test_a_barrier_is_negative(errors, expected):
    assert measure.connectivity(np.array(errors)) == pytest.approx(expected, abs=1e-12)


def test_renamed_units_are_alike_and_not_connected():
    """A good network and itself, the units of layer 2 in reverse."""
    best = best_known.load().sort_values("accuracy").iloc[-1]
    _, params, width = unpacked(best["matrices"], np.asarray(best["params"]))
    other = params.copy()
    parts, moved = mlp.matrices(params, width), mlp.matrices(other, width)
    moved[1][0][:], moved[1][1][:] = parts[1][0][::-1], parts[1][1][::-1]
    moved[2][0][:] = parts[2][0][:, ::-1]
    full = np.ones(len(params), bool)
    (pair,) = measure.pairs([Retrained(p, full, width) for p in (params, other)], ON)
    assert pair.cka == pytest.approx(1, abs=1e-10)
    assert pair.lmc < -0.1


@pytest.mark.parametrize("n", range(5))
def test_the_border_is_that_of_the_best_two_clusters(n):
    """Against every way to put the values into two clusters."""
    values = np.random.default_rng(n).random(8) ** 2
    sides = [np.array([*map(int, f"{k:08b}")], bool) for k in range(1, 128)]
    spread = [values[s].var() * s.sum() + values[~s].var() * (~s).sum() for s in sides]
    best = sides[int(np.argmin(spread))]
    expected = (values[best].mean() + values[~best].mean()) / 2
    with_gap = np.append(values, np.nan)
    assert measure.border(with_gap) == pytest.approx(expected, rel=1e-12)


def test_without_two_likenesses_there_is_no_border():
    with pytest.raises(ConfigError, match=r"two different values .* got \[0\.5\]"):
        measure.border(np.array([0.5, np.nan, 0.5]))


@pytest.mark.parametrize("n", range(5))
def test_likeness_agrees_with_two_other_formulas(n):
    x = np.random.default_rng(n).standard_normal((300, 2))
    one, other = (oracles.logits(network(k), x, WIDTH) for k in (n, n + 7))
    found = measure.linear_cka(one, other)
    a, b = sigmoid(one), sigmoid(other)
    assert found == pytest.approx(cka_by_features(a, b), abs=1e-10)
    assert found == pytest.approx(cka_by_gram(a, b), abs=1e-10)
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1] ** 2, abs=1e-10)


def test_an_inverted_output_is_alike():
    z = oracles.logits(network(1), ON.x.T, WIDTH)
    assert measure.linear_cka(z, -z) == pytest.approx(1, abs=1e-12)


def test_a_constant_output_has_no_likeness():
    z = oracles.logits(network(1), ON.x.T, WIDTH)
    assert np.isnan(measure.linear_cka(z, np.full(len(z), 0.3)))
    assert np.isnan(measure.linear_cka(np.zeros(len(z)), np.zeros(len(z))))


def test_dead_units_change_nothing():
    kept = np.random.default_rng(3).random((1, mlp.weight_count(16))) < 0.02
    mask = masks.with_biases(kept, 16)[0]
    ends = [
        Retrained(np.where(mask, 5 * mlp.initial_params(n, 16), 0), mask, 16)
        for n in (1, 2)
    ]
    (pair,) = measure.pairs(ends, ON)
    z = [mlp.logits(n.params.astype(np.float64), ON.x, 16) for n in ends]
    found = measure.linear_cka(*z)
    assert (np.isnan(found) and np.isnan(pair.cka)) or pair.cka == pytest.approx(found)


def test_the_loss_of_logistic_models_has_no_barrier():
    """By convexity: the mean of the ends is above the line at t = 1/2."""
    data, random = cubist.load(), np.random.default_rng(0)
    sign = 2.0 * data.y[::50] - 1
    x = data.x[::50].astype(np.float64)

    def loss(w):
        return np.logaddexp(0, -sign * (x @ w[:2] + w[2])).mean()

    for _ in range(20):
        one, other = random.standard_normal((2, 3))
        line = [loss((1 - t) * one + t * other) for t in np.linspace(0, 1, 11)]
        inner = np.array([line[0], line[5], line[10]])
        assert (inner[0] + inner[2]) / 2 - inner[1] >= 0


@pytest.mark.parametrize(
    ("lmc", "cka", "expected"),
    [
        (-0.03, 0.99, "I"),
        (-0.02, 0.95, "II-B"),
        (0.0, 0.89, "II-A"),
        (0.01, 0.9, "II-B"),
        (-0.5, np.nan, "collapsed"),
    ],
)
def test_thresholds_tell_regimes_apart(lmc, cka, expected):
    assert measure.regime(lmc, cka, Thresholds()) == expected


def test_thresholds_may_be_others():
    assert measure.regime(-0.03, 0.5, Thresholds(-0.1, 0.4)) == "II-B"


GRID = """
defaults: {method: one_shot, width: 8, epochs: 2, seed: [0, 1], branch: [0, 1, 2]}
blocks:
  checkpoints: {checkpoint: [1, 2], keep: [20, 60]}
  rates: {dense_lr: [0.05, 0.2], keep: 60}
  alone: {keep: 70, branch: 0, checkpoint: 1}
"""


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    out = tmp_path_factory.mktemp("regimes") / "out"
    settings = launch.Settings("local")
    prepared = launch.prepare(grid.loads(GRID), out, settings)
    launch.run(prepared, settings, lambda outcome: None)
    assert not prepared.failed
    return out


@pytest.fixture(scope="module")
def found(launched):
    question = regime_map.Question(temperature="checkpoint", every=10)
    return regime_map.draw_map([launched], METHODS.options, question)


def test_a_cell_is_the_mean_of_its_dense_networks(launched, found):
    assert (found.temperature, found.width) == ("checkpoint", 8)
    table = pd.read_parquet(launched, dtype_backend="numpy_nullable")
    on = measure.points(catalogue.load("cubist"), 10)
    for cell in found.cells.to_dict("records"):
        lmc, cka, errors = [], [], []
        for seed in (0, 1):
            of_seed = (table["seed"] == seed) & table["dense_lr"].isna()
            of_cell = (table["checkpoint"] == cell["checkpoint"]) & of_seed
            part = table[of_cell & (table["keep"] == cell["keep"])]
            assert len(part) == 3
            networks = []
            for row in part.to_dict("records"):
                mask, params = columns.params_of(row)
                networks.append(Retrained(params, mask, 8))
            measured = measure.pairs(networks, on)
            assert len(measured) == 3
            told = [pair for pair in measured if not np.isnan(pair.cka)]
            lmc += [np.mean([pair.lmc for pair in told])] if told else []
            cka += [np.mean([pair.cka for pair in told])] if told else []
            errors += [1 - a for a in part["accuracy"]]
        assert cell["n"] == 2
        assert cell["collapsed"] == 2 - len(lmc)
        assert cell["error"] == pytest.approx(np.mean(errors), abs=1e-12)
        if lmc:
            assert cell["lmc"] == pytest.approx(np.mean(lmc), abs=1e-12)
            assert cell["cka"] == pytest.approx(np.mean(cka), abs=1e-12)
    assert sorted(zip(found.cells["checkpoint"], found.cells["keep"], strict=True)) == [
        (1, 20), (1, 60), (2, 20), (2, 60)
    ]  # fmt: skip


def test_cold_comes_first_and_distances_are_to_the_best_known(found):
    assert found.cells["checkpoint"].tolist() == [2, 2, 1, 1]
    best = best_known.best(best_known.within(best_known.load(), found.width))
    for cell in found.cells.to_dict("records"):
        level = best[best.index <= cell["keep"]].iloc[-1]
        expected = level - (1 - cell["error"])
        assert cell["accuracy_gap"] == pytest.approx(expected, abs=1e-12)
    least = found.cells.groupby("keep")["over"].min()
    assert least.tolist() == [0, 0]


def test_regimes_are_counted(found):
    assert found.regimes["cells"].sum() == 4
    assert set(found.regimes["regime"]) == set(found.cells["regime"])


def test_another_temperature_is_another_map(launched):
    found = regime_map.draw_map(
        [launched], METHODS.options, regime_map.Question(every=50)
    )
    assert found.temperature == "dense_lr"  # three values against two
    assert found.cells["dense_lr"].tolist() == [0.05, 0.1, 0.1, 0.2]
    assert found.cells["keep"].tolist() == [60, 20, 60, 60]


def test_a_map_says_what_is_ours_and_draws(found, tmp_path):
    document = as_json(text.document(found))
    assert "regime I: lmc below -0.02" in render(text.document(found))
    assert "thresholds" in found.notes[0]
    assert len(document["cells"]) == 4
    assert document["temperature"] == "checkpoint"
    for n in (1, 2):
        style.save(figure.draw(found), tmp_path / f"{n}.svg")
    first, second = ((tmp_path / f"{n}.svg").read_bytes() for n in (1, 2))
    assert first == second
    assert len(first) > 10_000


def test_the_data_may_say_what_is_alike(launched):
    question = regime_map.Question("checkpoint", every=50, split=True)
    split = regime_map.draw_map([launched], METHODS.options, question)
    at = measure.border(split.cells["cka"].to_numpy(float))
    assert any(
        f"cka below {at:.3g}" in n and "follows from the data" in n for n in split.notes
    )
    for cell in split.cells.to_dict("records"):
        limits = Thresholds(alike=at)
        assert cell["regime"] in (
            "collapsed",
            measure.regime(cell["lmc"], cell["cka"], limits),
        )


def test_other_thresholds_change_some_cells_and_the_same_none(found):
    told = found.cells[found.cells["regime"] != "collapsed"]
    assert regime_map.changed(found, Thresholds()) == 0
    apart = regime_map.changed(found, Thresholds(barrier=np.inf))
    assert apart == (told["regime"] != "I").sum()


def test_every_regime_has_a_colour():
    assert set(figure.COLOURS) == set(measure.REGIMES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": "heat"}, "temperature among checkpoint, .* got 'heat'"),
        ({"width": 5}, "rows of method one_shot of width 5, got none"),
    ],
)
def test_mistakes_are_named(launched, options, message):
    with pytest.raises(ConfigError, match=message):
        regime_map.draw_map([launched], METHODS.options, regime_map.Question(**options))


def test_one_retraining_says_nothing(tmp_path):
    line = "{method: one_shot, width: 3, epochs: 1, keep: 9}"
    settings = launch.Settings("local")
    prepared = launch.prepare(grid.loads(line), tmp_path / "out", settings)
    launch.run(prepared, settings, lambda outcome: None)
    with pytest.raises(ConfigError, match="give `branch` several"):
        regime_map.draw_map([tmp_path / "out"], METHODS.options)


def test_a_network_that_two_configs_describe_is_not_paired_with_itself(tmp_path):
    grid_text = """
name: twice
defaults: {method: one_shot, width: 3, epochs: 2, keep: 20, seed: 0, branch: 0..1}
blocks:
  first: {checkpoint: [1, 2]}
  again: {dense_lr: 0.1}
"""
    settings = launch.Settings("local")
    prepared = launch.prepare(grid.loads(grid_text), tmp_path / "out", settings)
    launch.run(prepared, settings, lambda outcome: None)
    question = regime_map.Question(temperature="checkpoint", every=50)
    both = regime_map.draw_map([tmp_path / "out"], METHODS.options, question)
    rows = pd.read_parquet(tmp_path / "out", dtype_backend="numpy_nullable")
    assert len(rows) == 6
    first = rows[rows["checkpoint"] == 2]
    networks = [
        Retrained(*columns.params_of(row)[::-1], 3) for row in first.to_dict("records")
    ]
    (pair,) = measure.pairs(networks, measure.points(catalogue.load("cubist"), 50))
    cold = both.cells.iloc[0]
    assert cold["cka"] == pytest.approx(pair.cka, nan_ok=True)
