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
# # Which findings survive when the baselines are fixed?
#
# A comparison compares **implementations**. In the code of Zhang & Papyan (2024) some
# pruners differ from what their authors describe: a strict threshold keeps one weight
# too few, layers are re-initialised, budgets are rounded, a pruning schedule continues
# until training ends. Every method here has both versions: `exact`, the authors'
# algorithm at an exact budget, and `zp24`, what that code does. They share initial
# weights and the order of batches, so the two differ in nothing else.

# %%
# %matplotlib inline
import pandas as pd
from IPython.display import Markdown

from spiral.methods import registry
from spiral.methods.registry import METHODS
from spiral.protocol.config import presets
from spiral.report.figures import rows as figures
from spiral.report.figures import style
from spiral.report.stats import compare
from spiral.results import load, summary

pd.set_option("display.precision", 3)
style.register(registry.looks())
FILES = [summary.shipped("fidelity")]
rows = load.read(FILES, registry.options()).rows
pd.DataFrame([summary.read(file)[1] for file in FILES])[["grid", "rows", "version"]]

# %% [markdown]
# What `zp24` changes, option by option:

# %%
pd.DataFrame(
    [
        {"method": name, "option": option, "exact": info.default, "zp24": value}
        for name, entry in METHODS.items()
        for option, info in entry.options.model_fields.items()
        for _, case, value in presets(entry.options, option)
        if case == "zp24"
    ]
)

# %% [markdown]
# ## Is the difference real?
#
# For each method and width: the probability that the exact method is better than the
# paper's version, in pairs of equal seed and size. 0.5 is no difference; the 95 %
# interval is over seeds.

# %%
by = ("fidelity", "method", "width")
found = compare.of_rows(rows, compare.Question(by=by))
pairwise = found.tables["pairwise"]
pairwise = pairwise[pairwise["keep"].isna()].drop(columns=["keep", "a", "b"])
pairwise.sort_values(["width", "probability"])

# %%
better = pairwise[pairwise["low"] > 0.5]
worse = pairwise[pairwise["high"] < 0.5]
Markdown(
    f"Of {len(pairwise)} pairs of method and width the exact method is better in "
    f"**{len(better)}** and worse in **{len(worse)}** with 95 % confidence; the others "
    f"do not differ significantly (n = {pairwise['n'].min()} seeds, "
    f"{pairwise['pairs'].sum():,} pairs)."
)

# %% [markdown]
# Where it matters most:

# %%
extremes = pairwise.nlargest(3, "probability"), pairwise.nsmallest(3, "probability")
pd.concat(extremes)

# %% [markdown]
# ## Does the ranking change?
#
# Median accuracy over seeds at width 16 with 40 weights, each method under both rules,
# with its interval.

# %%
groups = found.tables["groups"]
at = groups.query("width == 16 and keep == 40")
columns = ["fidelity", "method", "n", "median", "median_low", "median_high", "best"]
at[columns].sort_values("median", ascending=False)

# %%
ranks = at.pivot(index="method", columns="fidelity", values="median").rank(
    ascending=False, method="min"
)
ranks.astype("Int64").sort_values("exact")

# %% [markdown]
# ## Are the weights where they should be?
#
# Networks that fail outright: the share without a path from input to output, and the
# number of rows by status. An `aborted` row is one that the paper's code would not have
# recorded; in a `degenerate` one, too few scores were positive to rank what is kept.

# %%
groups.pivot_table(index="method", columns=["fidelity", "width"], values="disconnected")

# %%
pd.crosstab([rows["fidelity"], rows["method"]], rows["status"])

# %% [markdown]
# Accuracy over size at width 16, first the exact methods, then the paper's versions:

# %%
exact_rows = rows.query("width == 16 and fidelity == 'exact'")
figures.accuracy(figures.Source([], exact_rows, None))

# %%
zp24_rows = rows.query("width == 16 and fidelity == 'zp24'")
figures.accuracy(figures.Source([], zp24_rows, None))

# %% [markdown]
# ## The gap remains
#
# Does any method, in either version, reach the best known? The excess weights over the
# best known of the smallest network of any row that reaches 95 %:

# %%
from spiral.search import best_known

exact = compare.of_rows(rows, compare.Question(by=by), best_known.load())
excess = exact.tables["excess"]
excess[excess["threshold"] == 0.95].pivot(
    index="method", columns=["fidelity", "width"], values="any_excess"
)
