"""What the tests of faults share."""

import pytest

from kit.aws import Aws, isolate, patient, patient_credentials
from kit.faults import credential_stores, ledgers
from watchword.testing.time import VirtualClock


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


@pytest.fixture(params=["memory", "sqlite"])
def make_ports(request, tmp_path):
    """An empty ledger and an empty store of credentials, of each sort that stands on this machine."""
    ledger, store = ledgers(tmp_path)[request.param], credential_stores(tmp_path)[request.param]
    return lambda: (ledger(), store())


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def make_any_ports(request, tmp_path):
    """The same, and those that are far away among them."""
    if request.param == "dynamodb":
        return request.getfixturevalue("make_far_ports")
    ledger, store = ledgers(tmp_path)[request.param], credential_stores(tmp_path)[request.param]
    return lambda: (ledger(), store())


@pytest.fixture(scope="module")
def aws():
    """An emulator of DynamoDB."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        server = Aws()
        yield server
        server.close()


@pytest.fixture(scope="module")
def far_ledger(request, aws):
    """One ledger in DynamoDB for all of a module, since making a client takes long; and its table, which is the module's own."""
    table = request.module.__name__
    return patient(aws, table, VirtualClock()), table


@pytest.fixture
def make_far_ledger(aws, far_ledger):
    """The ledger in DynamoDB, on a table that is empty each time."""
    ledger, table = far_ledger

    def make():
        aws.empty(table)
        return ledger

    yield make
    aws.empty(table)


@pytest.fixture(scope="module")
def far_store(request, aws):
    """One store of credentials in DynamoDB for all of a module, and its table."""
    table = f"{request.module.__name__}_credentials"
    return patient_credentials(aws, table, VirtualClock()), table


@pytest.fixture
def make_far_ports(aws, make_far_ledger, far_store):
    """The ledger and the store in DynamoDB, both empty each time."""
    store, table = far_store

    def make():
        aws.empty(table)
        return make_far_ledger(), store

    yield make
    aws.empty(table)
