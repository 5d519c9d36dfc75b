"""The one write of a right answer: carried out once, in the name of its round, for nothing but what the request gave."""

from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.remembering_host import NAMED, OWNER, POOL, STRANGER, Home
from kit.remembering_kinds import KINDS, Codes, Counts, Keys, Steps, Uses, enrolled
from watchword import Challenge, Flow, UnavailableError, Verdict, sequence
from watchword.algebra.evaluation import AnswerRequest
from watchword.contract.credentials import (
    KEPT_ROUNDS,
    LONGEST_CREDENTIAL_ID,
    LONGEST_LABEL,
    MAX_CREDENTIALS,
    Credential,
    NewCredential,
)
from watchword.contract.ports import LEASE
from watchword.runtime.credentials.effects import RoundAnswer, judge
from watchword.runtime.services import Deadline


def use(home, **fields):
    """A `RoundAnswer`, as who calls `judge` makes it; *says* is what the kind says."""
    says = fields.pop("says")
    fields.setdefault("replaces", True)
    step = next(iter(home.engine.flow.steps.values()))
    user = home.engine.as_kinds_see(POOL, fields.pop("user", NAMED))
    deadline = Deadline.starting(home.engine)
    asked = RoundAnswer(
        POOL,
        user,
        home.kind.kind,
        home.kind.remembers,
        fields.pop("round", "r1"),
        lambda owned: home.engine.methods_of(
            POOL, user, step, deadline, claim="c", key=home.engine.keyring.current, owned=owned
        ),
        says if callable(says) else lambda methods: says,
        **fields,
    )
    return judge(home.engine, asked, deadline)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_right_answer_is_written_down_in_the_name_of_its_round(kind):
    """Charge, list, swap, consume: in this order, and nothing else."""
    home = Home(kind)
    made = home.ask()
    before = home.owned[0]
    assert home.verify(made, home.answer)
    writes = kind.kind != "keys"
    assert ["charge", "list", *(["swap"] if writes else []), "consume"] == home.calls
    if not writes:
        assert before == home.owned[0]
        return
    after = home.owned[0]
    assert (before.version + 1, int(home.clock.now())) == (after.version, after.used)
    assert (made.private["round"],) == after.rounds
    assert evolve(before, state=after.state, version=1, used=after.used, rounds=after.rounds) == after
    assert before.state != after.state


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("answer", ["", "id-2 1", "x" * 2000])
def test_a_wrong_answer_writes_nothing(kind, answer):
    """And is wrong again."""
    home = Home(kind)
    made, before = home.ask(), home.owned
    assert [False] * 3 == [home.verify(made, answer) for _ in range(3)]
    assert before == home.owned


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_repeat_is_right_and_the_kind_is_not_asked(kind):
    """The claim was used up by this round: the store is not even read."""
    home = Home(kind)
    made, answer = home.ask(), home.answer
    assert home.verify(made, answer)
    after = home.owned
    for _ in range(2):
        assert home.verify(made, answer)
        assert ["charge", "consumed", "consume"] == home.calls
        assert after == home.owned


@pytest.mark.parametrize("kind", [Steps(), Codes(), Counts(), Uses()], ids=lambda kind: kind.kind)
def test_a_repeat_finds_its_round_where_the_claim_was_not_used_up(kind):
    """The process ended between the write and the mark."""
    home = Home(kind)
    made, answer = home.ask(), home.answer

    def dies():
        raise UnavailableError("down")

    home.ledger.meanwhile["consume"] = dies
    with pytest.raises(UnavailableError):
        home.verify(made, answer)
    after = home.owned
    assert home.verify(made, answer)
    assert ["charge", "consumed", "list", "consume"] == home.calls
    assert after == home.owned


def test_another_round_with_a_used_answer_is_wrong():
    """A step, a code and a count are good once; a use that nothing forbids is right each time."""
    for kind, right in ((Steps(), False), (Codes(), False), (Counts(), False), (Uses(), True), (Keys(), True)):
        home = Home(kind)
        first, second, answer = home.ask(), home.ask(), home.answer
        assert home.verify(first, answer)
        assert right is home.verify(second, answer)
        assert home.verify(first, answer)


def test_the_last_rounds_are_kept():
    """Eight, the newest last."""
    home = Home(Uses())
    made = [home.ask() for _ in range(KEPT_ROUNDS + 3)]
    for each in made:
        assert home.verify(each, home.answer)
    assert tuple(each.private["round"] for each in made[3:]) == home.owned[0].rounds
    assert str(KEPT_ROUNDS + 3) == home.owned[0].state["uses"]


