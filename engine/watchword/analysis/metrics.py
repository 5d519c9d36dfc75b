"""What a flow costs, in numbers: how likely it is guessed, how many messages it can be made to send."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import le

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.flow import Flow, ReadRound, answer_time, own_tries
from watchword.algebra.limits import chance_of, most_within
from watchword.algebra.lowering import MESSAGES, Step
from watchword.analysis.state_space import Exploration
from watchword.contract.ports import LEASE, Limit

DAY = 86_400
UNCHARGED = 3 * 120 * DAY
"""Calls in a day that Cognito's default quota lets through, three times 120 a second: so no more answers, nor messages."""
_MOST_APART = 64
"""How many ways to spend messages are told apart in one state; beyond that the figure is a looser bound."""


@frozen
class ChannelFigures:
    """What one user, and one address or number, can be sent in one day on a *channel*: a budget bounds each of them.

    *by_strangers_per_day* are the messages that somebody can have sent who has proven no factor; *per_day* those that whoever has
    proven one adds. *before* is what a stranger must answer rightly before the first message: names of kinds, and ``password``. Nothing bounds what all users
    together are sent: a budget for all would be a switch that strangers can throw.
    """

    channel: str
    by_strangers_per_day: int
    per_day: int
    before: tuple[str, ...]


@frozen
class Figures:
    """What a flow costs, in numbers, each of them a bound.

    Probabilities are those of a stranger who knows every password, solves every puzzle, and guesses everything else in
    the best order that there is, within the budgets; a day and a year are those of one user.

    Messages are those that one user is sent, resends included; sign-ins in which a factor was proven have a budget of
    their own, and so has each channel. *sign_ins_to_lock_mail* is how many sign-ins through one app client, begun and
    left, use up the tightest limit of messages; 0 where none do: nothing is sent, or the sign-ins that share a message
    are too many for it. *channels* tells messages apart.
    """

    longest_path: int
    guess_per_sign_in: float
    guess_per_user_day: float
    guess_per_user_year: float
    messages_per_sign_in: int
    messages_per_user_day: int
    sign_ins_to_lock_mail: int
    channels: tuple[ChannelFigures, ...] = ()


def figures_of(exploration: Exploration, session_minutes: float) -> Figures:
    """Return the figures of the flow that was explored; each round of a sign-in may take *session_minutes*."""
    limits = exploration.flow.limits.messages
    longest = exploration.longest()
    values = _values(exploration)
    daily = _daily(exploration, values)
    most, budgets = _messages(exploration)
    drawn = tuple(budgets.values())
    within = most_within(limits, longest * session_minutes * 60)
    return Figures(
        longest_path=longest,
        guess_per_sign_in=min(daily, max(values[beginning] for _, beginning in exploration.beginnings)),
        guess_per_user_day=daily,
        guess_per_user_year=chance_over(daily, 365),
        messages_per_sign_in=min(most, sum(min(each, within) for each in drawn)),
        messages_per_user_day=min(per_day(limits) * len(budgets), UNCHARGED),
        sign_ins_to_lock_mail=_locking(exploration, limits) if budgets else 0,
        channels=tuple(_on_channel(exploration, each, budgets) for each in sorted({channel for channel, _ in budgets})),
    )


def probability(step: Step) -> float:
    """Return how likely one guess at *step* is right; 1 where its kind does not say."""
    return chance_of(step.powers)


def guesses_per_day(flow: Flow, step: Step) -> int:
    """Return how many answers to *step* a stranger can have evaluated in one day, over all sessions.

    The budget of guesses, and for a kind that sends the own tries of every message that can be answered in the day. Steps of
    one kind share it. A kind that is met before and after a factor was proven has it twice, which comes to the ceiling of 100
    at most. Where nothing is charged, the host is the limit.
    """
    limits = flow.limits.guesses_at(step)
    if not limits:
        return UNCHARGED
    own = own_tries(flow) * flow.limits.answerable(answer_time(flow)) if step.powers.sends else 0
    return min(per_day(limits) + own, UNCHARGED)


def per_day(limits: Sequence[Limit]) -> int:
    """Return the most that *limits* allow in one day."""
    return most_within(limits, DAY)


def chance_over(single: float, tries: int) -> float:
    """Return how likely one of *tries* independent guesses is right, each by *single*."""
    return -math.expm1(tries * math.log1p(-single)) if single < 1 else 1.0


# --- guessing -----------------------------------------------------------------------------------------------------


