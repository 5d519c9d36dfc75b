"""Kinds with links that are broken in one way each: every rule of the contract catches the one that breaks it."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import pytest
from attrs import evolve

from kit.linking_kinds import Linked
from watchword import Challenge, Email, Verdict
from watchword.testing import ANN, KindContract
from watchword_plugins.magic_link import MagicLink

FIRST = "https://app.example/sign-in"


class LeadsAnywhere(Linked):
    """It takes the name that the client says for an address."""

    def create(self, request):
        made = Linked.create(self, evolve(request, redirect=""))
        return evolve(
            made,
            messages=tuple(
                evolve(each, text=each.text.replace(FIRST, request.redirect or FIRST)) for each in made.messages
            ),
        )


class Shows(Linked):
    """The client sees the ticket."""

    def create(self, request):
        return evolve(Linked.create(self, request), public={"link": f"x#{request.ticket()}"})


class Carries(Linked):
    """The ticket travels to later rounds."""

    def create(self, request):
        return evolve(Linked.create(self, request), carry={"ticket": request.ticket()})


class InTheSubject(Linked):
    """Locked screens show it."""

    def create(self, request):
        made = Linked.create(self, request)
        return evolve(made, messages=tuple(evolve(each, subject=request.ticket()) for each in made.messages))


class Logs(Linked):
    """The log says it."""

    def verify(self, request):
        logging.getLogger("linked").warning("answer %s", request.answer)
        return Linked.verify(self, request)


class Anywhere(Linked):
    """It says right in another browser."""

    def verify(self, request):
        verdict = Linked.verify(self, request)
        return evolve(verdict, right=True) if verdict.reason == "other_browser" else verdict


class Silent(Linked):
    """It does not say that the ticket is another sign-in's."""

    def verify(self, request):
        return evolve(Linked.verify(self, request), reason="wrong")


class NeverUsed(Linked):
    """It keeps the ticket from the engine, which then uses none up."""

    def verify(self, request):
        return evolve(Linked.verify(self, request), redeems="")


class Endless(Linked):
    """It takes a ticket that is over."""

    def verify(self, request):
        return Linked.verify(self, evolve(request, methods=evolve(request.methods, redeem=self.redeem(request))))

    def redeem(self, request):
        """Take what is expired for right."""
        return lambda text: evolve(said := request.redeem(text), right=said.right or said.reason == "expired")


class Lenient(Linked):
    """It takes whatever comes close."""

    def verify(self, request):
        if "." in request.answer:
            return max(
                (request.redeem(request.answer.rstrip(end)) for end in ("", ".", "=")), key=lambda each: each.right
            )
        return Linked.verify(self, request)


class Everybodys(Linked):
    """It takes whatever has the form of a ticket."""

    def verify(self, request):
        if request.answer.count(".") == 1:
            return Verdict(right=True, redeems=request.answer)
        return Linked.verify(self, request)


class Wasteful(Linked):
    """It makes a ticket for whoever cannot be written to."""

    def create(self, request):
        made = Linked.create(self, request)
        request.ticket()
        return made


class Linkless(Linked):
    """Its message has no link."""

    def create(self, request):
        made = Linked.create(self, request)
        return Challenge(made.public, made.private, messages=(Email(ANN.attributes["email"], "x", "12345678"),))


BROKEN = {
    LeadsAnywhere: "a_link_leads_where_it_may_and_holds_the_ticket",
    Linkless: "a_link_leads_where_it_may_and_holds_the_ticket",
    Shows: "a_ticket_is_in_its_message_alone",
    Carries: "a_ticket_is_in_its_message_alone",
    InTheSubject: "a_ticket_is_in_its_message_alone",
    Logs: "a_ticket_is_in_its_message_alone",
    Anywhere: "a_ticket_is_right_in_its_sign_in",
    Silent: "a_ticket_is_right_in_its_sign_in",
    NeverUsed: "a_ticket_is_right_in_its_sign_in",
    Endless: "a_ticket_ends",
    Lenient: "an_altered_ticket_is_wrong",
    Everybodys: "a_ticket_is_for_one_user",
    Wasteful: "nobody_hidden_gets_a_ticket",
}
RULES = sorted({*BROKEN.values()})


class Contract(KindContract):
    """The contract of one kind, without pytest's collecting it."""

    __test__ = False
    refused: ClassVar[tuple[Any, ...]] = ()

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def broken_rule(kind: Any, rule: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    """Return what *rule* says of *kind*; nothing if it is content."""
    given = (caplog, capfd) if rule == "a_ticket_is_in_its_message_alone" else ()
    caplog.clear()
    try:
        getattr(Contract(kind), f"test_{rule}")(*given)
    except AssertionError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
def test_a_sound_kind_breaks_no_rule(opens: Any, rule: str, caplog: Any, capfd: Any) -> None:
    """In both modes."""
    assert broken_rule(MagicLink(redirects={"web": FIRST}, opens=opens), rule, caplog, capfd) == ""


@pytest.mark.parametrize(("kind", "rule"), BROKEN.items(), ids=[each.__name__ for each in BROKEN])
def test_a_broken_kind_is_caught_by_its_rule(kind: Any, rule: str, caplog: Any, capfd: Any) -> None:
    """By the rule that is there for it."""
    assert broken_rule(kind(), rule, caplog, capfd)
