"""Paths and URLs; commands that refuse URLs: ``tests/cli/test_mistakes.py``."""

import pytest

from spiral import paths
from spiral.errors import ConfigError


@pytest.mark.parametrize("name", ["a:b", "s3:/b", "x/http://y", "1s3://b"])
def test_a_strange_name_is_a_path_all_the_same(name):
    paths.refuse_url(name)


def test_a_url_is_refused():
    with pytest.raises(ConfigError, match="got the URL s3://b"):
        paths.refuse_url("s3://b")
