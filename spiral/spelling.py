"""Suggestions for unknown names: another word for a known name, or a typo of one.

Papers and libraries use other words for the names in grids and commands. They are
listed here under our names, in any spelling: case, spaces and punctuation do not count.
A listed word is never taken for a typo of another name.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

MAX_LISTED = 80
"""If more names are known, only similar ones are suggested."""
MAX_NEAR = 5
MAX_LENGTH = 40
"""Longer input is not a misspelt name."""


class Words(NamedTuple):
    """Other words for names of one kind."""

    of: Mapping[str, Sequence[str]]
    """Our name → other words for it."""
    notes: Mapping[str, str] = {}
    """Our name → how its meaning differs from that of the other words."""
    catalogue: str = ""
    """Where all names are listed."""


METHODS = Words(
    {
        "dense": ["unpruned", "no pruning", "baseline"],
        "random": ["rand", "random pruning"],
        "static": ["static sparse training", "random erk", "er random"],
        "magnitude": [
            *("mag", "mp", "omp", "magnitude pruning", "one-shot magnitude"),
            *("global magnitude", "weight magnitude", "l1_unstructured"),
        ],
        "gmp": [
            *("gradual", "gradual magnitude", "gradual magnitude pruning", "agp"),
            *("automated gradual pruning", "Zhu & Gupta"),
        ],
        "lamp": ["layer-adaptive magnitude pruning", "layer-adaptive sparsity"],
        "lth": [
            *("lottery", "lottery ticket", "lottery tickets", "winning ticket", "lt"),
            *("lottery ticket hypothesis", "IMP with rewinding", "weight rewinding"),
        ],
        "lrr": ["learning rate rewinding", "lr rewinding", "learning-rate rewinding"],
        "snip": ["single-shot network pruning", "connection sensitivity"],
        "iter_snip": ["SNIP-it", "iterative SNIP", "isnip"],
        "force": ["foresight connection sensitivity", "progressive skeletonization"],
        "grasp": ["gradient signal preservation"],
        "synflow": ["sf", "synaptic flow", "synflow-l2", "px", "path exclusion"],
        "prospr": ["prospect pruning"],
        "ntk_sap": ["ntksap", "neural tangent kernel", "ntk spectrum-aware pruning"],
        "npb": ["node-path balancing", "node path balance"],
        "phew": ["paths with higher edge weights", "random walks"],
        "rigl": ["rigged lottery", "dynamic sparse training", "dst"],
        "acdc": ["alternating compressed/decompressed"],
        "acdc_pp": ["acdc++", "acdcpp", "acdc plus plus"],
        "imp": [
            *("iterative magnitude", "iterative magnitude pruning", "iterative"),
            *("fine-tuning", "finetune"),
        ],
        "bimp": ["budgeted IMP", "budgeted iterative magnitude pruning"],
        "sms": ["sparse model soups", "soups", "model soups"],
        "one_shot": ["oneshot pruning", "single shot"],
        "scratch": ["train from scratch", "from scratch", "retrain"],
        "shuffled": ["shuffle", "layerwise shuffled", "random reallocation"],
        "ste": ["straight-through", "straight-through estimator"],
        "sfw": ["stochastic Frank-Wolfe", "Frank-Wolfe", "fw"],
        "dpf": ["dynamic pruning with feedback"],
        "iht": ["iterative hard thresholding", "hard thresholding"],
        "aiht": ["accelerated iterative hard thresholding", "accelerated iht"],
        "set": ["sparse evolutionary training", "sparse evolution"],
        "mest": ["memory-economic sparse training"],
        "granet": ["gradual pruning with neuroregeneration", "gradual network"],
        "cht": ["cannistraci-hebb training", "epitopological learning"],
        "chts": ["cannistraci-hebb training soft", "cht soft"],
        "deepr": ["deep rewiring", "deep-r"],
        "gse": ["guided stochastic exploration"],
        "snfs": ["sparse networks from scratch", "sparse momentum"],
        "str": ["soft threshold reparameterization", "learned thresholds"],
        "powerprop": ["powerpropagation", "power propagation"],
        "movement": ["movement pruning", "mvp"],
        "cs": ["continuous sparsification"],
        "spartan": ["optimal transport sparsity", "soft top-k"],
        "l0": ["l0 regularization", "hard concrete"],
        "edge_popup": ["hidden networks", "supermask", "supermasks"],
        "sign_in": ["sign flips", "product reparameterization"],
        "block": ["combinatorial search"],
        "mask": ["combinatorial search", "given mask", "fixed mask"],
        "l1_unit": ["l1", "l1_structured", "filter pruning", "l1 filter"],
        "taylor_unit": ["taylor", "taylor pruning", "first-order taylor"],
        "spa": ["structurally prune anything"],
        "obs": ["optimal brain surgeon"],
        "obspa": ["optimal brain surgeon", "optimal brain spa"],
        "obc": ["optimal brain compression"],
        "woodfisher": ["m-fac", "wood fisher", "empirical fisher"],
        "cbs": ["combinatorial brain surgeon"],
        "alps": ["admm"],
        "dsnot": ["dynamic sparse no training"],
        "soft_filter": ["sfp", "soft filter pruning"],
        "group_norm": ["depgraph", "group lasso", "group norm pruning"],
        "slimming": ["network slimming", "bn slimming"],
    },
    catalogue="`spiral-sweep methods` lists all",
)

KEYS = Words(
    {
        "method": ["pruner", "algorithm", "methods", "pruning method", "strategy"],
        "width": [
            *("hidden", "hidden size", "hidden dim", "hidden units", "hidden width"),
            *("n_hidden", "num_hidden", "units", "neurons", "layer size", "dim"),
        ],
        "keep": [
            *("density", "sparsity", "final sparsity", "target sparsity", "amount"),
            *("sparsities", "densities", "pruning ratio", "prune ratio"),
            *("nnz", "n_weights", "num_weights", "weights", "budget", "remaining"),
            *("kept", "k", "target", "pruning rate", "prune rate"),
        ],
        "lr": ["learning rate", "learn rate", "eta", "step size", "base_lr", "lrate"],
        "schedule": ["scheduler", "lr schedule", "lr scheduler"],
        "epochs": [
            *("epoch", "num epochs", "n_epochs", "max epochs", "train epochs"),
            *("training epochs", "nepochs"),
        ],
        "stop_epoch": ["stop", "early stop", "early stopping"],
        "batch": ["batch size", "bs", "minibatch", "mini-batch size", "train batch"],
        "momentum": ["mom", "sgd momentum"],
        "weight_decay": ["wd", "l2", "decay rate", "l2 penalty"],
        "seed": ["seeds", "random seed", "random state", "rng", "trial", "repeat"],
        "replicate": ["replicates", "replication", "repetition", "repeats", "draw"],
        "init_seed": ["weight seed", "model seed", "initial seed"],
        "order_seed": ["data seed", "shuffle seed", "batch seed"],
        "init": ["initial weights", "init weights", "weights file", "state dict"],
        "engine": ["device", "backend", "accelerator"],
        "at_epoch": ["prune epoch", "pruning epoch", "prune at"],
        "interval": ["frequency", "prune frequency", "pruning interval"],
        "update_interval": ["delta t", "delta_T", "update frequency"],
        "end": ["t_end", "end fraction"],
        "drop": ["drop fraction"],
        "rewind_epoch": ["rewind to", "rewind step"],
        "rate": ["pruning rate", "prune rate"],
        "rounds": ["iterations", "n_iters", "num rounds", "n_rounds", "steps"],
        "cycles": ["num cycles", "n_cycles", "iterations"],
        "levels": ["num levels", "n_levels", "iterations"],
        "growth": ["grow", "grow criterion", "regrow"],
        "scope": ["granularity", "layerwise", "global"],
        "allocation": [
            *("sparsity distribution", "density distribution", "layer budgets"),
            *("layer sparsities", "layer densities", "quotas"),
        ],
        "label_smoothing": ["smooth labels", "label smoothing epsilon"],
        "nesterov": ["nag", "nesterov momentum", "nesterovs momentum"],
        "optimiser": ["optimizer", "optim", "solver"],
        "normalise": ["normalize"],
        "retrain_epochs": ["finetune epochs", "fine-tuning epochs"],
        "retrain_lr": ["finetune lr", "fine-tuning lr"],
        "matrices": ["mask", "masks"],
        "temperature": ["tau"],
        "nm_keep": ["n:m"],
        "nm_group": ["n:m"],
    },
    notes={"keep": " (the number of weights, not a share of them)"},
    catalogue="`spiral-sweep methods NAME` lists the keys of a method, "
    "`spiral-sweep schema` all",
)

TASKS = Words(
    {
        "cubist": ["cubist spiral", "spiral", "polygonal spiral"],
        "spirals": ["spiral", "two spirals", "smooth spiral", "archimedean spiral"],
        "moons": ["two moons", "half moons", "make_moons"],
        "rings": ["circles", "make_circles", "annuli", "donut", "concentric circles"],
        "checkerboard": ["chessboard", "chess board", "checkers", "grid"],
        "xor": ["exclusive or", "quadrants"],
        "blobs": ["gaussians", "gauss", "make_blobs", "clusters", "mixture"],
        "planted": ["teacher", "teacher network", "teacher-student", "random network"],
    },
    catalogue="`spiral-sweep tasks` lists all",
)

ENGINES = Words(
    {
        "sparse": ["numba", "cpu"],
        "vmap": ["torch", "pytorch", "vmap:cpu"],
        "vmap:cuda": ["cuda", "gpu", "torch:cuda"],
    }
)

VALUES = Words(
    {
        "fresh": ["random", "new", "none", "unseeded", "anew", "derived"],
        "erk": ["er", "erdos renyi", "Erdős–Rényi", "Erdős–Rényi kernel"],
        "igq": ["ideal gas", "ideal gas quotas"],
        "lamp": ["layer-adaptive magnitude", "layer-adaptive"],
        "uniform": ["layer", "layerwise", "local"],
    }
)
"""Other words for values of options."""

PLAIN = Words({})
"""For names without other words."""


def suggest(word: str, known: Collection[str], words: Words = PLAIN) -> str:
    """Return "did you mean X?", else all names if they are few, else similar ones.

    Args:
        word: The unknown name.
        known: The valid names.
        words: Other words for them.
    """
    listed = meant(word, known, words)
    if names := [name for name in listed if name in known]:
        told = [f"{name!r}{words.notes.get(name, '')}" for name in names]
        return f"did you mean {' or '.join(told)}?"
    if not listed and (typo := _closest(word, known)):
        return f"did you mean {typo!r}?"
    if len(known) <= MAX_LISTED:
        return f"choose from {', '.join(known)}"
    near = [name for name in known if _parts(name) & _parts(word)]
    hints = [f"similar: {', '.join(near[:MAX_NEAR])}"] if near else []
    return "; ".join([*hints, words.catalogue or "no similar name is known"])


def meant(word: str, known: Collection[str], words: Words) -> list[str]:
    """Return names of which a word is another spelling; else those it stands for."""
    folded = _folded(word)
    spelt = [name for name in known if folded and _folded(name) == folded]
    return spelt or [
        name for name, called in words.of.items() if folded in map(_folded, called)
    ]


def _closest(word: str, known: Collection[str]) -> str | None:
    """Return the name that a word misspells, with at most one slip in three letters.

    A word of one or two letters misspells nothing: too many names are similar to it.
    """
    most = len(word) // 3
    near = [name for name in known if abs(len(name) - len(word)) <= most]
    if not most or not near or len(word) > MAX_LENGTH:
        return None
    slips, name = min((_slips(word.lower(), name.lower()), name) for name in near)
    return name if slips <= most else None


def _slips(a: str, b: str) -> int:
    """Return the number of letters missing, added, replaced or swapped with the next.

    Source: the "optimal string alignment" distance.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        here = [i]
        for j in range(1, len(b) + 1):
            slip = min(
                last[j] + 1, here[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 1] + b[j - 2]:
                slip = min(slip, before[j - 2] + 1)
            here.append(slip)
        before, last = last, here
    return last[-1]


def _folded(text: str) -> str:
    """Return the lower-case letters, digits and ``+`` of a text (as in AC/DC++)."""
    return re.sub(r"[^a-z0-9+]", "", text[:MAX_LENGTH].lower())


def _parts(name: str) -> set[str]:
    """Return the words in a name, without single letters."""
    return {part for part in re.split(r"[^a-z0-9]+", name.lower()) if len(part) > 1}
