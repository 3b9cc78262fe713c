"""What holds for every test."""

import pytest

from spiral.sweep import calibration


@pytest.fixture(autouse=True, scope="session")
def nothing_of_the_user(tmp_path_factory):
    """Keep this user's calibration and finds out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        calibration.factors.cache_clear()
        yield
    calibration.factors.cache_clear()
