"""Readers of the tutorials run their blocks in order, in one folder; so does this."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"([^\n]*)\n\n```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SAVE = re.compile(r"Save this as `([^`]+)`")
LONG = ("# hours", "# half an hour")
"""Comments on commands that no reader waits for."""

FEW = ("--set", "epochs=1", "--workers", "2")
"""What makes launches quick; everything else is as printed."""


@pytest.fixture
def home(tmp_path):
    """A folder in which ``spiral-sweep`` is this checkout, with quick launches."""
    script = tmp_path / "bin" / "spiral-sweep"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\n[ "$1" = launch ] && set -- "$@" {" ".join(FEW)}\n'
        f'exec {sys.executable} -m spiral "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def steps(page: Path) -> list[tuple[str, str, str]]:
    """Return the paragraph before each block, the block's language and its content."""
    return BLOCK.findall(page.read_text())


def command(before: str, language: str, content: str) -> list[str]:
    """Return the command that does what a block asks for."""
    if saved := SAVE.search(before):
        return [sys.executable, "-c", f"open({saved[1]!r}, 'w').write({content!r})"]
    if language == "python":
        return [sys.executable, "-W", "error", "-c", content]
    assert language == "sh", f"a block of {language} is neither saved nor run"
    lines = [line for line in content.splitlines() if not line.endswith(LONG)]
    return ["sh", "-e", "-c", "\n".join(lines)]


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_reader_can_do_every_step(page, home):
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    place = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = 0
    for step in steps(page):
        if step[1] == "bash":  # a command of a cluster, not of this machine
            continue
        ran = subprocess.run(
            command(*step),
            cwd=home,
            env=place,
            text=True,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, f"{step[2]}\n{ran.stderr}"
        done += 1
    assert done >= 2
