"""The figures are those of the world: no strategy guesses better, and no walk through the real engine sends more."""

import re
from contextlib import suppress
from functools import cache
from itertools import count
from typing import ClassVar

import attrs
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.checked_flows import PIN, WORK, Letter, Silent, Toy
from kit.dressed_flows import dressed_flows
from kit.engine_host import ANN, Host, Riddle, world
from kit.random_flows import Password
from oracles.flow_walks import WHO, outcomes, rounds_after
from watchword import (
    Challenge,
    Email,
    Flow,
    Limits,
    User,
    Verdict,
    all_of,
    at_least,
    check,
    fallback,
    named,
    one_of,
    sequence,
)
from watchword.algebra import derivative
from watchword.algebra.evaluation import evaluate
from watchword.algebra.limits import most_within
from watchword.analysis.metrics import chance_over, guesses_per_day, per_day, probability
from watchword.contract.ports import LEASE, Limit
from watchword.errors import TryLaterError
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

DAY = 86_400
KNOWLEDGE, POSSESSION = frozenset({"knowledge"}), frozenset({"possession"})


# --- guessing: the best stranger, played out ----------------------------------------------------------------------

BUDGET = 2
COINS = [
    Toy("half", KNOWLEDGE, 0.5),
    Toy("tenth", POSSESSION, 0.1),
    Toy("rare", KNOWLEDGE, 0.01),
    Toy("sure", POSSESSION, 1.0),
    Toy("puzzle"),
]


def best_stranger(flow, budget):
    """Return the probability that the best of strangers gets tokens in a day: over all sign-ins that the budgets allow.

    A wrong guess is charged to its kind, before or after a factor was proven; a right one is not; with nothing left
    guesses are wrong. They may leave a sign-in at any time and begin another. *budget* None: one sign-in, no budgets.
    """
    kinds = sorted({step.kind.kind for step in flow.steps.values()})
    places = {
        (kind, proven): place for place, (kind, proven) in enumerate((k, p) for k in kinds for p in (False, True))
    }

    @cache
    def after(state):
        here = flow._at(state)
        return [(read, here.after(read).state) for read in rounds_after(here)]

    @cache
    def day(left):
        return max(sign_in(flow.given(*outcomes(flow, who)).state, False, left, True) for who in WHO)

    @cache
    def sign_in(state, proven, left, fresh):
        if state[0] == derivative.PASSED:
            return 1.0
        best = 0.0 if fresh or budget is None else day(left)
        for read, then in after(state):
            step = flow.steps.get(read.step)
            guessed = step is not None and step.kind.proves and read.use == "answer"
            if guessed and step.kind.chance < 1:
                if not read.right:
                    continue
                wrong = dict(after(state))[attrs.evolve(read, right=False)]
                place = places[step.kind.kind, proven]
                if budget is not None and not left[place]:
                    best = max(best, sign_in(wrong, proven, left, fresh))
                    continue
                fewer = left if budget is None else (*left[:place], left[place] - 1, *left[place + 1 :])
                chance = step.kind.chance
                lucky, unlucky = sign_in(then, True, left, fresh), sign_in(wrong, proven, fewer, False)
                best = max(best, chance * lucky + (1 - chance) * unlucky, unlucky)
            else:
                proves = (guessed and read.right) or read.name == derivative.PASSWORD_VERIFIER
                best = max(best, sign_in(then, bool(proven or proves), left, fresh))
        return best

    return day((budget,) * len(places))


@given(flow=dressed_flows(COINS, most_steps=3, limits=Limits(guesses="100/day")))
@settings(max_examples=30)
def test_a_sign_in_is_guessed_as_the_best_stranger_guesses_it(flow):
    """Exactly: in which order and at which steps to guess, where to fail on purpose and what to choose, is all played out."""
    figures = check(flow).figures
    wanted = best_stranger(flow, None)
    assert figures.guess_per_sign_in == pytest.approx(min(wanted, figures.guess_per_user_day))
    assert figures.guess_per_user_day >= wanted - 1e-12


@given(flow=dressed_flows(COINS, most_steps=2, attempts=2, limits=Limits(guesses=f"{BUDGET}/day")))
@settings(max_examples=30)
def test_no_stranger_does_better_in_a_day_than_the_figure_says(flow):
    """Over as many sign-ins as the budgets allow, left and begun again at will."""
    figures = check(flow).figures
    wanted = best_stranger(flow, BUDGET)
    assert wanted <= figures.guess_per_user_day + 1e-12
    assert figures.guess_per_sign_in <= figures.guess_per_user_day <= figures.guess_per_user_year <= 1


