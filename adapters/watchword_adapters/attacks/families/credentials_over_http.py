"""H: the HTTP API by which users enrol: tokens that do not count, and what it tells."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from watchword_adapters.attacks.arena.attacked_host import ATTACKED_POOL, Arena
from watchword_adapters.attacks.arena.ways_to_steps import APP
from watchword_adapters.attacks.families.enrolments import Enrolling, kinds_that_enrol, secrets_of, services_of
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.credentials_api.api import CredentialsApi
from watchword_adapters.rest.callers import Callers
from watchword_adapters.rest.exchange import HttpReply, HttpRequest
from watchword_adapters.rest.pool_tokens import FRESH, PoolTokens, issuer_of
from watchword_adapters.userpool.sign_in.signing_keys import SigningKey, signing_keys

_OK = 300


class _RefusedByPoolError(Exception):
    """As boto3 raises it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class _Api:
    """The API of an arena's flow, beside a pool that answers GetUser for ann and bob."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.people = [arena.person(name) for name in ("ann", "bob")]
        self.sub = self.people[0].attributes["sub"]
        self.key, self.other_key = signing_keys()
        self.refusing = ""
        self.told: str | None = None
        keys = {self.key.jwk["kid"]: self.key.jwk}
        tokens = PoolTokens(issuer_of(ATTACKED_POOL), frozenset({APP}), keys.get, arena.clock)
        self.api = CredentialsApi(services_of(arena), ATTACKED_POOL, Callers(tokens, self._get_user))

    def _get_user(self, token: str) -> Mapping[str, Any]:
        if self.refusing:
            raise _RefusedByPoolError(self.refusing)
        payload = token.split(".")[1]
        sub = self.told or json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
        person = next(each for each in self.people if each.attributes["sub"] == sub)
        listed = [{"Name": name, "Value": value} for name, value in person.attributes.items()]
        return {"Username": person.name, "UserAttributes": listed}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of an access token of ann, but for what is *changed*."""
        now = int(self.arena.clock.now())
        claims: dict[str, Any] = {
            "iss": issuer_of(ATTACKED_POOL),
            "client_id": APP,
            "token_use": "access",
            "sub": self.sub,
            "iat": now,
            "exp": now + 3600,
            "auth_time": now,
        }
        return {name: value for name, value in {**claims, **changed}.items() if value is not None}

    def token(self, **changed: Any) -> str:
        """Return such a token."""
        return self.key.token(self.claims(**changed))

    def call(self, header: str | None, method: str, path: str, given: object = None) -> HttpReply:
        """Call it with an Authorization *header*."""
        headers = {} if header is None else {"authorization": header}
        return self.api(HttpRequest(method, path, {}, headers, b"" if given is None else json.dumps(given).encode()))


@family("H-16", "tokens that do not count, at the API of credentials", needs="enrols", share=2)
def bad_tokens(arena: Arena) -> Cases:
    """Forged, of another pool, client or use, expired, revoked, of a user who is disabled, too old: nothing is told, nothing changes."""
    api = _Api(arena)
    while True:
        for kind in kinds_that_enrol(arena):
            for name, header, refusing, told in _bad_headers(api):
                arena.renew()
                one = Enrolling(arena, kind)
                api.refusing, api.told = refusing, told
                before = arena.store.everything()
                for method, path, given in _calls(one, kind):
                    if name.startswith("old") and method in {"GET", "PATCH"}:
                        continue  # to look and to rename needs no fresh sign-in
                    yield api.call(header, method, path, given).status < _OK
                yield arena.store.everything() != before
                api.refusing, api.told = "", None
            arena.renew()
            one = Enrolling(arena, kind)
            good = f"Bearer {api.token()}"
            yield api.call(good, "POST", f"/{kind}/begin", {}).status >= _OK
            bob = f"Bearer {api.token(sub=api.people[1].attributes['sub'])}"
            yield any(api.call(bob, *call).status < _OK for call in _calls(one, kind) if "complete" in call[1])
            yield not one.unchanged
            given = {"handle": one.begun.handle, "answer": one.right}
            yield api.call(good, "POST", f"/{kind}/complete", given).status >= _OK


def _calls(one: Enrolling, kind: str) -> Iterator[tuple[str, str, object]]:
    """Give each call that tells or changes something."""
    owned = one.arena.store.of(one.arena.notes.devices.owner(one.person.attributes))
    yield "GET", "", None
    yield "POST", f"/{kind}/begin", {}
    yield "POST", f"/{kind}/complete", {"handle": one.begun.handle, "answer": one.right, "label": "x"}
    for each in owned:
        yield "PATCH", f"/{each.kind}/{each.id}", {"label": "stolen"}
        yield "DELETE", f"/{each.kind}/{each.id}", None


