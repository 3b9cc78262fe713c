"""Learning rates of retraining: tables, limits, and the authors' schedulers."""

import json

import numpy as np
import pytest

from spiral.methods.parts import retraining_rates
from spiral.model import masks, schedules
from tests import GOLDEN_FILES, oracles
from tests.methods import first_view, table, view_of
from tests.tolerances import tolerance

PUBLISHED = json.loads((GOLDEN_FILES / "acdc_bimp.json").read_text())
PUBLISHED = PUBLISHED["retraining"]
KINDS = ["ft", "lrw", "slr", "clr", "llr", "allr"]
DENSE = schedules.curves(50, 390)


def by_hand(kind, dense, n):
    """Return the table of the paper, one step after the other."""
    low, high, length = min(dense), max(dense), len(dense)
    warm = 0 if kind in ("ft", "lrw") else n // 10
    left = n - warm
    found = [high * (1 - np.cos(np.pi * j / warm)) / 2 for j in range(warm)]
    for j in range(left):
        found.append(
            {
                "ft": low,
                "lrw": dense[length - left + j],
                "slr": dense[int(j * length / left)],
                "clr": low + (high - low) * (1 + np.cos(np.pi * j / left)) / 2,
                "llr": high * (left - j) / left,
                "allr": high * (left - j) / left,
            }[kind]
        )
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("schedule", DENSE)
@pytest.mark.parametrize("steps", [1950, 3900, 19_500])
def test_the_six_curves(kind, schedule, steps):
    found = retraining_rates.curve(kind, DENSE[schedule], steps)
    expected = by_hand(kind, DENSE[schedule].tolist(), steps)
    assert len(found) == steps
    assert np.abs(found - expected).max() <= tolerance("float64")


@pytest.mark.parametrize("kind", KINDS)
def test_curves_are_the_authors_one_step_after_the_warmup_later(kind):
    """Their schedulers apply the first factor after the warm-up twice."""
    steps, every = PUBLISHED["steps"], PUBLISHED["every"]
    curve = retraining_rates.curve(kind, DENSE["cosine"], steps)
    if kind == "allr":
        curve = 0.3 * curve  # the factor of the network
    warm = 0 if kind in ("ft", "lrw") else steps // 10
    place = np.arange(0, steps, every)
    lag = place > warm if warm else np.zeros(len(place), bool)
    found = curve[place - lag]
    limit = 2e-6 if kind == "clr" else 1e-12  # torch's cosine takes the lag along
    assert np.abs(found - PUBLISHED["curves"][kind]).max() <= limit


def test_ends():
    dense = DENSE["cosine"]
    curves = {kind: retraining_rates.curve(kind, dense, 3900) for kind in KINDS}
    assert curves["ft"][0] == pytest.approx(1e-3, rel=0.02)
    assert curves["lrw"][0] == pytest.approx(0.095, rel=0.01)
    assert curves["clr"][-1] == pytest.approx(dense.min(), abs=1e-6)
    assert curves["llr"][-1] == pytest.approx(1 / 3510)
    assert all(curves[kind][0] == 0 for kind in ("slr", "clr", "llr", "allr"))
    assert all(curves[kind][390] == 1 for kind in ("slr", "clr", "llr", "allr"))


def test_replaying_the_whole_training_is_the_training():
    for curve in DENSE.values():
        assert np.array_equal(retraining_rates.curve("lrw", curve, len(curve)), curve)


def test_at_a_constant_rate_fine_tuning_is_rewinding():
    ft, lrw = (retraining_rates.curve(k, DENSE["constant"], 390) for k in ("ft", "lrw"))
    assert np.array_equal(ft, lrw)


@pytest.mark.parametrize("steps", [1, 2, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_short_retrainings_have_no_warmup(kind, steps):
    found = retraining_rates.curve(kind, DENSE["step"], steps)
    assert found == pytest.approx(by_hand(kind, DENSE["step"].tolist(), steps))
    assert found[0] > 0


def pruned(params, before, kept):
    """Return the view just before a pruning; the masks are of weights."""
    configs = table("imp", len(params))
    full = masks.with_biases(before, 3)
    return view_of(configs, np.where(full, params, np.float32(0)), full)


def some_networks():
    random = np.random.default_rng(0)
    params = random.standard_normal((4, 37)).astype(np.float32)
    before = np.ones((4, 27), bool)
    before[1:, ::3] = False
    return params, before


def test_the_measured_factor_is_that_of_the_definition():
    params, before = some_networks()
    size = np.where(before, np.abs(params[:, oracles.is_weight(3)]), -1)
    kept = masks.keep_top(size, np.array([20, 11, 5, 1]))
    view = pruned(params, before, kept)
    for share in (0.1, 0.25, 0.5):
        found = retraining_rates.adaptive(view, kept, share)
        for n in range(4):
            every = sum(float(p) ** 2 for p in view.params[n])
            weights = view.params[n][oracles.is_weight(3)]
            gone = [
                float(w) ** 2 for w, k in zip(weights, kept[n], strict=True) if not k
            ]
            q = (before[n].sum() - kept[n].sum()) / before[n].sum()
            first = np.sqrt(sum(gone) / every / q)
            assert 0 < first < 1
            assert found[n] == pytest.approx(max(first, share), rel=1e-12)


def test_equal_weights_and_no_others_are_worth_the_whole_rate():
    params = np.where(oracles.is_weight(3), np.float32(-0.5), np.float32(0))[None]
    configs = table("imp", 1)
    kept = np.arange(27)[None] < 10
    factor = retraining_rates.adaptive(first_view(configs, params), kept, 0.1)
    assert factor == pytest.approx([1.0])


def test_nothing_dropped_is_worth_the_length_alone():
    params, before = some_networks()
    view = pruned(params, before, before)
    with np.errstate(invalid="ignore"):
        assert retraining_rates.adaptive(view, before, 0.2).tolist() == [0.2] * 4


def test_a_retraining_as_long_as_the_dense_one_is_linear():
    params, before = some_networks()
    kept = before & (np.arange(27) % 2 == 0)
    view = pruned(params, before, kept)
    assert retraining_rates.adaptive(view, kept, 1.0).tolist() == [1.0] * 4
    curves = [
        retraining_rates.curve(kind, DENSE["cosine"], 780) for kind in ("llr", "allr")
    ]
    assert np.array_equal(*curves)
