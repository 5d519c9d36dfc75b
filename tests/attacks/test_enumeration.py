"""Whether somebody exists cannot be told: two thousand sign-ins of known and two thousand of unknown users, interleaved.

The clock is virtual, and what a mail takes is drawn (log-normal, median 150 ms); a little noise of the host's own is added
to every call. AUC is how well a stranger tells the two apart by time alone: 0.5 is a coin. KS is the two-sample test of
Kolmogorov and Smirnov.
"""

import json
import math
import random
import re

import pytest

from watchword import Flow, sequence
from watchword.testing.time import VirtualClock
from watchword_adapters.attacks.arena import Arena, Person
from watchword_adapters.attacks.existence import SlowMail
from watchword_adapters.attacks.scenes import APP, Scene
from watchword_adapters.attacks.visits import TriggersVisit
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

EACH = 2000
FLOOR = 0.5
FLOWS = {"code": Flow(EmailOtp(), name="code"), "password": Flow(sequence(Srp(), EmailOtp(length=6)), name="password")}


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


class Study:
    """The sign-ins of one flow, with answers padded to *floor*: times in seconds, bodies, and mails."""

    def __init__(self, flow, floor, each=EACH):
        self.draw = random.Random(20260101)
        self.clock = VirtualClock()
        self.mail = SlowMail(self.clock, lambda: self.draw.lognormvariate(math.log(0.15), 0.35))
        self.arena = Arena(flow, "enumeration", courier=self.mail, clock=self.clock, pad_to=floor)
        self.srp = self.arena.targets[0].srp
        self.scene = Scene(0, {}, APP, (), ())
        self.times = {what: {True: [], False: []} for what in ("create", "verify")}
        self.bodies = {what: {True: set(), False: set()} for what in ("create", "verify")}
        self.mailed = {True: 0, False: 0}
        order = [True, False] * each
        self.draw.shuffle(order)
        for number, known in enumerate(order):
            self.sign_in(number, known=known)

    def sign_in(self, number, *, known):
        """Begin one, and give a wrong answer."""
        attributes = {"sub": f"sub-{number}", "email": f"u{number}@example.com", "email_verified": "true"}
        person = Person(f"u{number}", self.scene, attributes if known else {}, known)
        sent = self.mail.sent
        one = self.timed("create", known, lambda: self.opened(person))
        self.bodies["create"][known].add(shape(one.public, one.metadata))
        self.timed("verify", known, lambda: one.answer("00000000"))
        self.bodies["verify"][known].add(shape(one.public, one.metadata, one.refused, one.tokens))
        self.mailed[known] += self.mail.sent - sent
        self.clock.advance(1)

    def opened(self, person):
        one = TriggersVisit(self.arena, person, srp=self.srp)
        if self.srp:
            one.prove()
        return one

    def timed(self, what, known, act):
        began = self.clock.monotonic()
        result = act()
        noise = self.draw.lognormvariate(math.log(0.004), 0.5)
        self.times[what][known].append(round(self.clock.monotonic() - began + noise, 6))
        return result


def shape(public, metadata, *more):
    """What a client and the host's session see, but for what is drawn or counted up."""
    fields = {name: text for name, text in public.items() if name not in {"ref", "expires_at", "resend_after"}}
    fields["destination"] = re.sub("[a-z]", "x", fields.get("destination", ""))
    return json.dumps([fields, re.sub(r"[0-9a-f]{16,}|[0-9]{10}", "-", metadata.rpartition(";carry=")[0]), *more])


@pytest.fixture(scope="module", params=FLOWS)
def study(request):
    """One flow, padded as it is shipped."""
    return Study(FLOWS[request.param], FLOOR)


def test_what_is_said_is_the_same(study):
    """One body for all of either sort, and the same one."""
    for what in ("create", "verify"):
        assert 1 == len(study.bodies[what][True])
        assert study.bodies[what][True] == study.bodies[what][False]


def test_time_tells_nothing(study):
    """AUC at most 0.53, p at least 0.001; the figures are printed."""
    for what, times in study.times.items():
        assert (EACH, EACH) == (len(times[True]), len(times[False]))
        area, p = auc(times[True], times[False]), ks_p(times[True], times[False])
        print(f"{study.arena.given.name}, {what}: AUC {area:.3f}, KS p {p:.3f}")
        assert area <= 0.53
        assert p >= 0.001


def test_nobody_unknown_is_mailed(study):
    """Every known user once, every other never."""
    assert {True: EACH, False: 0} == study.mailed


def test_without_a_floor_the_same_measure_tells_them_apart():
    """The measure has teeth."""
    study = Study(FLOWS["code"], 0.0, 400)
    times = study.times["create"]

    assert auc(times[True], times[False]) > 0.9
    assert ks_p(times[True], times[False]) < 1e-6


@pytest.mark.parametrize(
    ("ones", "others", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0.5),
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 1.0),
        ([1, 3], [2, 4], 0.75),
        ([1, 1], [1, 2], 0.75),
    ],
)
def test_the_measure_of_area(ones, others, expected):
    """Against cases that can be counted by hand; which of the two is greater does not matter."""
    assert expected == pytest.approx(auc(ones, others))


def test_the_measure_of_kolmogorov_and_smirnov():
    """Near 1 for equal samples, near 0 for unequal ones; 0.05 at the tabled 1.36 times the square root of 2/n."""
    same = list(range(2000))
    shifted = [value + 1.358 * math.sqrt(2 / 2000) * 2000 for value in same]

    assert ks_p(same, same) == 1.0
    assert ks_p(same, [value + 1000 for value in same]) < 1e-9
    assert ks_p(same, shifted) == pytest.approx(0.05, abs=0.01)
