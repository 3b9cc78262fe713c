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
# # From which training regime does pruning come closest to the best known?
#
# *A Three-regime Model of Network Pruning* (Zhou et al., ICML 2023) studies dense
# networks of different **temperature** (short training, small batches and large steps
# are hot) that are pruned to different **loads** (weights kept) and retrained several
# times from equal weights. Two properties classify the results: are two retrainings
# **connected** (does the error stay low along the straight line between them?), and are
# they **alike** (CKA of their outputs)? The paper asks which temperature gives the
# smallest error; here we can also ask how far that is from the best known.
#
# The networks are trained here, within half a minute; the grid `seeds/regimes` has four
# temperatures, three widths, and more loads and seeds.

# %%
# %matplotlib inline
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from IPython.display import Markdown

from spiral.methods import registry
from spiral.report.studies.regimes import figure, regime_map
from spiral.report.studies.regimes.measure import Thresholds
from spiral.sweep.grid import grid
from spiral.sweep import launch

pd.set_option("display.precision", 3)
rows = Path(mkdtemp()) / "rows"
small = grid.loads("""
name: regimes
method: one_shot
width: 16
checkpoint: [1, 3, 8, 18, 33, 50]
keep: [16, 26, 44, 65, 140, 300]
branch: 0..2
lr: 0.1
seed: 0..2
""")
settings = launch.Settings(executor="local")
prepared = launch.prepare(small, rows, settings)
launch.run(prepared, settings, lambda outcome: None)
found = regime_map.draw_map([rows], registry.options(), regime_map.Question(every=10))
Markdown(
    f"{len(found.cells)} cells of temperature and load, width {found.width}; n = "
    f"{found.cells['n'].min()} dense networks each, retrained three times."
)

# %% [markdown]
# ## The map
#
# Regime I: not connected; II-A: connected but not alike; II-B: connected and alike.
# Where pruning leaves nothing to train (`collapsed`) there is no regime.

# %%
figure.draw(found)

# %% [markdown]
# ## How far from the best known is each regime?
#
# Medians over cells of the accuracy gap (best known accuracy at the cell's size minus
# its mean accuracy), and of `over`, the excess of its error over that of the best
# temperature at the same load.

# %%
found.regimes

# %%
best = found.cells.loc[found.cells.groupby("keep")["error"].idxmin()]
best[["keep", found.temperature, "regime", "lmc", "cka", "error", "accuracy_gap"]]

# %%
near, far = best.iloc[-1], best.iloc[0]
knob = found.temperature
Markdown(
    f"With {far['keep']} weights the best dense network to prune is one of "
    f"**{far[knob]} epochs**; after retraining the accuracy gap is "
    f"**{far['accuracy_gap']:.1%}**. With {near['keep']} weights it is one of "
    f"{near[knob]} epochs, with a gap of {near['accuracy_gap']:.1%}."
)

# %% [markdown]
# ## How much depends on the thresholds?
#
# The paper draws its borders by eye; the thresholds here are our choice. How many cells
# change their regime if the borders move?

# %%
borders = [
    Thresholds(low, high) for low in (-0.05, -0.02, -0.01) for high in (0.8, 0.9)
]
pd.DataFrame(
    {
        "barrier": border.barrier,
        "alike": border.alike,
        "cells that change": regime_map.changed(found, border),
    }
    for border in borders
)