def test_who_loses_a_race_is_judged_again():
    """By what is in the store then: right if the kind still says so."""
    for kind, right in ((Steps(), False), (Codes(), False), (Uses(), True)):
        home = Home(kind)
        first, second, answer = home.ask(), home.ask(), home.answer
        seen = []
        home.store.meanwhile["swap"] = lambda home=home, second=second, answer=answer, seen=seen: seen.append(
            home.engine.verify(AnswerRequest(POOL, "app", NAMED, answer, second.private)).right
        )
        verdict = home.engine.verify(AnswerRequest(POOL, "app", NAMED, answer, first.private))
        assert [True] == seen
        assert right is verdict.right
        assert home.owned[0].version == 1 + right


def test_who_loses_a_race_against_its_own_repeat_is_right():
    """The round is there: it is not written twice."""
    home = Home(Steps())
    made, answer = home.ask(), home.answer
    seen = []
    home.store.meanwhile["swap"] = lambda: seen.append(home.verify(made, answer))
    assert home.verify(made, answer)
    assert [True] == seen
    assert 1 == home.owned[0].version


def test_a_race_that_goes_on_ends_with_the_call():
    """Nothing is lost: the host's repeat is right."""
    home = Home(Uses())
    made = home.ask()

    def loses():
        one = home.owned[0]
        assert home.store.inner.swap(one, version=one.version, within=1)
        home.clock.advance(0.5)
        home.store.meanwhile["swap"] = loses

    home.store.meanwhile["swap"] = loses
    with pytest.raises(UnavailableError) as raised:
        home.verify(made, home.answer)
    assert "timeout" == raised.value.reason
    assert 7 == home.calls.count("swap")
    assert "forgive" not in home.calls
    home.store.meanwhile.clear()
    assert home.verify(made, home.answer)
    assert "1" == home.owned[0].state["uses"]


def test_a_credential_that_is_removed_meanwhile_is_not_used():
    """The kind judges again, without it."""
    home = Home(Uses(), "id-1", "id-2")
    made = home.ask()
    home.store.meanwhile["swap"] = lambda: home.store.inner.remove(OWNER, "uses", "id-1", within=1)
    assert not home.verify(made, "id-1 same")
    assert ["id-2"] == [each.id for each in home.owned]


def test_a_store_that_refuses_without_a_cause_is_an_outage():
    """It says that the credential has another version, and gives the same one: no call goes round for ever."""
    home = Home(Uses())
    made, answer = home.ask(), home.answer
    home.store.swap = lambda *_, **__: False
    with pytest.raises(UnavailableError, match="refuses a write without a cause"):
        home.verify(made, answer)
    del home.store.swap
    assert home.verify(made, answer)


@pytest.mark.parametrize("call", ["list", "swap"])
@pytest.mark.parametrize("moment", ["meanwhile", "after"])
@pytest.mark.parametrize("error", [UnavailableError("down"), TimeoutError(), KeyError("x"), OSError()])
@pytest.mark.parametrize("kind", [Steps(), Codes(), Counts(), Uses()], ids=lambda kind: kind.kind)
def test_a_store_that_fails_loses_no_right_answer(kind, call, moment, error):
    """Before the kind has compared the charge is given back, after that it stays; the repeat is right, once."""
    home = Home(kind)
    made, other, answer = home.ask(), home.ask(), home.answer

    def fails():
        raise error

    getattr(home.store, moment)[call] = fails
    with pytest.raises(type(error)):
        home.verify(made, answer)
    assert ("forgive" in home.calls) is (call == "list")
    assert [True] * 3 == [home.verify(made, answer) for _ in range(3)]
    assert 1 == home.owned[0].version
    assert (kind.kind == "uses") is home.verify(other, answer)


@pytest.mark.parametrize("error", [UnavailableError("down"), KeyError("x")])
def test_a_kind_that_swallows_an_outage_of_the_store_does_not_decide(error):
    """Neither right nor wrong: what it said, it said without the credentials."""

    @frozen
    class Swallows(Uses):
        kind: ClassVar[str] = "swallows"
        verdict: bool = False

        def verify(self, request):
            try:
                return Uses.verify(self, request)
            except Exception:  # noqa: BLE001 - as a careless kind does
                return Verdict(self.verdict)

    def fails():
        raise error

    for verdict in (True, False):
        home = Home(Swallows(verdict))
        made, answer = home.ask(), home.answer
        home.store.meanwhile["list"] = fails
        with pytest.raises(type(error)):
            home.verify(made, answer)
        assert home.verify(made, answer)


