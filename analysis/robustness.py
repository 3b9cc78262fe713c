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
# # Is the sparsest network a fragile one?
#
# Accuracy says which points a network has right, not by how much. *Understanding
# Robustness Lottery* (Li et al., 2022) looks at pruned networks from three more sides:
# the **angle** between what the output layer sees of a point and the direction of the
# point's class, its **length**, and its **margin**, the distance from the boundary; and
# at points that corruption moves. In the plane corruptions are things one can picture.
# And there is an optimum to compare with: the sparsest networks known.
#
# The networks are trained here, within a minute; `seeds/robustness` is a grid of more
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
found = diagnosis.diagnose([rows])
Markdown(f"{len(found.networks)} networks are read. " + " ".join(found.notes[-1:]))

# %% [markdown]
# ## What corruption costs
#
# `accuracy` is that of clean points, `mean_corruption` the mean over eight corruptions
# at five severities, `drop` what is lost, as a share. `optimum` is the best network
# known with as many weights, by any means; `optimum_protocol` the best that was trained
# from random weights as all others here.

# %%
numbers = ["nnz", "accuracy", "mean_corruption", "drop", "fragile", "lost"]
groups = found.groups.sort_values(["keep", "mean_corruption"], ascending=[True, False])
groups[["method", "keep", "n", *numbers]]

# %%
figure.page(found.groups, found.curves)

# %%
medians = found.groups.set_index("method").groupby("method")["drop"].median()
Markdown(
    f"The optimum loses **{medians['optimum']:.1%}** of its accuracy (median over its "
    f"sizes), the sparsest networks trained from random weights "
    f"**{medians['optimum_protocol']:.1%}**, a dense network {medians['dense']:.1%}. "
    "A network that is at chance loses nothing, so look at both columns."
)

# %% [markdown]
# The optimum was polished on the very points that are now moved: every weight goes into
# the last per cent of accuracy, and boundaries pass close by. Few weights make a
# boundary of few straight pieces, which cannot keep away from both arms of the spiral
# everywhere.
#
# ## Margins
#
# Medians over points, and what 5 % of the points fall short of (`margin_low`). `silent`
# is the share of points of which the output layer sees nothing at all, so that a bias
# alone decides: frequent where few units are left.

# %%
sides = ["angle", "length", "margin", "margin_low", "silent"]
groups[["method", "keep", *sides]]

# %% [markdown]
# ## Are the same points fragile for every method?
#
# Jaccard overlap between two methods: of the points that corruption turns (`fragile`),
# and of those that the dense network of the same seed has right and the pruned one
# wrong (`lost`). 1 would be the same points, 0 none in common.

# %%
overlap = found.overlap[found.overlap["keep"] == 44]
overlap.sort_values("lost", ascending=False)

# %% [markdown]
# ## Do eight corruptions say eight things?
#
# The correlation of what two corruptions do to the margin of each point, over all
# networks. Shifting, turning and rounding move points in ways that are partly alike;
# noise is unlike everything.

# %%
found.redundancy.set_index("kind")
