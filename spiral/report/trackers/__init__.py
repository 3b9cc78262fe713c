"""Results as runs of experiment trackers."""
