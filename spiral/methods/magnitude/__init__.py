"""Pruning by magnitude: once, gradually, iteratively with rewinding."""
