"""Wrap each kind of a flow, to learn the right answers and to see what is compared."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import Any, cast

from attrs import define, evolve, field, frozen

from watchword.algebra.blocks import map_kinds
from watchword.algebra.flow import Flow
from watchword.contract.credentials import Credential, Enrolment, NewCredential
from watchword.contract.enrolments import BeginRequest, CompleteRequest
from watchword.contract.kinds import (
    Challenge,
    CreateRequest,
    Kind,
    RequestMethods,
    User,
    Verdict,
    VerifyRequest,
)
from watchword.contract.members import attribute_of
from watchword.contract.powers import members_of, powers_of
from watchword.contract.typed_codes import write_token_answer
from watchword.testing.code_tap import recorded_codes
from watchword.testing.requests import (
    access_token,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
)
from watchword_adapters.attacks.devices.held_devices import HeldDevices
from watchword_adapters.attacks.devices.user_devices import RightText

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
    tickets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The codes that were drawn, and of each ticket what nobody but its reader may know: the part behind the dot."""
        return (*self.codes, *(each.partition(".")[2] for each in self.tickets))


@frozen
class IssuedChallenge:
    """What Create handed out for one round, and for whom; with the right answer, or those to what is *offered* in a choice."""

    private: Mapping[str, str] = field(repr=False)
    binding: tuple[str, ...]
    right: str | None = field(repr=False)
    offered: Mapping[str, str | None] = field(factory=dict[str, "str | None"], repr=False)


@frozen
class JudgedAnswer:
    """An answer that a kind was shown.

    *enrols* says whether it was to complete an enrolment, which costs no guess; *uses* whether the kind wants it written down as used.
    """

    step: str
    user: str
    answer: str = field(repr=False)
    right: bool
    enrols: bool = False
    uses: bool = False


@define
class Notes:
    """What the spies have seen since it was last emptied. *devices* are what users answer with."""

    devices: HeldDevices = field(factory=HeldDevices)
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
        self.has_memory = "remembers" in members
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
        tickets: list[str] = []

        def seal(answer: str) -> str:
            sealed.append(answer)
            return request.seal(answer)

        def ticket() -> str:
            tickets.append(request.ticket())
            return tickets[-1]

        with recorded_codes() as drawn:
            challenge = make(evolve(request, methods=evolve(request.methods, seal=seal, ticket=ticket)))
        codes = tuple(each.text for each in drawn)
        right = self._right(request, challenge, self._said((*codes, *sealed), request.user))
        self.notes.made.append(
            MadeChallenge(
                request.step,
                request.user.key,
                right,
                codes,
                tuple(each.alphabet for each in drawn),
                challenge,
                tuple(tickets),
            )
        )
        return challenge

    def _said(self, texts: tuple[str, ...], user: User) -> tuple[str, ...]:
        """Return *texts* as *user* says them: with an access token, where the kind wants one."""
        if not powers_of(self.real).with_token:
            return texts
        return tuple(write_token_answer(access_token(user.id), each) for each in texts)

    def _right(self, request: CreateRequest, challenge: Challenge, texts: tuple[str, ...]) -> str | None:
        """Return the right answer: one of *texts*, or what the user's devices say, or what only the corpus can say."""
        user, devices = request.user, self.notes.devices
        if not self.has_memory:
            if texts:
                return next((each for each in texts if self._is_right(request, challenge, each)), None)
            return _PASSWORD + request.seal(_PASSWORD) if user.known else None
        owned = devices.owned(user, self.kind) if user.known else ()
        answers = (*texts, *devices.answers(owned, challenge.public, request.now))
        right = [each for each in answers if self._is_right(request, challenge, each, owned)]
        if right:
            return RightText.first_of(right)
        return _PASSWORD + request.seal(_PASSWORD) if owned else None

    def verify(self, request: VerifyRequest) -> Verdict:
        """Have the real one judge, and note it.

        For a kind that seals nothing (it compares with a secret of its own) there is a right answer that the corpus
        alone can say: bound to challenge and user as a seal is.
        """
        verdict = Verdict(right=True) if self._is_ours(request) else self.real.verify(request)
        right = getattr(verdict, "right", None) is True
        uses = getattr(verdict, "use", None) is not None
        self.notes.judged.append(JudgedAnswer(request.step, request.user.key, request.answer, right, uses=uses))
        return verdict

    def _is_ours(self, request: VerifyRequest) -> bool:
        said = request.answer
        if not said.startswith(_PASSWORD) or not request.matches(said[len(_PASSWORD) :], _PASSWORD):
            return False
        return not self.has_memory or bool(self.notes.devices.owned(request.user, self.kind))

    def _begin(self, begin: Callable[[BeginRequest], Enrolment], request: BeginRequest) -> Enrolment:
        """Have the real kind begin an enrolment, for which the user takes a device; note the answer that completes it."""
        begun = begin(request)
        right = None
        if request.user.known:
            origins = _origins(self.real)
            answers = self.notes.devices.enrolling(self.kind, request.id, begun.public, request.now, origins)
            right = next((each for each in answers if self._completes(request, begun, each)), None)
            right = right or _PASSWORD + request.methods.seal(_PASSWORD)
        shown = Challenge(begun.public, begun.private, begun.carry)
        self.notes.made.append(MadeChallenge(request.step, request.user.key, right, (), (), shown))
        return begun

    def _completes(self, request: BeginRequest, begun: Enrolment, answer: str) -> bool:
        methods = _with_credentials(request.methods, ())
        asked = CompleteRequest(
            request.step, request.user, request.now, request.id, answer, begun.private, methods=methods
        )
        try:
            return isinstance(members_of(self.real)["complete"](asked), NewCredential)
        except Exception:  # noqa: BLE001 - as for `_is_right`
            return False

    def _complete(
        self, complete: Callable[[CompleteRequest], NewCredential | Verdict], request: CompleteRequest
    ) -> NewCredential | Verdict:
        """Have the real kind judge the answer that ends an enrolment, and note it; see `verify`."""
        said, methods = request.answer, request.methods
        ours = said.startswith(_PASSWORD) and methods.same(said[len(_PASSWORD) :], methods.seal(_PASSWORD))
        judged = NewCredential(request.id) if ours else complete(request)
        right = isinstance(judged, NewCredential)
        self.notes.judged.append(JudgedAnswer(request.step, request.user.key, said, right, enrols=True))
        return judged

    def _is_right(
        self, request: CreateRequest, challenge: Challenge, answer: str, owned: tuple[Credential, ...] = ()
    ) -> bool:
        methods = _with_credentials(request.methods, owned) if self.has_memory else request.methods
        methods = evolve(methods, is_access_token=access_token(request.user.id).__eq__)
        shown = VerifyRequest(
            request.step,
            request.user,
            request.now,
            answer,
            challenge.private,
            methods=methods,
        )
        try:
            return self.real.verify(shown).right is True
        except Exception:  # noqa: BLE001 - a kind may choke on another's texts; that is tried elsewhere
            return False


