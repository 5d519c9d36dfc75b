"""Enrolment outside a sign-in: what a handle is good for, how many answers it takes, and that nothing is half-enrolled."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.engine_host import ANN, OLD_KEY, DeadLedger, Riddle, world
from kit.fobs import Badge, Fob
from watchword import (
    ConfigurationError,
    Flow,
    ProtocolError,
    UnavailableError,
    User,
    Verdict,
    enrol,
    enrolled,
    sequence,
    unlock,
    when,
)
from watchword.contract.credentials import MAX_CREDENTIALS, Credential, Enrolment, NewCredential
from watchword.contract.ports import LEASE, Limit
from watchword.errors import TryLaterError
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment, name_behind
from watchword.runtime.credentials.pending import find_pending
from watchword.runtime.keyring import Keyring
from watchword.runtime.wire import claim_time
from watchword_adapters.credentials import MemoryCredentials

FLOW = Flow(sequence(Riddle(), Fob(), Badge()))
ann = User("ann", ANN)
ZOE = User("zoe", {"sub": "99999999-2222-4333-8444-555555555555"})
POOL, CLIENT = "pool_1", "client"


def here(flow=FLOW, **settings):
    """A world with a store of credentials."""
    return world(flow, credentials=settings.pop("credentials", None) or MemoryCredentials(), **settings)


def begin(at, kind="fob", user=ann, client=CLIENT):
    return begin_enrolment(at.engine, POOL, client, user, kind)


def complete(at, handle, answer, user=ann, *, client=CLIENT, pool=POOL, **more):
    return complete_enrolment(at.engine, pool, client, user, handle, answer, **more)


def owned(at, user=ann):
    return at.engine.credentials.list(f"{POOL}#{user.attributes['sub']}", within=1)


def test_a_right_answer_enrols():
    """The credential has what the kind invented, and what the engine adds."""
    at = here()
    begun = begin(at)
    done = complete(at, begun.handle, begun.public["word"], label="Phone")
    assert done
    (stored,) = owned(at)
    assert stored == done.credential
    assert ("fob", "Phone", int(at.clock.now()), 0) == (stored.kind, stored.label, stored.created, stored.used)
    assert {} == begun.private == begun.carry
    event = at.events.events[-1]
    assert ("user_updated", {"action": "credential_added", "kind": "fob"}) == (event.name, dict(event.detail))
    assert done.ref == event.ref


def test_a_step_that_enrols_in_the_flow_can_be_enrolled_for_outside_too():
    """The kind is found inside `enrol`."""
    at = here(Flow(sequence(Riddle(), enrol(Fob()))))
    begun = begin(at)
    assert complete(at, begun.handle, begun.public["word"])


@frozen
class Inscribed(Fob):
    """A fob that shows whose it is."""

    issuer: str = ""

    def begin(self, request):
        """Show the issuer."""
        return Enrolment({**super().begin(request).public, "issuer": self.issuer})


@pytest.mark.parametrize(
    "behind",
    [
        when(enrolled("fob"), Inscribed(), otherwise=enrol(Inscribed(issuer="Acme"))),
        sequence(enrol(Inscribed(issuer="Acme")), Inscribed()),
        Inscribed(issuer="Acme"),
    ],
    ids=["asked first", "enrolled first", "only asked"],
)
def test_users_see_the_same_in_an_enrolment_outside_as_in_the_sign_in(behind):
    """The settings are those of the step that enrols, wherever it stands; without one, those of the step that asks."""
    assert "Acme" == begin(here(Flow(sequence(Riddle(), behind)))).public["issuer"]


@pytest.mark.parametrize("kind", ["riddle", "unheard_of", "", "select", None])
def test_who_names_a_kind_that_nobody_enrols_for_begins_nothing(kind):
    """It is the caller's fault, whether the flow has it or not. The error says for which kinds users enrol."""
    named = repr(kind) if isinstance(kind, str) else "a kind of type NoneType"
    with pytest.raises(ProtocolError, match=re.escape(f"{named} by the flow 'flow'; they do for badge, fob")):
        begin(here(), kind)
    with pytest.raises(ProtocolError, match="no kind of its steps can be enrolled"):
        begin(here(Flow(Riddle())), kind)


