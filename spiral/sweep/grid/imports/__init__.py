"""Sweep files of other tools as grids: what has a counterpart, and what has none.

A file is only read: nothing in it is executed, resolved or sampled.
"""
