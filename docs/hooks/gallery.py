"""The page of networks as a part of the site: the viewer, with what is shipped."""

from spiral.methods import registry
from spiral.report.viewer import page
from spiral.results import summary

PLACE = "gallery.html"

TITLE = "Networks to play with"
"""Its name in the menu. Pages name it in italics: the repository has no such page."""

NETWORKS = "gallery"
"""The shipped summary that has a network of every pruner."""


def content() -> str:
    """Return the page of the best known networks and of those of the summary."""
    shipped = [summary.shipped(NETWORKS)] if NETWORKS in summary.names() else []
    return page.page(shipped, registry.options(), leaders=True)


def methods() -> frozenset[str]:
    """Return the methods of which the page has a network."""
    if NETWORKS not in summary.names():
        return frozenset()
    rows, _ = summary.read(summary.shipped(NETWORKS))
    return frozenset(rows["method"])
