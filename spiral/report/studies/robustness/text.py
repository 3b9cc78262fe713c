"""The document of a robustness study."""

from spiral.report.studies.robustness.corruptions import CORRUPTIONS
from spiral.report.studies.robustness.diagnosis import Diagnosis
from spiral.report.studies.robustness.measure import KINDS
from spiral.report.text.document import Document, Table

KEY = ["method", "width", "keep"]
NUMBERS = ["n", "nnz", "accuracy", "mean_corruption", "drop"]
POINTS = ["angle", "length", "margin", "room", "silent", "fragile", "lost"]

GROUPS = {
    "keep": "weights asked for; of best known networks the weights kept",
    "n": "networks; every number is the median over them",
    "nnz": "weights kept",
    "accuracy": "accuracy on the points as they are",
    "mean_corruption": "mean accuracy over eight corruptions at five severities",
    "drop": "(accuracy - mean_corruption) / accuracy",
    "angle": "degrees between the features of a point and the direction of its class",
    "length": "norm of the features of a point",
    "margin": "distance of the features from the boundary, positive if correct",
    "room": "distance that a correct point can move in any direction and stay correct",
    "silent": "share of points whose features are all zero",
    "fragile": "share of points that are correct when clean and wrong under at least "
    "half of the corruptions at the highest severity",
    "lost": "share of points that the dense network of the same seed has correct and "
    "this one wrong; missing without a dense network",
}
OVERLAP = {
    "n": "pairs of networks of equal seed",
    "fragile": "Jaccard index of the fragile points of a and b (median)",
    "lost": "Jaccard index of the lost points of a and b (median)",
}


def document(found: Diagnosis) -> Document:
    """Return all that was measured."""
    order = ["width", "keep", "mean_corruption"]
    groups = found.groups.sort_values(order, ascending=[True, True, False])
    kinds = found.groups[[*KEY, *KINDS]]
    tables = {
        "networks": Table("Each network", found.networks),
        "groups": Table(
            "Robustness of each method, width and size",
            found.groups,
            groups[[*KEY, *NUMBERS, *POINTS]],
            GROUPS,
        ),
        "kinds": Table(
            "Mean accuracy under each corruption", kinds, groups[[*kinds]], {}
        ),
        "curves": Table("Accuracy at each severity", found.curves),
        "overlap": Table(
            "Overlap of the points that two methods get wrong",
            found.overlap,
            found.overlap,
            OVERLAP,
        ),
        "redundancy": Table(
            "Correlation of how two corruptions change the margins of points",
            found.redundancy,
            found.redundancy,
        ),
    }
    sizes = {kind: [*values] for kind, (_, values) in CORRUPTIONS.items()}
    return Document(tables, found.notes, facts={"corruptions": sizes})
