# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The optimum: how it is found, and what symmetry has to do with it
#
# A pruner can be compared with the best mask only if somebody has looked at all of
# them. A perceptron with hidden layers of 3, 3 and 3 units has 27 weights, so 2²⁷
# masks: too many to train one by one, if one does not notice that most of them are
# **the same network**. Hidden units of a layer can be renumbered without changing what
# is computed.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd
from IPython.display import Markdown

from spiral.report.figures import layout, networks, search
from spiral.search import burnside, best_known, network

SHAPES = [(1, 1, 1), (2, 2, 2), (3, 2, 2), (3, 3, 2), (3, 3, 3), (4, 3, 3), (5, 3, 2)]
counts = {shape: burnside.count(shape) for shape in SHAPES}
table = pd.DataFrame(
    [
        {"shape": s, "masks": c.labelled, "networks": c.canonical}
        for s, c in counts.items()
    ]
)
table.assign(saved=table["masks"] / table["networks"])

# %% [markdown]
# `masks` counts those in which every unit has a weight in and a weight out; `networks`
# counts them up to renumbering. The second number is not found by listing: Burnside's
# lemma counts, for each renumbering, the masks that it leaves as they are, and takes
# the mean. For small shapes `spiral-sweep search masks` lists them too, and both agree.

# %%
by_size = pd.Series(counts[(3, 3, 3)].by_nnz, name="networks of shape 3-3-3")
by_size.rename_axis("weights").to_frame().T

# %% [markdown]
# ## The frontier
#
# For each number of weights the best network anybody has found, with the weights that
# prove it: every entry can be evaluated again. One line is what the paper's training
# (SGD from random weights, 50 epochs) has reached; the other, what any means have.

# %%
known = best_known.load()
best = {
    kind: best_known.best(known, kind, "nnz_params") for kind in ("any", "protocol")
}
layout.draw(
    lambda axes: search.frontier(axes, best, "nnz_params", best_known.THRESHOLDS),
    7,
    4.5,
)

# %%
optima = pd.DataFrame(
    [
        {
            "accuracy": level,
            "found by": kind,
            "weights": best_known.optimum(known, level, kind),
            "with biases": best_known.optimum(known, level, kind, "nnz_params"),
        }
        for level in best_known.THRESHOLDS
        for kind in ("any", "protocol")
    ]
)
optima

# %% [markdown]
# An entry is a claim that can be checked: does each network do what the file says, when
# it is evaluated again in float32 and in float64?

# %%
wrong = best_known.mistakes(known)
Markdown(f"{len(known)} networks evaluated again, **{len(wrong)}** do not agree.")

# %% [markdown]
# ## What they look like
#
# The smallest networks of each accuracy. Width of an edge: size of the weight; colour:
# its sign. Below, what the network decides, on the data. With so few weights one can
# follow it think: the first layer cuts the plane with a few lines, the others fold it.

# %%
leaders = best_known.leaders(known)
smallest = [best_known.optimum(known, level) for level in (0.8, *best_known.THRESHOLDS)]
chosen = leaders[leaders["nnz"].isin(smallest)]
search.gallery(
    [
        networks.Drawn(
            f"{row['nnz']} weights, {row['accuracy']:.4f}",
            *network.unpacked(row["matrices"], np.asarray(row["params"])),
        )
        for row in chosen.to_dict("records")
    ]
)

# %%
leaders[["nnz", "nnz_params", "accuracy", "shape", "kind", "found"]]

# %% [markdown]
# ## How sure is "optimum"?
#
# `weights` above is the fewest **known**. It is exhaustive in the shapes whose networks
# were all trained, from a few random starts each: a mask that only works from a lucky
# start can be missed, and so can one of a wider shape. So a gap to the optimum, as
# `spiral-sweep compare` prints it, can only be too small: a better optimum makes every
# pruner's gap larger.
