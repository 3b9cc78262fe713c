"""Pruning methods: they decide masks and never train.

A method is a class on the protocol ``spiral.protocol.job.Method`` and an ``Entry``. One
line in ``spiral.methods.registry`` adds it to grids, commands, contract tests and
tables.
"""
