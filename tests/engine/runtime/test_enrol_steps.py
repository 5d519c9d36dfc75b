"""Steps that enrol, and what is enrolled as a condition: Create reads the store, Verify writes into it, each answer once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.broken_code import broken
from kit.engine_host import ANN, DeadLedger, Host, Puzzle, Riddle, world
from kit.fobs import Fob, Rings
from kit.random_flows import Password
from watchword import (
    Challenge,
    ConfigurationError,
    Flow,
    IssueTokens,
    Limits,
    UnavailableError,
    User,
    Verdict,
    enrol,
    enrolled,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import lowering
from watchword.algebra.blocks import Enrol, children, kinds_in, map_kinds
from watchword.algebra.derivative import read_metadata
from watchword.algebra.evaluation import AnswerRequest
from watchword.contract import Credential, Enrolment, NewCredential
from watchword.runtime import services, situation, verification
from watchword_adapters.credentials import MemoryCredentials

KNOWN = User("ann", ANN)
OWNER = f"pool_1#{ANN['sub']}"
SETS_UP = Flow(sequence(Riddle(), enrol(Fob())))
ASKS = Flow(sequence(Riddle(), when(enrolled("fob"), Fob(), named("other", Riddle()))))


def host_of(flow=SETS_UP, store=None, user=KNOWN, **settings):
    """A host whose user is about to be asked for the first step."""
    host = Host(world(flow, credentials=MemoryCredentials() if store is None else store, **settings), user)
    host.next()
    return host


def enrolling(flow=SETS_UP, store=None, **settings):
    """A host whose user has begun to enrol."""
    host = host_of(flow, store, **settings)
    host.answers("fish")
    return host


def stored(host):
    """What the user has enrolled."""
    return host.world.engine.credentials.list(OWNER, within=1.0)


class Counting(MemoryCredentials):
    """A store that counts its calls."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def list(self, owner, *, within):
        self.calls.append(("list", owner))
        return super().list(owner, within=within)

    def add(self, credential, *, replace, most, within):
        self.calls.append(("add", credential.owner))
        return super().add(credential, replace=replace, most=most, within=within)


# --- the step -------------------------------------------------------------------------------------------------------


def test_the_step_is_named_as_what_it_does():
    """Or as the author says; its kind stays what it is."""
    steps = Flow(sequence(Riddle(), enrol(Fob()), named("more", enrol(Rings())), Fob())).steps
    assert ["riddle", "enrol_fob", "more", "fob"] == list(steps)
    assert [False, True, True, False] == [each.enrols for each in steps.values()]
    assert ["riddle", "fob", "rings", "fob"] == [each.kind.kind for each in steps.values()]


def test_the_step_proves_nothing():
    """Whoever came so far can enrol; the kind itself proves what it does."""
    steps = Flow(sequence(Riddle(), enrol(Fob()), Fob())).steps
    assert frozenset() == steps["enrol_fob"].proves
    assert frozenset({"possession"}) == steps["fob"].proves == steps["enrol_fob"].kind.proves


@pytest.mark.parametrize("block", [enrol(Fob()), named("more", enrol(Fob()))], ids=["enrol", "named"])
def test_walkers_see_the_kind_inside(block):
    """And put another in its place."""
    assert (Fob(),) == kinds_in(block)
    changed = map_kinds(block, lambda kind: evolve(kind, attempts=1))
    assert (Fob(attempts=1),) == kinds_in(changed)
    assert type(block) is type(changed)
    assert Enrol(Fob(attempts=1)) in {changed, *children(changed)}


@pytest.mark.parametrize("kind", [sequence(Fob()), named("more", Fob()), enrol(Fob())], ids=repr)
def test_only_a_kind_is_enrolled(kind):
    """No other block."""
    with pytest.raises(ConfigurationError, match="enrol: only a kind of challenge can be enrolled"):
        enrol(kind)


