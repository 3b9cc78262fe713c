"""What public CI runs exists, and covers the versions of Python that are promised."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.test_fragments import parsed

ROOT = Path(__file__).parent.parent
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
LINES = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("line", LINES)
def test_what_a_step_runs_exists(line):
    word, *words = shlex.split(line)
    if word == "spiral-sweep":
        assert words == ["--version"] or parsed(words)
    elif word == "make":
        assert re.search(
            rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE
        )
    elif word.startswith("."):
        assert (ROOT / word).is_file()
    else:
        assert word in ("pip", "sudo")


def test_one_job_is_binding_and_the_others_are_marked_as_untested():
    assert not JOBS["whole"].get("continue-on-error")
    others = [job for name, job in JOBS.items() if name != "whole"]
    assert all(job["continue-on-error"] for job in others)


def test_every_supported_python_is_in_the_matrix():
    text = (ROOT / "setup.cfg").read_text()
    first = re.search(r"python_requires = >=3\.(\d+)", text)[1]
    found = JOBS["quick"]["strategy"]["matrix"]["python"]
    assert found == [f"3.{n}" for n in range(int(first), int(first) + len(found))]
    assert JOBS["quick"]["strategy"]["matrix"]["os"] == [
        "ubuntu-latest",
        "macos-latest",
    ]
