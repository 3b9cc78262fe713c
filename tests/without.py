"""Run commands as if optional packages were not installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

HOOK = """
import sys
from importlib import metadata

ABSENT = {absent!r}


class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


def from_name(name, found=metadata.Distribution.from_name):
    if name in ABSENT:
        raise metadata.PackageNotFoundError(name)
    return found(name)


sys.meta_path.insert(0, Absent)
metadata.Distribution.from_name = from_name
"""
"""Python runs it at its start, in worker processes too, as ``sitecustomize``."""

RUN = """
import json, sys
from tests.cli import run

ran = [vars(run(*words)) for words in json.loads(sys.argv[1])]
print(json.dumps(ran))
"""


def commands(folder, absent, lines):
    """Run command lines in one process, in a folder, without some packages.

    Returns:
        ``code``, ``out`` and ``err`` of each.
    """
    (folder / "sitecustomize.py").write_text(HOOK.format(absent=set(absent)))
    paths = os.pathsep.join([str(folder), str(ROOT)])
    ran = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(lines)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)
