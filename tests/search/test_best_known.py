"""The frontier: what enters, what counts, what proves it."""

import shutil

import numpy as np
import pandas as pd
import pytest

from spiral import experiment
from spiral.errors import StoreError
from spiral.model import mlp
from spiral.search import best_known, polish, trained
from spiral.tasks import catalogue
from tests.cli import run
from tests.methods import table

CUBIST = catalogue.load("cubist")

MASKS = ["11,11,10/110,011/11,01/11", "11,01,10/110,011/11,01/11", "01,10/11/1/1"]


@pytest.fixture(scope="module")
def rows():
    configs = table(
        "mask", 6, width=3, epochs=1, matrices=MASKS * 2, seed=[0, 0, 0, 1, 1, 1]
    )
    found = experiment.run(configs).to_pandas()
    return found.assign(keep=found["keep"].astype("Int64"))


@pytest.fixture(scope="module")
def entries(rows):
    return trained.from_rows(rows, CUBIST)


def made(kind, nnz, nnz_params, accuracy, loss=1.0):
    blank = dict.fromkeys(best_known.SCHEMA.names, "")
    sizes = {"kind": kind, "shape": "1,1,1", "nnz": nnz, "nnz_params": nnz_params}
    reached = {"accuracy": accuracy, "arc_accuracy": accuracy, "loss": loss}
    return {**blank, **sizes, **reached, "params": []}


def test_rows_become_entries_with_their_own_accuracy(rows, entries):
    assert entries["accuracy"].tolist() == pytest.approx(rows["accuracy"].tolist())
    assert entries["nnz"].tolist() == rows["effective_nnz"].tolist()
    assert entries["config_id"].tolist() == rows["config_id"].tolist()


def test_short_trainings_are_not_of_the_protocol(entries, rows):
    assert set(entries["kind"]) == {"any"}
    full = rows.assign(epochs=50, steps=19_500)
    assert set(trained.from_rows(full, CUBIST)["kind"]) == {"protocol"}
    given = full.assign(init="a.npz@0123")
    assert set(trained.from_rows(given, CUBIST)["kind"]) == {"any"}


def test_the_best_of_every_size_stays():
    first = pd.DataFrame(
        [made("any", 5, 9, 0.6), made("any", 5, 8, 0.5), made("protocol", 5, 9, 0.4)]
    )
    second = pd.DataFrame([made("any", 5, 9, 0.6, loss=0.5), made("any", 6, 8, 0.4)])
    found = best_known.merge([first, second])
    assert found[
        ["kind", "nnz", "nnz_params", "accuracy", "loss"]
    ].to_numpy().tolist() == [
        ["any", 5, 8, 0.5, 1.0],
        ["any", 5, 9, 0.6, 0.5],
        ["any", 6, 8, 0.4, 1.0],
        ["protocol", 5, 9, 0.4, 1.0],
    ]


def test_optimum_and_best_count_the_protocol_for_any():
    found = pd.DataFrame(
        [
            made("protocol", 18, 26, 0.96),
            made("any", 16, 24, 0.955),
            made("any", 20, 28, 0.95),
            made("any", 10, 18, 0.7),
        ]
    )
    assert best_known.fewest(found, 0.95) == 16
    assert best_known.fewest(found, 0.95, "protocol") == 18
    assert best_known.fewest(found, 0.95, by="nnz_params") == 24
    assert best_known.fewest(found, 0.99) is None
    assert best_known.best(found).to_dict() == {10: 0.7, 16: 0.955, 18: 0.96, 20: 0.96}
    assert best_known.leaders(found)["nnz"].tolist() == [10, 16, 18]


