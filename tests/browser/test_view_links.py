"""Links into the viewer's page: behind # an address says which networks to open."""

import pytest

from spiral.methods.registry import options
from spiral.report.viewer import page as view
from spiral.results import read, summary
from spiral.search import best_known
from tests.browser.stage import correct, id_of, number, opened, part, smallest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def best(launch):
    """Points that the best network of a method and size has right."""

    def best(method, keep):
        rows = read.read(launch[0])
        found = rows[(rows["method"] == method) & (rows["nnz"] == keep)]
        return round(found["accuracy"].max() * 49_982)

    return best


@pytest.mark.parametrize("link", ["gmp@12", "gmp@20", "magnitude@200"])
def test_a_method_and_a_size_open_its_best_network(link, tab, file, best):
    method, size = link.split("@")
    page = opened(tab, file, f"a={link}")
    assert part(page, 0, "name").inner_text() == f"{method}, {size} weights"
    assert abs(correct(page, 0) - best(method, int(size))) <= 1


def test_beside_it_is_the_best_known_that_is_no_larger_and_no_wider(tab, file):
    page = opened(tab, file, "a=gmp@12")
    known = best_known.within(best_known.load(), 4)
    wanted = known[known["nnz"] <= 12]["correct"].max()
    assert part(page, 1, "name").inner_text().startswith("Best known")
    assert abs(correct(page, 1) - wanted) <= 1


def test_a_method_alone_opens_the_best_of_all_sizes(tab, file, best):
    page = opened(tab, file, "a=gmp")
    most = max(best("gmp", 12), best("gmp", 20))
    assert abs(correct(page, 0) - most) <= 1


def test_both_sides_can_be_named(tab, file):
    page = opened(tab, file, f"a=magnitude@30&b={id_of(smallest(1))}")
    assert number(page, 0, "nnz") == 30
    assert correct(page, 1) == 49_982


def test_a_name_that_does_not_exist_opens_what_is_first(tab, file):
    first = part(opened(tab, file, ""), 0, "name").inner_text()
    assert part(opened(tab, file, "a=nothing@5"), 0, "name").inner_text() == first


def test_the_gallery_opens_every_pruner_by_its_name(visit, tab, tmp_path):
    file = tmp_path / "gallery.html"
    place = summary.shipped("gallery")
    file.write_text(view.page([place], options(), leaders=True))
    table, _ = summary.read(place)
    for method in ("gmp", "snip", "obspa"):
        page = opened(tab, file, f"a={method}")
        assert part(page, 0, "name").inner_text().startswith(f"{method}, ")
        wanted = table[table["method"] == method]["accuracy"].max() * 49_982
        assert abs(correct(page, 0) - wanted) <= 1
