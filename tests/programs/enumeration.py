"""Whether somebody exists can be told from the outside: sign-ins of known and of unknown users, interleaved, and measured.

`python tests/programs/enumeration.py` does it in real time, with mails that take as long as they say; `--virtual` on a clock that is moved.
What a mail takes is drawn (log-normal, median 150 ms). AUC is how well a stranger tells the two apart by time alone: 0.5 is
a coin. KS is the two-sample test of Kolmogorov and Smirnov.
"""

import argparse
import json
import math
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))
from watchword import Flow, one_of, sequence
from watchword.testing.time import VirtualClock
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import TriggersVisit
from watchword_adapters.attacks.arena.ways_to_steps import APP, Circumstances
from watchword_adapters.attacks.families.user_enumeration import SlowMail
from watchword_adapters.clock import SystemClock
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.srp import Srp

EACH = 2000
FLOOR = 0.5
SEED = 20260101
THREADS = 16
PASSKEY = Passkey("example.com", ("https://example.com",))
FLOWS = {
    "code": Flow(EmailOtp(), name="code"),
    "password": Flow(sequence(Srp(), EmailOtp(length=6)), name="password"),
    "passkey": Flow(PASSKEY, name="passkey"),
    "choice": Flow(one_of(PASSKEY, EmailOtp()), name="choice"),
}
MAILING = frozenset({"code", "password"})
"""The flows whose first challenge goes out as a message."""
CALLS = ("create", "verify")
DRAWN = re.compile(r"(challenge|expires_at|ref)(\W+)(?:[\w-]{43}|[0-9]{10}|[A-Z]{8})")
"""What is drawn or counted up in a text of JSON."""
HIGHEST_AUC, LOWEST_P = 0.53, 0.001


def auc(ones, others):
    """The chance that one of *others* is greater than one of *ones*, ties counted half (Mann and Whitney)."""
    ranked = sorted([(value, 0) for value in ones] + [(value, 1) for value in others])
    total, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        total += (place + end + 1) / 2 * sum(which for _, which in ranked[place:end])
        place = end
    score = (total - len(others) * (len(others) + 1) / 2) / (len(ones) * len(others))
    return max(score, 1 - score)


def ks_p(ones, others):
    """The p of the two-sample Kolmogorov-Smirnov test (asymptotic, Stephens 1970)."""
    values = sorted({*ones, *others})
    ones, others = sorted(ones), sorted(others)
    distance, at, there = 0.0, 0, 0
    for value in values:
        while at < len(ones) and ones[at] <= value:
            at += 1
        while there < len(others) and others[there] <= value:
            there += 1
        distance = max(distance, abs(at / len(ones) - there / len(others)))
    scale = math.sqrt(len(ones) * len(others) / (len(ones) + len(others)))
    x = (scale + 0.12 + 0.11 / scale) * distance
    if x < 0.2:
        return 1.0
    return min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101)))


class Timed:
    """Triggers, and how many seconds were *spent* in them: the judge of the arena, who works after each call, is no part of the host."""

    def __init__(self, triggers, clock):
        self.clock, self.spent = clock, 0.0
        for name in ("define", "create", "verify"):
            setattr(self, name, partial(self.call, getattr(triggers, name)))

    def call(self, trigger, event, context):
        """Have *trigger* answer."""
        began = self.clock.monotonic()
        try:
            return trigger(event, context)
        finally:
            self.spent += self.clock.monotonic() - began

    def take(self):
        """Return what was spent since this was last asked."""
        spent, self.spent = self.spent, 0.0
        return spent


class Study:
    """The sign-ins of one flow, with answers padded to *floor* seconds: times in seconds, bodies, and mails.

    *threads* of 0 is a virtual clock, and a little drawn noise in place of a real host's.
    """

    def __init__(self, flow, floor, each=EACH, *, threads=0, seed=SEED, tell=lambda done: None):
        self.flow, self.floor, self.real = flow, floor, bool(threads)
        self.times = {what: {True: [], False: []} for what in CALLS}
        self.bodies = {what: {True: set(), False: set()} for what in CALLS}
        self.mailed = {True: 0, False: 0}
        self.lock = threading.Lock()
        self.done, self.tell = 0, tell
        order = [True, False] * each
        random.Random(seed).shuffle(order)
        numbered = list(enumerate(order))
        lanes = [numbered[first :: max(1, threads)] for first in range(max(1, threads))]
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(self.lane, range(seed, seed + len(lanes)), lanes))

    def lane(self, seed, lane):
        """Play the sign-ins of one thread, which has triggers, a ledger and a courier of its own."""
        draw, clock = random.Random(seed), real_clock() if self.real else VirtualClock()
        mail = SlowMail(clock, lambda: draw.lognormvariate(math.log(0.15), 0.35))
        arena = Arena(self.flow, f"enumeration {seed}", courier=mail, clock=clock, pad_to=self.floor)
        arena.triggers = Timed(arena.triggers, clock)
        for number, known in lane:
            self.sign_in(arena, mail, draw, number, known=known)
            if not self.real:
                clock.advance(1)

    def sign_in(self, arena, mail, draw, number, *, known):
        """Begin one, and give a wrong answer."""
        attributes = {"sub": f"sub-{number}", "email": f"u{number}@example.com", "email_verified": "true"}
        # Half of the known users have enrolled, where there is something to enrol for.
        kinds = {step.kind.kind for step in self.flow.steps.values() if step.powers.remembers and number % 2}
        scene = Circumstances(0, {}, APP, (), (), enrolled=frozenset(kinds))
        person = arena.enrols(AttackedUser(f"u{number}", scene, attributes if known else {}, known))
        sent = mail.sent
        one, taken = self.timed(arena, draw, lambda: opened(arena, person))
        begun = shape(one.public, one.metadata)
        _, later = self.timed(arena, draw, lambda: one.answer("00000000"))
        ended = shape(one.public, one.metadata, one.refused, one.tokens)
        with self.lock:
            for what, spent, body in (("create", taken, begun), ("verify", later, ended)):
                self.times[what][known].append(spent)
                self.bodies[what][known].add(body)
            self.mailed[known] += mail.sent - sent
            self.done += 1
            self.tell(self.done)

    def timed(self, arena, draw, act):
        """Return what *act* returns, and the seconds that a stranger waits for it."""
        result = act()
        noise = 0.0 if self.real else draw.lognormvariate(math.log(0.004), 0.5)
        return result, round(arena.triggers.take() + noise, 6)

    def figures(self):
        """Return what was measured."""
        calls = {
            what: {
                "auc": round(auc(times[True], times[False]), 4),
                "ks_p": round(ks_p(times[True], times[False]), 4),
                "bodies": len(self.bodies[what][True] | self.bodies[what][False]),
            }
            for what, times in self.times.items()
        }
        return {**calls, "mails": {"known": self.mailed[True], "unknown": self.mailed[False]}}


