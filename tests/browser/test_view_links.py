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


def test_a_name_that_does_not_exist_opens_what_is_first_and_says_so(tab, file):
    page = opened(tab, file, "")
    assert not page.locator(".unread").is_visible()
    first, second = (part(page, side, "name").inner_text() for side in (0, 1))
    page = opened(tab, file, "a=nothing@5&b=<i>x")
    shown = [part(page, side, "name").inner_text() for side in (0, 1)]
    assert shown == [first, second]
    assert page.locator(".unread").inner_text() == (
        f"No network named nothing@5; showing {first}. "
        f"No network named <i>x; showing {second}."
    )
    page.locator(".pick").first.click()
    assert not page.locator(".unread").is_visible()


UNREAD = {
    "task=mars": "No task named mars; showing cubist.",
    "view=1,2": "Cannot read view=1,2 of the link.",
    "show=q": "Cannot read show=q of the link.",
    "on=c": "Cannot read on=c of the link.",
    "colour=red": "Cannot read colour=red of the link.",
    "a=gmp&net-a=AAAA": "Cannot read net-a=AAAA of the link.",
    f"x={'y' * 90}": f"Cannot read x={'y' * 60}… of the link.",
}


@pytest.mark.parametrize("link", UNREAD)
def test_what_cannot_be_read_of_a_link_is_named(link, tab, file):
    assert opened(tab, file, link).locator(".unread").inner_text() == UNREAD[link]


def test_a_link_that_the_page_wrote_is_read_in_full(page, tab, file):
    page.locator(".edge").first.press("Enter")
    page.wait_for_function("location.hash.includes('net-a')")
    again = opened(tab, file, page.evaluate("location.hash.slice(1)"))
    assert not again.locator(".unread").is_visible()
    again.evaluate("location.hash = 'a=nobody'")
    again.locator(".unread", has_text="No network named nobody").wait_for()


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
