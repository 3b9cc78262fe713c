"""Pruning a trained network, and ways of retraining what is left."""
