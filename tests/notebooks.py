"""``make notebooks``: run the scripts of analysis/ and keep what they show beside them.

A notebook has the cells of its script and what these showed, and nothing of the run:
no times, no counters of the kernel, no versions of programs that draw. So running it
again on the same rows changes nothing.
"""

import sys
import tempfile
import warnings
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import click
import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "analysis"
COLOURS = 256
"""Of a figure: lines and maps look the same, in a third of the bytes."""
WIDEST = 2000
"""Pixels of a figure, twice those of the column of a page."""


def pages() -> list[str]:
    """Return the names of the notebooks."""
    return sorted(path.stem for path in FOLDER.glob("*.py"))


def script(name: str) -> nbformat.NotebookNode:
    """Return a script as a notebook without outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupytext's own
        return jupytext.read(FOLDER / f"{name}.py")


def kept(name: str) -> nbformat.NotebookNode:
    """Return the notebook that lies beside a script."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def run(name: str) -> nbformat.NotebookNode:
    """Return a script as a notebook with what its cells show."""
    notebook = script(name)
    with tempfile.TemporaryDirectory() as away:
        client = NotebookClient(notebook, resources={"metadata": {"path": away}})
        client.execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove from a notebook what differs from run to run; make its figures small."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # jupytext draws them
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = small(output.data["image/png"])
    kernel = notebook.metadata.kernelspec
    kinds = {"formats": "ipynb,py:percent"}
    notebook.metadata = {"jupytext": kinds, "kernelspec": kernel}
    return notebook


def small(png: str) -> str:
    """Return a picture with a palette, and without the names of programs in it."""
    picture = Image.open(BytesIO(b64decode(png))).convert("RGB")
    if picture.width > WIDEST:
        height = round(picture.height * WIDEST / picture.width)
        picture = picture.resize((WIDEST, height), Image.Resampling.LANCZOS)
    file = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "png", optimize=True)
    return b64encode(file.getvalue()).decode() + "\n"


def main() -> None:
    """Write the notebooks that the command line names; by default all."""
    for name in sys.argv[1:] or pages():
        file = FOLDER / f"{name}.ipynb"
        nbformat.write(run(name), file)
        click.echo(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
