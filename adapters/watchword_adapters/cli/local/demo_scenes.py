"""The scenes of `watchword demo`: one whole sign-in and three attacks, each checked before it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, cast

from attrs import define, field, frozen

from watchword import Flow, sequence
from watchword.contract.kinds import Email
from watchword.errors import WatchwordError
from watchword.loading.registry import Registry
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.cli.image_file import save_picture
from watchword_adapters.cli.local.call_recording import RecordedCall, claims_of
from watchword_adapters.cli.local.local_run import (
    DEFAULT_EMAIL,
    DEFAULT_PASSWORD,
    DEFAULT_USER,
    LocalRun,
    start_local_run,
)
from watchword_adapters.cli.local.pool_client import PoolClient

HOUR = 3600
_DIGITS = 8


class UnexpectedOutcomeError(WatchwordError):
    """Raised if something went otherwise than the tour tells it."""


@frozen
class DemoScene:
    """One thing that happened: *before* it and *after* it is told in sentences; an *attack* is told by them alone."""

    title: str
    before: tuple[str, ...] = ()
    exchanges: tuple[RecordedCall, ...] = ()
    mail: tuple[Email, ...] = ()
    after: tuple[str, ...] = ()
    attack: bool = False
    picture: Path | None = None
    claims: Mapping[str, Mapping[str, Any]] = field(factory=dict[str, Mapping[str, Any]])


@define
class Demo:
    """The tour. Iterate over `scenes` once; it stops with `UnexpectedOutcomeError` where something is not as it is told."""

    flow: Flow
    stage: LocalRun
    audit: MemoryAudit
    picture: str = field(default="", init=False, repr=False)
    """What the last picture says."""

    def scenes(self) -> Iterator[DemoScene]:
        """Play the tour."""
        ann = self.stage.client(DEFAULT_USER, DEFAULT_PASSWORD)
        yield self._password(ann)
        yield self._picture(ann)
        yield self._wrong_code(ann)
        yield self._right_code(ann)
        yield self._bare_srp_a()
        yield self._replay()
        yield self._guessing()

    # The sign-in

    def _password(self, ann: PoolClient) -> DemoScene:
        opened = ann.open()
        _expect(_decided(opened) == "PASSWORD_VERIFIER", "a bare SRP_A is followed by the password, and by no tokens")
        proven = self._proven(ann)
        _expect(proven.public.get("kind") == "captcha", "after the password comes the picture")
        return DemoScene(
            "The password, by SRP",
            before=(
                "It never leaves the client: the pool checks a proof. Then Define decides, and Create makes a picture.",
            ),
            exchanges=(opened, proven),
        )

    def _proven(self, client: PoolClient) -> RecordedCall:
        """Prove the password, and hear what the picture says that comes next."""
        exchange = client.prove_password(self.stage.clock)
        self.picture = client.drawn
        return exchange

    def _picture(self, ann: PoolClient) -> DemoScene:
        path = save_picture(ann.parameters)
        text = self.picture
        _expect(path is not None, "the challenge holds a picture")
        exchange = ann.answer(text)
        _expect(exchange.public.get("kind") == "email_otp", "after the picture comes the code by e-mail")
        _expect(text not in _everything_before(exchange), "the text of the picture is in nothing that travels")
        mail = self._new_mail(1)
        return DemoScene(
            "The picture, then a code by e-mail",
            before=(
                f"The picture is saved as {path}",
                f"It says {text}. The demo peeked: its keys tell which codes they draw, since no event holds the text.",
            ),
            exchanges=(exchange,),
            mail=mail,
            picture=path,
        )

    def _wrong_code(self, ann: PoolClient) -> DemoScene:
        right = _code_in(self.stage.outbox.messages[-1].text)
        sent = len(self.stage.outbox.messages)
        exchange = ann.answer(_another(right))
        _expect(exchange.public.get("error") == "wrong", "a wrong code is said to be wrong")
        _expect(exchange.public.get("attempts_left") == "2", "a wrong code costs one of three tries")
        _expect(len(self.stage.outbox.messages) == sent, "a wrong code sends no second mail")
        return DemoScene(
            "A wrong answer, and what it costs",
            exchanges=(exchange,),
            after=(
                "It cost one of 3 tries and one of 10 guesses a day. No second mail went out; the code stays good.",
            ),
        )

    def _right_code(self, ann: PoolClient) -> DemoScene:
        exchange = ann.answer(_code_in(self.stage.outbox.messages[-1].text))
        claims = claims_of(exchange)
        _expect("id" in claims and "access" in claims, "the right code gives tokens")
        _expect(claims["id"]["cognito:username"] == DEFAULT_USER, "the tokens are those of the user")
        return DemoScene("The right code, and the tokens", exchanges=(exchange,), claims=claims)

    # The attacks

    def _bare_srp_a(self) -> DemoScene:
        mallory = self.stage.client(DEFAULT_USER, "a guess at it")
        opened = mallory.open()
        _expect(_decided(opened) == "PASSWORD_VERIFIER", "a bare SRP_A gives no tokens")
        call = opened.call("define")
        rounds = cast("list[dict[str, Any]]", call.request["session"]) if call else []
        _expect([each["challengeResult"] for each in rounds] == [True], "the host calls SRP_A a success")
        refused = mallory.prove_password(self.stage.clock)
        _expect(refused.code == "NotAuthorizedException" and not refused.calls, "a made-up proof is refused")
        return DemoScene(
            "Tokens for a bare SRP_A",
            exchanges=(opened, refused),
            after=(
                "Cognito writes SRP_A as a success before it checks any password; many a hand-written Define falls for it.",
                "This one presents PASSWORD_VERIFIER, and the made-up proof is refused: NotAuthorizedException.",
            ),
            attack=True,
        )

    def _replay(self) -> DemoScene:
        used = _code_in(self.stage.outbox.messages[-1].text)
        mallory, exchanges = self._up_to_the_code()
        self._new_mail(1)
        replayed = mallory.answer(used)
        _expect(replayed.public.get("error") == "wrong", "a code that was used is worth nothing in another sign-in")
        return DemoScene(
            "The code of the sign-in before, once more",
            exchanges=(*exchanges, replayed),
            after=("Somebody knows the password and read the mail. Each sign-in has a code of its own: wrong.",),
            attack=True,
        )

    def _guessing(self) -> DemoScene:
        before, began, mails = len(self.audit.events), self.stage.clock.now(), len(self.stage.outbox.messages)
        guesses, sign_ins = count(), 0
        refusals = 0
        while refusals < 2:
            mallory, exchanges = self._up_to_the_code()
            if exchanges[-1].code:
                _expect("TRY_LATER" in exchanges[-1].error, "mails run out with TRY_LATER")
                refusals += 1
                self.stage.clock.forward(HOUR)
                continue
            refusals = 0
            sign_ins += 1
            while mallory.challenge:
                exchange = mallory.answer(f"{next(guesses):0{_DIGITS}}")
                _expect(exchange.tokens is None, "no guess is right")
        sent = next(guesses)
        seen = self.audit.events[before:]
        compared = sum(event.name == "authn_login_fail" and event.detail.get("reason") == "wrong" for event in seen)
        locked = sum(event.name == "authn_login_lock" for event in seen)
        mails = len(self.stage.outbox.messages) - mails
        _expect(0 < compared <= 10 + mails, "no more guesses are compared than the budget allows")
        _expect(locked == sent - compared, "the others are refused unseen")
        hours = round((self.stage.clock.now() - began) / HOUR)
        return DemoScene(
            "Guessing the code, with the password and perfect eyes",
            after=(
                f"In {hours} hours (the clock was put forward) {sign_ins} sign-ins and {sent} guesses, until no more mail went out: 10 a day.",
                f"Only {compared} guesses were compared: 10 a day at most, and one for each mail. The others were refused unseen.",
                f"The chance to get in was {compared} in {10**_DIGITS:,}.",
            ),
            attack=True,
        )

    def _up_to_the_code(self) -> tuple[PoolClient, tuple[RecordedCall, ...]]:
        """Pass the password and the picture of a new sign-in; the last exchange asks for the code, or is refused."""
        client = self.stage.client(DEFAULT_USER, DEFAULT_PASSWORD)
        opened, proven = client.open(), self._proven(client)
        return client, (opened, proven, client.answer(self.picture))

    def _new_mail(self, wanted: int) -> tuple[Email, ...]:
        messages = tuple(self.stage.outbox.messages)[-wanted:]
        _expect(len(messages) == wanted and messages[-1].to == DEFAULT_EMAIL, "a mail goes to the user's address")
        return messages


def start_demo() -> Demo:
    """Return a tour that can begin.

    Raises:
        ConfigurationError: if an extra is missing; the message says what to install.
    """
    registry = Registry()
    srp, email_otp, captcha = (
        cast("Callable[..., Any]", registry.find_kind(name)) for name in ("srp", "email_otp", "captcha")
    )
    flow = Flow(sequence(srp(), captcha(attempts=2), email_otp(length=_DIGITS, attempts=3)), name="acme")
    audit = MemoryAudit()
    attributes = {"email": DEFAULT_EMAIL, "email_verified": "true"}
    stage = start_local_run(
        flow, user=DEFAULT_USER, password=DEFAULT_PASSWORD, attributes=attributes, audit=audit, registry=registry
    )
    return Demo(flow, stage, audit)


def _expect(held: bool, told: str) -> None:
    if not held:
        raise UnexpectedOutcomeError(f"the tour went otherwise than told: it should be that {told}")


def _decided(exchange: RecordedCall) -> str:
    call = exchange.call("define")
    return str(call.response.get("challengeName", "")) if call else ""


def _everything_before(exchange: RecordedCall) -> str:
    """Return all that Verify and Define were given in *exchange*, the answer left out, as text."""
    verify, define_ = exchange.call("verify"), exchange.call("define")
    requests = [call.request for call in (verify, define_) if call]
    return json.dumps([{**request, "challengeAnswer": ""} for request in requests])


def _code_in(text: str) -> str:
    """Return the code in a mail: its first word of eight digits."""
    return next(word for word in text.replace(".", " ").split() if word.isdigit() and len(word) == _DIGITS)


def _another(code: str) -> str:
    """Return a code that differs from *code* in its first digit."""
    return f"{(int(code[0]) + 1) % 10}{code[1:]}"
