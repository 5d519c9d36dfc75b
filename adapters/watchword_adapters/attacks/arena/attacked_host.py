"""The host that attacks run against: triggers, users and mail of one flow. Every call is checked."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from random import Random
from typing import Any, cast

from attrs import define, field, frozen

from watchword.algebra.flow import Flow
from watchword.contract.credentials import Credentials
from watchword.contract.kinds import Kind, User
from watchword.contract.ports import Audit, Courier, Ledger
from watchword.errors import FAILURE_TEXTS
from watchword.loading.registry import Registry
from watchword.runtime.keyring import Keyring
from watchword.testing.code_tap import recording_ring
from watchword.testing.mailbox import Mailbox
from watchword.testing.requests import knows_access_token
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.attacks.arena.kind_probe import IssuedChallenge, Notes, spied_on
from watchword_adapters.attacks.arena.replaceable_ledger import ReplaceableLedger
from watchword_adapters.attacks.arena.secret_search import SHORTEST_SECRET, stands_in, without_digests
from watchword_adapters.attacks.arena.session_policy import may_issue, sign_in_of
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget, Circumstances, circumstances_of, targets_of
from watchword_adapters.attacks.devices.first_enrolments import enrol_at_first
from watchword_adapters.attacks.devices.held_devices import HeldDevices
from watchword_adapters.attacks.devices.replaceable_store import unexpected_writes
from watchword_adapters.attacks.devices.telephone_numbers import telephone_of
from watchword_adapters.attacks.devices.user_addresses import ExtraAttributes, addresses_of, attributes_given
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError, Triggers, triggers
from watchword_adapters.functions import SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.directory.users import DEFAULT_ALIASES

AttackEvent = dict[str, Any]
"""What the users have beside an address: the same for all, or by a user's name."""

ATTACKED_POOL = "us-east-1_AbCdEf123"
ATTACKED_PASSWORD = "Passw0rd!x"  # noqa: S105 - of users who exist nowhere else
_TEXT = re.compile(rf"(?:{'|'.join(FAILURE_TEXTS)}) \(ref [BCDFGHJKLMNPQRSTVWXZ]{{8}}\)")
_SOURCES = {
    "define": "DefineAuthChallenge_Authentication",
    "create": "CreateAuthChallenge_Authentication",
    "verify": "VerifyAuthChallengeResponse_Authentication",
}


@frozen
class AttackedUser:
    """Somebody who signs in, or who does not exist."""

    name: str
    scene: Circumstances = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    known: bool = True


