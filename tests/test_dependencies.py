"""Every dependency has a version that was tested, and a licence that is listed."""

import re

import pytest

from tests import dependencies
from tests.golden import licences

DIRECT = [
    pytest.param(each, id=f"{extra}: {each}")
    for extra, every in dependencies.direct().items()
    for each in every
]
TEXT = licences.FILE.read_text()
LISTED = dict(re.findall(r"^(?=\| ([\w-]+) )(\|.*\|)$", TEXT, re.MULTILINE))


@pytest.mark.parametrize("wanted", DIRECT)
def test_a_version_of_it_was_tested(wanted):
    version = dependencies.pinned()[dependencies.normal(wanted.name)]
    assert wanted.specifier.contains(version)


TOOLKIT = ("nvidia-", "cuda-toolkit", "cuda-bindings")
"""Parts of CUDA, which PyTorch pins where it is built for GPUs: a constraint of ours
would contradict it."""


def test_what_they_need_was_tested():
    every = [each for found in dependencies.direct().values() for each in found]
    found = dependencies.needed(every)
    assert len(found) > len(DIRECT)
    free = {name for name in found if name.startswith(TOOLKIT)}
    assert found - dependencies.pinned().keys() - free == set()


def test_their_licences_are_listed():
    lines = licences.lines()
    assert {"numpy", "torch", "ray"} <= lines.keys()
    assert {name: LISTED.get(name) for name in lines} == lines  # else: make golden


def test_no_listed_package_is_without_a_tested_version():
    assert LISTED.keys() - {"package", "---"} <= dependencies.pinned().keys()


def test_none_asks_users_to_publish_under_its_own_licence():
    assert not [line for line in LISTED.values() if re.search(r"\bA?GPL", line)]
