"""Couriers that are broken in one way each: every rule of the contract catches the one that breaks it."""

import inspect
import threading

import pytest
from attrs import evolve

from watchword.contract.ports import Receipt
from watchword.errors import UnavailableError
from watchword.testing import LETTER, CourierContract
from watchword_adapters.couriers import Outbox
from watchword_adapters.couriers.envelope import refuse_unfit

BROKEN = []


def breaks(*rules):
    """Mark a courier as breaking the contract's tests *rules*."""

    def mark(courier):
        BROKEN.extend((rule, courier) for rule in rules)
        return courier

    return mark


class Good(Outbox):
    """A courier without a fault, that never hangs."""

    secrets = ()
    hangs = None


@breaks("a_message_arrives")
class LosesMessages(Good):
    channel = "email"

    def send(self, message, within):
        refuse_unfit(message)
        return Receipt("1")


@breaks("a_message_arrives")
class SendsTwice(Good):
    channel = "email"

    def send(self, message, within):
        super().send(message, within)
        return super().send(message, within)


@breaks("a_message_arrives")
class GivesNoReceipt(Good):
    channel = "email"

    def send(self, message, within):
        super().send(message, within)


@breaks("a_message_arrives")
class ForgetsTheHtml(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(evolve(message, html=""), within)


@breaks("what_may_be_empty_may_be_left_out")
class MakesUpHtml(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(evolve(message, html=message.html or f"<p>{message.text}</p>"), within)


@breaks("what_may_be_empty_may_be_left_out")
class WantsHtml(Good):
    channel = "email"

    def send(self, message, within):
        if not message.html:
            raise UnavailableError("no HTML")
        return super().send(message, within)


@breaks("any_text_arrives_as_it_was")
class KnowsOnlyAscii(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(evolve(message, text=message.text.encode("ascii", "replace").decode()), within)


@breaks("any_text_arrives_as_it_was")
class SwallowsALeadingDot(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(evolve(message, text=message.text.replace("\n.", "\n")), within)


@breaks("any_text_arrives_as_it_was")
class CutsLongSubjects(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(evolve(message, subject=message.subject[:78]), within)


@breaks("messages_arrive_from_many_threads")
class MixesMessages(Good):
    last = LETTER

    channel = "email"

    def send(self, message, within):
        # What another thread has put there meanwhile is what is sent.
        before, self.last = self.last, message
        return super().send(before if message.to != LETTER.to else message, within)


@breaks("headers_cannot_be_injected", "there_is_exactly_one_recipient", "text_that_is_no_text_is_refused")
class RefusesNothing(Good):
    channel = "email"

    def send(self, message, within):
        self.messages.append(message)
        return Receipt("1")


@breaks("headers_cannot_be_injected")
class KnowsOneLineEndAlone(Good):
    channel = "email"

    def send(self, message, within):
        if "\n" in message.subject + message.to + message.id:
            raise UnavailableError("a line end", undelivered=True)
        self.messages.append(message)
        return Receipt("1")


@breaks("headers_cannot_be_injected", "there_is_exactly_one_recipient")
class DoesNotSayThatNothingLeft(Good):
    channel = "email"

    def send(self, message, within):
        try:
            return super().send(message, within)
        except UnavailableError as error:
            raise UnavailableError(str(error), refused=error.refused) from None


@breaks("a_refused_recipient_is_no_outage")
class TellsARefusedRecipientAsAnOutage(Good):
    channel = "email"

    def send(self, message, within):
        try:
            return super().send(message, within)
        except UnavailableError as error:
            raise UnavailableError(str(error), undelivered=True) from None


@breaks("there_is_exactly_one_recipient")
class SendsToAList(Good):
    channel = "email"

    def send(self, message, within):
        first, *others = message.to.replace(";", ",").split(",")
        receipt = super().send(evolve(message, to=first), within)
        for other in others:
            super().send(evolve(message, to=other), within)
        return receipt


@breaks("there_is_exactly_one_recipient")
class ShowsTheAddressInTheError(Good):
    channel = "email"

    def send(self, message, within):
        try:
            return super().send(message, within)
        except UnavailableError:
            raise UnavailableError(f"no address: {message.to}", undelivered=True, refused=True) from None


@breaks("text_that_is_no_text_is_refused")
class RaisesAnErrorOfItsOwn(Good):
    channel = "email"

    def send(self, message, within):
        f"{message.subject}{message.text}{message.html}".encode()
        return super().send(message, within)


@breaks("without_time_nothing_leaves")
class SendsWithoutTime(Good):
    channel = "email"

    def send(self, message, within):
        return super().send(message, 1.0)


@breaks("without_time_nothing_leaves")
class NoticesTooLate(Good):
    channel = "email"

    def send(self, message, within):
        receipt = super().send(message, 1.0)
        if within <= 0:
            raise UnavailableError("late", undelivered=True)
        return receipt


@breaks("a_carrier_that_hangs_ends_in_time")
class SaysThatItWasSent(Good):
    class Hangs(Outbox):
        """It gives up in time, and says that all went well."""

    hangs = Hangs()


@breaks("a_carrier_that_hangs_ends_in_time")
class WaitsForEver(Good):
    class Hangs(Outbox):
        """It waits until it is let go."""

        gate = threading.Event()

        channel = "email"

        def send(self, message, within):
            self.gate.wait()
            raise UnavailableError("at last")

    hangs = Hangs()


@breaks("nothing_secret_shows")
class ShowsItsPassword(Good):
    secrets = ("hunter2",)

    def __repr__(self):
        return "Courier(password='hunter2')"


@breaks("nothing_secret_shows")
class ShowsWhatItSent(Good):
    def __repr__(self):
        return f"Courier({[message.text for message in self.messages]})"


@breaks("nothing_secret_shows")
class ShowsToWhom(Good):
    def __str__(self):
        return f"Courier({[message.to for message in self.messages]})"


@breaks("the_floor_is_a_number_of_seconds")
class PadsBeyondTheDeadline(Good):
    floor = 5.0


def fails(rule, courier):
    """Run the contract's test *rule* on *courier*."""
    contract = CourierContract()
    contract.secrets = courier.secrets
    check = getattr(contract, f"test_{rule}")
    fixtures = {"courier": courier, "delivered": lambda: courier.messages, "hanging": courier.hangs}
    check(**{name: fixtures[name] for name in inspect.signature(check).parameters})


@pytest.mark.parametrize(("rule", "courier"), BROKEN, ids=[f"{rule}-{courier.__name__}" for rule, courier in BROKEN])
def test_the_contract_catches(rule, courier, monkeypatch, request):
    """The rule that a broken courier breaks fails for it."""
    if courier is WaitsForEver:
        # The contract waits a while for a courier that should have ended: nobody waits here.
        monkeypatch.setattr(threading.Thread, "join", lambda thread, timeout=None: None)
        monkeypatch.setattr(WaitsForEver.Hangs, "gate", gate := threading.Event())
        request.addfinalizer(gate.set)
    with pytest.raises((AssertionError, UnavailableError, UnicodeError)):
        fails(rule, courier())


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in BROKEN}))
def test_the_contract_lets_a_good_courier_pass(rule):
    """A rule that nothing passes would catch everything."""
    fails(rule, Good())


def test_every_rule_has_a_broken_courier():
    """No rule of the contract is without teeth."""
    rules = {name.removeprefix("test_") for name in dir(CourierContract) if name.startswith("test_")}
    assert rules == {rule for rule, _ in BROKEN}
    assert len({courier for _, courier in BROKEN}) >= 20
