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
# # Which regime of training leads closest to the optimum?
#
# *A Three-regime Model of Network Pruning* (Zhou et al., ICML 2023) looks at dense
# networks of different **temperature** (short training, small batches and large steps
# are hot) that are pruned to different **loads** (weights kept) and retrained several
# times from equal weights. Two questions sort the results: are two retrainings
# **connected** (does the error rise along the straight line between them?), and are
# they **alike** (CKA of their outputs)? The paper asks which temperature gives the
# smallest error. Here it can be asked how far that is from the optimum.
#
# The networks are trained here, within half a minute; `seeds/regimes` is a grid of four
# temperatures, three widths, more loads and seeds.

# %%
# %matplotlib inline
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from IPython.display import Markdown

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
found = regime_map.draw_map([rows], regime_map.Question(every=10))
Markdown(
    f"{len(found.cells)} cells of temperature and load, width {found.width}; n = "
    f"{found.cells['n'].min()} dense networks each, retrained three times."
)

# %% [markdown]
# ## The map
#
# Regime I: not connected; II-A: connected and unlike; II-B: connected and alike. Where
# pruning leaves nothing to train (`collapsed`) there is no regime.

# %%
figure.page(found)

# %% [markdown]
# ## How far from the optimum is each regime?
#
# `shortfall` is what a cell's mean accuracy lacks to the best network known of its
# size; `over`, how much larger its error is than that of the best temperature at the
# same load (medians over cells).

# %%
found.regimes

# %%
best = found.cells.loc[found.cells.groupby("keep")["error"].idxmin()]
best[["keep", found.temperature, "regime", "lmc", "cka", "error", "shortfall"]]

# %%
near, far = best.iloc[-1], best.iloc[0]
knob = found.temperature
Markdown(
    f"With {far['keep']} weights the best dense network to prune is one of "
    f"**{far[knob]} epochs**, and retraining it misses **{far['shortfall']:.1%}** to "
    f"the optimum; with {near['keep']} weights it is one of {near[knob]} epochs and "
    f"{near['shortfall']:.1%}."
)

# %% [markdown]
# ## The thresholds are ours
#
# The paper draws its borders by eye. How many cells change their regime if the borders
# move?

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
