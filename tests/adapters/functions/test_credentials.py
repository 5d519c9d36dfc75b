"""Plain functions for what users enrol: `begin_enrolment`, `complete_enrolment`, `credentials`, `remove_credential`."""

import pytest

from kit.engine_host import KEY, Mail, Riddle
from kit.fobs import Badge, Fob
from watchword import Flow, ProtocolError, enrolled, one_of, sequence, when
from watchword import enrol as enrol_step
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.couriers import Outbox
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.functions import SignedIn, SignIn, UserRecord

FLOW = Flow(sequence(Riddle(), when(enrolled("fob"), one_of(Fob(), Badge()), Mail())))
USERS = {
    "ann": UserRecord({"sub": "u-1", "email": "ann@example.com", "email_verified": "true", "locale": "de-DE"}),
    "zoe": UserRecord({"sub": "u-2"}),
}


class Users:
    def find(self, name):
        return USERS.get(name)


def place(flow=FLOW, **settings):
    """A host, and the outbox to which its mails go."""
    outbox = Outbox()
    given = {"key": KEY, "courier": outbox, "clock": VirtualClock(), "audit": MemoryAudit(), "environment": {}}
    return SignIn(flow, users=Users(), credentials=MemoryCredentials(), **(given | settings)), outbox


def enrol(host, name="ann", label="Phone"):
    begun = host.begin_enrolment(name, "fob")
    return begun, host.complete_enrolment(begun.handle, begun.public["word"], label)


def test_what_is_enrolled_is_asked_for_at_the_next_sign_in():
    """From the begin of the enrolment to the end of the sign-in."""
    host, outbox = place()
    begun, done = enrol(host)
    assert done
    (credential,) = host.credentials("ann")
    assert (done.credential, "Phone", "u-1") == (credential, credential.label, credential.owner.rpartition("#")[2])
    asked = host.respond(host.begin("ann").token, "fish")
    assert "fob,badge" == asked.public["choices"]
    asked = host.respond(asked.token, choice="fob")
    assert isinstance(host.respond(asked.token, begun.public["word"]), SignedIn)
    assert ["Neue Art der Anmeldung für Ihr Konto"] == [mail.subject for mail in outbox.messages]


def test_a_handle_is_enough_and_a_name_must_fit():
    """A program that keeps the handle beside its own session needs no name; one that gets it from the browser says whose it is."""
    host, _ = place()
    begun = host.begin_enrolment("ann", "fob")
    assert "expired" == host.complete_enrolment(begun.handle, begun.public["word"], name="zoe").reason
    assert "expired" == host.complete_enrolment("nobody's", begun.public["word"]).reason
    assert not host.complete_enrolment(begun.handle, "no", name="ann")
    assert host.complete_enrolment(begun.handle, begun.public["word"], name="ann")
    assert host.complete_enrolment(begun.handle, begun.public["word"])
    assert () == host.credentials("zoe") == host.credentials("nobody")


def test_a_token_of_a_sign_in_completes_nothing_and_a_handle_signs_nobody_in():
    """Each is good for its own."""
    host, _ = place()
    token = host.begin("ann").token
    assert "expired" == host.complete_enrolment(token, "x").reason
    begun = host.begin_enrolment("ann", "fob")
    assert "EXPIRED" == host.respond(begun.handle, "fish").text
    assert host.complete_enrolment(begun.handle, begun.public["word"])
    assert "mail" == host.respond(token, "fish").step


def test_a_secret_that_is_shown_to_be_kept_is_in_no_repr():
    """Neither in a step that enrols nor outside: a program that logs a reply logs no secret."""
    host, _ = place(Flow(sequence(Riddle(), enrol_step(Fob()))))
    asked = host.respond(host.begin("ann").token, "fish")
    begun = host.begin_enrolment("ann", "fob")

    assert asked.public["word"] not in repr(asked)
    assert begun.public["word"] not in repr(begun)
    assert isinstance(host.respond(asked.token, asked.public["word"]), SignedIn)


def test_who_is_nobody_enrols_nothing():
    """The program asks for a name that it does not have."""
    host, _ = place()
    for name, kind in (("nobody", "fob"), ("ann", "riddle")):
        with pytest.raises(ProtocolError):
            host.begin_enrolment(name, kind)


def test_the_last_way_stays_and_others_go():
    """By the flow."""
    host, outbox = place(Flow(sequence(Riddle(), one_of(Fob(), Badge()))))
    _, done = enrol(host)
    assert "last_way" == host.remove_credential("ann", done.credential.id).reason
    begun = host.begin_enrolment("ann", "badge")
    assert host.complete_enrolment(begun.handle, "badge-1")
    assert "unknown" == host.remove_credential("zoe", "badge-1").reason
    assert host.rename_credential("ann", "badge-1", "Key")
    assert host.remove_credential("ann", done.credential.id)
    assert [("badge-1", "Key")] == [(each.id, each.label) for each in host.credentials("ann")]
    assert 3 == len(outbox.messages)


def test_without_a_store_given_there_is_one_in_memory():
    """Outside Lambda."""
    assert enrol(SignIn(FLOW, users=Users(), key=KEY, courier=Outbox(), environment={}))[1]
