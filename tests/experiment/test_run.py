"""Whole packs: one row per config, in their order, whatever the pack."""

import numpy as np

from spiral import experiment
from spiral.methods.registry import options
from spiral.results import columns
from tests.experiment import run
from tests.methods import Passing, decide, table
from tests.tolerances import tolerance


def test_the_first_sibling_carries_the_row(script):
    (alone,) = run("dense", engine="reference")
    script(siblings=2)
    (first,) = run("dense", engine="reference")
    assert first["weights"] == alone["weights"]
    assert first["accuracy"] == alone["accuracy"]


def test_masks_of_a_row_do_not_depend_on_its_pack():
    pack = run("random", 3, seed=[4, 5, 6])
    for seed, row in zip((4, 5, 6), pack, strict=True):
        (alone,) = run("random", 1, seed=[seed])
        assert alone["mask"] == row["mask"]
        gap = np.abs(np.subtract(alone["weights"], row["weights"])).max()
        assert gap <= 10 * tolerance("steps_100")


def test_a_stopped_training_makes_the_row_of_the_epoch_it_stops_at():
    configs = table("mask", 2, epochs=3)
    passing = Passing(780)
    decide(configs, passing)
    found = experiment.run(configs.assign(stop_epoch=2)).to_pylist()
    for row, expected in zip(found, passing.noted.params, strict=True):
        assert (row["steps"], row["epochs"], row["stop_epoch"]) == (780, 3, 2)
        assert np.array_equal(columns.params_of(row)[1], expected)
    whole = experiment.run(configs.assign(stop_epoch=3)).to_pylist()
    assert [row["steps"] for row in whole] == [1170] * 2
    alike = [row["weights"] for row in experiment.run(configs).to_pylist()]
    assert [row["weights"] for row in whole] == alike


def test_rows_come_in_the_order_of_their_configs():
    found = experiment.run(configs := table("random", 3, keep=[9, 3, 27], epochs=1))
    assert found["config_id"].to_pylist() == configs["config_id"].tolist()
    assert found["nnz"].to_pylist() == [9, 3, 27]
    assert found.schema.equals(columns.schema(options()))
