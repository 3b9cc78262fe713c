"""Regimes of pruning: whether retrainings of one network are connected, and alike."""
