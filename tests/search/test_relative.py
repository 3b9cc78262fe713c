"""Sizes relative to the best known network."""

import pytest

from spiral.errors import ConfigError
from spiral.search import best_known, relative
from spiral.search.relative import Relative


@pytest.mark.parametrize(
    ("multiple", "fewest", "size"),
    [(1, 14, 14), (0.75, 14, 11), (0.74, 14, 10), (2.5, 15, 38), (0.01, 14, 1)],
)
def test_a_multiple_is_the_nearest_number_of_weights(multiple, fewest, size):
    assert Relative(multiple, 0.95).times(fewest) == size


def test_the_fewest_are_those_of_the_frontier():
    table = best_known.load()
    for accuracy in best_known.THRESHOLDS:
        reaching = table[table["accuracy"] >= accuracy]
        assert relative.fewest("cubist", accuracy) == reaching["nnz"].min()


def test_a_planted_network_is_known():
    assert relative.fewest("planted(nnz=20)", 0.95) == 20


def test_without_a_network_that_reaches_it_a_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"--task 'rings\(n=7\)'` and"):
        relative.fewest("rings(n=7)", 0.95)
    none = best_known.load().iloc[:0]
    monkeypatch.setattr(best_known, "load", lambda task: none)
    with pytest.raises(ConfigError, match=r"known to reach 0\.99 on task cubist"):
        relative.fewest("cubist", 0.99)
