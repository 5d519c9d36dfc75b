"""Read-only copies at every border: what one side hands over, no other side can change, neither then nor later."""

import inspect
import json
import re
from typing import ClassVar

import attrs
import pytest
from attrs import frozen

from kit.engine_host import ANN, KEY
from watchword import Challenge, Flow, Verdict, sequence
from watchword.algebra import evaluation
from watchword.contract import kinds, ports
from watchword.contract.kinds import User
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, SignIn, UserRecord, values
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp

OUT = {"Asked", "SignedIn"}
"""What the program is given for its own: a copy, into which it may write."""
INSIDE = {"Permission"}
"""What crosses no border."""


def crossing():
    """Every value that crosses a border with a mapping in it, and the names of its mappings."""
    for module in (kinds, evaluation, ports, values):
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and attrs.has(kind) and name not in OUT | INSIDE:
                mappings = [each.name for each in attrs.fields(kind) if "Mapping[str, " in str(each.type)]
                if mappings:
                    yield pytest.param(kind, mappings, id=name)


CROSSING = list(crossing())


def made(kind, mappings, value):
    """Return an instance with *value* for each mapping and anything for the rest."""
    given = {}
    for each in attrs.fields(kind):
        if each.name in mappings:
            given[each.alias] = value
        elif each.default is attrs.NOTHING:
            given[each.alias] = User("ann") if each.name == "user" else "x"
    return kind(**given)


@pytest.mark.parametrize(("kind", "mappings"), CROSSING)
def test_a_mapping_that_crosses_a_border_is_a_read_only_copy(kind, mappings):
    """Nobody can write into it, and what its giver writes afterwards is not seen."""
    given = {"sub": "u-1"}
    value = made(kind, mappings, given)
    given["sub"] = "u-2"
    for name in mappings:
        held = getattr(value, name)
        assert {"sub": "u-1"} == dict(held) == held
        with pytest.raises(TypeError):
            held["sub"] = "u-3"
        for power in ("pop", "clear", "update", "setdefault", "popitem"):
            assert not hasattr(held, power)


def test_the_borders_are_found():
    """So that a renamed module does not leave the rule without a case."""
    assert {
        "User",
        "CreateRequest",
        "Challenge",
        "VerifyRequest",
        "SessionRequest",
        "AnswerRequest",
        "AuditEvent",
        "UserRecord",
    } <= {each.id for each in CROSSING}


def test_what_is_no_mapping_is_left_to_its_judge():
    """A kind's mistake is told as one."""
    assert Challenge(public=["x"]).public == ["x"]
    assert evaluation.AnswerRequest("p", "c", User("ann"), "x", private="text").private == "text"


def written(mapping, name="email"):
    """Try to write into *mapping* in each way that there is."""
    for write in (
        lambda: mapping.__setitem__(name, "mallory@evil.example"),
        lambda: mapping.pop(name),
        lambda: mapping.clear(),
        lambda: mapping.update({name: "mallory@evil.example"}),
    ):
        try:
            write()
        except (TypeError, AttributeError):
            continue
        raise AssertionError("it could be written")


@frozen
class Scribbler:
    """Proves nothing, and tries to write into everything that it is given; then into what it gave."""

    kind: ClassVar[str] = "scribbler"
    proves: ClassVar[frozenset] = frozenset()

    def create(self, request):
        """Write, and make a challenge."""
        for mapping in (request.user.attributes, request.carry):
            written(mapping)
        made_here = Challenge(public={"x": "y"}, private={"x": "y"}, carry={"x": "y"})
        for mapping in (made_here.public, made_here.private, made_here.carry):
            written(mapping, "x")
        return made_here

    def verify(self, request):
        """Write, and take any answer."""
        written(request.user.attributes)
        written(request.private, "x")
        return Verdict(right=True)


class Book:
    """Keeps its records, and hands them out as they are."""

    def __init__(self):
        self.record = UserRecord(dict(ANN))

    def find(self, name):
        """Return the one record."""
        return self.record


def test_a_kind_cannot_redirect_the_message_of_the_next_one():
    """Neither in plain functions, nor in the records of the program behind them."""
    box, book = Outbox(), Book()
    flow = Flow(sequence(Scribbler(), EmailOtp()))
    host = SignIn(flow, users=book, key=KEY, courier=box, clock=VirtualClock(), audit=MemoryAudit(), environment={})
    asked = host.respond(host.begin("ann").token, "x")
    assert isinstance(asked, Asked)
    assert [ANN["email"]] == [message.to for message in box.messages]
    assert ANN == book.record.attributes


def test_a_kind_cannot_write_into_the_event_of_a_trigger():
    """Nor into what the user pool holds."""
    box = Outbox()
    pool = LocalUserPool(*triggers(Flow(sequence(Scribbler(), EmailOtp())), key=KEY, courier=box, environment={}))
    pool.add_user("ann", attributes={"email": "ann@example.com", "email_verified": "true"})
    asked = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    pool.respond_to_auth_challenge(
        ClientId=pool.client_id,
        ChallengeName="CUSTOM_CHALLENGE",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann", "ANSWER": "x"},
    )
    assert ["ann@example.com"] == [message.to for message in box.messages]


def test_what_a_program_is_given_is_its_own():
    """It may write into a reply, or dump it as JSON, and changes nothing of the record behind it."""
    box, book = Outbox(), Book()
    host = SignIn(Flow(EmailOtp()), users=book, key=KEY, courier=box, audit=MemoryAudit(), environment={})
    asked = host.begin("ann")
    code = re.search(r"(?<!\d)\d{8}(?!\d)", box.messages[-1].text)[0]
    done = host.respond(asked.token, code)
    assert json.loads(json.dumps([asked.public, done.attributes])) == [asked.public, ANN]
    done.attributes.clear()
    assert ANN == book.record.attributes
