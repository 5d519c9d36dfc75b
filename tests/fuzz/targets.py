"""What is fuzzed: functions of some bytes, each with an oracle; what they raise is a finding."""

import copy
import json
import logging
import tempfile
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template

from attrs import frozen
from pyotp import TOTP

from kit.authenticator import decode, encode
from kit.engine_host import ANN, Riddle
from kit.fobs import Fob
from kit.hosts import Book, event, ports, sign_in_of, triggers_of
from kit.passkeys import StandIn, assertion, signed_in
from kit.paths import FLOWS
from kit.w3c_vectors import VECTORS, assertion_of, expected_by, known_from, registration_of
from watchword import Flow, Verdict, WatchwordError, one_of, sequence
from watchword.algebra import derivative, session_notation
from watchword.algebra.limits import parse_limit
from watchword.analysis import requirement
from watchword.contract.credentials import Credential
from watchword.contract.ports import Limit
from watchword.errors import FAILURE_TEXTS, ConfigurationError
from watchword.loading.flow_file import load_flow
from watchword.loading.registry import Registry
from watchword.runtime.wire import read_carry, read_private_parameters, write_metadata
from watchword.testing import (
    NOW,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    recorded_codes,
    verify_request,
)
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.couriers.envelope import is_address
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.credentials.export_file import export_lines, read_export
from watchword_adapters.credentials_api import credentials_handler
from watchword_adapters.dialects.passwordless import ANYTHING_ELSE, NAME, NOT_SUPPORTED, PARAMETERS_ROUND
from watchword_adapters.fido2_api import fido2_handler
from watchword_adapters.functions import Asked, Refused
from watchword_adapters.rest.pool_tokens import issuer_of, key_set
from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.texts import codes, mail
from watchword_plugins.texts.templates import load_template
from watchword_plugins.totp import Totp
from watchword_plugins.webauthn.ceremonies import read_assertion, read_registration
from watchword_plugins.webauthn.steps import failures

_FLOW = Flow(sequence(Riddle(), EmailOtp()))
_SCRATCH = tempfile.TemporaryDirectory(prefix="watchword-fuzz-")


class Draw:
    """Reads choices, texts and values off some bytes; when they are used up, everything is the first and the least."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """Return the next byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def pick(self, things):
        """Return one of *things*, at most 256 of them."""
        return things[self.byte() % len(things)]

    def text(self) -> str:
        """Return up to 255 characters of text, of any sort."""
        length = self.byte()
        part = self._data[self._at : self._at + length]
        self._at += length
        return part.decode("utf-8", "surrogateescape")

    def rest(self) -> str:
        """Return all that is left, as text."""
        part, self._at = self._data[self._at :], len(self._data)
        return part.decode("utf-8", "surrogateescape")

    def value(self, depth: int = 3):
        """Return what JSON may hold."""
        sort = self.byte() % (8 if depth else 6)
        match sort:
            case 0:
                return None
            case 1:
                return True
            case 2:
                return False
            case 3:
                return self.byte() - 128
            case 4:
                return self.text()
            case 5:
                return self.pick(_WORDS)
            case 6:
                return [self.value(depth - 1) for _ in range(self.byte() % 5)]
            case _:
                return {self.pick(_WORDS): self.value(depth - 1) for _ in range(self.byte() % 5)}


def _at_places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _at_places(each, (*path, key))


def _changed(draw: Draw, event):
    """Return *event* with up to four places changed; a place that is gone by then is left."""
    event = copy.deepcopy(event)
    for _ in range(draw.byte() % 5):
        places = list(_at_places(event))[1:]
        if not places:
            break
        *way, last = draw.pick(places[:256])
        place = event
        for key in way:
            place = place[key]
        match draw.byte() % 4:
            case 0:
                place[last] = draw.value()
            case 1:
                del place[last]
            case 2 if isinstance(place, list):
                place.append(copy.deepcopy(place[last]))
            case 3 if isinstance(place[last], str):
                text = place[last]
                cut = draw.byte() % (len(text) + 1)
                place[last] = text[:cut] + draw.text() + text[cut + draw.byte() % 3 :]
            case _:
                place[last] = draw.pick(_WORDS)
    return event


