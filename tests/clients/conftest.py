"""What the tests in a browser share."""

import pytest

from kit.chromium import chromium


@pytest.fixture(scope="module")
def browser():
    """One browser for the tests of a file; each page has a profile of its own."""
    with chromium() as running:
        yield running
