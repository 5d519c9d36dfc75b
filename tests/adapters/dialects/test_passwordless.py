"""The dialect of the passwordless client: its words in, the engine's values behind, its words out."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from attrs import frozen

from kit.engine_host import ANN, DeadLedger, Mail, Post, Riddle
from kit.hosts import event, triggers_of
from kit.passkeys import StandIn, assertion
from kit.passwordless_client import FIDO2, Client, challenge_in
from kit.paths import TESTS
from watchword import Challenge, ConfigurationError, Flow, Verdict, named, one_of, sequence, when
from watchword.algebra.blocks import attribute
from watchword.algebra.evaluation import evaluate
from watchword.algebra.flow import IssueTokens
from watchword.testing.time import VirtualClock
from watchword_adapters.cli.logs.captured_events import read_events
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.deploy.packages.imports import follow
from watchword_adapters.dialects.dialect import find_dialect
from watchword_adapters.dialects.sign_in_challenges import new_challenge
from watchword_adapters.ledgers import SqliteLedger
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.passkey import Passkey
from watchword_plugins.srp import Srp

ALONE = Flow(StandIn())


def client_of(flow=ALONE, **settings):
    return Client(triggers_of(flow, dialect="passwordless", **settings))


def test_the_first_round_has_the_clients_name_and_its_challenge():
    """The client reads `challenge` and `fido2options`; what the kind left out is left out, since null fails in the client."""
    client = client_of()
    public = client.begin()

    assert "PROVIDE_AUTH_PARAMETERS" == public["challenge"]
    assert "PROVIDE_AUTH_PARAMETERS" == client.created["privateChallengeParameters"]["challenge"]
    options = json.loads(public["fido2options"])
    assert {"relyingPartyId": "localhost", "timeout": 180_000, "userVerification": "required"} == {
        name: value for name, value in options.items() if name != "challenge"
    }


def test_the_metadata_stays_the_engines():
    """Define reads it: a name that anybody knows could not say which sign-in it belongs to."""
    client = client_of()
    client.begin()

    assert "PROVIDE_AUTH_PARAMETERS" not in client.created["challengeMetadata"]


def test_an_assertion_brings_tokens_at_once():
    """One round: the client answers the first challenge."""
    client = client_of()

    assert "tokens" == client.answer(assertion(challenge_in(client.begin())))


@pytest.mark.parametrize("tries", [1, 3])
def test_a_wrong_assertion_ends_the_sign_in(tries):
    """However many tries the step has: the client throws at a second round."""
    client = client_of(Flow(StandIn(attempts=tries)))

    assert "failure" == client.answer(assertion(challenge_in(client.begin()), signed_by="bob"))


@pytest.mark.parametrize("metadata", [{"signInMethod": name} for name in ("MAGIC_LINK", "SMS_OTP_STEPUP")])
def test_no_tokens_come_for_a_method_that_is_not_supported(metadata):
    """Also not for the right assertion: the round was answered for another method."""
    client = client_of()
    public = client.begin()

    with pytest.raises(Exception, match="not supported") as raised:
        client.answer(assertion(challenge_in(public)), metadata)
    words = {
        "MAGIC_LINK": "Sign-in with Magic Link not supported",
        "SMS_OTP_STEPUP": "Step-up authentication with SMS OTP not supported",
    }
    assert words[metadata["signInMethod"]] == str(raised.value)


def test_anything_else_is_an_internal_server_error():
    """In the sample's words, with nothing of ours: the log has the reference."""
    client = client_of()
    client.begin()

    with pytest.raises(Exception, match=r"^Internal Server Error$"):
        client.answer("x", {"signInMethod": "ANOTHER"})


def test_a_client_that_says_no_method_speaks_the_engines_language():
    """An application of one's own may use the same triggers."""
    client = client_of()

    assert "tokens" == client.answer(assertion(challenge_in(client.begin())), None)


@pytest.mark.parametrize(
    ("metadata", "text"), [(FIDO2, "Internal Server Error"), (None, "UNAVAILABLE (ref "), ({}, "UNAVAILABLE (ref ")]
)
def test_who_speaks_the_engines_language_reads_its_texts(metadata, text):
    """An outage, told to either client. Nobody has said a method before the first answer."""
    client = client_of(ledger=DeadLedger())
    client.begin()

    with pytest.raises(Exception, match=re.escape(text)):
        client.answer(assertion(challenge_in(client.created["publicChallengeParameters"])), metadata)


