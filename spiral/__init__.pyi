"""Types of the public names, which ``__init__.py`` loads when they are used."""

from spiral.api.launching import launch as launch
from spiral.api.launching import rank as rank
from spiral.api.network import Network as Network
from spiral.api.rows import compare as compare
from spiral.api.rows import frontier as frontier
from spiral.api.rows import load_rows as load_rows
from spiral.api.rows import plot as plot

__version__: str
