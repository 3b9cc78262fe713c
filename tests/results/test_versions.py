"""Files of other versions: which are known, and what earlier ones lack."""

import pandas as pd
import pyarrow as pa
import pytest

from spiral.errors import SchemaMismatch
from spiral.methods.registry import options
from spiral.results import columns as rows
from spiral.results import versions

OPTIONAL = ["init", "connected", "interval", "fidelity", "inner_lr", "running_loss"]
"""Columns that some earlier version lacked."""


@pytest.mark.parametrize("missing", [[], ["init"], ["entropy"], OPTIONAL])
def test_files_of_earlier_versions_are_known(missing):
    columns = [field for field in rows.schema(options()) if field.name not in missing]
    assert versions.older_or_equal(pa.schema(columns), options())
    assert versions.older_or_equal(pa.schema(columns[::-1]), options())


@pytest.mark.parametrize("name", ["config_id", "lr", "keep", "status", "weights"])
def test_files_without_what_every_version_had_are_not(name):
    columns = [field for field in rows.schema(options()) if field.name != name]
    assert not versions.older_or_equal(pa.schema(columns), options())


@pytest.mark.parametrize(
    "field", [pa.field("init", pa.int64()), pa.field("colour", pa.string())]
)
def test_files_of_later_versions_are_not(field):
    columns = [column for column in rows.schema(options()) if column.name != field.name]
    assert not versions.older_or_equal(pa.schema([*columns, field]), options())


def test_configs_of_earlier_versions_drew_their_initial_weights():
    methods = pd.array(["snip", "dense"], "string")
    found = versions.complete(pd.DataFrame({"method": methods}), options())
    assert found["init"].tolist() == ["default", "default"]
    assert found["fidelity"].tolist() == ["exact", pd.NA]
    assert found["rounds"].isna().all()


def test_configs_of_earlier_versions_had_the_first_defaults():
    methods = pd.array(["sfw", "one_shot", "bimp", "group_norm", "gmp"], "string")
    found = versions.complete(pd.DataFrame({"method": methods}), options())
    assert found["ball_share"].tolist() == [0.3, pd.NA, pd.NA, pd.NA, pd.NA]
    assert found["retrain_share"].tolist() == [pd.NA, 1.0, pd.NA, pd.NA, pd.NA]
    assert found["recipe"].tolist()[2] == "once"
    assert (found["cycles"][2], found["dense_share"][2]) == (1, 0.8)
    assert found["penalty_rate"].tolist()[3] == "base"


def test_what_has_no_method_is_no_config():
    with pytest.raises(SchemaMismatch, match="no column `method`"):
        versions.complete(pd.DataFrame({"keep": [1]}), options())
