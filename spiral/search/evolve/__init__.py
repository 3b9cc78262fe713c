"""Evolution of sparse networks: masks and weights together.

An archive keeps several networks for each number of weights and each class of shapes.
A move changes one network a little (its mask, its weights, or both), a fast polish
adapts the weights, and the result enters the archive if it is better than one there.
The weights are inherited: training the same masks from random weights finds nothing
comparable (``benchmarks/search.md``).

The files: ``moves`` and ``unit_moves``; new networks from ``random_start`` and
``one_unit`` (an exact head for networks with one unit in layer 2, in ``scalar``);
``endgame`` (the last wrong points), ``archive``, and ``island`` (one generation of one
archive). Beside this folder: ``search.candidate`` (a network as moves see it) and
``search.descent`` (the fast polish). ``spiral.sweep.evolve`` runs islands side by side.
"""
