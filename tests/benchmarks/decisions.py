"""Processor time of one Define decision, and of a whole sign-in in the local pool."""

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rounds import Measured, Sample, alternate, microseconds_each
from scoreboard import Row, left_out, options, show

from watchword import Flow, named, sequence
from watchword.algebra import derivative
from watchword.runtime.wire import Metadata
from watchword_adapters.audit import NoAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.deploy.build import define_handler
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.email_otp import EmailOtp

sys.path.insert(0, str(Path(__file__).parent / "handlers"))
import define_by_hand  # Both are found by the line above.
import mail_by_hand

LENGTHS = (1, 4, 5, 50, 64)
AIMS = {1: "≤ 8x", 4: "≤ 12x", 5: "≤ 12x"}
HAND, JUDGE, DEFINE, BUILT, JSON = (
    "by hand",
    "derivative.evaluate_session",
    "define",
    "define as built",
    "json.loads and dumps",
)
SIGNATURES, SIGN_IN_BY_HAND, SIGN_IN = "two RS256 signatures", "sign-in, handlers by hand", "sign-in, Watchword"

Handler = Callable[[dict, object], dict]


def deciding(length: int) -> tuple[Flow, dict]:
    """Return a flow of one step more than *length*, and the event after its first *length* steps were answered right."""
    flow = Flow(sequence(*(named(f"code_{number}", EmailOtp()) for number in range(length + 1))), name="acme")
    session = [
        {
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": True,
            "challengeMetadata": Metadata(
                flow=flow.fingerprint,
                facts="",
                step=f"code_{number}",
                before="answer" if number else "-",
                signin="0123456789abcdef",
                claim=f"{number:032x}",
                issued=1_800_000_000,
            ).write(),
        }
        for number in range(length)
    ]
    attributes = {"sub": "11111111-2222-4333-8444-555555555555", "email": "ann@example.com", "email_verified": "true"}
    return flow, {
        "version": "1",
        "triggerSource": "DefineAuthChallenge_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "4f8k2m9q1r7s3t5v6w0x2y4z8a"},
        "request": {"userAttributes": attributes, "session": session},
        "response": {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    }


def decisions(length: int) -> dict[str, Callable[[], object]]:
    """Return the works that decide after *length* rounds, each tried once: all must ask for one more challenge."""
    flow, event = deciding(length)
    define = triggers(
        flow, environment={"AWS_LAMBDA_FUNCTION_NAME": "acme", "_HANDLER": "app.define"}
    ).define  # as Lambda sets it up: no ledger, no audit
    names = ("challengeName", "challengeResult", "challengeMetadata")
    session = [tuple(entry[name] for name in names) for entry in event["request"]["session"]]
    user = event["request"]["userAttributes"]
    works: dict[str, Callable[[], object]] = {
        HAND: lambda: define_by_hand.handler(event, None, steps=length + 1),
        JUDGE: lambda: derivative.evaluate_session(
            session, [flow.program], user, "4f8k2m9q1r7s3t5v6w0x2y4z8a", True, None, None
        ),
        DEFINE: lambda: define(event, None),
        BUILT: lambda: define_handler.define_event(event, [(flow.name, flow.program)], derivative.evaluate_session),
    }
    if length == 4:
        text = json.dumps(event)
        works[JSON] = lambda: json.dumps(json.loads(text))
    replies = {name: work() for name, work in works.items()}
    assert replies[JUDGE][0] == ("present", f"code_{length}")
    assert replies[HAND]["response"] == replies[DEFINE]["response"] == replies[BUILT]["response"]
    return works


def verify_by_hand(event, context):
    """Verify, written by hand."""
    answer = event["request"]["privateChallengeParameters"].get("answer")
    event["response"] = {"answerCorrect": answer is not None and answer == event["request"]["challengeAnswer"]}
    return event


def signing_in(handlers: Iterable[Handler], mail: Callable[[], str], count: int) -> Callable[[], Sample]:
    """Return a run of *count* sign-ins of as many users through *handlers*; *mail* gives the last mail's text."""
    from watchword_adapters.userpool import LocalUserPool

    pool = LocalUserPool(*handlers)
    numbers = itertools.count()

    def sign_in() -> None:
        # Every time somebody else: a user gets no more than three mails in a quarter of an hour.
        name = f"user{next(numbers)}"
        pool.add_user(name, attributes={"email": f"{name}@example.com", "email_verified": "true"})
        asked = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})
        code = re.search(r"\b\d{8}\b", mail()).group()
        reply = pool.respond_to_auth_challenge(
            ClientId=pool.client_id,
            ChallengeName=asked["ChallengeName"],
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, "ANSWER": code},
        )
        assert reply["AuthenticationResult"]["AccessToken"]

    return microseconds_each(sign_in, count)


