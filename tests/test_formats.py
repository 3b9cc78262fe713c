"""What files are by their first bytes, and what a pickle would run."""

import collections
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from spiral import formats


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.parquet", b"", "an empty file"),
        ("a.npz", b"PAR1 and more", "a Parquet file"),
        ("a.pt", b"PK\x03\x04 archive/data.pkl", "a PyTorch file"),
        ("a.pt", b"PK\x03\x04 a.npy", "an .npz archive"),
        ("a.pt", b"PK\x03\x04 a.txt", "a zip archive"),
        ("a.pt", b"\x80\x02}", "a pickle"),
        ("a.yaml", b"a: 1", "YAML"),
        ("a.PY", b"a = 1", "Python source"),
        ("a", b"  {", "JSON"),
        ("a.py", b"{}", "Python source"),
        ("a", b"words", "text"),
        ("a.yaml", b"a\0b", "binary data of an unknown kind"),
        ("a.txt", b"\xff", "binary data of an unknown kind"),
        ("a", "ä".encode() * formats.HEAD, "text"),
        ("a", b"x" + "ä".encode() * formats.HEAD, "text"),  # the end cuts a character
    ],
)
def test_the_first_bytes_say_what_a_file_is(name, content, kind, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert formats.kind(tmp_path / name) == kind


def test_what_is_no_file_is_said_too(tmp_path):
    assert formats.kind(tmp_path) == "a folder"
    assert formats.kind(Path("/dev/zero")) == "a special file"


class Model(torch.nn.Linear):
    """A class of the user's own."""


@pytest.mark.parametrize("old", [False, True])
def test_a_pickled_model_is_named_by_its_class(old, tmp_path):
    zipped = {"_use_new_zipfile_serialization": not old}
    torch.save(Model(2, 1), tmp_path / "model", **zipped)
    assert formats.pickled(tmp_path / "model") == [f"{__name__}.Model"]
    torch.save(Model(2, 1).state_dict(), tmp_path / "state", **zipped)
    assert formats.pickled(tmp_path / "state") == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_name_in_a_pickle_is_found_and_none_is_called(protocol, tmp_path):
    things = [Path("x"), np.ones(2), collections.OrderedDict(), Path("y"), Fraction()]
    (tmp_path / "p").write_bytes(pickle.dumps(things, protocol))
    found = formats.pickled(tmp_path / "p")
    assert {"pathlib.PosixPath", f"{__name__}.called"} <= {*found}
    assert not CALLED


CALLED = []


def called():
    CALLED.append(1)


class Fraction:
    """Is unpickled by a call."""

    def __reduce__(self):
        return called, ()


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"PK\x03\x04", b"\x80"])
def test_a_broken_pickle_calls_for_nothing(content, tmp_path):
    (tmp_path / "p").write_bytes(content)
    assert formats.pickled(tmp_path / "p") == []