def test_only_a_kind_that_enrols_is_enrolled():
    """The error names it, and what it lacks; a class, and what is no kind, are told as in any block."""
    with pytest.raises(
        ConfigurationError, match=r"enrol: the kind 'riddle' enrols nothing: it has no begin and complete"
    ):
        enrol(Riddle())
    with pytest.raises(ConfigurationError, match=r"enrol: Fob is a class: write Fob\(\)"):
        enrol(Fob)
    with pytest.raises(ConfigurationError, match="enrol: 3 is no block"):
        enrol(3)


@pytest.mark.parametrize(
    "block",
    [
        enrol(Fob()),
        sequence(Puzzle(), enrol(Fob())),
        one_of(Riddle(), enrol(Fob())),
        sequence(enrol(Fob()), enrol(Rings())),
    ],
    ids=["alone", "puzzle", "option", "twice"],
)
def test_a_factor_is_proven_before_anybody_enrols(block):
    """Otherwise strangers would enrol for a user; and enrolling proves nothing."""
    with pytest.raises(
        ConfigurationError, match=r"enrol\(Fob\(\)\): strangers would enrol for a user.*put a step that"
    ):
        Flow(block)


def test_to_enrol_is_another_flow_than_to_ask():
    """A sign-in under way is not taken for one of the other."""
    asks, enrols = Flow(sequence(Riddle(), named("more", Fob()))), Flow(sequence(Riddle(), named("more", enrol(Fob()))))
    assert asks.fingerprint != enrols.fingerprint


# --- Create ---------------------------------------------------------------------------------------------------------


def test_who_has_none_begins_an_enrolment():
    """The client is told so, and shown what the kind shows; nothing is stored yet."""
    host = enrolling()
    created = host.pending[0]
    assert ("enrol_fob", "fob", "1", 12) == (
        created.public["step"],
        created.public["kind"],
        created.public["enrol"],
        len(created.public["word"]),
    )
    assert () == stored(host)


def test_who_has_one_is_asked_for_it():
    """In the same step; nothing is begun, and the client is told nothing of an enrolment."""
    first = enrolling()
    word = first.pending[0].public["word"]
    assert IssueTokens() == first.answers(word)
    second = enrolling(store=first.world.engine.credentials)
    created = second.pending[0]
    assert "word" == created.public["ask"]
    assert created.public.keys().isdisjoint({"enrol", "word"})
    assert IssueTokens() == second.answers(word)
    assert 1 == len(stored(second))


def test_what_is_pending_is_nowhere_but_in_what_the_kind_shows():
    """Neither in private parameters nor in metadata, where each is read in the clear."""
    created = enrolling().pending[0]
    word = created.public["word"]
    assert word not in repr((created.private, created.metadata))
    assert "1" == created.private["enrols"]


def test_a_code_that_was_scanned_stays_good_after_a_wrong_answer():
    """The same id in all rounds of a sign-in, and another one in another sign-in; the kind's carry comes back."""
    host = enrolling()
    word = host.pending[0].public["word"]
    again = host.answers("no")
    assert word == again.public["word"]
    assert "wrong" == again.public["error"]
    assert read_metadata(again.metadata)["carry"]
    assert IssueTokens() == host.answers(word)
    assert word != enrolling().pending[0].public["word"]


@frozen
class Odd(Fob):
    """A kind whose methods give what they are told to give."""

    begun: object = None
    completed: object = None
    seen: ClassVar[list] = []

    cosmetic: ClassVar[frozenset[str]] = frozenset({"begun", "completed"})

    def begin(self, request):
        self.seen.append(request)
        if isinstance(self.begun, BaseException):
            raise self.begun
        return super().begin(request) if self.begun is None else self.begun

    def complete(self, request):
        self.seen.append(request)
        if isinstance(self.completed, BaseException):
            raise self.completed
        return super().complete(request) if self.completed is None else self.completed


