"""Commands that CI tries on Windows run without the signals and calls of POSIX.

``make test`` cannot show more of that system than what it lacks.
"""

import subprocess
import sys

import pytest

WITHOUT = """
import os, signal, sys
for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGKILL", "pthread_sigmask"):
    delattr(signal, name)
del os.sched_getaffinity
from spiral.__main__ import main
sys.argv = ["spiral-sweep", *sys.argv[1:]]
main()
"""
LAUNCH = "launch quickstart --set seed=0 --set epochs=1 --set lr=0.1 --set keep=16"


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "compare leaders",
        f"{LAUNCH} --out rows --executor local --workers 1",
    ],
)
def test_a_command_runs_without_signals_of_posix(line, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, *line.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
