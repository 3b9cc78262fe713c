"""``dense``: no pruning, the control at the other end."""

from dataclasses import dataclass

from spiral.methods.entry import Entry, Taxonomy
from spiral.protocol.job import Budget, Change, Plan, View


@dataclass(frozen=True)
class Dense:
    """Trains every weight."""

    def plan(self, budget: Budget) -> Plan:
        """No events."""
        return Plan.simple(budget)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Change nothing (there are no events)."""
        return Change(), None


ENTRY = Entry(
    build=Dense,
    summary="all weights, never pruned",
    citation="control",
    taxonomy=Taxonomy(
        unit="weight",
        when="never",
        schedule="none",
        criterion="none",
        cost="dense",
    ),
    needs_keep=False,
    colour="#555555",
    marker="s",
)