# --- triggers -----------------------------------------------------------------------------------------------------


def _event(trigger, **request):
    request = {"clientMetadata": {"watchword_action": "resend"}, **request}
    return event(trigger, response={"issueTokens": True, "answerCorrect": True}, **request)


_CREATED = triggers_of(_FLOW).create(_event("create", session=[]))["response"]
_ENTRY = {
    "challengeName": "CUSTOM_CHALLENGE",
    "challengeResult": True,
    "challengeMetadata": _CREATED["challengeMetadata"],
}
_SRP = {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}
_DEFINE = _event("define", session=[_ENTRY, {**_ENTRY, "challengeResult": False}])
_CREATE = _event("create", session=[{**_ENTRY, "challengeResult": False}], challengeName="CUSTOM_CHALLENGE")
_VERIFY = _event(
    "verify",
    privateChallengeParameters=_CREATED["privateChallengeParameters"],
    challengeAnswer="cat",
    clientMetadata={},
)
_WORDS = (
    *(
        "x",
        "",
        "fish",
        "1",
        "true",
        "CUSTOM_CHALLENGE",
        "SRP_A",
        "PASSWORD_VERIFIER",
        "NEW_PASSWORD_REQUIRED",
        "EMAIL_OTP",
    ),
    *("resend", "select", "riddle", "email_otp", "email", "sub", "request", "session", "response", "userNotFound"),
    *("challengeName", "challengeResult", "challengeMetadata", "watchword_action", "watchword_choice", "issueTokens"),
    *(
        "cognito:user_status",
        "FORCE_CHANGE_PASSWORD",
        _CREATED["challengeMetadata"],
        *_CREATED["privateChallengeParameters"],
    ),
)


def _called(trigger, event):
    """Call a trigger; return its response, or None if it ended with a fixed text."""
    try:
        reply = getattr(triggers_of(_FLOW), trigger)(event)
    except TriggerError as error:
        assert str(error).split(" (ref ")[0] in FAILURE_TEXTS, error
        return None
    json.dumps(reply["response"])
    return reply["response"]


def define(data: bytes) -> None:
    """Define: tokens only where every step of the flow was answered right, by metadata of this flow; else an end or a step."""
    event = _changed(Draw(data), _DEFINE)
    response = _called("define", event)
    if response is None:
        return
    assert response["issueTokens"] + response["failAuthentication"] + ("challengeName" in response) <= 2
    assert not (response["issueTokens"] and response["failAuthentication"])
    if response["issueTokens"]:
        rounds = [each for each in event["request"]["session"] if isinstance(each, Mapping)]
        right = [each for each in rounds if each.get("challengeResult") is True]
        steps = [derivative.read_metadata(each.get("challengeMetadata")) for each in right]
        assert {"riddle", "email_otp"} <= {each["step"] for each in steps if each}


def create(data: bytes) -> None:
    """Create: maps of strings, never empty, or a fixed text; nothing secret in what the client sees."""
    response = _called("create", _changed(Draw(data), _CREATE))
    if response is not None:
        assert response["privateChallengeParameters"]
        for name in ("publicChallengeParameters", "privateChallengeParameters"):
            assert all(isinstance(each, str) for pair in response[name].items() for each in pair)
        assert derivative.read_metadata(response["challengeMetadata"]) is not None


def verify(data: bytes) -> None:
    """Verify: right only for the right answer to a challenge that nobody altered."""
    event = _changed(Draw(data), _VERIFY)
    response = _called("verify", event)
    if response is not None and response["answerCorrect"]:
        request = event["request"]
        assert "fish" == request["challengeAnswer"]
        assert _CREATED["privateChallengeParameters"] == request["privateChallengeParameters"]
        assert not request.get("userNotFound")


