"""Walks through flows: by what they decide, without the engine's own list of rounds; and by it, without its short cuts."""

from itertools import product

from watchword import Present, ReadRound
from watchword.algebra import derivative
from watchword.analysis.state_space import every_outcome, next_rounds, sending_steps

# Who signs in where: the circumstances that the conditions of the drawn flows tell apart.
WHO = [
    {"attributes": attributes, "client": app, "known": known}
    for attributes, app, known in product([{}, {"custom:tier": "gold"}], ["app-1", "app-2"], [True, False])
]


def outcomes(flow, who):
    """Return how the conditions of *flow* turn out for *who*."""
    return derivative.outcomes_of(flow.conditions, who["attributes"], who["client"], who["known"])


def rounds_after(flow):
    """Return every round that a truthful host can add to where *flow* stands, by asking what it decides for each choice."""
    answers = [flow.decide(choice) for choice in (None, *flow.steps)]
    rounds = set()
    for decision in answers:
        match decision:
            case Present(derivative.SELECT, choices=choices):
                rounds.add(ReadRound.custom(derivative.SELECT, right=False))
                answered = [step for step in choices if hasattr(flow.steps[step].kind, "offer")]
                rounds |= {
                    ReadRound.custom(step, right=right, use="offered") for step in answered for right in (True, False)
                }
            case Present(name, host=True):
                rounds.add(ReadRound.host(name))
            case Present(step):
                rounds |= {ReadRound.custom(step, right=right) for right in (True, False)}
                rounds.add(ReadRound.custom(step, right=False, use="resend"))
                if hasattr(flow.steps[step].kind, "channel"):
                    rounds.add(ReadRound.custom(step, right=False, use="unasked"))
    new_password = derivative.decide(flow.state, None, True)
    if new_password == ("host", derivative.NEW_PASSWORD):
        rounds.add(ReadRound.host(derivative.NEW_PASSWORD))
    # A client opens with SRP_A or not before anything is decided.
    opened = flow.after(ReadRound.host(derivative.SRP_A))
    if flow.state[2] == derivative.CLOSED and opened.state[0] != derivative.BROKEN:
        rounds.add(ReadRound.host(derivative.SRP_A))
    return rounds


def walked(flow):
    """Return {state: {round: state}} of every state of *flow*, and how many rounds each is from a beginning."""
    found, distances = {}, {}
    level = {flow.given(*outcomes(flow, who)).state for who in WHO}
    distance = 0
    while level:
        distances |= dict.fromkeys(level, distance)
        for state in level:
            here = flow._at(state)
            found[state] = {read: here.after(read).state for read in rounds_after(here)}
        level = {target for state in level for target in found[state].values()} - found.keys()
        distance += 1
    return found, distances


def plainly_explored(flow):
    """Return the states, what follows each, the beginnings and the ways back, as `explore` does: each state derived anew."""
    sending = sending_steps(flow)
    numbers, states, onward, came_from = {}, [], [], []

    def number_of(state, way):
        if state not in numbers:
            numbers[state] = len(states)
            states.append(state)
            came_from.append(way)
        return numbers[state]

    outcomes = list(every_outcome(flow))
    beginnings = [(each, number_of(derivative.begin(flow.program, each), None)) for each in outcomes]
    for number, state in enumerate(states):
        reads = [ReadRound(*step) for step in next_rounds(state, sending, flow.offered)]
        targets = [derivative.after(state, read.name, read.step, read.use, read.right) for read in reads]
        onward.append(
            tuple((read, number_of(target, (number, read))) for read, target in zip(reads, targets, strict=True))
        )
    return states, onward, beginnings, came_from


def deepest(found):
    """Return the number of rounds in the longest way through *found*."""
    depths = {}

    def depth(state):
        if state not in depths:
            depths[state] = max((1 + depth(target) for target in found[state].values()), default=0)
        return depths[state]

    return max(map(depth, found))
