"""What an answer in a select round is worth: what the choice and then the answer are worth, for any interpreter."""

from itertools import product

from kit.random_flows import TIER, Card, Password, Quiz
from kit.sessions import listed
from watchword import Flow, ReadRound, all_of, ask_first, at_least, fallback, named, one_of, sequence, when
from watchword.algebra import derivative


def card(number):
    """Return a step that select rounds offer, with two tries."""
    return named(f"c{number}", Card(attempts=2))


def quiz(number):
    """Return a step that no select round offers, with two tries."""
    return named(f"q{number}", Quiz(attempts=2))


FLOWS = {
    "one_of": Flow(one_of(card(1), quiz(1))),
    "one_of of cards": Flow(one_of(card(1), card(2))),
    "all_of": Flow(all_of(card(1), card(2))),
    "two of three": Flow(at_least(2, card(1), card(2), quiz(1))),
    "in a sequence": Flow(sequence(one_of(card(1), quiz(1)), card(2))),
    "of sequences": Flow(one_of(sequence(card(1), quiz(1)), card(2))),
    "behind a fallback": Flow(fallback(card(1), one_of(card(2), quiz(1)))),
    "of fallbacks": Flow(one_of(fallback(card(1), quiz(1)), card(2))),
    "nested": Flow(one_of(one_of(card(1), quiz(1)), card(2))),
    "under a condition": Flow(when(TIER, one_of(card(1), quiz(1)), otherwise=one_of(card(2), quiz(2)))),
    "beside the password": Flow(one_of(sequence(Password(), card(1)), card(2), quiz(1))),
    "behind the password": Flow(sequence(Password(), one_of(card(1), quiz(1)))),
    "asked first": Flow(ask_first(card(1))),
    "asked first at last": Flow(at_least(2, card(1), ask_first(card(2)), ask_first(quiz(1)))),
    "asked first behind": Flow(sequence(quiz(1), ask_first(card(1)))),
}


def readings(flow, most):
    """Yield every list of up to *most* rounds of *flow*, those in which a select round was answered among them."""
    symbols = [ReadRound.custom("select", right=False), ReadRound.custom("select", right=True)]
    for step in flow.steps:
        symbols += [ReadRound.custom(step, right=right) for right in (True, False)]
        symbols.append(ReadRound.custom(step, right=False, use="resend"))
        if step in flow.offered:
            symbols += [ReadRound.custom(step, right=right, use="offered") for right in (True, False)]
    if derivative.SRP_A in derivative.heads(flow.program[2]):
        symbols += [ReadRound.host("SRP_A"), ReadRound.host("PASSWORD_VERIFIER")]
    for length in range(1, most + 1):
        yield from product(symbols, repeat=length)


def apart(reads):
    """Return *reads* with each answered select round as two rounds: the choice, and then the answer."""
    rounds = []
    for read in reads:
        if read.use == "offered":
            rounds += [ReadRound.custom("select", right=False), ReadRound.custom(read.step, right=bool(read.right))]
        else:
            rounds.append(read)
    return rounds


def judged(flow, reads, interpreter):
    """Return what *interpreter* makes of the host's list after *reads*, and of what the client says in the last of them."""
    last = reads[-1]
    action = {"offered": "answer", "resend": "resend"}.get(last.use)
    choice = last.step if last.use == "offered" else None
    facts = "0" * len(flow.conditions)
    return interpreter.evaluate_session(listed(reads, flow, facts=facts), [flow.program], {}, "", True, action, choice)


def divergences(flow, most, interpreter=derivative):
    """Yield the rounds on which one answered select round differs from the choice and then the answer.

    Where the last round answers what nobody could choose there, it is to be a plain choice of nothing.
    """
    for reads in readings(flow, most):
        decision, state, *_ = judged(flow, reads, interpreter)
        wanted, left, *_ = judged(flow, apart(reads), interpreter)
        last = reads[-1]
        if last.use == "offered":
            before = (
                judged(flow, reads[:-1], interpreter)[1]
                if reads[1:]
                else interpreter.begin(flow.program, [False] * len(flow.conditions))
            )
            if last.step not in interpreter.heads(before[0]):
                plain = [*reads[:-1], ReadRound.custom("select", right=bool(last.right))]
                wanted, left, *_ = judged(flow, plain, interpreter)
        if (decision, state) != (wanted, left):
            yield reads, (decision, state), (wanted, left)
