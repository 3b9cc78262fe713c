"""Sparsity as the outcome of the optimiser itself."""
