"""T: tokens that tell more than was done. A client names its sign-in; nothing that it says is evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from watchword.algebra.evaluation import SAID_SIGN_IN, evaluate
from watchword.runtime.sign_ins.evidence import EVIDENCE_LIFETIME
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import played, visit
from watchword_adapters.attacks.arena.ways_to_steps import Circumstances
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.aws.cognito import session_request_of
from watchword_adapters.aws.token_claims import CLAIMS, ISSUING
from watchword_adapters.aws_lambda import TriggerError

_CLAIMED = {
    "sign_in_methods": "hwk mfa",
    "sign_in_method": "FIDO2",
    "sign_in_flow": "vault",
    "sign_in_at": "9999999999",
    "amr": "hwk mfa",
    "acr": "aal3",
    "methods": "mfa",
}
_OTHER_SOURCES = ("RefreshTokens", "NewPasswordChallenge", "AuthenticateDevice", "HostedAuth", "ClientCredentials")


@family("V-01", "methods claimed by the client")
def claimed_by_the_client(arena: Arena) -> Cases:
    """Tokens tell the methods that were passed in their sign-in, whatever the client says of them."""
    while True:
        for scene in arena.scenes:
            arena.renew()
            one = _signed_in(arena, scene, said=_CLAIMED)
            yield _overclaims(arena, one, {**_CLAIMED, **_named(one)})
            yield bool(_told(arena, one.person, _CLAIMED))
            attributes = {f"{prefix}{name}": value for name, value in _CLAIMED.items() for prefix in ("", "custom:")}
            yield bool(_told(arena, one.person, {}, userAttributes={**one.person.attributes, **attributes}))
            for response in (_CLAIMED, {"claimsToAddOrOverride": _CLAIMED}):
                yield bool(_told(arena, one.person, _CLAIMED, response=response))


@family("V-02", "the name of another sign-in")
def another_sign_in(arena: Arena) -> Cases:
    """Tokens of one sign-in never tell of another: not of one that is further, or over, or was never named.

    Nor if its last answer is the password, which the host judges: no Verify hears then what the client says.
    """
    while True:
        for scene in arena.scenes:
            for further in ("begun", "unnamed", "over"):
                arena.renew()
                person = arena.person("ann", scene)
                moves = scene.moves[:-1] if further == "begun" else scene.moves
                other = played(arena, person, moves, said=_nothing if further == "unnamed" else _named)
                name = _named(other)
                yield further != "over" and bool(_told(arena, person, name))
                last = _signed_in(arena, scene, said=name, named=False)
                yield last.tokens and bool(_told(arena, last.person, name))
            arena.renew()
            one = _signed_in(arena, scene)
            for other in arena.scenes:
                moved = evolve(one.person, scene=other, attributes=other.of(one.person.attributes))
                last = visit(arena, moved, srp=True)
                if last.host == "PASSWORD_VERIFIER":
                    last.prove(**_named(one))
                    yield last.tokens and bool(_told(arena, last.person, _named(one)))


@family("V-03", "the name of a sign-in at another place or time")
def another_place(arena: Arena) -> Cases:
    """Evidence is of one user, app client and pool, for a minute, and for the tokens of a sign-in alone."""
    while True:
        for scene in arena.scenes:
            arena.renew()
            one = _signed_in(arena, scene)
            name = _named(one)
            yield bool(_told(arena, arena.person("bob", scene), name))
            yield bool(_told(arena, arena.person("nobody", scene, known=False), name))
            for other in ({"userPoolId": "us-east-1_Another00"}, {"callerContext": {"clientId": "another"}}):
                yield bool(_told(arena, one.person, name, event=other))
            for source in _OTHER_SOURCES:
                yield bool(_told(arena, one.person, name, event={"triggerSource": f"TokenGeneration_{source}"}))
            for text in _alike(arena, str(name.get(SAID_SIGN_IN, ""))):
                yield bool(_told(arena, one.person, {SAID_SIGN_IN: text}))
            arena.clock.advance(EVIDENCE_LIFETIME)
            yield bool(_told(arena, one.person, name))


@family("V-04", "evidence forged in the ledger")
def forged_evidence(arena: Arena) -> Cases:
    """Who writes into the ledger, and has no key, makes no evidence; nor is one sign-in's good under another's name."""
    while True:
        for scene in arena.scenes:
            arena.renew()
            ones = [_signed_in(arena, scene, name) for name in ("ann", "bob")]
            written = arena.books.written
            kept = [(key, written[place + 1]) for place, key in enumerate(written) if key.startswith("evidence:")]
            stored = dict(kept)
            records = [pair for pair in stored.items() if " " not in pair[0]]
            plain = '[["hwk", "mfa"], "vault", "", 1]'
            for key, value in records:
                others = [other for _, other in records if other != value]
                for forged in (plain, "", value[::-1], value[:8] + plain, *others):
                    arena.books.put(key, forged, expires=arena.clock.now() + EVIDENCE_LIFETIME, within=1.0)
                    for one in ones:
                        yield _overclaims(arena, one, _named(one))


def _signed_in(
    arena: Arena,
    scene: Circumstances,
    name: str = "ann",
    *,
    said: Mapping[str, str] | None = None,
    named: bool = True,
) -> Any:
    """Play a whole sign-in in which the client says what is *said* with each answer, and its sign-in's name if it is *named*."""

    def along(sign_in: Any) -> Mapping[str, str]:
        return {**(_named(sign_in) if named else {}), **(said or {})}

    return played(arena, arena.person(name, scene), scene.moves, said=along)


