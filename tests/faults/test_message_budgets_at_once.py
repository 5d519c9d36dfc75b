"""Sixty-four sign-ins that ask for a message at once: budgets hold on any channel, per address and per user."""

from contextlib import suppress

import pytest

from watchword import Flow
from watchword.testing.ledger_calls import THREADS, at_once
from watchword.testing.mailbox import Mailbox
from watchword.testing.time import VirtualClock
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp

CHANNELS = {
    "email": (EmailOtp(verified_only=False), "email", "user{}@example.com"),
    "sms": (SmsOtp(countries=("+49",), verified_only=False), "phone_number", "+49151{:08}"),
}
"""By channel: a kind, the attribute that holds an address, and how addresses look."""
A_QUARTER = 3
"""Messages that the default limits allow at one moment."""


class Door:
    """Triggers of a flow of one kind, and what goes out."""

    def __init__(self, channel, ledger):
        kind, self.attribute, self.form = CHANNELS[channel]
        self.sent, self.clock = Mailbox(), VirtualClock()
        self._made = triggers(
            Flow(kind), key=bytes(range(32)), courier={channel: self.sent}, ledger=ledger, clock=self.clock, pad_to=0.0
        )

    def begins(self, user=0, address=0, app=0):
        """Have a sign-in of *user* begin in *app*, while *address* is theirs; whether it is told to try later is for others to test."""
        attributes = {"sub": f"11111111-2222-4333-8444-{user:012}", self.attribute: self.form.format(address)}
        event = {
            "version": "1",
            "triggerSource": "CreateAuthChallenge_Authentication",
            "region": "eu-west-1",
            "userPoolId": "eu-west-1_AbCdEf123",
            "userName": f"user{user}",
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": f"{app:026}"},
            "request": {"userAttributes": attributes, "challengeName": "CUSTOM_CHALLENGE", "session": []},
            "response": {},
        }
        with suppress(TriggerError):
            self._made.create(event, None)


@pytest.fixture(params=CHANNELS)
def channel(request):
    """Each channel that a kind of ours sends on."""
    return request.param


WAYS = {
    "one user with one address, in many apps": lambda number: {"app": number},
    "one address on many accounts": lambda number: {"user": number},
    "one account whose address changes": lambda number: {"address": number, "app": number},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_budget_is_that_of_a_user_and_that_of_an_address(channel, way):
    """One begin after the other: three messages in a quarter of an hour, whatever a stranger varies."""
    door = Door(channel, MemoryLedger())
    for number in range(THREADS):
        door.begins(**way(number))
    assert A_QUARTER == len(door.sent.messages)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_budgets_hold_over_sixty_four_begins_at_once(make_any_ledger, channel, way):
    """On every ledger; the first three are served, for each of them knows that there was room."""
    door = Door(channel, make_any_ledger())
    at_once(lambda number: door.begins(**way(number)))
    assert A_QUARTER == len(door.sent.messages)


def test_who_changes_an_address_empties_no_budget_but_their_own(channel):
    """The user's own budget is looked at first: what it refuses is not counted for the address."""
    door = Door(channel, MemoryLedger())
    for number in range(THREADS):
        door.begins(user=1, address=number, app=number)
    sent = len(door.sent.messages)
    last = THREADS - 1
    for number in range(THREADS):
        door.begins(user=2, address=last, app=number)
    assert sent + A_QUARTER == len(door.sent.messages)


def test_different_users_share_nothing(channel):
    """Each has a number, and a budget."""
    door = Door(channel, MemoryLedger())
    for number in range(5):
        door.begins(user=number, address=number)
    assert 5 == len(door.sent.messages)