# --- plain functions ----------------------------------------------------------------------------------------------


def handles(data: bytes) -> None:
    """A handle that was not given out is EXPIRED, whatever comes with it; one that was works for the right answer alone."""
    draw = Draw(data)
    host = sign_in_of(Flow(Riddle()), Book(name="ann"))
    asked = host.begin("ann")
    assert isinstance(asked, Asked)
    token, answer, action = draw.pick((asked.token, draw.text(), draw.value())), draw.value(), draw.value()
    reply = host.respond(token, answer, action, draw.value())
    if token != asked.token:
        assert reply == Refused("EXPIRED")
    else:
        assert isinstance(reply, Asked | Refused) or (answer == "fish" and action != "resend")
    assert host.respond(asked.token, "fish") == Refused("EXPIRED") or token != asked.token
    assert isinstance(host.begin(draw.value(), draw.value()), Asked | Refused)


# --- readers ------------------------------------------------------------------------------------------------------


def metadata(data: bytes) -> None:
    """Metadata is read to what it says, or not at all; a session is judged, whatever its rounds hold."""
    draw = Draw(data)
    rounds = []
    for _ in range(draw.byte() % 6):
        text = draw.pick((_CREATED["challengeMetadata"], None, draw.text()))
        if isinstance(text, str) and draw.byte() % 2:
            cut = draw.byte() % (len(text) + 1)
            text = text[:cut] + draw.text() + text[cut:]
        fields = derivative.read_metadata(text)
        if fields is not None:
            assert text == write_metadata(fields)
            assert isinstance(read_carry(fields), dict)
        rounds.append(
            (draw.pick((derivative.CUSTOM, derivative.SRP_A, derivative.PASSWORD_VERIFIER, "x")), draw.value(1), text)
        )
    decided, *_ = derivative.evaluate_session(
        rounds, [_FLOW.program], dict(ANN), "client", draw.byte() % 2 == 0, draw.value(), draw.text()
    )
    assert decided[0] in {"present", "select", "host", "tokens", "fail"}
    if decided[0] == "tokens":
        assert sum(result is True for _, result, _ in rounds) >= 2
    assert isinstance(read_carry({"carry": draw.rest()}), dict)


def private(data: bytes) -> None:
    """Private parameters are read to what they say, or not at all."""
    draw = Draw(data)
    given = dict(_CREATED["privateChallengeParameters"])
    for _ in range(draw.byte() % 5):
        given[draw.pick(tuple(given))] = draw.pick((draw.value(), draw.text()))
    read = read_private_parameters(given)
    if read is not None:
        parameters, own = read
        assert all(isinstance(value, str) for value in own.values())
        assert int(given["issued"]) == parameters.issued
        assert (parameters.proven, parameters.has_own_try) == (given["proven"] == "1", given["own"] == "1")


def flow_file(data: bytes) -> None:
    """A flow file is a flow, or a ConfigurationError of a page at most."""
    path = Path(_SCRATCH.name) / "flow.toml"
    path.write_bytes(data)
    try:
        flow = load_flow(path)
    except ConfigurationError as error:
        assert len(str(error)) < 2000
    else:
        assert flow.steps
        assert flow == load_flow(path)


def require(data: bytes) -> None:
    """A requirement is read, and met by all of its terms; by none of them it is not."""
    try:
        read = requirement.parse_requirement(Draw(data).rest())
    except ConfigurationError:
        return
    terms = requirement.terms(read)
    assert terms
    assert requirement.is_met(read, terms)
    assert not requirement.is_met(read, ())


def spoken(data: bytes) -> None:
    """Session words are what `say` makes of the rounds that they tell."""
    text = Draw(data).rest()
    try:
        rounds = session_notation.parse_session(text, ("riddle", "email_otp", "srp_a"))
    except ConfigurationError:
        return
    assert rounds == session_notation.parse_session(
        " ".join(map(session_notation.format_round, rounds)), ("riddle", "email_otp", "srp_a")
    )


