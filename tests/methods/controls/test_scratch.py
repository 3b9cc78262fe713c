"""``scratch`` and ``shuffled``: other methods' masks, trained anew."""

import numpy as np
import pandas as pd
import pytest

from spiral import experiment
from spiral.engines import sparse
from spiral.errors import ConfigError
from spiral.experiment import prepare
from spiral.methods.controls import wrapped
from spiral.methods.registry import METHODS
from spiral.model import mlp
from spiral.protocol import config
from spiral.sweep import cost
from spiral.sweep.grid import grid
from tests import mostly_slow
from tests.methods import EXAMPLES, Drift, decide, kept_weights, table
from tests.methods.retraining.test_sms import Noting

KNOWN = wrapped.Wrappable(METHODS).known()


QUICK = ["random", "magnitude", "snip", "gmp", "lth", "bimp", "sms", "acdc_pp", "rigl"]
QUICK += ["sr_ste", "str", "obs", "l1_unit"]
"""Methods of every kind; the slow tier compares the masks of all."""


@pytest.fixture(params=QUICK)
def of(request):
    return request.param


def longer(of):
    """Return epochs in which a method with its default options has room to act."""
    return {"sms": 10, "acdc_pp": 50, "bimp": 10}.get(of, 2)


def plain(of, n=1, **values):
    """Return configs of a method with its default options."""
    fields = config.fields(METHODS[of].options)
    usual = {name: fields[name].default for name in EXAMPLES.get(of, {})}
    return table(of, n, **usual, **values)


def test_recipes_know_all_methods_that_keep_a_number_and_no_recipe():
    assert {"gmp", "lth", "rigl", "sms", "imp"} <= KNOWN.keys()
    assert not {"scratch", "shuffled", "dense", "mask", "block"} & KNOWN.keys()


@pytest.mark.parametrize("of", mostly_slow(KNOWN, QUICK))
def test_the_mask_is_that_of_the_method(of):
    how = {"epochs": longer(of), "keep": [5, 11, 26], "seed": [3, 4, 5]}
    alone = decide(plain(of, 3, **how))
    found = decide(table("scratch", 3, of=of, **how))
    assert np.array_equal(found.masks, alone.masks)


def test_an_id_without_the_wrapped_methods_options_means_its_first_defaults():
    """Rows of 0.1.0 keep what they were; new configs say what differs from it."""
    how = {"epochs": 10, "seed": 3, "keep": 11, "of": "bimp"}
    configs = table("scratch", 2, **how)
    assert configs["cycles"].tolist() == [4, 4]
    assert configs["dense_share"].tolist() == [0.6, 0.6]
    old = configs.assign(cycles=pd.NA, dense_share=pd.NA).astype(configs.dtypes)
    ends = [
        prepare.planned(each.iloc[0])[1].first.steps / 390 for each in (configs, old)
    ]
    assert ends == [9, 8]  # the last of four prunings, the only one


def test_training_begins_anew_under_the_mask(of):
    starts = []

    class Watching(Drift):
        def advance(self, job, state, stop):
            starts.append((job, state, stop))
            return super().advance(job, state, stop)

    epochs = longer(of)
    decide(table("scratch", 1, of=of, epochs=epochs, keep=11), Watching())
    job, state, stop = starts[-1]
    assert stop - state.step == epochs * 390
    assert np.array_equal(state.params, np.where(state.masks, job.initial, 0))
    assert not state.momentum.any()
    assert (state.moving == state.masks).all()
    assert job.plan.label_smoothing == 0
    assert job.plan.optimiser == type(job.plan).optimiser
    assert job.plan.weight_map is None
    assert state.adapters is None
    rates = job.rates(state, state.step, stop)[:, 0]
    whole = table("dense", 1, epochs=epochs).iloc[0]
    dense = prepare.plan_of(METHODS["dense"].build(), whole)
    assert rates.tolist() == pytest.approx((0.1 * dense.curves["cosine"]).tolist())


def test_with_every_weight_kept_it_is_the_dense_training_bit_for_bit():
    dense = experiment.run(table("dense", 2)).to_pylist()
    found = experiment.run(table("scratch", 2, of="random", keep=27)).to_pylist()
    for one, other in zip(dense, found, strict=True):
        for name in ("weights", "accuracy", "loss", "nnz", "mask", "status"):
            assert one[name] == other[name], name


def test_it_is_how_the_search_scores_a_mask():
    """Scratch-E of a mask found before training is method ``mask`` with that mask."""
    (row,) = experiment.run(table("scratch", 1, of="synflow", seed=5)).to_pylist()
    kept = kept_weights(decide(table("synflow", 1, seed=5)))[0]
    texts = []
    for layer in mlp.layers(3):
        part = kept[layer.columns].reshape(layer.outputs, layer.inputs)
        texts.append(",".join("".join("01"[int(v)] for v in row) for row in part))
    given = table("mask", 1, matrices="/".join(texts), seed=5)
    (expected,) = experiment.run(given).to_pylist()
    for name in ("weights", "accuracy", "mask"):
        assert row[name] == expected[name], name


