# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The best known masks: how they are found, and how symmetry helps
#
# To compare a pruner with good masks, somebody has to search for them. A perceptron
# with hidden layers of 3, 3 and 3 units has 27 weights, so 2²⁷ masks: too many to train
# one by one, but most of them are **the same network**. Renumbering the hidden units of
# a layer does not change what is computed.

# %%
# %matplotlib inline
import pandas as pd
from IPython.display import Markdown

from spiral.report.figures import files
from spiral.search import best_known, burnside

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
# `masks` counts those in which every unit has an incoming and an outgoing weight;
# `networks` counts them up to renumbering. The second number does not need enumeration:
# Burnside's lemma averages, over all renumberings, the number of masks that each leaves
# unchanged. For small shapes `spiral-sweep search masks` enumerates them as well, and
# both agree.

# %%
by_size = pd.Series(counts[(3, 3, 3)].by_nnz, name="networks of shape 3-3-3")
by_size.rename_axis("weights").to_frame().T

# %% [markdown]
# ## The frontier
#
# The frontier has, for each number of weights, the best network known, with the weights
# that prove it: every entry can be evaluated again. One line shows what the paper's
# training (SGD from random weights, 50 epochs) has reached, the other what any means
# have.

# %%
known = best_known.load()
files.frontier(None, "nnz_params")

# %%
fewest = pd.DataFrame(
    [
        {
            "accuracy": level,
            "found by": kind,
            "weights": best_known.fewest(known, level, kind),
            "with biases": best_known.fewest(known, level, kind, "nnz_params"),
        }
        for level in best_known.THRESHOLDS
        for kind in ("any", "protocol")
    ]
)
fewest

# %% [markdown]
# Every entry can be checked: does each network have the accuracy that the file says,
# when it is evaluated again in float32 and in float64?

# %%
wrong = best_known.mistakes(known)
Markdown(f"{len(known)} networks evaluated again, **{len(wrong)}** do not agree.")

# %% [markdown]
# ## What they look like
#
# The smallest networks that reach each accuracy. The width of an edge is the size of
# the weight, its colour the sign. Below each is its decision map, with the data. With
# so few weights one can follow the computation: the first layer cuts the plane with a
# few lines, the others fold it.

# %%
smallest = [best_known.fewest(known, level) for level in (0.8, *best_known.THRESHOLDS)]
files.networks(None, smallest)

# %%
leaders = best_known.leaders(known)
leaders[["nnz", "nnz_params", "accuracy", "shape", "kind", "found"]]

# %% [markdown]
# ## How certain is "best known"?
#
# `weights` above is the fewest **known**, an upper bound. The search trained every
# network of some shapes, from a few random starts each: it can miss a mask that only
# works from a lucky start, or one of a wider shape. The excess weights that
# `spiral-sweep compare` prints are therefore lower bounds: a smaller best known network
# makes every pruner's excess larger.