@pytest.mark.parametrize(
    "begun",
    [
        RuntimeError("secret"),
        UnavailableError("secret"),
        "no enrolment",
        NewCredential("x"),
        Enrolment({"step": "x"}),
        Enrolment({"a": 1}),
        Enrolment(private={"seal": "x"}),
        Enrolment(carry={"a": "x" * 257}),
        Enrolment(carry={"": "1"}),
    ],
    ids=repr,
)
def test_what_a_kind_cannot_begin_ends_the_sign_in(begun):
    """As with a challenge that cannot be made: recorded, and nothing leaks."""
    host = host_of(Flow(sequence(Riddle(), enrol(Odd(begun=begun)))))
    with pytest.raises(UnavailableError) as error:
        host.answers("fish")
    assert "sys_kind_failed" in host.world.events.names()
    assert "secret" not in f"{error.value}{host.world.events.events}"


def test_a_kind_is_given_what_it_needs_to_begin_and_complete():
    """The user, the id, and whether this is another try."""
    Odd.seen.clear()
    host = enrolling(Flow(sequence(Riddle(), enrol(Odd()))))
    host.answers("no")
    begin, complete, again = Odd.seen
    assert {begin.id} == {complete.id, again.id}
    assert [False, True] == [begin.again, again.again]
    assert [{}, {"begun": "yes"}] == [dict(begin.carry), dict(again.carry)]
    assert (ANN["sub"], "enrol_fob", "no") == (complete.user.id, complete.step, complete.answer)
    assert {"root": begin.root_key} == dict(complete.private)
    assert 32 == len(begin.id)


def test_what_is_handed_on_stays_with_whom_it_is_for():
    """Of an enrolment to an enrolment, of a challenge to a challenge: the user may have enrolled, or removed it, in between."""
    store = MemoryCredentials()
    host = enrolling(Flow(sequence(Riddle(), enrol(Handing(attempts=9)))), store)
    assert "" == host.pending[0].public["got"]
    assert "begun" == host.answers("no").public["got"]
    store.add(Credential("mine", OWNER, "fob"), replace=False, most=20, within=1.0)
    assert "" == host.answers("no").public["got"]
    assert "made" == host.answers("no").public["got"]
    store.remove(OWNER, "fob", "mine", within=1.0)
    assert "" == host.answers("no").public["got"]


@frozen
class Handing(Fob):
    """A kind that shows what was handed on to it."""

    def create(self, request):
        return Challenge({"got": request.carry.get("by", "")}, carry={"by": "made"})

    def verify(self, request):
        return Verdict(right=False)

    def begin(self, request):
        return Enrolment(
            {"got": request.carry.get("by", "")}, private={"root": request.root_key}, carry={"by": "begun"}
        )


# --- Verify ---------------------------------------------------------------------------------------------------------


def test_a_right_answer_enrols():
    """Owner, kind, time and round are the engine's; id, label and state the kind's."""
    host = enrolling()
    created = host.pending[0]
    host.answers(created.public["word"])
    (credential,) = stored(host)
    root = created.private["root"]
    expected = Credential(
        credential.id,
        OWNER,
        "fob",
        "fob",
        int(host.world.clock.now()),
        state={"root": root},
        rounds=(created.private["round"],),
    )
    assert expected == credential


def test_a_wrong_answer_enrols_nothing():
    """And costs a try; when the tries are used up, the sign-in is over."""
    host = enrolling()
    for _ in range(2):
        host.answers("no")
    assert "tries_used_up" == host.answers("no").reason
    assert () == stored(host)


def test_a_repeat_reads_right_and_enrols_once():
    """The host repeats its call; another answer to the same round is wrong."""
    host = enrolling(store=Counting())
    word = host.pending[0].public["word"]
    assert [True] * 3 == [host.verify(word).right for _ in range(3)]
    assert not host.verify("no").right
    assert 1 == len(stored(host))
    assert 1 == [what for what, _ in host.world.engine.credentials.calls].count("add")


