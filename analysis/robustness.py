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
# # Are the sparsest networks fragile?
#
# Accuracy counts which points a network classifies correctly, not by how much.
# *Understanding Robustness Lottery* (Li et al., 2022) measures three more properties of
# pruned networks: the **angle** between the input of the output layer at a point and
# the direction of the point's class, its **length**, and the **margin**, the distance
# from the boundary; and accuracy on corrupted points. In the plane, corruptions are
# easy to picture, and there are the sparsest networks known to compare with.
#
# The networks are trained here, within a minute; the grid `seeds/robustness` has more
# methods, sizes, widths and seeds.

# %%
# %matplotlib inline
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from IPython.display import Markdown

from spiral.methods import registry
from spiral.report.studies.robustness import diagnosis, figure
from spiral.report.figures import style
from spiral.sweep.grid import grid
from spiral.sweep import launch

pd.set_option("display.precision", 3)
style.register(registry.looks())
rows = Path(mkdtemp()) / "rows"
small = grid.loads("""
name: robustness
defaults: {width: 16, lr: 0.1, seed: 0..2}
blocks:
  pruned: {method: [magnitude, gmp, synflow, taylor_unit, obspa], keep: [26, 44, 65]}
  dense: {method: dense}
""")
settings = launch.Settings(executor="local")
prepared = launch.prepare(small, rows, settings)
launch.run(prepared, settings, lambda outcome: None)
found = diagnosis.diagnose([rows], registry.known())
Markdown(f"{len(found.networks)} networks are read. " + " ".join(found.notes[-1:]))

# %% [markdown]
# ## What corruption costs
#
# `accuracy` is on clean points, `mean_corruption` the mean over eight corruptions at
# five severities, `drop` the share of accuracy lost. Two lines of each size are not
# methods: the best network known with as many weights by any means, and (`…_protocol`)
# the best trained from random weights, as all others here are.

# %%
numbers = ["nnz", "accuracy", "mean_corruption", "drop", "fragile", "lost"]
groups = found.groups.sort_values(["keep", "mean_corruption"], ascending=[True, False])
groups[["method", "keep", "n", *numbers]]

# %%
figure.draw(found)

# %%
medians = found.groups.set_index("method").groupby("method")["drop"].median()
Markdown(
    f"The best known networks lose **{medians['best_known']:.1%}** of their accuracy "
    f"(median over sizes), the sparsest networks trained from random weights "
    f"**{medians['best_known_protocol']:.1%}**, and dense networks "
    f"{medians['dense']:.1%}. "
    "A network at chance level loses nothing, so read both columns."
)

# %% [markdown]
# The best known networks were polished on the points that are now moved: every weight
# serves the last per cent of accuracy, and boundaries pass close to the points. Few
# weights make a boundary of few straight pieces, which cannot keep a distance from both
# arms of the spiral everywhere.
#
# ## Margins
#
# Medians over points, and the 5 % quantile of the margin (`margin_low`). `silent` is
# the share of points for which all inputs of the output layer are zero, so that its
# bias alone decides: frequent where few units are left.

# %%
sides = ["angle", "length", "margin", "margin_low", "silent"]
groups[["method", "keep", *sides]]

# %% [markdown]
# ## Are the same points fragile for every method?
#
# Jaccard overlap between two methods: of the points whose class changes under
# corruption (`fragile`), and of those that the dense network of the same seed
# classifies correctly and the pruned one does not (`lost`). 1 means the same points, 0
# none in common.

# %%
overlap = found.overlap[found.overlap["keep"] == 44]
overlap.sort_values("lost", ascending=False)

# %% [markdown]
# ## Are the eight corruptions redundant?
#
# The correlation between the effects of two corruptions on the margin of each point,
# over all networks. Shifting, turning and rounding are partly alike; noise correlates
# with nothing.

# %%
found.redundancy.set_index("kind")
