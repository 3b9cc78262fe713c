"""What a run of the tests says of those it leaves out, and what CI does not accept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE = "tests/browser/test_browser.py"


def ran(*args, **variables):
    """Run tests of the browser where there is none, on two workers as ``make`` does."""
    usual = {"PATH": "/nonexistent", "CHROMIUM": "", "CI": ""}
    command = [sys.executable, "-m", "pytest", "-q", FILE, "-n", "2", *args]
    return subprocess.run(
        command,
        text=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | usual | variables,
    )


@pytest.mark.slow
def test_tests_left_out_are_counted_in_the_last_line_with_what_runs_them():
    last = ran("-m", "not browser").stdout.splitlines()[-1]
    assert last.startswith("not run: 3 of the browser (make browser, make test-all)")


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_browser_test_that_skips_itself_tells_why_and_fails_in_ci(ci, code):
    done = ran("-k", "quiet", CI=ci)
    assert done.returncode == code, done.stdout + done.stderr
    assert "no Chromium on PATH or in $CHROMIUM; `make browser`" in done.stdout
    assert ("skipped, but CI is set" in done.stdout) == bool(code)


@pytest.mark.slow
def test_without_a_gpu_tests_of_one_are_skipped_and_counted_in_ci_too():
    file = "tests/engines/test_sam.py"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "gpu", file]
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": "", "CI": "true"}
    done = subprocess.run(
        command, text=True, capture_output=True, check=False, cwd=ROOT, env=hidden
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert "4 skipped: no CUDA device (make test-gpu on a machine with one)" in last