class Forgetful(MemoryCredentials):
    """A store that writes, and then loses the answer on the wire."""

    lost = 1

    def add(self, credential, *, replace, most, within):
        added = super().add(credential, replace=replace, most=most, within=within)
        if self.lost:
            self.lost -= 1
            raise UnavailableError("lost")
        return added


@pytest.mark.parametrize("kind", [Fob(), Rings()], ids=["one", "many"])
def test_killed_after_the_write_the_same_round_reads_right_again(kind):
    """Nothing is enrolled twice."""
    host = enrolling(Flow(sequence(Riddle(), enrol(kind))), Forgetful())
    word = host.pending[0].public["word"]
    with pytest.raises(UnavailableError):
        host.verify(word)
    assert IssueTokens() == host.answers(word)
    assert 1 == len(stored(host))


class Late(MemoryCredentials):
    """A store in which another call of the same round is quicker: it wrote between the reading and the writing."""

    def add(self, credential, *, replace, most, within):
        super().add(credential, replace=replace, most=most, within=within)
        return False


def test_another_call_of_the_same_round_that_was_quicker_counts():
    """The store says that the id is known, and it is by this round."""
    host = enrolling(store=Late())
    assert IssueTokens() == host.answers(host.pending[0].public["word"])


def test_many_calls_at_once_enrol_once():
    """The host gave up on some of them and calls again."""
    host = enrolling(Flow(sequence(Riddle(), enrol(Rings()))))
    word = host.pending[0].public["word"]
    with ThreadPoolExecutor(8) as pool:
        assert {True} == {each.right for each in pool.map(host.verify, [word] * 16)}
    assert 1 == len(stored(host))


def test_who_began_before_the_user_enrolled_does_not_take_the_place():
    """Two sign-ins begin to enrol; once the one has, the other is asked for that credential."""
    ours = enrolling()
    theirs = enrolling(store=ours.world.engine.credentials, ledger=ours.world.ledger)
    assert IssueTokens() == ours.answers(ours.pending[0].public["word"])
    asked = theirs.answers(theirs.pending[0].public["word"])
    assert "enrolled_before" == theirs.world.events.events[-1].detail["reason"]
    assert "enrol" not in asked.public
    assert IssueTokens() == theirs.answers(ours.pending[0].public["word"])
    assert 1 == len(stored(ours))


class Crowded(MemoryCredentials):
    """A store in which something is added between the reading and the writing of whoever adds."""

    def __init__(self, *meanwhile):
        super().__init__()
        self.meanwhile = list(meanwhile)

    def add(self, credential, *, replace, most, within):
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return super().add(credential, replace=replace, most=most, within=within)


@pytest.mark.parametrize("kind", [Fob(), Rings()], ids=["one", "many"])
def test_of_two_who_complete_at_once_one_enrols(kind):
    """Both have read that there is none; the other one is then asked for what is enrolled."""
    store = Crowded()
    flow = Flow(sequence(Riddle(), enrol(kind)))
    ours = enrolling(flow, store)
    theirs = enrolling(flow, store, ledger=ours.world.ledger)
    said = []
    store.meanwhile = [lambda: said.append(theirs.verify(theirs.pending[0].public["word"]).right)]
    asked = ours.answers(ours.pending[0].public["word"])
    assert [True] == said
    assert "enrolled_before" == ours.world.events.events[-1].detail["reason"]
    assert "enrol" not in asked.public
    assert IssueTokens() == ours.answers(theirs.pending[0].public["word"])
    assert 1 == len(stored(ours))


def test_what_is_added_of_another_kind_meanwhile_costs_nothing():
    """It is no reason to refuse: the answer is judged again."""
    store = Crowded()
    others = [Credential(f"other-{number}", OWNER, "badge") for number in range(3)]
    store.meanwhile = [
        lambda each=each: MemoryCredentials.add(store, each, replace=False, most=20, within=1.0) for each in others
    ]
    host = enrolling(store=store)
    assert IssueTokens() == host.answers(host.pending[0].public["word"])
    assert {"badge": 3, "fob": 1} == Counter(each.kind for each in stored(host))


