"""List the packages that users install: ``python tests/golden/licences.py``."""

from pathlib import Path

from tests import dependencies

FILE = Path(__file__).parent.parent.parent / "DEPENDENCIES.md"
HEAD = """\
# Dependencies

The packages that run with spiral-sweep and its extras {extras},
with the version of each that was tested and the licence that it declares (`make golden`
lists them anew). `constraints.txt` also has those that build, test and document it.

| package | version | licence |
| --- | --- | --- |
"""


def head() -> str:
    """Return what stands above the lines."""
    *extras, last = (f"`{extra}`" for extra in dependencies.USED if extra)
    return HEAD.format(extras=f"{', '.join(extras)} and {last}")


def lines() -> dict[str, str]:
    """Return a line for each package of this environment that users install."""
    versions = dependencies.pinned()
    return {
        name: f"| {name} | {versions[name]} | {dependencies.licence(name)} |"
        for name in sorted(dependencies.used() & versions.keys())
    }


if __name__ == "__main__":
    FILE.write_text(head() + "\n".join(lines().values()) + "\n")
