"""The kernels in Numba's simulator against engine ``sparse``, without a card."""

import json

import numpy as np
import pytest

from spiral import engines, extras
from tests.engines.sparse_cuda import cases, programs, simulated
from tests.tolerances import tolerance

pytestmark = pytest.mark.skipif(
    not extras.installed("numba_cuda"), reason="numba-cuda is not installed"
)
TRAININGS = [name for name in cases.CASES if name != "evaluation"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("simulated")
    simulated.run(found)
    return found


@pytest.fixture(scope="module")
def facts(folder):
    return json.loads((folder / "facts.json").read_text())


def expected(name):
    return cases.CASES[name](engines.build("sparse"))


def test_twenty_masks_of_widths_3_to_16_are_trained():
    assert sum(networks for networks, _, _ in cases.WIDTHS.values()) == 20
    assert (min(cases.WIDTHS), max(cases.WIDTHS)) == (3, 16)


@pytest.mark.parametrize("name", TRAININGS)
def test_training_agrees_with_engine_sparse(folder, name):
    got, wanted = simulated.results(folder, name), expected(name)
    assert got.keys() == wanted.keys()
    for key, values in wanted.items():
        assert np.array_equal(np.isnan(got[key]), np.isnan(values))
        assert np.nanmax(np.abs(got[key] - values)) <= tolerance("sparse_cuda")


@pytest.mark.parametrize("name", TRAININGS)
def test_something_is_trained(folder, name):
    """Else agreement would say nothing."""
    got = simulated.results(folder, name)
    if "momentum" in got:
        assert (got["momentum"] != 0).any(axis=1).all()


def test_masked_entries_stay_exactly_zero(folder):
    for name in ("width 3", "width 16"):
        wanted, got = expected(name), simulated.results(folder, name)
        masked = (wanted["params"] == 0) & (wanted["momentum"] == 0)
        assert masked.any()
        assert not got["params"][masked].any()
        assert not got["momentum"][masked].any()


def test_stops_on_the_way_change_no_bit(folder):
    cut, whole = (simulated.results(folder, name) for name in ("cut", "whole"))
    assert (whole["losses"] > 0).all()
    for key, values in whole.items():
        assert np.array_equal(cut[key], values)


def test_a_diverging_neighbour_changes_no_bit(folder):
    calm, wild = (simulated.results(folder, name) for name in ("calm", "wild"))
    assert np.isnan(wild["params"][1]).any()
    for key in ("params", "momentum"):
        assert np.array_equal(calm[key][[0, 2]], wild[key][[0, 2]])


def test_evaluation_agrees_with_engine_sparse(folder):
    got, wanted = simulated.results(folder, "evaluation"), expected("evaluation")
    assert got["correct"][1] == 0
    assert np.array_equal(got["correct"], wanted["correct"])
    for key in ("loss", "entropy"):
        limit = tolerance("loss")
        assert got[key] == pytest.approx(wanted[key], abs=limit, nan_ok=True)


def test_networks_that_do_not_fit_are_refused_in_words(facts):
    said = (
        "UnsupportedJob: engine sparse:cuda: expected networks that fit into 48 KiB of "
        "shared memory, got one with 96 live units and 2241 parameters, which takes 99 "
        "KiB; use --engine vmap:cuda"
    )
    assert facts["refusals"] == [said, said]


def test_rows_name_the_engine_with_its_device(facts):
    assert facts["name"] == "sparse:cuda"


def test_kernels_are_launched_with_the_types_they_are_compiled_for(facts):
    for name, signature in programs.signatures().items():
        assert facts["types"][name] == [*map(programs.described, signature)]
