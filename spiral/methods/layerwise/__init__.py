"""Pruning layer by layer, on what each layer sees."""
