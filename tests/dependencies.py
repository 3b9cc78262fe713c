"""What this package needs: the packages that setup.cfg names, and what these need."""

import configparser
import re
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
OWN = "spiral-sweep"
USED = ("", "torch", "ray", "cloud", "cuda", "onnx")
"""The extras whose packages run when users run spiral-sweep; the first is no extra."""

SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Older names of licences; others are names already."""


UNNAMED = "Other/Proprietary License"
"""A class of licences that names none."""


def normal(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct() -> dict[str, list[Requirement]]:
    """Return what setup.cfg requires, by extra, without this package itself."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    texts = {"": parser["options"]["install_requires"]}
    texts |= parser["options.extras_require"]
    found = {
        extra: [Requirement(line) for line in text.split("\n") if line]
        for extra, text in texts.items()
    }
    return {e: [r for r in every if r.name != OWN] for e, every in found.items()}


def pinned() -> dict[str, str]:
    """Return the version of each package that was tested."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {normal(name): version for name, version in pairs}


def needed(wanted: list[Requirement]) -> set[str]:
    """Return the installed packages among some and what they need, here."""
    found: set[str] = set()
    waiting = [(each.name, each.extras) for each in wanted]
    while waiting:
        name, extras = waiting.pop()
        if (normal(name), *sorted(extras)) in found:
            continue
        found.add((normal(name), *sorted(extras)))
        waiting += [(each.name, each.extras) for each in _needs(normal(name), extras)]
    return {name for name, *_ in found if name in installed()}


def _needs(name: str, extras: set[str]) -> list[Requirement]:
    """Return what a package with some of its extras requires on this system."""
    lines = metadata.requires(name) or [] if name in installed() else []
    every = [Requirement(line) for line in lines]
    return [
        each
        for each in every
        if not each.marker
        or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


@cache
def installed() -> frozenset[str]:
    """Return the packages of this environment."""
    return frozenset(normal(each.metadata["Name"]) for each in metadata.distributions())


def licence(name: str) -> str:
    """Return the licence that an installed package declares."""
    about = metadata.metadata(name)
    if about["License-Expression"]:
        return about["License-Expression"]
    classes = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith(UNNAMED)
    ]
    names = classes or (about["License"] or "not declared").splitlines()[:1]
    return " OR ".join(sorted({SPDX.get(each, each) for each in names}))


def used() -> set[str]:
    """Return the packages that run when users run spiral-sweep, here."""
    return needed([each for extra in USED for each in direct()[extra]])
