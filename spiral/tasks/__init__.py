"""Data sets in the plane."""
