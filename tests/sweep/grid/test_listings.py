"""Listings in grid files: what they stand for, and what is said of every mistake."""

import pytest

from spiral.errors import ConfigError
from spiral.methods.registry import config_fields
from spiral.protocol.config import Options
from spiral.search import LISTINGS
from spiral.search.paper import PaperMasks, texts
from spiral.sweep.grid.grid import loads


def matrices(text: str, *overrides: str) -> list[str]:
    return loads(text, "g", overrides).configs["matrices"].tolist()


def complaints(value: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(f"method: mask\nmatrices: {value}", "g")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_names_a_field_and_has_typed_arguments(name):
    listing = LISTINGS[name]
    assert listing.field in config_fields()
    assert issubclass(listing.options, Options)


def test_a_listing_stands_for_its_values_in_their_order():
    found = matrices("{method: mask, matrices: {paper_masks: {shape: [3, 2, 2]}}}")
    assert found == texts(PaperMasks(shape=[3, 2, 2]))


def test_a_listing_may_stand_in_a_list_beside_values():
    text = "[11/1/1/1, {paper_masks: {shape: [2, 2, 2], below: 8}}, '10/1/1/1']"
    found = matrices(f"{{method: mask, matrices: {text}}}")
    expected = texts(PaperMasks(shape=[2, 2, 2], below=8))
    assert found == ["11/1/1/1", *expected, "10/1/1/1"]


def test_a_listing_varies_together_with_its_zip_group():
    count = len(texts(PaperMasks(shape=[1, 2, 2])))
    text = f"""
    method: mask
    zip: {{matrices: {{paper_masks: {{shape: [1, 2, 2]}}}}, seed: 1..{count}}}
    """
    assert loads(text).configs["seed"].tolist() == list(range(1, count + 1))


def test_an_override_may_be_a_listing():
    found = matrices(
        "{method: mask, matrices: 11/1/1/1}",
        "matrices={paper_masks: {shape: [3, 3, 3], below: 10}}",
    )
    assert found == texts(PaperMasks(shape=[3, 3, 3], below=10))


KNOWN = "orbits, paper_masks"
SHAPE = "paper_masks: shape: "

MISTAKES = {
    "{paper_mask: {shape: [3, 3, 3]}}": "g:2:12: matrices: unknown listing "
    "'paper_mask'; did you mean 'paper_masks'?",
    "{}": f"g:2:11: matrices: expected one listing of {KNOWN}",
    "{a: 1, b: 2}": f"g:2:11: matrices: expected one listing of {KNOWN}",
    "{paper_masks: }": "g:2:24: expected `key: value` lines",
    "{paper_masks: {}}": "g:2:12: paper_masks: missing argument shape",
    "{paper_masks: {shape: [3, 3, 3], frist: 3}}": "g:2:44: paper_masks: frist: "
    "unknown argument; did you mean 'first'?",
    "{paper_masks: {shape: 3}}": f"g:2:33: {SHAPE}should be a valid list, got '3'",
    "{paper_masks: {shape: [3, 3]}}": f"g:2:34: {SHAPE}List should have at least 3",
    "{paper_masks: {shape: [3, x, 3]}}": f"g:2:37: {SHAPE}should be a valid integer, ",
    "{paper_masks: {shape: [3, 3, 17]}}": f"g:2:40: {SHAPE}should be less than or e",
    "{paper_masks: {shape: [3, 3, [3]]}}": "g:2:40: expected a plain value",
    "{paper_masks: {shape: [3, 3, 3], below: '9'}}": "g:2:51: paper_masks: below: "
    "should be a valid integer, got '9'",
    "{paper_masks: {shape: [3, 3, 3], below: 8..9}}": "g:2:51: paper_masks: below: "
    "should be a valid integer, got '[8, 9]'",
    "{paper_masks: {shape: [3, 3, 3], below: 3}}": "g:2:12: paper_masks: expected at "
    "least one value",
    "{paper_masks: {shape: [7, 3, 3]}}": "g:2:12: paper_masks: expected at most 1,000",
    "{paper_masks: {shape: [7, 7, 7]}}": "g:2:12: paper_masks: expected at most ",
    "{paper_masks: {shape: [3, 3, 3], first: 1, first: 2}}": "g:2:54: first: expected "
    "on",
}


@pytest.mark.parametrize("value", MISTAKES)
def test_a_mistake_gives_one_message_with_its_place_and_the_way_out(value):
    (found,) = complaints(value)
    assert found.startswith(MISTAKES[value])


def test_all_mistakes_of_a_listing_are_named_at_once():
    found = complaints("{paper_masks: {shape: [0, x, 3], below: 0, frist: 1}}")
    places = [line.partition(": ")[0] for line in found]
    assert places == ["g:2:34", "g:2:37", "g:2:51", "g:2:54"]


def test_a_field_without_listings_takes_none():
    with pytest.raises(ConfigError, match="g:1:21: expected a value or a list of val"):
        loads("{method: dense, lr: {paper_masks: {shape: [3, 3, 3]}}}", "g")


@pytest.mark.parametrize(
    ("nnz", "count"), [("16", 14), ("16..18", 19), ("[16, 17]", 18)]
)
def test_orbits_of_a_range_of_weights(nnz, count):
    text = f"{{method: mask, matrices: {{orbits: {{shape: [3, 2, 2], nnz: {nnz}}}}}}}"
    assert len(loads(text).configs) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("shape: [3, 2, 2], nnz: [10, 12]", "expected a range like 16..20"),
        ("shape: [3, 2]", "at least 3 items"),
        ("shape: [3, 12, 3]", "7 units in layer 2, got 12"),
    ],
)
def test_orbits_say_what_they_cannot_do(arguments, message):
    text = f"{{method: mask, matrices: {{orbits: {{{arguments}}}}}}}"
    with pytest.raises(ConfigError, match=message):
        loads(text)
