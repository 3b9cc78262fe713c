"""Tests of spiral.cli: command lines run in this process."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

from spiral import cli


def run(*args):
    """Run a command line in this process; an exception is a failed test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main([str(arg) for arg in args], prog_name="spiral-sweep")
    except SystemExit as stop:
        code = stop.code or 0
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def run_json(*args):
    """Run a command that must print one JSON document and nothing else."""
    ran = run(*args, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)
