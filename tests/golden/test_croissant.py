"""The description of the shipped data is valid, up to date, and reads the rows."""

import hashlib
import json

import mlcroissant
import pyarrow.parquet as pq
import pytest

from spiral.results import data_sets, summary
from spiral.search import frontier_file
from tests.golden import croissant

pytestmark = [
    # mlcroissant's own, of rdflib and of pandas
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


@pytest.fixture(scope="module")
def described():
    return json.loads(croissant.FILE.read_text())


def test_it_is_what_the_files_say():
    assert croissant.FILE.read_text() == croissant.text()  # else: make golden


def test_it_describes_every_file_but_itself(described):
    files = [summary.shipped(name) for name in summary.names()]
    files += data_sets.others().values()
    wanted = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
    del wanted[croissant.FILE.name]
    found = {each["name"]: each["sha256"] for each in described["distribution"]}
    assert found == wanted


def test_every_column_is_described(described):
    for each in described["recordSet"]:
        names = pq.read_schema(data_sets.file(each["name"])).names
        assert [field["name"] for field in each["field"]] == names
        assert all(field["description"] for field in each["field"])


def test_every_column_of_a_frontier_has_a_meaning():
    assert [*frontier_file.MEANINGS] == frontier_file.SCHEMA.names


def test_it_is_valid_and_reads_rows():
    found = mlcroissant.Dataset(jsonld=str(croissant.FILE))
    assert not found.metadata.ctx.issues.errors
    for name in ("robustness", "frontier"):
        row = next(iter(found.records(name)))
        table = pq.read_table(data_sets.file(name))
        assert row[f"{name}/accuracy"] == table["accuracy"][0].as_py()