def _bad_headers(api: _Api) -> Iterator[tuple[str, str | None, str, str | None]]:
    """Give a name for each token, the header with it, with which error GetUser refuses it, and of whom GetUser tells."""
    now = int(api.arena.clock.now())
    good = api.token()
    changes: dict[str, dict[str, Any]] = {
        "another pool": {"iss": issuer_of("us-east-1_Other1234")},
        "no issuer": {"iss": None},
        "another client": {"client_id": "other"},
        "no client": {"client_id": None},
        "an ID token": {"token_use": "id", "aud": APP},
        "no use": {"token_use": None},
        "a refresh token": {"token_use": "refresh"},
        "expired": {"exp": now - 1},
        "from the future": {"iat": now + 600},
        "no sub": {"sub": None},
        "old": {"auth_time": now - FRESH - 2},
        "old, a text": {"auth_time": str(now)},
        "old, unknown": {"auth_time": None},
        "old, true": {"auth_time": True},
    }
    yield from ((name, f"Bearer {api.token(**changed)}", "", None) for name, changed in changes.items())
    yield from ((code, f"Bearer {good}", code, None) for code in ("NotAuthorizedException", "UserNotFoundException"))
    yield "another user's", f"Bearer {good}", "", api.people[1].attributes["sub"]
    yield "no header", None, "", None
    for header in ("", "Bearer", "Bearer ", good, f"Basic {good}", f"Bearer {good[:-4]}AAAA", f"Bearer {good} x"):
        yield f"the header {header:.12}", header, "", None
    yield "another key", f"Bearer {api.other_key.token(api.claims())}", "", None
    yield from ((f"alg {name}", f"Bearer {each}", "", None) for name, each in _forged(api.key, api.claims()))


def _forged(key: SigningKey, claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give tokens that are not signed, or signed with what everybody knows (RFC 8725 2.1)."""
    body = _encoded(claims)
    for algorithm in ("none", "None", "NONE", ""):
        yield algorithm, f"{_encoded({'alg': algorithm, 'kid': key.jwk['kid']})}.{body}."
    for known in (json.dumps(dict(key.jwk)), key.jwk["n"], ""):
        head = _encoded({"alg": "HS256", "kid": key.jwk["kid"]})
        signed = hmac.digest(known.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        yield "HS256", f"{head}.{body}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"
    own = _encoded({"alg": "RS256", "kid": "own", "jwk": dict(key.jwk), "jku": "https://evil.example/keys"})
    yield "RS256 with a key of its own", f"{own}.{key.token(claims).partition('.')[2]}"


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@family("H-17", "secrets and errors in what the API of credentials tells", needs="enrols")
def told_over_http(arena: Arena) -> Cases:
    """A secret is in the reply that shows it, once; bodies of any form are answered, and no text of an error gets out."""
    api = _Api(arena)
    while True:
        for kind in kinds_that_enrol(arena):
            arena.renew()
            one = Enrolling(arena, kind)
            good = f"Bearer {api.token()}"
            given = {"handle": one.begun.handle, "answer": one.right, "label": "x"}
            replies = [api.call(good, "POST", f"/{kind}/complete", each) for each in ({**given, "answer": "x"}, given)]
            replies += [api.call(good, "GET", ""), api.call(good, "DELETE", f"/{kind}/none")]
            told = " ".join(str(reply.body) for reply in replies)
            yield any(secret in told for secret in secrets_of(one))
            for body in _BODIES:
                for path in (f"/{kind}/begin", f"/{kind}/complete", f"/{kind}/x", "/", f"/{kind}/%00/complete"):
                    headers = {"authorization": good}
                    reply = api.api(HttpRequest("POST", path, {}, headers, body))
                    yield not 200 <= reply.status < 500 or "Traceback" in str(reply.body)
            marker = "MARKER-7f3a"
            arena.store.inner = _Broken(marker)
            calls: tuple[tuple[str, str, object], ...] = (
                ("GET", "", None),
                ("POST", f"/{kind}/begin", {}),
                ("DELETE", f"/{kind}/x", None),
            )
            for method, path, asked in calls:
                yield marker in str(api.call(good, method, path, asked).body)
            arena.renew()


_BODIES = (
    *(b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 20_000, b'{"handle":' * 2000, b"{}"),
    *(b'{"handle": 7, "answer": "x"}', b'{"handle": "x", "answer": null}', b'{"handle": "", "answer": ""}'),
    *(b'{"handle": "x", "answer": "x", "label": "a\\nb"}', b'{"handle": "x", "answer": "x", "label": 7}'),
    *(b'{"handle": "\\ud800", "answer": "\\ud800"}', b'{"handle": "x", "answer": "' + b"x" * 100_000 + b'"}'),
)
"""Bodies of any form; none of them completes anything."""


class _Broken:
    """A store that fails with a text that nobody should read."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def __getattr__(self, name: str) -> Any:
        def fails(*_: object, **__: object) -> Any:
            raise RuntimeError(self._marker)

        return fails


FAMILIES = families_in(globals())
