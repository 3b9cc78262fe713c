"""Every notebook runs to its end on the shipped rows, and shows what it promises."""

import ast
import warnings
from pathlib import Path

import jupytext
import pandas as pd
import pytest
from IPython.display import Markdown
from matplotlib.figure import Figure

from spiral.methods.registry import METHODS

ROOT = Path(__file__).parent.parent.parent
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


def executed(path):
    """Run the cells of a notebook in order; return what each shows, and the prose."""
    shown, names = [], {"__name__": "notebook"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupytext's own
        cells = jupytext.read(path).cells
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
def nothing_stays():
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


def test_the_list_is_that_of_the_makefile_and_of_the_folder():
    files = {path.stem for path in (ROOT / "analysis").glob("*.py")}
    line = f"NOTEBOOKS = {' '.join(NOTEBOOKS)}\n"
    assert files == set(NOTEBOOKS)
    assert line in (ROOT / "Makefile").read_text()
