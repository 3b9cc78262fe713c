"""From rows to numbers: selection, intervals, pairs, excess weights, ranking."""
