"""Files are whole or absent: old or new, whatever fails or dies, with nothing left."""

import builtins
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spiral.errors import CorruptPack, StoreError
from spiral.results import atomic

OLD, NEW = b"old " * 50, b"new " * 5000


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "results" / "file"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def _fail(monkeypatch, name, number):
    """Let one operation of the system fail; ``write``: after it wrote a half."""
    error = OSError(number, os.strerror(number))

    def fail(*args, **kwargs):
        raise error

    if name == "open":
        monkeypatch.setattr(io, "open", fail)
    elif name == "write":
        monkeypatch.setattr(io, "open", lambda *a, **k: _HalfWriter(a[0], error))
    else:
        monkeypatch.setattr(os, name, fail)


class _HalfWriter:
    def __init__(self, path, error):
        self.file, self.error = builtins.open(path, "xb"), error  # noqa: SIM115

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        raise self.error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("step", ["mkdir", "open", "write", "fsync", "replace"])
def test_whatever_step_fails_the_old_file_stays_and_nothing_is_left(
    step, number, target, scratch, monkeypatch
):
    if step != "mkdir":
        scratch.mkdir()
    with monkeypatch.context() as patch:
        _fail(patch, step, number)
        with pytest.raises(StoreError, match=os.strerror(number)) as failure:
            atomic.replace_atomically(target, NEW, scratch)
    assert str(target) in str(failure.value)
    assert target.read_bytes() == OLD
    assert not scratch.exists() or not any(scratch.iterdir())
    assert [*target.parent.iterdir()] == [target]


def test_a_directory_that_cannot_be_synced_is_an_error_and_the_file_is_whole(
    target, scratch, monkeypatch
):
    real = os.fsync

    def fsync(handle):
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(StoreError, match="Input/output error"):
            atomic.replace_atomically(target, NEW, scratch)
    assert target.read_bytes() in (OLD, NEW)
    assert not any(scratch.iterdir())


def test_a_clean_up_that_fails_too_does_not_hide_the_reason(
    target, scratch, monkeypatch
):
    with monkeypatch.context() as patch:
        _fail(patch, "fsync", errno.ENOSPC)
        _fail(patch, "unlink", errno.EROFS)
        with pytest.raises(StoreError, match=os.strerror(errno.ENOSPC)):
            atomic.replace_atomically(target, NEW, scratch)
    assert target.read_bytes() == OLD


def test_a_rejected_file_leaves_the_old_one(target, scratch):
    seen = []

    def check(path):
        seen.append((path.parent, path.read_bytes()))
        raise CorruptPack("no")

    with pytest.raises(CorruptPack, match="no"):
        atomic.replace_atomically(target, NEW, scratch, check)
    assert seen == [(scratch, NEW)]
    assert target.read_bytes() == OLD
    assert not any(scratch.iterdir())


def test_success_replaces_and_leaves_nothing_else(tmp_path, scratch):
    path = tmp_path / "deep" / "er" / "file"
    for data in (OLD, NEW, b""):
        atomic.replace_atomically(path, data, scratch)
        assert path.read_bytes() == data
    assert not any(scratch.iterdir())


def test_the_file_is_synced_before_its_name_and_its_name_before_the_return(
    target, scratch, monkeypatch
):
    done, fsync, replace = [], os.fsync, os.replace

    def note_fsync(handle):
        done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{handle}")).parent))
        fsync(handle)

    def note_replace(source, to):
        assert Path(source).read_bytes() == NEW
        done.append(("replace", Path(to)))
        replace(source, to)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    atomic.replace_atomically(target, NEW, scratch)
    assert done == [
        ("fsync", scratch),
        ("replace", target),
        ("fsync", target.parent.parent),
    ]


def test_a_durable_write_never_overwrites(target):
    with pytest.raises(FileExistsError):
        atomic.write_durably(target, NEW)
    assert target.read_bytes() == OLD


DIES = """
import os, signal, sys
from pathlib import Path
from spiral.results import atomic

folder, at = Path(sys.argv[1]), int(sys.argv[2])
seen = []

def hook(event, args):
    if args and str(args[0]).startswith(str(folder)):
        seen.append(event)
        if len(seen) == at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
atomic.replace_atomically(folder / "results" / "file", b"new " * 5000, folder / "tmp")
print(*seen)
"""


def test_killed_before_any_of_its_steps_it_leaves_the_old_file_or_the_new(tmp_path):
    """SIGKILL before the 1st, 2nd … operation on files, until there is none left."""
    states, steps = [], []
    while not steps and len(states) < 20:
        folder = tmp_path / str(len(states))
        path = folder / "results" / "file"
        path.parent.mkdir(parents=True)
        path.write_bytes(OLD)
        command = [sys.executable, "-c", DIES, str(folder), str(len(states) + 1)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not ran.stderr
        states.append(path.read_bytes())
        steps = ran.stdout.split()
    assert len(steps) == len(states) - 1
    assert {"open", "os.rename"} <= {*steps}
    renamed = steps.index("os.rename") + 1
    assert states == [OLD] * renamed + [NEW] * (len(states) - renamed)
