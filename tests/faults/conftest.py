"""What the tests of faults share."""

import pytest
from faulty import ledgers


@pytest.fixture(params=["memory", "sqlite"])
def make_ledger(request, tmp_path):
    """Each sort of ledger that stands on this machine."""
    return ledgers(tmp_path)[request.param]
