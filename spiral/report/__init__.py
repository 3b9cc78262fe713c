"""From rows to numbers and pictures; never trains, never needs torch."""
