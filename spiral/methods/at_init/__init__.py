"""Pruning before training: by gradients of the untrained network."""
