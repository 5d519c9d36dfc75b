"""Every entrance by which a stranger's or an operator's data comes in, and data that is far too large for any of them."""

import base64
import copy
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from attrs import evolve, field, frozen
from pyotp import TOTP

from kit.engine_host import Riddle
from kit.fobs import Fob
from kit.hosts import event, ports, sign_in_of, triggers_of
from kit.passkeys import StandIn, assertion
from watchword import Challenge, Email, Flow, Verdict, WatchwordError, sequence
from watchword.algebra import derivative, session_notation
from watchword.algebra.limits import parse_limit
from watchword.analysis import requirement
from watchword.contract.kinds import MAX_MESSAGE
from watchword.errors import FAILURE_TEXTS
from watchword.loading.flow_file import load_flow
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword.runtime.wire import read_carry, read_private_parameters
from watchword.testing import (
    ANN,
    NOW,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    verify_request,
)
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.cli.logs.captured_events import read_events
from watchword_adapters.couriers.envelope import Sender, refuse_unfit
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.dialects.passwordless import ANYTHING_ELSE, NOT_SUPPORTED
from watchword_adapters.fido2_api import fido2_handler
from watchword_adapters.functions import Asked, Refused
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.rest.pool_tokens import issuer_of
from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

MEGABYTES = 10
DEPTH = 100_000
MOST_ENVIRONMENT = 131_072
"""Linux hands no longer variable to a process (execve(2), MAX_ARG_STRLEN)."""


def _deep(kind):
    value = "x"
    for _ in range(DEPTH):
        value = [value] if kind is list else {"a": value}
    return value