def address(data: bytes) -> None:
    """What is taken for an address is one address: ASCII, one @, nothing that a mail server could read as more."""
    text = Draw(data).rest()
    if mail.is_plain_address(text):
        local, at, domain = text.partition("@")
        assert at
        assert is_address(text), "the courier must take what the kind takes"
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' ,;:<>()[]"\\%!?')
        assert 1 <= len(local) <= 64
        assert len(text) <= 254
        assert "." in domain
        assert ".." not in text


def template(data: bytes) -> None:
    """A template is taken only if it can be filled in, and shows the code where it should and nowhere else."""
    draw = Draw(data)
    allowed = draw.pick((frozenset({"code", "minutes", "ref", "app"}), frozenset({"minutes", "ref", "app"})))
    path = Path(_SCRATCH.name).resolve() / "en.txt"
    path.write_text(draw.rest(), "utf-8", "surrogateescape", newline="")
    try:
        read = load_template("email_otp", path.parent, path.name, allowed)
    except ConfigurationError:
        return
    assert isinstance(read, Template)
    values = {"code": "8642097531", "minutes": "3", "ref": "BCDFGHJK", "app": "Acme"}
    written = read.substitute({name: values[name] for name in allowed})
    assert ("8642097531" in written) >= ("code" in allowed)


def answers(data: bytes) -> None:
    """The kinds that come along judge any answer, and find right only what folds to the right one."""
    draw = Draw(data)
    kind, right, owned = draw.pick(_JUDGED)
    answer = draw.pick((draw.value(), draw.text(), f"{draw.text()}{right}{draw.text()}"))
    verdict = kind.verify(verify_request(kind, kind.create(create_request(kind)), answer, credentials=owned))
    assert isinstance(verdict, Verdict)
    if verdict.right:
        assert isinstance(answer, str)
        seen = "".join(
            each
            for each in answer
            if each != "-" and not each.isspace() and unicodedata.category(each) not in {"Cf", "Cn", "Mn"}
        )
        assert seen.isascii()
        assert right == seen.upper().translate(_LOOK_ALIKE if owned else {})


def _judged():
    kinds = (EmailOtp(), EmailOtp(alphabet="letters"), Captcha(width=120, height=40, dots=0, arcs=0, format="png"))
    alphabets = (codes.ALPHABETS["digits"], codes.ALPHABETS["letters"], "ACDEFGHJKLMNPQRTUVWXYZ346789")
    for kind, alphabet in zip(kinds, alphabets, strict=True):
        yield kind, create_request(kind).code(alphabet, kind.length), ()
    texted = SmsOtp(countries=("+1",))
    yield texted, create_request(texted).code(codes.ALPHABETS["digits"], texted.length), ()
    yield _enrolled(Totp(), lambda shown, now: TOTP(shown["secret"]).at(now))
    yield _enrolled(RecoveryCodes(count=1), lambda shown, now: shown["codes"].replace("-", ""))


def _enrolled(kind, right):
    """A kind, the right answer of somebody who enrolled an hour ago, and what they have enrolled."""
    begun = kind.begin(begin_request(kind))
    new = kind.complete(complete_request(kind, begun, right(begun.public, NOW - 3600), now=NOW - 3600))
    return kind, right(begun.public, NOW), (enrolled_credential(kind, new),)


_LOOK_ALIKE = str.maketrans("ILO", "110")


_JUDGED = tuple(_judged())