def _guessed(flow: Flow) -> dict[str, float]:
    """Return the chance of one guess at each step that a stranger has to guess; who is surely right need not guess."""
    chances = {step.name: probability(step) for step in flow.steps.values() if step.proves}
    return {name: chance for name, chance in chances.items() if chance < 1}


def _values(exploration: Exploration) -> list[float]:
    """Return for each state the probability of tokens from there, in this sign-in, for the best of strangers."""
    chances = _guessed(exploration.flow)
    values = [0.0] * len(exploration.states)
    for number in reversed(exploration.forwards()):
        if exploration.states[number][0] == derivative.PASSED:
            values[number] = 1.0
        best = values[number]
        lucky: dict[str, float] = {}
        for read, target in exploration.onward[number]:
            if read.right is True and read.step in chances:
                lucky[read.step] = values[target]
                continue
            best = max(best, values[target])
            if read.is_answer and read.step in chances:
                # The right answer came just before, see `next_rounds`.
                chance = chances[read.step]
                best = max(best, chance * lucky[read.step] + (1 - chance) * values[target])
        values[number] = best
    return values


def _daily(exploration: Exploration, values: list[float]) -> float:
    """Return an upper bound of the probability of tokens in one day of one user.

    Every sign-in that ends in tokens has a first right guess. The guesses that may be it are charged to budgets, by
    kind and by whether a factor was proven before (by a password, or a kind that a stranger surely passes); what comes
    after it in the same sign-in is as likely as *values* say.
    """
    flow = exploration.flow
    chances = _guessed(flow)
    # Whoever guesses right is not charged for it, so a guess that leads nowhere is one more: c of 1 - p + p c.
    charged: dict[tuple[str, bool], tuple[float, int]] = {}
    start = [(beginning, False) for _, beginning in exploration.beginnings]
    queue, seen = list(dict.fromkeys(start)), set(start)
    for number, proven in queue:
        if exploration.states[number][0] == derivative.PASSED:
            return 1.0
        for read, target in exploration.onward[number]:
            if read.right is True and read.step in chances:
                step, chance = flow.steps[read.step], chances[read.step]
                success = chance * values[target]
                budget = (step.kind.kind, proven)
                single, guesses = charged.get(budget, (0.0, 0))
                charged[budget] = (
                    max(single, success / (1 - chance + success)),
                    max(guesses, guesses_per_day(flow, step)),
                )
                continue
            there = (target, proven or proves(flow, read))
            if there not in seen:
                seen.add(there)
                queue.append(there)
    return -math.expm1(sum(guesses * math.log1p(-single) for single, guesses in charged.values()))


def proves(flow: Flow, read: ReadRound) -> bool:
    """Say whether *read* proves a factor."""
    if read.right is not True or not read.is_answer:
        return False
    return read.name == derivative.PASSWORD_VERIFIER or (read.step in flow.steps and bool(flow.steps[read.step].proves))


# --- messages -----------------------------------------------------------------------------------------------------


def _on_channel(exploration: Exploration, channel: str, budgets: Mapping[tuple[str, bool], int]) -> ChannelFigures:
    """Return the figures of *channel*; *budgets* are those that sign-ins can draw on."""
    day = min(per_day(exploration.flow.limits.messages), UNCHARGED)
    free, more = (channel, False) in budgets, (channel, True) in budgets
    return ChannelFigures(channel, day * free, day * (free + more), _needed_before(exploration, channel))


def _needed_before(exploration: Exploration, channel: str) -> tuple[str, ...]:
    """Return what must be answered rightly, on every way, before a message on *channel* goes out."""
    asked = {
        read.name if _is_password(read) else exploration.flow.steps[read.step].kind.kind: None
        for read in _rights(exploration)
    }
    return tuple(
        "password" if each == derivative.PASSWORD_VERIFIER else each
        for each in asked
        if not _is_sent_without(exploration, channel, each)
    )


def _rights(exploration: Exploration) -> Iterator[ReadRound]:
    """Give each right answer that can be read, in the order in which they can be given."""
    for followers in exploration.onward:
        for read, _ in followers:
            if read.right is True and read.is_answer and (_is_password(read) or read.step in exploration.flow.steps):
                yield read


def _is_password(read: ReadRound) -> bool:
    return read.name == derivative.PASSWORD_VERIFIER