class CountingLedger(MemoryLedger):
    """A ledger that keeps the names of the calls that write."""

    def __init__(self):
        super().__init__()
        self.written = []

    def __getattribute__(self, name):
        if name in {"claim", "settle", "resume", "charge", "forgive", "count", "consume", "put", "take", "forget"}:
            self.written.append(name)
        return super().__getattribute__(name)


class ReadStore(MemoryCredentials):
    """A store of which each write fails the test."""

    def add(self, *_, **__):
        raise AssertionError("nothing is added")

    swap = remove = add


PASSKEY = Passkey(rp_id="localhost", origins=("http://localhost:5173",), list_credentials="always")


@pytest.mark.parametrize("flow", [Flow(PASSKEY), Flow(one_of(Mail(), PASSKEY))], ids=["alone", "choice"])
@pytest.mark.parametrize("user", [ANN, {}], ids=["known", "unknown"])
def test_the_parameters_round_sends_nothing_and_writes_nothing(flow, user):
    """A waiting field of autofill begins again every 150 seconds, for as long as the page is open."""
    ledger, post = CountingLedger(), Post()
    triggers = triggers_of(flow, dialect="passwordless", ledger=ledger, courier=post, credentials=ReadStore())
    Client(triggers, user).begin()  # the first of a day marks the ledger as used with this key
    ledger.written.clear()
    for _ in range(50):
        Client(triggers, user).begin()

    assert ([], []) == (ledger.written, post.sent)


def user_name_less(ledger, clock):
    """Triggers, and a challenge that was given out before the sign-in began."""
    triggers = triggers_of(ALONE, dialect="passwordless", ledger=ledger, clock=clock)
    return triggers, new_challenge(triggers.services, "us-east-1_Abc123")


def test_a_challenge_given_out_before_the_sign_in_is_as_good_as_its_own():
    """Nobody knew the user when it was asked for."""
    triggers, challenge = user_name_less(MemoryLedger(), VirtualClock())
    client = Client(triggers)
    client.begin()

    assert "tokens" == client.answer(assertion(challenge))


def test_a_challenge_given_out_before_the_sign_in_is_used_once():
    """Who copies the assertion cannot sign in by it: the first round has it, in all its repeats, and no other."""
    triggers, challenge = user_name_less(MemoryLedger(), VirtualClock())
    first, second = Client(triggers), Client(triggers)
    first.begin()
    second.begin()
    private = first.created["privateChallengeParameters"]
    verify = event(
        "verify", privateChallengeParameters=private, challengeAnswer=assertion(challenge), clientMetadata=FIDO2
    )

    assert [True, True] == [triggers.verify(verify, None)["response"]["answerCorrect"] for _ in range(2)]
    assert "failure" == second.answer(assertion(challenge))


def test_of_many_sign_ins_at_once_one_uses_a_challenge_up(tmp_path):
    """By threads that share a file, as processes do."""
    triggers, challenge = user_name_less(SqliteLedger(tmp_path / "ledger.db"), VirtualClock())
    clients = [Client(triggers) for _ in range(16)]
    for client in clients:
        client.begin()
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(lambda client: client.answer(assertion(challenge)), clients))

    assert ["failure"] * 15 + ["tokens"] == sorted(ends)


def test_a_challenge_is_given_out_without_the_ledger():
    """Whoever asks a million times writes nothing."""
    triggers, challenge = user_name_less(DeadLedger(), VirtualClock())
    client = Client(triggers)
    client.begin()

    with pytest.raises(Exception, match="Internal Server Error"):
        client.answer(assertion(challenge))


def test_a_challenge_given_out_before_the_sign_in_ends():
    """After five minutes it is as good as any text."""
    clock = VirtualClock()
    triggers, challenge = user_name_less(MemoryLedger(), clock)
    clock.advance(300)
    client = Client(triggers)
    client.begin()

    assert "failure" == client.answer(assertion(challenge))


