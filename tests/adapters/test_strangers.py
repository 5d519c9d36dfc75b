"""What a stranger is shown depends on nothing but what the triggers are told of known and unknown users alike."""

import pytest

from watchword import Flow, UnavailableError, sequence
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, SignIn, UserRecord
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

KEY = bytes(range(32))
DRAWN = {"ref", "signin", "USERNAME", "image"}
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
        flow,
        key=KEY,
        courier=courier or Outbox(),
        clock=clock,
        random=SeededRandom(),
        audit=MemoryAudit(),
        environment={},
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


SPELLINGS = {"case": str.upper, "title case": str.title, "none": str}


def tale(begin, clock, name, respelled):
    """What a stranger sees who begins eight times, by two spellings in turn: which references are equal, and what is said."""
    seen, refs = [], []
    for place in range(8):
        public, text = begin(respelled(name) if place % 2 else name)
        refs.append(public.get("ref"))
        times = [int(public[each]) - int(clock.now()) for each in ("expires_at", "resend_after") if each in public]
        seen.append((text, times, [ref == refs[-1] for ref in refs]))
        clock.advance(3 if place % 3 else 40)
    return seen


@pytest.mark.parametrize("respelled", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("settings", POOLS.values(), ids=POOLS)
def test_two_spellings_of_a_name_are_one_whether_it_exists_or_not(settings, respelled):
    """In short turns and in long ones, until the budget is empty and after: known and unknown look alike."""

    def told(known):
        pool, clock = a_pool(FLOWS["code"], "ann@example.com" if known else "", **settings)

        def begin(typed):
            try:
                return pool.initiate_auth(
                    ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": typed}
                )["ChallengeParameters"], "asked"
            except pool.exceptions.UserLambdaValidationException as error:
                return {}, str(error).partition("(ref")[0]

        name = "ann@example.com" if settings else "somebody"
        return tale(begin, clock, name, respelled)

    assert told(known=True) == told(known=False)


@pytest.mark.parametrize("respelled", SPELLINGS.values(), ids=SPELLINGS)
def test_plain_functions_take_spellings_for_one_name(respelled):
    """Where users are found in any spelling: messages, references and the salt of a password do not tell who exists."""

    class Users:
        def find(self, name):
            rows = {"ann": UserRecord({"sub": "u-1", "email": "ann@example.com", "email_verified": "true"})}
            return rows.get(name.casefold())

    def told(name):
        clock = VirtualClock()
        settings = {"users": Users(), "key": KEY, "courier": Outbox(), "audit": MemoryAudit(), "environment": {}}
        settings["fold"] = str.casefold
        mail = SignIn(FLOWS["code"], clock=clock, **settings)
        password = SignIn(Flow(sequence(Srp(), EmailOtp())), clock=clock, **settings)
        salts = {password.begin(each, "abc123").public["SALT"] for each in (name, respelled(name))}

        def begin(typed):
            reply = mail.begin(typed)
            return (reply.public, "asked") if isinstance(reply, Asked) else ({}, reply.text)

        return len(salts), tale(begin, clock, name, respelled)

    assert told("ann") == told("bob")


@pytest.mark.parametrize("reason", ["recipient_refused", "sandbox", "timeout"])
def test_a_refused_recipient_changes_nothing_for_anybody(reason):
    """One's own address is refused by the carrier, again and again: everybody is asked as before, and so is its owner."""

    class Refusing(Outbox):
        channel = "email"

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


@pytest.mark.parametrize("kind", [EmailOtp(), EmailOtp(always_show_destination=True)], ids=["default", "always shown"])
def test_new_keys_in_front_change_nothing_for_anybody(kind):
    """What is shown of a name before a rotation is shown after it, whether anybody has the name or not."""
    clock, keys = VirtualClock(), [bytes(range(start, start + 32)) for start in (30, 20, 10)]
    people = [f"user{number}" for number in range(8)]
    told = []
    for rotated in (keys[2:], keys[1:], keys):
        made = triggers(
            Flow(kind),
            key=rotated,
            courier=Outbox(),
            clock=clock,
            random=SeededRandom(),
            audit=MemoryAudit(),
            environment={},
        )
        pool = LocalUserPool(*made, clock=clock)
        for name in people[::2]:
            pool.add_user(name, attributes={"email": f"{name}@example.com", "email_verified": "true"})
        told.append([shown(pool, name) for name in people])
    assert told[0] == told[1] == told[2]


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
        audit=MemoryAudit(),
        environment={},
    )
    known, unknown = (signin.begin(name).public for name in ("ann@old.example", "ann@other.example"))
    assert [known[name] for name in known if name not in DRAWN] == [
        unknown[name] for name in known if name not in DRAWN
    ]
