"""Every fragment of code in the documentation runs, or is checked, as printed.

Python runs in a process of its own, beside a results directory ``DIR`` and one of its
rows, ``row``; grids expand; command lines are parsed and the names in them looked up;
make targets exist.
"""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import spiral
from spiral.cli import main
from spiral.methods.registry import METHODS, config_fields
from spiral.sweep.grid import grid, shipped
from spiral.sweep.grid.blocks import applies
from tests.cli import run_json

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "analysis/*.md", "benchmarks/*.md")
    for page in ROOT.glob(pattern)
)
SAVED = {
    name
    for page in PAGES
    for name in re.findall(r"Save this as `([^`]+)`", page.read_text())
}
"""Files that readers write themselves."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILES = (
    *(".py", ".md", ".cfg", ".toml", ".yaml", ".json", ".ipynb"),
    *(".parquet", ".png", ".html"),
)


def fenced(page: Path, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    return [body for name, body in FENCE.findall(page.read_text()) if name == language]


def inline(page: Path) -> list[str]:
    """Return what a page has in backticks, in its order."""
    text = FENCE.sub("", page.read_text())
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def is_python(span: str) -> bool:
    """Return whether a span in backticks is Python that says where its names are."""
    if "/" in span or span.endswith(FILES):
        return False
    try:
        tree = ast.parse(span)
    except SyntaxError:
        return False
    roots = {
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    return any(root in ("spiral", "pandas") or module(root) for root in roots)


def module(name: str) -> bool:
    """Return whether a module of the package is called so."""
    return any(Path(spiral.__file__).parent.rglob(f"{name}.py"))


def commands(page: Path) -> list[list[str]]:
    """Return the command lines of a page, without ``spiral-sweep``."""
    shell = "\n".join(fenced(page, "sh")).replace("\\\n", " ")
    lines = re.findall(r"^ *spiral-sweep (.*?)(?: [|&;]|$)", shell, re.MULTILINE)
    found = [shlex.split(line, comments=True) for line in lines]
    for span in inline(page):
        words = span.removeprefix("spiral-sweep ").split()
        if words and words[0] in main.commands and not is_python(span):
            found.append(words)
    return found


def each(kind) -> list:
    """Return (page, fragment) for all pages, as parameters of a test."""
    return [
        pytest.param(found, id=f"{page.relative_to(ROOT)}: {str(found)[:50]}")
        for page in PAGES
        for found in dict.fromkeys(map(str, kind(page)))
    ]


# ---- Python

PROLOGUE = r"""
import builtins, importlib, pathlib, pkgutil, re, sys
import pandas, spiral

class Names(dict):
    def __missing__(self, name):
        root = pathlib.Path(spiral.__file__).parent
        for file in root.rglob(f"{name}.py"):
            parts = file.relative_to(root.parent).with_suffix("").parts
            return importlib.import_module(".".join(parts))
        raise KeyError(name)  # a built-in, or unknown

row = pandas.read_parquet("DIR", dtype_backend="numpy_nullable").iloc[0]
names = Names(pandas=pandas, spiral=spiral, row=row, DIR="DIR")
if re.fullmatch(r"spiral(\.\w+)+", sys.argv[1]):  # a module, or something in one
    pkgutil.resolve_name(sys.argv[1])
else:
    exec(sys.argv[1], names)
"""


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder with the results of a small launch in ``DIR``."""
    folder = tmp_path_factory.mktemp("docs")
    file = folder / "tiny.yaml"
    file.write_text("{method: gmp, keep: 12, width: 3, epochs: 1, batch: 2000}")
    local = ("--executor", "local", "--workers", 1)
    run_json("launch", file, "--out", folder / "DIR", *local)
    return folder


def python_of(page: Path) -> list[str]:
    """Return a page's blocks of Python and what it has in backticks.

    Blocks of a tutorial need the steps before them (``tests/site/test_tutorials.py``).
    """
    blocks = [] if page.parent.name == "tutorials" else fenced(page, "python")
    return [*blocks, *filter(is_python, inline(page))]


