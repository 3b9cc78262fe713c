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
# # Your own pruner, from zero to ranked
#
# A pruner is a class with three methods; a command ranks it among the shipped ones at
# equal seeds. Nothing of spiral-sweep is edited.
#
# The idea to try: gradual magnitude pruning takes 150 small steps. Are five large steps
# enough, each keeping the same share of what is left?

# %%
# %matplotlib inline
import os
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from IPython.display import Markdown

from spiral.errors import MethodError
from spiral.methods import plugin, registry
from spiral.methods.registry import METHODS
from spiral.report.figures import rows as figures
from spiral.report.figures import style
from spiral.report.stats import ranking
from spiral.sweep.grid import shipped
from spiral.results import load, summary
from spiral.report.text import ranking as ranking_text
from spiral.search import best_known
from spiral.sweep import launch, preflight

pd.set_option("display.precision", 3)
style.register(registry.looks())
os.chdir(mkdtemp())

# %% [markdown]
# **Write the method.** `plan` returns the steps at which the method acts, before
# training starts. `start` returns what it remembers between them: here, which step
# comes next. `act` receives a whole *pack* of networks at once (axis 0 of every array)
# and returns a `Change`. Our first attempt has a mistake.

# %%
TEXT = '''
"""Magnitude pruning in five steps."""

import numpy as np

from spiral.model import masks
from spiral.protocol.job import Change, Plan

STEPS = 5


class Staircase:
    """Five rounds of magnitude pruning, each keeping the same share."""

    def plan(self, budget):
        return Plan.simple(budget, *(budget.at(0.15 * n) for n in range(1, STEPS + 1)))

    def start(self, view):
        return 1

    def act(self, view, step):
        size = np.abs(masks.of_weights(view.params, view.width))
        total = size.shape[1]
        count = np.rint(total * (view.keep / total) ** (step / STEPS)).astype(int)
        kept = size > masks.kth_highest(size, count)
        return Change(masks=masks.with_biases(kept, view.width)), step + 1
'''
file = Path("staircase.py")
file.write_text(TEXT)
Markdown(f"`{file.name}`: {len(TEXT.splitlines())} lines.")

# %% [markdown]
# **Check it.** Before anything trains, `rank` lets a method act on a few rows, together
# and one by one. Ours keeps what is *larger* than the last weight to keep, and so loses
# that one: a common mistake in pruning code, and a large one among 16 weights.


# %%
def standard(name):
    """Return a small part of the standard grid with this method in it."""
    return shipped.load("standard", [f"method={name}", "width=16", "seed=0..9"])


wrong = plugin.load(f"{file}:Staircase", METHODS)
try:
    preflight.check(standard(wrong).configs)
except MethodError as error:
    complaint = error
Markdown(f"> {complaint}")

# %% [markdown]
# **Correct it**: `masks.keep_top` keeps exactly as many weights as asked for. The name
# in the rows ends in a digest of the file, so the corrected method is a new one and
# reuses no row of the wrong one.

# %%
right = "masks.keep_top(size, count)"
file.write_text(TEXT.replace("size > masks.kth_highest(size, count)", right))
mine = plugin.load(f"{file}:Staircase", METHODS)
preflight.check(standard(mine).configs)
Markdown(f"`{wrong}` has become `{mine}`.")

# %% [markdown]
# **Train it.** On the command line this is part of `rank`, and on a cluster of
# `rank` with `--executor ray`; here are its parts. If it is interrupted, the same call
# continues.

# %%
settings = launch.Settings(executor="local", method=f"{file}:Staircase")
rows = Path("rows")
prepared = launch.prepare(standard(mine), rows, settings)
launch.run(prepared, settings, lambda outcome: None)
Markdown(f"{sum(each.networks for each in prepared.done)} networks trained.")

# %% [markdown]
# **Rank it** among the shipped methods, at the same seeds, sizes and width.

# %%
found = ranking.of_folder(rows, mine, registry.options())
Markdown(ranking_text.headline(found))

# %% [markdown]
# **Compare it pairwise**: the probability that it is better than each other method, in
# pairs of equal seed and size.

# %%
ranking_text.pairwise(found)

# %% [markdown]
# **How far is it from the best known?** The fewest weights with which the median
# network reaches an accuracy, the excess over the best known, and the method that ranks
# first.

# %%
ranking_text.excess(found)

# %% [markdown]
# **Draw it**: accuracy over the weights kept, beside two shipped methods.

# %%
both = load.read([rows, summary.shipped("standard")], registry.options()).rows
chosen = both[both["method"].isin([mine, "gmp", "magnitude"]) & (both["width"] == 16)]
figures.accuracy(figures.Source([], chosen, best_known.load()))

# %% [markdown]
# **The same in a shell**:
#
# ```sh
# spiral-sweep rank --method staircase.py:Staircase --quick
# spiral-sweep rank --method staircase.py:Staircase --full
# spiral-sweep launch standard --method staircase.py:Staircase --out rows
# ```
#
# To ship it, follow the recipe "Add a method" in CONTRIBUTING.md.