@define(eq=False, slots=False)
class Arena:
    """One flow, spied on, with its triggers, a local pool and plain functions around one ledger, clock and mailbox.

    *breaches* are the successes that the judge has seen; *draw* is where attacks get their chance from; *trail* are the last calls
    and what they answered. *memory* keeps what the kinds of a flow show, for all arenas of a run; *registry* finds what is installed.
    """

    given: Flow
    seed: str
    spoil: Callable[[Kind], object] | None = None
    courier: Any = None
    ledger: Callable[[], Ledger] = MemoryLedger
    pad_to: float = 0.0
    previous: Sequence[Flow] = ()
    attributes: ExtraAttributes = field(factory=dict[str, str], repr=False)
    memory: dict[str, Mapping[str, set[str]]] = field(factory=dict[str, Mapping[str, set[str]]], repr=False)
    registry: Registry = field(factory=Registry, repr=False)
    notes: Notes = field(factory=Notes)
    clock: VirtualClock = field(factory=VirtualClock)
    mail: Mailbox = field(factory=Mailbox)
    audit: MemoryAudit = field(factory=MemoryAudit)
    breaches: list[str] = field(factory=list[str])
    lines: list[str] = field(factory=list[str])

    def __attrs_post_init__(self) -> None:
        """Prepare what is not made on demand."""
        self.draw = Random(self.seed)  # noqa: S311 - attacks are to be repeatable
        self.random = SeededRandom(self.seed)
        self.key = self.random.bytes(32)
        self.notes.devices = HeldDevices(self.seed, ATTACKED_POOL)
        self.store = self.notes.devices.store
        self.flow = spied_on(self.given, self.notes, self.spoil)
        self.flows = (self.flow, *self.previous)
        self.books = ReplaceableLedger(self.ledger)
        self.scenes = tuple(circumstances_of(self.flow))
        kinds = {name: step.kind for name, step in self.given.steps.items()}
        self.targets = tuple(targets_of(self.flow, self.scenes, kinds))
        self.issued: dict[str, IssuedChallenge] = {}
        self.accepted: dict[str, tuple[str, object]] = {}
        self.people: dict[tuple[str, int], AttackedUser] = {}
        self.began: dict[str, frozenset[str]] = {}
        self.called = 0.0
        self.trail: deque[tuple[str, Any, object]] = deque(maxlen=6)

    @property
    def channels(self) -> dict[str, Courier]:
        """A courier for each channel of the flow."""
        steps = [step for flow in self.flows for step in flow.steps.values()]
        return {step.powers.channel: self.courier or self.mail for step in steps if step.powers.sends}

    @cached_property
    def triggers(self) -> Triggers:
        """The Lambda triggers."""
        return self.made_with()

    def made_with(self, **settings: Any) -> Triggers:
        """Return triggers like the arena's own, but for *settings*."""
        if "key" in settings:
            settings["key"] = recording_ring(Keyring.of(settings["key"]))
        settings = {"previous": self.previous, **self._ports(), **settings}
        return triggers(settings.pop("flow", self.flow), **settings)

    def _ports(self) -> dict[str, Any]:
        return {
            "key": recording_ring(Keyring.of(self.key)),
            "ledger": cast("Ledger", self.books),
            "credentials": cast("Credentials", self.store),
            "courier": self.channels,
            "clock": self.clock,
            "random": self.random,
            "audit": cast("Audit", self.audit),
            "pad_to": self.pad_to,
            "environment": {},
            "registry": self.registry,
            "tokens": knows_access_token,
        }

    @cached_property
    def pool(self) -> LocalUserPool:
        """The local user pool, whose triggers are the arena's own, judged."""
        # An alias is one user's; what a condition asks for, or all users were given, several have.
        shared = {name for scene in self.scenes for name in scene.attributes}
        shared.update(() if callable(self.attributes) else self.attributes)
        ways = {name: partial(self._answer, name) for name in _SOURCES}
        pool = LocalUserPool(
            *(ways[name] for name in ("define", "create", "verify")),
            clock=self.clock,
            random=self.random,
            aliases=[name for name in DEFAULT_ALIASES if name not in shared],
        )
        for person in self.people.values():
            self._join(pool, person)
        return pool

    @cached_property
    def sign_in(self) -> SignIn:
        """The plain functions."""
        return SignIn(self.flow, users=self, previous=self.previous, realm=ATTACKED_POOL, **self._ports())

    @cached_property
    def _verifiers(self) -> dict[str, tuple[str, str]]:
        return {}

    def find(self, name: str) -> UserRecord | None:
        """Return the user called *name*, as the plain functions ask for it."""
        person = next((each for each in self.people.values() if each.name == name), None)
        if person is None or not person.known:
            return None
        if name not in self._verifiers:
            self._verifiers[name] = self.sign_in.verifier(name, ATTACKED_PASSWORD)
        return UserRecord(person.attributes, *self._verifiers[name])

    def person(
        self, name: str = "ann", scene: Circumstances | None = None, *, known: bool = True, **attributes: str
    ) -> AttackedUser:
        """Return the person called *name* in *scene*: the same one every time, registered wherever it is needed."""
        scene = scene or self.scenes[0]
        spelt = f"{name}{scene.number or ''}"
        person = self.people.get((spelt, scene.number))
        if person is None:
            sub = f"11111111-2222-4333-8444-{len(self.people):012}"
            own = {"sub": sub, "email": f"{spelt}@example.com", "email_verified": "true"}
            person = AttackedUser(
                spelt, scene, {**self.attributes_for(spelt, scene, own), **attributes} if known else {}, known
            )
            self.people[spelt, scene.number] = person
            self.enrols(person)
            if "pool" in vars(self):
                self._join(self.pool, person)
        return person

    def attributes_for(self, name: str, scene: Circumstances, own: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes of user *name* in *scene*: their *own*, what the kinds need, and what the scene wants."""
        return scene.of({**telephone_of(self.given, name), **own, **attributes_given(self.attributes, name)})

    def enrols(self, person: AttackedUser, **attributes: str) -> AttackedUser:
        """Have *person*, perhaps with other *attributes*, enrol for what their scene wants, before any attack; return them."""
        if person.known:
            user, made = User(person.name, {**person.attributes, **attributes}), self.notes.made
            seen, judged = len(made), len(self.notes.judged)
            enrol_at_first(
                self.flow, self.notes.devices, self.key, user, person.scene.enrolled, right=lambda: made[-1].right
            )
            del made[seen:], self.notes.judged[judged:]
        return person

    def _join(self, pool: LocalUserPool, person: AttackedUser) -> None:
        if person.known:
            attributes = {name: value for name, value in person.attributes.items() if name != "sub"}
            joined = pool.add_user(person.name, password=ATTACKED_PASSWORD, attributes=attributes)
            self.enrols(person, sub=joined.sub)

    def renew(self) -> None:
        """Begin with an empty ledger, an empty mailbox, and what people had enrolled at first."""
        self.books.renew()
        self.store.renew()
        self.notes.clear()
        self.mail.messages.clear()
        self.mail.down = False
        self.audit.events.clear()
        self.accepted.clear()
        self.lines.clear()
        if len(self.issued) > 2000:
            self.issued.clear()
            self.began.clear()

    def target(self, wanted: Callable[[AttackTarget], bool] = lambda _: True) -> AttackTarget:
        """Return one of the steps that are *wanted*."""
        return self.draw.choice([each for each in self.targets if wanted(each)])

    # Calls, judged

    def event(
        self, trigger: str, person: AttackedUser, request: Mapping[str, Any], said: Mapping[str, Any] | None = None
    ) -> AttackEvent:
        """Return the event of *trigger* for *person*."""
        shared: dict[str, Any] = {"userAttributes": dict(person.attributes), "userNotFound": not person.known}
        if said is not None:
            shared["clientMetadata"] = dict(said)
        if trigger == "create":
            shared["challengeName"] = "CUSTOM_CHALLENGE"
        return {
            "version": "1",
            "triggerSource": _SOURCES[trigger],
            "region": "us-east-1",
            "userPoolId": ATTACKED_POOL,
            "userName": person.name,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": person.scene.client},
            "request": {**shared, **request},
            "response": {},
        }

    def call(self, trigger: str, event: Any, made: Triggers | None = None) -> AttackEvent:
        """Have *trigger* answer *event*, and judge what it says.

        Raises:
            TriggerError: if it ends closed.
        """
        before = self.store.everything()
        self.called = self.clock.now()  # an answer that came in time may be judged when it is late already
        try:
            answer = getattr(made or self.triggers, trigger)(event, None)
        except TriggerError as error:
            self.trail.append((trigger, event, error))
            self.expect(_TEXT.fullmatch(str(error)) is not None, f"{trigger} raised a text that is not on the list")
            raise
        except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:  # noqa: BLE001 - that is the question
            self.trail.append((trigger, event, error))
            self.breaches.append(f"{trigger} died with {type(error).__name__}")
            raise TriggerError("UNAVAILABLE") from None
        self.trail.append((trigger, event, answer["response"]))
        getattr(self, f"_judge_{trigger}")(event, answer["response"])
        if trigger == "verify":
            owner = self.notes.devices.owner(event["request"]["userAttributes"])
            right = answer["response"].get("answerCorrect") is True
            self.breaches += unexpected_writes(before, self.store.everything(), owner if right else "")
        return cast("AttackEvent", answer["response"])

    def _answer(self, trigger: str, event: AttackEvent, context: object) -> AttackEvent:
        return {**event, "response": self.call(trigger, event)}

    def refused(self, trigger: str, event: Any, made: Triggers | None = None) -> str:
        """Return the text with which *trigger* refuses *event*, or nothing if it answers."""
        try:
            self.call(trigger, event, made)
        except TriggerError as error:
            return str(error).partition(" ")[0]
        return ""

    def issues(self, person: AttackedUser, session: Any, said: Mapping[str, Any] | None = None) -> bool:
        """Say whether Define gives tokens for *session*, whatever the judge says of it."""
        try:
            return self.call("define", self.event("define", person, {"session": session}, said))["issueTokens"] is True
        except TriggerError:
            return False

    def accepts(self, person: AttackedUser, private: Any, answer: Any, **other: Any) -> bool:
        """Say whether Verify takes *answer* for right; *other* replaces fields of the event."""
        request = {"privateChallengeParameters": private, "challengeAnswer": answer}
        try:
            return self.call("verify", {**self.event("verify", person, request), **other})["answerCorrect"] is True
        except TriggerError:
            return False

    def expect(self, held: bool, otherwise: str) -> None:
        """Note a breach unless it *held*."""
        if not held:
            self.breaches.append(otherwise)

    def _judge_define(self, event: AttackEvent, response: AttackEvent) -> None:
        flags = [response.get("issueTokens"), response.get("failAuthentication")]
        self.expect(all(type(flag) is bool for flag in flags), "Define said something other than true or false")
        if flags[0] is not False:
            request = event["request"]
            due = not request.get("userNotFound") and may_issue(
                self.flows,
                request.get("session") or [],
                request["userAttributes"],
                event["callerContext"]["clientId"],
                self.began,
            )
            self.expect(due, "tokens outside the policy")

    def _judge_create(self, event: AttackEvent, response: AttackEvent) -> None:
        private, public = response["privateChallengeParameters"], response["publicChallengeParameters"]
        self.expect(bool(private), "Create handed out no private parameters")
        user = event["request"]["userAttributes"]
        self.began.setdefault(sign_in_of(response["challengeMetadata"]), self.notes.devices.kinds_of(user))
        made = self.notes.made[-1] if self.notes.made and public.get("kind") != "select" else None
        right = made.right if made else None
        names = [name for name in str(public.get("offers", "")).split(",") if name]
        offers = self.notes.made[-len(names) :] if names else []
        if "round" in private:
            binding = (event["userPoolId"], event["callerContext"]["clientId"], event["userName"])
            self.issued[private["round"]] = IssuedChallenge(
                private, binding, right, {each.step: each.right for each in offers}
            )
        codes = (code for each in (*offers, *([made] if made else [])) for code in each.secrets)
        # Whoever enrols is shown what is theirs, to keep it; the host is not.
        shown = () if public.get("enrol") else tuple(public.values())
        texts = [*shown, *private.values(), response["challengeMetadata"]]
        for secret in {right, *(each.right for each in offers), *codes} - {None}:
            self.watch_for(str(secret), texts)
        for address in addresses_of(self.attributes, user):
            self.expect(address not in " ".join(texts), "Create handed out the address")

    def _judge_verify(self, event: AttackEvent, response: AttackEvent) -> None:
        right = response.get("answerCorrect")
        self.expect(type(right) is bool, "Verify said something other than true or false")
        if right is False:
            return
        private = event["request"]["privateChallengeParameters"]
        issued = self.issued.get(str(private.get("round")))
        if issued is None or dict(private) != dict(issued.private):
            self.breaches.append("an answer was accepted to private parameters that Create never wrote")
            return
        binding = (event["userPoolId"], event["callerContext"]["clientId"], event["userName"])
        self.expect(issued.binding == binding, "an answer was accepted for another user, pool or client")
        taken = (issued.private["round"], event["request"].get("challengeAnswer"))
        first = self.accepted.setdefault(issued.private["claim"], taken)
        self.expect(first == taken, "a challenge was accepted twice")
        if first is taken:
            late = self.called >= int(issued.private["expires"])
            self.expect(not late, "an answer was accepted after its time")

    def watch_for(self, secret: str, texts: Sequence[str]) -> None:
        """Note a breach if *secret* can be read from one of *texts*."""
        if stands_in(secret, texts):
            self.breaches.append("a secret stands in what was handed out")

    def watch_logs(self, secrets: Sequence[str]) -> None:
        """Note a breach if one of *secrets* was logged, audited, or written to the ledger."""
        texts = [*self.lines, *(repr(event) for event in self.audit.events), *self.books.written]
        text = without_digests("\n".join(texts))
        keys = (base64.b64encode(self.key).decode(), self.key.hex(), repr(self.key)[2:-1])
        for secret in (*secrets, *keys):
            self.expect(len(secret) < SHORTEST_SECRET or secret not in text, "a secret was logged or stored")

    def right_of(self, private: Mapping[str, str]) -> str | None:
        """Return the right answer to the challenge of *private*."""
        issued = self.issued.get(private.get("round", ""))
        return issued.right if issued else None

    def offered_in(self, private: Mapping[str, str]) -> Mapping[str, str | None]:
        """Return the right answers to what is offered in the choice of *private*, by step."""
        issued = self.issued.get(private.get("round", ""))
        return issued.offered if issued else {}
