"""What a port says of its failure reaches log and audit, under the reference that the client saw."""

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY, Mail, Post, Puzzle, Riddle
from kit.hosts import event, triggers_of
from watchword import Challenge, ConfigurationError, Flow, ProtocolError, UnavailableError, Verdict
from watchword.errors import OUTAGE_REASONS, checked_code, reason_of
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.functions import Refused, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger

SECRET = "ann@example.com 12345678"
ERRORS = {
    "a reason and a code": (
        UnavailableError(SECRET, undelivered=True, reason="throttled", code="TooManyRequestsException"),
        {"reason": "throttled", "code": "TooManyRequestsException"},
    ),
    "a reason": (UnavailableError(SECRET, reason="permission"), {"reason": "permission"}),
    "a word of its own": (
        UnavailableError(SECRET, reason="ann@example.com", code=SECRET),
        {"reason": "unknown", "code": "UnavailableError"},
    ),
    "another error": (ValueError(SECRET), {"reason": "unknown", "code": "ValueError"}),
    "an exit": (SystemExit(SECRET), {"reason": "unknown", "code": "SystemExit"}),
}


class Failing(MemoryLedger):
    """A ledger whose call *name* fails."""

    def __init__(self, name, error):
        super().__init__()
        self._error = error
        setattr(self, name, self._fail)

    def _fail(self, *_, **__):
        raise self._error


def failing_kind(error):
    """A kind whose `create` fails."""

    class Odd(Puzzle):
        def create(self, request):
            raise error

    return Odd()


def ports(error):
    """For each port its name, a flow and the settings under which it fails in Create, and the event that tells it."""
    return {
        "courier": (Mail(), {"courier": Post(failing=error)}, "sys_courier_failed"),
        "ledger, before the claim": (Mail(), {"ledger": Failing("claim", error)}, "sys_call_failed"),
        "ledger, after the claim": (Mail(), {"ledger": Failing("count", error)}, "sys_call_failed"),
        "ledger, after the message": (Mail(), {"ledger": Failing("settle", error)}, "sys_call_failed"),
        "kind": (failing_kind(error), {}, "sys_kind_failed"),
    }


@pytest.mark.parametrize("port", ports(None))
@pytest.mark.parametrize(("error", "said"), ERRORS.values(), ids=ERRORS)
def test_the_reason_of_a_port_is_under_the_reference_of_the_client(port, error, said, caplog):
    """Whichever port fails: its reason word and code, one reference for client, log and audit, and no free text."""
    kind, settings, name = ports(error)[port]
    events = MemoryAudit()
    with caplog.at_level(logging.DEBUG), pytest.raises(TriggerError) as caught:
        triggers_of(Flow(kind), audit=events, pad_to=0, **settings).create(event("create"))
    ref = re.fullmatch(r"UNAVAILABLE \(ref (\w{8})\)", str(caught.value))[1]
    failure = next(each for each in events.events if each.name == name)
    assert said == {key: failure.detail[key] for key in ("reason", "code") if key in failure.detail}
    assert {ref} == {each.ref for each in events.events}
    assert f"(ref {ref})" in caplog.text
    assert SECRET not in str(events.events)
    if not isinstance(error, UnavailableError):
        assert SECRET not in caplog.text


@pytest.mark.parametrize("call", ["charge", "consume"])
def test_an_outage_in_verify_is_under_the_reference_on_the_screen(call):
    """Who answers sees one reference, of the challenge; the failure of the answer has the same."""
    events = MemoryAudit()
    error = UnavailableError("x", reason="busy", code="TransactionConflict")
    hooks = triggers_of(Flow(Riddle()), audit=events, pad_to=0, ledger=Failing(call, error))
    asked = hooks.create(event("create"))["response"]
    private = asked["privateChallengeParameters"]
    with pytest.raises(TriggerError) as caught:
        hooks.verify(event("verify", privateChallengeParameters=private, challengeAnswer="fish"))
    (failure,) = events.events
    assert ("sys_call_failed", "busy") == (failure.name, failure.detail["reason"])
    assert asked["publicChallengeParameters"]["ref"] == failure.ref
    assert failure.ref in str(caught.value)


