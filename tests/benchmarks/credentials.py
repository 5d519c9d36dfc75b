"""What kinds that remember cost: enrolments, challenges and verdicts over ports in memory, offers, and sign-ins in the local pool."""

import gc
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pyotp
from cold_start import CPU, PEAK, UNITS, lambda_environment, spent
from decisions import SIGN_IN, SIGNATURES, sign_ins, signing
from fido2.server import Fido2Server
from fido2.webauthn import AttestedCredentialData, PublicKeyCredentialRpEntity
from rounds import Measured, Sample, alternate
from scoreboard import Row, options, show

from watchword import Flow, User, one_of
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword_adapters.audit import NoAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.authenticator import Authenticator, standard_form  # found by the line above
from kit.engine_host import ANN, Host, Mail, Riddle, world
from kit.enrolled_devices import Answers, enrolling

POOL, CLIENT, PERIOD = "pool_1", "client", 30
NOTHING, PYOTP, FIDO2 = "code by mail", "pyotp", "fido2"
PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
KINDS = {kind.kind: kind for kind in (Totp(), RecoveryCodes(), PASSKEY)}
TARGET = "≤ 1.25x"
BEGIN, COMPLETE, CREATE, VERIFY = "begin", "complete", "Create", "Verify"

COLD = """
from watchword import Flow
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_plugins.{kind} import {made.__class__.__name__}
given = triggers(Flow({made!r}), key=bytes(range(32)), courier=Outbox(), ledger="process-only", credentials="process-only")
given.{trigger}({event!r}, None)
"""
REQUESTS = {
    "define": ("DefineAuthChallenge", {"session": []}),
    "verify": ("VerifyAuthChallengeResponse", {"privateChallengeParameters": {}, "challengeAnswer": "x"}),
}


def timed(calls: list[Callable[[], object]]) -> float:
    """Return the processor time of one of *calls*, in microseconds."""
    gc.collect()
    gc.disable()
    try:
        before = time.process_time_ns()
        for call in calls:
            call()
        return (time.process_time_ns() - before) / len(calls) / 1000
    finally:
        gc.enable()


def people(count: int) -> Iterator[User]:
    """Yield so many users."""
    for number in range(count):
        own = {"sub": f"11111111-2222-4333-8444-{number:012}", "email": f"user{number}@example.com"}
        yield User(f"user{number}", ANN | own)


def remembering(kind: str, count: int) -> Callable[[], Sample]:
    """Return a run in which so many users enrol for *kind*, and sign in once each."""

    def run() -> Sample:
        here = world(Flow(KINDS[kind]), credentials=MemoryCredentials())
        users, numbers = list(people(count)), itertools.count(1)
        begun: list[tuple[User, str, str, Answers]] = []
        handles = []
        begin = timed(
            [lambda user=user: handles.append(begin_enrolment(here.engine, POOL, CLIENT, user, kind)) for user in users]
        )
        for user, each in zip(users, handles, strict=True):
            begun.append((user, each.handle, *enrolling(kind, dict(each.public), here.clock.now(), next(numbers))))
        done = []
        complete = timed(
            [
                lambda user=user, handle=handle, answer=answer: done.append(
                    complete_enrolment(here.engine, POOL, CLIENT, user, handle, answer)
                )
                for user, handle, answer, _ in begun
            ]
        )
        assert all(each.credential for each in done), done
        here.clock.sleep_until(here.clock.monotonic() + 2 * PERIOD)
        hosts = [Host(here, user) for user in users]
        create = timed([host.next for host in hosts])
        answers = [
            use(dict(host.pending[0].public), here.clock.now()) for host, (*_, use) in zip(hosts, begun, strict=True)
        ]
        return {BEGIN: begin, COMPLETE: complete, CREATE: create, VERIFY: verified(hosts, answers)}

    return run


