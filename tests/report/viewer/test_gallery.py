"""Networks of summaries on the viewer's page; the shipped gallery has every pruner."""

import numpy as np
import pytest

from spiral.errors import StoreError
from spiral.report.viewer import embed
from spiral.results import summary
from spiral.sweep.grid import shipped
from tests.report import METHODS, launches

GRID = """
defaults: {width: 4}
blocks:
  gmp: {method: gmp, keep: [12, 20], seed: 0..3}
  dense: {method: dense, seed: 0}
"""
EVERY = summary.Hits(1000, 0.0)


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows") / "mine"
    launches.write(out, GRID)
    return out


def networks(place, leaders=False):
    return embed.of_folders([place], METHODS.options, None, leaders, 1000).networks


def facts(network):
    """Return what the page knows of a network, but for what summaries leave out."""
    return {name: value for name, value in network.facts.items() if name != "loss"}


def test_networks_of_a_summary_are_those_of_its_launch(launch, tmp_path):
    file = tmp_path / "mine.parquet"
    summary.write([launch], file, hits=EVERY)
    found = {each.facts["id"]: each for each in networks(file)}
    wanted = {each.facts["id"]: each for each in networks(launch)}
    assert len(found) == 9
    assert found.keys() == wanted.keys()
    for name, each in found.items():
        assert facts(each) == facts(wanted[name])
        np.testing.assert_array_equal(each.mask, wanted[name].mask)
        np.testing.assert_array_equal(each.kept, wanted[name].kept)


def test_rows_of_a_summary_without_networks_are_left_out(launch, tmp_path):
    file = tmp_path / "mine.parquet"
    summary.write([launch], file, hits=summary.Hits(12, 0.0))
    assert [each.facts["nnz"] for each in networks(file)] == [12] * 4


def test_a_summary_without_networks_is_refused(launch, tmp_path):
    file = tmp_path / "mine.parquet"
    summary.write([launch], file)
    with pytest.raises(StoreError, match="--networks N:A"):
        networks(file)


def test_the_gallery_has_a_network_of_every_pruner_that_is_ranked():
    methods = {*shipped.load("standard").configs["method"]}
    assert {*shipped.load("gallery").configs["method"]} == methods
    found = networks(summary.shipped("gallery"), leaders=True)
    assert {each.facts["method"] for each in found} == methods