def test_a_file_reads_back_and_verifies(tmp_path, entries):
    path = tmp_path / "f.parquet"
    best_known.save(entries, path)
    again = best_known.load(path)
    assert best_known.same(entries, again)
    assert best_known.mistakes(again) == []


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("accuracy", 0.99, "expected accuracy"),
        ("correct", 7, "expected correct"),
        ("nnz", 3, "expected nnz"),
        ("loss", 0.1, "expected loss"),
        ("matrices", "11/1", "expected 4 matrices"),
        ("shape", "9,9,9", "expected shape"),
    ],
)
def test_whatever_is_changed_is_found(entries, column, value, message):
    forged = entries.head(1).assign(**{column: value})
    assert message in "; ".join(best_known.mistakes(forged))


def test_changed_weights_are_found(entries):
    row = entries.head(1).copy()
    row["params"] = [np.asarray(row["params"].iloc[0]) * np.float32(-1)]
    assert best_known.mistakes(row)
    row["params"] = [np.asarray(row["params"].iloc[0])[:-1]]
    assert "expected 22 kept parameters" in best_known.mistakes(row)[0]


def test_a_missing_or_foreign_file_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="frontier update DIR"):
        best_known.load(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(StoreError, match="not a frontier file"):
        best_known.load(tmp_path / "text.parquet")


def test_promising_rows_are_the_best_of_every_size():
    results = pd.DataFrame(
        {
            "config_id": list("abcdef"),
            "status": ["ok", "ok", "ok", "diverged", "ok", "ok"],
            "accuracy": [0.5, 0.7, 0.6, 0.9, 0.8, 0.4],
            "effective_nnz": [10, 10, 10, 10, 12, 12],
            "nnz_params": [18, 18, 18, 18, 20, 21],
            **{name: values[0] for name, values in trained.PROTOCOL.items()},
            **trained.FIRST,
            "steps": 19_500,
        }
    )
    assert set(trained.promising(results, 1)) == {1, 4, 5}
    assert set(trained.promising(results, 2)) == {1, 2, 4, 5}
    longer = results.assign(epochs=[50, 500, 500, 50, 500, 500])
    assert set(trained.promising(longer, 1)) == {0, 1, 4, 5}  # of each kind


@pytest.mark.parametrize(
    "change",
    [
        *({"lr": 5.0}, {"epochs": 500}, {"batch": 64}, {"init": "a.npz@0"}),
        *({"optimiser": "adam"}, {"nesterov": True}, {"label_smoothing": 0.1}),
        {"smoothing": 0.1},
    ],
)
def test_what_the_paper_does_not_do_is_not_its_protocol(change):
    usual = {name: [values[0]] for name, values in trained.PROTOCOL.items()}
    facts = {name: [None] for name in (*trained.LATER, *trained.FIRST)}
    row = pd.DataFrame(usual | facts | {"steps": [19_500]})
    assert trained.in_protocol(row).tolist() == [True]
    assert trained.in_protocol(row.assign(**change)).tolist() == [False]


def test_polishing_never_loses_points(entries, monkeypatch):
    monkeypatch.setattr(polish, "STAGES", (polish.QUICK,))
    worst = entries.sort_values("accuracy").head(1)
    better = polish.polish_all(worst, CUBIST)
    assert better["accuracy"].iloc[0] >= worst["accuracy"].iloc[0]
    assert better["loss"].iloc[0] != worst["loss"].iloc[0]
    assert better["kind"].tolist() == ["any"]
    assert better["found"].iloc[0].endswith("polish")
    assert best_known.mistakes(better) == []


def test_thinning_finds_smaller_networks(entries, monkeypatch):
    monkeypatch.setattr(polish, "STAGES", (polish.QUICK._replace(iterations=5),))
    smallest = entries[entries["nnz"] == entries["nnz"].min()].head(1)
    tried = set()
    thinner = polish.thin(smallest, tried, CUBIST)
    assert thinner["nnz"].min() < smallest["nnz"].min()
    assert best_known.same(
        polish.thin(smallest, tried, CUBIST), smallest
    )  # tried before
    assert best_known.mistakes(thinner) == []


def test_a_flipped_byte_of_a_frontier_is_found(tmp_path):
    path = tmp_path / "f.parquet"
    table = best_known.load()
    best_known.save(table, path)
    whole, found = path.read_bytes(), 0
    for place in range(10, len(whole) // 2, len(whole) // 20):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            assert best_known.load(path).equals(table)
        except StoreError:
            found += 1
    assert found >= 8


# ---- the user's own finds


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The user's data folder, and proof that the shipped frontier stays as it is."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    shipped = best_known.SHIPPED
    before = shipped.read_bytes()
    yield tmp_path / "data" / "spiral-sweep" / "frontier.parquet"
    assert shipped.read_bytes() == before


def better(n=0):
    """Return a shipped network as if it had been found with more points right."""
    shipped = best_known.load(best_known.SHIPPED)
    return shipped.iloc[[n]].assign(accuracy=0.9999 + n / 1e5, found="by me")


def test_finds_go_to_the_users_data_and_hide_no_shipped_network(data, tmp_path):
    shipped = best_known.load()
    best_known.save(better(), tmp_path / "mine.parquet")
    ran = run("frontier", "update", tmp_path / "mine.parquet")
    assert (ran.code, str(data) in ran.out) == (0, True)
    assert best_known.load(data)["found"].tolist() == ["by me"]
    united = best_known.load()
    assert set(united["found"]) == {*shipped["found"], "by me"}
    assert best_known.best(united).iloc[0] == 0.9999
    assert best_known.load(best_known.SHIPPED).equals(shipped)


def test_finds_add_up_and_go_once_the_shipped_frontier_has_them(
    data, tmp_path, monkeypatch
):
    for n in (0, 5):
        best_known.save(better(n), tmp_path / f"{n}.parquet")
        assert run("frontier", "update", tmp_path / f"{n}.parquet").code == 0
    assert len(best_known.load(data)) == 2
    newer = tmp_path / "newer.parquet"
    best_known.save(best_known.load(), newer)
    monkeypatch.setattr(best_known, "SHIPPED", newer)
    assert best_known.same(best_known.load(), best_known.load(newer))
    ran = run("frontier", "update", tmp_path / "0.parquet")
    assert "no network improves on the shipped frontier" in ran.out
    assert not data.exists()


def test_an_older_own_file_does_not_hide_what_is_shipped_since(
    data, tmp_path, monkeypatch
):
    best_known.save(better(), data)
    newer = tmp_path / "newer.parquet"
    best_known.save(better().assign(accuracy=0.99999, found="by them"), newer)
    monkeypatch.setattr(best_known, "SHIPPED", newer)
    assert best_known.load()["found"].tolist() == ["by them"]


def test_a_maintainer_changes_a_file_by_its_name(data, tmp_path):
    best_known.save(better(), tmp_path / "mine.parquet")
    target = tmp_path / "target.parquet"
    shutil.copy(best_known.SHIPPED, target)
    ran = run("frontier", "update", tmp_path / "mine.parquet", "--file", target)
    assert ran.code == 0, ran.err
    assert "by me" in set(best_known.load(target)["found"])
    assert len(best_known.load(target)) > 50
    assert not data.exists()


@pytest.mark.parametrize("command", [["update", "{mine}"], ["thin"]])
def test_without_a_home_the_variable_is_named_before_any_work(
    command, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(polish, "thin", None)
    best_known.save(better(), tmp_path / "mine.parquet")
    words = [word.format(mine=tmp_path / "mine.parquet") for word in command]
    ran = run("frontier", *words)
    assert ran.code == 2
    assert "set XDG_DATA_HOME" in ran.err
    assert "--file" in ran.err
    assert run("frontier", "show").code == 0


@pytest.mark.parametrize("name", ["params", "accuracy", "shape"])
def test_a_frontier_with_missing_values_is_refused(name, tmp_path):
    table = best_known.load().astype({name: object})
    table.loc[0, name] = None
    best_known.save(table, tmp_path / "f.parquet")
    with pytest.raises(StoreError, match="expected no missing values"):
        best_known.load(tmp_path / "f.parquet")


# ---- other tasks


@pytest.fixture
def moons(rows):
    """Return entries of networks on another task."""
    return trained.from_rows(rows, catalogue.load("moons"))


def test_entries_are_evaluated_on_their_task(entries, moons):
    assert moons["matrices"].tolist() == entries["matrices"].tolist()
    assert (moons["loss"] != entries["loss"]).sum() > 3  # others are constant
    assert moons["arc_accuracy"].isna().all()  # its points lie on no polygon
    assert best_known.mistakes(moons, "moons") == []
    assert best_known.mistakes(moons)


def test_a_frontier_names_its_task_and_is_no_other_tasks(moons, tmp_path):
    best_known.save(moons, tmp_path / "m.parquet", "moons")
    again = best_known.load(tmp_path / "m.parquet", "moons")
    assert best_known.same(again, moons)
    with pytest.raises(StoreError, match=r"task cubist, got .* moons; give --task"):
        best_known.load(tmp_path / "m.parquet")
    with pytest.raises(StoreError, match="task moons, got that of task cubist"):
        best_known.load(best_known.SHIPPED, "moons")


def test_a_file_is_one_task_wherever_it_lies(moons, tmp_path):
    one, other = "/a/points.npz@0123456789abcdef", "/b/mine.npz@0123456789abcdef"
    best_known.save(moons, tmp_path / "f.parquet", one)
    assert best_known.same(best_known.load(tmp_path / "f.parquet", other), moons)
    assert best_known.file_name(one) == best_known.file_name(other)


def test_finds_of_a_task_have_a_file_of_their_own(data, rows, tmp_path):
    unknown = "moons(noise=0.25)"
    moons = trained.from_rows(rows, catalogue.load(unknown))
    assert not best_known.exists(unknown)
    with pytest.raises(StoreError, match="search evolve --task"):
        best_known.load(task=unknown)
    best_known.save(moons, tmp_path / "m.parquet", unknown)
    ran = run("frontier", "update", tmp_path / "m.parquet", "--task", unknown)
    assert ran.code == 0, ran.err
    assert not data.exists()
    assert best_known.exists(unknown)
    found = best_known.load(task=unknown)
    assert set(found["matrices"]) == set(best_known.merge([moons])["matrices"])
    ran = run("frontier", "show", "--task", unknown)
    assert ran.code == 0, ran.err
    assert "arc_accuracy" not in ran.out
    assert run("frontier", "verify", "--task", unknown).code == 0


def test_files_of_different_tasks_have_different_names():
    names = ["moons", "cubist(turns=3)", "planted(seed=1)", "planted(seed=2)"]
    assert len({best_known.file_name(name) for name in ["cubist", *names]}) == 5


def test_the_planted_network_begins_the_frontier_of_its_task(data):
    task = catalogue.load("planted(seed=7)")  # of which no search is shipped
    (entry,) = best_known.load(task=task.name).to_dict("records")
    assert (entry["found"], entry["accuracy"]) == ("planted", 1.0)
    mask = task.planted.mask
    assert entry["nnz"] == mask[mlp.is_weight(mlp.width_of(len(mask)))].sum()


def test_rows_of_other_tasks_do_not_enter_a_frontier(rows):
    mixed = rows.assign(task=["cubist", None, "moons", "cubist", "moons", "moons"])
    assert len(trained.of_task(mixed, "cubist")) == 3
    assert len(trained.of_task(mixed, "moons")) == 3


def test_the_protocol_of_a_task_has_as_many_steps_as_its_epochs(rows):
    some = rows.assign(epochs=50, task_points=3_000)
    assert trained.in_protocol(some.assign(steps=50 * 23)).all()
    assert not trained.in_protocol(some.assign(steps=19_500)).any()


def test_rows_from_before_other_tasks_are_of_the_protocol(rows):
    full = rows.assign(epochs=50, steps=19_500)
    old = full.drop(columns=[*trained.FIRST, *trained.LATER], errors="ignore")
    assert trained.in_protocol(old).all()
