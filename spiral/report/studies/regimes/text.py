"""The document of a map of regimes."""

from spiral.report.studies.regimes.regime_map import RegimeMap
from spiral.report.text.document import Document, Table

CELLS = {
    "keep": "weights asked for (the load)",
    "n": "dense networks",
    "lmc": "linear mode connectivity of two retrainings: the mean error of both ends "
    "minus the most different error on the line between them; below 0 is a barrier",
    "cka": "linear CKA of the outputs of two retrainings",
    "error": "mean error of all retrainings",
    "agree": "dense networks whose own regime is that of the cell",
    "collapsed": "dense networks whose retrainings all have constant outputs",
    "over": "error minus the least error at this load",
    "accuracy_gap": "accuracy of the best network known of the size minus the mean "
    "accuracy of the cell",
}
REGIMES = {
    "cells": "cells of the map in this regime",
    "accuracy_gap": "median over its cells",
    "over": "median over its cells",
}


def document(found: RegimeMap) -> Document:
    """Return all that a map has found."""
    title = f"Width {found.width}, {found.temperature} from cold to hot"
    tables = {
        "cells": Table(title, found.cells, found.cells, CELLS),
        "regimes": Table("Regimes", found.regimes, found.regimes, REGIMES),
    }
    facts = {"temperature": found.temperature, "width": found.width}
    return Document(tables, found.notes, facts=facts)
