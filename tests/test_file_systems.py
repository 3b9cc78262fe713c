"""What is on the disk after a fault, and file systems that lack an operation."""

import errno
import io
import os
from pathlib import Path

import pandas as pd
import pytest

from spiral.errors import CorruptPack, StoreError
from spiral.results import atomic, store
from tests.results import write_pack
from tests.results.test_store import PACK, ROWS
from tests.soak.faults import Fault, Wire

OLD, NEW = b"old " * 50, b"new " * 500
WIRED = ("mkdir", "open", "unlink", "fsync", "close", "replace", "link")
CONFIGS = pd.DataFrame({"config_id": ["a"], "pack": ["p"]}, dtype="string")

WRITES = {
    "new manifest": lambda out: store.write_manifest(out, CONFIGS, {}, first=True),
    "manifest": lambda out: store.write_manifest(out, CONFIGS, {}),
    "pack": lambda out: write_pack(out, PACK, ROWS, {}),
    "record": lambda out: store.write_failure(out, "p", "because"),
}
PATHS = {
    "new manifest": store.manifest_path,
    "manifest": store.manifest_path,
    "pack": lambda out: store.pack_path(out, PACK),
    "record": lambda out: out / "_spiral" / "failed" / "p.json",
}


def wired(patch, out, *faults):
    """Lay a wire that the patch takes away again."""
    patch.setattr(io, "open", io.open)
    for name in WIRED:
        patch.setattr(os, name, getattr(os, name))
    wire = Wire(str(out), faults)
    wire()
    return wire


def fails(patch, name, number, folders=False):
    """Let an operation fail with an error, always; perhaps on folders only."""
    real = getattr(os, name)

    def fail(first, *args, **more):
        path = Path(f"/proc/self/fd/{first}") if isinstance(first, int) else first
        if folders and not Path(path).is_dir():
            return real(first, *args, **more)
        raise OSError(number, os.strerror(number))

    patch.setattr(os, name, fail)


def points(what, folder):
    """Return the fault points that a write passes."""
    with pytest.MonkeyPatch.context() as patch:
        wire = wired(patch, folder)
        WRITES[what](folder)
    return sorted(wire.counts.keys() - {""})


# ---- messages


@pytest.mark.parametrize("clean_up", ["works", "fails"])
@pytest.mark.parametrize("number", ["EIO", "ENOSPC", "EINVAL", "EACCES"])
@pytest.mark.parametrize("what", WRITES)
def test_a_message_says_what_is_on_the_disk_at_every_fault_point(
    what, number, clean_up, tmp_path
):
    failed = []
    for n, point in enumerate(points(what, tmp_path / "first")):
        out = tmp_path / str(n)
        faults = [Fault(point, number)]
        if clean_up == "fails":
            faults.append(Fault(f"unlink {point.rpartition(' ')[2]}", "EIO", 0))
            faults += [Fault(f"unlink {kind}", "EIO", 0) for kind in PATHS]
        said = None
        with pytest.MonkeyPatch.context() as patch:
            wired(patch, out, *faults)
            try:
                WRITES[what](out)
            except StoreError as error:
                said = str(error)
        if said is not None:
            failed.append(point)
            _compare(said, PATHS[what](out), [*store.scratch(out).glob("*")])
    assert {f"create {_kind(what)}", f"write {_kind(what)}"} <= {*failed}


def _kind(what):
    return what.rpartition(" ")[2]


def _compare(said, path, unfinished):
    """Compare what a message says with what is there."""
    assert ("is complete" in said) == path.exists(), said
    assert ("could not be removed" in said) == bool(unfinished), said
    assert all(str(file) in said for file in unfinished)
    nothing = not path.exists() and not unfinished
    assert ("no half-written file is left" in said) == nothing, said


def test_a_folder_that_cannot_be_synced_for_a_fault_is_told_with_the_file(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        fails(patch, "fsync", errno.EIO, folders=True)
        with pytest.raises(StoreError, match=r"manifest\.parquet is complete"):
            WRITES["new manifest"](tmp_path)
    assert store.read_manifest(tmp_path)[0]["config_id"].tolist() == ["a"]


def test_a_rejected_file_is_told_by_the_name_it_should_have_had(tmp_path):
    path = tmp_path / "file"

    def check(written):
        raise CorruptPack(f"{written.name}: no")

    with pytest.raises(CorruptPack, match=rf"cannot write {path}.*no half-written"):
        atomic.replace_atomically(path, NEW, tmp_path / "s", check)


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    """And not taken for the file of another launch that was quicker."""
    (tmp_path / "scratch").write_text("")
    with pytest.raises(StoreError, match="File exists"):
        atomic.replace_atomically(tmp_path / "f", NEW, tmp_path / "scratch", first=True)


# ---- file systems without an operation


@pytest.fixture(params=["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS"])
def no_links(request, monkeypatch):
    fails(monkeypatch, "link", getattr(errno, request.param))


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_a_first_file_is_made_once_and_whole(tmp_path):
    path, scratch = tmp_path / "to" / "file", tmp_path / "scratch"
    atomic.replace_atomically(path, OLD, scratch, first=True)
    with pytest.raises(FileExistsError):
        atomic.replace_atomically(path, NEW, scratch, first=True)
    assert path.read_bytes() == OLD
    assert not any(scratch.iterdir())


@pytest.mark.usefixtures("no_links")
@pytest.mark.parametrize("clean_up", ["works", "fails"])
def test_without_hard_links_a_claim_that_comes_to_nothing_is_taken_back(
    clean_up, tmp_path
):
    path = store.manifest_path(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        fails(patch, "replace", errno.EIO)
        if clean_up == "fails":
            fails(patch, "unlink", errno.EIO)
        with pytest.raises(StoreError) as failure:
            WRITES["new manifest"](tmp_path)
    left = "an empty manifest.parquet is left" in str(failure.value)
    assert left == path.exists() == (clean_up == "fails")
    assert not store.has_manifest(tmp_path)


def test_a_link_that_fails_for_another_reason_is_an_error(tmp_path, monkeypatch):
    fails(monkeypatch, "link", errno.EIO)
    with pytest.raises(StoreError, match="no half-written file is left"):
        atomic.replace_atomically(tmp_path / "f", NEW, tmp_path, first=True)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["open", "fsync"])
@pytest.mark.parametrize("number", ["EINVAL", "EBADF", "EACCES", "ENOTSUP", "EISDIR"])
@pytest.mark.parametrize("what", WRITES)
def test_without_syncing_of_folders_files_are_written_all_the_same(
    name, number, what, tmp_path, monkeypatch
):
    fails(monkeypatch, name, getattr(errno, number), folders=True)
    WRITES[what](tmp_path)
    assert PATHS[what](tmp_path).stat().st_size > 0
    assert not any(store.scratch(tmp_path).iterdir())


def test_the_content_of_a_file_must_be_synced(tmp_path, monkeypatch):
    fails(monkeypatch, "fsync", errno.EINVAL)
    with pytest.raises(StoreError, match="no half-written file is left"):
        WRITES["pack"](tmp_path)
