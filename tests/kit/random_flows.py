"""Hypothesis strategies: flows of every block, and sessions that walk them."""

from itertools import count
from typing import ClassVar

from attrs import frozen
from hypothesis import strategies as st

from kit.fobs import Fob
from watchword import (
    Flow,
    all_of,
    ask_first,
    at_least,
    attribute,
    client,
    enrol,
    enrolled,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.contract.kinds import Challenge, Verdict
from watchword.testing import session_lists

TIER = attribute("custom:tier", "gold")
APP = client("app-1")
HAD, LACKING = enrolled("had"), enrolled("lacking")
SETTINGS = st.fixed_dictionaries(
    {
        "attributes": st.sampled_from([{}, {"custom:tier": "gold"}, {"custom:tier": "tin"}]),
        "client": st.sampled_from(["app-1", "app-2"]),
    }
)


@frozen
class Quiz:
    """A kind that only has settings."""

    kind: ClassVar[str] = "quiz"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})
    cosmetic: ClassVar[frozenset[str]] = frozenset({"colour"})

    attempts: int = 3
    lifetime: int = 180
    level: str = "easy"
    colour: str = "red"

    def create(self, request):
        """Make nothing."""
        return Challenge()

    def verify(self, request):
        """Refuse."""
        return Verdict(right=False)


@frozen
class Card(Quiz):
    """A quiz that a select round offers."""

    kind: ClassVar[str] = "card"

    def offer(self, request):
        """Make nothing."""
        return Challenge()


@frozen
class Password(Quiz):
    """The prelude, without the real kind."""

    kind: ClassVar[str] = "password"
    host_rounds: ClassVar[tuple[str, ...]] = ("SRP_A", "PASSWORD_VERIFIER")


@st.composite
def flows(draw, *, most_steps=5, attempts=3, conditions=True, srp=True, remembering=False):
    """Draw a flow of at most *most_steps* steps, named ``s1``, ``s2``, …, in nested blocks of every sort."""
    numbers = count(1)
    room = [most_steps]

    def step(*, enrols=remembering):
        room[0] -= 1
        kind = draw(st.sampled_from([Quiz, Quiz, Card]))(attempts=draw(st.integers(1, attempts)))
        if enrols and draw(st.integers(0, 3)) == 0:
            kind = enrol(Fob(attempts=kind.attempts))
        made = named(f"s{next(numbers)}", kind)
        return ask_first(made) if draw(st.integers(0, 5)) == 0 else made

    def parts(depth, most, *, head=False, skippable=False):
        number = draw(st.integers(1, min(most, room[0])))
        return [
            reserving(
                number - place - 1, lambda place=place: block(depth - 1, head=head and not place, skippable=skippable)
            )
            for place in range(number)
        ]

    def reserving(steps, part):
        room[0] -= steps
        made = part()
        room[0] += steps
        return made

    def block(depth, *, head=False, skippable=False):
        words = ["step"]
        if depth and room[0] > 1:
            words += ["sequence", "one_of", "all_of", "at_least", "fallback"] + ["when"] * conditions
        word = draw(st.sampled_from(words))
        if head and draw(st.integers(0, 3)) == 0:
            return Password()
        match word:
            case "sequence":
                made = reserving(1, lambda: parts(depth, 3, head=head, skippable=True))
                return sequence(*made, step())  # the step keeps it from passing without a round
            case "one_of":
                second = head and draw(st.booleans())
                options = reserving(int(second), lambda: parts(depth, 3))
                if second:
                    options.insert(draw(st.integers(0, len(options))), block(depth - 1, head=True))
                return one_of(*options)
            case "all_of":
                return all_of(*parts(depth, 3))
            case "at_least":
                options = parts(depth, 4)
                return at_least(draw(st.integers(1, len(options))), *options)
            case "fallback":
                return fallback(*parts(depth, 3))
            case "when":
                condition = draw(st.sampled_from([TIER, APP, *([HAD, LACKING] if remembering else [])]))
                vanishes = skippable and draw(st.booleans())
                then = reserving(int(not vanishes), lambda: block(depth - 1, head=head))
                return when(condition, then, None if vanishes else block(depth - 1, head=head))
        return step()

    unwanted = draw(st.sampled_from(["refuse", "ignore"]))
    if remembering:
        # A factor before it, and a step behind it: what is enrolled may be asked anywhere between.
        room[0] -= 2
        first = Password() if srp and draw(st.booleans()) else step(enrols=False)
        return Flow(sequence(first, block(3), named("last", Quiz())), unwanted_srp=unwanted)
    return Flow(block(3, head=srp), unwanted_srp=unwanted)


def facts(flow, attributes, client, had=()):
    """Return the outcomes of *flow*'s conditions, as metadata tells them, for a user who *had* enrolled these kinds."""
    there = {"client": (client,), "enrolled": had}
    outcomes = [
        condition[1] in there[condition[0]] if condition[0] in there else attributes.get(condition[1]) == condition[2]
        for condition in flow.conditions
    ]
    return "".join("01"[outcome] for outcome in outcomes)


@st.composite
def walks(draw, flow, decide, *, attributes=None, client="", most=14, lucky=False):
    """Draw words (see `kit.sessions`) that go where *decide* leads; *lucky* ones answer right mostly."""
    words = []
    if draw(st.booleans()):
        words.append("srp_a+")
    for _ in range(draw(st.integers(0, most)) if not lucky else most):
        decided = decide(" ".join(words))
        match decided[0]:
            case "host":
                words.append(decided[1].lower() + "+")
                if decided[1] == "PASSWORD_VERIFIER" and draw(st.integers(0, 3)) == 0:
                    words.append(draw(st.sampled_from(["sms_mfa+", "device_srp_auth+", "new_password_required+"])))
            case "present":
                sign = draw(st.sampled_from("++++-~" if lucky else "+-~!"))
                words.append(decided[1] + sign)
            case "select":
                if draw(st.integers(0, 2)) == 0:
                    words.append("select-")
                else:
                    words.append(draw(st.sampled_from(decided[1])) + draw(st.sampled_from("++-~!")))
            case _:
                break
    return " ".join(words)


FOREIGN = [(what, (each.name, each.result, each.metadata)) for what, each in session_lists.FOREIGN.items()]
"""Rounds that no flow of ours has, whatever it is."""
