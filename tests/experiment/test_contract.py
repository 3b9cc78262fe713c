"""What a method breaks is told with its row, its event and its line."""

import re
from pathlib import Path

import numpy as np
import pytest

from spiral.errors import MethodError, StoreError
from spiral.experiment import contract
from spiral.protocol.job import Change
from tests.methods import table

FILE = Path(__file__)
CONFIGS = table("random", 3, keep=[16, 18, 20], seed=[4, 5, 6])
ROW = rf"config {CONFIGS['config_id'][0][:12]} \(width 3, seed 4, keep 16\)"


class Mine:
    """Stands for a user's method; raises in a library's code."""

    def act(self):
        return np.zeros(3).reshape(2, 2)  # blamed


def blamed(error):
    """Raise an error where a method would."""
    with contract.blamed(Mine(), "act at step 7", CONFIGS):
        raise error


def test_the_last_line_of_the_methods_own_file_is_named():
    lines = FILE.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.endswith("# blamed"))
    text = (
        rf"^random: act at step 7 of {ROW} and 2 more raised ValueError: cannot "
        rf"reshape.*\(test_contract\.py:{line}\)$"
    )
    with (
        pytest.raises(MethodError, match=text),
        contract.blamed(Mine(), "act at step 7", CONFIGS),
    ):
        Mine().act()


def test_a_breach_says_of_which_rows():
    with pytest.raises(
        MethodError, match=rf"^told; act at step 7 of {ROW} and 2 more$"
    ):
        blamed(MethodError("told"))


def test_a_method_that_exits_breaks_its_contract():
    with pytest.raises(MethodError, match=r"raised SystemExit: 0"):
        blamed(SystemExit(0))


@pytest.mark.parametrize("error", [MemoryError(), OSError("disk"), StoreError("x")])
def test_what_is_no_fault_of_the_method_passes(error):
    with pytest.raises(type(error)) as caught:
        blamed(error)
    assert caught.value is error


def test_writing_to_a_view_is_explained():
    array = np.zeros(3)
    array.flags.writeable = False
    with (
        pytest.raises(MethodError, match="views are read-only: copy"),
        contract.blamed(Mine(), "act", CONFIGS),
    ):
        array[0] = 1


@pytest.mark.parametrize(
    ("found", "got"),
    [
        (Change(), "Change"),
        (None, "NoneType"),
        ((None, Change()), r"\(NoneType, Change\)"),
        ((Change(),), r"\(Change\)"),
    ],
)
def test_an_answer_is_a_change_and_a_state(found, got):
    with pytest.raises(
        MethodError, match=rf"^mine: expected act .*state\), got {got}$"
    ):
        contract.answer(found, "mine")
    assert contract.answer((Change(), 3), "mine") == (Change(), 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            Change(masks=np.ones((2, 27), bool)),
            r"bool \[2, 37\], got bool \[2, 27\]; it has one entry per weight",
        ),
        (Change(masks=np.ones((2, 36), bool)), r"got bool \[2, 36\]$"),
        (Change(masks=np.ones((2, 37))), r"got float64 \[2, 37\]$"),
        (Change(params=[1.0]), "got list; return a NumPy array"),
        (Change(lr_scale=np.ones(3)), r"float64 \[2\], got float64 \[3\]$"),
    ],
)
def test_a_wrong_array_is_told_with_what_was_expected(change, message):
    with pytest.raises(MethodError) as caught:
        contract.check(change, (2, 37), "mine")
    assert re.search(message, str(caught.value))