def test_a_repeat_whose_store_fails_gives_nothing_back():
    """The call before it may have compared."""
    home = Home(Steps())
    made = home.ask()
    assert not home.verify(made, "wrong")

    def fails():
        raise UnavailableError("down")

    home.store.meanwhile["list"] = fails
    with pytest.raises(UnavailableError):
        home.verify(made, "wrong")
    assert "forgive" not in home.calls


def test_nothing_is_given_back_once_a_kind_has_compared():
    """It was right at first and lost a race: the second reading of the store fails."""
    home = Home(Uses())
    made, answer = home.ask(), home.answer

    def loses():
        one = home.owned[0]
        home.store.inner.swap(one, version=one.version, within=1)
        home.store.meanwhile["list"] = fails

    def fails():
        raise UnavailableError("down")

    home.store.meanwhile["swap"] = loses
    with pytest.raises(UnavailableError):
        home.verify(made, answer)
    assert "forgive" not in home.calls
    assert home.verify(made, answer)


# What the request did not give


def other_versions(one):
    """Everything that `use` may not be, for a user whose credential is *one*."""
    state = {"uses": "9"}
    yield from (
        evolve(one, state=state, **{name: value})
        for name, value in {
            "id": "id-2",
            "owner": f"{POOL}#zoe",
            "kind": "other",
            "label": "mine",
            "created": 7,
            "used": 7,
            "version": 7,
            "rounds": ("r",),
        }.items()
    )
    yield from ("use", True, {"id": "id-1"}, NewCredential("id-1", state), object())
    lone = evolve(one, state={"uses": "\ud800"})
    yield lone


@pytest.mark.parametrize("number", range(14))
def test_a_use_that_the_request_did_not_give_is_refused(number):
    """It is a wrong answer, and told."""

    @frozen
    class Bad(Uses):
        kind: ClassVar[str] = "bad"

        def verify(self, request):
            return Verdict(right=True, use=list(other_versions(request.credentials[0]))[number])

    home = Home(Bad())
    before = home.owned
    made = home.ask()
    assert [False] * 3 == [home.verify(made, "x") for _ in range(3)]
    assert before == home.owned
    assert ("authn_login_fail", "write_refused") == (home.events.names()[-1], home.reason)
    assert 1 == home.events.names().count("authn_login_fail")


class Agreeable(str):
    """A text that says of itself that it equals everything."""

    __slots__ = ()

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


@pytest.mark.parametrize("name", ["id", "owner", "kind", "label"])
def test_a_kind_changes_the_state_alone(name):
    """Whatever a text in its use says of itself, the credential stays what it was."""
    home = Home(Uses())
    before = home.owned[0]
    odd = {name: Agreeable("another"), "state": {"uses": "9"}}
    said = use(home, says=lambda methods: Verdict(right=True, use=evolve(methods.credentials()[0], **odd)))
    assert said.right
    (after,) = home.owned
    changed = {name: getattr(after, name) for name in ("state", "version", "used", "rounds")}
    assert evolve(before, **changed) == after
    assert [before.id, before.owner, before.kind, before.label] == list(
        map(str, (after.id, after.owner, after.kind, after.label))
    )
    assert ({"uses": "9"}, 1) == (dict(after.state), after.version)


def test_a_use_with_a_wrong_verdict_is_refused():
    """A wrong answer changes nothing, whatever the kind wants."""

    @frozen
    class Bad(Uses):
        kind: ClassVar[str] = "bad"

        def verify(self, request):
            return Verdict(right=False, reason="mine", use=evolve(request.credentials[0], state={"uses": "9"}))

    home = Home(Bad())
    before = home.owned
    assert not home.verify(home.ask(), "x")
    assert before == home.owned
    assert "write_refused" == home.reason


def test_a_use_by_a_kind_that_does_not_remember_is_refused():
    """Its requests give nothing that could be written."""

    @frozen
    class Forgets:
        kind: ClassVar[str] = "uses"
        proves: ClassVar[frozenset[str]] = frozenset({"possession"})

        def create(self, request):
            return Challenge()

        def verify(self, request):
            return Verdict(right=True, use=evolve(enrolled(Uses(), OWNER), state={"uses": "9"}))

    home = Home(Uses())
    home.flow = Flow(sequence(Forgets()))
    home.start()
    assert not home.verify(home.ask(), "x")
    assert "list" not in home.calls
    assert "write_refused" == home.reason
    assert 0 == home.owned[0].version


