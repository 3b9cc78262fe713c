"""Every notebook runs to its end on the shipped rows, and shows what it promises."""

import ast
import re
from base64 import b64decode

import pandas as pd
import pytest
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.text import Text

from spiral.methods.registry import METHODS
from tests import notebooks
from tests.notebooks import ROOT

NOTEBOOKS = {
    "paper": 1,
    "fidelity": 2,
    "search": 2,
    "smallest": 3,
    "add_a_method": 1,
    "robustness": 1,
    "regimes": 1,
}
"""Figures of each."""


LARGEST = 700_000
"""Bytes of a notebook: what code hosts still render."""

OF_A_RUN = {
    "a path": r"(?<![\w/<])/(?:home|root|tmp|usr|opt|var|work|Users)/|[A-Z]:\\",
    "a date": r"\b20\d\d-\d\d-\d\d\b",
    "a time": r"\b\d\d?:\d\d:\d\d\b",
    "an address in memory": r"\bat 0x[0-9a-f]{6,}",
}
"""What outputs must not contain: it differs from run to run."""


def executed(path):
    """Run the cells of a notebook in order; return what each shows, and the prose."""
    shown, names = [], {"__name__": "notebook"}
    cells = notebooks.script(path.stem).cells
    for cell in cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source.replace("%matplotlib inline", ""))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(path), "exec"), names)
        if last is not None:
            code = compile(ast.Expression(last.value), str(path), "eval")
            shown.append(eval(code, names))
    return shown, [cell.source for cell in cells if cell.cell_type == "markdown"]


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(METHODS)
    display = pd.get_option("display.precision")
    yield
    pd.set_option("display.precision", display)
    METHODS.clear()
    METHODS.update(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_and_shows_figures_tables_and_sentences(name):
    shown, prose = executed(ROOT / "analysis" / f"{name}.py")
    figures = [s for s in shown if isinstance(s, Figure)]
    tables = [s for s in shown if isinstance(s, pd.DataFrame)]
    sentences = [s.data for s in shown if isinstance(s, Markdown)]
    assert len(figures) == NOTEBOOKS[name]
    assert len(tables) >= 2
    assert all(len(table) for table in tables)
    assert sentences
    assert not any("nan" in text or "<NA>" in text for text in sentences)
    assert prose[0].startswith("# ")
    assert not any(of_a_run(text) for text in map(words, figures))
    if not trains(name):  # rows may differ in bits on a processor of another kind
        assert sentences == texts(name, "text/markdown")
        assert [table._repr_html_() for table in tables] == texts(name, "text/html")


def words(figure):
    """Return all text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def of_a_run(text):
    """Return what a text contains that differs from run to run."""
    return [what for what, pattern in OF_A_RUN.items() if re.search(pattern, text)]


def outputs(name):
    """Return what the cells of a committed notebook show."""
    cells = notebooks.kept(name).cells
    return [o for cell in cells for o in cell.get("outputs", ())]


def texts(name, kind):
    """Return the outputs of a committed notebook of one kind."""
    data = [output.get("data", {}) for output in outputs(name)]
    return [each[kind] for each in data if kind in each]


def trains(name):
    """Return whether a notebook trains the networks that it describes."""
    return any("launch.run(" in cell.source for cell in notebooks.script(name).cells)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_has_the_cells_of_its_script(name):
    cells = [
        [(cell.cell_type, cell.source) for cell in read(name).cells]
        for read in (notebooks.script, notebooks.kept)
    ]
    assert cells[0] == cells[1]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_has_outputs_without_errors_and_warnings(name):
    assert len(texts(name, "image/png")) == NOTEBOOKS[name]
    assert {output.output_type for output in outputs(name)} == {"execute_result"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_has_nothing_of_the_run_that_made_it(name):
    shown = [t for k in ("html", "markdown", "plain") for t in texts(name, f"text/{k}")]
    assert of_a_run("\n".join(shown)) == []
    notebook = notebooks.kept(name)
    assert notebook.metadata.keys() == {"jupytext", "kernelspec"}
    assert not any(cell.metadata for cell in notebook.cells)
    for png in texts(name, "image/png"):
        assert b"Software" not in b64decode(png)[:200]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_is_small(name):
    assert (ROOT / "analysis" / f"{name}.ipynb").stat().st_size <= LARGEST


def test_the_list_is_that_of_the_folder():
    assert notebooks.pages() == sorted(NOTEBOOKS)
    files = {path.stem for path in (ROOT / "analysis").glob("*.ipynb")}
    assert files == set(NOTEBOOKS)