def test_somebody_unknown_begins_nothing():
    """A made-up id never owns anything."""
    at = here()
    with pytest.raises(ProtocolError):
        begin(at, user=User("nobody", known=False))
    begun = begin(at)
    assert "expired" == complete(at, begun.handle, begun.public["word"], user=User("ann", known=False)).reason


def test_a_wrong_answer_enrols_nothing_and_leaves_the_rest_of_the_tries():
    """Its reason is the kind's own word in the audit only."""
    at = here()
    begun = begin(at)
    refused = complete(at, begun.handle, "no")
    assert not refused
    assert "wrong" == refused.reason
    assert ("authn_enrolment_fail", {"kind": "fob", "reason": "other_word"}) == (
        at.events.events[-1].name,
        dict(at.events.events[-1].detail),
    )
    assert () == owned(at)
    assert complete(at, begun.handle, begun.public["word"])


def test_five_different_answers_are_compared_and_no_sixth():
    """The same answer again is free, however often it comes."""
    at = here()
    begun = begin(at)
    for answer in ("1", "2", "2", "3", "4", "4", "5"):
        assert "wrong" == complete(at, begun.handle, answer).reason
    assert "guesses_used_up" == complete(at, begun.handle, begun.public["word"]).reason
    assert "wrong" == complete(at, begun.handle, "5").reason
    assert () == owned(at)


def test_five_of_fifty_answers_at_once_are_compared():
    """The count is atomic."""
    asked = []

    @frozen
    class Counting(Fob):
        def complete(self, request):
            asked.append(request.answer)
            return Verdict(right=False)

    at = here(Flow(sequence(Riddle(), Counting())))
    begun = begin(at)
    with ThreadPoolExecutor(10) as pool:
        reasons = list(pool.map(lambda n: complete(at, begun.handle, str(n)).reason, range(50)))
    assert 5 == len(asked) == reasons.count("wrong")


def test_an_answer_may_be_as_long_as_the_kind_says():
    """1,024 characters, or as many as it says, up to 16,384."""
    for longest in (1024, 16_384):

        class Long(Fob):
            longest_answer: ClassVar[int] = longest

            def complete(self, request):
                return NewCredential(request.id)

        at = here(Flow(sequence(Riddle(), Long())))
        begun = begin(at)
        assert "wrong" == complete(at, begun.handle, "x" * (longest + 1)).reason
        assert complete(at, begun.handle, "x" * longest)


@pytest.mark.parametrize("answer", [None, 7, b"x", ["a"], "x" * 1025])
def test_what_is_no_answer_is_wrong_and_costs_nothing(answer):
    """The kind never sees it."""
    at = here()
    begun = begin(at)
    for _ in range(7):
        assert "wrong" == complete(at, begun.handle, answer).reason
    assert "malformed" == at.events.events[-1].detail["reason"]
    assert complete(at, begun.handle, begun.public["word"])


def test_a_handle_is_good_for_ten_minutes():
    """At their end it is unknown."""
    at = here()
    begun, late = begin(at), begin(at)
    at.clock.advance(599)
    assert complete(at, begun.handle, begun.public["word"])
    at.clock.advance(1)
    assert "expired" == complete(at, late.handle, late.public["word"]).reason


def test_a_handle_of_another_is_as_unknown_as_an_old_one():
    """Another user, client, pool or kind, and what is no handle: one reply for all, and the handle stays good."""
    at = here()
    begun = begin(at)
    word = begun.public["word"]
    replies = [
        complete(at, begun.handle, word, user=ZOE),
        complete(at, begun.handle, word, client="other"),
        complete(at, begun.handle, word, pool="pool_2"),
        complete(at, begun.handle, word, kind="badge"),
        *(complete(at, handle, word) for handle in ("", "x" * 43, "x" * 5000, None, 7, "\udc80", begun.handle + "=")),
    ]
    assert {("expired", "")} == {(each.reason, each.ref) for each in replies}
    assert () == owned(at) == owned(at, ZOE)
    assert complete(at, begun.handle, word, kind="fob")