def verified(hosts: list[Host], answers: list[str]) -> float:
    """Return what one right answer costs Verify."""
    verdicts = []
    took = timed(
        [
            lambda host=host, answer=answer: verdicts.append(host.verify(answer).right)
            for host, answer in zip(hosts, answers, strict=True)
        ]
    )
    assert all(verdicts)
    return took


def by_mail(count: int) -> Callable[[], Sample]:
    """Return a run in which so many users sign in by a code by mail: nothing is remembered."""

    def run() -> Sample:
        here = world(Flow(Mail()))
        hosts = [Host(here, user) for user in people(count)]
        answers: list[str] = []

        def ask(host: Host) -> None:
            host.next()
            answers.append(here.post.code)

        create = timed([lambda host=host: ask(host) for host in hosts])
        return {CREATE: create, VERIFY: verified(hosts, answers)}

    return run


def by_pyotp(count: int) -> Callable[[], Sample]:
    """Return a run of pyotp's own verdict, over the same three steps."""
    codes = [pyotp.TOTP(pyotp.random_base32()) for _ in range(count)]
    now = 1_800_000_000
    given = [(each, each.at(now)) for each in codes]
    return lambda: {VERIFY: timed([lambda e=e, c=c: e.verify(c, for_time=now, valid_window=1) for e, c in given])}


def by_fido2(count: int) -> Callable[[], Sample]:
    """Return a run of fido2's own verdict."""
    server = Fido2Server(PublicKeyCredentialRpEntity(name="Example", id="example.com"))
    device = Authenticator()
    known = AttestedCredentialData.create(device.aaguid, device.id, device.public_key)
    given = []
    for _ in range(count):
        asked, state = server.authenticate_begin([known])
        given.append((state, standard_form(device.use(asked.public_key.challenge))))
    return lambda: {VERIFY: timed([lambda s=s, a=a: server.authenticate_complete(s, [known], a) for s, a in given])}


def choosing(flow: Flow, count: int) -> Callable[[], Sample]:
    """Return a run that makes the challenge of a choice."""

    def run() -> Sample:
        here = world(flow, credentials=MemoryCredentials())
        return {CREATE: timed([Host(here, user).next for user in people(count)])}

    return run


def pool_sign_ins(kind: str, count: int) -> Callable[[], Sample]:
    """Return a run of sign-ins in the local pool, of as many users who have enrolled for *kind*."""
    ours = triggers(
        Flow(KINDS[kind], name="acme"),
        key=bytes(range(32)),
        ledger=MemoryLedger(),
        credentials=MemoryCredentials(),
        audit=NoAudit(),
        environment={},
    )
    pool, numbers = LocalUserPool(*ours), itertools.count(1)

    def enrolled() -> tuple[str, Answers]:
        number = next(numbers)
        name = f"user{number}"
        made = pool.add_user(name, attributes={"email": f"{name}@example.com"})
        user = User(name, {**made.attributes, "sub": made.sub})
        begun = begin_enrolment(ours.services, pool.pool_id, pool.client_id, user, kind)
        first, use = enrolling(kind, dict(begun.public), time.time(), number)
        assert complete_enrolment(ours.services, pool.pool_id, pool.client_id, user, begun.handle, first).credential
        return name, use

    def sign_in(name: str, use: Answers) -> None:
        asked = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})
        # The step of the enrolment is used; one of drift is allowed.
        answer = use(asked["ChallengeParameters"], time.time() + PERIOD)
        reply = pool.respond_to_auth_challenge(
            ClientId=pool.client_id,
            ChallengeName=asked["ChallengeName"],
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, "ANSWER": answer},
        )
        assert reply["AuthenticationResult"]["AccessToken"]

    def run() -> Sample:
        known = [enrolled() for _ in range(count)]
        return {"us": timed([lambda each=each: sign_in(*each) for each in known])}

    return run


