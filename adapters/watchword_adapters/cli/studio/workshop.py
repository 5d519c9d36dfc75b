"""The flow in work: what the page edits, the local pool that plays it, and what happened there."""

from __future__ import annotations

import copy
import hashlib
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from attrs import asdict, frozen

from watchword.algebra.evaluation import evaluate
from watchword.algebra.flow import Flow, Present
from watchword.analysis.diagram import FAIL, TOKENS, place_of
from watchword.contract.ports import Courier, Receipt
from watchword.errors import ConfigurationError, UnavailableError, WatchwordError
from watchword.loading.registry import Registry
from watchword.runtime.keyring import Keyring
from watchword_adapters.attacks.devices.telephone_numbers import telephone_of
from watchword_adapters.aws.cognito import session_request_of
from watchword_adapters.aws_lambda import Triggers, triggers
from watchword_adapters.cli.local.forward_clock import ForwardClock
from watchword_adapters.cli.local.local_run import add_user
from watchword_adapters.cli.messages.message_costs import MessagePrice
from watchword_adapters.cli.studio.flow_view import FlowView, money_of, view_of
from watchword_adapters.cli.studio.redaction import redacted_event, redacted_response
from watchword_adapters.clock import SystemRandom
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver.inspector import Inspector, TriggerRun
from watchword_adapters.rest.exchange import as_mapping
from watchword_adapters.rest.local_tokens import LocalAccessTokens
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger

NAMES = ("define", "create", "verify")
USER, PASSWORD = "ann", "Passw0rd!x"
USER_ATTRIBUTES = {
    "email": "ann@example.com",
    "email_verified": "true",
}
"""Who signs in at the studio; the telephone number is one that the flow writes to."""

_MOST_EVENTS = 300
_PREVIOUS = 8
_MOST_FORWARD = 86_400
_MOST_TYPED = 24
"""The longest answer that a person types; a longer one is a browser's to give."""


@frozen
class Happening:
    """One run of a trigger, without secrets, and the *node* of the diagram that the sign-in stands at after it, if Define ran."""

    number: int
    trigger: str
    event: Mapping[str, Any]
    returned: Mapping[str, Any]
    error: str
    node: str


class _Mail:
    """The courier of every channel: it hands on to the letterbox, or is down."""

    channel: ClassVar[str] = "email"

    def __init__(self, letterbox: Courier) -> None:
        self._letterbox = letterbox
        self.down = False

    @property
    def floor(self) -> float:
        return 0.0

    def send(self, letter: Any, within: float, /) -> Receipt:
        if self.down:
            raise UnavailableError("the mail server is stopped", undelivered=True, reason="unreachable")
        return self._letterbox.send(letter, within)