@pytest.mark.parametrize("kind", COINS[:3])
def test_one_factor_is_guessed_in_a_day_exactly_as_the_figure_says(kind):
    """The bound is reached where there is nothing to combine."""
    limits = Limits(guesses=f"{BUDGET}/day")
    for body in (
        kind,
        one_of(kind, COINS[4]) if kind is None else sequence(COINS[4], kind),
        sequence(Password(), kind),
    ):
        flow = Flow(body, limits=limits)
        assert check(flow).figures.guess_per_user_day == pytest.approx(best_stranger(flow, BUDGET))
        assert check(flow).figures.guess_per_user_day == pytest.approx(1 - (1 - kind.chance) ** BUDGET)


CODE = Toy("code", POSSESSION, 1e-4, attempts=3)
OTHER = Toy("other", KNOWLEDGE, 1e-3, attempts=2)
BY_HAND = {
    # per sign-in, per user-day: ten guesses a day of each kind, before and after a factor was proven
    "one step": (CODE, 3e-4, 10e-4),
    "behind a password": (sequence(Password(), CODE), 3e-4, 10e-4),
    "behind a CAPTCHA": (sequence(WORK, CODE), 3e-4, 10e-4),
    "either: one of them in a sign-in, both in a day": (one_of(CODE, OTHER), 2e-3, 10e-4 + 10e-3),
    "one after the other fails: both in a sign-in": (fallback(CODE, OTHER), 3e-4 + 2e-3, 10e-4 + 10e-3),
    "at least one: both in a sign-in": (at_least(1, CODE, OTHER), 3e-4 + 2e-3, 10e-4 + 10e-3),
    "two: ten times the first, then the tries of the second": (sequence(CODE, OTHER), 6e-7, 10e-4 * 2e-3),
    "two in any order: begun with either": (all_of(CODE, OTHER), 6e-7, 10e-4 * 2e-3 + 10e-3 * 3e-4),
    "two steps of one kind share a budget": (one_of(named("s1", CODE), named("s2", CODE)), 3e-4, 10e-4),
    "unless a factor was proven before one of them": (
        one_of(sequence(Password(), named("s1", CODE)), named("s2", CODE)),
        3e-4,
        20e-4,
    ),
    "a factor that anybody passes is no help": (sequence(Silent(), CODE), 3e-4, 10e-4),
    "a letter: three tries of its own for each of thirteen": (Letter("code", POSSESSION, 1e-4), 3e-4, 49e-4),
    "a CAPTCHA is always solved": (Captcha(), 1, 1),
    "a password is always known": (Password(), 1, 1),
    "nothing is said of it": (Silent(), 1, 1),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_guess_by_hand(name):
    """Sums and products of the chances, as one works them out on paper."""
    body, sign_in, day = BY_HAND[name]
    figures = check(Flow(body, limits=Limits(guesses="10/day"))).figures
    assert figures.guess_per_sign_in == pytest.approx(sign_in, rel=0.02)
    assert figures.guess_per_user_day == pytest.approx(day, rel=0.02)
    assert figures.guess_per_user_year == pytest.approx(1 - (1 - min(1, day)) ** 365, rel=0.02)


@pytest.mark.parametrize(
    ("codes", "session", "day", "year"),
    [
        (9**6, 5.6e-6, 1.9e-5, 6.8e-3),
        (10**6, 3.0e-6, 1.0e-5, 3.6e-3),
        (10**8, 3.0e-8, 1.0e-7, 3.6e-5),
        (28**6, 6.2e-9, 2.1e-8, 7.6e-6),
        (20**8, 1.2e-10, 3.9e-10, 1.4e-7),
    ],
)
def test_the_arithmetic_of_codes(codes, session, day, year):
    """Three tries a sign-in, ten guesses a day, for codes of 19 to 35 bits."""
    figures = check(Flow(Toy("code", POSSESSION, 1 / codes))).figures
    assert figures.guess_per_sign_in == pytest.approx(session, rel=0.04)
    assert figures.guess_per_user_day == pytest.approx(day, rel=0.04)
    assert figures.guess_per_user_year == pytest.approx(year, rel=0.04)


@pytest.mark.parametrize(("length", "chance"), [(6, 1e-6), (8, 1e-8), (12, 1e-12)])
def test_a_code_by_mail_has_ten_to_forty_nine_guesses_a_day(length, chance):
    """Ten that are charged, and three for each message that can be answered: ten of the day, and three sent just before it."""
    figures = check(Flow(EmailOtp(length=length))).figures
    assert 10 * chance < figures.guess_per_user_day == pytest.approx(49 * chance, rel=1e-4)
    behind = check(Flow(sequence(Srp(), EmailOtp(length=length)))).figures
    assert behind.guess_per_user_day == pytest.approx(49 * chance, rel=1e-4)
    assert figures.guess_per_sign_in == pytest.approx(3 * chance)
    few = check(Flow(EmailOtp(length=length), limits=Limits(guesses="1/day", messages="1/day"))).figures
    assert few.guess_per_user_day == pytest.approx(13 * chance, rel=1e-4)
    assert few.guess_per_sign_in == pytest.approx(3 * chance)


@pytest.mark.parametrize("said", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_chance_that_is_none_is_reckoned_as_certain(said):
    """Nothing is gained by a kind that says nonsense."""
    step = Flow(Toy("code", KNOWLEDGE, said)).steps["code"]
    assert 1.0 == probability(step)
    assert 1.0 == probability(Flow(Silent()).steps["silent"])


def test_many_small_chances_are_not_lost():
    """Where 1 - p rounds to 1, ten tries are ten times as likely as one."""
    assert 1e-19 == pytest.approx(chance_over(1e-20, 10))
    assert 0.875 == pytest.approx(chance_over(0.5, 3))
    assert (0, 1) == (chance_over(0.0, 1000), chance_over(1.0, 1))


# --- limits -------------------------------------------------------------------------------------------------------


def events_in(limits, seconds):
    """Return how many events there are in *seconds* if each comes as soon as every window has room."""
    moments, now = [], 0
    while now < seconds:
        blocked = [
            moments[-limit.count] + limit.seconds
            for limit in limits
            if len(moments) >= limit.count and moments[-limit.count] > now - limit.seconds
        ]
        if blocked:
            now = max(blocked)
        else:
            moments.append(now)
    return len(moments)


LIMIT = st.builds(Limit, st.integers(1, 20), st.integers(1, 200))


@given(limits=st.lists(LIMIT, min_size=1, max_size=3), seconds=st.integers(1, 500))
@settings(max_examples=200)
def test_a_bound_on_events_holds_in_every_window(limits, seconds):
    """As many as one limit allows exactly, as several allow at most."""
    assert events_in(limits, seconds) <= most_within(limits, seconds)
    for limit in limits:
        assert events_in([limit], seconds) == most_within([limit], seconds)


@pytest.mark.parametrize(
    ("texts", "day"),
    [
        ("10/day", 10),
        (["3/15min", "5/h", "10/day"], 10),
        ("5/h", 120),
        (["3/15min", "5/h"], 120),
        ("7/7h", 28),
        ("9/30day", 9),
    ],
)
def test_a_day_of_messages_by_hand(texts, day):
    """The tightest of the limits, each as often as it fits; a window longer than a day once."""
    limits = Limits(messages=texts).messages
    assert day == per_day(limits)
    assert day == check(Flow(EmailOtp(), limits=Limits(messages=texts))).figures.messages_per_user_day


def test_guesses_are_never_more_than_the_ceiling():
    """A hundred a day over both budgets, whatever the limits say; where nothing is charged, as many as the host lets through."""
    flow = Flow(PIN, limits=Limits(guesses="100/h"))
    assert 50 == guesses_per_day(flow, flow.steps["pin"])
    puzzles = Flow(WORK)
    assert 360 * 86_400 == guesses_per_day(puzzles, puzzles.steps["proof_of_work"])


# --- what the real engine does ------------------------------------------------------------------------------------


@frozen
class Note:
    """A kind that sends the code to the user, under the step's name."""

    kind: ClassVar[str] = "note"
    proves: ClassVar[frozenset[str]] = POSSESSION
    channel: ClassVar[str] = "email"
    judged: ClassVar[list] = []

    attempts: int = 1
    lifetime: int = 600
    resend_after: int = 16

    def create(self, request):
        """Send a code, also on a retry: the engine keeps it back then."""
        code = request.code("0123456789", 8)
        to = request.user.attributes["email"]
        return Challenge(private={"digest": request.seal(code)}, messages=(Email(to, request.step, code),))

    def verify(self, request):
        """Judge the code, and remember that it was judged."""
        self.judged.append(request.answer)
        return Verdict(request.matches(request.private.get("digest"), request.answer))


PLENTY = Limits(messages="1000/day", guesses="100/day")
USERS = count(1)


class Walker:
    """Somebody who signs in again and again, and does something else each time."""

    def __init__(self, flow, password=False):
        self.flow = flow
        self.world = world(flow)
        self.password = password

    def most_sent(self):
        """Return the most messages that a walk through the engine sends: of all answers, resends and choices."""
        most, waiting, seen = 0, [()], set()
        while waiting:
            walk = waiting.pop()
            sent, state, more = self.walk(walk)
            most = max(most, sum(sent))
            # What is left to do and what was sent is all that a sign-in goes on by, so equal ones are walked once.
            if (sent, state) not in seen:
                seen.add((sent, state))
                waiting += [(*walk, act) for act in more]
        return most

    def walk(self, acts):
        """Walk one way as a new user; return how many messages were sent, and what can be done next."""
        name = f"user{next(USERS)}"
        user = User(name, {**ANN, "sub": name, "email": f"{name}@example.com"})
        host = Host(self.world, user)
        try:
            asked = host.next()
            if self.password:
                host.host_round("SRP_A")
                asked = host.host_round("PASSWORD_VERIFIER")
            for act, choice in acts:
                self.world.clock.advance(LEASE + 1)
                answer = self.right(host, asked) if act == "right" else "wrong"
                asked = host.answers(answer, action="resend" if act == "resend" else None, choice=choice)
        except TryLaterError:
            return self.sent_to(name), None, []
        last = acts[-1] if acts else (None, None)
        request = host.request("resend" if last[0] == "resend" else None, last[1])
        judged = evaluate(request, self.world.engine.flows)
        return self.sent_to(name), (judged.state, judged.decision), self.options(asked)

    def right(self, host, asked):
        """Return the right answer to what is asked."""
        mine = [each for each in self.world.post.sent if each.to.startswith(f"{host.user.name}@")]
        return next((each.text for each in reversed(mine) if each.subject == asked.public["step"]), "fish")

    def sent_to(self, name):
        """Return the number of messages to one user, by step."""
        subjects = [each.subject for each in self.world.post.sent if each.to == f"{name}@example.com"]
        return tuple(subjects.count(step) for step in self.flow.steps)

    def options(self, asked):
        """Return every act that may follow, and every choice that may come with it."""
        if not hasattr(asked, "public"):
            return []
        chosen = (
            [None, *self.flow.steps]
            if {"'choose'", "'ask'"} & set(re.findall(r"'\w+'", repr(self.flow.program[2])))
            else [None]
        )
        if asked.public["kind"] == derivative.SELECT:
            return [("wrong", choice) for choice in chosen[1:]]
        return [
            (act, choice)
            for act in ("right", "wrong", "resend")
            for choice in (chosen if act != "wrong" else chosen[:1])
        ]


ONE, TWO, QUIET = named("n1", Note()), named("n2", Note()), named("quiet", Riddle(attempts=1))
SENDING = {
    "one step": (Note(attempts=3), False),
    "one after the other": (sequence(ONE, TWO), False),
    "behind a puzzle": (sequence(QUIET, ONE), False),
    "behind a password": (sequence(Srp(), Note(attempts=2)), True),
    "the one or the other": (one_of(ONE, TWO), False),
    "something else instead": (one_of(Note(), QUIET), False),
    "when the first fails": (fallback(ONE, TWO), False),
    "at least one": (at_least(1, ONE, QUIET), False),
    "in any order": (all_of(ONE, QUIET), False),
    "nothing is sent": (QUIET, False),
}


@pytest.mark.parametrize("name", SENDING)
def test_the_engine_sends_exactly_as_many_messages_as_the_figure_says(name):
    """The most of every walk of answers, resends and choices through the real engine, with time enough and room enough."""
    body, password = SENDING[name]
    flow = Flow(body, limits=PLENTY)
    assert Walker(flow, password).most_sent() == check(flow).figures.messages_per_sign_in


@pytest.mark.parametrize("messages", [["3/15min", "5/h", "10/day"], "1/day", "2/day", ["2/15min", "9/day"]])
@pytest.mark.parametrize("name", ["one after the other", "the one or the other", "at least one"])
def test_the_engine_never_sends_more_than_the_figure_says_within_the_limits(name, messages):
    """A sign-in that has proven a factor draws on another budget, so both count."""
    flow = Flow(SENDING[name][0], limits=attrs.evolve(PLENTY, messages=messages))
    sent, figure = Walker(flow).most_sent(), check(flow).figures.messages_per_sign_in
    assert sent <= figure
    if name == "one after the other" and messages == "1/day":
        assert 2 == sent == figure


def test_as_many_sign_ins_as_the_figure_says_lock_the_mail():
    """Each begun and left; the next one is told to try later."""
    for messages in ("3/15min", ["5/h", "4/day"], "1/day"):
        flow = Flow(Note(), limits=Limits(messages=messages))
        here, user, begun = world(flow), User("ann", ANN), 0
        with pytest.raises(TryLaterError):
            while begun < 100:
                Host(here, user).next()
                begun += 1
                here.clock.advance(LEASE + 1)
        assert begun == check(flow).figures.sign_ins_to_lock_mail
    assert 0 == check(Flow(Captcha())).figures.sign_ins_to_lock_mail


@pytest.mark.parametrize("messages", ["3/15min", "100000/s", "2/20s", ["2/20s", "3/h"], "4/70s", "4/64s"])
@pytest.mark.parametrize("body", [Note(), sequence(QUIET, ONE)], ids=["first", "behind a puzzle"])
def test_sign_ins_that_share_a_message_lock_no_mail(body, messages):
    """However fast a stranger begins sign-ins, those of one lease have one message: a limit that allows more is never empty."""
    flow = Flow(body, limits=Limits(messages=messages))
    here, user, sent = world(flow), User("ann", ANN), 0
    with suppress(TryLaterError):
        for _ in range(120):
            host = Host(here, user)
            asked = host.next()
            if asked.public["step"] == "quiet":
                host.answers("fish")
            here.clock.advance(1)
        sent = -1
    sent = len(here.post.sent) if sent == 0 else 0
    figure = check(flow).figures.sign_ins_to_lock_mail
    assert figure == sent or (figure > 120 and sent == 0)


def test_no_figure_is_above_what_the_host_lets_through():
    """A limit of a hundred thousand a second is none; Cognito's default quota is one."""
    figures = check(Flow(sequence(Srp(), EmailOtp()), limits=Limits(messages="100000/s"))).figures
    assert 360 * 86_400 == figures.messages_per_user_day
    flow = Flow(EmailOtp(), limits=Limits(messages="100000/s"))
    assert 10 == guesses_per_day(flow, flow.steps["email_otp"]), "no message has a try of its own"


def day_of(flow, sign_in, every=240):
    """Do *sign_in* again and again for a day, as far as there is mail; return the messages that were sent."""
    here = world(flow)
    end = here.clock.now() + DAY
    while here.clock.now() < end - every:
        with suppress(TryLaterError):
            sign_in(Host(here, User("ann", ANN)))
        here.clock.advance(every)
    return len(here.post.sent)


def test_a_day_of_one_user_is_no_more_mail_than_the_figure_says():
    """Ten to whoever names them; ten more to whoever has proven something before."""

    def both(host):
        host.next()
        host.answers(host.world.post.code)

    alone = Flow(Note())
    assert 10 == day_of(alone, lambda host: host.next()) == check(alone).figures.messages_per_user_day
    twice = Flow(sequence(ONE, TWO))
    assert 20 == day_of(twice, both) == check(twice).figures.messages_per_user_day
    behind = Flow(sequence(Srp(), Note()))
    assert 10 == check(behind).figures.messages_per_user_day


def test_a_day_of_guesses_is_no_more_than_the_figure_reckons_with():
    """Whoever begins as many sign-ins as there is mail for and answers each wrong has more than ten judged, never more than the figure."""
    flow = Flow(Note(attempts=3))
    Note.judged.clear()

    def guess(host):
        host.next()
        for number in range(3):
            host.answers(f"wrong {number}")

    day_of(flow, guess, every=120)
    assert 10 < len(Note.judged) <= guesses_per_day(flow, flow.steps["note"]) == 49
