"""The store in memory: what a host gets by default."""

from typing import ClassVar

import pytest

from kit.engine_host import KEY, Riddle
from watchword import ConfigurationError, Flow, UnavailableError
from watchword.contract.credentials import Credential
from watchword_adapters import credentials
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.host_settings import HostSettings


class Memo(Riddle):
    """A kind that remembers."""

    kind: ClassVar[str] = "memo"
    remembers: ClassVar[str] = "one"


FLOW, PLAIN = Flow(Memo()), Flow(Riddle())


def test_an_id_has_one_owner_and_a_swap_one_winner():
    """Nothing is changed where the answer is False."""
    store = MemoryCredentials()
    own = Credential("id", "pool#ann", "totp", "Phone", 1, state={"step": "1"})
    assert store.add(own, replace=False, most=1, within=1)
    assert not store.add(own, replace=False, most=9, within=1)
    assert not store.add(Credential("id", "pool#zoe", "totp"), replace=True, most=9, within=1)
    assert not store.add(Credential("two", "pool#ann", "passkey"), replace=True, most=1, within=1)
    assert store.add(Credential("two", "pool#ann", "totp"), replace=True, most=1, within=1)
    assert ["two"] == [each.id for each in store.list("pool#ann", within=1)]
    assert store.add(Credential("id", "pool#zoe", "totp"), replace=True, most=9, within=1)
    changed = Credential("two", "pool#ann", "totp", state={"step": "2"})
    assert store.swap(changed, version=0, within=1)
    assert not store.swap(changed, version=0, within=1)
    assert not store.swap(Credential("gone", "pool#ann", "totp"), version=0, within=1)
    assert [(1, {"step": "2"})] == [(each.version, each.state) for each in store.list("pool#ann", within=1)]
    assert not store.remove("pool#ann", "passkey", "two", within=1)
    assert store.remove("pool#ann", "totp", "two", within=1)
    assert () == store.list("pool#ann", within=1)


def test_no_time_is_an_outage():
    """As of every port."""
    store = MemoryCredentials()
    for call in (
        lambda: store.list("a", within=0),
        lambda: store.add(Credential("i", "a", "k"), replace=False, most=1, within=0),
        lambda: store.swap(Credential("i", "a", "k"), version=0, within=0),
        lambda: store.remove("a", "k", "i", within=0),
    ):
        with pytest.raises(UnavailableError):
            call()


def test_a_host_has_a_store_where_a_kind_remembers():
    """In memory outside Lambda; there one must be named. Without such a kind there is none."""
    store = MemoryCredentials()
    assert store is HostSettings(key=KEY, credentials=store).engine([FLOW]).credentials
    assert isinstance(HostSettings(key=KEY, environment={}).engine([FLOW]).credentials, MemoryCredentials)
    assert HostSettings(key=KEY, environment={}).engine([PLAIN]).credentials is None
    lambda_ = {"AWS_LAMBDA_FUNCTION_NAME": "create", "WATCHWORD_LEDGER": "process-only"}
    with pytest.raises(
        ConfigurationError, match=r"the store of credentials must be shared .*; set WATCHWORD_CREDENTIALS="
    ):
        HostSettings(key=KEY, environment=lambda_).engine([FLOW])
    with pytest.raises(ConfigurationError, match=r"credentials= is no Credentials: object has no reach, list"):
        HostSettings(key=KEY, credentials=object()).engine([FLOW])


def test_an_unknown_name_is_an_attribute_error():
    """As of every module."""
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        credentials.Nothing  # noqa: B018
