"""Passkeys in whole sign-ins: enrolled in a step, asked for, offered, answered again, and many at once."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

pytest.importorskip("fido2.webauthn")

from kit.authenticator import UP, UV, Authenticator, decode, encode, new_key, standard_form
from kit.engine_host import ANN, Host, Mail, Riddle, world
from watchword import Flow, IssueTokens, User, enrol, enrolled, named, one_of, sequence, when
from watchword.algebra.flow import FailAuthentication
from watchword.contract import Credential
from watchword_adapters.credentials import MemoryCredentials
from watchword_plugins.passkey import Passkey
from watchword_plugins.webauthn.public_keys import encoded

PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
KNOWN, NOBODY = User("ann", ANN), User("nobody", {}, known=False)
OWNER = f"pool_1#{ANN['sub']}"
HANDLE = f"s|{ANN['sub']}".encode()
KEY = new_key(-7)


class Counting(MemoryCredentials):
    """A store that counts what is written."""

    def __init__(self):
        super().__init__()
        self.swaps = 0

    def swap(self, credential, *, version, within):
        self.swaps += 1
        return super().swap(credential, version=version, within=within)


def device(**facts):
    """A device of Ann's."""
    return Authenticator(**{"key": KEY, "user_handle": HANDLE, **facts})


def store_with(*devices):
    """A store in which Ann has enrolled *devices*."""
    store = Counting()
    for each in devices:
        state = {
            "public_key": encode(encoded(each.public_key)),
            "sign_count": str(each.count),
            "user_verified": "true",
            "backup_eligible": "false",
            "backed_up": "false",
            "user_handle": encode(HANDLE),
        }
        assert store.add(Credential(encode(each.id), OWNER, "passkey", state=state), replace=False, most=20, within=1.0)
    return store


def begun(flow, store, user=KNOWN):
    """A sign-in in which the first step is asked."""
    host = Host(world(flow, credentials=store), user)
    host.next()
    return host


def assertion(host, by, parameter="options"):
    """An answer to the challenge at hand."""
    options = host.pending[0].public[parameter]
    asked = json.loads(json.loads(options)["options"] if parameter.startswith("offer_") else options)
    return json.dumps(standard_form(by.use(decode(asked["challenge"]))))


def stored(store):
    """Ann's credentials."""
    return store.list(OWNER, within=1.0)


def test_a_passkey_signs_in():
    """And nobody else's: with another key, of another user, without a store."""
    flow = Flow(PASSKEY)
    for store, by, user, ends in (
        (store_with(device()), device(), KNOWN, IssueTokens),
        (store_with(device()), device(key=new_key(-7)), KNOWN, None),
        (store_with(device()), device(), NOBODY, None),
        (store_with(), device(), KNOWN, None),
        (None, device(), KNOWN, None),
    ):
        host = begun(flow, store, user)
        reply = host.answers(assertion(host, by))
        assert isinstance(reply, IssueTokens) == (ends is IssueTokens)


def test_what_is_enrolled_in_a_step_signs_in():
    """At the next sign-in the step asks for it."""
    flow, store = Flow(sequence(Riddle(), enrol(PASSKEY))), store_with()
    host = begun(flow, store)
    shown = json.loads(host.answers("fish").public["options"])
    answer = device().register(decode(shown["challenge"]))
    assert isinstance(host.answers(json.dumps(answer)), IssueTokens)
    (credential,) = stored(store)
    assert encode(device().id) == credential.id

    host = begun(flow, store)
    asked = json.loads(host.answers("fish").public["options"])
    assert [credential.id] == [each["id"] for each in asked["allowCredentials"]]
    assert isinstance(host.answers(assertion(host, device())), IssueTokens)


def test_a_wrong_enrolment_may_be_tried_again():
    """With another challenge; nothing is half-enrolled."""
    store = store_with()
    host = begun(Flow(sequence(Riddle(), enrol(PASSKEY))), store)
    first = json.loads(host.answers("fish").public["options"])
    wrong = device(origin="https://evil.org").register(decode(first["challenge"]))
    second = json.loads(host.answers(json.dumps(wrong)).public["options"])
    assert second["challenge"] != first["challenge"]
    assert () == stored(store)
    assert isinstance(host.answers(json.dumps(device().register(decode(second["challenge"])))), IssueTokens)


def test_a_passkey_of_somebody_else_is_not_enrolled():
    """Its id is unique over all users (7.1 step 26)."""
    store = store_with()
    eve = evolve(store_with(device()).list(OWNER, within=1.0)[0], owner="pool_1#eve")
    assert store.add(eve, replace=False, most=20, within=1.0)
    host = begun(Flow(sequence(Riddle(), enrol(PASSKEY))), store)
    shown = json.loads(host.answers("fish").public["options"])
    assert not isinstance(host.answers(json.dumps(device().register(decode(shown["challenge"])))), IssueTokens)
    assert () == stored(store)


def test_who_has_a_passkey_is_asked_for_it():
    """As a condition behind a factor."""
    flow = Flow(sequence(Riddle(), when(enrolled("passkey"), PASSKEY, named("again", Riddle()))))
    for store, step in ((store_with(device()), "passkey"), (store_with(), "again")):
        assert step == begun(flow, store).answers("fish").public["step"]