def settings(data: bytes) -> None:
    """Limits, URLs and numbers are read, or refused by an error of ours."""
    draw = Draw(data)
    read = draw.pick(
        (
            parse_limit,
            Registry().find_courier,
            Registry().find_ledger,
            Registry().find_credentials,
            lambda text: srp6a.public_from_hex(text, "SRP_A"),
        )
    )
    text = draw.pick(("", "smtp://", "ses://?from=", "dynamodb://", "smtp://localhost?from=a@b.example&")) + draw.rest()
    if text.lower().startswith("sqlite"):
        return  # would make files wherever the text says
    try:
        made = read(text)
    except WatchwordError as error:
        assert len(str(error)) < 2000
    else:
        if isinstance(made, Limit):
            assert made.count >= 1
            assert made.seconds >= 1


_VECTOR = VECTORS["packed-self-es256"]
_ASSERTION = {name: value for name, value in assertion_of(_VECTOR).items() if value is not None}
_REGISTRATION = registration_of(_VECTOR)
_MEMBERS = [(answer, name) for answer in (_ASSERTION, _REGISTRATION) for name in answer]


def passkeys(data: bytes) -> None:
    """Any bytes for one part of a ceremony of the W3C's are malformed or fail a step, unless they are the part itself."""
    answer, name = _MEMBERS[data[0] % len(_MEMBERS) if data else 0]
    if data[1:] == decode(answer[name]):
        return
    text = json.dumps({**answer, name: encode(data[1:])})
    assertion, registration = read_assertion(text), read_registration(text)
    if assertion is not None:
        expected = expected_by(_VECTOR["auth"], known=(known_from(_VECTOR),))
        assert next(failures(expected, assertion), None) is not None
    if registration is not None:
        # The statement is signed by the new key itself, so other bytes would have to be signed anew.
        assert next(failures(expected_by(_VECTOR["reg"]), registration), None) is not None


_EASY = ProofOfWork(cost=1000, work=10)
with recorded_codes() as _drawn:
    _WORK = _EASY.create(create_request(_EASY))
_WORKED = b64decode(_drawn[-1].text)


def payloads(data: bytes) -> None:
    """Whatever JSON or bytes stand for work done is wrong, unless it is the solution; its spelling in JSON does not count."""
    draw = Draw(data)
    decoded = json.dumps(_changed(draw, json.loads(_WORKED))).encode("utf-8") if draw.byte() % 2 else data[1:]
    verdict = _EASY.verify(verify_request(_EASY, _WORK, b64encode(decoded).decode("ascii")))
    assert isinstance(verdict, Verdict)
    if verdict.right:
        told, right = json.loads(decoded), json.loads(_WORKED)
        assert all(told[part][name] == value for part in right for name, value in right[part].items())


# --- the passwordless client --------------------------------------------------------------------------------------

_POOL = "us-east-1_Abc123"
_KEY = signing_key(new_private_key())
_PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
_DIALECT = Flow(one_of(StandIn(), EmailOtp()))
_SPOKEN = triggers_of(_DIALECT, dialect="passwordless").create(event("create", session=[]))["response"]
_SIGNED = assertion(json.loads(_SPOKEN["publicChallengeParameters"]["fido2options"])["challenge"])
_FOREIGN = event(
    "verify",
    privateChallengeParameters=_SPOKEN["privateChallengeParameters"],
    challengeAnswer=_SIGNED,
    clientMetadata={"signInMethod": "FIDO2"},
)


def foreign(data: bytes) -> None:
    """Verify in the dialect: right only for the right answer to a challenge that nobody altered, or a text of the sample's."""
    given = _changed(Draw(data), _FOREIGN)
    try:
        response = triggers_of(_DIALECT, dialect="passwordless").verify(given)["response"]
    except TriggerError as error:
        assert str(error) in {*NOT_SUPPORTED.values(), ANYTHING_ELSE} or str(error).split(" (ref ")[0] in FAILURE_TEXTS
        return
    if response["answerCorrect"]:
        request = given["request"]
        assert signed_in(_SIGNED) == signed_in(request["challengeAnswer"])
        # The name of the round is for whoever reads the event; without it the parameters are as they were sealed.
        assert _SPOKEN["privateChallengeParameters"] == {NAME: PARAMETERS_ROUND} | request["privateChallengeParameters"]
        assert not request.get("userNotFound")


