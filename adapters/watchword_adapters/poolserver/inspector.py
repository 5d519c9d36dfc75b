"""Record what a served pool does, for its developer: mails, pictures, calls of triggers, right answers."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, cast

from attrs import field, frozen

from watchword.algebra.derivative import SELECT
from watchword.contract.kinds import Email
from watchword.contract.ports import Clock, Courier, Receipt
from watchword.runtime.keyring import Keyring
from watchword.testing.code_tap import recorded_codes, recording_ring
from watchword_adapters.couriers.envelope import refuse_unfit
from watchword_adapters.userpool import SentMessage
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger

_MAILS = 1000
_PICTURES = 20
_USERS = 1000


@frozen
class RightAnswer:
    """What would be right now. *text* is None where nobody but the trigger knows."""

    step: str
    kind: str
    text: str | None = field(repr=False)
    at: float


@frozen
class TriggerRun:
    """One run of a trigger: what it was given, and what it returned, or the text of what it raised.

    *right* is what would be right for the challenge that it made, for a peeking `Inspector`.
    """

    trigger: str
    event: Mapping[str, Any] = field(repr=False)
    returned: object = field(repr=False)
    error: str = ""
    right: RightAnswer | None = None


@frozen
class Shown:
    """A challenge with a picture, with what is drawn as a QR code, or of an enrolment, as its user saw it."""

    username: str = field(repr=False)
    at: float
    public: Mapping[str, str] = field(repr=False)


_creating: ContextVar[str] = ContextVar("creating", default="")
"""For whom Create runs."""

_runs: ContextVar[list[TriggerRun] | None] = ContextVar("runs", default=None)


@contextmanager
def gathering() -> Generator[list[TriggerRun]]:
    """Give a list that fills with the runs of triggers that belong to the block."""
    runs: list[TriggerRun] = []
    token = _runs.set(runs)
    try:
        yield runs
    finally:
        _runs.reset(token)


class Inspector:
    """The developer's view of one pool. *peeking* keeps the answers too, which nothing but a test should know."""

    def __init__(self, clock: Clock, *, peeking: bool = False) -> None:
        self.mails: deque[SentMessage] = deque(maxlen=_MAILS)
        self.pictures: deque[Shown] = deque(maxlen=_PICTURES)
        self.peeking = peeking
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, dict[str, RightAnswer]] = OrderedDict()

    def courier(self) -> Courier:
        """Return a courier that puts messages among the mails, with the name of the user that they are for."""
        return _Letterbox(self.mails, self._clock)

    def keyring(self, secret: bytes) -> Keyring:
        """Return the ring of *secret*; when peeking, one that is tapped."""
        ring = Keyring.of(secret)
        return recording_ring(ring) if self.peeking else ring

    def watch(self, name: str, trigger: AnyTrigger) -> AnyTrigger:
        """Return *trigger* (*name* is define, create or verify), watched."""

        def watched(event: Any, context: Any) -> Any:
            username = str(event["userName"]) if name == "create" else ""
            token = _creating.set(username)
            runs = _runs.get()
            try:
                with recorded_codes() as codes:
                    returned = trigger(event, context)
            except BaseException as error:
                if runs is not None:
                    runs.append(TriggerRun(name, event, None, str(error) or type(error).__name__))
                raise
            finally:
                _creating.reset(token)
            right = self._created(username, codes[-1].text if codes else None, returned) if name == "create" else None
            if runs is not None:
                runs.append(TriggerRun(name, event, returned, right=right))
            return returned

        return watched

    def answers_for(self, username: str) -> tuple[RightAnswer, ...]:
        """Return what would be right for each step that *username* (see `LocalUserPool.username_of`) was asked, newest last."""
        with self._lock:
            return tuple(self._answers.get(username, {}).values())

    def _created(self, username: str, code: str | None, returned: object) -> RightAnswer | None:
        public, private = texts(returned, "publicChallengeParameters"), texts(returned, "privateChallengeParameters")
        now = self._clock.now()
        if not public.keys().isdisjoint({"image", "otpauth_uri", "enrol"}):
            self.pictures.append(Shown(username, now, public))
        if not self.peeking or not private:
            return None
        kind, step = public.get("kind", ""), public.get("step", "")
        # Hand-written triggers keep the answer where Verify reads it, by custom under this name.
        code = None if kind == SELECT else code  # what is offered in a choice is no answer to the choice itself
        answer = RightAnswer(step, kind, code or private.get("answer"), now)
        with self._lock:
            mine = self._answers.pop(username, {})
            mine.pop(step, None)
            self._answers[username] = {**mine, step: answer}
            if len(self._answers) > _USERS:
                self._answers.popitem(last=False)
        return answer


def texts(returned: object, name: str) -> dict[str, str]:
    """Return the map of strings called *name* in what a trigger returned; what is none is left out."""
    response = cast("dict[str, object]", returned).get("response") if isinstance(returned, dict) else None
    found = cast("dict[str, object]", response).get(name) if isinstance(response, dict) else None
    pairs = cast("dict[object, object]", found).items() if isinstance(found, dict) else ()
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}


@frozen
class _Letterbox:
    channel: ClassVar[str] = "email"

    mails: deque[SentMessage]
    clock: Clock

    @property
    def floor(self) -> float:
        return 0.0

    def send(self, letter: Any, within: float) -> Receipt:
        refuse_unfit(letter)
        mail = letter if isinstance(letter, Email) else Email(letter.to, "", "\n".join(letter.texts()))
        at, whose = self.clock.now(), _creating.get()
        self.mails.append(SentMessage(mail.to, mail.subject, mail.text, mail.html, at, whose, letter.channel))
        return Receipt(letter.id)
