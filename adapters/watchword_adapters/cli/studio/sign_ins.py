"""The sign-ins at the studio's pool: what each trigger was told, where each sign-in is, and what would be right there now."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

from watchword.algebra.derivative import SELECT
from watchword.analysis.state_space import Exploration
from watchword.contract.ports import Clock
from watchword.errors import WatchwordError
from watchword_adapters.attacks.devices.user_devices import AuthenticatorApp
from watchword_adapters.aws.cognito import session_request_of
from watchword_adapters.cli.studio.played_sessions import PlayedRequest, played_request
from watchword_adapters.cli.studio.redaction import redacted_event, redacted_response
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.poolserver.http.application import Told
from watchword_adapters.poolserver.inspector import TriggerRun, texts
from watchword_adapters.rest.exchange import as_mapping

_MOST_EVENTS = 300
_MOST_WAITING = 100
_MOST_TYPED = 24
"""The longest answer that a person types; a longer one is a browser's to give."""
_STORE_SECONDS = 1.0


HOST = "host"
"""What stands in place of a trigger's name where the pool itself refused an answer."""


@frozen
class Happening:
    """One run of a trigger, without secrets, or a refusal by the pool, of which no trigger heard.

    If Define ran, *node* is that of the diagram at which the sign-in is after it, *came* the one that an arrow leads from, *choices* are
    the steps that the user is to choose from, and *flow* is the fingerprint of the flow that the sign-in goes by.
    """

    number: int
    trigger: str
    event: Mapping[str, Any]
    returned: Mapping[str, Any]
    error: str
    node: str = ""
    came: str = ""
    choices: tuple[str, ...] = ()
    flow: str = ""


@frozen
class _Waiting:
    """A sign-in that waits until *until* for an answer to a *kind* of step. *text* is right for it, if the challenge alone says so."""

    step: str
    kind: str
    until: float
    shown: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    period: int = 0
    drift: int = 0

    @property
    def is_enrolment(self) -> bool:
        """Whether it shows what its user keeps from then on."""
        return not self.shown.keys().isdisjoint({"codes", "otpauth_uri"})