def test_an_id_that_is_known_is_refused():
    """Such as a key that somebody else has enrolled: nothing is added, and the answer is wrong."""
    store = MemoryCredentials()
    store.add(Credential("taken", "pool_1#bob", "fob"), replace=False, most=20, within=1.0)
    host = enrolling(Flow(sequence(Riddle(), enrol(Odd(completed=NewCredential("taken"))))), store)
    assert not host.verify("any").right
    assert "known_credential" == host.world.events.events[-1].detail["reason"]
    assert () == stored(host)


def test_one_too_many_is_refused():
    """Twenty credentials a user."""
    store = MemoryCredentials()
    for number in range(20):
        store.add(Credential(f"id{number}", OWNER, "riddle"), replace=False, most=20, within=1.0)
    host = enrolling(store=store)
    assert not host.verify(host.pending[0].public["word"]).right
    assert 20 == len(stored(host))


@pytest.mark.parametrize(
    "completed",
    [
        RuntimeError("secret"),
        "right",
        True,
        Verdict(right=True),
        Verdict(right="yes"),
        NewCredential(""),
        NewCredential(7),
        NewCredential("x" * 1401),
        NewCredential("x", label=7),
        NewCredential("x", label="x" * 65),
    ],
    ids=repr,
)
def test_what_cannot_be_enrolled_is_a_wrong_answer(completed):
    """Nothing is written, and nothing is raised."""
    host = enrolling(Flow(sequence(Riddle(), enrol(Odd(completed=completed)))))
    assert not host.verify("any").right
    assert host.world.events.events[-1].detail["reason"].startswith(("kind_failed", "write_refused"))
    assert () == stored(host)


def test_a_kind_that_cannot_judge_now_is_asked_again():
    """The charge is taken back, and the round may be answered again."""
    kind = Odd(completed=UnavailableError("secret"))
    host = enrolling(Flow(sequence(Riddle(), enrol(kind))))
    with pytest.raises(UnavailableError, match="cannot judge answers now"):
        host.verify("any")


def test_without_a_store_nothing_is_enrolled():
    """A host that was set up wrongly says so when it begins, and lets nobody pass."""
    host = Host(world(SETS_UP), KNOWN)
    with pytest.raises(ConfigurationError, match="kind 'fob' remembers"):
        host.world.engine.prepare()
    host.next()
    host.answers("fish")
    with pytest.raises(UnavailableError):
        host.verify(host.pending[0].public["word"])


def test_nobody_unknown_enrols():
    """Whoever would hand Verify what was sealed for somebody unknown."""
    unknown = User("nobody", {}, known=False)
    stranger = Host(world(Flow(sequence(Puzzle(), Riddle(), enrol(Fob()))), credentials=Counting()), unknown)
    stranger.next()
    stranger.answers("fish")  # the riddle is never right for somebody unknown; the rounds are written here
    stranger.session[:] = [evolve(each, result=True) for each in stranger.session]
    stranger.answers("fish")
    stranger.session[-1] = evolve(stranger.session[-1], result=True)
    created = stranger.next()
    assert "1" == created.public["enrol"]
    assert not stranger.verify(created.public["word"]).right
    assert "add" not in [what for what, _ in stranger.world.engine.credentials.calls]


def test_what_is_enrolled_is_guessed_within_its_budget():
    """The step proves nothing, but whoever guesses what a user has enrolled pays as in any other step; to enrol costs nothing."""
    flow = Flow(sequence(Riddle(), enrol(Fob())), limits=Limits(guesses="2/day"))
    first = enrolling(flow)
    for _ in range(2):
        first.answers("no")
    assert IssueTokens() == first.answers(first.pending[0].public["word"])
    word = first.pending[0].public["word"]
    store, ledger, clock = first.world.engine.credentials, first.world.ledger, first.world.clock
    for _ in range(2):
        host = enrolling(flow, store, ledger=ledger, clock=clock)
        host.answers("no")
    assert "authn_login_lock" not in host.world.events.names()
    locked = enrolling(flow, store, ledger=ledger, clock=clock)
    assert not locked.verify(word).right
    assert "authn_login_lock" == locked.world.events.names()[-1]


