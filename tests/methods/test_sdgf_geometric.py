"""``sdgf_geometric`` shrinks groups at one density."""

import numpy as np
import pytest

from spiral.methods import nm
from tests.methods.flows import golden, shown


def test_groups_of_a_pattern_shrink_to_the_pattern():
    pattern = {"scope": "nm", "nm_keep": 1, "nm_group": 2, "width": 16, "keep": 280}
    found = shown("sdgf_geometric", **pattern, begin=0.0, end=1.0)
    assert [epoch for epoch, _, _ in found] == [0, 12, 25, 37]
    assert [scope.merged for *_, scope in found] == [8, 4, 2, 1]
    assert [said[-1] for _, said, _ in found] == [8, 4, 2, 1]
    assert [len(said) for _, said, _ in found] == [
        16 + rest for rest in (33, 66, 132, 264)
    ]  # layer 1 has groups of 2 throughout
    assert {said.sum() for _, said, _ in found} == {280}


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_geometric_ramp_keeps_the_density_and_shrinks_the_groups(scope):
    found = shown("sdgf_geometric", width=4, keep=17, scope=scope)
    kinds = [of.kind for *_, of in found]
    assert kinds == ["global", "layer", "unit"][scope == "layer" :]
    assert {said.sum() for _, said, _ in found} == {17}
    *_, by_layer, by_unit = [said for _, said, _ in found]
    units = np.split(by_unit, [4, 8, 12])
    assert [part.sum() for part in units] == by_layer.tolist()


GEOMETRIC = [case[1:] for case in golden()["frames"] if case[0] == "fine"]


@pytest.mark.parametrize(
    ("some", "group", "epochs", "dense", "fine", "frames"), GEOMETRIC
)
def test_frames_are_the_authors(some, group, epochs, dense, fine, frames):
    """Of a layer whose inputs the largest groups divide."""
    stages = {"begin": dense / epochs, "end": 1 - fine / epochs}
    pattern = {"scope": "nm", "nm_keep": some, "nm_group": group, "width": 16}
    keep = nm.count(16, some, group)
    found = shown("sdgf_geometric", **pattern, **stages, epochs=epochs, keep=keep)
    assert [[e, s[-1], of.size * of.merged] for e, s, of in found] == frames
