"""Compare two flows: walk both by the same rounds until their decisions differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.flow import Flow, ReadRound, decision_of, decision_text, expect_flow
from watchword.algebra.limits import format_limit
from watchword.algebra.session_notation import format_round
from watchword.analysis.assurance import weakest
from watchword.analysis.findings import example_of
from watchword.analysis.state_space import MAX_STATES, RoundTuple, every_outcome_of, explore, next_rounds, sending_steps
from watchword.contract.members import given_settings
from watchword.contract.ports import Limit
from watchword.errors import ConfigurationError

_PROGRESS_EVERY = 20_000
_LONGEST_VALUE = 80

TOKENS, FAIL = "issue tokens", "fail"


@frozen
class Divergence:
    """The shortest session after which the two flows decide so: *old* and *new* are the decisions, in words.

    A choice is sorted, but with *reordered*: both offer the same, and each decision has the order that the client gets.

    It is the session of a user with these *attributes* and credentials of the kinds *enrolled*, through the app client
    *client*.
    """

    session: tuple[str, ...]
    old: str
    new: str
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    client: str = ""
    enrolled: tuple[str, ...] = ()
    reordered: bool = False


@frozen
class Change:
    """A setting, a limit or a step that differs; *old* or *new* is empty if the flow has none."""

    what: str
    old: str
    new: str


@frozen
class Difference:
    """What `difference` found.

    *divergences* are in the order of their length; *weakest* are the sets of factors that the weakest paths prove, of the
    old flow and of the new one. *survives* says whether a sign-in that is under way goes on without the old flow:
    only if the fingerprints are the same.
    """

    old: Flow
    new: Flow
    divergences: tuple[Divergence, ...]
    weakest: tuple[tuple[frozenset[str], ...], tuple[frozenset[str], ...]]
    changes: tuple[Change, ...]

    @property
    def survives(self) -> bool:
        """Whether sign-ins that are under way go on where only the new flow is deployed."""
        return self.old.fingerprint == self.new.fingerprint

    @property
    def nothing(self) -> bool:
        """Whether there is no difference."""
        return self._alike and self.survives

    @property
    def written_otherwise(self) -> bool:
        """Whether nothing but the fingerprint differs: both decide alike, and Define still takes one for another flow."""
        return self._alike and not self.survives

    @property
    def _alike(self) -> bool:
        return not self.divergences and not self.changes and self.weakest[0] == self.weakest[1]

    @property
    def admitted(self) -> tuple[Divergence, ...]:
        """The sessions that the new flow lets in, and the old one does not."""
        return tuple(each for each in self.divergences if each.new == TOKENS)

    @property
    def refused(self) -> tuple[Divergence, ...]:
        """The sessions that the old flow lets in, and the new one does not."""
        return tuple(each for each in self.divergences if each.old == TOKENS)


def difference(
    old: Flow, new: Flow, *, limit: int = MAX_STATES, progress: Callable[[int], None] | None = None
) -> Difference:
    """Compare *old* and *new*: for each pair of decisions, return the shortest session that leads to it.

    A session is followed for as long as both decide alike. Behind that only those are told that one flow lets in and the
    other refuses. A session ends where one flow issues tokens. *limit* is the most pairs of states to walk (a million);
    *progress* is called with their number now and then.

    Raises:
        ConfigurationError: if there are more pairs, or more states of one flow, than *limit*.
    """
    found = tuple(_Walk(expect_flow(old), expect_flow(new), limit, progress).divergences())
    proven = (weakest(explore(old, limit=limit)), weakest(explore(new, limit=limit)))
    return Difference(old, new, found, proven, tuple(_changes(old, new)))


@frozen
class _Place:
    """A pair of states; *apart* says that the flows have decided otherwise before. *before* and *step* tell the way."""

    states: tuple[derivative.State, derivative.State]
    apart: bool
    held: tuple[tuple[str, ...], ...]
    before: _Place | None = None
    step: RoundTuple | None = None

    @property
    def session(self) -> tuple[str, ...]:
        words: list[str] = []
        place = self
        while place.before is not None and place.step is not None:
            words.append(format_round(ReadRound(*place.step)))
            place = place.before
        return tuple(reversed(words))


@frozen
class _Walk:
    old: Flow
    new: Flow
    limit: int
    progress: Callable[[int], None] | None

    def divergences(self) -> Iterator[Divergence]:
        told: set[tuple[str, str]] = set()
        swapped: set[tuple[str, str]] = set()
        for number, (place, decided) in enumerate(self._places()):
            if self.progress is not None and number and number % _PROGRESS_EVERY == 0:
                self.progress(number)
            reordered = decided[0] == decided[1]
            if reordered:
                # Each two options once: what is left of a choice has the order of the whole.
                if place.apart or swapped.issuperset(found := _swapped(place.states)):
                    continue
                swapped |= found
                pair = (_offer(place.states[0]), _offer(place.states[1]))
            elif decided in told or (place.apart and set(decided) != {TOKENS, FAIL}):
                continue
            else:
                pair = decided
                told.add(pair)
            attributes, client, enrolled = example_of(place.held)
            yield Divergence(place.session, *pair, attributes, client, enrolled, reordered)

    def _places(self) -> Iterator[tuple[_Place, tuple[str, str]]]:
        """Give every pair of states that one session leads to, nearest first, with the decisions of both flows there."""
        senders = (sending_steps(self.old), sending_steps(self.new))
        # Sorted, here and below: what is found does not depend on which flow is the old one.
        conditions = tuple(sorted({*self.old.conditions, *self.new.conditions}))
        queue = [self._begin(conditions, outcomes) for outcomes in every_outcome_of(conditions)]
        seen = {(place.states, place.apart) for place in queue}
        for place in queue:
            decisions = (_decided(place.states[0]), _decided(place.states[1]))
            yield place, decisions
            if TOKENS in decisions:
                continue
            both = zip(place.states, senders, strict=True)
            # An answer in a select round leads where the choice and then the answer lead: it need not be walked.
            for step in sorted({step for state, sending in both for step in next_rounds(state, sending, ())}):
                states = (derivative.after(place.states[0], *step), derivative.after(place.states[1], *step))
                # Whether to open with SRP_A, the client has decided before it was asked anything.
                opens = place.before is None and step[0] == derivative.SRP_A
                apart = place.apart or (decisions[0] != decisions[1] and not opens)
                if (states, apart) in seen:
                    continue
                if len(seen) >= self.limit:
                    raise ConfigurationError(
                        f"flows {self.old.name!r} and {self.new.name!r} have more than {self.limit} pairs of states: let users "
                        "choose among fewer, or raise the limit"
                    )
                seen.add((states, apart))
                queue.append(_Place(states, apart, place.held, place, step))

    def _begin(self, conditions: tuple[tuple[str, ...], ...], outcomes: tuple[bool, ...]) -> _Place:
        held = tuple(condition for condition, holds in zip(conditions, outcomes, strict=True) if holds)
        states = (
            derivative.begin(self.old.program, tuple(each in held for each in self.old.conditions)),
            derivative.begin(self.new.program, tuple(each in held for each in self.new.conditions)),
        )
        return _Place(states, apart=False, held=held)


def _options(state: derivative.State) -> tuple[str, ...]:
    """Return what the client may choose from in *state*, in the order in which it is told."""
    decided = derivative.decide(state)
    return decided[1] if decided[0] == "select" else ()


def _swapped(states: tuple[derivative.State, derivative.State]) -> set[tuple[str, str]]:
    """Return each two options of which the old flow offers the first before the second, and the new flow after it."""
    old, new = map(_options, states)
    return {(one, other) for one, other in combinations(old, 2) if new.index(one) > new.index(other)}


def _offer(state: derivative.State) -> str:
    return decision_text(decision_of(derivative.decide(state)))


def _decided(state: derivative.State) -> str:
    """Return what is decided in *state*, as the client sees it: the reason of a failure is not for it."""
    decided = derivative.decide(state)
    if decided[0] == "select":
        decided = ("select", tuple(sorted(decided[1])))
    return FAIL if decided[0] == "fail" else decision_text(decision_of(decided))


def _changes(old: Flow, new: Flow) -> Iterator[Change]:
    """Give what is written otherwise: what belongs to the flow, its limits, its steps and their settings."""
    told = [(what, getattr(old, what), getattr(new, what)) for what in ("name", "require", "unwanted_srp")]
    told += [
        ("offered", ", ".join(old.offered), ", ".join(new.offered)),
        ("limits.guesses", _spelt(old.limits.guesses), _spelt(new.limits.guesses)),
        ("limits.messages", _spelt(old.limits.messages), _spelt(new.limits.messages)),
    ]
    codes = sorted({*old.accept, *new.accept})
    told += [(f"accept.{code}", old.accept.get(code, ""), new.accept.get(code, "")) for code in codes]
    for name in sorted({*old.steps, *new.steps}):
        before, after = _settings(old, name), _settings(new, name)
        same_kind = before.get("kind") == after.get("kind")
        for setting in sorted({*before, *after}) if same_kind else ("kind",):
            told.append((f"{name}.{setting}", before.get(setting, ""), after.get(setting, "")))
    return (Change(what, one, other) for what, one, other in told if one != other)


def _settings(flow: Flow, name: str) -> Mapping[str, str]:
    step = flow.steps.get(name)
    if step is None:
        return {}
    kind = f"enrol({step.kind.kind})" if step.enrols else step.kind.kind
    read = {"kind": kind, "attempts": str(step.attempts), "lifetime": str(step.lifetime)}
    return {name: _cut(repr(value)) for name, value in given_settings(step.kind).items()} | read


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _spelt(limits: tuple[Limit, ...]) -> str:
    """Return *limits* as a flow says them."""
    return ", ".join(map(format_limit, limits))
