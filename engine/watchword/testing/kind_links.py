"""The rules of the contract of kinds for messages with links: what tickets are good for, and where they are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from watchword.contract.powers import powers_of
from watchword.runtime.wire import OTHER_BROWSER
from watchword.testing.kind_calls import KindCalls
from watchword.testing.kind_facts import SolvedChallenge, hidden_users, subject_of, told_of
from watchword.testing.leaks import reveals
from watchword.testing.requests import NOW

if TYPE_CHECKING:
    from watchword.contract.kinds import CreateRequest

_OTHER_SIGN_IN = "0" * 32


class LinkRules(KindCalls):
    """The rules for kinds that `Links`; others skip them."""

    def test_a_link_leads_where_it_may_and_holds_the_ticket(self) -> None:
        """The message has one of the redirects, a # and the ticket: the one that the client named, or the first."""
        self._demand_links()
        redirects = powers_of(self.kind).redirects
        first = next(iter(redirects))
        for said in ("", *redirects):
            request = self._create_request(redirect=said)
            texts = [text for message in self._created(request).messages for text in message.texts()]
            link = f"{redirects[said or first]}#{request.ticket()}"
            assert any(link in text for text in texts), f"the client says {said!r}, and no text has that link"

    def test_a_ticket_is_in_its_message_alone(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither a parameter nor a subject, a log or a repr says it, made or judged: whoever reads it may sign in by it."""
        self._demand_links()
        caplog.set_level(logging.DEBUG)
        made, ticket = self._with_ticket()
        verdicts = [self._verdict(self.kind, made, answer) for answer in (ticket, ticket[:-1])]
        challenge, printed = made.challenge, capfd.readouterr()
        places = {
            f"{place}[{name!r}]": text
            for place in ("public", "private", "carry")
            for name, text in getattr(challenge, place).items()
        }
        places |= {"a subject": "".join(map(subject_of, challenge.messages)), "an address": challenge.messages[0].to}
        places |= {"repr of the challenge": repr(challenge), "repr of the verdict": repr(verdicts)}
        places |= {"the log": caplog.text, "what is printed": printed.out + printed.err}
        for place, text in places.items():
            for part in ticket.split("."):
                assert not reveals(text, part), f"the ticket can be read from {place}"

    def test_a_ticket_is_right_in_its_sign_in(self) -> None:
        """Elsewhere it is wrong and the client is told so, or right where the kind opens anywhere."""
        self._demand_links()
        made, ticket = self._with_ticket()
        assert self._verdict(self.kind, made, ticket).right is True, "the ticket of its own message is refused"
        elsewhere = self._verdict(self.kind, made, ticket, signin=_OTHER_SIGN_IN)
        anywhere = powers_of(self.kind).opens == "anywhere"
        assert elsewhere.right is anywhere, "a ticket in another sign-in: return what request.redeem gives"
        assert elsewhere.reason == ("" if anywhere else OTHER_BROWSER), "return what request.redeem gives"
        assert elsewhere.redeems == ticket, "a ticket that is not handed on is not used up: return what redeem gives"

    def test_a_ticket_ends(self) -> None:
        """With its challenge."""
        self._demand_links()
        made, ticket = self._with_ticket()
        late = NOW + powers_of(self.kind).lifetime
        assert self._verdict(self.kind, made, ticket, now=late - 1).right is True
        assert self._verdict(self.kind, made, ticket, now=late).right is False, "right when it is over"

    def test_an_altered_ticket_is_wrong(self) -> None:
        """In any one character, with one more or one less, and in another case."""
        self._demand_links()
        made, ticket = self._with_ticket()
        altered = [
            f"{ticket[:place]}{'B' if ticket[place] == 'A' else 'A'}{ticket[place + 1 :]}"
            for place in range(len(ticket))
        ]
        for other in (*altered, ticket[1:], ticket[:-1], f"{ticket}A", ticket.swapcase(), f"{ticket}.", f"{ticket}=="):
            assert self._verdict(self.kind, made, other).right is False, "a ticket that was altered is right"

    def test_a_ticket_is_for_one_user(self) -> None:
        """Somebody else's is wrong, in their own challenge too."""
        self._demand_links()
        _, ticket = self._with_ticket()
        eve = evolve(self.user, key="e" * 64)
        made = self._made(user=eve)
        assert self._verdict(self.kind, made, ticket, user=eve).right is False, "good for another user"

    def test_nobody_hidden_gets_a_ticket(self) -> None:
        """For whoever does not exist, or cannot be written to, none is even made."""
        self._demand_links()
        for user in hidden_users(self.kind, self.user):
            asked: list[str] = []
            self._created(_counting(self._create_request(user=user), asked))
            assert not asked, f"{told_of(user)}: a ticket is made for a message that does not go out"

    def _demand_links(self) -> None:
        if not powers_of(self.kind).links:
            pytest.skip(f"{self.kind.kind} has no links")

    def _with_ticket(self) -> tuple[SolvedChallenge, str]:
        """Return a challenge, and the ticket of its message."""
        return self._made(), self._create_request().ticket()


def _counting(request: CreateRequest, asked: list[Any]) -> CreateRequest:
    """Return *request*, which adds to *asked* each ticket that a kind makes by it."""
    real = request.methods.ticket

    def ticket() -> str:
        asked.append(real())
        return str(asked[-1])

    return evolve(request, methods=evolve(request.methods, ticket=ticket))
