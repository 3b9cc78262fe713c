"""Which networks a diagnosis reads, and the tables it makes of them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from spiral.errors import ConfigError, StoreError
from spiral.report.studies.robustness import figure as robustness_figures
from spiral.report.studies.robustness import measure
from spiral.report.studies.robustness import text as diagnosis_text
from spiral.report.studies.robustness.diagnosis import Question, diagnose
from spiral.report.text.document import as_json, render
from spiral.search import best_known
from spiral.search.network import unpacked
from spiral.tasks import catalogue, cubist
from tests import oracles
from tests.report import METHODS
from tests.results.test_load import written

CUBIST = catalogue.load("cubist")

EVERY = 199
PROBE = measure.probe(catalogue.load("cubist"), EVERY)
SIZES = {"dense": 27, "gmp": 7, "snip": 7}


def params(count, seed):
    random = np.random.default_rng(46 + seed)  # some of whose points are fragile
    return random.standard_normal((count, 37)).astype(np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three launches: a dense network, gmp and snip at 7 weights, of seeds 0 … 3."""
    out = tmp_path_factory.mktemp("launches")
    for number, name in enumerate(SIZES):
        keep = "" if name == "dense" else "keep: 7, "
        text = f"{{method: {name}, width: 3, {keep}seed: 0..3}}"
        written(out / name, text, params=params(4, number))
    return [out / name for name in SIZES]


@pytest.fixture(scope="module")
def found(folders):
    return diagnose(folders, METHODS, Question(every=EVERY, each=3))


def reading(name, seed):
    network = params(4, [*SIZES].index(name))[seed]
    return measure.read(network, 3, PROBE)


def line(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_the_first_seeds_of_each_method_are_read(found):
    networks = found.networks
    for name in SIZES:
        some = networks[networks["method"] == name]
        assert some["seed"].tolist() == [0, 1, 2]
        for _, shown in some.iterrows():
            expected = measure.numbers(reading(name, shown["seed"]))
            numbers = [float(shown[key]) for key in expected]
            assert np.allclose(numbers, [*expected.values()], equal_nan=True)


def test_groups_are_medians_over_networks(found):
    numbers = [measure.numbers(reading("gmp", seed)) for seed in range(3)]
    shown = line(found.groups, method="gmp")
    assert shown["n"] == 3
    for name in ("accuracy", "mean_corruption", "shift", "fragile"):
        assert shown[name] == pytest.approx(np.median([each[name] for each in numbers]))


def test_lost_points_are_those_that_only_the_dense_network_has_right(found):
    dense, pruned = reading("dense", 1), reading("snip", 1)
    lost = (dense.right & ~pruned.right).mean()
    assert line(found.networks, method="snip", seed=1)["lost"] == lost
    alone = line(found.networks, method="dense", seed=1)
    assert alone["lost"] == 0


def test_overlap_is_of_equal_seeds(found):
    each = {"fragile": [], "lost": []}
    for seed in range(3):
        dense, gmp, snip = (reading(name, seed) for name in SIZES)
        each["fragile"].append(measure.jaccard(gmp.fragile, snip.fragile))
        both = (dense.right & ~r.right for r in (gmp, snip))
        each["lost"].append(measure.jaccard(*both))
    shown = line(found.overlap, a="gmp", b="snip")
    assert (shown["n"], shown["keep"]) == (3, 7)
    for name, values in each.items():
        assert shown[name] == pytest.approx(np.nanmedian(values))


@pytest.mark.parametrize(
    ("kind", "name"), [("any", "best_known"), ("protocol", "best_known_protocol")]
)
def test_the_best_known_of_as_many_weights_stands_beside_them(kind, name, found):
    known = best_known.of_kind(best_known.load(), kind)
    entry = best_known.leaders(known).set_index("nnz").loc[7]
    _, network, width = unpacked(entry["matrices"], np.asarray(entry["params"]))
    z = oracles.logits(network, cubist.load().x[::EVERY], width)
    shown = line(found.groups, method=name)
    assert (shown["nnz"], shown["keep"], shown["width"]) == (7, 7, width)
    labels = cubist.load().y[::EVERY]
    assert shown["accuracy"] == oracles.correct(z, labels) / len(labels)
    assert any("of 2 lines of pruned networks" in note for note in found.notes)


def test_curves_have_every_kind_at_every_severity(found):
    some = found.curves[found.curves["method"] == "gmp"]
    assert len(some) == 8 * 6
    shown = line(some, kind="warp", severity=4)["accuracy"]
    kind = measure.KINDS.index("warp")
    each = [reading("gmp", seed).accuracy[kind, 4] for seed in range(3)]
    assert shown == pytest.approx(np.median(each))


def test_methods_and_sizes_can_be_chosen(folders):
    def left(**question):
        asked = Question(every=EVERY, each=1, **question)
        methods = diagnose(folders, METHODS, asked).groups["method"]
        return {name for name in methods if not name.startswith("best_known")}

    assert left(where={"when": ["before"]}) == {"dense", "snip"}
    assert left(keep=[7]) == {"dense", "gmp", "snip"}
    with pytest.raises(ConfigError, match="expected networks to measure"):
        diagnose(folders[1:], METHODS, Question(keep=[8]))
    with pytest.raises(StoreError):
        diagnose(folders, METHODS, Question(frontier=folders[0] / "none.parquet"))


def test_without_dense_networks_nothing_is_known_to_be_lost(folders):
    found = diagnose(folders[1:], METHODS, Question(every=EVERY, each=2))
    assert found.networks["lost"].isna().all()
    assert found.overlap["lost"].isna().all()


def test_text_and_json_say_the_same(found):
    document = as_json(diagnosis_text.document(found))
    for name in ("networks", "groups", "curves", "overlap", "redundancy"):
        assert len(document[name]) == len(getattr(found, name))
    assert document["corruptions"]["rotation"] == [1, 2, 3, 4, 5]
    text = render(diagnosis_text.document(found))
    for words in ("mean_corruption", "snip", "quantise", "one point in 199"):
        assert words in text


def test_best_known_networks_of_both_kinds_are_told_apart():
    names = robustness_figures.NAMES
    groups = pd.DataFrame({"method": names, "nnz": 14, "drop": 0.1})
    axes = Figure().subplots()
    robustness_figures.over_size(axes, groups, "drop", "drop")
    assert {line.get_label() for line in axes.lines} == {
        "best known",
        "best known, trained as in the paper",
    }
    assert len({line.get_markerfacecolor() for line in axes.lines}) == len(names)


def test_the_figure_draws_every_method_and_kind(found, monkeypatch):
    silent = robustness_figures.draw(found).subfigs[1].axes
    assert not any(axes.lines for axes in silent)  # all are at chance
    monkeypatch.setattr(robustness_figures, "INFORMED", 0)
    figure = robustness_figures.draw(found)
    left, right, *panels = [a for part in figure.subfigs for a in part.axes]
    labels = {line.get_label() for line in left.lines}
    known = {"best known", "best known, trained as in the paper"}
    assert labels == {"dense", "gmp", "snip", *known}
    assert [axes.get_title() for axes in panels] == [*measure.KINDS]
    assert all(len(axes.lines) == 4 for axes in panels)
    colours = {to_hex(line.get_color()) for line in panels[0].lines}
    assert len(colours) == 4
    assert right.get_ylabel() == "relative drop of accuracy"
    caption = " ".join(figure.get_supxlabel().split())
    assert "n = 3 networks of width 3" in caption
    with pytest.raises(ConfigError, match="pruned networks of width 9"):
        robustness_figures.draw(found, 9)
