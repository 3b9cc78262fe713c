"""From rows to numbers and pictures; never trains, never needs torch."""

from spiral import homes

homes.settle_matplotlib()  # before any module of this package imports it