_STORE = MemoryCredentials()
_HANDLER = fido2_handler(
    Flow(_PASSKEY),
    **ports(pool=_POOL, clients=["client"], public_keys=key_set({"keys": [_KEY.jwk]}).get, credentials=_STORE),
)
_CLAIMS = ANN | {"iss": issuer_of(_POOL), "aud": "client", "token_use": "id", "cognito:username": "ann"}
_BEARER = f"Bearer {_KEY.token(_CLAIMS | {'iat': 0, 'exp': 10**11, 'auth_time': 0})}"
_API_EVENTS = [
    {
        "httpMethod": "POST",
        "path": path,
        "headers": {"Authorization": _BEARER, "Origin": "https://example.com"},
        "queryStringParameters": {"rpId": "example.com"},
        "body": body,
    }
    for path, body in (
        ("/register-authenticator/start", None),
        ("/register-authenticator/complete", json.dumps(_REGISTRATION | {"friendlyName": "x"})),
        ("/authenticators/list", None),
        ("/authenticators/update", '{"credentialId":"x","friendlyName":"y"}'),
        ("/authenticators/delete", '{"credentialId":"x"}'),
        ("/sign-in-challenge", None),
    )
]


def passkey_api(data: bytes) -> None:
    """The API for passkeys: a reply of a function for whatever comes, JSON or nothing in it, and nobody is enrolled."""
    draw = Draw(data)
    reply = _HANDLER(_changed(draw, draw.pick(_API_EVENTS)), None)
    assert reply["statusCode"] in {200, 204, 400, 401, 403, 404, 413, 429}, reply
    assert not reply["body"] or isinstance(json.loads(reply["body"]), dict)
    assert not _STORE.list(f"{_POOL}#{ANN['sub']}", within=1.0)


_OWN = MemoryCredentials()
_OWN_API = credentials_handler(
    Flow(sequence(Riddle(), Fob(), RecoveryCodes())),
    **ports(
        pool=_POOL,
        clients=["client"],
        public_keys=key_set({"keys": [_KEY.jwk]}).get,
        credentials=_OWN,
        get_user=lambda token: {
            "Username": "ann",
            "UserAttributes": [{"Name": name, "Value": value} for name, value in ANN.items()],
        },
    ),
)
_ACCESS = ANN | {"iss": issuer_of(_POOL), "client_id": "client", "token_use": "access"}
_ACCESS_BEARER = f"Bearer {_KEY.token(_ACCESS | {'iat': 0, 'exp': 10**11, 'auth_time': 0})}"
_OWN_EVENTS = [
    {
        "httpMethod": method,
        "path": f"/credentials{path}",
        "headers": {"Authorization": _ACCESS_BEARER, "Origin": "https://example.com"},
        "queryStringParameters": None,
        "body": body,
    }
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/fob/begin", "{}"),
        ("POST", "/recovery_codes/begin", None),
        ("POST", "/fob/complete", '{"handle":"x","answer":"y","label":"z"}'),
        ("PATCH", "/fob/x", '{"label":"y"}'),
        ("DELETE", "/fob/x", None),
        ("OPTIONS", "/fob/begin", None),
    )
]


def credentials_api(data: bytes) -> None:
    """The API of credentials: a reply of a function for whatever comes, JSON or nothing in it, and nobody is enrolled."""
    draw = Draw(data)
    reply = _OWN_API(_changed(draw, draw.pick(_OWN_EVENTS)), None)
    assert reply["statusCode"] in {200, 204, 400, 401, 403, 404, 413, 429}, reply
    said = json.loads(reply["body"]) if reply["body"] else {}
    assert reply["statusCode"] < 400 or {"error", "message"} == set(said)
    assert not _OWN.list(f"{_POOL}#{ANN['sub']}", within=1.0)