def sign_ins(count: int) -> dict[str, Callable[[], Sample]]:
    """Return the runs of *count* sign-ins, with handlers by hand and with Watchword's."""
    outbox = Outbox()
    ours = triggers(
        Flow(EmailOtp(), name="acme"),
        courier=outbox,
        key=bytes(range(32)),
        ledger=MemoryLedger(),
        audit=NoAudit(),
        environment={},
    )
    by_hands = (define_by_hand.handler, mail_by_hand.handler, verify_by_hand)
    return {
        SIGN_IN_BY_HAND: signing_in(by_hands, lambda: mail_by_hand.OUTBOX.pop()[2], count),
        SIGN_IN: signing_in(ours, lambda: outbox.messages.pop().text, count),
    }


def signing(count: int) -> Callable[[], Sample]:
    """Return a run that makes two signatures *count* times: what tokens cost at the least."""
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    key = rsa.generate_private_key(65537, 2048)
    token = b"a" * 700

    def sign_both() -> None:
        for _ in range(2):
            key.sign(token, padding.PKCS1v15(), SHA256())

    return microseconds_each(sign_both, count)


def variants(*, quick: bool) -> dict[str, Callable[[], Sample]]:
    """Return a run for each variant: so many decisions that a run takes some ten milliseconds."""
    runs = {}
    for length in LENGTHS:
        for name, work in decisions(length).items():
            runs[f"{name}, {_rounds(length)}"] = microseconds_each(work, 100 if quick else 4000 // (length + 3))
    if find_spec("cryptography") is None:
        left_out("the sign-in", "cryptography")
    else:
        count = 1 if quick else 20
        runs |= {SIGNATURES: signing(count), **sign_ins(count)}
    return runs


def _rounds(length: int) -> str:
    return "1 round" if length == 1 else f"{length} rounds"


def rows(measured: Measured) -> list[Row]:
    """Return the figures: the two interpreters against the handler by hand, and the goals that are set against others."""
    row = partial(_row, measured)
    table = []
    for length in LENGTHS:
        hand = f"{HAND}, {_rounds(length)}"
        table += [row(hand), row(f"{JUDGE}, {_rounds(length)}", hand)]
        table.append(row(f"{DEFINE}, {_rounds(length)}", hand))
        table.append(row(f"{BUILT}, {_rounds(length)}", hand, AIMS.get(length, "")))
    few, many = (f"{BUILT}, {_rounds(length)}" for length in (4, 64))
    table += [row(f"{JSON}, 4 rounds"), row(few, f"{JSON}, 4 rounds", "≤ 0.25x"), row(many, few, "≤ 20x")]
    if SIGN_IN in measured.samples:
        # The goal was set for the pool: with handlers by hand it is the pool's cost alone.
        table += [row(SIGNATURES), row(SIGN_IN_BY_HAND, SIGNATURES), row(SIGN_IN, SIGNATURES, "≤ 2x")]
        table.append(row(SIGN_IN, SIGN_IN_BY_HAND))
    return table


def _row(measured: Measured, variant: str, against: str = "", target: str = "") -> Row:
    ratio = measured.ratio(variant, against, "us") if against else None
    return Row(variant, measured.median(variant, "us"), "µs", ratio, against, target)


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    measured = alternate(variants(quick=asked.quick), asked.rounds, warm_up=not asked.quick)
    show("decisions", rows(measured), as_json=asked.json)


if __name__ == "__main__":
    main()
