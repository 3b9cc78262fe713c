"""The catalogue of figures: one entry for each.

The command line makes the commands of ``plot`` from it, ``diagnose`` and the report
page draw from it, the documentation lists it. To add a figure, write what it shows (in
``stats``), how it is drawn (a function to a ``Figure``, in this folder), and an entry
here.
"""

from spiral.report.figures import bottleneck, files, rows, scores, tasks, transfer
from spiral.report.figures.entry import Entry, Option
from spiral.report.studies.regimes import figure as regimes
from spiral.report.studies.robustness import figure as robustness

WIDTHS = Option("width", "widths", "sizes", "Draw only these widths.", "3,16,…")

FIGURES = (
    Entry(
        "ranks",
        "Normalised gap and rank",
        "Normalised gap of each method to the best known networks, with intervals and "
        "the limits of its rank.",
        "rows",
        scores.ranks,
        (WIDTHS,),
        in_report=True,
    ),
    Entry(
        "profile",
        "Performance profiles",
        "Share of each method's networks within each gap to the best known, over all "
        "sizes.",
        "rows",
        scores.profile,
        (WIDTHS,),
        in_report=True,
    ),
    Entry(
        "cost",
        "Normalised gap over cost",
        "Normalised gap of each method over the epochs that a network takes.",
        "rows",
        scores.cost,
        (WIDTHS,),
        in_report=True,
    ),
    Entry(
        "excess",
        "Excess weights over the best known",
        "Weights beyond the best known that each method needs to reach an accuracy, "
        "with intervals.",
        "rows",
        rows.excess,
        (WIDTHS,),
        in_report=True,
        aliases=("gaps",),
    ),
    Entry(
        "accuracy",
        "Accuracy over the weights kept",
        "Median accuracy of each method over the weights kept, a panel for each width, "
        "with the best networks known.",
        "rows",
        rows.accuracy,
        (WIDTHS,),
        in_report=True,
    ),
    Entry(
        "width",
        "Accuracy over width",
        "Median accuracy of each method over the width of the hidden layers, a panel "
        "for each size.",
        "rows",
        rows.over_width,
        (
            Option(
                "keep",
                "keeps",
                "sizes",
                "Draw a panel for each of these sizes [six of those present].",
                "20,26,…",
            ),
        ),
        in_report=True,
    ),
    Entry(
        "connected",
        "Connected networks",
        "Share of networks with a path from input to output, and the weights on such "
        "paths, over the weights kept.",
        "rows",
        rows.connected,
        (WIDTHS,),
        in_report=True,
    ),
    Entry(
        "fixed",
        "Pruning from fixed initial weights",
        "Accuracy of pruners over the weights kept, with the best network found within "
        "the same initial weights.",
        "rows",
        rows.from_fixed,
        in_report=True,
    ),
    Entry(
        "fidelity",
        "Exact algorithms and the paper's code",
        "Probability that each method's exact version is better than that of the "
        "paper's code, with equal seeds.",
        "rows",
        rows.fidelity,
        in_report=True,
    ),
    Entry(
        "pairs",
        "Best network of each method",
        "Decision map of each method's best network of one size, beside the best known "
        "network.",
        "rows",
        rows.best_maps,
        (
            Option(
                "keep",
                "keep",
                "size",
                "Draw this size [that of most methods, closest to the best known].",
            ),
        ),
        in_report=True,
        bitmap=True,
    ),
    Entry(
        "transfer",
        "Methods on several tasks",
        "Normalised gap of each method on each task, with intervals, and how far the "
        "ranks of methods on two tasks agree.",
        "transfer",
        transfer.transfer,
    ),
    Entry(
        "difficulty",
        "Normalised gap over the turns of the spiral",
        "Normalised gap of each method on spirals of several turns, and the weights "
        "that the best known networks need there.",
        "transfer",
        transfer.difficulty,
    ),
    Entry(
        "budget",
        "Accuracy and entropy over the budget",
        "Median accuracy and output entropy over the epochs trained, a line for each "
        "size.",
        "budgets",
        files.budget,
    ),
    Entry(
        "boundary",
        "Decision boundary",
        "Decision map of one network over the plane, with data.",
        "network",
        files.boundary,
    ),
    Entry(
        "neurons",
        "Neurons of one network",
        "One network as a graph of maps of where in the plane each neuron is active.",
        "network",
        files.neurons,
    ),
    Entry(
        "success",
        "Success rate of a search",
        "Share of trainings of given masks that reach an accuracy, over the weights of "
        "the mask.",
        "trainings",
        files.success,
        (
            Option(
                "level",
                "levels",
                "levels",
                "Count trainings that reach this accuracy [0.8, 0.9, 0.95]. "
                "Repeatable.",
            ),
        ),
    ),
    Entry(
        "frontier",
        "Frontier",
        "Best accuracy known over the size of the network.",
        "frontier",
        files.frontier,
        (Option("by", "by", "count", "Choose what counts as size."),),
    ),
    Entry(
        "networks",
        "Networks of the frontier",
        "Best known networks as graphs, with their decision maps or neurons.",
        "frontier",
        files.networks,
        (
            Option(
                "nnz",
                "nnz",
                "sizes",
                "Draw these sizes [the smallest that reaches each threshold].",
                "10,16,…",
            ),
            Option("neurons", "neurons", "flag", "Show where each neuron is active."),
        ),
    ),
    Entry(
        "bottleneck",
        "Networks with one unit in layer 2",
        "What the single unit of layer 2 computes over the plane, and the class over "
        "its value.",
        "frontier",
        bottleneck.draw,
        (
            Option(
                "nnz",
                "nnz",
                "sizes",
                "Draw these sizes [the smallest that reaches each threshold].",
                "12,14,…",
            ),
        ),
    ),
    Entry(
        "tasks",
        "Tasks",
        "Points of each task by class, with the boundary of a network that labelled "
        "them, where one did.",
        "tasks",
        tasks.draw,
    ),
    Entry(
        "robustness",
        "Robustness to corrupted inputs",
        "Accuracy under corruption over the weights kept and over severity, beside the "
        "best known networks.",
        "study",
        robustness.draw,
    ),
    Entry(
        "regimes",
        "Regimes of pruning",
        "Regime, connectivity, similarity and accuracy gap of retrained networks, over "
        "temperature and the weights kept.",
        "study",
        regimes.draw,
    ),
)


def find(name: str) -> Entry:
    """Return the figure of a name or a former name.

    Raises:
        KeyError: There is none.
    """
    for entry in FIGURES:
        if name in (entry.name, *entry.aliases):
            return entry
    raise KeyError(name)