def test_a_ledger_that_keeps_too_long_makes_no_handle_last_longer():
    """The time is in the state too."""
    at = here()
    begun, began = begin(at), at.clock.now()

    class Keeping:
        reach = "everywhere"

        def __getattr__(self, name):
            if name == "peek":
                return lambda key, *, now, within: at.ledger.peek(key, now=began, within=within)
            return getattr(at.ledger, name)

    keeping = evolve(at.engine, ledger=Keeping())
    at.clock.advance(599)
    assert "ann" == name_behind(keeping, POOL, CLIENT, begun.handle)
    for seconds in (1, 1, 1000):
        at.clock.advance(seconds)
        assert name_behind(keeping, POOL, CLIENT, begun.handle) is None
        assert "expired" == complete_enrolment(keeping, POOL, CLIENT, ann, begun.handle, "x").reason


def test_what_is_pending_shows_no_secret():
    """In a log or a traceback."""
    at = here()
    shown = repr(find_pending(at.engine, (POOL, CLIENT), begin(at, user=User("a name", ANN)).handle, within=1))
    assert "PendingEnrolment(owner=" in shown
    assert "root" not in shown
    assert "a name" not in shown


def test_a_round_is_of_one_enrolment_and_one_answer():
    """16 digits of the one and 32 of the other; the claim says when the enrolment began, and which key made it."""
    at = here()
    pending = [find_pending(at.engine, (POOL, CLIENT), begin(at).handle, within=1) for _ in range(2)]
    rounds = {each.round(each.digest(answer)) for each in pending for answer in ("1", "2")}
    assert {48} == set(map(len, rounds))
    assert 4 == len(rounds)
    for each in pending:
        assert (48, int(at.clock.now())) == (len(each.claim), claim_time(each.claim))
        assert 16 == len(each.round())


def test_a_label_may_have_64_characters():
    """And none more."""
    at = here()
    begun = begin(at)
    assert complete(at, begun.handle, begun.public["word"], label="x" * 64)


def test_a_key_that_has_left_ends_the_enrolment():
    """What was locked with it cannot be read."""
    at = here(key=[bytes(range(50, 82)), OLD_KEY])
    begun = begin(at)
    rotated = evolve(at.engine, keyring=Keyring.of([bytes(range(60, 92)), OLD_KEY]))
    assert "expired" == complete_enrolment(rotated, POOL, CLIENT, ann, begun.handle, begun.public["word"]).reason


def test_what_somebody_wrote_into_the_ledger_is_no_enrolment():
    """Who writes there has no key."""
    at = here()
    begun = begin(at)
    (key,) = [key for key in at.ledger._values.records if key.startswith("enrolment:")]
    assert begun.handle not in key
    kept = at.ledger.peek(key, now=at.clock.now(), within=1)
    assert begun.public["word"] not in kept
    for forged in ("", "nonsense", kept[:-8] + "AAAAAAA=", "00000000" + kept[8:]):
        at.ledger.put(key, forged, expires=at.clock.now() + 60, within=1)
        assert "expired" == complete(at, begun.handle, begun.public["word"]).reason


def test_a_repeat_after_success_reads_the_same_success():
    """The kind is not asked again, and nothing is written: not even after the credential was removed."""
    at = here()
    begun = begin(at)
    word = begun.public["word"]
    first = complete(at, begun.handle, word, label="Phone")
    again = complete(at, begun.handle, word, label="Phone")
    assert (first.credential.id, "Phone", first.ref) == (again.credential.id, again.credential.label, again.ref)
    for other in map(str, range(9)):  # whatever their digests are
        assert "used_before" == complete(at, begun.handle, other).reason
    at.engine.credentials.remove(first.credential.owner, "fob", first.credential.id, within=1)
    assert complete(at, begun.handle, word)
    assert () == owned(at)
    assert 1 == at.events.names().count("user_updated")


