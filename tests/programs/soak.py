"""Sign-ins by the thousand on several threads: memory stays flat, nothing fails, nothing is sent twice, the ledger adds up.

`python tests/programs/soak.py --seconds 600`, or `--sign-ins 3600` for an hour's worth at one a second. Each thread is a container of its
own, with its own triggers and clock; the ledger and the courier are shared. Time is virtual: after each round two hours pass, so
that everything which is kept for a day is kept and thrown away many times over.
"""

import argparse
import gc
import logging
import math
import random
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

from attrs import field, frozen

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.engine_host import KEY, Riddle  # found by the line above
from watchword import Flow, Limits, sequence
from watchword.contract.ports import Receipt
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.ledgers.sqlite import SqliteLedger
from watchword_plugins.email_otp import EmailOtp

THREADS = 4
SIGN_INS = 5
"""In one round, on one thread."""

PAUSE = 2.0
"""Virtual hours between two rounds."""

NOISE = 32_768
"""Bytes by which the memory in use goes up and down from round to round."""

KEPT = 25.0
"""Hours that are kept longest: a day, and one of grace. After them as much is thrown away as comes."""

FLOW = Flow(sequence(Riddle(), EmailOtp()), limits=Limits(guesses="10/day", messages=["3/15min", "10/day"]))
NAMES = {
    "define": "DefineAuthChallenge_X",
    "create": "CreateAuthChallenge_X",
    "verify": "VerifyAuthChallengeResponse_X",
}
WAYS = (
    ("right",) * 8
    + ("wrong first",) * 3
    + ("resend",) * 2
    + ("retries",) * 2
    + ("all wrong", "abandoned", "unknown", "impatient")
)


class Post:
    """A courier that counts, and keeps a code until it is fetched."""

    floor = 0.0

    def __init__(self):
        self._lock = threading.Lock()
        self._codes = {}
        self._ids = set()
        self.sent = self.twice = 0

    channel = "email"

    def send(self, message, within):
        with self._lock:
            self.sent += 1
            self.twice += message.id in self._ids
            self._ids.add(message.id)
            self._codes[message.to] = "".join(filter(str.isdigit, message.text.partition("code")[2]))[:8]
        return Receipt()

    def fetch(self, address):
        with self._lock:
            return self._codes.pop(address, "")

    def forget(self):
        with self._lock:
            self._ids.clear()
            self._codes.clear()


class Tally:
    """An audit that counts events by name and reason."""

    def __init__(self):
        self._lock = threading.Lock()
        self.counts = Counter()

    def record(self, event):
        with self._lock:
            self.counts[event.name, event.detail.get("reason", "")] += 1


@frozen
class Container:
    """One thread's triggers, clock and dice."""

    number: int
    triggers: object
    clock: VirtualClock
    dice: random.Random
    post: Post


@frozen
class Client:
    """One sign-in as Cognito runs it."""

    container: Container
    name: str
    known: bool = True
    session: list = field(factory=list)

    @property
    def address(self):
        return f"{self.name}@example.com"

    def call(self, trigger, **request):
        user = {"userAttributes": {"sub": self.name, "email": self.address, "email_verified": "true"}}
        if not self.known:
            user = {"userAttributes": {}, "userNotFound": True}
        event = {
            "triggerSource": NAMES[trigger],
            "userPoolId": "us-east-1_Soak",
            "userName": self.name,
            "callerContext": {"clientId": "client"},
            "request": {**user, "session": list(self.session), **request},
            "response": {},
        }
        return getattr(self.container.triggers, trigger)(event)["response"]

    def asked(self, **said):
        """Return the next challenge, ``tokens`` or ``fail``."""
        decision = self.call("define", clientMetadata=said)
        if decision["issueTokens"]:
            return "tokens"
        if decision["failAuthentication"]:
            return "fail"
        return self.call("create", challengeName="CUSTOM_CHALLENGE", clientMetadata=said)

    def answers(self, challenge, answer, **said):
        """Answer *challenge*; return whether it was right, and what comes next."""
        self.container.clock.advance(1)
        private = challenge["privateChallengeParameters"]
        right = self.call("verify", privateChallengeParameters=private, challengeAnswer=answer, clientMetadata=said)
        metadata = challenge["challengeMetadata"]
        self.session.append(
            {
                "challengeName": "CUSTOM_CHALLENGE",
                "challengeResult": right["answerCorrect"],
                "challengeMetadata": metadata,
            }
        )
        return right["answerCorrect"], self.asked(**said)


