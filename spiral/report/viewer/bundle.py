"""The viewer's modules as one script: no build step, nothing to install.

A module in ``page/`` is an ordinary ES module under three rules: it imports by name
from files beside it (``import { a, b } from "./x.js";``), it exports only what it
declares (``export function f``), and no two modules declare the same name at top level.
Then concatenating them, imported files first, without the import lines and the word
``export``, gives the same program.
"""

import re
from importlib import resources

IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE
)
PAGE = resources.files("spiral.report.viewer") / "page"


def read(name: str) -> str:
    """Return a file of the page."""
    return (PAGE / name).read_text(encoding="utf-8")


def bundle(entry: str) -> str:
    """Return a module and all that it imports as one script.

    Args:
        entry: The module's file name.

    Raises:
        ValueError: Modules import each other in a circle, declare a name twice, or
            hold what would end their script element.
    """
    order = ordered(entry, ())
    texts = {name: read(name) for name in order}
    seen: dict[str, str] = {}
    for name, text in texts.items():
        for declared in DECLARED.findall(text):
            if seen.setdefault(declared, name) != name:
                raise ValueError(f"{name} and {seen[declared]} both declare {declared}")
    script = "\n".join(plain(text) for text in texts.values())
    if "</script" in script or "<!--" in script:
        raise ValueError(f"{entry}: a module holds text that ends its script element")
    return script


def ordered(name: str, above: tuple[str, ...]) -> list[str]:
    """Return the modules that a module needs, each after those it needs, then it."""
    if name in above:
        raise ValueError(f"modules import in a circle: {' → '.join([*above, name])}")
    needed = [
        below
        for imported in IMPORT.findall(read(name))
        for below in ordered(imported, (*above, name))
    ]
    return [*dict.fromkeys([*needed, name])]


def plain(module: str) -> str:
    """Return a module without its imports and exports."""
    return re.sub(r"^export ", "", IMPORT.sub("", module), flags=re.MULTILINE)
