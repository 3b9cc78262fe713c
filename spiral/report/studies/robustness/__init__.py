"""Robustness to corrupted inputs, against the best-known networks."""