@pytest.mark.parametrize("crashed", [False, True])
def test_one_enrolment_gives_one_credential(crashed):
    """Answered at once with several that are all right, one is written; later no other is, nor by the engine's own id."""
    at = here(Flow(sequence(Riddle(), Fob(), Badge(), Easy())))
    begun = begin(at, "easy")
    if crashed:  # the mark that it is completed is never written
        at = evolve(at, engine=evolve(at.engine, ledger=Mended(at.ledger, "put", after=False, times=9)))
    assert complete(at, begun.handle, "1")
    assert "used_before" == complete(at, begun.handle, "2").reason
    assert complete(at, begun.handle, "1")
    assert 1 == len(owned(at))


class Easy(Fob):
    """A kind for which every answer is right."""

    kind: ClassVar[str] = "easy"

    def complete(self, request):
        return NewCredential(request.id)


def test_of_many_right_answers_at_once_one_enrols():
    """Each would bring a credential of its own."""
    at = here()
    begun = begin(at, "badge")
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda n: complete(at, begun.handle, f"badge-{n}"), range(5)))
    assert 1 == len(owned(at))
    assert owned(at)[0].id in {each.credential.id for each in done if each}
    assert {"used_before"} == {each.reason for each in done if not each}
    assert "used_before" == complete(at, begun.handle, "badge-9").reason
    assert 1 == at.events.names().count("user_updated")


class Mended:
    """A ledger or a store in the way to another, of which one call fails: before or after it does its work."""

    def __init__(self, real, method, *, after, times=1):
        self.real, self.method, self.after, self.left = real, method, after, times

    reach = "everywhere"

    def __getattr__(self, name):
        real = getattr(self.real, name)

        def call(*given, **named):
            if name != self.method or not self.left:
                return real(*given, **named)
            self.left -= 1
            if self.after:
                real(*given, **named)
            raise UnavailableError("it is down")

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["peek", "count", "list", "consume", "add", "put"])
@pytest.mark.parametrize("kind", ["fob", "badge"])
def test_a_call_that_fails_anywhere_enrols_once_when_it_is_repeated(kind, method, after):
    """Whatever fails, before or after its work: the same answer again reads right, and there is one credential."""
    at = here()
    begun = begin(at, kind)
    answer = begun.public.get("word", "badge-1")
    port = "credentials" if method in {"list", "add"} else "ledger"
    failing = evolve(at.engine, **{port: Mended(getattr(at.engine, port), method, after=after)})
    if method == "put":  # the mark, which is written last: without it the round tells
        assert complete_enrolment(failing, POOL, CLIENT, ann, begun.handle, answer)
    else:
        with pytest.raises(UnavailableError):
            complete_enrolment(failing, POOL, CLIENT, ann, begun.handle, answer)
    done = complete(at, begun.handle, answer)
    assert done
    assert [done.credential.id] == [each.id for each in owned(at)]


@pytest.mark.parametrize(("other", "reason"), [("1", ""), ("2", "used_before")])
def test_a_call_that_is_overtaken_writes_nothing_of_its_own(other, reason):
    """Between its reading and its writing another call completes the enrolment: by the same answer, or by another one."""
    at = here(Flow(sequence(Riddle(), Easy())))
    begun = begin(at, "easy")

    class Overtaken(MemoryCredentials):
        def add(self, *given, **named):
            assert complete(at, begun.handle, other)
            return at.engine.credentials.add(*given, **named)

        def list(self, *given, **named):
            return at.engine.credentials.list(*given, **named)

    slow = evolve(at.engine, credentials=Overtaken())
    assert reason == complete_enrolment(slow, POOL, CLIENT, ann, begun.handle, "1").reason
    assert 1 == len(owned(at))


