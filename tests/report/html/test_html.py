"""The page: whole, alone, and the same every time."""

import re
from html.parser import HTMLParser

import pytest

from spiral.errors import ConfigError, StoreError
from spiral.report import html
from spiral.report.stats.compare import Question
from spiral.results import store
from tests.report import METHODS
from tests.results.test_load import written

pytestmark = pytest.mark.slow  # draws whole reports

GRID = "{method: [gmp, magnitude], width: [3], keep: [16, 20], seed: 0..5}"


class Reader(HTMLParser):
    """Collects what a page refers to, and whether its elements are closed."""

    VOID = frozenset({"meta", "link", "img"})

    def __init__(self, text):
        super().__init__()
        self.open, self.refers, self.ids, self.alts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.refers += [found[n] for n in ("src", "href") if n in found]
        self.ids += [found["id"]] if "id" in found else []
        self.alts += [found.get("alt")] if tag == "img" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    written(folder, GRID)
    return folder


@pytest.fixture(scope="module")
def page(out):
    return html.report([out], METHODS)


def test_the_page_is_well_formed_and_alone(page):
    reader = Reader(page)
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(ref.startswith(("data:", "#")) for ref in reader.refers)
    assert not re.search(r"https?://", re.sub(r"base64,[^\"]*", "", page))
    anchors = {ref[1:] for ref in reader.refers if ref.startswith("#")}
    assert anchors <= {*reader.ids}


def test_figures_have_words_and_commands(page, out):
    reader = Reader(page)
    assert len(reader.alts) >= 5
    assert all(len(alt) > 40 for alt in reader.alts)
    assert sum("n = 6 seeds" in alt for alt in reader.alts) >= 3
    typed = re.sub(r"</?span[^>]*>", "", page)
    for kind in ("excess", "accuracy", "connected", "pairs"):
        assert f"spiral-sweep plot {kind} {out} -o {kind}.png" in typed
    assert f"spiral-sweep compare {out} --table groups" in typed
    assert f"spiral-sweep report {out} -o report.html" in typed


def test_what_cannot_be_drawn_is_said(page):
    assert "a size with rows of two widths" in page
    assert "launch fidelity" in page


def test_equal_rows_give_equal_pages(page, out):
    assert html.report([out], METHODS) == page


def test_the_question_is_in_the_commands_and_the_grid_is_text(out, tmp_path):
    written(tmp_path, GRID)
    configs, _ = store.read_manifest(tmp_path)
    evil = "<script>alert(1)</script>\"'&"
    store.write_manifest(tmp_path, configs, {"grid": evil})
    found = html.report(
        [tmp_path], METHODS, Question(thresholds=(0.8,), seed_split=True)
    )
    typed = re.sub(r"</?span[^>]*>", "", found)
    assert f"plot excess {tmp_path} --threshold 0.8 --seed-split -o excess.png" in typed
    assert "weights reach 80 %" in found
    assert "<script>alert" not in found
    assert found.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") >= 2


def test_a_page_is_written_whole(tmp_path):
    html.write("a page", tmp_path / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert (tmp_path / "r.html").read_text() == "a page"
    with pytest.raises(StoreError, match="cannot write"):
        html.write("a page", tmp_path / "r.html" / "x.html")


def test_mistakes_are_said(tmp_path, out):
    with pytest.raises(StoreError, match="expected a results directory"):
        html.report([tmp_path], METHODS)
    with pytest.raises(ConfigError, match="no column 'colour'"):
        html.report([out], METHODS, Question(by=("colour",)))


def test_rows_are_counted_by_status(page):
    assert "<dd>24 ok</dd>" in page