@pytest.mark.parametrize("place", range(0, 43, 6))
def test_nobody_can_make_a_challenge(place):
    """Each part of it is under the MAC: the nonce, the end, and the MAC itself."""
    triggers, challenge = user_name_less(MemoryLedger(), VirtualClock())
    client = Client(triggers)
    client.begin()
    other = "A" if challenge[place] != "A" else "B"

    assert "failure" == client.answer(assertion(challenge[:place] + other + challenge[place + 1 :]))


def test_a_challenge_belongs_to_one_pool():
    """Two user pools may have one key."""
    triggers, _ = user_name_less(MemoryLedger(), VirtualClock())
    client = Client(triggers)
    client.begin()

    assert "failure" == client.answer(assertion(new_challenge(triggers.services, "us-east-1_Other")))


@pytest.mark.parametrize(
    "answer",
    ["", "__dummy__", "{}", "[]", "null", "{", '{"clientDataJSON_B64":7}', '{"clientDataJSON_B64":"!"}', "[" * 20_000]
    + [
        json.dumps({"clientDataJSON_B64": text})
        for text in ("bnVsbA", "e30", "W10", "eyJjaGFsbGVuZ2UiOjd9", "é", "=" * 9)
    ],
)
def test_an_answer_that_cannot_be_read_is_a_wrong_one(answer):
    """It is a stranger's."""
    client = client_of()
    client.begin()

    assert "failure" == client.answer(answer)


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (
            Flow(Riddle()),
            "no step that the passwordless client can sign in with: add a kind 'passkey', or a kind with links, or",
        ),
        (Flow(one_of(StandIn(), named("second", StandIn()))), "several steps for it, passkey, second"),
        (Flow(sequence(Mail(), StandIn())), "begins with mail"),
        (Flow(sequence(StandIn(), Riddle())), "goes on behind it"),
        (Flow(when(attribute("custom:tier", "gold"), StandIn(), Mail())), "begins with mail"),
    ],
)
def test_a_flow_that_the_client_cannot_pass_is_refused(flow, why):
    """When the triggers are made, with the step and the remedy."""
    with pytest.raises(ConfigurationError, match=why):
        triggers_of(flow, dialect="passwordless")


@frozen
class Silent:
    """A passkey that offers nothing in a choice, and says nothing that the client could read."""

    kind: ClassVar[str] = "passkey"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})

    def create(self, request):
        return Challenge(private={"x": "y"})

    def verify(self, request):
        return Verdict(right=False)


def test_a_choice_that_cannot_be_answered_is_refused():
    """The client would not find its challenge there."""
    with pytest.raises(ConfigurationError, match="offers no challenge there"):
        triggers_of(Flow(one_of(Silent(), Mail())), dialect="passwordless")


def test_a_kind_that_says_no_options_gives_the_client_none():
    """It says so itself: "Server did not send a FIDO2 challenge"."""
    assert "fido2options" not in client_of(Flow(Silent())).begin()


CHOICE = Flow(one_of(Mail(), StandIn()))


def test_a_choice_is_answered_for_the_passkey_at_once():
    """The flow asks which way to take, and the client, which knows no such question, answers for one. Nothing is sent."""
    post = Post()
    client = client_of(CHOICE, courier=post)
    public = client.begin()

    assert "tokens" == client.answer(assertion(challenge_in(public)))
    assert [] == post.sent


@pytest.mark.parametrize("flow", [ALONE, CHOICE], ids=["alone", "choice"])
def test_a_waiting_field_may_be_filled_in_late(flow):
    """Autofill waits for as long as the challenge is good; nobody counts that as a try."""
    clock = VirtualClock()
    client = client_of(flow, clock=clock)
    public = client.begin()
    clock.advance(170)

    assert "tokens" == client.answer(assertion(challenge_in(public)))


def test_a_wrong_answer_to_a_choice_ends_the_sign_in():
    """The client throws at a second round, so nobody is asked for what is left."""
    client = client_of(CHOICE)

    assert "failure" == client.answer(assertion(challenge_in(client.begin()), signed_by="bob"))


