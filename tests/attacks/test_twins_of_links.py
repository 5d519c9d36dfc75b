"""Vulnerable twins of links and their tickets: each is caught by the family that is there for it."""

import pytest

from kit.broken_code import broken
from kit.vulnerable_twins import Twin, found
from watchword import Flow, ask_first, named, one_of, sequence
from watchword.runtime import creation, verification
from watchword.runtime.sign_ins.tickets import Tickets
from watchword_adapters.ledgers import memory
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.srp import Srp

CASES = 60
REDIRECTS = {"web": "https://app.example/sign-in", "other": "https://other.example/sign-in"}
HERE, ANYWHERE = MagicLink(redirects=REDIRECTS), MagicLink(redirects=REDIRECTS, opens="anywhere")
FLOWS = {
    "both": Flow(one_of(HERE, named("anywhere", ANYWHERE))),
    "here": Flow(ask_first(HERE)),
    "password": Flow(sequence(Srp(), ask_first(HERE))),
}

TWINS = {
    "every link opens anywhere": Twin(
        Tickets.is_good, "return ticket.own or self.opens_anywhere", "return True", "T-01"
    ),
    "the kind's answer is believed": Twin(
        verification._with_ticket, "if verdict.right and not told.right:", "if False:", "T-01", "here"
    ),
    "a ticket is everybody's": Twin(Tickets._mac, "*self.binding, ", "", "T-02"),
    "a ticket is of any step": Twin(Tickets._mac, "self.step.name, ", "", "T-02"),
    "tickets live on": Twin(Tickets.verdict, "if now >= ticket.expires:", "if False:", "T-03", "here"),
    "a ticket is never used up": Twin(verification._accept, "    if ticket:\n", "    if False:\n", "T-04"),
    "nobody looks at the MAC": Twin(Tickets.read, "if not genuine or text", "if text", "T-05", "here"),
    "another browser's link costs a guess": Twin(
        verification._charge_and_compare, "if ticket and not verdict.right:", "if False:", "T-07", "here"
    ),
    "the ticket in the subject": Twin(MagicLink._message, '"app": self.app', '"app": request.ticket()', "M-09", "here"),
    "the ticket in public": Twin(MagicLink.create, '"link": self.opens}', '"link": request.ticket()}', "L-04", "here"),
    "the ticket in the log": Twin(
        MagicLink._message,
        '"code": code,',
        '"code": __import__("logging").getLogger("watchword").warning(request.ticket()) or code,',
        "L-01",
        "here",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_vulnerable_twin_is_caught_by_its_family(name):
    """By name, with at least one success."""
    twin = TWINS[name]
    spoilt = {
        "the kind's answer is believed": (
            MagicLink.verify,
            "return request.redeem(answer)",
            "return __import__('attrs').evolve(request.redeem(answer), right=True)",
        )
    }
    if name in spoilt:
        with broken(*spoilt[name]):
            assert {} == found(twin.family, FLOWS, twin.flow, CASES)
            assert twin.caught(FLOWS, CASES)
    else:
        assert twin.caught(FLOWS, CASES)


def test_links_that_follow_the_client_are_caught():
    """Two rules hold a link: the engine's, which knows the names, and the kind's, which looks the address up by one."""
    engine = (creation.make_challenge, 'redirect=said if said in at.step.powers.redirects else ""', "redirect=said")
    kind = (
        MagicLink._message,
        "self.redirects[request.redirect or",
        "self.redirects.get(request.redirect, request.redirect) if request.redirect else self.redirects[",
    )
    with broken(*engine):
        assert {} == found("M-10", FLOWS, "here", CASES)
        with broken(*kind):
            assert found("M-10", FLOWS, "here", CASES)


@pytest.mark.parametrize("family", ["M-10", "T-01", "T-02", "T-03", "T-04", "T-05", "T-06", "T-07"])
@pytest.mark.parametrize("flow", FLOWS)
def test_what_is_not_broken_is_not_caught(family, flow):
    """The same families find nothing in what is shipped."""
    assert {} == found(family, FLOWS, flow, 8 if family == "T-06" else CASES)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_link_that_is_used_by_many_at_once_is_caught(flow, monkeypatch):
    """Where claims are used up by nobody."""
    monkeypatch.setattr(memory.MemoryLedger, "consume", lambda self, *_, **__: True)
    assert found("T-06", FLOWS, flow, 4)