@pytest.mark.parametrize(
    ("second", "width", "keep", "cap", "epochs"),
    [
        ("scratch_e", 3, 15, 2.0, 50),
        ("scratch_b", 3, 15, 2.0, 90),  # 50 · 27 / 15
        ("scratch_b", 3, 20, 2.0, 67),  # 67.5
        ("scratch_b", 16, 26, 2.0, 100),
        ("scratch_b", 16, 26, 5.0, 250),
        ("scratch_b", 16, 26, 1.0, 50),
        ("scratch_b", 3, 27, 2.0, 50),
        ("scratch_b_plus", 3, 15, 2.0, 102),  # 90 + 12.5
        ("scratch_b_plus", 16, 26, 2.0, 112),
        ("fine_tune", 16, 26, 2.0, 12),
    ],
)
def test_epochs_of_the_second_phase(second, width, keep, cap, epochs):
    how = {"second_phase": second, "cap": cap, "epochs": 50}
    configs = table("scratch", 1, of="snip", width=width, keep=keep, **how)
    assert configs["second_epochs"].tolist() == [epochs]


def test_an_equal_budget_with_a_cap_of_one_is_scratch_e():
    equal = decide(table("scratch", 2, of="gmp", second_phase="scratch_b", cap=1.0))
    expected = decide(table("scratch", 2, of="gmp"))
    assert np.array_equal(equal.params, expected.params)


def test_fine_tuning_goes_on_with_the_weights_of_the_whole_training():
    engine = Noting()
    how = {"of": "magnitude", "second_phase": "fine_tune", "epochs": 8, "keep": 11}
    decide(table("scratch", 1, **how), engine)
    alone = decide(plain("magnitude", epochs=8, keep=11), sparse.SparseEngine())
    job, state, after = engine.trained[-1]
    assert (state.step, after.step) == (8 * 390, 10 * 390)
    assert np.array_equal(state.params, alone.params)
    assert not state.momentum.any()
    rates = job.rates(state, state.step, after.step)
    assert np.unique(rates).tolist() == [np.float32(0.01 * 0.1)]
    assert not np.array_equal(after.params, state.params)


def test_masked_weights_stay_zero_to_the_end():
    found = decide(table("scratch", 2, of="rigl", keep=[8, 20]), sparse.SparseEngine())
    assert not found.params[~found.masks].any()
    assert kept_weights(found).sum(axis=1).tolist() == [8, 20]


def test_training_of_the_method_stops_once_its_mask_is_found():
    engine = Drift()
    decide(table("scratch", 1, of="snip"), engine)
    assert engine.steps == [(0, 0), (0, 780)]


# ---- where training begins


def start(law, n=2, keep=900):
    configs = table("scratch", n, of="random", width=64, keep=keep, restart=law)
    starts = []

    class Watching(Drift):
        def advance(self, job, state, stop):
            starts.append(state)
            return super().advance(job, state, stop)

    decide(configs, Watching())
    return starts[-1]


def test_fresh_weights_have_the_default_law_and_are_others():
    state, own = start("fresh"), start("original")
    for layer in mlp.layers(64):
        for place in (layer.weights, layer.biases):
            drawn = state.params[:, place][state.masks[:, place]]
            bound = 1 / np.sqrt(layer.inputs)
            assert np.abs(drawn).max() <= bound
            if drawn.size > 400:
                assert np.var(drawn) == pytest.approx(bound**2 / 3, rel=0.15)
    assert np.array_equal(state.masks, own.masks)
    assert (state.params != own.params)[state.masks].all()
    assert not np.array_equal(*state.params)


@pytest.mark.parametrize("law", ["he_in", "he_out"])
def test_he_laws_follow_the_weights_kept(law):
    state = start(law, n=6)
    layer = mlp.layers(64)[1]
    kept = state.masks[:, layer.weights]
    fan = kept.sum(axis=1) / 64  # as many units as inputs
    scaled = state.params[:, layer.weights] * np.sqrt(fan / 2)[:, None]
    assert np.var(scaled[kept]) == pytest.approx(1, rel=0.1)
    for layer in mlp.layers(64):
        assert not state.params[:, layer.biases].any()


def test_he_laws_differ_where_a_layer_is_not_square():
    first = mlp.layers(64)[0].weights  # 2 inputs, 64 units
    drawn = [
        state.params[:, first][state.masks[:, first]]
        for state in (start(law, 6, 8000) for law in ("he_in", "he_out"))
    ]
    ratio = np.std(drawn[0]) / np.std(drawn[1])
    assert ratio == pytest.approx(np.sqrt(32), rel=0.1)


# ---- shuffled


def counts(state, width):
    kept = kept_weights(state, width)
    return [kept[:, layer.columns].sum(axis=1).tolist() for layer in mlp.layers(width)]


