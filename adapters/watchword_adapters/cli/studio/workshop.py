"""The flow in work: what the page edits, the local pool that plays it, and what happened there."""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from attrs import asdict

from watchword.algebra.flow import Flow
from watchword.analysis.state_space import Exploration, explore
from watchword.contract.ports import Courier, Receipt
from watchword.errors import ConfigurationError, UnavailableError, WatchwordError
from watchword.loading.registry import Registry
from watchword.runtime.keyring import Keyring
from watchword_adapters.attacks.devices.telephone_numbers import telephone_of
from watchword_adapters.aws_lambda import Triggers, triggers
from watchword_adapters.cli.local.forward_clock import ForwardClock
from watchword_adapters.cli.local.local_run import add_user
from watchword_adapters.cli.messages.message_costs import MessagePrice
from watchword_adapters.cli.studio.edited_file import EditedFile, FileText
from watchword_adapters.cli.studio.flow_view import MOST_WALKED, FlowView, money_of, view_of
from watchword_adapters.cli.studio.sign_ins import FollowedSignIns
from watchword_adapters.clock import SystemRandom
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver.inspector import Inspector
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

_PREVIOUS = 8
_MOST_FORWARD = 86_400


class _Post:
    """The courier of one channel: it hands on to the letterbox, or is stopped."""

    channel: ClassVar[str] = "email"

    def __init__(self, letterbox: Courier, name: str, stopped: Collection[str]) -> None:
        self._letterbox, self._name, self._stopped = letterbox, name, stopped

    @property
    def floor(self) -> float:
        return 0.0

    def send(self, letter: Any, within: float, /) -> Receipt:
        if self._name in self._stopped:
            raise UnavailableError(f"{self._name} is stopped", undelivered=True, reason="unreachable")
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
        *,
        previous: Sequence[Flow] = (),
        dialect: str | None = None,
        session_minutes: int = 3,
    ) -> None:
        self.path, self.dialect, self.session_minutes = path, dialect, session_minutes
        self._deployed = tuple(explore(each, limit=MOST_WALKED) for each in previous)
        self.file = EditedFile(path)
        self._attributes, self._prices = {**USER_ATTRIBUTES, **(attributes or {})}, prices or {}
        self._money: tuple[FlowView, list[tuple[str, str]]] | None = None
        self._lock = threading.RLock()
        self.clock = ForwardClock()
        self.inspector = Inspector(self.clock, peeking=True)
        self._stopped: set[str] = set()
        self._random = SystemRandom()
        self._keyring: Keyring = self.inspector.keyring(self._random.bytes(32))
        self._ledger, self._credentials = MemoryLedger(), MemoryCredentials()
        self.sign_ins = FollowedSignIns(self.clock, self._credentials, 60 * session_minutes, self._in_use)
        self.repeats = 1
        self._before: list[FlowView] = []
        self._begun, self._taken = 0, 0
        self._is_played = False
        self.good = FlowView("")
        self._tokens = LocalAccessTokens()
        self._made: Triggers | None = None
        self.pool = self._pool()
        self._tokens.pool = self.pool
        self.view = self._used(self._viewed(self.file.known.text))

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
            return {**view.shown(), "mark": mark_of(text), "playing": mark_of(self.good.text)}

    def _used(self, view: FlowView) -> FlowView:
        """Take the flow of *view* into use; return *view*, or why it cannot be used."""
        before = self._before
        if view.flow is not None and view.flow != self.good.flow:
            # A flow under which no sign-in began needs not be kept: a new one comes with nearly every key.
            if self._is_played:
                self._before = [each for each in (self.good, *self._before) if each.flow is not None][:_PREVIOUS]
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
            return view_of(text, self.path, Registry(), self.session_minutes)
        except WatchwordError as error:
            return FlowView(text, error=str(error))

    # the pool

    def _triggers(self, flow: Flow) -> Triggers:
        flows = (cast("Flow", each.flow) for each in self._before)
        before = [each for each in flows if each.fingerprint != flow.fingerprint]
        channels = {"email"}.union(*map(_channels, (flow, *before)))
        letterbox = self.inspector.courier()
        return triggers(
            flow,
            previous=before,
            tokens=self._tokens,
            courier=cast("Any", {each: _Post(letterbox, each, self._stopped) for each in channels}),
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
            session_minutes=self.session_minutes,
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
            raise ConfigurationError("there is no flow in use yet: mend the text first")
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

    def _in_use(self) -> Sequence[Exploration]:
        """Return the flows in use: the one in work, and those from before it under which a sign-in began."""
        return tuple(each.report.exploration for each in (self.good, *self._before) if each.report is not None)

    @property
    def explored(self) -> Sequence[Exploration]:
        """The flows by which captured events are explained: those in use, and those that were deployed before."""
        return (*self._in_use(), *self._deployed)

    def since(self, number: int, sessions: Sequence[str] = ()) -> dict[str, Any]:
        """Return what happened behind *number*, what would be right now in *sessions*, and everything that the page shows beside it."""
        with self._lock:
            return {
                "events": self.sign_ins.since(number),
                "messages": [asdict(each) for each in tuple(self.inspector.mails)[-20:]],
                "answers": [self.sign_ins.answer(each) for each in sessions],
                "now": self.clock.now(),
                "channels": {each: each in self._stopped for each in _channels(self.good.flow)},
                "repeats": self.repeats,
                "changed_on_disk": self.file.differs,
                "gone_from_disk": self.file.is_gone,
                "playing": mark_of(self.good.text),
            }

    def set_host(
        self, *, forward: float = 0, stopped: Mapping[str, bool] | None = None, repeats: int | None = None
    ) -> None:
        """Put the clock forward by so many seconds, stop or start channels, or have each trigger called so many times.

        Raises:
            ConfigurationError: if a number is out of bounds.
        """
        if not 0 <= forward <= _MOST_FORWARD:
            raise ConfigurationError(f"the clock can be put forward by up to {_MOST_FORWARD} seconds")
        if repeats is not None and not 1 <= repeats <= 3:
            raise ConfigurationError("a host calls a trigger once to three times")
        with self._lock:
            self.clock.forward(forward)
            for channel, is_stopped in (stopped or {}).items():
                (self._stopped.add if is_stopped else self._stopped.discard)(channel)
            self.repeats = self.repeats if repeats is None else repeats


def _channels(flow: Flow | None) -> dict[str, None]:
    """Return the channels that *flow* sends on, in the order of its steps."""
    return dict.fromkeys(step.powers.channel for step in (flow.steps.values() if flow else ()) if step.powers.channel)


def mark_of(text: str) -> str:
    """Return the mark of a *text*, by which the page says which one it shows."""
    return FileText(text.encode(), text).mark