def signed_in(client, way):
    """Play one sign-in; return how it ended: ``tokens``, ``fail``, ``abandoned`` or a failure text."""
    clock = client.container.clock
    challenge = client.asked()
    if way == "retries":
        challenge = client.asked()
    _, challenge = client.answers(challenge, "fish")
    if way == "abandoned":
        return way
    code = client.container.post.fetch(client.address)
    if way == "retries":  # of a host: the same calls once more send nothing and change nothing
        challenge = client.asked()
        private = challenge["privateChallengeParameters"]
        client.call("verify", privateChallengeParameters=private, challengeAnswer=code)
    if way == "impatient":  # wants another message at once, and gets the code that is on its way
        _, challenge = client.answers(challenge, "", watchword_action="resend")
    if way == "resend":
        clock.advance(60)
        _, challenge = client.answers(challenge, "", watchword_action="resend")
        code = client.container.post.fetch(client.address) or code
    wrong = str((int(code or "0") + 1) % 10**8).zfill(8)
    for _ in range({"wrong first": 1, "all wrong": 3}.get(way, 0)):
        _, challenge = client.answers(challenge, wrong)
        if isinstance(challenge, str):
            return challenge
    while not isinstance(challenge, str):
        _, challenge = client.answers(challenge, code or wrong)
    return challenge


def expected(way, place):
    """Return how a sign-in may end; who comes again and again (at *place* 2) may have to wait for a message, or be locked out."""
    often = {"TRY_LATER", "fail"} if place == 2 else set()
    if way == "abandoned":
        return {"abandoned"} | often
    return {"fail" if way in {"all wrong", "unknown"} else "tokens"} | often


def one_round(container, number, barrier):
    """Play the sign-ins of one thread in one round; return how often each ending was seen, and what went wrong."""
    ends, wrong = Counter(), []
    for place in range(SIGN_INS):
        way = container.dice.choice(WAYS)
        # Two come once, one again and again (and so runs into limits), two every few rounds.
        name = (f"n{number}-{place}", f"n{number}-{place}", "often", f"o{number % 5}", f"o{number % 7}-b")[place]
        client = Client(container, f"u{container.number}-{name}", known=way != "unknown")
        try:
            end = signed_in(client, way)
        except TriggerError as error:
            end = str(error).split()[0]
        if end not in expected(way, place):
            wrong.append(f"{way} ended with {end}")
        ends[end] += 1
        container.clock.advance(60)
    barrier.wait()
    return ends, wrong


def together(containers):
    """Set the clocks of all containers to the latest of them."""
    latest = max(each.clock.now() for each in containers)
    for each in containers:
        each.clock.advance(latest - each.clock.now())


def crowd(containers, number):
    """Have every thread give another answer to one and the same challenge at once: one of them is evaluated."""
    client = Client(containers[0], f"crowd-{number}")
    challenge = client.asked()
    private = challenge["privateChallengeParameters"]
    barrier = threading.Barrier(len(containers))

    def answer(container):
        other = Client(container, client.name)
        barrier.wait()
        return other.call("verify", privateChallengeParameters=private, challengeAnswer=f"wrong {container.number}")

    with ThreadPoolExecutor(len(containers)) as pool:
        said = list(pool.map(answer, containers))
    return [] if all(each == {"answerCorrect": False} for each in said) else ["a wrong answer was right"]


@frozen
class Outcome:
    """What a soak of one ledger came to."""

    ledger: str
    sign_ins: int
    hours: float
    seconds: float
    ends: Counter
    sent: int
    crowds: int
    wrong: list
    memory: list
    pause: float

    @property
    def steady(self):
        """The memory in use after each round from the one on in which as much is thrown away as comes."""
        return self.memory[math.ceil(KEPT / self.pause) + 1 :]

    @property
    def growth(self):
        """How much more than noise the memory has grown from the first third of the steady rounds to the last, in bytes a sign-in."""
        steady = self.steady
        third = max(1, len(steady) // 3)
        if len(steady) < 3:
            return 0.0
        between = (len(steady) - third) * THREADS * SIGN_INS
        return max(0, median(steady[-third:]) - median(steady[:third]) - NOISE) / between


def soak(name, ledger, check, seconds, sign_ins, *, pause=PAUSE) -> Outcome:
    """Run rounds, *pause* virtual hours apart, until *seconds* of real time or *sign_ins* are over, whichever is set."""
    post, tally = Post(), Tally()
    containers = []
    for number in range(THREADS):
        clock, chance = VirtualClock(), SeededRandom(f"soak {number}")
        made = triggers(
            FLOW,
            key=KEY,
            courier=post,
            ledger=ledger,
            clock=clock,
            random=chance,
            audit=tally,
            pad_to=0,
            environment={},
        )
        containers.append(Container(number, made, clock, random.Random(number), post))
    ends, wrong, memory, done, began, start = Counter(), [], [], 0, time.monotonic(), containers[0].clock.now()
    with ThreadPoolExecutor(THREADS) as pool:
        while (sign_ins is None or done < sign_ins) and (seconds is None or time.monotonic() - began < seconds):
            barrier, number = threading.Barrier(THREADS), len(memory)
            for each, problems in pool.map(lambda each: one_round(each, number, barrier), containers):  # noqa: B023 - the map ends in the round
                ends += each
                wrong += problems
            together(containers)
            wrong += crowd(containers, number)
            done += THREADS * SIGN_INS
            wrong += check(ledger, containers[0].clock.now())
            post.forget()
            for each in containers:
                each.clock.advance(pause * 3600)
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])
    wrong += _added_up(tally, len(memory), post)
    hours = (containers[0].clock.now() - start) / 3600
    return Outcome(name, done, hours, time.monotonic() - began, ends, post.sent, len(memory), wrong, memory, pause)


