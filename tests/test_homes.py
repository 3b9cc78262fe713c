"""Homes that are missing or closed: caches go elsewhere, or a variable is named."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from spiral import homes
from spiral.errors import ConfigError

VARIABLES = (
    *("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    *("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "RAY_TMPDIR", "TMPDIR"),
)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Folders of which some are closed, also to root; returns a way to close more."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what a test sets is undone
        monkeypatch.delenv(name)
    for name in ("home", "package", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(homes, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    closed, real = set(), os.access

    def access(path, mode):
        return str(path) not in closed and real(path, mode)

    monkeypatch.setattr(os, "access", access)
    return lambda *names: closed.update(str(tmp_path / name) for name in names)


def own(tmp_path):
    return tmp_path / "tmp" / f"spiral-sweep-{os.geteuid()}"


def test_a_usual_home_sets_no_variable(world):
    homes.settle_numba()
    homes.settle_matplotlib()
    assert not {"NUMBA_CACHE_DIR", "MPLCONFIGDIR"} & os.environ.keys()


@pytest.mark.parametrize("closed", [["home"], ["package"]])
def test_numba_needs_one_of_its_folders(closed, world):
    world(*closed)
    homes.settle_numba()
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_without_any_numba_gets_a_folder_that_only_this_user_can_enter(world, tmp_path):
    world("home", "package")
    homes.settle_numba()
    assert os.environ["NUMBA_CACHE_DIR"] == f"{own(tmp_path)}/numba_cache_dir"
    assert own(tmp_path).stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_enter_is_not_used(world, tmp_path):
    """They could have put code into a cache there."""
    own(tmp_path).mkdir()
    own(tmp_path).chmod(0o777)
    world("home", "package")
    homes.settle_numba()
    given = Path(os.environ["NUMBA_CACHE_DIR"]).parent
    assert given != own(tmp_path)
    assert given.stat().st_mode & 0o777 == 0o700


def test_a_link_that_another_user_may_have_laid_is_not_followed(world, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own(tmp_path).symlink_to(tmp_path / "elsewhere")
    world("home", "package")
    homes.settle_numba()
    assert own(tmp_path) not in Path(os.environ["NUMBA_CACHE_DIR"]).parents


@pytest.mark.parametrize("name", ["NUMBA_CACHE_DIR", "MPLCONFIGDIR"])
def test_a_folder_that_the_user_named_stays(name, world, monkeypatch):
    world("home", "package")
    monkeypatch.setenv(name, "mine")
    homes.settle_numba()
    homes.settle_matplotlib()
    assert os.environ[name] == "mine"


def test_matplotlib_gets_a_folder_where_one_of_its_two_is_closed(world, tmp_path):
    (tmp_path / "home" / ".cache").mkdir()
    world("home/.cache")
    homes.settle_matplotlib()
    assert os.environ["MPLCONFIGDIR"] == f"{own(tmp_path)}/mplconfigdir"


def test_a_user_whom_the_system_does_not_know_gets_a_home_for_ray(
    world, tmp_path, monkeypatch
):
    homes.settle_ray()
    assert os.environ["HOME"] == str(tmp_path / "home")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)  # raises KeyError
    homes.settle_ray()
    assert os.environ["HOME"] == str(own(tmp_path))


def test_where_nothing_can_be_written_nothing_is_set(world, tmp_path, monkeypatch):
    world("home", "package")

    def refuse():
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    homes.settle_numba()
    assert "NUMBA_CACHE_DIR" not in os.environ
    with pytest.raises(ConfigError, match="set XDG_CACHE_HOME"):
        homes.cache()


def test_caches_have_a_place_without_a_home(world, tmp_path, monkeypatch):
    assert homes.cache() == tmp_path / "home/.cache/spiral-sweep"
    world("home")
    assert homes.cache() == own(tmp_path)
    monkeypatch.setenv("HOME", "")
    assert homes.cache() == own(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "given")
    assert homes.cache() == Path("given/spiral-sweep")


def test_what_is_kept_names_the_variable_where_there_is_no_home(
    world, tmp_path, monkeypatch
):
    assert homes.kept("x", "give --file").parts[-4:-2] == (".local", "share")
    monkeypatch.setenv("HOME", "")
    with pytest.raises(ConfigError, match=r"no home.*set XDG_DATA_HOME.*give --file"):
        homes.kept("x", "give --file")
    world("home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(ConfigError, match=r"cannot write .*set XDG_DATA_HOME"):
        homes.kept("x", "give --file")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert homes.kept("x", "") == tmp_path / "data/spiral-sweep/x"


KERNEL = """
from numba.core import caching

def refuse(self):
    raise PermissionError

caching._CacheLocator.ensure_cache_path = refuse
from spiral.errors import EngineUnavailable
try:
    import spiral.{module}
except EngineUnavailable as error:
    print(error)
"""


@pytest.mark.parametrize("module", ["engines.sparse", "search.kernel"])
def test_kernels_without_any_folder_for_their_cache_name_the_variable(module):
    command = [sys.executable, "-c", KERNEL.format(module=module)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "set NUMBA_CACHE_DIR to one" in ran.stdout, ran.stderr