def test_of_two_credentials_by_one_enrolment_one_is_written():
    """Both answers are right, and the other call comes first although this one began before it."""
    at = here()
    begun = begin(at, "badge")

    class Overtaken:
        reach = "everywhere"

        def __getattr__(self, name):
            if name == "consume":
                assert complete(at, begun.handle, "badge-2")
            return getattr(at.ledger, name)

    slow = evolve(at.engine, ledger=Overtaken())
    assert "used_before" == complete_enrolment(slow, POOL, CLIENT, ann, begun.handle, "badge-1").reason
    assert ["badge-2"] == [each.id for each in owned(at)]


@pytest.mark.parametrize("method", ["count", "put"])
def test_a_begin_that_fails_begins_nothing(method):
    """It is an outage."""
    at = here()
    with pytest.raises(UnavailableError):
        begin_enrolment(evolve(at.engine, ledger=DeadLedger()), POOL, CLIENT, ann, "fob")
    failing = evolve(at.engine, ledger=Mended(at.ledger, method, after=False))
    with pytest.raises(UnavailableError):
        begin_enrolment(failing, POOL, CLIENT, ann, "fob")


def test_twenty_enrolments_an_hour_may_be_begun():
    """Each is an entry of the ledger."""
    at = here()
    for _ in range(20):
        begin(at)
    with pytest.raises(TryLaterError):
        begin(at)
    begin(at, user=ZOE)
    assert "excess_rate_limit_exceeded" in at.events.names()
    at.clock.advance(3599)
    with pytest.raises(TryLaterError):
        begin(at)
    at.clock.advance(1)
    begin(at)


def test_a_user_who_is_unlocked_enrols_again():
    """Both what they begin and what they answer is counted anew."""
    at = here()
    begun = [begin(at) for _ in range(20)][-1]
    for number in range(5):
        complete(at, begun.handle, f"no {number}")
    assert "guesses_used_up" == complete(at, begun.handle, begun.public["word"]).reason
    engine = at.engine
    assert 2 == unlock(ann, pool=POOL, keyring=engine.keyring, ledger=engine.ledger, clock=engine.clock)
    begin(at)
    assert complete(at, begun.handle, begun.public["word"])


def test_one_kind_replaces_and_many_add_up_to_the_most():
    """A lost phone must not lock anybody out; nobody fills the store."""
    at = here()
    for _ in range(2):
        begun = begin(at)
        assert complete(at, begun.handle, begun.public["word"])
    assert 1 == len(owned(at))
    for number in range(MAX_CREDENTIALS - 1):
        owner = owned(at)[0].owner
        assert at.engine.credentials.add(
            Credential(f"b{number}", owner, "badge"), replace=False, most=MAX_CREDENTIALS, within=1
        )
    begun = begin(at, "badge")
    assert "too_many" == complete(at, begun.handle, "badge-x").reason
    assert MAX_CREDENTIALS == len(owned(at))


def test_a_credential_that_somebody_has_is_refused():
    """Ids are unique over all users."""
    at = here()
    theirs = begin(at, "badge", ZOE)
    assert complete(at, theirs.handle, "badge-1", user=ZOE)
    begun = begin(at, "badge")
    assert "known_credential" == complete(at, begun.handle, "badge-1").reason
    assert () == owned(at)


@pytest.mark.parametrize("label", [None, 7, "x" * 65, "a\nb", "\x00", "\udc80"])
def test_a_label_is_one_line(label):
    """What is none enrols nothing."""
    at = here()
    begun = begin(at)
    with pytest.raises(ProtocolError):
        complete(at, begun.handle, begun.public["word"], label=label)
    assert () == owned(at)


def test_what_begins_with_no_store_says_what_to_set():
    """The program's own fault."""
    at = world(FLOW)
    with pytest.raises(ConfigurationError, match="credentials="):
        begin(at)


class Odd(Fob):
    """A kind that does what it is told to."""

    kind: ClassVar[str] = "odd"

    def __init__(self, begins=None, completes=None):
        super().__init__()
        object.__setattr__(self, "begins", begins)
        object.__setattr__(self, "completes", completes)

    def begin(self, request):
        return self.begins() if self.begins else super().begin(request)

    def complete(self, request):
        return self.completes()


