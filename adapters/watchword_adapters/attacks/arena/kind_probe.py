"""Wrap each kind of a flow, to learn the right answers and to see what is compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from attrs import define, evolve, field, frozen

from watchword.algebra.blocks import map_kinds
from watchword.algebra.flow import Flow
from watchword.contract.credentials import Enrolment, NewCredential
from watchword.contract.kinds import (
    BeginRequest,
    Challenge,
    CompleteRequest,
    CreateRequest,
    Kind,
    User,
    Verdict,
    VerifyRequest,
)
from watchword.contract.powers import members_of
from watchword.testing.code_tap import recorded_codes
from watchword.testing.requests import create_request

_PASSWORD = "what only the corpus can say"  # noqa: S105 - the answer to a kind that seals nothing; see Spy.create


@frozen
class MadeChallenge:
    """A challenge that a kind made. *right* is the right answer, None if there is none for this user."""

    step: str
    user: str
    right: str | None = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    alphabets: tuple[str, ...]
    challenge: Challenge = field(repr=False)


@frozen
class JudgedAnswer:
    """An answer that a kind was shown."""

    step: str
    user: str
    answer: str = field(repr=False)
    right: bool


@define
class Notes:
    """What the spies have seen since it was last emptied."""

    made: list[MadeChallenge] = field(factory=list[MadeChallenge])
    judged: list[JudgedAnswer] = field(factory=list[JudgedAnswer])

    def clear(self) -> None:
        """Forget it."""
        self.made.clear()
        self.judged.clear()


class Spy:
    """A kind like the *real* one, watched."""

    def __init__(self, real: Kind, notes: Notes) -> None:
        self.real = real
        self.kind = real.kind
        self.proves = real.proves
        self.notes = notes
        members = members_of(real)
        vars(self).update(members)
        if members.keys() >= {"begin", "complete"}:
            vars(self).update(
                begin=partial(self._begin, members["begin"]), complete=partial(self._complete, members["complete"])
            )
        if "offer" in members:
            self.offer = partial(self._made, members["offer"])

    def create(self, request: CreateRequest) -> Challenge:
        """Have the real one make its challenge, and note it."""
        return self._made(self.real.create, request)

    def _made(self, make: Callable[[CreateRequest], Challenge], request: CreateRequest) -> Challenge:
        """Return what *make* of the real one makes; note what it draws and what it asks to be sealed."""
        sealed: list[str] = []

        def seal(answer: str) -> str:
            sealed.append(answer)
            return request.seal(answer)

        with recorded_codes() as drawn:
            challenge = make(evolve(request, methods=evolve(request.methods, seal=seal)))
        codes = tuple(each.text for each in drawn)
        if codes or sealed:
            right = next((each for each in (*codes, *sealed) if self._is_right(request, challenge, each)), None)
        else:
            right = _PASSWORD + request.seal(_PASSWORD) if request.user.known else None
        self.notes.made.append(
            MadeChallenge(
                request.step, request.user.key, right, codes, tuple(each.alphabet for each in drawn), challenge
            )
        )
        return challenge

    def verify(self, request: VerifyRequest) -> Verdict:
        """Have the real one judge, and note it.

        For a kind that seals nothing (it compares with a secret of its own) there is a right answer that the corpus
        alone can say: bound to challenge and user as a seal is.
        """
        if request.answer.startswith(_PASSWORD) and request.matches(request.answer[len(_PASSWORD) :], _PASSWORD):
            verdict = Verdict(right=True)
        else:
            verdict = self.real.verify(request)
        right = getattr(verdict, "right", None) is True
        self.notes.judged.append(JudgedAnswer(request.step, request.user.key, request.answer, right))
        return verdict

    def _begin(self, begin: Callable[[BeginRequest], Enrolment], request: BeginRequest) -> Enrolment:
        """Have the real kind begin an enrolment; note the answer that the corpus alone can complete it with."""
        begun = begin(request)
        right = _PASSWORD + request.methods.seal(_PASSWORD) if request.user.known else None
        shown = Challenge(begun.public, begun.private, begun.carry)
        self.notes.made.append(MadeChallenge(request.step, request.user.key, right, (), (), shown))
        return begun

    def _complete(
        self, complete: Callable[[CompleteRequest], NewCredential | Verdict], request: CompleteRequest
    ) -> NewCredential | Verdict:
        """Have the real kind judge the answer that ends an enrolment, and note it; see `verify`."""
        said, methods = request.answer, request.methods
        ours = said.startswith(_PASSWORD) and methods.same(said[len(_PASSWORD) :], methods.seal(_PASSWORD))
        judged = NewCredential(request.id) if ours else complete(request)
        right = isinstance(judged, NewCredential)
        self.notes.judged.append(JudgedAnswer(request.step, request.user.key, said, right))
        return judged

    def _is_right(self, request: CreateRequest, challenge: Challenge, answer: str) -> bool:
        shown = VerifyRequest(
            request.step,
            request.user,
            request.now,
            answer,
            challenge.private,
            methods=request.methods,
        )
        try:
            return self.real.verify(shown).right is True
        except Exception:  # noqa: BLE001 - a kind may choke on another's texts; that is tried elsewhere
            return False


@frozen
class Probe:
    """What a challenge of a kind is like: its *right* answer, None if there is none, and whether it *draws* a code."""

    right: str | None = field(default=None, repr=False)
    draws: bool = False


def probed(kind: Kind, user: User) -> Probe:
    """Have *kind* make a challenge for *user*, apart from everything else."""
    notes = Notes()
    try:
        Spy(kind, notes).create(create_request(kind, user=user))
    except Exception:  # noqa: BLE001 - it has no challenge for this user
        return Probe()
    return Probe(notes.made[-1].right, bool(notes.made[-1].codes))


def spied_on(flow: Flow, notes: Notes, spoil: Callable[[Kind], object] | None = None) -> Flow:
    """Return *flow* with a spy around each kind; *spoil* may put something around the spies."""

    def watched(kind: Kind) -> Kind:
        spy = cast("Kind", Spy(kind, notes))
        return spy if spoil is None else cast("Kind", spoil(spy))

    return evolve(flow, body=map_kinds(flow.body, watched))
