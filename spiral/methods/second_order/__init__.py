"""Pruning by the curvature of the loss."""