def real_clock():
    """Return the system's clock, whose `advance` waits."""
    clock = SystemClock()
    wanted = {"now": clock.now, "monotonic": clock.monotonic, "sleep_until": clock.sleep_until, "call": clock.call}
    return SimpleNamespace(**wanted, advance=time.sleep)


def opened(arena, person):
    """Begin a sign-in, and prove the password where one comes first."""
    srp = arena.targets[0].srp
    one = TriggersVisit(arena, person, srp=srp)
    if srp:
        one.prove()
    return one


def shape(public, metadata, *more):
    """What a client and the host's session see, but for what is drawn or counted up."""
    fields = {
        name: text for name, text in public.items() if name not in {"ref", "signin", "expires_at", "resend_after"}
    }
    fields = {name: DRAWN.sub(r"\1\2-", text) for name, text in fields.items()}
    fields["destination"] = re.sub("[a-z]", "x", fields.get("destination", ""))
    return json.dumps([fields, re.sub(r"[0-9a-f]{16,}|[0-9]{10}", "-", metadata.rpartition(";")[0]), *more])


def problems(figures: dict, each: int, *, mailing: bool = True) -> list[str]:
    """Return what in the *figures* of a flow tells known from unknown users; *mailing*: its first challenge is a message."""
    found = []
    for what in CALLS:
        told = figures[what]
        if told["auc"] > HIGHEST_AUC:
            found.append(f"{what}: AUC {told['auc']}, more than {HIGHEST_AUC}")
        if told["ks_p"] < LOWEST_P:
            found.append(f"{what}: KS p {told['ks_p']}, less than {LOWEST_P}")
        if told["bodies"] != 1:
            found.append(f"{what}: {told['bodies']} different bodies, not 1")
    if figures["mails"] != {"known": each if mailing else 0, "unknown": 0}:
        found.append(f"mails: {figures['mails']}, not {'one for each known user' if mailing else 'none'}")
    return found


def progress(flow: str, total: int) -> Callable[[int], None]:
    """Return what tells how far a flow is, on a terminal."""

    def tell(done: int) -> None:
        if sys.stderr.isatty() and (done % 50 == 0 or done == total):
            print(f"\r{flow}: {done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return tell


def main() -> int:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--each", type=int, default=EACH, help="how many known and how many unknown users (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=THREADS, help="how many sign in at once (%(default)s)")
    parser.add_argument("--virtual", action="store_true", help="do not wait: a virtual clock, one thread")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="where the order and the mails' times begin (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if given.each < 1 or given.threads < 1:
        parser.error("--each and --threads are 1 or more")
    began, flows, wrong = time.monotonic(), {}, []
    for name, flow in FLOWS.items():
        tell = progress(name, 2 * given.each)
        study = Study(
            flow, FLOOR, given.each, threads=0 if given.virtual else given.threads, seed=given.seed, tell=tell
        )
        flows[name] = study.figures()
        wrong += [f"{name}, {problem}" for problem in problems(flows[name], given.each, mailing=name in MAILING)]
    seconds = round(time.monotonic() - began, 1)
    if given.json:
        told = {"each": given.each, "seed": given.seed, "virtual": given.virtual, "seconds": seconds}
        print(json.dumps({**told, "flows": flows, "problems": wrong}))
        return 1 if wrong else 0
    for name, figures in flows.items():
        for what in CALLS:
            told = figures[what]
            print(f"{name}, {what}: AUC {told['auc']:.3f}, KS p {told['ks_p']:.3f}, {told['bodies']} body")
        print(f"{name}: {figures['mails']['known']} mails to known, {figures['mails']['unknown']} to unknown users")
    print(f"{given.each} + {given.each} sign-ins of each flow in {seconds} s, seed {given.seed}")
    for problem in wrong:
        print(f"WRONG: {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
