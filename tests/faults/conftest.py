"""What the tests of faults share."""

import pytest
from faulty import ledgers

from aws_kit import Aws, isolate, patient

TABLE = "Faults"


@pytest.fixture(params=["memory", "sqlite"])
def make_ledger(request, tmp_path):
    """Each sort of ledger that stands on this machine."""
    return ledgers(tmp_path)[request.param]


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def make_any_ledger(request, tmp_path):
    """Each sort of ledger, the one that is far away among them."""
    if request.param == "dynamodb":
        return request.getfixturevalue("make_far_ledger")
    return ledgers(tmp_path)[request.param]


@pytest.fixture(scope="session")
def aws():
    """An emulator of DynamoDB."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        server = Aws()
        yield server
        server.close()


@pytest.fixture(scope="session")
def far_ledger(aws):
    """One ledger in DynamoDB for all: making a client takes long."""
    return patient(aws, TABLE)


@pytest.fixture
def make_far_ledger(aws, far_ledger):
    """The ledger in DynamoDB, on a table that is empty each time."""

    def make():
        aws.empty(TABLE)
        return far_ledger

    yield make
    aws.empty(TABLE)