def test_a_call_that_is_slower_than_its_repeat_says_the_same():
    """It was recorded first, and reads the store when the repeat has written."""
    for kind in KINDS.values():
        home = Home(kind)
        made, answer = home.ask(), home.answer
        seen = []
        home.store.meanwhile["list"] = lambda home=home, made=made, answer=answer, seen=seen: seen.append(
            home.verify(made, answer)
        )
        assert home.verify(made, answer)
        assert [True] == seen
        assert home.owned[0].version == (kind.kind != "keys")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_somebody_unknown_is_asked_alike_and_nothing_is_written(kind):
    """The store is read under the made-up id, and no write follows whatever is answered."""
    home = Home(kind)
    before = home.owned
    made = home.ask(STRANGER)
    assert not home.verify(made, home.answer, STRANGER)
    assert ["charge", "list"] == home.calls
    assert not home.verify(made, home.answer, STRANGER)
    assert before == home.owned


def test_somebody_unknown_with_a_credential_writes_nothing():
    """Even if the store gave one, such as for an account that was deleted."""
    home = Home(Uses())
    as_seen = home.engine.as_kinds_see(POOL, STRANGER)
    theirs = enrolled(Uses(), f"{POOL}#{as_seen.id}")
    assert home.add(evolve(theirs, id="theirs"))
    assert not home.verify(home.ask(STRANGER), "theirs same", STRANGER)
    assert "swap" not in home.calls
    assert 0 == home.store.inner.list(theirs.owner, within=1)[0].version


def test_what_a_kind_says_of_a_right_answer_is_kept():
    """With a write as without one."""
    for kind in KINDS.values():

        @frozen
        class Says(type(kind)):
            def verify(self, request, kind=kind):
                verdict = kind.verify(request)
                return evolve(verdict, reason="noted") if verdict.right else verdict

        home = Home(Says())
        assert home.verify(home.ask(), home.answer)
        assert ("authn_login_notice", "noted") == (home.events.names()[-1], home.reason)


# What nobody can guess


def test_nothing_is_charged_for_what_nobody_can_guess():
    """Strangers lock nobody out; one answer a round is recorded all the same."""
    home = Home(Codes())
    for _ in range(200):
        assert not home.verify(home.ask(), "wrong")
    made, answer = home.ask(), home.answer
    assert not home.verify(made, "wrong")
    assert not home.verify(made, answer)
    assert "second_answer" == home.reason
    assert home.verify(home.ask(), answer)
    guessable = Home(Steps())
    for _ in range(10):
        guessable.verify(guessable.ask(), "wrong")
    assert not guessable.verify(guessable.ask(), guessable.answer)
    assert "guesses_used_up" == guessable.reason


# Enrolments: the same function, whoever calls it


def test_a_new_credential_is_added_in_the_name_of_its_round():
    """The engine adds owner, kind, times and the round; the label is the user's own, else the kind's."""
    home = Home(Uses())
    verdict = use(home, says=NewCredential("id-2", {"uses": "0"}), enrols=True, label="phone")
    added = Credential("id-2", OWNER, "uses", "phone", int(home.clock.now()), state={"uses": "0"}, rounds=("r1",))
    assert (verdict.right, added) == (True, verdict.use)
    assert added == home.owned[1]
    unnamed = use(home, says=NewCredential("id-4", label="own"), enrols=True, round="r4")
    assert "own" == unnamed.use.label
    named_ = use(home, says=NewCredential("id-3", label="own"), enrols=True, label="phone", round="r2")
    assert "phone" == named_.use.label


def test_a_repeat_of_an_enrolment_is_right_and_the_kind_is_not_asked():
    """Whether the call before it ended or not."""
    home = Home(Steps())
    new = NewCredential("id-2", {"step": "0"})
    assert use(home, says=new, enrols=True).right
    again = use(home, says=lambda _: pytest.fail("asked"), enrols=True)
    assert (True, "id-2") == (again.right, again.use.id)
    assert ["id-2"] == [each.id for each in home.owned]  # in place of the one before
    assert use(home, says=new, enrols=True).right  # a repeat that overlaps
    assert not use(home, says=new, enrols=True, round="r2").right


