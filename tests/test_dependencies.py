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


TOOLKIT = ("nvidia-", "triton")
"""Parts of CUDA that PyTorch pins itself where it is built for GPUs."""


def test_what_they_need_was_tested():
    every = [each for found in dependencies.direct().values() for each in found]
    found = dependencies.needed(every)
    assert len(found) > len(DIRECT)
    ours = dependencies.needed([each for each in every if each.name != "torch"])
    free = {name for name in found - ours if name.startswith(TOOLKIT)}
    assert found - dependencies.pinned().keys() - free == set()


def test_the_cuda_toolkit_is_of_one_version():
    """Its compiler must not write PTX that a ``ptxas`` of that version refuses."""
    parts = ("cuda-toolkit", "nvidia-nvvm", "nvidia-cuda-nvrtc", "nvidia-nvjitlink")
    versions = {tuple(dependencies.pinned()[part].split(".")[:2]) for part in parts}
    assert len(versions) == 1


def test_their_licences_are_listed():
    lines = licences.lines()
    assert TEXT.startswith(licences.head())
    assert {"numpy", "torch", "ray", "numba-cuda", "nvidia-nvvm"} <= lines.keys()
    assert {name: LISTED.get(name) for name in lines} == lines  # else: make golden


def test_no_listed_package_is_without_a_tested_version():
    assert LISTED.keys() - {"package", "---"} <= dependencies.pinned().keys()


def test_none_asks_users_to_publish_under_its_own_licence():
    assert not [line for line in LISTED.values() if re.search(r"\bA?GPL", line)]
