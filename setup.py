"""The list of packages, one of which lies elsewhere; all else is in setup.cfg.

setup.cfg can either find packages or list them. ``spiral.grids`` is not found, as it
is the folder sweeps/ under another name (``package_dir``), which the build copies.
"""

from setuptools import find_namespace_packages, setup

NAMES = ["spiral", "spiral.*"]
FOUND = find_namespace_packages(include=NAMES, exclude=["*.__pycache__"])

setup(packages=[*FOUND, "spiral.grids"])
