"""``sdgf_step`` halves what it shows, frame by frame."""

import pytest

from spiral.groups import Scope
from spiral.methods import nm
from tests.methods.flows import golden, same, shown, trained


def test_frames_of_a_pattern_of_1_in_8_begin_where_the_authors_do():
    pattern = {"scope": "nm", "nm_keep": 1, "nm_group": 8, "width": 8, "keep": 33}
    found = shown("sdgf_step", **pattern, begin=0.0, end=1.0)
    assert [epoch for epoch, _, _ in found] == [0, 12, 25, 37]
    assert [said[1] for _, said, _ in found] == [7, 4, 2, 1]
    assert all(said[0] == 16 for _, said, _ in found)  # the layer that stays dense
    assert {scope for *_, scope in found} == {Scope("inputs", 8)}


def test_a_stepwise_ramp_halves_what_is_shown():
    found = shown("sdgf_step", width=16, keep=30)
    assert [said.sum() for _, said, _ in found] == [530, 280, 140, 70, 35, 30]
    assert [epoch for epoch, _, _ in found] == [5, 10, 16, 22, 28, 34]


def test_a_stepwise_ramp_has_ten_frames_at_most():
    found = shown("sdgf_step", width=128, keep=15)
    assert len(found) == 10
    assert found[-1][1] == [15]


def test_one_frame_and_no_stages_is_ste():
    got = trained("sdgf_step", frames=1, begin=0.0, end=1.0)
    assert same(got, trained("ste"))


STEPWISE = [case[1:] for case in golden()["frames"] if case[0] == "sparsify"]


@pytest.mark.parametrize(
    ("some", "group", "epochs", "dense", "fine", "frames"), STEPWISE
)
def test_frames_are_the_authors(some, group, epochs, dense, fine, frames):
    stages = {"begin": dense / epochs, "end": 1 - fine / epochs}
    pattern = {"scope": "nm", "nm_keep": some, "nm_group": group, "width": 8}
    keep = nm.count(8, some, group)
    found = shown("sdgf_step", **pattern, **stages, epochs=epochs, keep=keep)
    assert [[e, s[1], of.size] for e, s, of in found] == frames
