"""The combinatorial search: masks of a shape up to symmetry."""