def _is_sent_without(exploration: Exploration, channel: str, what: str) -> bool:
    """Say whether a step that sends on *channel* can be asked for although nobody has answered *what* rightly."""
    steps = exploration.flow.steps
    queue = list(dict.fromkeys(beginning for _, beginning in exploration.beginnings))
    seen = set(queue)
    for number in queue:
        for read, target in exploration.onward[number]:
            step = steps.get(read.step)
            if step is not None and step.powers.sends and step.powers.channel == channel:
                return True
            of = read.name if _is_password(read) else step.kind.kind if step is not None else ""
            if target not in seen and not (read.right is True and of == what):
                seen.add(target)
                queue.append(target)
    return False


def _messages(exploration: Exploration) -> tuple[int, Mapping[tuple[str, bool], int]]:
    """Return the most messages of one sign-in, and the most of each budget that it can draw on.

    A message goes out when a step is presented, but not when it is presented again after a wrong answer, nor when the
    step has sent as many as it may. So each is told by how that ends: by a resend request, or with the step. Budgets go
    by channel and by whether a factor was proven before.
    """
    flow = exploration.flow
    channels = {step.name: step.powers.channel for step in flow.steps.values() if step.powers.sends}
    if not channels:
        return 0, {}
    counted = [(name, proven) for name in channels for proven in (False, True)]
    nothing = frozenset({(0,) * len(counted)})
    most = {proven: [nothing] * len(exploration.states) for proven in (False, True)}
    for number in reversed(exploration.forwards()):
        for proven, values in most.items():
            found = set(nothing)
            for read, target in exploration.onward[number]:
                then = most[proven or proves(flow, read)][target]
                if read.step in channels and _closes(read, exploration.states[target][0]):
                    place = counted.index((read.step, proven))
                    found.update(more for each in then for more in _one_more(each, place))
                else:
                    found |= then
            values[number] = _outermost(found)
    ends = {each for _, beginning in exploration.beginnings for each in most[False][beginning]}
    drawn: dict[tuple[str, bool], int] = {}
    for end in ends:
        spent: dict[tuple[str, bool], int] = {}
        for (name, proven), number in zip(counted, end, strict=True):
            spent[channels[name], proven] = spent.get((channels[name], proven), 0) + number
        drawn = {budget: max(number, drawn.get(budget, 0)) for budget, number in spent.items()}
    return max(map(sum, ends)), {budget: number for budget, number in drawn.items() if number}


def _locking(exploration: Exploration, limits: Sequence[Limit]) -> int:
    """Return how many sign-ins, begun and left, use up one of *limits*; 0 if none do.

    Sign-ins that begin with the message share it for the time of a lease. Behind a round of the flow's own each has its own.
    """
    flow = exploration.flow
    alone = any(
        read.name == derivative.CUSTOM and read.step != name and flow.steps[name].powers.sends
        for followers in exploration.onward
        for read, target in followers
        for name in derivative.heads(exploration.states[target][0])
        if name in flow.steps
    )
    return min((limit.count for limit in limits if alone or limit.count * LEASE < limit.seconds), default=0)


def _one_more(counts: tuple[int, ...], place: int) -> Iterator[tuple[int, ...]]:
    """Give what *counts* come to with one message more, at *place*, before them all."""
    first = place - place % 2
    before, behind = counts[first], counts[first + 1]  # one step, before and behind a factor
    if before + behind < MESSAGES:
        yield (*counts[:place], counts[place] + 1, *counts[place + 1 :])
        return
    yield counts
    if place == first and behind and before < MESSAGES:
        # A step that has sent early sends no more later.
        yield (*counts[:first], before + 1, behind - 1, *counts[first + 2 :])


def _outermost(found: set[tuple[int, ...]]) -> frozenset[tuple[int, ...]]:
    """Return those of *found* that no other one reaches in every number; where they are many, one that bounds them all."""
    if len(found) == 1:
        return frozenset(found)
    most = tuple(map(max, zip(*found, strict=True)))
    if most in found or len(found) > _MOST_APART:
        return frozenset({most})
    return frozenset(one for one in found if not any(one != other and all(map(le, one, other)) for other in found))


def _closes(read: ReadRound, then: derivative.Body) -> bool:
    """Say whether no answer to the message at hand counts after *read*: the next one goes out when it is asked for."""
    return read.use == "resend" or derivative.find(then, read.step) is None


def has_password(exploration: Exploration) -> bool:
    """Say whether the host checks a password on some path."""
    return any(read.name == derivative.PASSWORD_VERIFIER for onward in exploration.onward for read, _ in onward)