@pytest.mark.parametrize("user", [KNOWN, NOBODY])
def test_an_offered_passkey_is_answered_at_once(user):
    """It is shown to everybody, and lets in who has it."""
    host = begun(Flow(one_of(PASSKEY, Mail())), store_with(device()), user)
    assert "passkey" == host.pending[0].public["offers"]
    reply = host.answers(assertion(host, device(), "offer_passkey"), action="answer", choice="passkey")
    assert isinstance(reply, IssueTokens) == user.known


def test_an_offered_challenge_is_good_for_the_passkey_alone():
    """Chosen for another option it is no answer."""
    host = begun(Flow(one_of(PASSKEY, Mail())), store_with(device()))
    reply = host.answers(assertion(host, device(), "offer_passkey"), action="answer", choice="mail")
    assert not isinstance(reply, IssueTokens)


def test_a_repeat_reads_right_again_and_writes_once():
    """A host that calls Verify thrice; the same answer in another sign-in is wrong."""
    store = store_with(device(count=1))
    host = begun(Flow(PASSKEY), store)
    answer = assertion(host, device(count=2))
    assert [True, True, True] == [host.verify(answer).right for _ in range(3)]
    assert 1 == store.swaps
    assert ["2"] == [each.state["sign_count"] for each in stored(store)]
    other = begun(Flow(PASSKEY), store)
    assert not other.verify(answer).right


def test_an_answer_is_not_replayed_in_its_own_sign_in():
    """The next round has a challenge of its own."""
    store = store_with(device(count=1), device(id=b"\x02" * 32))
    host = begun(Flow(sequence(PASSKEY, named("second", PASSKEY))), store)
    answer = assertion(host, device(id=b"\x02" * 32))
    host.answers(answer)
    assert not isinstance(host.answers(answer), IssueTokens)


@pytest.mark.parametrize("counts", [False, True])
def test_many_at_once_are_accepted_as_often_as_the_counts_allow(counts):
    """Passkeys that count nothing let all in and write nothing. Of equal counts one is right, and the others are clones."""
    store, many = store_with(device(count=int(counts))), 16
    shared = world(Flow(PASSKEY), credentials=store)
    hosts = [Host(shared, KNOWN) for _ in range(many)]
    for host in hosts:
        host.next()
    answers = [assertion(host, device(count=2 if counts else 0)) for host in hosts]
    with ThreadPoolExecutor(8) as pool:
        verdicts = [*pool.map(lambda pair: pair[0].verify(pair[1]).right, zip(hosts, answers, strict=True))]
    assert (1 if counts else many) == sum(verdicts)
    assert counts == (store.swaps > 0)


def test_wrong_answers_lock_nobody_out():
    """Nobody guesses a signature, so a stranger's nonsense costs the user nothing."""
    store = store_with(device())
    shared = world(Flow(PASSKEY), credentials=store)
    for _ in range(30):
        host = Host(shared, KNOWN)
        host.next()
        while not isinstance(host.answers("nonsense"), FailAuthentication):
            pass
    host = Host(shared, KNOWN)
    host.next()
    assert isinstance(host.answers(assertion(host, device())), IssueTokens)


def test_verification_that_was_not_demanded_proves_one_factor():
    """And a signature without it is refused where it is demanded."""
    host = begun(Flow(PASSKEY), store_with(device()))
    assert not isinstance(host.answers(assertion(host, device(flags=UP))), IssueTokens)
    lax = Flow(evolve(PASSKEY, user_verification="preferred"))
    for flags in (UP, UP | UV):
        host = begun(lax, store_with(device()))
        assert isinstance(host.answers(assertion(host, device(flags=flags))), IssueTokens)


def test_a_flow_without_a_passkey_loads_none_of_it(tmp_path):
    """Neither in Create nor in Verify, although the extra is installed; with one, only what judges an answer loads fido2."""
    program = """
import sys
from watchword import load_flow
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import SignIn, UserRecord

class Users:
    def find(self, name):
        return UserRecord({"sub": "u-1", "email": "ann@example.com", "email_verified": "true"})

def loaded():
    return sorted(name for name in ("fido2", "watchword_plugins.passkey") if name in sys.modules)

sign_in = SignIn(load_flow(sys.argv[1]), users=Users(), key=bytes(range(32)), courier=Outbox())
asked = sign_in.begin("ann")
before = loaded()
sign_in.respond(asked.token, sys.argv[2])
print(before, loaded())
"""
    mail = 'kind = "email_otp"'
    passkey = 'kind = "passkey"\nrp_id = "example.com"\norigins = ["https://example.com"]'
    own = "watchword_plugins.passkey"
    answer = json.dumps(device().use(b"c" * 24))
    for step, said, expected in (
        (mail, "12345678", f"{[]} {[]}"),
        (passkey, "nonsense", f"{[own]} {[own]}"),
        (passkey, answer, f"{[own]} {['fido2', own]}"),
    ):
        path = tmp_path / "flow.toml"
        path.write_text(f"[[steps]]\n{step}\n")
        command = [sys.executable, "-c", program, str(path), said]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert expected == done.stdout.strip()