def _nothing(_: Any) -> Mapping[str, str]:
    return {}


def _named(sign_in: Any) -> Mapping[str, str]:
    """Return how the client of *sign_in* names it; nothing where it was told no name."""
    name = sign_in.named
    return {SAID_SIGN_IN: name} if name else {}


def _told(
    arena: Arena,
    person: AttackedUser,
    said: Mapping[str, str],
    *,
    event: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    **request: Any,
) -> Mapping[str, str]:
    """Return the claims of ours that tokens of *person* get whose client says what is *said*, by an event of a drawn version."""
    first = arena.draw.random() < 0.5
    details = "claimsOverrideDetails" if first else "claimsAndScopeOverrideDetails"
    inner = response if first else {"idTokenGeneration": response, "accessTokenGeneration": response}
    given: dict[str, Any] = {
        **arena.event("define", person, {}, said),
        "version": "1" if first else arena.draw.choice(("2", "3")),
        "triggerSource": ISSUING,
        "response": {details: inner},
        **(event or {}),
    }
    given["request"] = {**given["request"], **request}
    try:
        answer = arena.triggers.pre_token(given)
    except TriggerError:
        arena.expect(held=False, otherwise="an error where tokens are made locks somebody out")
        return {}
    arena.trail.append(("pre_token", given, answer["response"]))
    said_ = answer["response"][details]
    changes = [said_] if first else [said_["idTokenGeneration"], said_["accessTokenGeneration"]]
    claims: dict[str, str] = {}
    for change in changes:
        left = {*change["claimsToAddOrOverride"]} - {*change["claimsToSuppress"]}
        claims.update({name: change["claimsToAddOrOverride"][name] for name in CLAIMS if name in left})
    return claims


def _overclaims(arena: Arena, sign_in: Any, said: Mapping[str, str]) -> bool:
    """Say whether the tokens of *sign_in* tell more than was passed in it."""
    claims = _told(arena, sign_in.person, said)
    request = session_request_of(arena.event("define", sign_in.person, {"session": sign_in.rounds}))
    evaluation = evaluate(request, arena.flows)
    steps = [evaluation.flow.steps[name] for name in evaluation.passed if name in evaluation.flow.steps]
    due = {word for step in steps if step.proves for word in step.powers.methods}
    due |= {"pwd"} if "PASSWORD_VERIFIER" in evaluation.passed else set()
    due |= {"mfa"} if len(evaluation.factors) > 1 else set()
    told = {*claims.get("sign_in_methods", "").split()}
    late = int(claims.get("sign_in_at", "0")) > arena.clock.now()
    foreign = claims.get("sign_in_flow", evaluation.flow.name) != evaluation.flow.name
    return not told <= (due if sign_in.tokens else set()) or late or foreign


def _alike(arena: Arena, name: str) -> list[str]:
    """Return texts that are close to *name*, and guesses."""
    guess = "".join(arena.draw.choice("0123456789abcdef") for _ in range(32))
    return [
        guess,
        "0" * 32,
        name[:-1],
        name + "0",
        name[::-1],
        name.upper() if name.upper() != name else guess,
        f" {name}",
        "",
    ]


FAMILIES = families_in(globals())