def raising(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    "begins",
    [
        lambda: None,
        lambda: Enrolment({"a": 1}),
        lambda: Enrolment({"step": "mine"}),
        lambda: Enrolment({}, private={"a": "x" * 5000}),
        raising(ValueError("secret")),
        raising(SystemExit()),
    ],
)
def test_a_kind_that_begins_wrongly_is_an_outage(begins):
    """It says nothing of what the kind raised."""
    at = here(Flow(sequence(Riddle(), Odd(begins))))
    with pytest.raises(UnavailableError) as raised:
        begin(at, "odd")
    assert "secret" not in str(raised.value)
    assert raised.value.undelivered
    assert "sys_kind_failed" in at.events.names()
    assert raised.value.ref == at.events.events[-1].ref


@pytest.mark.parametrize(
    "completes",
    [
        lambda: None,
        lambda: True,
        lambda: Verdict(right=True),
        lambda: Verdict(right="no"),
        lambda: NewCredential(""),
        lambda: NewCredential(7),
        lambda: NewCredential("x", label=7),
        lambda: NewCredential("x", {"a": 1}),
        raising(ValueError("secret")),
        raising(SystemExit()),
    ],
)
def test_a_kind_that_completes_wrongly_enrols_nothing(completes):
    """Whatever it returns or raises that is no new credential is a wrong answer."""
    at = here(Flow(sequence(Riddle(), Odd(completes=completes))))
    begun = begin(at, "odd")
    assert "wrong" == complete(at, begun.handle, "x").reason
    assert () == owned(at)
    assert "secret" not in str(at.events.events)


def test_a_kind_is_given_one_id_for_the_whole_enrolment():
    """32 hexadecimal digits, another one each time."""
    seen = []

    class Noting(Fob):
        def begin(self, request):
            seen.append(request.id)
            return super().begin(request)

        def complete(self, request):
            seen.append(request.id)
            return super().complete(request)

    at = here(Flow(sequence(Riddle(), Noting())))
    for _ in range(2):
        begun = begin(at)
        assert complete(at, begun.handle, begun.public["word"])
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in seen)
    assert [1, 1] == [len(set(seen[:2])), len(set(seen[2:]))]
    assert 2 == len(set(seen))


def test_what_is_written_down_outlives_the_enrolment():
    """For two leases more, in which a host may repeat a call; and no longer."""
    at = here()
    kept = {}

    class Noting:
        reach = "everywhere"

        def __getattr__(self, name):
            def call(*given, **named):
                kept.setdefault(name, named)
                return getattr(at.ledger, name)(*given, **named)

            return call

    began, begun = at.clock.now(), begin(at)
    at.clock.advance(60)
    noting = evolve(at.engine, ledger=Noting())
    assert complete_enrolment(noting, POOL, CLIENT, ann, begun.handle, begun.public["word"])
    assert 600 + 2 * LEASE == kept["consume"]["keep"] - began
    assert (Limit(5, 600 + 2 * LEASE),) == kept["count"]["limits"]
    assert began + 600 == kept["put"]["expires"]


def test_a_kind_that_cannot_judge_now_is_asked_again():
    """Its text, which may quote the answer, goes nowhere."""
    fail = [True]

    def work():
        if fail.pop():
            fail.append(False)
            raise UnavailableError("secret", reason="throttled")
        return NewCredential("x")

    at = here(Flow(sequence(Riddle(), Odd(completes=work))))
    begun = begin(at, "odd")
    with pytest.raises(UnavailableError) as raised:
        complete(at, begun.handle, "x")
    assert ("throttled", False) == (raised.value.reason, "secret" in str(raised.value))
    assert complete(at, begun.handle, "x")


def test_the_name_behind_a_handle():
    """For a host whose callers hold nothing but the handle."""
    at = here()
    begun = begin(at)
    assert "ann" == name_behind(at.engine, POOL, CLIENT, begun.handle)
    assert None is name_behind(at.engine, POOL, "other", begun.handle)
    assert None is name_behind(at.engine, POOL, CLIENT, "x")
