"""What holds for every test."""

import pytest

from spiral import engines
from spiral.sweep import calibration


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
