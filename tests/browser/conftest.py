"""The pages that tests open in a browser."""

import pytest

from spiral.methods.registry import options
from spiral.model import mlp
from spiral.report.viewer import page as view
from tests.browser.stage import LOADED, id_of, opened, smallest
from tests.report import launches

GRID = """
blocks:
  gmp: {method: gmp, width: 4, keep: [12, 20], seed: 0..19}
  wide: {method: magnitude, width: 16, keep: [30, 200], seed: 0, lr: 0.05}
"""


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows") / "launch"
    return out, launches.write(out, GRID)


@pytest.fixture(scope="module")
def file(launch, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "view.html"
    path.write_text(view.page([launch[0]], options()))
    return path


@pytest.fixture(scope="module")
def ids(launch):
    """Ids on the page of a network of 20 weights, and of one of 200 of width 16."""
    found = {}
    for config_id, (mask, _, width) in launch[1].items():
        found[int(mask[mlp.is_weight(width)].sum())] = config_id
    return {keep: config_id[:12] for keep, config_id in found.items()} | {"full": found}


@pytest.fixture(scope="module")
def tab(visit_for_module, file):
    return visit_for_module(file, bypass_csp=True)


@pytest.fixture
def page(tab, file, ids):
    """The page anew: 20 weights of width 4 on side A, a best known one on side B."""
    return opened(tab, file, f"a={ids[20]}&b={id_of(smallest(0.95))}{LOADED}")