class FollowedSignIns:
    """What happened at a pool whose sessions last *seconds*. *explored* gives the flows in use, the newest first."""

    def __init__(
        self,
        clock: Clock,
        credentials: MemoryCredentials,
        seconds: float,
        explored: Callable[[], Sequence[Exploration]],
    ) -> None:
        self._clock, self._credentials, self._seconds, self._explored = clock, credentials, seconds, explored
        self._lock = threading.RLock()
        self._events: deque[Happening] = deque(maxlen=_MOST_EVENTS)
        self._counted = 0
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._kept: dict[str, Mapping[str, str]] = {}
        """What the user was shown at an enrolment and keeps, by kind: the secret of an app, a list of codes."""

    def record(self, call: Told) -> None:
        """Keep what happened in *call*, without its secrets, and what would be right in the session that it began."""
        with self._lock:
            for run in call.runs:
                self._events.append(self._happening(run))
            if not call.runs:
                # No trigger heard of it: its session goes on, if it has one.
                if call.error and call.operation == "RespondToAuthChallenge":
                    self._counted += 1
                    self._events.append(Happening(self._counted, HOST, {}, {}, call.message[:200]))
                return
            answered = self._waiting.pop(str(call.given.get("Session", "")), None)
            if answered is not None and answered.is_enrolment and any(_is_right(run) for run in call.runs):
                self._kept[answered.kind] = answered.shown
            session = (call.reply or {}).get("Session")
            created = next((run for run in reversed(call.runs) if run.trigger == "create" and not run.error), None)
            if isinstance(session, str) and created is not None:
                self._waiting[session] = self._waited(created)
                if len(self._waiting) > _MOST_WAITING:
                    self._waiting.popitem(last=False)

    def since(self, number: int) -> list[dict[str, Any]]:
        """Return what happened behind *number*."""
        with self._lock:
            return [asdict(each) for each in self._events if each.number > number]

    def answer(self, session: str) -> dict[str, object] | None:
        """Return the step that *session* waits at, what would be right there now, and until when; None if nothing a person types is."""
        now = self._clock.now()
        with self._lock:
            waiting = self._waiting.get(session)
            if waiting is None or now >= waiting.until:
                return None
            text, until = self._right(waiting, now)
            return {"step": waiting.step, "text": text, "until": until} if text else None

    # how it is known

    def _happening(self, run: TriggerRun) -> Happening:
        self._counted += 1
        explored = self._explored()
        steps = [step for each in explored for step in each.flow.steps.values()]
        # What a client may choose by name.
        names = {name for step in steps for name in (step.name, *step.powers.redirects)}
        played = self._played(run, explored) if run.trigger == "define" and not run.error and explored else None
        last: Mapping[str, str] = played.stops[-1] if played else {}
        return Happening(
            self._counted,
            run.trigger,
            redacted_event(run.event, names),
            redacted_response(as_mapping(run.returned).get("response")),
            run.error[:200],
            last.get("node", ""),
            last.get("came", ""),
            played.choices if played else (),
            played.exploration.flow.fingerprint if played else "",
        )

    def _played(self, run: TriggerRun, explored: Sequence[Exploration]) -> PlayedRequest | None:
        try:
            request = session_request_of(dict(run.event))
            held = self._credentials.everything(within=_STORE_SECONDS) if request.user.known else ()
            return played_request(explored, request, frozenset(each.kind for each in held))
        except WatchwordError:
            return None

    def _waited(self, created: TriggerRun) -> _Waiting:
        """Return what waits after *created*, a run of Create. Nothing is right where it could not be asked, or nobody is asked."""
        shown = texts(created.returned, "publicChallengeParameters")
        private = texts(created.returned, "privateChallengeParameters")
        step, kind = shown.get("step", ""), shown.get("kind", "")
        now, expires = self._clock.now(), shown.get("expires_at", "")
        until = min(now + self._seconds, float(expires) if expires.isdecimal() else now + self._seconds)
        unknown = as_mapping(created.event["request"]).get("userNotFound") is True
        if kind == SELECT or unknown or shown.get("attempts_left") == "0":
            return _Waiting(step, "", until, {}, "")
        text = created.right.text if created.right is not None and created.right.text else ""
        flow = next((each.flow for each in self._explored() if each.flow.fingerprint == private.get("flow")), None)
        asked = flow.steps[step].kind if flow is not None and step in flow.steps else None
        period, drift = (getattr(asked, name, 0) for name in ("period", "drift"))
        return _Waiting(step, kind, until, shown, text if len(text) <= _MOST_TYPED else "", period, drift)

    def _right(self, waiting: _Waiting, now: float) -> tuple[str, float]:
        """Return what is right at *waiting* now, and until when."""
        kept = waiting.shown if waiting.is_enrolment else self._kept.get(waiting.kind, {})
        held = self._credentials.everything(within=_STORE_SECONDS)
        states: list[Mapping[str, str]] = [
            each.state for each in held if each.kind == waiting.kind and not waiting.is_enrolment
        ]
        used: Mapping[str, str] = states[0] if states else {}
        if "codes" in kept:
            spent = used.get("used", "").split(",")
            left = [code for place, code in enumerate(kept["codes"].split()) if str(place) not in spent]
            return next(iter(left), ""), waiting.until
        if "secret" in kept and waiting.period:
            # A code is right once: after it, that of the next period is.
            current = int(now // waiting.period)
            period = max(current, int(used.get("step", "-1")) + 1)
            app = AuthenticatorApp(kept["secret"], int(waiting.shown.get("digits", "6")), waiting.period)
            until = min(waiting.until, float((current + 1) * waiting.period))
            return app.code(period) if period <= current + waiting.drift else "", until
        return waiting.text, waiting.until


def _is_right(run: TriggerRun) -> bool:
    response = as_mapping(as_mapping(run.returned).get("response"))
    return run.trigger == "verify" and response.get("answerCorrect") is True
