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
# # What the smallest networks do
#
# The sparsest networks known were found by evolution (`spiral-sweep search evolve`),
# not by training. All of them have **one unit in the second hidden layer**: whatever
# the network knows of a point passes through one number. This notebook looks inside.

# %%
# %matplotlib inline
import pandas as pd
from IPython.display import Markdown

from spiral.report.figures import bottleneck, files
from spiral.search import best_known
from spiral.search.certify import record

known = best_known.load()
leaders = best_known.leaders(known)
leaders[["nnz", "nnz_params", "shape", "accuracy", "arc_accuracy"]]

# %% [markdown]
# `nnz` counts weights, `nnz_params` weights and biases. `accuracy` counts points;
# `arc_accuracy` is the share of the curve itself, which a network may miss between two
# points.
#
# ## Every unit
#
# A map for each unit: where in the plane it is active. Layer 1 has *hinges*, which rise
# on one side of a line. A hinge with one input is parallel to an axis.

# %%
files.networks(None, neurons=True)

# %% [markdown]
# ## The unit in the middle
#
# Left: lines of equal value of the unit in layer 2. It measures a distance to a centre
# whose balls are polygons, as the spiral is made of segments. Right: the number of
# points of each class at each value. The classes lie in bands, and the zigzag of layers
# 3 and 4 cuts them apart: its zeros (grey) are the thresholds.

# %%
bottleneck.draw(None)

# %% [markdown]
# ## What the next weights buy
#
# With few weights the polygon has few sides. More weights add sides, then a *seam*: two
# hinges that almost cancel make a cliff, across which the distance jumps by one turn,
# as the arms of the spiral do.

# %%
sizes = leaders["nnz"].tolist()
files.networks(None, [size for size in sizes if 10 <= size <= 18])

# %% [markdown]
# ## By width
#
# A narrow network cannot hold every mask. The best known accuracy at each size depends
# on the width that a method is compared at.

# %%
pd.DataFrame(
    [
        {"width": width, "weights for 95 %": best_known.fewest(fitting, 0.95)}
        | {"weights for 99.5 %": best_known.fewest(fitting, 0.995)}
        for width in (3, 4, 5)
        for fitting in [best_known.within(known, width)]
    ]
).astype("Int64")

# %% [markdown]
# ## How far down?
#
# Nothing here says that fewer weights are impossible. `spiral-sweep frontier certify`
# does, up to a point.

# %%
Markdown(
    "\n".join(
        f"- for {accuracy:.1%}: {proven} ≤ smallest number of weights ≤ "
        f"{best_known.fewest(known, accuracy)}"
        for accuracy, proven in record.bounds().items()
    )
)