def test_an_enrolment_that_finds_no_room_says_why():
    """The id is known, or there are twenty."""
    home = Home(Uses(), *(f"id-{number}" for number in range(MAX_CREDENTIALS - 1)))
    assert "known_credential" == use(home, says=NewCredential("id-3"), enrols=True).reason
    assert use(home, says=NewCredential("new"), enrols=True).right
    full = use(home, says=NewCredential("newer"), enrols=True, round="r2")
    assert (False, "too_many", None) == (full.right, full.reason, full.use)
    assert MAX_CREDENTIALS == len(home.owned)


def test_of_one_credential_a_kind_replaces_the_old_one_does_not_count():
    """A lost phone locks nobody out, however many credentials of other kinds there are."""
    home = Home(Steps())
    for number in range(MAX_CREDENTIALS - 1):
        assert home.add(enrolled(Uses(), OWNER, f"use-{number}"))
    assert use(home, says=NewCredential("new"), enrols=True).right
    assert "known_credential" == use(home, says=NewCredential("new"), enrols=True, round="r2").reason


@pytest.mark.parametrize(
    "says",
    [
        Verdict(right=True),
        Verdict(right=False, reason="mine", use=Credential("id-1", OWNER, "uses")),
        Verdict(right=1),
        None,
        True,
        {"id": "x"},
        NewCredential(""),
        NewCredential("x" * (LONGEST_CREDENTIAL_ID + 1)),
        NewCredential("\ud800"),
        NewCredential(7),
        NewCredential("x", label="x" * (LONGEST_LABEL + 1)),
        NewCredential("x", label=7),
        NewCredential("x", {"\udfff": ""}),
    ],
)
def test_what_cannot_be_enrolled_is_refused(says):
    """Nothing half-enrolled, and no right answer without a credential."""
    home = Home(Uses())
    before = home.owned
    verdict = use(home, says=says, enrols=True)
    assert (False, None) == (verdict.right, verdict.use)
    assert verdict.reason in {"kind_failed", "write_refused"}
    assert before == home.owned


def test_what_is_at_the_limits_is_enrolled():
    """Ids, labels and states of every text that a store can write."""
    home = Home(Uses())
    state = {"k": "ä" * 2047}
    says = NewCredential("x" * LONGEST_CREDENTIAL_ID, state, "\U0001f600" * LONGEST_LABEL)
    assert use(home, says=says, enrols=True).right
    assert state == home.owned[1].state


def test_a_kind_gives_no_new_credential_outside_an_enrolment():
    """An answer enrols nothing."""
    home = Home(Uses())
    assert Verdict(right=False, reason="kind_failed") == use(home, says=NewCredential("id-2"))
    assert 1 == len(home.owned)


def test_nobody_unknown_enrols():
    """The answer is wrong, and nothing is written."""
    home = Home(Uses())
    verdict = use(home, says=NewCredential("id-2"), enrols=True, user=STRANGER)
    assert Verdict(right=False) == verdict
    assert "add" not in home.calls


def test_a_wrong_answer_in_an_enrolment_is_the_kinds_own_verdict():
    """With its reason."""
    home = Home(Uses())
    assert Verdict(right=False, reason="mine") == use(home, says=Verdict(right=False, reason="mine"), enrols=True)


def test_without_a_store_nothing_can_be_enrolled():
    """An outage: the host says so when it is set up."""
    home = Home(Uses())
    home.engine = evolve(home.engine, credentials=None)
    with pytest.raises(UnavailableError, match="no store of credentials"):
        use(home, says=NewCredential("id-2"), enrols=True)


@pytest.mark.parametrize("call", ["add", "list"])
def test_a_lost_reply_to_an_addition_is_found_by_the_repeat(call):
    """The credential is there: it is not added twice, and the kind is not asked."""
    home = Home(Uses())

    def fails():
        raise UnavailableError("reply lost")

    # The list that tells why there was no room is read after the addition.
    home.store.meanwhile["add"] = lambda: home.store.after.update({call: fails})
    given = []
    says = NewCredential("id-1" if call == "list" else "id-2")
    with pytest.raises(UnavailableError):
        use(home, says=says, enrols=True, give_back=lambda: given.append(1))
    assert [] == given
    if call == "add":
        assert use(home, says=lambda _: pytest.fail("asked"), enrols=True).right
    assert len(home.owned) == 1 + (call == "add")


def test_an_answer_comes_in_time_for_the_host_alone():
    """After the lease the mark is still there: a late repeat is right too."""
    home = Home(Steps())
    made, answer = home.ask(), home.answer
    assert home.verify(made, answer)
    home.clock.advance(LEASE)
    assert home.verify(made, answer)
