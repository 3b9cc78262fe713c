"""Records of bounds: right ones pass, wrong ones are refused, whatever is wrong."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest

from spiral.errors import StoreError
from spiral.model import mlp
from spiral.search import best_known
from spiral.search.certify import prove, record, verify
from spiral.search.network import unpacked
from spiral.tasks import catalogue, cubist
from tests.search.certify import COARSE
from tests.search.certify.test_pieces import lines_of


@pytest.fixture(scope="module")
def rings():
    """Return points on nested squares of alternating class: many lines are needed."""
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1], [1, 1]])
    sides = [
        np.linspace(corners[k], corners[k + 1], 12, endpoint=False) for k in range(4)
    ]
    square = np.concatenate(sides)
    x = np.concatenate([square * r for r in (0.5, 1.5, 1.0, 2.0)]).astype(np.float32)
    y = np.repeat(np.array([0, 1], np.uint8), 96)
    # Sides of rings next to each other, in thirds
    ends = [range(start, start + 48, 4) for start in (0, 48, 96, 144)]
    pairs = [(0, 2), (1, 2), (1, 3)]
    groups = [
        (a, a + 4, b, b + 4)
        for one, other in pairs
        for a, b in zip(ends[one], ends[other], strict=True)
    ]
    return prove.Data(x, y, groups)


@pytest.fixture(scope="module")
def made(rings):
    effort = prove.Effort(run=4, rounds=8, angles=60)
    return prove.record(["1", "0.97"], rings, effort, COARSE)


def check(made, rings):
    return verify.mistakes(made, rings.x, rings.y)


def test_a_record_proves_what_it_says(made, rings):
    assert check(made, rings) == []
    perfect, most = made["bounds"]
    assert (perfect["errors"], most["errors"]) == (0, 5)
    assert perfect["lines"] >= most["lines"] >= 3
    assert perfect["weights"] >= most["weights"] >= 6
    # Twelve lines, one for each side of each gap, certainly suffice
    assert perfect["lines"] <= 12


def test_a_record_survives_its_file(made, rings, tmp_path):
    record.write(made, tmp_path / "b.json")
    again = record.read(tmp_path / "b.json")
    assert again == json.loads(json.dumps(made))
    assert check(again, rings) == []
    assert record.bounds(tmp_path / "b.json") == {
        float(b["threshold"]): b["weights"] for b in made["bounds"]
    }


def more_weight(made):
    made["certificates"][0]["groups"][3][4] *= 2


def less_capacity(made):
    made["certificates"][1]["capacity"][0] -= 1


def less_of_two_lines(made):
    made["certificates"][0]["axis_capacity"][1][1] //= 2


def more_total(made):
    made["certificates"][0]["total"] += 1


def less_load(made):
    made["certificates"][0]["load"][0] -= 1


def one_class(made):
    made["certificates"][0]["groups"][0][:4] = [0, 4, 4, 8]


def outside(made):
    made["certificates"][0]["groups"][0][3] = 999


def more_weights(made):
    made["bounds"][0]["weights"] += 1


def incomplete(made):
    del made["certificates"][1]["capacity"]


def fewer_open(made):
    made["bounds"][0]["open"][str(made["bounds"][0]["weights"])][0] -= 1


def more_lines(made):
    made["bounds"][1]["lines"] += 1


def fewer_errors(made):
    made["bounds"][1]["errors"] -= 1


def easier(made):
    made["bounds"][0]["threshold"] = "0.8"


def other_points(made):
    made["digest"] = made["digest"][::-1]


def finer_than_exact(made):
    made["certificates"][0]["grid"]["steps"] = 40


@pytest.mark.parametrize(
    "damage",
    [
        more_weight,
        less_capacity,
        less_of_two_lines,
        more_total,
        less_load,
        one_class,
        outside,
        more_weights,
        incomplete,
        fewer_open,
        more_lines,
        fewer_errors,
        easier,
        other_points,
        finer_than_exact,
    ],
)
def test_a_damaged_record_is_refused(damage, made, rings):
    wrong = copy.deepcopy(json.loads(json.dumps(made)))
    damage(wrong)
    assert check(wrong, rings)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "PAR1"])
def test_other_files_are_refused(text, tmp_path):
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(StoreError, match="not a record of bounds"):
        record.read(tmp_path / "b.json")


def test_a_missing_file_and_a_later_format_are_told(made, tmp_path):
    with pytest.raises(StoreError, match="got no file"):
        record.read(tmp_path / "none.json")
    record.write({**made, "format": 2}, tmp_path / "b.json")
    with pytest.raises(StoreError, match="expected format 1, got 2"):
        record.read(tmp_path / "b.json")


BOUNDED = ["cubist", *(f"cubist(turns={turns})" for turns in ("1", "1.5", "2.5", "3"))]
"""Tasks whose lower bounds are shipped."""


@pytest.mark.parametrize("task", BOUNDED)
def test_shipped_bounds_do_not_exceed_what_is_known(task):
    path, data = record.shipped(task), catalogue.load(task)
    known = record.bounds(path)
    table = best_known.load(best_known.shipped(task), task)
    assert known.keys() == {0.95, 0.995, 1.0}
    for threshold, weights in known.items():
        assert 7 <= weights <= (best_known.fewest(table, threshold) or np.inf)
        assert record.at_least(threshold, task=task) == weights
    assert record.read(path)["digest"] == verify.digest(data.x, data.y)


def test_no_other_bounds_are_shipped():
    there = {path.name for path in record.SHIPPED.parent.glob("bounds*.json")}
    assert there == {record.shipped(task).name for task in BOUNDED}
    assert record.at_least(1.0, task="moons") is None


def test_known_networks_have_as_many_lines_as_are_needed():
    table = best_known.load(best_known.SHIPPED)
    for bound in record.read()["bounds"]:
        good = table[table["accuracy"] >= float(bound["threshold"])]
        for entry in good.nsmallest(1, "nnz").to_dict("records"):
            assert len(lines_between_right_points(entry)) >= bound["lines"]


def lines_between_right_points(entry):
    """Return the lines of a network that part neighbouring points of both classes."""
    _, params, width = unpacked(entry["matrices"], np.asarray(entry["params"]))
    w, b = zip(*mlp.matrices(params.astype(float), width), strict=True)
    x = cubist.load().x.astype(float)
    found = set()
    for a0, a1, b0, b1, _ in record.read()["certificates"][0]["groups"][::4]:
        p, q = x[[a0, a1 - 1]], x[[b0, b1 - 1]]
        found |= lines_of(w, b, p, q)
    return found


@pytest.mark.slow
def test_the_smallest_shipped_record_is_right():
    """The others take minutes: ``make release-check`` verifies all of them."""
    task = "cubist(turns=1)"
    found, data = record.read(record.shipped(task)), catalogue.load(task)
    assert verify.mistakes(found, data.x, data.y) == []


def test_reading_bounds_loads_neither_scipy_nor_numba():
    code = (
        "import sys; from spiral.search.certify import record; print(record.bounds()); "
        "assert not {'scipy', 'numba', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
