"""The program as a process: its exit code, and what runs before it leaves."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from spiral.__main__ import main
atexit.register(print, "at exit")
main()
"""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["methods", "gmp"], 0, "gmp"), (["nothing"], 2, "Usage: spiral-sweep ")],
)
def test_the_exit_code_is_that_of_the_command(words, code, said):
    command = [sys.executable, "-c", PROGRAM, *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == code
    assert said in ran.stdout + ran.stderr
    assert ran.stdout.endswith("at exit\n")
