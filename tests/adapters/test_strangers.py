"""What a stranger is shown depends on nothing but what the triggers are told of known and unknown users alike."""

import pytest

from watchword import Flow, UnavailableError, sequence
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import NoAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import SignIn, UserRecord
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp

KEY = bytes(range(32))
DRAWN = {"ref", "USERNAME", "image"}
FLOWS = {
    "code": Flow(EmailOtp()),
    "a picture, then a code": Flow(sequence(Captcha(), EmailOtp())),
}
POOLS = {"names and aliases": {}, "addresses as user names": {"email_as_username": True}}
TYPED = ["ann@example.com", "zoe@mail.example", "x@y.example"]


def a_pool(flow, user="", courier=None, **settings):
    """A pool with one user, whose address is *user*, or with none."""
    clock = VirtualClock()
    made = triggers(
        flow, key=KEY, courier=courier or Outbox(), clock=clock, random=SeededRandom(), audit=NoAudit(), environment={}
    )
    pool = LocalUserPool(*made, clock=clock, **settings)
    if user:
        name = user if settings else "somebody"
        pool.add_user(name, attributes={"email": user, "email_verified": "true"})
    return pool, clock


def shown(pool, typed):
    """What a stranger sees who types *typed* and begins."""
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": typed})[
        "ChallengeParameters"
    ]
    return {name: text for name, text in reply.items() if name not in DRAWN}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
@pytest.mark.parametrize("settings", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("typed", TYPED)
def test_a_typed_address_is_asked_alike_whoever_has_it(flow, settings, typed):
    """Typed as an alias or as the user name: who has the address sees, to the letter, what is shown where nobody has."""
    assert shown(a_pool(flow, typed, **settings)[0], typed) == shown(a_pool(flow, **settings)[0], typed)


@pytest.mark.parametrize("reason", ["recipient_refused", "sandbox", "timeout"])
def test_a_refused_recipient_changes_nothing_for_anybody(reason):
    """One's own address is refused by the carrier, again and again: everybody is asked as before, and so is its owner."""

    class Refusing(Outbox):
        def send(self, message, within):
            if message.to == "mallory@example.com":
                raise UnavailableError("no", undelivered=True, refused=True, reason=reason)
            return super().send(message, within)

    pool, clock = a_pool(FLOWS["code"], "ann@example.com", courier=Refusing())
    pool.add_user("mallory", attributes={"email": "mallory@example.com", "email_verified": "true"})
    alike = shown(pool, "ann@example.com")
    for _ in range(3):
        clock.advance(1000)
        assert [shown(pool, typed) for typed in ("mallory", "somebody", "nobody")] == 3 * [
            {**alike, "expires_at": str(int(clock.now()) + 180), "resend_after": str(int(clock.now()) + 60)}
        ]


def test_plain_functions_show_no_other_address_of_a_user():
    """Who finds a user by one address learns nothing of the address that mail goes to."""

    class Users:
        def find(self, name):
            new = {"sub": "u", "email": "zoe@new.example", "email_verified": "true"}
            return UserRecord(new) if name == "ann@old.example" else None

    signin = SignIn(
        Flow(EmailOtp()),
        users=Users(),
        key=KEY,
        courier=Outbox(),
        clock=VirtualClock(),
        audit=NoAudit(),
        environment={},
    )
    known, unknown = (signin.begin(name).public for name in ("ann@old.example", "ann@other.example"))
    assert [known[name] for name in known if name not in DRAWN] == [
        unknown[name] for name in known if name not in DRAWN
    ]
