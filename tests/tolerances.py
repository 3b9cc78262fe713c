"""Every tolerance of the numerical tests, with its reason.

``test_tolerances`` holds at least one mutation per line that exceeds it.
"""

from typing import NamedTuple


class Tolerance(NamedTuple):
    """The largest absolute difference that counts as agreement."""

    value: float
    reason: str
    cuda: float | None = None
    """On a GPU, which sums in another order; None means ``value``. These are multiples
    of what holds on the CPU, not yet measured on hardware."""


TOLERANCES = {
    "sample": Tolerance(
        2e-5, "The published samples were standardised with sums in float32."
    ),
    "point": Tolerance(
        5e-7, "Coordinates up to 2.2 are rounded twice to float32, 2.4e-7 measured."
    ),
    "moment": Tolerance(
        1e-8, "Rounding errors of 49,982 float32 points average out, 1.3e-10 measured."
    ),
    "logit": Tolerance(
        2e-6, "A few dozen float32 products and sums of size 1 round by 6e-8 each."
    ),
    "backprop": Tolerance(
        1e-8, "Central differences of step 1e-6 in float64 are exact to about 1e-10."
    ),
    "float64": Tolerance(
        1e-14, "Sums of a few dozen float64 products of size 1; 3e-16 measured."
    ),
    "float32": Tolerance(
        3e-7, "Sums of a few dozen float32 products of size 1; 3e-8 measured."
    ),
    "curvature": Tolerance(
        5e-9, "Central differences of step 1e-6 of float64 sums; 1.3e-10 measured."
    ),
    "step_1": Tolerance(
        5e-7,
        "One step rounds a float32 gradient and a parameter of size 1 once.",
        cuda=1e-6,
    ),
    "steps_20": Tolerance(
        2e-6,
        "Momentum sums ten rounded gradients; 3e-7 measured up to width 4.",
        cuda=5e-6,
    ),
    "steps_100": Tolerance(
        1e-5,
        "Rounding errors may grow tenfold in 100 steps; 4e-7 measured.",
        cuda=2.5e-5,
    ),
    "sparse_cuda": Tolerance(
        5e-7, "Sums of a batch have another order than on the CPU; 1.2e-7 measured."
    ),
    "adam": Tolerance(
        1e-5,
        "A step divides slopes down to 1e-5, rounded by 1e-9, by their own size.",
    ),
    "loss": Tolerance(
        1e-6,
        "Each of 49,982 float32 losses of size 1 rounds by 6e-8, most cancel.",
        cuda=2e-6,
    ),
    "count": Tolerance(
        1.0,
        "A point on the boundary may change sides between float32 and float64.",
        cuda=2.0,
    ),
    "sigmoid": Tolerance(
        2e-7, "A polynomial of degree 6 for 2^f and one division; 1.2e-7 measured."
    ),
    "softplus": Tolerance(
        3e-7, "Two polynomials, 2^f and log1p, beside the rounding of the result."
    ),
    "cosine_end": Tolerance(1e-6, "The factor 9.87e-4 is published with three digits."),
    "pixel": Tolerance(
        1e-7, "A grid value passes through one tanh in float64, colours have 8 bits."
    ),
}


def tolerance(name: str, engine: str = "") -> float:
    """Return a tolerance, for an engine as ``vmap:cuda`` that of its device."""
    found = TOLERANCES[name]
    on_gpu = engine.endswith(":cuda") and found.cuda is not None
    return found.cuda if on_gpu else found.value
