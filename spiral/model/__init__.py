"""The network and its masks as arrays; nothing here trains."""
