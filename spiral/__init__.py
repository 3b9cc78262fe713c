"""Rank pruners against the sparsest networks known on the Cubist Spiral.

A *grid* (YAML) expands to *configs*; configs that can train together form *packs*;
an *engine* trains a pack while a *method* decides its masks; every config becomes one
*row* of Parquet. Data goes one way: grid -> packs -> rows -> comparison.

Axis letters used in every annotation and comment:

====  =========================================================================
N     networks of a pack
P     parameters of one network, flat: W1, b1, W2, b2, W3, b3, W4, b4
W     weights of one network, flat: W1, W2, W3, W4 (no biases)
B     points of a batch
D     points of the task (49,982 of the default one)
T     training steps
====  =========================================================================
"""

__version__ = "0.1.0"
