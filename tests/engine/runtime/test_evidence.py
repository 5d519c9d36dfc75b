"""Evidence: what a sign-in passed is told for a minute, to its own pool, app client and user; what is doubtful is absent."""

import re
from itertools import count
from typing import ClassVar

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY, DeadLedger, Host, Mail, Puzzle, Riddle, world
from kit.fobs import Fob
from kit.offering_flows import Card
from watchword import (
    ConfigurationError,
    FailAuthentication,
    Flow,
    IssueTokens,
    Limits,
    UnavailableError,
    Verdict,
    at_least,
    attribute,
    enrol,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.evaluation import evaluate
from watchword.contract import Limit, powers_of
from watchword.contract.kinds import User
from watchword.runtime.sign_ins.evidence import EVIDENCE_LIFETIME, Evidence, methods_of
from watchword.runtime.wire import read_private_parameters
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.srp import Srp

BOB = {"sub": "22222222-2222-4333-8444-555555555555"}


@frozen
class Word(Riddle):
    """A riddle that gives a word to tokens."""

    kind: ClassVar[str] = "word"
    methods: ClassVar[tuple[str, ...]] = ("word",)


@frozen
class Letter(Mail):
    """A message that does so."""

    kind: ClassVar[str] = "letter"
    methods: ClassVar[tuple[str, ...]] = ("otp", "email")


@frozen
class Idle(Puzzle):
    """A puzzle whose author claims a word for it all the same."""

    kind: ClassVar[str] = "idle"
    methods: ClassVar[tuple[str, ...]] = ("idle",)


FLOW = Flow(sequence(Word(), Letter()), name="two")


class Watched(MemoryLedger):
    """A ledger that notes what is put, and fails where told."""

    def __init__(self):
        super().__init__()
        self.puts, self.failing = [], ""

    def put(self, key, value, *, expires, within):
        if self.failing and self.failing in key:
            raise UnavailableError("the ledger is down")
        self.puts.append((key, value, expires))
        super().put(key, value, expires=expires, within=within)

    @property
    def kept(self):
        """What was put as evidence."""
        return [each for each in self.puts if each[0].startswith("evidence")]


def hosted(flow=FLOW, *, user=None, within=None, **settings):
    """Return a host of *flow* that keeps evidence; *within* another host's world."""
    there = within.world if within else world(flow, ledger=Watched(), keeps_evidence=True, **settings)
    return Host(there, user or User("ann", ANN))


def begun(host):
    """Begin; the client says from now on what sign-in it is in. Return the first challenge."""
    created = host.next()
    host.says["watchword_signin"] = created.public["signin"]
    return created


def passed(host):
    """Pass the flow of two steps; return the last decision."""
    begun(host)
    host.answers("fish")
    return host.answers(host.world.post.code)


def told(host, **other):
    """Return what tokens of *host*'s user could tell, or of the one that *other* fields of the request name."""
    return host.world.engine.find_evidence(evolve(host.request(), **other))


def test_the_tokens_of_a_passed_sign_in_tell_what_was_passed():
    """The words in order, ``mfa`` for two factors, the flow, and when the last answer was given."""
    host = hosted()
    assert IssueTokens() == passed(host)
    at = int(host.world.clock.now())
    assert Evidence(("word", "otp", "email", "mfa"), "two", FLOW.fingerprint, at) == told(host)


def test_every_challenge_of_a_sign_in_names_it_alike():
    """32 hexadecimal digits, which are neither the id in the metadata nor in the message."""
    host = hosted()
    first = begun(host)
    second = host.answers("fish")
    assert first.public["signin"] == second.public["signin"]
    assert re.fullmatch("[0-9a-f]{32}", first.public["signin"])
    assert first.public["signin"] not in first.metadata + second.metadata + host.world.post.sent[0].text
    assert first.public["signin"] not in first.private.values()


def test_somebody_unknown_is_named_a_sign_in_too():
    """The challenge tells nobody who exists; nothing is ever kept."""
    host = hosted(Flow(Puzzle()), user=User("zoe", {}, known=False))
    begun(host)
    host.answers("fish")
    assert [] == host.world.ledger.kept
    assert told(host) is None


def test_a_host_that_keeps_none_names_no_sign_in_and_writes_nothing():
    """Nobody pays for what nobody reads."""
    host = Host(world(FLOW, ledger=Watched()), User("ann", ANN))
    assert "signin" not in host.next().public
    host.says["watchword_signin"] = "0" * 32
    host.answers("fish")
    assert IssueTokens() == host.answers(host.world.post.code)
    assert [] == host.world.ledger.kept


@pytest.mark.parametrize("said", [None, "", "x", "0" * 31, "0" * 33, "G" * 32, "\u0660" * 32, "A" * 32])
def test_a_client_that_says_no_sign_in_pays_for_none(said):
    """Without a word of it, or with something that never was one, nothing is written, and nothing is told."""
    host = hosted()
    begun(host)
    host.says["watchword_signin"] = said
    host.answers("fish")
    assert IssueTokens() == host.answers(host.world.post.code)
    assert [] == host.world.ledger.kept
    assert told(host) is None


def test_nothing_is_told_before_the_flow_is_passed():
    """Neither at the begin, nor behind the first of two factors, nor after a wrong answer."""
    host = hosted()
    begun(host)
    assert told(host) is None
    host.answers("fish")
    assert told(host) is None
    host.answers("00000000")
    assert told(host) is None
    assert [] == host.world.ledger.kept
    assert ["unknown"] * 3 == [
        each.detail["reason"] for each in host.world.events.events if each.name == "authn_evidence_refused"
    ]


@pytest.mark.parametrize(
    "other", [{"pool": "pool_2"}, {"client": "another"}, {"user": User("bob", BOB)}], ids=["pool", "client", "user"]
)
def test_evidence_is_of_one_pool_client_and_user(other):
    """Whoever else knows the sign-in is told nothing, and the audit knows why."""
    host = hosted()
    passed(host)
    assert told(host, **other) is None
    assert "not_its_own" == host.world.events.events[-1].detail["reason"]
    assert told(host) is not None


def test_evidence_is_told_for_a_minute():
    """The host issues tokens in the call of the last answer, and may ask again."""
    host = hosted()
    passed(host)
    host.world.clock.advance(EVIDENCE_LIFETIME - 0.001)
    assert told(host) == told(host) is not None
    host.world.clock.advance(0.001)
    assert told(host) is None


def test_a_repeated_answer_writes_the_same():
    """The time is that of the first call, however late the last one is."""
    host = hosted()
    begun(host)
    host.answers("fish")
    code = host.world.post.code
    assert Verdict(right=True) == host.verify(code)
    first = told(host)
    host.world.clock.advance(10)
    assert Verdict(right=True) == host.verify(code)
    assert first == told(host)


def test_a_ledger_that_fails_costs_the_evidence_alone():
    """The answer is right, and the operator is told."""
    host = hosted()
    host.world.ledger.failing = "evidence"
    assert IssueTokens() == passed(host)
    assert told(host) is None
    assert "sys_evidence_failed" in host.world.events.names()


def test_a_call_without_time_for_it_keeps_none():
    """Half a second of the deadline is left to the answer itself."""
    host = hosted()
    begun(host)
    host.answers("fish")
    consume = host.world.ledger.consume

    def slow(*given, **named):
        host.world.clock.advance(3.1)
        return consume(*given, **named)

    host.world.ledger.consume = slow
    assert Verdict(right=True) == host.verify(host.world.post.code)
    assert [] == host.world.ledger.kept
    assert "sys_evidence_failed" in host.world.events.names()


class Death(BaseException):
    """The process is gone."""


class Mortal:
    """A ledger whose caller dies at the call of number *place*, before it is carried out or *after*."""

    reach = "everywhere"

    def __init__(self):
        self.inner, self.place, self.after = MemoryLedger(), -1, False

    def __getattr__(self, name):
        def call(*given, **named):
            self.place -= 1
            if self.place == -1 and not self.after:
                raise Death
            answer = getattr(self.inner, name)(*given, **named)
            if self.place == -1:
                raise Death
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
def test_whoever_dies_on_the_way_has_told_all_or_nothing(after):
    """Killed at any call of the last Verify: the repeat is right, and what is told then is what was passed."""
    for place in count():
        host = Host(world(FLOW, ledger=Mortal(), keeps_evidence=True), User("ann", ANN))
        begun(host)
        host.answers("fish")
        ledger, code, died = host.world.ledger, host.world.post.code, False
        ledger.place, ledger.after = place, after
        try:
            host.verify(code)
        except Death:
            died = True
        ledger.place = -1
        before = told(host)
        assert Verdict(right=True) == host.verify(code)
        assert ("word", "otp", "email", "mfa") == told(host).methods
        assert before in (None, told(host))
        if not died:
            assert place >= 3  # charge, consume, put
            return


def test_a_dead_ledger_is_no_error_where_tokens_are_made():
    """Tokens tell nothing then, and the operator is told."""
    host = hosted()
    passed(host)
    dead = Host(world(FLOW, ledger=DeadLedger(), keeps_evidence=True), host.user, says=host.says)
    assert told(dead) is None
    assert ["sys_evidence_failed"] == dead.world.events.names()


def test_a_record_that_somebody_else_wrote_is_none():
    """Who can write into the ledger, and has no key, proves nothing; nor does a record under another sign-in's name."""
    host = hosted()
    passed(host)
    (key, value, expires), ledger = host.world.ledger.kept[0], host.world.ledger
    for forged in ("", "x", '[["hwk"], "two", "", 1]', value[:-1] + ("A" if value[-1] != "A" else "B")):
        ledger.put(key, forged, expires=expires, within=1)
        assert told(host) is None
    ledger.put(key, value, expires=expires, within=1)
    assert told(host) is not None


def test_a_record_under_the_name_of_another_sign_in_is_none():
    """Whoever moves it proves nothing by it: it is locked to the sign-in that it is of."""
    host = hosted()
    passed(host)
    ((_, value, expires),) = host.world.ledger.kept
    other = hosted(within=host)
    passed(other)
    other_key = host.world.ledger.kept[-1][0]
    host.world.ledger.put(other_key, value, expires=expires, within=1)
    assert told(other) is None


class TestAnotherSignIn:
    """The client says in one sign-in that it is in another."""

    def test_a_sign_in_that_is_not_over_is_told_of_by_none(self):
        """One that has passed the first of two factors proves nothing to the tokens of another."""
        further = hosted()
        begun(further)
        further.answers("fish")
        host = hosted(within=further)
        begun(host)
        host.says["watchword_signin"] = further.says["watchword_signin"]
        host.answers("fish")
        assert IssueTokens() == host.answers(host.world.post.code)
        assert told(host) is None

    @pytest.mark.parametrize("first", [True, False])
    def test_two_that_passed_make_each_other_doubtful(self, first):
        """Whichever is first: tokens of the one do not tell of the other, although both are the same user's."""
        strong = hosted(Flow(one_of(Word(), sequence(Letter(), named("more", Word()))), name="either"))
        weak = hosted(within=strong)

        def pass_strong():
            strong.answers("", choice="letter")
            strong.answers(strong.world.post.code)
            strong.answers("fish")

        begun(strong)
        weak.says["watchword_signin"] = strong.says["watchword_signin"]
        if first:
            pass_strong()
            assert told(strong) is not None
        weak.next()
        weak.answers("", choice="word")
        assert IssueTokens() == weak.answers("fish")
        if not first:
            pass_strong()
        assert told(weak) is None
        assert told(strong) is None
        assert "doubtful" == strong.world.events.events[-1].detail["reason"]

    def test_without_the_mark_the_answer_is_not_accepted(self):
        """Only a client that says what is not so meets this: it may repeat its answer."""
        host = hosted()
        begun(host)
        host.answers("fish")
        host.says["watchword_signin"] = "0" * 32
        host.world.ledger.failing = " void"
        with pytest.raises(UnavailableError):
            host.verify(host.world.post.code)
        host.world.ledger.failing = ""
        assert Verdict(right=True) == host.verify(host.world.post.code)
        assert 1 == len(host.world.ledger.kept)

    def test_a_wrong_answer_marks_nothing(self):
        """It leads to no tokens."""
        host = hosted()
        begun(host)
        host.says["watchword_signin"] = "0" * 32
        host.answers("frog")
        assert [] == host.world.ledger.kept

    def test_any_right_answer_marks(self):
        """Also one that does not end the flow, as far as Create knew."""
        strong = hosted()
        passed(strong)
        weak = hosted(within=strong)
        begun(weak)
        weak.says["watchword_signin"] = strong.says["watchword_signin"]
        weak.answers("fish")
        assert told(strong) is None

    @pytest.mark.parametrize("last", ["PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED", "SMS_MFA"])
    def test_whoever_says_it_with_an_answer_that_the_host_judges_gets_no_tokens(self, last):
        """No Verify hears it, so Define, which has no storage, ends the sign-in: a password is no second factor of another sign-in."""
        strong = hosted(
            Flow(sequence(Srp(), when(attribute("mfa", "1"), Letter()))), user=User("ann", ANN | {"mfa": "1"})
        )
        strong.next()
        strong.host_round("SRP_A")
        strong.says["watchword_signin"] = strong.host_round("PASSWORD_VERIFIER").public["signin"]
        assert IssueTokens() == strong.answers(strong.world.post.code)
        weak = hosted(within=strong)
        weak.next()
        rounds = ["SRP_A", "PASSWORD_VERIFIER", *([last] if last != "PASSWORD_VERIFIER" else [])]
        for name in rounds[:-1]:
            weak.host_round(name)
        weak.says["watchword_signin"] = strong.says["watchword_signin"]
        assert FailAuthentication("foreign_sign_in") == weak.host_round(rounds[-1])
        assert "foreign_sign_in" == strong.world.events.events[-1].detail["reason"]
        assert told(strong) is not None


class TestWords:
    """Which words tokens get."""

    def test_a_password_is_pwd(self):
        """The host compares it, and Create finds the round in the session."""
        host = hosted(Flow(sequence(Srp(), Letter())))
        host.session.clear()
        host.next()
        host.host_round("SRP_A")
        challenge = host.host_round("PASSWORD_VERIFIER")
        host.says["watchword_signin"] = challenge.public["signin"]
        assert IssueTokens() == host.answers(host.world.post.code)
        assert ("pwd", "otp", "email", "mfa") == told(host).methods

    def test_a_flow_that_ends_with_a_round_of_the_host_tells_nothing(self):
        """No Verify of ours comes after it, so nobody has noted anything: what is doubtful is absent."""
        host = hosted(Flow(Srp()))
        host.next()
        host.host_round("SRP_A")
        assert IssueTokens() == host.host_round("PASSWORD_VERIFIER")
        assert told(host) is None

    def test_what_proves_nothing_gives_no_word(self):
        """Whatever its author claims."""
        host = hosted(Flow(sequence(Word(), Idle())))
        begun(host)
        host.answers("fish")
        host.answers("fish")
        assert ("word",) == told(host).methods

    def test_an_enrolment_gives_no_word(self):
        """It ends the flow, and proves nothing."""

        @frozen
        class Tag(Fob):
            kind: ClassVar[str] = "tag"
            methods: ClassVar[tuple[str, ...]] = ("tag",)

        host = hosted(Flow(sequence(Word(), enrol(Tag()))), credentials=MemoryCredentials())
        begun(host)
        challenge = host.answers("fish")
        assert IssueTokens() == host.answers(challenge.public["word"])
        assert ("word",) == told(host).methods

    def test_two_steps_of_one_factor_are_no_mfa(self):
        """And a word is told once."""
        flow = Flow(sequence(Word(), named("again", Word())))
        assert ("word",) == methods_of(flow, ("word", "again"))
        assert () == methods_of(flow, ("nowhere",))

    def test_a_step_of_two_factors_is_mfa(self):
        """As a passkey that verifies its user is."""

        @frozen
        class Key(Word):
            kind: ClassVar[str] = "key"
            proves: ClassVar[frozenset[str]] = frozenset({"possession", "knowledge"})

        assert ("word", "mfa") == methods_of(Flow(Key()), ("key",))

    @pytest.mark.parametrize(
        "words", ["otp", ["otp"], ("mfa",), ("pwd",), ("Otp",), ("",), ("a b",), ("x" * 33,), (1,)]
    )
    def test_a_kind_says_words_of_its_own(self, words):
        """``mfa`` and ``pwd`` are for the engine to say."""
        kind = type("Odd", (Word,), {"methods": words, "kind": "odd"})
        with pytest.raises(ConfigurationError, match="methods"):
            powers_of(kind())

    def test_the_kinds_that_come_along_say_theirs(self):
        """Each is exact: nobody can tell without an attestation that a key is in hardware."""
        from watchword_plugins.email_otp import EmailOtp
        from watchword_plugins.passkey import Passkey
        from watchword_plugins.recovery_codes import RecoveryCodes
        from watchword_plugins.sms_otp import SmsOtp
        from watchword_plugins.totp import Totp

        said = {
            "email_otp": EmailOtp(),
            "sms_otp": SmsOtp(countries=("+49",)),
            "totp": Totp(),
            "recovery_codes": RecoveryCodes(),
            "passkey": Passkey(rp_id="example.com", origins=("https://example.com",)),
        }
        assert {
            "email_otp": ("otp", "email"),
            "sms_otp": ("otp", "sms"),
            "totp": ("otp",),
            "recovery_codes": ("recovery",),
            "passkey": ("pop", "user"),
        } == {name: powers_of(kind).methods for name, kind in said.items()}


def test_a_step_that_cannot_be_asked_ends_nothing():
    """No answer to it is right."""

    class Down:
        channel = "email"
        floor = 0.0

        def send(self, message, within):
            raise UnavailableError("down", undelivered=True)

    host = hosted(Flow(fallback(Letter(), Word())), post=Down())
    created = begun(host)
    parameters, _ = read_private_parameters(created.private)
    assert ("unasked", ()) == (parameters.kind, parameters.ends)


@st.composite
def drawn_flows(draw):
    """Draw a flow of steps that can be passed, in nested blocks."""
    numbers = count(1)

    def block(depth):
        word = draw(
            st.sampled_from(["step", "sequence", "one_of", "at_least", "fallback", "when"] if depth else ["step"])
        )
        if word == "step":
            return named(f"s{next(numbers)}", draw(st.sampled_from([Word, Idle, Card, Letter, Riddle]))(attempts=2))
        parts = [block(depth - 1) for _ in range(draw(st.integers(2, 3)))]
        if word == "when":
            return when(attribute("custom:tier", draw(st.sampled_from(["gold", "tin"]))), parts[0], parts[1])
        if word == "at_least":
            return at_least(draw(st.integers(1, len(parts))), *parts)
        return {"sequence": sequence, "one_of": one_of, "fallback": fallback}[word](*parts)

    inner = block(2)
    by_password = draw(st.booleans())
    limits = Limits(messages=(Limit(1000, 900),))
    return Flow(sequence(Srp(), inner) if by_password else inner, limits=limits), by_password


@given(data=st.data(), drawn=drawn_flows())
def test_tokens_tell_what_was_passed_and_only_once_it_was(data, drawn):
    """In every flow, after every round: nothing until Define issues tokens, then the words of the rounds that were right."""
    flow, by_password = drawn
    host = hosted(flow, user=User("ann", {**ANN, "custom:tier": "gold"}))
    if by_password:
        host.host_round("SRP_A")
    comes = host.host_round("PASSWORD_VERIFIER") if by_password else host.next()
    for _ in range(30):
        if not hasattr(comes, "public"):
            break
        host.says.setdefault("watchword_signin", comes.public["signin"])
        assert told(host) is None
        public, answer = comes.public, data.draw(st.sampled_from(["fish", "fish", "fish", "no"]))
        if public["kind"] == "letter" and answer == "fish":
            answer = host.world.post.code
        if public["kind"] == derivative.SELECT:
            choice = data.draw(st.sampled_from(public["choices"].split(",")))
            comes = host.answers(answer, data.draw(st.sampled_from([None, "answer"])), choice)
        else:
            comes = host.answers(answer)
        if comes == IssueTokens():
            evaluation = evaluate(host.request(), host.world.engine.flows)
            assert methods_of(flow, evaluation.passed) == told(host).methods
            assert by_password == ("pwd" in told(host).methods)
        else:
            assert told(host) is None


def test_a_sign_in_of_another_key_is_another():
    """What the client is told hangs on the root key."""
    one, other = (
        Host(world(FLOW, key=key, random=None, keeps_evidence=True), User("ann", ANN)) for key in (KEY, KEY[::-1])
    )
    assert begun(one).public["signin"] != begun(other).public["signin"]
