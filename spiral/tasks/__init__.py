"""Tasks: data sets of two classes in the plane."""

from spiral.tasks.catalogue import DEFAULT, FAMILIES, canonical, load, names
from spiral.tasks.task import Task

__all__ = ["DEFAULT", "FAMILIES", "Task", "canonical", "load", "names"]
