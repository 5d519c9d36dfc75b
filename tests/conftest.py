"""What all tests have."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _runtimes_as_of_their_table():
    """Judge Lambda's runtimes by the date of the table: no test fails because a year is over."""
    from watchword_adapters.deploy import runtimes

    before, runtimes.today = runtimes.today, lambda: runtimes.AS_OF
    yield
    runtimes.today = before
