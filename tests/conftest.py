"""What holds for every test, and what a run says of those it left out."""

import fcntl
import os
import sys
from collections import Counter, deque
from functools import cache
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from spiral import engines
from spiral.methods.registry import METHODS
from spiral.sweep import calibration
from tests.chromium import browser, visit, visit_for_module

__all__ = ["browser", "visit", "visit_for_module"]

# No examples drawn anew and no limit of time: a run is the same on every machine.
settings.register_profile(
    "anywhere",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("anywhere")

LEFT_OUT = {
    "slow": "slow (make test-all)",
    "browser": "of the browser (make browser, make test-all)",
    "benchmark": "benchmarks (make bench)",
}
"""Marker → what tests with it are, and what runs them."""

deselected: Counter[str] = Counter()
skipped: Counter[str] = Counter()


@pytest.fixture(autouse=True, scope="session")
def nothing_of_the_user(tmp_path_factory):
    """Keep this user's files out of the tests; nothing measures this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        calibration.forget()
        calibration.save(dict.fromkeys(engines.names(), 1.0))
        yield
    calibration.forget()


@pytest.fixture
def nothing_stays():
    """Forget the methods that a test has loaded."""
    before, modules, path = dict(METHODS), dict(sys.modules), [*sys.path]
    yield
    METHODS.clear()
    METHODS.update(before)
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        if name.startswith("spiral_own_"):
            del sys.modules[name]


@pytest.fixture(autouse=True, scope="session")
def kernels_compiled_once(tmp_path_factory):
    """Share the work of compiling Numba's kernels between the workers of a run.

    They end in the cache beside the sources, where later runs and child processes find
    them. Each worker begins with another kernel and waits for those others compile.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:  # a single process compiles what it needs when it needs it
        return
    order = deque(["sparse", "sparse-plain"])
    order.rotate(int(worker.removeprefix("gw")))
    for name in order:
        lock = tmp_path_factory.getbasetemp().parent / f"{name}.lock"
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            compiled(name)


def compiled(name):
    """Train and evaluate a network for a step, so that all of an engine is compiled."""
    from spiral import engines
    from tests.engines import begin, make_job

    engine, job = engines.build(name), make_job([1])
    engine.evaluate(job, engine.advance(job, begin(job), 1))


LONGEST = "tests/sweep/test_evolve.py"
"""The file of the slow tier that takes longest, two minutes alone."""


def pytest_collection_modifyitems(items):
    """Begin with the longest file: begun last, it would leave the other cores idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_runtest_setup(item):
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu") and not gpu_is_there():
        pytest.skip("no CUDA device (make test-gpu on a machine with one)")


@cache
def gpu_is_there():
    """Return whether torch finds a CUDA device; False without torch."""
    if find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Fail a browser test that skips itself in CI, where Chromium must be."""
    report = yield
    if report.skipped and item.get_closest_marker("browser") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI is set: {report.longrepr[-1]}"
    return report


def pytest_deselected(items):
    for item in items:
        kinds = (kind for kind in reversed(LEFT_OUT) if item.get_closest_marker(kind))
        deselected[next(kinds, "")] += 1


def pytest_runtest_logreport(report):
    if report.skipped and isinstance(report.longrepr, tuple):
        skipped[report.longrepr[-1].removeprefix("Skipped: ")] += 1


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    """Say last of all what did not run and how to get it."""
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["deselected"] = dict(deselected)
    result = yield
    left = [f"{n:,} {LEFT_OUT[kind]}" for kind, n in deselected.items() if kind]
    left += [f"{n:,} skipped: {reason}" for reason, n in skipped.items()]
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if worker is None and left and reporter:
        reporter.write_line(f"not run: {'; '.join(left)}")
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker has left out; all workers leave out the same."""
    deselected.update(
        Counter(getattr(node, "workeroutput", {}).get("deselected", {})) - deselected
    )