@pytest.mark.parametrize("name", ["enrols", "root"])
@pytest.mark.parametrize("value", [None, "", "0", "x", "1"])
def test_what_verify_is_told_is_sealed(name, value):
    """Nobody turns a question into an enrolment, or the other way round."""
    host = enrolling()
    private = {**host.pending[0].private}
    if private[name] == value:
        return
    private[name] = value
    kept = {key: each for key, each in private.items() if each is not None}
    call = AnswerRequest("pool_1", "client", KNOWN, host.pending[0].public["word"], kept)
    assert not host.world.engine.verify(call).right
    assert () == stored(host)


# --- what is enrolled, as a condition ---------------------------------------------------------------------------------


def having(*kinds):
    """A store in which ann has a credential of each of *kinds*."""
    store = Counting()
    for kind in kinds:
        store.add(Credential(f"id-{kind}", OWNER, kind, state={"root": "x"}), replace=False, most=20, within=1.0)
    store.calls.clear()
    return store


@pytest.mark.parametrize(
    ("kinds", "digit", "step"), [((), "0", "other"), (("fob",), "1", "fob"), (("rings",), "0", "other")]
)
def test_the_first_create_reads_what_is_enrolled_once(kinds, digit, step):
    """And writes it down; whatever is enrolled or removed afterwards changes nothing in this sign-in."""
    store = having(*kinds)
    host = host_of(ASKS, store)
    assert [("list", OWNER)] == store.calls
    store.remove(OWNER, "fob", "id-fob", within=1.0)
    if not kinds:
        store.add(Credential("new", OWNER, "fob"), replace=False, most=20, within=1.0)
    store.calls.clear()
    created = host.answers("fish")
    assert step == created.public["step"]
    assert digit == read_metadata(created.metadata)["facts"]
    assert [] == store.calls


def test_behind_a_password_the_first_create_decides():
    """Define has said that a step of the flow's own comes next, and no more."""
    flow = Flow(sequence(Password(), when(enrolled("fob"), Fob(), Riddle())))
    for kinds, step in (((), "riddle"), (("fob",), "fob")):
        host = Host(world(flow, credentials=having(*kinds)), KNOWN)
        host.host_round("SRP_A")
        assert step == host.host_round("PASSWORD_VERIFIER").public["step"]


def test_the_store_is_read_for_somebody_unknown_too():
    """Under an owner in the same shape; whatever it says, nobody unknown has enrolled anything."""
    store = Counting()
    host = host_of(ASKS, store, User("nobody", {}, known=False))
    ((what, owner),) = store.calls
    assert "list" == what
    assert len(OWNER) == len(owner)
    store.add(Credential("x", owner, "fob"), replace=False, most=20, within=1.0)
    again = host_of(ASKS, store, User("nobody", {}, known=False), key=bytes(range(32)))
    assert "0" == read_metadata(host.pending[0].metadata)["facts"] == read_metadata(again.pending[0].metadata)["facts"]


def test_a_flow_that_does_not_ask_reads_nothing():
    """And a flow that does, only before the first challenge."""
    store = Counting()
    host_of(Flow(Riddle()), store)
    assert [] == store.calls


def test_without_a_store_nobody_passes_as_one_who_has_enrolled_nothing():
    """The engine says so when it begins, and each call does."""
    flow = Flow(sequence(Riddle(), when(enrolled("fob"), named("two", Riddle()), named("three", Riddle()))))
    host = Host(world(flow), KNOWN)
    with pytest.raises(ConfigurationError, match="the flow asks whether 'fob' is enrolled, and there is no store"):
        host.world.engine.prepare()
    with pytest.raises(UnavailableError, match="no store of credentials"):
        host.next()


