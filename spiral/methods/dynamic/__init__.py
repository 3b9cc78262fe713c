"""Masks that change while the network trains: weights are dropped and grown."""
