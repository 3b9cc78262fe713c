"""From a grid file to a table of configs, every mistake with its place."""
