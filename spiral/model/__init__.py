"""The network and its masks, as arrays; no files, no training."""
