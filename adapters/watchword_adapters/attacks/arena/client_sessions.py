"""One sign-in as a client sees it, through the triggers, the local pool or the plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from watchword.algebra import derivative
from watchword.errors import FAILURE_TEXTS
from watchword.runtime.wire import write_metadata
from watchword_adapters.attacks.arena.attacked_host import ATTACKED_PASSWORD, ATTACKED_POOL, Arena, AttackedUser
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.session_policy import may_issue, passes
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget, Move
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.functions import Asked, Reply, SignedIn
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool.api.errors import ClientError

DOORS = ("triggers", "pool", "functions")


class Visit(Protocol):
    """One sign-in. *public* is what is asked, empty at the end; *refused* is the text of a refusal."""

    public: Mapping[str, str]
    host: str
    tokens: bool
    refused: str | None
    right: str | None
    door: str

    def prove(self) -> None:
        """Prove the password."""
        ...

    def answer(self, text: Any, action: str | None = None, choice: str | None = None) -> None:
        """Answer what is asked."""
        ...


class TriggersVisit:
    """A sign-in whose events are made by hand, as Cognito would make them. *rounds* is the session so far, *named* what the client is told that the sign-in is called."""

    door = "triggers"

    def __init__(self, arena: Arena, person: AttackedUser, *, srp: bool) -> None:
        self.arena = arena
        self.person = person
        self.rounds: list[dict[str, Any]] = [round_of("SRP_A")] if srp else []
        self.public: Mapping[str, str] = {}
        self.private: Mapping[str, str] = {}
        self.metadata = ""
        self.host = ""
        self.tokens = False
        self.refused: str | None = None
        self.right: str | None = None
        self.named = ""
        self.said: Mapping[str, Any] = {}
        self.goes_on({})

    def prove(self, **said: Any) -> None:
        """Have the host find the password right; anything may be *said* along."""
        self.rounds.append(round_of("PASSWORD_VERIFIER"))
        self.goes_on(said)

    def answer(self, text: Any, action: str | None = None, choice: str | None = None, **said: Any) -> None:
        """Answer; anything may be *said* along."""
        own = {"watchword_action": action, "watchword_choice": choice}
        said = {**said, **{key: value for key, value in own.items() if value is not None}}
        request = {"privateChallengeParameters": dict(self.private), "challengeAnswer": text}
        try:
            response = self.arena.call("verify", self.arena.event("verify", self.person, request, said))
        except TriggerError as error:
            self._ends(str(error).partition(" ")[0])
            return
        self.rounds.append(round_of("CUSTOM_CHALLENGE", response["answerCorrect"], self.metadata))
        self.goes_on(said)

    def goes_on(self, said: Mapping[str, Any]) -> None:
        """Ask Define what comes next, and Create for it."""
        self.public, self.host, self.right, self.said = {}, "", None, said
        request = {"session": [dict(each) for each in self.rounds]}
        try:
            decided = self.arena.call("define", self.arena.event("define", self.person, request, said))
            if decided["issueTokens"] or decided["failAuthentication"]:
                self.tokens = decided["issueTokens"]
                self.refused = None if self.tokens else ""
            elif decided["challengeName"] != "CUSTOM_CHALLENGE":
                self.host = decided["challengeName"]
            else:
                self._asks(self.arena.call("create", self.arena.event("create", self.person, request, said)))
        except TriggerError as error:
            self._ends(str(error).partition(" ")[0])

    def create_event(self) -> dict[str, Any]:
        """Return the event with which Create was called last."""
        return self.arena.event("create", self.person, {"session": [dict(each) for each in self.rounds]}, self.said)

    def _asks(self, made: Mapping[str, Any]) -> None:
        self.public, self.private = made["publicChallengeParameters"], made["privateChallengeParameters"]
        self.metadata = made["challengeMetadata"]
        self.named = self.public.get("signin", "")
        self.right = self.arena.right_of(self.private)

    def _ends(self, text: str) -> None:
        self.public, self.private, self.refused = {}, {}, text


class PoolVisit:
    """A sign-in at the local user pool, by the calls that clients make."""

    door = "pool"

    def __init__(self, arena: Arena, person: AttackedUser, *, srp: bool, password: str = ATTACKED_PASSWORD) -> None:
        self.arena = arena
        self.person = person
        self.session = ""
        self.public: Mapping[str, str] = {}
        self.host = ""
        self.tokens = False
        self.refused: str | None = None
        self.right: str | None = None
        self.client = SrpClient(ATTACKED_POOL, person.name, password, arena.random) if srp else None
        plain = {"USERNAME": person.name, "CHALLENGE_NAME": "CUSTOM_CHALLENGE"}
        parameters = self.client.auth_parameters() if self.client else plain
        self.calls("initiate_auth", AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)

    def prove(self) -> None:
        """Prove the password by SRP."""
        assert self.client is not None
        responses = self.client.answer(self.public, self.arena.clock.now())
        self.responds("PASSWORD_VERIFIER", responses, {})

    def answer(self, text: Any, action: str | None = None, choice: str | None = None, **said: Any) -> None:
        """Answer; anything may be *said* along."""
        own = {"watchword_action": action, "watchword_choice": choice}
        said = {**said, **{key: value for key, value in own.items() if value is not None}}
        self.responds("CUSTOM_CHALLENGE", {"USERNAME": self.person.name, "ANSWER": text}, said)

    def responds(self, challenge: str, responses: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        """Call RespondToAuthChallenge."""
        call: dict[str, Any] = {"Session": self.session, "ChallengeName": challenge, "ChallengeResponses": responses}
        self.calls("respond_to_auth_challenge", **call, **({"ClientMetadata": dict(said)} if said else {}))

    def calls(self, operation: str, **parameters: Any) -> None:
        """Call the pool."""
        self.public, self.host, self.right = {}, "", None
        try:
            reply = getattr(self.arena.pool, operation)(ClientId=self.arena.pool.client_id, **parameters)
        except ClientError as error:
            self.refused = error.response["Error"]["Message"]
            self.arena.trail.append((operation, parameters, error))
            return
        self.arena.trail.append((operation, parameters, reply))
        self.tokens = "AuthenticationResult" in reply
        self.session = reply.get("Session", "")
        self.public = reply.get("ChallengeParameters", {})
        if reply.get("ChallengeName", "CUSTOM_CHALLENGE") != "CUSTOM_CHALLENGE":
            self.host = reply["ChallengeName"]
        elif self.public.get("kind", "select") != "select":
            self.right = self.arena.notes.made[-1].right


class FunctionsVisit:
    """A sign-in by plain functions. *rights* are the steps that were passed, as the ledger saw it."""

    door = "functions"

    def __init__(self, arena: Arena, person: AttackedUser, *, srp: bool, password: str = ATTACKED_PASSWORD) -> None:
        self.arena = arena
        self.person = person
        self.token = ""
        self.public: Mapping[str, str] = {}
        self.host = ""
        self.tokens = False
        self.refused: str | None = None
        self.right: str | None = None
        self.rights: list[str] = ["SRP_A"] if srp else []
        self.enrolled: frozenset[str] | None = None
        sign_in = arena.sign_in
        self.client = SrpClient(sign_in.realm, person.name, password, arena.random) if srp else None
        srp_a = self.client.auth_parameters()["SRP_A"] if self.client else None
        self.takes(self.arena.sign_in.begin(person.name, srp_a))

    def prove(self) -> None:
        """Prove the password by SRP."""
        assert self.client is not None
        proof = self.client.answer(self.public, self.arena.clock.now())
        self.rights.append("PASSWORD_VERIFIER")
        self.takes(self.arena.sign_in.respond(self.token, proof))

    def answer(self, text: Any, action: str | None = None, choice: str | None = None) -> None:
        """Answer."""
        step, consumed, judged = (
            self.public.get("step", ""),
            len(self.arena.books.used_up),
            len(self.arena.notes.judged),
        )
        reply = self.arena.sign_in.respond(self.token, text, action, choice)
        seen = self.arena.notes.judged[judged:]
        if len(self.arena.books.used_up) > consumed and any(each.right for each in seen):
            self.rights.append(str(choice) if step == derivative.SELECT else step)
        self.takes(reply)

    def takes(self, reply: Reply) -> None:
        """Judge a reply, and take it in."""
        arena = self.arena
        arena.trail.append(("functions", self.person.name, reply))
        self.public, self.host, self.right = {}, "", None
        if isinstance(reply, Asked):
            self.public, self.token = reply.public, reply.token
            if self.enrolled is None and reply.step != "PASSWORD_VERIFIER":
                self.enrolled = arena.notes.devices.kinds_of(self.person.attributes)
            if reply.step == "PASSWORD_VERIFIER":
                self.host = reply.step
            elif reply.step != "select":
                self.right = arena.notes.made[-1].right
                if self.right is not None:
                    shown = () if reply.public.get("enrol") else tuple(reply.public.values())
                    arena.watch_for(self.right, [*shown, repr(reply)])
        elif isinstance(reply, SignedIn):
            self.tokens = True
            enrolled = self.enrolled or frozenset()
            due = self.person.known and passes(
                arena.flow, self.rights, self.person.attributes, self.person.scene.client, enrolled
            )
            arena.expect(due, "tokens outside the policy")
        else:
            self.refused = reply.text
            arena.expect(reply.text in {"", *FAILURE_TEXTS}, "a text that is not on the list")


def round_of(name: str, result: object = True, metadata: object = None) -> dict[str, Any]:
    """Return one entry of a session."""
    return {"challengeName": name, "challengeResult": result, "challengeMetadata": metadata}


def visit(arena: Arena, person: AttackedUser, *, srp: bool, door: str = "triggers") -> Any:
    """Begin a sign-in at *door*."""
    doors = {"triggers": TriggersVisit, "pool": PoolVisit, "functions": FunctionsVisit}
    return doors[door if person.scene.plain else "triggers"](arena, person, srp=srp)


def _nothing(_: Any) -> Mapping[str, str]:
    """Say nothing."""
    return {}


def played(
    arena: Arena,
    person: AttackedUser,
    moves: tuple[Move, ...],
    door: str = "triggers",
    said: Callable[[Any], Mapping[str, str]] = _nothing,
) -> Any:
    """Begin a sign-in at *door* and make *moves* in it. The client says what is *said* along with each answer."""
    sign_in = visit(arena, person, srp=moves[:1] == (("srp", ""),), door=door)
    for move, what in moves:
        if sign_in.refused is not None or sign_in.tokens:
            break
        match move:
            case "password":
                sign_in.prove()
            case "choose":
                sign_in.answer(what, choice=what, **said(sign_in))
            case "right":
                sign_in.answer(sign_in.right or "", **said(sign_in))
            case "wrong":
                sign_in.answer(wrong_answer(sign_in.right, arena.draw), **said(sign_in))
            case _:
                pass
    return sign_in


def reached(arena: Arena, target: AttackTarget, name: str = "ann", door: str = "triggers") -> Any:
    """Begin a sign-in of *name* that has come to the first challenge of *target*."""
    return played(arena, arena.person(name, target.scene), target.moves, door)


def finished(arena: Arena, scene: Any = None, name: str = "ann", door: str = "triggers") -> Any:
    """Play a whole sign-in of *name*."""
    scene = scene or arena.scenes[0]
    return played(arena, arena.person(name, scene), scene.moves, door)


def whole(arena: Arena) -> Iterator[tuple[list[dict[str, Any]], Any]]:
    """Give the rounds of a whole sign-in of each scene, with a wrong answer or a resend in some."""
    for scene in arena.scenes:
        for detour in (False, True):
            arena.renew()
            person = arena.person(arena.draw.choice(["ann", "bob"]), scene)
            one = played(arena, person, scene.moves[: len(scene.moves) - 1] if detour else scene.moves)
            if detour and one.public:
                one.answer(wrong_answer(one.right, arena.draw), action=arena.draw.choice([None, "resend"]))
                if one.public:
                    one.answer(one.right or "")
            if one.tokens:
                yield one.rounds, person
    arena.renew()


def unworthy(arena: Arena, person: Any, session: list[Any]) -> bool:
    """Say whether *session* gives tokens that are not due."""
    return arena.issues(person, session) and not may_issue(arena.flows, session, person.attributes, person.scene.client)


def with_field(text: str | None, name: str, value: str) -> str:
    """Return metadata with one field replaced."""
    fields = derivative.read_metadata(text)
    return write_metadata({**fields, name: value}) if fields else str(text)