@pytest.mark.parametrize("code", each(python_of))
def test_python_runs_as_printed(code, beside):
    ran = subprocess.run(
        [sys.executable, "-c", PROLOGUE, code],
        cwd=beside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


LIGHT = """
import sys
import spiral
assert not {"torch", "pandas", "numpy"} & {*sys.modules}
"""


def test_importing_the_package_is_light():
    subprocess.run([sys.executable, "-W", "error", "-c", LIGHT], check=True)


# ---- command lines


def parsed(words: list[str]) -> list[click.Context]:
    """Parse a command line without running it; groups first, then the command.

    The name of a command alone, or with ``--help``, needs no arguments.
    """
    command, chain, path = main, [], [word for word in words if word != "--help"]
    while isinstance(command, click.Group) and path:
        name = path.pop(0)
        assert name in command.commands, f"{name} is no command of {command.name}"
        command = command.commands[name]
    if path:
        chain.append(command.make_context(" ".join(words), path))
    return chain


@pytest.mark.parametrize("words", each(lambda page: map(shlex.join, commands(page))))
def test_command_lines_are_understood_and_name_what_exists(words):
    for context in parsed(shlex.split(words)):
        grids = context.params.get("grids") or [context.params.get("grid")]
        for name in filter(None, grids):
            assert name in SAVED or shipped.find(name).is_file()
        for place in map(Path, context.params.get("folders") or ()):
            summary = place.suffix == ".parquet" and place.is_file()
            assert summary or place.name.isupper() or place.parts[0] == "runs"


def options(command: click.Command) -> set[str]:
    """Return the options of a command and of those below it."""
    found = {name for option in command.params for name in option.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return found.union(*map(options, below))


@pytest.mark.parametrize(
    "span", each(lambda page: [s for s in inline(page) if s.startswith("--")])
)
def test_options_exist(span):
    assert {word for word in span.split() if word.startswith("--")} <= options(main)


def targets(page: Path) -> list[str]:
    """Return the make targets that a page names."""
    code = [*fenced(page, "sh"), *inline(page)]
    return re.findall(r"^make ([a-z-]+)", "\n".join(code), re.MULTILINE)


@pytest.mark.parametrize("target", each(targets))
def test_make_targets_exist(target):
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


# ---- grids


def keys(page: Path) -> list[str]:
    """Return the keys of grids that a page has in backticks, with their values."""
    spans = [span.partition(": ") for span in inline(page)]
    return [": ".join((k, v)) for k, sep, v in spans if sep and k in config_fields()]


@pytest.mark.parametrize("text", each(lambda page: fenced(page, "yaml")))
def test_grids_expand(text):
    assert len(grid.loads(text).configs) > 0


@pytest.mark.parametrize("text", each(keys))
def test_keys_expand_in_a_grid_of_a_method_that_has_them(text):
    key = text.partition(":")[0]
    method = next(name for name in METHODS if applies(key, name))
    keep = "keep: 12\n" if METHODS[method].needs_keep and key != "keep" else ""
    assert len(grid.loads(f"method: {method}\n{keep}{text}").configs) > 0


# ---- what would pass if nothing were found


def test_fragments_of_every_kind_are_found():
    docs = ROOT / "docs"
    assert any("load_rows" in code for code in python_of(ROOT / "README.md"))
    assert any("from_row" in code for code in python_of(docs / "results.md"))
    assert any("read_parquet" in code for code in python_of(ROOT / "RELIABILITY.md"))
    leaders = ["compare", "leaders", "--where", "width=16"]
    assert leaders in commands(docs / "findings.md")
    own_pruner = commands(docs / "your-own-pruner.md")
    assert any(c[:2] == ["rank", "--method"] for c in own_pruner)
    assert {"demo", "test"} <= {*targets(ROOT / "README.md")}
    assert any(text.startswith("matrices: ") for text in keys(docs / "grids.md"))
    assert fenced(docs / "grids.md", "yaml")