class Workshop:
    """The studio's state. A text that is no flow leaves the last good one in use; until there is one, nobody signs in.

    Raises:
        ConfigurationError: if the file cannot be read.
    """

    def __init__(
        self,
        path: Path,
        attributes: Mapping[str, str] | None = None,
        prices: Mapping[str, MessagePrice] | None = None,
    ) -> None:
        self.path = path
        self._attributes, self._prices = {**USER_ATTRIBUTES, **(attributes or {})}, prices or {}
        self._money: tuple[FlowView, list[tuple[str, str]]] | None = None
        self._lock = threading.RLock()
        self.clock = ForwardClock()
        self.inspector = Inspector(self.clock, peeking=True)
        self._mail = _Mail(self.inspector.courier())
        self._random = SystemRandom()
        self._keyring: Keyring = self.inspector.keyring(self._random.bytes(32))
        self._ledger, self._credentials = MemoryLedger(), MemoryCredentials()
        self._events: deque[Happening] = deque(maxlen=_MOST_EVENTS)
        self._counted = 0
        self.repeats = 1
        self._before: list[Flow] = []
        self._begun, self._taken = 0, 0
        self._is_played = False
        self.saved = self.on_disk()
        self.good = FlowView("")
        self._tokens = LocalAccessTokens()
        self._made: Triggers | None = None
        self.pool = self._pool()
        self._tokens.pool = self.pool
        self.view = self._used(self._viewed(self.saved))

    # the text

    def edit(self, text: str) -> dict[str, Any]:
        """Take *text* for the flow's; return what is shown of it. If it is no flow, the last good one goes on."""
        with self._lock:
            self._begun += 1
            number = self._begun
        view = self._viewed(text)
        with self._lock:
            # An edit that took longer than a later one is only shown.
            if number > self._taken:
                self._taken = number
                view = self._used(view)
            return {**view.shown(), "mark": mark_of(text)}

    def _used(self, view: FlowView) -> FlowView:
        """Take the flow of *view* into use; return *view*, or why it cannot be used."""
        before = self._before
        if view.flow is not None and view.flow != self.good.flow:
            # A flow under which no sign-in began needs not be kept: a new one comes with nearly every key.
            if self._is_played:
                self._before = list(self._flows[:_PREVIOUS])
            try:
                self._made = self._triggers(view.flow)
            except ConfigurationError as error:
                self._before = before
                return FlowView(view.text, error=str(error))
            self._is_played = False
            self._give_number(view.flow)
        if view.flow is not None:
            self.good = view
        self.view = view
        return view

    def money(self) -> list[tuple[str, str]]:
        """Return the rows that tell what the messages of the flow in use cost."""
        good = self.good
        if self._money is None or self._money[0] is not good:
            self._money = (good, money_of(good, self._prices))
        return self._money[1]

    def _viewed(self, text: str) -> FlowView:
        try:
            return view_of(text, self.path, Registry())
        except WatchwordError as error:
            return FlowView(text, error=str(error))

    def on_disk(self) -> str:
        """Return the text of the file."""
        try:
            return self.path.read_bytes().decode("utf-8")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{self.path} cannot be read: {getattr(error, 'strerror', error)}") from None

    def save(self, text: str, base: str) -> str:
        """Write *text* into the file, if the file is still the one that has the mark *base*; return its new mark.

        The file keeps its mode, and a link stays one: what it leads to is written. Without *base* the file is made anew, if there is none.

        Raises:
            ConfigurationError: if the file has changed since, or cannot be written. Nothing is written then.
        """
        with self._lock:
            try:
                if base:
                    self._replace(self.path.resolve(), text, base)
                else:
                    with self.path.resolve().open("x", encoding="utf-8", newline="") as file:
                        file.write(text)
            except FileExistsError:
                raise self._changed() from None
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "a sign in it has no UTF-8"
                raise ConfigurationError(f"{self.path.name} cannot be written: {why}") from None
            self.saved = text
            return mark_of(text)

    def _replace(self, target: Path, text: str, base: str) -> None:
        """Put *text* in the place of the file *target*, if that has the mark *base*."""
        beside: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
            ) as file:
                beside = Path(file.name)
                file.write(text)
            if mark_of(self.on_disk()) != base:
                raise self._changed()
            shutil.copymode(target, beside)
            beside.replace(target)
        finally:
            if beside is not None:
                with suppress(FileNotFoundError):
                    beside.unlink()

    def _changed(self) -> ConfigurationError:
        return ConfigurationError(f"{self.path.name} has changed on disk; nothing was written: load it first")

    @property
    def is_gone(self) -> bool:
        """Whether the file is no longer there."""
        return not self.path.exists()

    @property
    def differs_on_disk(self) -> bool:
        """Whether the file is another than the one that was read or saved last, or cannot be read."""
        try:
            return mark_of(self.on_disk()) != mark_of(self.saved)
        except ConfigurationError:
            return True

    # the pool

    def _triggers(self, flow: Flow) -> Triggers:
        before = [each for each in self._before if each.fingerprint != flow.fingerprint]
        channels = {step.powers.channel for each in (flow, *before) for step in each.steps.values()}
        return triggers(
            flow,
            previous=before,
            tokens=self._tokens,
            courier=cast("Any", dict.fromkeys(channels - {""} | {"email"}, self._mail)),
            key=self._keyring,
            ledger=self._ledger,
            credentials=self._credentials,
            clock=self.clock,
            random=self._random,
            pad_to=0,
            environment={},
        )

    def _pool(self) -> LocalUserPool:
        define, create, verify = (
            self._repeated(self.inspector.watch(name, partial(self._latest, place))) for place, name in enumerate(NAMES)
        )
        pool = LocalUserPool(
            define,
            create,
            verify,
            clock=self.clock,
            client_id="studio",
            pool_id="us-east-1_Abc123",
            session_minutes=15,
            outbox=self.inspector.mails,
        )
        add_user(pool, USER, PASSWORD, self._attributes)
        return pool

    def _give_number(self, flow: Flow) -> None:
        """Give the user a telephone number that *flow* writes to, if none was given."""
        number = {name: value for name, value in telephone_of(flow, USER).items() if name not in self._attributes}
        given = [{"Name": name, "Value": value} for name, value in number.items()]
        if given:
            self.pool.admin_update_user_attributes(UserPoolId=self.pool.pool_id, Username=USER, UserAttributes=given)

    def _latest(self, place: int, event: Any, context: Any) -> Any:
        if self._made is None:
            raise ConfigurationError("there is no flow yet: the text is broken")
        self._is_played = True
        return tuple(self._made)[place](event, context)

    def _repeated(self, trigger: AnyTrigger) -> AnyTrigger:
        """Return *trigger*, called as often as the host calls it: the last reply counts."""

        def called(event: Any, context: Any) -> Any:
            for _ in range(self.repeats - 1):
                trigger(copy.deepcopy(event), context)
            return trigger(event, context)

        return called

    # what happened

    def record(self, runs: Sequence[TriggerRun]) -> None:
        """Keep *runs* of the triggers, without their secrets."""
        with self._lock:
            for run in runs:
                self._counted += 1
                response = as_mapping(run.returned).get("response")
                node = self._node(run) if run.trigger == "define" and not run.error else ""
                self._events.append(
                    Happening(
                        self._counted,
                        run.trigger,
                        redacted_event(run.event, self._names()),
                        redacted_response(response),
                        run.error[:200],
                        node,
                    )
                )

    @property
    def _flows(self) -> tuple[Flow, ...]:
        """The flow in use, if there is one, and those from before."""
        return (*(() if self.good.flow is None else (self.good.flow,)), *self._before)

    def _names(self) -> frozenset[str]:
        """Return what a client may choose by name: the steps of the flows in use, and where their links lead."""
        steps = [step for flow in self._flows for step in flow.steps.values()]
        return frozenset(name for step in steps for name in (step.name, *step.powers.redirects))

    def _node(self, run: TriggerRun) -> str:
        """Return the node of the diagram at which the sign-in of a run of Define stands."""
        report = self.good.report
        try:
            evaluation = evaluate(session_request_of(dict(run.event)), self._flows)
        except WatchwordError:
            return ""
        decision = evaluation.decision
        if report is None or evaluation.flow != self.good.flow:
            return ""
        if isinstance(decision, Present):
            if decision.host:
                return f"host_{decision.step.lower()}"
            return place_of(report.exploration, evaluation.state) if decision.choices else f"step_{decision.step}"
        return TOKENS if type(decision).__name__ == "IssueTokens" else FAIL

    def since(self, number: int) -> dict[str, Any]:
        """Return what happened behind *number*, and everything that the page shows beside it."""
        with self._lock:
            return {
                "events": [asdict(each) for each in self._events if each.number > number],
                "messages": [asdict(each) for each in tuple(self.inspector.mails)[-20:]],
                "answers": self._answers(),
                "now": self.clock.now(),
                "mail_down": self._mail.down,
                "repeats": self.repeats,
                "changed_on_disk": self.differs_on_disk,
                "gone_from_disk": self.is_gone,
                "playing": mark_of(self.good.text),
            }

    def _answers(self) -> dict[str, str]:
        """Return what a person would type now, by the steps of the flow in use."""
        steps: Mapping[str, object] = {} if self.good.flow is None else self.good.flow.steps
        found = ((each.step, each.text or "") for each in self.inspector.answers_for(USER))
        return {step: text for step, text in found if step in steps and 0 < len(text) <= _MOST_TYPED}

    def set_host(self, *, forward: float = 0, mail_down: bool | None = None, repeats: int | None = None) -> None:
        """Put the clock forward by so many seconds, stop or start the mail, or have each trigger called so many times.

        Raises:
            ConfigurationError: if a number is out of bounds.
        """
        if not 0 <= forward <= _MOST_FORWARD:
            raise ConfigurationError(f"the clock can be put forward by up to {_MOST_FORWARD} seconds")
        if repeats is not None and not 1 <= repeats <= 3:
            raise ConfigurationError("a host calls a trigger once to three times")
        with self._lock:
            self.clock.forward(forward)
            self._mail.down = self._mail.down if mail_down is None else mail_down
            self.repeats = self.repeats if repeats is None else repeats


def mark_of(text: str) -> str:
    """Return the mark of a file's *text*, by which the page says which one it has read."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
