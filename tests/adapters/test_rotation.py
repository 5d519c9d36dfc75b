"""Rotation: whatever is put in place of the rotating key, sign-ins go on and nobody is told apart."""

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword import ConfigurationError, Flow, one_of
from watchword.runtime.keyring import Keyring, KeyringWithRootKeys, Ring
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, SignedIn, SignIn, UserRecord
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.keys import FetchedKeyring
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.srp import srp6a
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

NOW = 1_800_000_000.0
WAIT = 1200
"""Seconds between two rotations: the longest sign-in, and the time for which keys are cached."""
ROOT = Keyring.of(hashlib.sha256(b"root").digest())
PUBLIC = srp6a.to_hex(srp6a.client_public(12345))


def secret(number):
    """Return one of any number of keys."""
    return hashlib.sha256(f"key {number}".encode()).digest()


class Vault:
    """A secret as Secrets Manager keeps it: the value of now and the one before, and no other."""

    def __init__(self):
        self.number = 1
        self.stages = [secret(1)]

    def __str__(self):
        return "test://vault"

    def rotate(self):
        """Put a new value."""
        self.number += 1
        self.stages = [secret(self.number), self.stages[0]]

    def fetch(self):
        """Return the values, newest first."""
        return tuple(self.stages)


class People:
    """Everybody whose name begins with ann."""

    def find(self, name):
        """Return the user, if there is one."""
        sub = f"sub of {name}"
        attributes = {"sub": sub, "email": f"{name}@example.com", "email_verified": "true"}
        return UserRecord(attributes) if name.startswith("ann") else None


class Stage:
    """Containers that share a ledger and a vault, each with a cache of keys of its own."""

    def __init__(self, root):
        self.clock, self.vault, self.outbox, self.root = VirtualClock(NOW), Vault(), Outbox(), root
        self.ledger = MemoryLedger()
        self.warm = [self.container() for _ in range(2)]

    def container(self):
        """Start another one."""
        fetched = FetchedKeyring(self.vault, clock=self.clock)
        return SignIn(
            Flow(one_of(EmailOtp(), Srp())),
            users=People(),
            key=fetched,
            root_key=self.root,
            ledger=self.ledger,
            courier=self.outbox,
            clock=self.clock,
            audit=MemoryAudit(),
            environment={},
        )

    def facts(self, container):
        """Return what a stranger and a ledger see of somebody who is there and of somebody who is not."""
        engine = container._engine
        seen = []
        for name in ("ann", "bob"):
            user = container._user(name)
            seen.append(engine.user_key("local_watchword", user))
            seen.append(container.begin(name, srp_a=PUBLIC).public["SALT"])
            asked = container.begin(name)
            seen.append({each: text for each, text in asked.public.items() if each in ("destination", "kind")})
        return seen


def code(stage):
    """Return the code of the last mail."""
    return re.search(r"(?<!\d)\d{8}(?!\d)", stage.outbox.messages[-1].text)[0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_a_sign_in_goes_on_across_every_rotation(rotations):
    """Begun before and answered after, in the same container, in another one, or in one that starts in between."""
    stage = Stage(ROOT)
    for number, (first, second, old) in enumerate(rotations):
        asked = [*stage.warm, stage.container()][first].begin(f"ann{number}")
        assert isinstance(asked, Asked)
        sent = code(stage)
        stage.vault.rotate()
        stage.clock.advance(60)
        # A container that has not fetched yet still makes challenges with the key of before.
        late = [*stage.warm, stage.container()][not old].begin(f"annabel{number}")
        of_late = code(stage)
        stage.clock.advance(60)
        answering = [*stage.warm, stage.container()][second]
        assert isinstance(answering.respond(asked.token, sent), SignedIn)
        assert isinstance(answering.respond(late.token, of_late), SignedIn)
        stage.clock.advance(WAIT)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_no_rotation_changes_whom_the_ledger_means_and_what_is_made_up(rotations):
    """Names in budgets, made-up salts and made-up destinations are those of before, in old containers and in new ones."""
    stage = Stage(ROOT)
    before = stage.facts(stage.warm[0])
    for fetched in rotations:
        stage.vault.rotate()
        stage.clock.advance(86_400 if fetched else 0)
        for container in (*stage.warm, stage.container()):
            assert before == stage.facts(container)
            stage.clock.advance(86_400)


def test_without_a_root_key_the_second_rotation_changes_them():
    """It is the root kept apart that keeps them: the oldest of two stages leaves."""
    stage = Stage(None)
    before = stage.facts(stage.warm[0])
    for same in (True, False):
        stage.vault.rotate()
        stage.clock.advance(86_400)
        assert same is (before[0] == stage.facts(stage.warm[0])[0])


def test_the_oldest_key_of_before_becomes_the_root():
    """Who keeps it apart from now on is upgraded: the same names, and the challenges under way are read."""
    before = Keyring.of([secret(2), secret(1)])
    after = KeyringWithRootKeys(Keyring.of(secret(1)), Keyring.of(secret(3)))
    assert before.root_key == after.root_key
    assert after.find(before.root_key.id) == before.root_key
    assert isinstance(after, Ring)


def test_a_root_key_makes_no_challenge():
    """It is not among the keys that codes are derived from."""
    ring = HostSettings(key=secret(2), root_key=secret(1), environment={}).keyring
    assert (ring.current, ring.root_key) == (Keyring.of(secret(2)).current, Keyring.of(secret(1)).current)
    assert ring.find(ring.current.id) == ring.current
    assert ring.find("deadbeef") is None


def test_of_several_root_keys_the_oldest_names_users():
    """A root key may be put in front of another one."""
    made = HostSettings(key=secret(3), root_key=[secret(2), secret(1)], environment={})
    assert Keyring.of(secret(1)).current == made.keyring.root_key


@pytest.mark.parametrize("entrance", [triggers, lambda *given, **named: SignIn(*given, users=People(), **named)])
def test_both_hosts_take_it_as_an_argument_and_from_the_environment(entrance):
    """``root_key=`` in all forms of ``key=``, and ``WATCHWORD_ROOT_KEY``."""
    text = "VHdvIGJpcmRzIGFuZCBvbmUgc3RvbmUsIGEgcmVhbCBrZXk="
    held = b"Two birds and one stone, a real key"
    told = {"WATCHWORD_ROOT_KEY": text}
    for given_as, environment in (
        (text, {}),
        (held, {}),
        ([held], {}),
        (Keyring.of(held), {}),
        (None, told),
        (None, {**told, "WATCHWORD_KEY": text}),
    ):
        key = None if "WATCHWORD_KEY" in environment else secret(1)
        named = {"courier": Outbox(), "environment": environment, "root_key": given_as}
        made = entrance(Flow(EmailOtp()), key=key, **named)
        assert made._engine.keyring.root_key == Keyring.of(held).root_key


@pytest.mark.parametrize("root", ["c2hvcnQ=", "###", "vault://x", "secretsmanager://", b"short", ["text"]])
@pytest.mark.parametrize("key", [secret(1), "VHdvIGJpcmRzIGFuZCBvbmUgc3RvbmUsIGEgcmVhbCBrZXk="])
def test_a_bad_root_key_is_refused_by_its_name(root, key):
    """Not by the name of the other one."""
    with pytest.raises(ConfigurationError, match=r"^(WATCHWORD_ROOT_KEY|root_key): "):
        HostSettings(key=key, root_key=root, environment={}).keyring  # noqa: B018