def caught(data: bytes) -> None:
    """A target that finds something at once, to see that findings are reported."""
    assert not data.startswith(b"F")


@frozen
class Target:
    """A function to fuzz, and inputs to begin with."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = (b"",)


_TOML = tuple(path.read_bytes() for path in sorted(FLOWS.glob("*.toml")))
_EXPORT = tuple(
    export_lines(
        Credential(
            each, f"pool#{each}", "memo", "label", 1, 2, state={"root": "k", "step": "5"}, version=3, rounds=("r",)
        )
        for each in ("a", "b")
    )
)


def export_file(data: bytes) -> None:
    """A file that is no whole export is refused by an error of ours; what is read is written as it was."""
    draw = Draw(data)
    lines = list(_EXPORT)
    place = draw.pick(range(len(lines)))
    where, cut = draw.byte() % len(lines[place]), draw.pick((0, 1, 7))
    lines[place] = lines[place][:where] + draw.rest() + lines[place][where + cut :]
    try:
        found = read_export("\n".join(lines).split("\n"))
    except WatchwordError as error:
        assert len(str(error)) < 2000
        return
    assert found == read_export(export_lines(found))


TARGETS: dict[str, Target] = {
    "define": Target(define, (b"", bytes(range(64)), b"\x02\x05\x03\x10")),
    "create": Target(create, (b"", bytes(range(64)))),
    "verify": Target(verify, (b"", bytes(range(64)))),
    "handles": Target(handles, (b"", b"\x00\x00\x05\x02")),
    "metadata": Target(metadata, (b"", b"\x03" + bytes(40), _CREATED["challengeMetadata"].encode())),
    "private": Target(private, (b"", bytes(range(40)))),
    "flow_file": Target(flow_file, (b"", *_TOML)),
    "require": Target(require, (b"knowledge and (possession or inherence)", b"((a))")),
    "spoken": Target(
        spoken, (b"srp_a+ password_verifier+ email_otp- email_otp~ riddle+", b"step_srp_a- host_email_otp+ select-")
    ),
    "address": Target(address, (b"ann@example.com", b"a.b-c+d@x1.y-2.example")),
    "template": Target(template, (b"\x00Code: $code, ${minutes} minutes, $$ $ref $app", b"\x01$app")),
    "answers": Target(answers, (b"", b"\x00\x02\x00\x04123-")),
    "passkeys": Target(
        passkeys, tuple(bytes([place]) + decode(answer[name]) for place, (answer, name) in enumerate(_MEMBERS))
    ),
    "payloads": Target(payloads, (b"\x00" + _WORKED, b"\x01\x01", b"\x01" + bytes(range(40)))),
    "foreign": Target(foreign, (b"", bytes(range(64)))),
    "passkey_api": Target(passkey_api, tuple(bytes([place, 0]) for place in range(len(_API_EVENTS)))),
    "credentials_api": Target(credentials_api, tuple(bytes([place, 0]) for place in range(len(_OWN_EVENTS)))),
    "export_file": Target(export_file, (b"", b"\x01\x20x", bytes(range(40)))),
    "settings": Target(settings, (b"\x00\x0010/day", b"\x01\x01u:p@host:25?from=a@b.example", b"\x03\x00ff")),
}
CAUGHT = Target(caught)


def target_of(name: str) -> Target:
    """Return the target *name*; ``everything`` is all of them, chosen by the first byte."""
    logging.disable(logging.CRITICAL)
    if name == "caught":
        return CAUGHT
    if name != "everything":
        return TARGETS[name]
    runs = [each.run for each in TARGETS.values()]
    seeds = tuple(bytes([place]) + seed for place, each in enumerate(TARGETS.values()) for seed in each.seeds)
    return Target(lambda data: runs[(data[0] if data else 0) % len(runs)](data[1:]), seeds)
