"""Generations follow from seed and archives alone, and improve them."""

from pathlib import Path

import pytest

from spiral.search.candidate import from_mask, mask_of, nnz_of, shape_of
from spiral.search.evolve import archive as archives
from spiral.search.evolve import island
from spiral.search.polish import right
from spiral.tasks import catalogue

CUBIST = catalogue.load("cubist")

SETTINGS = island.Settings(3, ("one-unit", "random"), (4, 2, 2), (8, 14), 40)


@pytest.fixture(scope="module")
def first():
    return island.generation(SETTINGS, 1, 0, [])


ONE_UNIT, TWO_UNITS = "01,01,10,11/1111/1,1,1/111", "01,10,11/101,011/10,11/11"


def test_a_generation_is_a_function_of_what_it_is_given(first):
    before = archives.to_bytes(first)
    assert archives.to_bytes(island.generation(SETTINGS, 1, 0, [])) == before
    assert archives.to_bytes(island.generation(SETTINGS, 1, 1, [])) != before


def test_members_are_within_the_settings_and_leaders_are_counted(first):
    members = [*first.members()]
    assert len(members) > 10
    for member in members:
        assert 8 <= nnz_of(member.candidate) <= 14
        assert all(
            units <= most
            for units, most in zip(
                shape_of(member.candidate), SETTINGS.largest, strict=True
            )
        )
    assert first.leaders
    for (shape, nnz), leader in first.leaders.items():
        assert shape == shape_of(leader.candidate)
        assert nnz == nnz_of(leader.candidate)
        assert leader.right == right(leader.candidate, CUBIST)


def test_generations_go_on_from_their_archive_and_take_in_leaders(first):
    saved = archives.from_bytes(archives.to_bytes(first), Path("a"))
    neighbour = island.generation(SETTINGS, 1, 1, [])
    best = max(member.right for member in neighbour.leaders.values())
    later = island.generation(SETTINGS, 2, 0, [saved, neighbour])
    assert max(member.right for member in later.leaders.values()) >= best
    for key, leader in first.leaders.items():
        assert later.leaders[key].right >= leader.right
    assert {m.origin.generation for m in later.members()} == {1, 2}


@pytest.mark.parametrize("mask", [ONE_UNIT, TWO_UNITS])
def test_a_search_of_one_mask_keeps_several_networks_of_it(mask):
    blank = from_mask(mask)
    sizes = (nnz_of(blank), nnz_of(blank))
    starts = ("one-unit", "random")
    settings = island.Settings(1, starts, shape_of(blank), sizes, 30, mask_of(blank))
    members = [*island.generation(settings, 1, 0, []).members()]
    assert len(members) > 3
    assert {member.mask for member in members} == {mask_of(blank)}
    assert {member.origin.moves > 0 for member in members} == {False, True}