def _with_credentials(methods: RequestMethods, owned: tuple[Credential, ...]) -> RequestMethods:
    """Return *methods* by which a kind is given *owned*, without a call of the store."""
    return evolve(methods, credentials=lambda: owned)


def _origins(kind: Kind) -> tuple[str, ...]:
    """Return the pages on which a passkey of *kind* may be used, if it has such a setting."""
    said = attribute_of(kind, "origins")
    return tuple(map(str, cast("tuple[object, ...]", said))) if isinstance(said, tuple) else ()


def wrong_answer(right: str | None, draw: Random) -> str:
    """Return an answer of the form of *right* that is wrong."""
    if not right:
        return "".join(draw.choices("0123456789", k=8))
    if isinstance(right, RightText) and right.wrong:
        return draw.choice(right.wrong)
    place = draw.randrange(len(right))
    while not right[place].isalnum():
        place = (place + 1) % len(right)
    symbols = "0123456789" if right[place].isdigit() else "ACDEFGHJKLMNPQRTUVWXZ"
    made = [right[:place] + each + right[place + 1 :] for each in symbols if each.lower() != right[place].lower()]
    return draw.choice([each for each in made if not (isinstance(right, RightText) and each in right.others)])


@frozen
class Probe:
    """What a challenge of a kind is like: its *right* answer, None if there is none, whether it *draws* a code, to whom it is sent."""

    right: str | None = field(default=None, repr=False)
    draws: bool = False
    recipient: str = field(default="", repr=False)

    @property
    def works(self) -> bool:
        """Whether it asks for work by the protocol of ALTCHA."""
        return bool(read_work(self.right))


def read_work(answer: str | None) -> dict[str, dict[str, Any]]:
    """Return the challenge and the solution that *answer* holds, if it is a payload of ALTCHA, version 2; else nothing."""
    try:
        payload: Any = json.loads(base64.b64decode(answer or "", validate=True))
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) and {"challenge", "solution"} <= payload.keys() else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def probed(kind: Kind, user: User) -> Probe:
    """Have *kind* make a challenge for *user*, apart from everything else; who can enrol for it has done so."""
    notes = Notes()
    spy = Spy(kind, notes)
    try:
        owned = tuple(_enrolled(spy, user))
        spy.create(create_request(kind, user=user, credentials=owned))
    except Exception:  # noqa: BLE001 - it has no challenge for this user
        return Probe()
    made = notes.made[-1]
    return Probe(made.right, bool(made.codes), next((each.to for each in made.challenge.messages), ""))


def _enrolled(spy: Spy, user: User) -> Iterable[Credential]:
    """Enrol *user* for the kind behind *spy*, if that can be; give the credential."""
    if not spy.has_memory or not user.known:
        return
    enrols = vars(spy)
    owner = f"#{user.id}"
    new: object = NewCredential("held")
    if "begin" in enrols:
        begun = enrols["begin"](begin_request(spy.real, user=user))
        said = complete_request(spy.real, begun, spy.notes.made[-1].right, user=user)
        new = enrols["complete"](said)
    if isinstance(new, NewCredential):
        credential = evolve(enrolled_credential(spy.real, new, user=user), owner=owner)
        spy.notes.devices.store.hold_at_first(owner, (credential,))
        yield credential


def spied_on(flow: Flow, notes: Notes, spoil: Callable[[Kind], object] | None = None) -> Flow:
    """Return *flow* with a spy around each kind; *spoil* may put something around the spies."""

    def watched(kind: Kind) -> Kind:
        spy = cast("Kind", Spy(kind, notes))
        return spy if spoil is None else cast("Kind", spoil(spy))

    return evolve(flow, body=map_kinds(flow.body, watched))