def test_an_application_of_ones_own_chooses_the_other_way():
    """It says no method, and speaks the engine's language in each round."""
    post = Post()
    client = client_of(CHOICE, courier=post)
    client.begin()
    asked = client.answer("", {"watchword_choice": "mail"})

    assert "mail" == asked["step"]
    assert "challenge" not in asked
    assert "tokens" == client.answer(post.code, None)


@pytest.mark.parametrize("method", ["MAGIC_LINK", "SMS_OTP_STEPUP"])
def test_a_method_that_is_not_supported_cannot_choose(method):
    """Whatever of the engine's words the client says beside it."""
    client = client_of(CHOICE)
    public = client.begin()

    with pytest.raises(Exception, match="not supported"):
        client.answer(
            assertion(challenge_in(public)),
            {"signInMethod": method, "watchword_action": "answer", "watchword_choice": "passkey"},
        )


def test_the_password_first_is_asked_in_the_engines_language():
    """The client's own SRP goes on with steps that an application answers by its callback."""
    client = client_of(Flow(one_of(sequence(Srp(), Mail()), StandIn())))
    client.session += [
        {"challengeName": name, "challengeResult": True, "challengeMetadata": None}
        for name in ("SRP_A", "PASSWORD_VERIFIER")
    ]
    asked = client._created()

    assert "mail" == asked["step"]
    assert "challenge" not in asked


def test_everybody_is_asked_alike():
    """A name that nobody has, and one whose owner has no passkey: the same members, of the same form."""
    for flow in (ALONE, CHOICE):
        known, nobody = (Client(triggers_of(flow, dialect="passwordless"), user) for user in (ANN, {}))
        first, second = known.begin(), nobody.begin()
        assert first.keys() == second.keys()
        assert json.loads(first["fido2options"]).keys() == json.loads(second["fido2options"]).keys()
        assert "failure" == nobody.answer(assertion(challenge_in(second)))


def test_captured_events_are_read_as_the_triggers_read_them(tmp_path):
    """For the support desk: why a client was let in, or was not."""
    triggers = triggers_of(CHOICE, dialect="passwordless")
    client = Client(triggers)
    client.answer(assertion(challenge_in(client.begin())))
    private = client.created["privateChallengeParameters"]
    define = event("define", session=client.session, clientMetadata=FIDO2)
    verify = event("verify", privateChallengeParameters=private, challengeAnswer="x", clientMetadata=FIDO2)
    odd = verify | {"request": verify["request"] | {"clientMetadata": {"signInMethod": "MAGIC_LINK"}}}
    (tmp_path / "events.json").write_text(json.dumps([define, verify, odd]))
    read = read_events(tmp_path / "events.json", [CHOICE], find_dialect("passwordless", [CHOICE]))
    first, second, third = read
    (plain, *_) = read_events(tmp_path / "events.json", [CHOICE])

    assert IssueTokens() == evaluate(first.request, (CHOICE,)).decision
    assert IssueTokens() != evaluate(plain.request, (CHOICE,)).decision
    assert ("passkey", "") == (second.tried.offered, third.tried.offered)


def test_a_function_that_only_defines_loads_nothing_of_the_engine():
    """The words are read by a file that imports nothing."""
    script = (
        "import sys; from kit.passkeys import StandIn; from watchword import Flow; from watchword_adapters.aws_lambda import triggers;"
        "triggers(Flow(StandIn()), dialect='passwordless', environment={'AWS_LAMBDA_FUNCTION_NAME': 'f', '_HANDLER': 'app.define'});"
        "heavy = {each for each in sys.modules if each.startswith(('watchword.runtime', 'watchword.analysis', 'boto3', 'jwt'))};"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=TESTS)


def test_a_function_without_a_dialect_holds_none():
    """A build follows imports: nobody ships the words of a client that nobody speaks to, nor what an API needs."""
    needed = follow(["watchword_adapters.aws_lambda"])

    assert [] == [name for name in needed.files if "/dialects/" in name or "/rest/" in name or "_api/" in name]
    assert {"jwt", "cryptography"}.isdisjoint(needed.packages)


def test_an_unknown_dialect_is_refused():
    """The message lists the dialects."""
    with pytest.raises(ConfigurationError, match="'klingon': there is passwordless"):
        triggers_of(ALONE, dialect="klingon")
