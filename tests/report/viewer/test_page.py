"""The viewer's page as Python writes it; what it does is in tests/browser."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from spiral.errors import ConfigError, StoreError
from spiral.model import initial, masks, mlp, stack, state_dict
from spiral.report.viewer import bundle, embed, points
from spiral.report.viewer import page as view
from spiral.results import columns as rows
from spiral.search import best_known, network
from spiral.tasks import catalogue, cubist
from tests.cli import run
from tests.report import METHODS, launches

GRID = """
defaults: {width: 4}
blocks:
  gmp: {method: gmp, keep: [12, 20], seed: 0..3}
  dense: {method: dense, seed: 0}
"""


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """A launch of 9 networks and their masks, parameters and widths."""
    out = tmp_path_factory.mktemp("rows") / "mine"
    return out, launches.write(out, GRID)


@pytest.fixture(scope="module")
def page(launch):
    return view.page([launch[0]], METHODS.options)


class Scripts(HTMLParser):
    """Finds the elements of a page as a browser would."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.now = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.now = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data):
        if self.now:
            self.texts[self.now] = self.texts.get(self.now, "") + data


def data_of(page):
    return json.loads(Scripts(page).texts["data"])


def models(data):
    """Read masks and parameters as the page does, one after the other."""
    bits = base64.b64decode(data["masks"])
    floats = np.frombuffer(base64.b64decode(data["weights"]), "<f4")
    byte = place = 0
    for width, count in zip(
        data["columns"]["width"], data["columns"]["nnz_params"], strict=True
    ):
        size = mlp.param_count(width)
        length = -(-size // 8)
        mask = masks.from_bits(bits[byte : byte + length], size)
        params = np.zeros(size, np.float32)
        params[mask] = floats[place : place + count]
        byte, place = byte + length, place + count
        yield mask, params
    assert (byte, place) == (len(bits), len(floats))


def test_every_row_and_the_whole_frontier_are_embedded_to_the_bit(launch, page):
    data = data_of(page)
    shipped = best_known.load()
    found = dict(zip(data["columns"]["config_id"], models(data), strict=False))
    for config_id, (mask, params, _) in launch[1].items():
        np.testing.assert_array_equal(found[config_id][0], mask)
        np.testing.assert_array_equal(found[config_id][1], params)
    sizes = [
        int(mask[mlp.is_weight(w)].sum())
        for (mask, _), w in zip(models(data), data["columns"]["width"], strict=True)
    ]
    assert sizes == data["columns"]["nnz"]
    ours = [
        nnz
        for nnz, method, task in zip(
            *(data["columns"][name] for name in ("nnz", "method", "task")), strict=True
        )
        if (method, task) == ("frontier", "cubist")
    ]
    assert ours == shipped["nnz"].tolist()


def test_networks_of_one_size_have_ids_of_their_own(monkeypatch):
    one, other = best_known.load().iloc[:2].to_dict("records")
    same = [one | {"accuracy": a, "loss": x} for a, x in [(0.7, 1), (0.8, 2), (0.8, 1)]]
    monkeypatch.setattr(best_known, "load", lambda: pd.DataFrame([*same, other]))
    size = f"{one['kind']}-{one['nnz']}-{one['nnz_params']}"
    *ids, last = [found.facts["id"] for found in embed.of_frontier()]
    assert ids == [f"{size}-3", f"{size}-2", size]
    assert last == f"{other['kind']}-{other['nnz']}-{other['nnz_params']}"


def tasks_of(page):
    return {task["name"]: task for task in data_of(page)["tasks"]}


def rebuilt(carried):
    """Return standardised points as the page builds them from segments."""
    walked = [
        np.linspace(segment[:2], segment[2:4], segment[4])
        for polygon in carried["segments"]
        for segment in polygon
    ]
    raw = np.concatenate(walked).astype(np.float32).astype(np.float64)
    return ((raw - carried["mean"]) / carried["deviation"]).astype(np.float32)


def test_the_points_can_be_rebuilt_from_what_the_page_carries(page):
    carried = tasks_of(page)["cubist"]["points"]
    np.testing.assert_array_equal(rebuilt(carried), cubist.load().x)


def test_points_on_other_polygons_are_rebuilt_too():
    task = catalogue.load("cubist(turns=1.5, sides=6)")
    np.testing.assert_array_equal(rebuilt(points.of_task(task)["points"]), task.x)


@pytest.mark.parametrize("name", ["moons", "planted", "checkerboard"])
def test_other_tasks_have_a_sample_of_their_points(name, page):
    task, told = catalogue.load(name), tasks_of(page)[name]
    assert (told["total"], told["chance"]) == (task.points, task.chance)
    assert told["half"] == task.window[1]
    carried = told["points"]
    steps = np.frombuffer(base64.b64decode(carried["places"]), "<i2").reshape(-1, 2)
    assert len(steps) == points.SAMPLE
    labels = np.arange(len(steps)) >= carried["zeros"]
    assert abs(labels.mean() - task.y.mean()) < 0.05
    for label in (False, True):
        near = cKDTree(task.x[task.y == label])
        apart, which = near.query(steps[labels == label] * carried["step"])
        assert apart.max() <= carried["step"]
        assert len(set(which.tolist())) == len(which)


def test_all_shipped_tasks_are_there_and_those_of_rows(tmp_path):
    assert [*tasks_of(view.page([], METHODS.options))] == catalogue.names()
    spiral = "cubist(turns=1.5)"
    launches.write(tmp_path, f"{{method: gmp, width: 4, keep: 12, task: {spiral}}}")
    page = view.page([tmp_path], METHODS.options)
    assert [*tasks_of(page)] == [*catalogue.names(), spiral]
    columns = data_of(page)["columns"]
    assert columns["task"][0] == spiral
    assert columns["method"][0] == "gmp"


def test_a_task_without_rows_has_a_network_to_train(page):
    data = data_of(page)
    columns = pd.DataFrame(data["columns"]).set_index("task")
    for name in catalogue.names()[1:]:
        last = columns.loc[[name]].iloc[-1]
        assert (last["status"], last["width"], last["init_seed"]) == ("untrained", 8, 0)
    assert "untrained" not in set(columns.loc["cubist", "status"])
    *_, (mask, params) = models(data)
    assert mask.all()
    np.testing.assert_array_equal(params, mlp.initial_params(0, 8))


def test_the_frontier_of_a_planted_task_begins_with_its_teacher(page):
    columns = pd.DataFrame(data_of(page)["columns"])
    frontier = columns[
        (columns["method"] == "frontier") & (columns["task"] == "planted")
    ]
    teacher = frontier[frontier["id"] == "planted:any-16-26"]
    assert teacher["accuracy"].tolist() == [1.0]


def test_rows_of_points_that_are_gone_are_left_out(tmp_path):
    file = tmp_path / "mine.csv"
    lines = [f"{x},{x % 7},{x % 2}" for x in range(300)]
    file.write_text("\n".join(["x1,x2,label", *lines]))
    text = f"""
    defaults: {{method: gmp, width: 4, keep: 12}}
    blocks: {{mine: {{task: {file}}}, spiral: {{task: cubist}}}}
    """
    launches.write(tmp_path / "out", text)
    there = data_of(view.page([tmp_path / "out"], METHODS.options))
    assert there["columns"]["method"].count("gmp") == 2
    assert there["tasks"][-1]["total"] == 300
    file.unlink()
    catalogue.load.cache_clear()
    gone = data_of(view.page([tmp_path / "out"], METHODS.options))
    assert gone["columns"]["method"].count("gmp") == 1
    assert "1 rows of tasks whose points are gone" in gone["source"]


def test_names_from_data_are_never_markup(tmp_path):
    out = tmp_path / "<img src=x onerror=alert(1)>"
    launches.write(out, GRID, status="</script><script>alert(2)</script>")
    text = view.page([out], METHODS.options)
    parts = Scripts(text)
    known = Scripts(view.page([], METHODS.options))
    assert [tag for tag, _ in parts.tags] == [tag for tag, _ in known.tags]
    data = data_of(text)
    assert out.name in data["source"]
    assert data["columns"]["status"][0] == "</script><script>alert(2)</script>"


def test_the_page_asks_for_nothing_but_itself(page):
    for _, attributes in Scripts(page).tags:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "default-src 'none'" in page
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\(", page)


def test_the_page_with_the_frontier_alone_is_small():
    assert len(view.page([], METHODS.options).encode()) <= 400_000


def test_a_thousand_networks_of_width_16_fit_into_6_mb(tmp_path):
    dense = "{method: dense, width: 16, seed: 0..999}"
    launches.write(tmp_path, dense, accuracy=0.5)
    text = view.page([tmp_path], METHODS.options, limit=1000)
    assert data_of(text)["columns"]["method"].count("dense") == 1000
    assert len(text.encode()) <= 6_000_000


def test_rows_of_earlier_versions_are_shown_too(tmp_path):
    launches.write(tmp_path, GRID, drop=rows.ADDED)
    columns = data_of(view.page([tmp_path], METHODS.options))["columns"]
    assert columns["method"].count("gmp") == 8
    assert columns["init_seed"][0] is not None


def test_rows_of_a_method_whose_file_is_not_loaded_are_shown_too(launch):
    others = {n: each for n, each in METHODS.options.items() if n != "gmp"}
    columns = data_of(view.page([launch[0]], others))["columns"]
    assert columns["method"].count("gmp") == 8
    assert columns["about"][columns["method"].index("gmp")].startswith("width 4, seed ")


def test_a_condition_chooses_rows(launch):
    columns = data_of(
        view.page([launch[0]], METHODS.options, "keep == 12 and seed < 2")
    )["columns"]
    kept = [
        k for m, k in zip(columns["method"], columns["nnz"], strict=True) if m == "gmp"
    ]
    assert kept == [12, 12]
    assert "dense" not in columns["method"]


@pytest.mark.parametrize(
    ("select", "said"), [("kep == 12", "unknown"), ("keep == 99", "rows that satisfy")]
)
def test_a_condition_that_cannot_be_or_that_nothing_satisfies_is_an_error(
    select, said, launch
):
    with pytest.raises(ConfigError, match=said):
        view.page([launch[0]], METHODS.options, select)


def test_a_limit_takes_the_best_of_every_size_first(launch):
    columns = data_of(view.page([launch[0]], METHODS.options, limit=3))["columns"]
    assert sorted(columns["nnz"][:3]) == [12, 20, mlp.weight_count(4)]
    by_size = {12: [], 20: []}
    for mask, params, width in launch[1].values():
        size = int(mask[mlp.is_weight(width)].sum())
        if size in by_size:
            by_size[size].append(launches.correct(params, width) / cubist.POINTS)
    for size, accuracy in zip(columns["nnz"][:3], columns["accuracy"][:3], strict=True):
        if size in by_size:
            assert accuracy == max(by_size[size])


def test_leaders_are_better_than_all_that_are_smaller(launch):
    columns = data_of(view.page([launch[0]], METHODS.options, leaders=True))["columns"]
    gmp = sorted(
        (n, a)
        for m, n, a in zip(
            columns["method"], columns["nnz"], columns["accuracy"], strict=True
        )
        if m == "gmp"
    )
    assert 1 <= len(gmp) <= 2
    assert gmp == sorted(gmp, key=lambda pair: pair[1])
    assert gmp[0][0] == 12


def test_a_config_of_two_folders_is_there_once(launch, tmp_path):
    launches.write(tmp_path, GRID)
    ids = data_of(view.page([launch[0], tmp_path], METHODS.options))["columns"]["id"]
    assert len(ids) == len(set(ids)) >= 9 + len(best_known.load())


def test_initial_weights_from_a_file_are_carried_once(tmp_path):
    arrays = {}
    for name, (w, b) in zip(
        state_dict.LAYERS, mlp.matrices(mlp.initial_params(5, 4), 4), strict=True
    ):
        arrays |= {f"{name}.weight": w, f"{name}.bias": b}
    np.savez(tmp_path / "init.npz", **arrays)
    file = tmp_path / "init.npz"
    text = f"{{method: gmp, width: 4, keep: 12, seed: 0..1, init: {file}}}"
    launches.write(tmp_path / "out", text)
    data = data_of(view.page([tmp_path / "out"], METHODS.options))
    assert data["columns"]["init"][:2] == [0, 0]
    assert data["columns"]["init_seed"][:2] == [None, None]
    (held,) = data["initial"]
    np.testing.assert_array_equal(
        np.frombuffer(base64.b64decode(held), "<f4"), mlp.initial_params(5, 4)
    )
    file.unlink()
    for kept in (initial._from_file, initial.network):
        kept.cache_clear()
    assert (
        data_of(view.page([tmp_path / "out"], METHODS.options))["columns"]["init"][:2]
        == [None] * 2
    )


def test_the_first_weights_of_a_wider_draw_are_carried_for_each_seed(tmp_path):
    launches.write(
        tmp_path / "out",
        "{method: gmp, width: 4, keep: [12, 14], seed: 0..1, init: width-6}",
    )
    data = data_of(view.page([tmp_path / "out"], METHODS.options))
    carried = [np.frombuffer(base64.b64decode(each), "<f4") for each in data["initial"]]
    trained = embed.read.read(tmp_path / "out")
    columns = data["columns"]
    for config_id, seed in zip(trained["config_id"], trained["init_seed"], strict=True):
        here = carried[columns["init"][columns["config_id"].index(config_id)]]
        wanted = initial.params("width-6", seed, 4)
        np.testing.assert_array_equal(here, wanted)
    assert len(carried) == 2


def test_what_json_cannot_say_is_null(tmp_path):
    launches.write(tmp_path, GRID)
    row = embed.read.read(tmp_path).iloc[0].copy()
    row["accuracy"] = np.nan
    row["loss"] = np.inf
    facts = embed.of_row(row, None, METHODS.options).facts
    assert (facts["accuracy"], facts["loss"]) == (None, None)


def test_modules_become_one_script_in_the_order_they_need_each_other(
    tmp_path, monkeypatch
):
    files = {
        "a.js": 'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n',
        "b.js": 'import { c } from "./c.js";\nexport function b() {}\n',
        "c.js": "export const c = 1;\n",
        "d.js": 'import { c } from "./c.js";\nconst b = 2, c = 3;\nfunction c() {}\n',
        "e.js": 'import { f } from "./f.js";\n',
        "f.js": 'import { e } from "./e.js";\n',
        "g.js": "const g = '</script>';\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(bundle, "PAGE", tmp_path)
    assert bundle.bundle("a.js").split("\n") == [
        "const c = 1;", "", "function b() {}", "", "b(c);", ""
    ]  # fmt: skip
    for name, said in (("d", "both declare c"), ("e", "circle"), ("g", "script")):
        with pytest.raises(ValueError, match=said):
            bundle.bundle(f"{name}.js")


def test_every_module_is_short_and_used():
    used = {*bundle.ordered("main.js", ()), *bundle.ordered("work.js", ())}
    modules = {path.name for path in bundle.PAGE.iterdir() if path.name.endswith(".js")}
    assert used == modules
    for name in modules:
        assert len(bundle.read(name).splitlines()) < 250, name


def test_the_command_writes_the_page(launch, tmp_path):
    ran = run("view", launch[0], "--select", "keep == 12", "-o", tmp_path / "v.html")
    assert (ran.code, ran.out.strip()) == (0, str(tmp_path / "v.html"))
    assert data_of((tmp_path / "v.html").read_text())["source"].startswith(
        "4 of 9 rows of mine"
    )
    assert run("view", tmp_path, "-o", tmp_path / "no.html").code == 1


def test_a_folder_without_rows_is_an_error(tmp_path):
    with pytest.raises(StoreError):
        view.page([tmp_path / "nowhere"], METHODS.options)


def test_networks_of_files_are_on_the_page_beside_those_of_launches(launch, tmp_path):
    known = best_known.load().query("nnz == 16 and shape == '3,2,2'").iloc[-1]
    mask, params, width = network.unpacked(known["matrices"], known["params"])
    whole = stack.of_flat(stack.Flat(mask, params, width), (3, 2, 2))
    file = tmp_path / "theirs.npz"
    named = {f"{n}.weight": layer.weights for n, layer in enumerate(whole)}
    named |= {f"{n}.bias": layer.biases for n, layer in enumerate(whole)}
    np.savez(file, **named)
    found = embed.of_folders([launch[0], file], METHODS.options, None, False, 1000)
    *_, one = found.networks
    facts = one.facts
    assert (facts["method"], facts["nnz"], facts["width"]) == ("file", 16, 3)
    assert facts["accuracy"] == known["correct"] / cubist.POINTS
    np.testing.assert_array_equal(one.mask, mask)
    np.testing.assert_array_equal(one.kept, params[mask])
    assert "1 networks of theirs.npz" in found.notes
    data = data_of(view.page([file], METHODS.options))
    assert data["columns"]["method"].count("file") == 1
