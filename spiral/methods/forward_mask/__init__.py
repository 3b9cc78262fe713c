"""Masks of the forward pass alone: hidden weights go on training."""