@pytest.mark.parametrize("of", ["gmp", "lth", "random", "synflow"])
def test_shuffling_keeps_the_weights_of_each_layer(of):
    how = {"width": 8, "keep": [20, 30, 40]}
    own, shuffled = (
        decide(table(of, 3, **how)),
        decide(table("shuffled", 3, of=of, **how)),
    )
    assert counts(own, 8) == counts(shuffled, 8)
    assert not np.array_equal(own.masks, shuffled.masks)


def test_shuffling_puts_weights_anywhere_alike():
    masks = decide(table("shuffled", 400, of="random", keep=13)).masks
    kept = masks[:, mlp.layers(3)[1].weights]
    share = kept.mean(axis=0) / kept.mean()
    assert np.abs(share - 1).max() < 0.25  # five deviations of 400 draws


def test_shuffled_masks_are_not_fine_tuned():
    check = METHODS["shuffled"].check
    (mistake,) = check(table("shuffled", 1, second_phase="fine_tune"))
    assert mistake.field == "second_phase"
    assert check(table("shuffled", 1)) == []


# ---- options, cost, grids


@pytest.mark.parametrize("of", KNOWN)
def test_recipes_have_all_options_of_methods_that_follow_from_others(of):
    configs = table(of, 2, **EXAMPLES.get(of, {}))
    derived = KNOWN[of].derive(configs)
    assert derived.keys() <= config.fields(wrapped.WrappedOptions).keys()


def test_derived_options_are_those_of_the_method_itself():
    alone = table("lth", 2, width=16, keep=[26, 65])
    found = table("scratch", 2, of="lth", width=16, keep=[26, 65])
    assert found["levels"].tolist() == alone["levels"].tolist() == [14, 10]


def test_cost_is_that_of_both_phases(of):
    for second in ("scratch_e", "fine_tune"):
        how = {"epochs": 50, "width": 16, "keep": 26}
        configs = table("scratch", 1, of=of, second_phase=second, **how)
        alone = cost.price(plain(of, **how)).seconds[0]
        found = cost.price(configs).seconds[0]
        shared = configs.iloc[0]
        plan = prepare.plan_of(prepare.build_method(shared), shared)
        how |= {"engine": prepare.engine_of(shared, plan)}
        last = cost.price(table("random", 1, **how)).seconds[0]
        last *= 0.24 if second == "fine_tune" else 1
        assert 0.9 * last < found < 1.6 * (alone + last) + 0.01


GRID = """
defaults: {width: 16, keep: [16, 300]}
blocks:
  masks: {method: [scratch, shuffled], of: [gmp, lth, snip]}
  longer: {method: scratch, of: lth, second_phase: scratch_b, cap: [2.0, 5.0]}
"""


def test_a_grid_of_recipes():
    found = grid.loads(GRID).configs
    assert len(found) == 16
    assert found["second_epochs"].tolist() == [50] * 12 + [100, 93, 250, 93]
    assert found["levels"].notna().tolist() == (found["of"] == "lth").tolist()


@pytest.mark.parametrize("of", ["mask", "scratch", "gnp"])
def test_a_method_without_masks_of_its_own_is_named(of):
    with pytest.raises(ConfigError, match=rf"1:\d+: of: .*, got '{of}'; .*gmp"):
        grid.loads(f"{{method: scratch, of: {of}, keep: 9}}")


@pytest.mark.parametrize("name", ["scratch", "shuffled"])
def test_an_option_that_the_method_lacks_is_refused(name):
    check = METHODS[name].check
    for option, value in (("ball_share", 0.1), ("penalty_rate", "base"), ("cycles", 2)):
        (mistake,) = check(table(name, 2, of=["sfw", "gmp"], **{option: [None, value]}))
        text = "has no effect with of: gmp; remove it"
        assert mistake == (option, text, value)
    assert check(table(name, 2, of=["sfw", "gmp"], ball_share=[0.1, None])) == []
    grids = "{method: scratch, of: [lth, gmp], keep: 9, levels: 5}"  # as 0.1.0 did
    assert grid.loads(grids).configs["levels"].tolist() == [5, 5]
    with pytest.raises(ConfigError, match="ball_share: has no effect with of: gmp"):
        grid.loads("{method: scratch, of: gmp, keep: 9, ball_share: [0.1, 0.2]}")


def test_the_first_default_of_the_method_is_no_value_of_a_recipe():
    """It has the meaning of null, so there is one id."""
    found = grid.loads(
        "{method: scratch, of: sms, keep: 9, epochs: 50, cycles: [3, 4]}"
    ).configs
    assert found["cycles"].fillna(0).tolist() == [0, 4]
    left_out = grid.loads("{method: scratch, of: sms, keep: 9, epochs: 50}").configs
    assert left_out["config_id"].tolist() == found["config_id"][:1].tolist()


def test_what_the_method_itself_refuses_is_passed_on():
    with pytest.raises(ConfigError, match="of: sms does not accept its cycles: 3 of 1"):
        grid.loads("{method: scratch, of: sms, keep: 9, epochs: 3}")


def test_keep_must_be_given():
    with pytest.raises(ConfigError, match="keep: missing; method scratch requires it"):
        grid.loads("{method: scratch, of: lth}")