def cold_variants(environment: Mapping[str, str]) -> dict[str, Callable[[], Sample]]:
    """Return a run for each first call of a trigger, by the kind of which the flow consists; nothing is judged in it."""
    runs = {}
    for trigger, (source, request) in REQUESTS.items():
        event = {
            "version": "1",
            "triggerSource": f"{source}_Authentication",
            "region": "us-east-1",
            "userPoolId": "us-east-1_AbCdEf123",
            "userName": "ann",
            "callerContext": {"clientId": "client"},
            "request": {"userAttributes": ANN, **request},
            "response": {},
        }
        for made in (EmailOtp(), *KINDS.values()):
            program = COLD.format(kind=made.kind, made=made, trigger=trigger, event=event)
            own = {**environment, "_HANDLER": f"app.{trigger}"}
            runs[f"first {trigger}, {made.kind}"] = partial(spent, program, own)
    return runs


def cold_rows(measured: Measured) -> list[Row]:
    """Return the figures of the first calls: each kind against a code by mail."""
    table = []
    for name in measured.samples:
        least = f"{name.partition(',')[0]}, email_otp"
        for quantity in (CPU, PEAK):
            ratio, against = (None, "") if name == least else (measured.ratio(name, least, quantity), least)
            table.append(Row(f"{name}, {quantity}", measured.median(name, quantity), UNITS[quantity], ratio, against))
    return table


def variants(count: int) -> dict[str, Callable[[], Sample]]:
    """Return a run for each variant, of so many users."""
    plain, offering = one_of(Mail(), Riddle()), one_of(Mail(), PASSKEY)
    return {
        NOTHING: by_mail(count),
        **{kind: remembering(kind, count) for kind in KINDS},
        PYOTP: by_pyotp(count),
        FIDO2: by_fido2(count),
        "choice": choosing(Flow(plain), count),
        "choice with an offer": choosing(Flow(offering), count),
        SIGNATURES: signing(count),
        SIGN_IN: sign_ins(count)[SIGN_IN],
        **{f"sign-in, {kind}": pool_sign_ins(kind, count) for kind in KINDS},
    }


def rows(measured: Measured) -> list[Row]:
    """Return the figures: each call against that of a code by mail, the verdicts against the libraries', sign-ins against signatures."""
    table = [Row(f"{NOTHING}, {what}", measured.median(NOTHING, what), "µs") for what in (CREATE, VERIFY)]
    for kind, peer in zip(KINDS, (PYOTP, "", FIDO2), strict=True):
        table += [Row(f"{kind}, {what}", measured.median(kind, what), "µs") for what in (BEGIN, COMPLETE)]
        for what in (CREATE, VERIFY):
            table.append(_row(measured, kind, NOTHING, what))
        if peer:
            table += [
                Row(f"{peer}, {VERIFY}", measured.median(peer, VERIFY), "µs"),
                _row(measured, kind, peer, VERIFY),
            ]
    table += [Row(f"choice, {CREATE}", measured.median("choice", CREATE), "µs")]
    table.append(_row(measured, "choice with an offer", "choice", CREATE))
    mail = measured.median(SIGN_IN, "us")
    table.append(Row(SIGN_IN, mail, "µs", measured.ratio(SIGN_IN, SIGNATURES, "us"), SIGNATURES))
    for name in (f"sign-in, {kind}" for kind in KINDS):
        ratio = measured.ratio(name, SIGN_IN, "us")
        table.append(Row(name, measured.median(name, "us"), "µs", ratio, SIGN_IN, TARGET))
    return table


def _row(measured: Measured, name: str, against: str, what: str) -> Row:
    return Row(
        f"{name}, {what}", measured.median(name, what), "µs", measured.ratio(name, against, what), f"{against}, {what}"
    )


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    measured = alternate(variants(2 if asked.quick else 20), asked.rounds, warm_up=not asked.quick)
    with lambda_environment(compiled=not asked.quick) as environment:
        cold = alternate(cold_variants(environment), asked.rounds, warm_up=not asked.quick)
    show("credentials", [*rows(measured), *cold_rows(cold)], as_json=asked.json)


if __name__ == "__main__":
    main()