def test_a_store_that_is_down_ends_the_call():
    """It can be repeated."""
    host = Host(world(ASKS, credentials=DeadLedger()), KNOWN)
    with pytest.raises(UnavailableError):
        host.next()


# --- deliberately broken twins ---------------------------------------------------------------------------------------


def asked_again_after_enrolling():
    """Enrol, and sign in again."""
    test_who_has_one_is_asked_for_it()


def reads_nobodys_store():
    """Whatever a store says of somebody unknown."""

    class Lying(MemoryCredentials):
        def list(self, owner, *, within):
            return (Credential("x", owner, "fob"),)

    host = host_of(ASKS, Lying(), User("nobody", {}, known=False))
    assert "0" == read_metadata(host.pending[0].metadata)["facts"]


TWINS = {
    "who began early takes the place": (
        verification._complete,
        "if methods.credentials():",
        "if False:",
        test_who_began_before_the_user_enrolled_does_not_take_the_place,
    ),
    "who is slower takes the place": (
        verification._compare,
        "enrols=parameters.enrols,",
        "enrols=parameters.enrols, replaces=True,",
        lambda: test_of_two_who_complete_at_once_one_enrols(Fob()),
    ),
    "everybody enrols again": (
        situation.with_enrolment,
        "enrols=not services.credentials_of(at.request.pool, user, at.step.kind.kind, deadline)",
        "enrols=True",
        asked_again_after_enrolling,
    ),
    "nobody enrols": (
        situation.with_enrolment,
        "enrols=not services.credentials_of(at.request.pool, user, at.step.kind.kind, deadline)",
        "enrols=False",
        test_who_has_none_begins_an_enrolment,
    ),
    "another id in each sign-in's round": (
        services.Services.enrolment_id,
        '"enrolment", signin, step, user',
        '"enrolment", self.random.bytes(16).hex(), step, user',
        test_a_code_that_was_scanned_stays_good_after_a_wrong_answer,
    ),
    "the same id in all sign-ins": (
        services.Services.enrolment_id,
        '"enrolment", signin, step, user',
        '"enrolment", step, user',
        test_a_code_that_was_scanned_stays_good_after_a_wrong_answer,
    ),
    "strangers enrol": (
        lowering._after,
        '            _expect_proof(f"enrol({type(kind).__name__}()): strangers would enrol for a user", before)\n',
        "",
        lambda: test_a_factor_is_proven_before_anybody_enrols(sequence(Puzzle(), enrol(Fob()))),
    ),
    "what is enrolled is read in each call": (
        situation._enrolled_kinds,
        "if not asks or any(each.name == derivative.CUSTOM for each in request.session):",
        "if not asks:",
        lambda: test_the_first_create_reads_what_is_enrolled_once(("fob",), "1", "fob"),
    ),
    "what is enrolled is never read": (
        situation._enrolled_kinds,
        "frozenset(each.kind for each in owned) if user.known else frozenset()",
        "frozenset()",
        lambda: test_the_first_create_reads_what_is_enrolled_once(("fob",), "1", "fob"),
    ),
    "somebody unknown may have enrolled": (
        situation._enrolled_kinds,
        "frozenset(each.kind for each in owned) if user.known else frozenset()",
        "frozenset(each.kind for each in owned)",
        reads_nobodys_store,
    ),
    "a host without a store lets everybody past": (
        situation._enrolled_kinds,
        "if services.credentials is None:",
        "if services.credentials is None:\n        return frozenset()\n    if False:",
        test_without_a_store_nobody_passes_as_one_who_has_enrolled_nothing,
    ),
    "the budget does not count guesses at what is enrolled": (
        Limits.guesses_at,
        "step.kind.proves and",
        "step.proves and",
        test_what_is_enrolled_is_guessed_within_its_budget,
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_caught(name):
    """By the rule that is named for it."""
    function, old, new, rule = TWINS[name]
    rule()
    with broken(function, old, new), pytest.raises((AssertionError, pytest.fail.Exception, UnavailableError, KeyError)):
        rule()