def _added_up(tally, crowds, post):
    """Return what does not add up in what was told."""
    said, problems = tally.counts, []
    if post.twice:
        problems.append(f"{post.twice} messages were sent twice")
    if said["authn_code_sent", ""] != post.sent:
        problems.append(f"{said['authn_code_sent', '']} messages were told of, {post.sent} were sent")
    refused = said["authn_token_reuse", "second_answer"]
    if refused != crowds * (THREADS - 1):
        problems.append(f"{refused} second answers were refused, not {crowds * (THREADS - 1)}")
    failed = [name for name, _ in said if name.startswith("sys_")]
    return problems + [f"the audit tells of {name}" for name in failed]


MOST = {"guess": 10, "message": 10}


DAY = 86_400


def check_memory(ledger, now):
    """Return what is inconsistent in a `MemoryLedger`."""
    records = ledger._budgets.records.items()
    budgets = {key: sum(now - entry.at < DAY for entry in budget.entries) for key, budget in records}
    owned = {key for keys in ledger._owned.values() for key in keys}
    return [
        *_over(budgets),
        *(f"a claim is left {each.state}" for each in ledger._holders.records.values() if each.state == "sending"),
        *("a budget has no owner" for key in budgets if key not in owned),
        *("an owner has no budget" for key in owned if key not in budgets),
    ]


def check_sqlite(ledger, now):
    """Return what is inconsistent in the file of a `SqliteLedger`."""
    with ledger._file.reading(5) as connection:
        budgets = dict(
            connection.execute("SELECT budget, COUNT(*) FROM entries WHERE at > ? GROUP BY budget", (now - DAY,))
        )
        left = connection.execute("SELECT COUNT(*) FROM claims WHERE state = 'sending'").fetchone()[0]
        sound = connection.execute("PRAGMA quick_check").fetchone()[0]
    return [*_over(budgets), *["a claim is left sending"] * left, *([] if sound == "ok" else [f"the file is {sound}"])]


def _over(budgets):
    return [
        f"a budget of {key.split(':')[0]} holds {count}"
        for key, count in budgets.items()
        if count > MOST[key.split(":")[0]]
    ]


GROWTH = 64.0
"""Bytes a sign-in by which memory may seem to grow: a record that was never thrown away would be some hundreds."""


def soak_all(seconds: float | None, sign_ins: int | None, folder: Path, pause: float) -> list[Outcome]:
    """Soak each ledger for its share of *seconds*, or for *sign_ins*."""
    share = None if seconds is None else seconds / 2
    tracemalloc.start()
    try:
        memory = soak("memory", MemoryLedger(), check_memory, share, sign_ins, pause=pause)
        with closing(SqliteLedger(folder / "soak.db", clock=VirtualClock())) as file:
            sqlite = soak("SQLite", file, check_sqlite, share, sign_ins, pause=pause)
    finally:
        tracemalloc.stop()
    return [memory, sqlite]


def shown(outcome: Outcome, tell: Callable[[str], None]) -> bool:
    """Print *outcome*; return whether all is well."""
    ends = ", ".join(f"{count} {end}" for end, count in sorted(outcome.ends.items()))
    tell(
        f"{outcome.ledger}: {outcome.sign_ins} sign-ins ({ends}) in {outcome.seconds:.1f} s and {outcome.hours:.0f} virtual hours"
    )
    tell(f"  {outcome.sent} messages, none twice; {outcome.crowds} crowds of {THREADS}, one answer evaluated in each")
    steady = outcome.steady
    if len(steady) < 3:
        missing = 3 + len(outcome.memory) - len(steady)
        tell(f"  memory: too short to say, more than {missing} rounds are needed")
    else:
        tell(
            f"  memory: {steady[0] / 1e6:.2f} MB after a day, {steady[-1] / 1e6:.2f} MB at the end, growing by {outcome.growth:.1f} bytes a sign-in"
        )
    problems = [*map(str, Counter(outcome.wrong).items())]
    if outcome.growth > GROWTH:
        problems.append(f"memory grows by {outcome.growth:.0f} bytes a sign-in")
    for each in problems:
        tell(f"  WRONG: {each}")
    return not problems


def main() -> int:
    """Read the command line, soak, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, help="how long in all (60 if neither is given)")
    parser.add_argument("--sign-ins", type=int, help="how many with each ledger")
    parser.add_argument("--pause", type=float, default=PAUSE, help="virtual hours between two rounds (%(default)s)")
    given = parser.parse_args()
    if not given.pause > 0:
        parser.error("--pause is more than 0")
    seconds = 60.0 if given.seconds is None and given.sign_ins is None else given.seconds
    logging.disable(logging.CRITICAL)  # an empty message budget is no news here
    with tempfile.TemporaryDirectory() as folder:
        outcomes = soak_all(seconds, given.sign_ins, Path(folder), given.pause)
    return max(not shown(each, print) for each in outcomes)


if __name__ == "__main__":
    raise SystemExit(main())