@pytest.mark.parametrize("changed", [{"seal": "x"}, {"flow": "x"}, {"answered": "x"}])
def test_a_challenge_that_cannot_be_read_has_the_reference_on_the_screen(changed):
    """An answer without a challenge that this host wrote is recorded under the reference that its user saw."""
    events = MemoryAudit()
    hooks = triggers_of(Flow(Riddle()), audit=events, pad_to=0)
    asked = hooks.create(event("create"))["response"]
    private = asked["privateChallengeParameters"] | changed
    hooks.verify(event("verify", privateChallengeParameters=private, challengeAnswer="fish"))
    (failure,) = events.events
    assert "no_challenge" == failure.detail["reason"]
    assert asked["publicChallengeParameters"]["ref"] == failure.ref


def test_a_call_out_of_turn_has_one_reference_too(caplog):
    """A failure before there is any challenge has a reference of its own, the same everywhere."""
    events = MemoryAudit()
    with pytest.raises(TriggerError) as caught:
        triggers_of(Flow(Riddle()), audit=events, pad_to=0).create({"triggerSource": "Other"})
    (failure,) = events.events
    assert ("sys_call_refused", "ProtocolError") == (failure.name, failure.detail["code"])
    assert failure.ref in str(caught.value)
    assert f"(ref {failure.ref})" in caplog.text


def test_plain_functions_give_the_reference():
    """`Refused` has the reference that the audit has, for each failure text."""

    class Users:
        def find(self, name):
            return UserRecord(ANN)

    events = MemoryAudit()
    settings = {"key": KEY, "users": Users(), "audit": events, "environment": {}, "pad_to": 0}
    error = UnavailableError("x", reason="sandbox", code="MessageRejected")
    reply = SignIn(Flow(Mail()), courier=Post(failing=error), **settings).begin("ann")
    assert Refused("UNAVAILABLE") == reply
    assert [("sys_courier_failed", reply.ref, "sandbox")] == [
        (each.name, each.ref, each.detail["reason"]) for each in events.events
    ]
    late = SignIn(Flow(Riddle()), **settings).respond("no token")
    assert (late.text, events.events[-1].ref) == ("EXPIRED", late.ref)


def test_a_kind_that_makes_nonsense_is_told_in_fixed_words():
    """What was wrong with it is in `what`; the reason is a word of the list."""

    class Odd(Puzzle):
        def create(self, request):
            return Challenge(public={"kind": "x"})

    events = MemoryAudit()
    with pytest.raises(TriggerError):
        triggers_of(Flow(Odd()), audit=events, pad_to=0).create(event("create"))
    assert "unusable" == events.events[0].detail["reason"]


@pytest.mark.parametrize("said", ["", SECRET, "fish!", "12345678", "Ann", "a" * 65])
def test_what_a_kind_says_of_an_answer_is_a_word_in_the_audit(said):
    """A reason that is no word may quote the answer: it is recorded as wrong."""

    class Talkative(Riddle):
        def verify(self, request):
            return Verdict(False, said)

    events = MemoryAudit()
    hooks = triggers_of(Flow(Talkative()), audit=events, pad_to=0)
    private = hooks.create(event("create"))["response"]["privateChallengeParameters"]
    hooks.verify(event("verify", privateChallengeParameters=private, challengeAnswer="x"))
    assert ["wrong"] == [each.detail["reason"] for each in events.events]


@given(st.text(), st.text())
def test_a_reason_is_a_word_of_the_list_and_a_code_has_its_form(reason, code):
    """Whatever a port raises, what is recorded is a word of the list and a code of letters, digits and underscores."""
    said = reason_of(UnavailableError("x", reason=reason, code=code))
    assert said["reason"] in OUTAGE_REASONS
    assert re.fullmatch(r"[A-Za-z0-9_. ]{1,64}", said.get("code", "none"))


@pytest.mark.parametrize("code", ["MessageRejected", "550", "550 5.1.1", "gaierror", "Route53Error"])
def test_codes_of_services_pass(code):
    """AWS's words, SMTP's reply codes with or without an enhanced code, names of exceptions."""
    assert code == checked_code(code)


@pytest.mark.parametrize("code", [None, 550, "12345678", "99999", "ann@example.com", "A" * 65, "550 5.1.1 x", "Ä", ""])
def test_what_may_be_a_secret_is_no_code(code):
    """Digits alone may be somebody's code, and anything with other signs an address."""
    assert "" == checked_code(code)


def test_errors_without_a_reason_are_told_by_their_type():
    """A type whose name is no word is told as Exception."""
    odd = type("ann@example.com", (Exception,), {})
    assert {"reason": "unknown", "code": "Exception"} == reason_of(odd())
    assert {"reason": "unknown", "code": "ConfigurationError"} == reason_of(ConfigurationError("x"))
    assert {"reason": "unknown", "code": "ProtocolError"} == reason_of(ProtocolError("x"))
