"""Options of the brain surgeon's family: those without effect are refused."""

import pytest

from spiral.methods.registry import METHODS
from spiral.methods.second_order import surgeon_options
from tests.methods import table

FAMILY = [
    name
    for name, entry in METHODS.items()
    if issubclass(entry.options, surgeon_options.SurgeonOptions)
]


def test_who_is_of_the_family():
    assert set(FAMILY) == {"obs", "cbs", "woodfisher", "chita"}


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize(
    ("cause", "option", "default", "value"),
    [
        ("timing: once", "events", 8, 4),
        ("timing: once", "end", 0.75, 0.5),
        ("timing: gradual", "at_epoch", None, 1),
        ("matrix: gauss_newton", "gradient_batch", 1, 10),
        ("matrix: exact", "gradient_batch", 1, 10),
    ],
)
def test_an_option_without_effect_is_refused(name, cause, option, default, value):
    key, _, chosen = cause.partition(": ")
    other = {"timing": {"once": "gradual", "gradual": "once"}}.get(key, {})
    used = other.get(chosen, "fisher")
    check = METHODS[name].check
    given = {option: [default, value]}
    (mistake,) = check(table(name, 2, **{key: chosen}, **given))
    assert mistake == (option, f"has no effect with {cause}; remove it", value)
    assert check(table(name, 2, **{key: [chosen, used]}, **given)) == []