TEXTS: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "a" * size,
    "digits": lambda size: "1" * size,
    "spaces": lambda size: " " * size,
    "brackets": lambda size: "(" * size,
    "square brackets": lambda size: "[" * size,
    "semicolons": lambda size: ";" * size,
    "dots": lambda size: "a." * (size // 2),
    "ats": lambda size: "a@" * (size // 2),
    "words": lambda size: "a " * (size // 2),
    "base64": lambda size: "QUFB" * (size // 4),
    "metadata": lambda size: "3.a..a;a;1;-;a;1;" + "Q" * size,
    "not ASCII": lambda size: "é" * size,
    "half a pair": lambda size: "\ud800" * size,
    "lines": lambda size: "\n" * size,
}
"""Texts of so many characters."""

THINGS: dict[str, Callable[[], object]] = {
    "lists, deep": lambda: _deep(list),
    "objects, deep": lambda: _deep(dict),
    "a long list": lambda: ["x"] * (MEGABYTES * 1024 * 1024 // 8),
    "many keys": lambda: {str(number): "x" for number in range(DEPTH)},
    "a large number": lambda: 1 << (MEGABYTES * 1024 * 1024 * 8),
    "bytes": lambda: bytes(MEGABYTES * 1024 * 1024),
}
"""What else JSON, or a program, may bring."""


@frozen
class Entrance:
    """One place where data comes in: `enter` takes it and says how it was answered, in a word.

    Where *anything* is False it takes texts alone. What is no ordinary refusal is raised.
    """

    name: str
    enter: Callable[[object], str]
    anything: bool = True
    within: str = "{}"
    """What a text is put into beforehand, such as a URL."""

    def given(self, value: object) -> object:
        """Return what the entrance is to be given."""
        return value if self.within == "{}" else self.within.format(value)


def _keyring_said_by(value):
    return HostSettings(environment={"WATCHWORD_KEY": value}).keyring


def _refusal(call, *arguments) -> str:
    """Call; return ``refused`` for an ordinary refusal and ``taken`` for a value. The message must be one that can be shown."""
    try:
        call(*arguments)
    except WatchwordError as error:
        assert len(str(error)) < 10_000, "the refusal repeats the data"
        return "refused"
    return "taken"


# --- the triggers -------------------------------------------------------------------------------------------------

_FLOW = Flow(sequence(Riddle(), Captcha(), EmailOtp()))


def _event(trigger, **request):
    return event(trigger, response={}, **{"clientMetadata": {}, "userNotFound": False, **request})


def _paths(value, path=()):
    """Give every place in an event at which something can stand."""
    yield path
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(each, (*path, key))


def _put(event, path, value):
    if not path:
        return value
    event = copy.deepcopy(event)
    place = event
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return event


def _trigger_entrance(handlers, trigger, event, path):
    def enter(value):
        try:
            response = getattr(handlers, trigger)(_put(event, path, value), None)["response"]
        except TriggerError as error:
            assert str(error).split()[0] in FAILURE_TEXTS
            return "refused"
        assert response.get("issueTokens") is not True
        assert response.get("answerCorrect") is not True
        assert not (response.get("claimsOverrideDetails") or {}).get("claimsToAddOrOverride")
        return "refused" if response.get("failAuthentication") or response.get("answerCorrect") is False else "taken"

    return Entrance(f"{trigger} {'.'.join(map(str, path)) or 'event'}", enter)


def trigger_entrances() -> list[Entrance]:
    """Return an entrance for every place of an event of each trigger."""
    handlers = triggers_of(_FLOW)
    created = handlers.create(_event("create", session=[]))["response"]
    entry = {
        "challengeName": "CUSTOM_CHALLENGE",
        "challengeResult": True,
        "challengeMetadata": created["challengeMetadata"],
    }
    said = {"watchword_action": "none", "watchword_choice": "none"}
    events = {
        "define": _event("define", session=[entry], clientMetadata=said),
        "create": _event("create", session=[entry], challengeName="CUSTOM_CHALLENGE", clientMetadata=said),
        "verify": _event(
            "verify",
            privateChallengeParameters=created["privateChallengeParameters"],
            challengeAnswer="cat",
            clientMetadata=said,
        ),
        "pre_token": _event(
            "pre_token", groupConfiguration={"groupsToOverride": []}, clientMetadata={"watchword_signin": "0" * 32}
        ),
    }
    return [
        _trigger_entrance(handlers, trigger, event, path) for trigger, event in events.items() for path in _paths(event)
    ]


def _foreign_entrance(handlers, event, path):
    def enter(value):
        try:
            response = handlers.verify(_put(event, path, value), None)["response"]
        except TriggerError as error:
            assert str(error) in {*NOT_SUPPORTED.values(), ANYTHING_ELSE} or str(error).split()[0] in FAILURE_TEXTS
            return "refused"
        # The right answer to what nobody has altered is right, whatever else the event says of it.
        return "taken" if response["answerCorrect"] else "refused"

    return Entrance(f"verify in a dialect {'.'.join(map(str, path)) or 'event'}", enter)


def _api_entrance(handler, event, path):
    def enter(value):
        reply = handler(_put(event, path, value), None)
        assert reply["statusCode"] in {200, 204, 400, 401, 403, 404, 413, 429}, reply
        assert len(reply["body"]) < 10_000, "the reply repeats the data"
        return "taken" if reply["statusCode"] in {200, 204} else "refused"

    return Entrance(f"{event['path']} {'.'.join(map(str, path)) or 'event'}", enter)


def foreign_entrances() -> list[Entrance]:
    """Return an entrance for every place of an event of Verify in the dialect, and of the passwordless client's API."""
    handlers = triggers_of(Flow(StandIn()), dialect="passwordless")
    created = handlers.create(_event("create", session=[]))["response"]
    signed = json.loads(created["publicChallengeParameters"]["fido2options"])["challenge"]
    verify = _event(
        "verify",
        privateChallengeParameters=created["privateChallengeParameters"],
        challengeAnswer=assertion(signed),
        clientMetadata={"signInMethod": "FIDO2"},
    )
    key = signing_key(new_private_key())
    pool, passkey = "us-east-1_Abc123", Passkey(rp_id="example.com", origins=("https://example.com",))
    handler = fido2_handler(
        Flow(passkey),
        **ports(pool=pool, clients=["c1"], public_keys={key.jwk["kid"]: key.jwk}.get, credentials=MemoryCredentials()),
    )
    claims = {"iss": issuer_of(pool), "aud": "c1", "token_use": "id", "sub": "s", "cognito:username": "ann"}
    bearer = f"Bearer {key.token(claims | {'iat': 0, 'exp': 10**11, 'auth_time': 0})}"
    bodies = {
        "/register-authenticator/start": "",
        "/register-authenticator/complete": '{"attestationObjectB64":"x","clientDataJSON_B64":"x","friendlyName":"x"}',
        "/authenticators/update": '{"credentialId":"x","friendlyName":"x"}',
        "/sign-in-challenge": "",
    }
    events = [
        {
            "httpMethod": "POST",
            "path": path,
            "headers": {"Authorization": bearer, "Origin": "https://example.com"},
            "queryStringParameters": {"rpId": "example.com"},
            "requestContext": {"stage": "prod"},
            "body": body,
            "isBase64Encoded": False,
        }
        for path, body in bodies.items()
    ]
    return [
        *(_foreign_entrance(handlers, verify, path) for path in _paths(verify)),
        *(_api_entrance(handler, each, path) for each in events for path in _paths(each)),
    ]


# --- plain functions ----------------------------------------------------------------------------------------------


def _replied(reply):
    assert isinstance(reply, Asked | Refused)
    return "refused" if isinstance(reply, Refused) else "taken"


def function_entrances() -> list[Entrance]:
    """Return the entrances of a host without Cognito: names, SRP numbers, handles, answers, actions, choices, attributes."""
    here, by_password = sign_in_of(Flow(sequence(Riddle(), EmailOtp()))), sign_in_of(Flow(Srp()))
    public = srp6a.to_hex(srp6a.client_public(12345))

    def claiming(key):
        def enter(value):
            claim = {"PASSWORD_CLAIM_SIGNATURE": "x", "TIMESTAMP": "x", "PASSWORD_CLAIM_SECRET_BLOCK": "x", key: value}
            return _replied(by_password.respond(by_password.begin("ann", public).token, claim))

        return enter

    def attributed(name):
        def enter(value):
            host = sign_in_of(Flow(EmailOtp()))
            host._users.attributes[name] = value
            return _replied(host.begin("ann"))

        return enter

    return [
        Entrance("begin name", lambda value: _replied(here.begin(value))),
        Entrance("begin name, by password", lambda value: _replied(by_password.begin(value, public))),
        Entrance("begin srp_a", lambda value: _replied(by_password.begin("ann", value))),
        Entrance("respond token", lambda value: _replied(here.respond(value, "cat"))),
        Entrance("respond answer", lambda value: _replied(here.respond(here.begin("ann").token, value))),
        Entrance("respond action", lambda value: _replied(here.respond(here.begin("ann").token, "cat", action=value))),
        Entrance("respond choice", lambda value: _replied(here.respond(here.begin("ann").token, "cat", choice=value))),
        Entrance(
            "respond password",
            lambda value: _replied(by_password.respond(by_password.begin("ann", public).token, value)),
        ),
        *(
            Entrance(f"respond password {key}", claiming(key))
            for key in ("PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP", "other")
        ),
        *(
            Entrance(f"attribute {name}", attributed(name), anything=False)
            for name in ("email", "email_verified", "locale", "sub")
        ),
    ]


def enrolment_entrances() -> list[Entrance]:
    """Return the entrances of plain functions for what users enrol: names, kinds, handles, answers, labels, ids."""
    here = sign_in_of(Flow(sequence(Riddle(), Fob())))
    begun, another = (here.begin_enrolment("ann", "fob").handle for _ in range(2))

    def entrance(name, call):
        def enter(value):
            try:
                done = call(value)
            except WatchwordError as error:
                assert error.text in FAILURE_TEXTS
                return "refused"
            return "taken" if done else "refused"

        return Entrance(name, enter)

    return [
        entrance("enrolment name", lambda value: here.begin_enrolment(value, "fob")),
        entrance("enrolment kind", lambda value: here.begin_enrolment("ann", value)),
        entrance("enrolment handle", lambda value: here.complete_enrolment(value, "x")),
        entrance("enrolment answer", lambda value: here.complete_enrolment(begun, value)),
        entrance("enrolment label", lambda value: here.complete_enrolment(another, "x", value)),
        entrance("enrolment name again", lambda value: here.complete_enrolment(another, "x", name=value)),
        entrance("credentials name", here.credentials),
        entrance("credential id", lambda value: here.remove_credential("ann", value)),
        entrance("credential name", lambda value: here.remove_credential(value, "x")),
        entrance("credential label", lambda value: here.rename_credential("ann", "x", value)),
    ]


# --- the engine's readers, the kinds, the settings ----------------------------------------------------------------


def _file_entrance(name, suffix, read):
    def enter(value):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"given{suffix}"
            with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
                for start in range(0, len(value), 65_536):  # so that writing takes no memory
                    file.write(value[start : start + 65_536])
            return _refusal(read, path)

    return Entrance(name, enter, anything=False)


def _listened(words):
    return session_notation.parse_session(words, ("riddle", "captcha"))


@frozen
class _Loud(Riddle):
    """A kind that sends what it is told."""

    kind: ClassVar[str] = "loud"
    channel: ClassVar[str] = "email"
    resend_after: ClassVar[int] = 60
    cosmetic: ClassVar[frozenset[str]] = frozenset({"text"})

    text: object = field(default="", eq=False, repr=False)

    def create(self, request):
        return Challenge(messages=(Email("ann@example.com", "x", self.text),))


def _sent(value):
    return _replied(sign_in_of(Flow(_Loud(text=value))).begin("ann"))


def _judged(kind, answer=None):
    """What judges an answer to *kind*; where *answer* gives the right one to an enrolment, of somebody who has enrolled."""
    challenge, owned = kind.create(create_request(kind)), ()
    if answer is not None:
        begun = kind.begin(begin_request(kind))
        new = kind.complete(complete_request(kind, begun, answer(begun.public)))
        owned = (enrolled_credential(kind, new),)

    def enter(value):
        verdict = kind.verify(verify_request(kind, challenge, value, credentials=owned))
        assert isinstance(verdict, Verdict)
        assert verdict.right is False
        return "refused"

    return enter


def _enrolled(kind):
    """What judges the answer that completes an enrolment for *kind*."""
    begun = kind.begin(begin_request(kind))

    def enter(value):
        verdict = kind.complete(complete_request(kind, begun, value))
        assert isinstance(verdict, Verdict)
        assert verdict.right is False
        return "refused"

    return enter


def _labelled(kind):
    """What makes the URI of somebody with any name and address: it stays short."""

    def enter(value):
        user = evolve(ANN, name=value, attributes={"email": value, "email_verified": "true"})
        assert len(kind.begin(begin_request(kind, user=user)).public["otpauth_uri"]) < 2000
        return "taken"

    return enter


def _carried(text):
    # Metadata is refused as a whole before its carry is read, so a carry is never longer than that.
    carry = base64.urlsafe_b64encode(text[: derivative.MAX_METADATA // 2].encode("utf-8", "replace")).decode()
    return "taken" if read_carry({"carry": carry}) else "refused"


def _wrapped(value):
    return "refused" if value is None else "taken"


def reader_entrances() -> list[Entrance]:
    """Return what reads metadata, private parameters, requirements, session words, limits, URLs, keys, numbers and files."""
    message = {"id": "1", "to": "ann@example.com", "subject": "s", "text": "t"}
    return [
        Entrance("metadata", lambda value: _wrapped(derivative.read_metadata(value))),
        Entrance(
            "carry",
            lambda value: "taken" if read_carry({"carry": value[: derivative.MAX_METADATA]}) else "refused",
            anything=False,
        ),
        Entrance("carry, JSON", _carried, anything=False),
        Entrance("private parameters, a value", lambda value: _wrapped(read_private_parameters({"kind": value}))),
        Entrance("email_otp answer", _judged(EmailOtp())),
        Entrance("captcha answer", _judged(Captcha())),
        Entrance("totp answer", _judged(Totp(), lambda shown: TOTP(shown["secret"]).at(NOW))),
        Entrance("totp answer to an enrolment", _enrolled(Totp())),
        Entrance("recovery_codes answer", _judged(RecoveryCodes(), lambda shown: shown["codes"].split()[0])),
        Entrance("recovery_codes answer to an enrolment", _enrolled(RecoveryCodes())),
        Entrance("totp issuer", lambda value: _refusal(lambda: Totp(issuer=value))),
        Entrance("totp account", _labelled(Totp()), anything=False),
        Entrance("email_otp locale", lambda value: _refusal(lambda: EmailOtp(locale=value))),
        Entrance("email_otp app", lambda value: _refusal(lambda: EmailOtp(app=value))),
        Entrance("captcha alt", lambda value: _refusal(lambda: Captcha(alt=value))),
        Entrance("captcha length", lambda value: _refusal(lambda: Captcha(length=value))),
        Entrance(
            "email_otp templates", lambda value: _refusal(lambda: EmailOtp(templates=value).prepare()), anything=False
        ),
        Entrance("captcha fonts", lambda value: _refusal(lambda: Captcha(fonts=(value,)).prepare()), anything=False),
        Entrance("requirement", lambda value: _refusal(requirement.parse_requirement, value), anything=False),
        Entrance("session words", lambda value: _refusal(_listened, value), anything=False),
        Entrance("limit", lambda value: _refusal(parse_limit, value)),
        Entrance("SRP number", lambda value: _refusal(srp6a.public_from_hex, value, "SRP_A")),
        Entrance("key", lambda value: _refusal(_keyring_said_by, value[:MOST_ENVIRONMENT]), anything=False),
        Entrance("courier URL", lambda value: _refusal(Registry().find_courier, value), anything=False),
        *(
            Entrance(name, lambda value: _refusal(Registry().find_courier, value), anything=False, within=url)
            for name, url in (
                ("smtp URL", "smtp://localhost?from={}"),
                ("smtp host", "smtp://{}?from=a@b.example"),
                ("ses URL", "ses://?from={}"),
            )
        ),
        Entrance("ledger URL", lambda value: _refusal(Registry().find_ledger, value), anything=False),
        *(
            Entrance(name, lambda value: _refusal(Registry().find_ledger, value), anything=False, within=url)
            for name, url in (("dynamodb URL", "dynamodb://{}"), ("sqlite URL", "sqlite:{}"))
        ),
        Entrance("sender", lambda value: _refusal(Sender.parse, value), anything=False),
        Entrance("message of a kind", _sent),
        *(
            Entrance(
                f"message {part}",
                lambda value, part=part: _refusal(refuse_unfit, Email(**{**message, part: value[:MAX_MESSAGE]})),
                anything=False,
            )
            for part in message
        ),
        Entrance("flow reference", lambda value: _refusal(find_flow, value), anything=False),
        _file_entrance("flow file", ".toml", load_flow),
        _file_entrance("captured events", ".json", lambda path: list(read_events(path, [_FLOW]))),
    ]


def entrances() -> list[Entrance]:
    """Return every entrance."""
    return [
        *trigger_entrances(),
        *foreign_entrances(),
        *function_entrances(),
        *enrolment_entrances(),
        *reader_entrances(),
    ]
