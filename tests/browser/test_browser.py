"""The fixture itself: what it lets through and what it does not."""

import pytest

pytestmark = pytest.mark.browser


def test_a_quiet_page_passes(visit, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<title>spiral</title><p>quiet</p>")
    assert visit(path).title() == "spiral"


@pytest.mark.parametrize(
    "noise",
    ["<script>console.error('loud')</script>", "<img src='http://192.0.2.1/x.png'>"],
)
def test_errors_and_requests_are_noticed(browser, tmp_path, noise):
    from tests.chromium import visit as fixture

    path = tmp_path / "page.html"
    path.write_text(f"<title>spiral</title>{noise}")
    steps = fixture.__wrapped__(browser)
    next(steps)(path)
    with pytest.raises(AssertionError, match=r"loud|192\.0\.2\.1"):
        next(steps)
