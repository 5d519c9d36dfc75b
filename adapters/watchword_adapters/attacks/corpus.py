"""Run every family of attacks on a flow, and report the outcome."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager

from attrs import define, field, frozen

from watchword.algebra.flow import Flow
from watchword.contract.kinds import User
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.kind_probe import probed
from watchword_adapters.attacks.arena.sample_kinds import (
    enrolling_flow,
    holding_flow,
    linking_flow,
    offering_flow,
    own_flow,
    step_up_flow,
    texting_flow,
    working_flow,
)
from watchword_adapters.attacks.devices.user_addresses import ExtraAttributes
from watchword_adapters.attacks.devices.user_devices import AuthenticatorApp, PasskeyDevice
from watchword_adapters.attacks.families import (
    answers,
    claimed_methods,
    client_metadata,
    credential_stores,
    credentials_over_http,
    enrolments,
    events,
    held_credentials,
    ledgers,
    message_pumping,
    messages,
    name_enumeration,
    passwords,
    plugins,
    puzzles,
    rate_limits,
    secret_leaks,
    sessions,
    supply_chain,
    tickets,
    user_enumeration,
)
from watchword_adapters.attacks.families.held_credentials import held
from watchword_adapters.attacks.family import Cases, Family, Need
from watchword_adapters.attacks.successes import Success, success_of

FAMILIES: tuple[Family, ...] = (
    *sessions.FAMILIES,
    *events.FAMILIES,
    *client_metadata.FAMILIES,
    *claimed_methods.FAMILIES,
    *answers.FAMILIES,
    *rate_limits.FAMILIES,
    *user_enumeration.FAMILIES,
    *name_enumeration.FAMILIES,
    *messages.FAMILIES,
    *message_pumping.FAMILIES,
    *tickets.FAMILIES,
    *puzzles.FAMILIES,
    *passwords.FAMILIES,
    *secret_leaks.FAMILIES,
    *plugins.FAMILIES,
    *ledgers.FAMILIES,
    *held_credentials.FAMILIES,
    *enrolments.FAMILIES,
    *credentials_over_http.FAMILIES,
    *credential_stores.FAMILIES,
    *supply_chain.FAMILIES,
)
LEAST = 4
"""Cases that each family gets at least, if it has so many."""

_SORTS: Mapping[Need, type] = {"held": object, "app": AuthenticatorApp, "passkey": PasskeyDevice}
"""The sort of device that a flow must ask for, by what a family needs."""

_CONFIDENCE = 0.95
_PASSES = 4
_TOLD = 3


@frozen
class Outcome:
    """What came of a run.

    *told* tells for each family that had successes what they were, a few of them. *elsewhere* are the families that were tried on
    a flow of the corpus's own, since the one at hand gives no occasion for them; *untried* are those that were not tried, with why.
    """

    seed: str
    by_family: Mapping[str, int]
    succeeded: Mapping[str, int]
    told: Mapping[str, tuple[Success, ...]]
    elsewhere: tuple[str, ...]
    untried: Mapping[str, str]

    @property
    def cases(self) -> int:
        """How many cases were tried."""
        return sum(self.by_family.values())

    @property
    def successes(self) -> int:
        """How many succeeded."""
        return sum(self.succeeded.values())

    @property
    def bound(self) -> float:
        """The 95 % upper bound of the rate of success; see `upper_bound`."""
        return upper_bound(self.successes, self.cases)


def upper_bound(succeeded: int, cases: int) -> float:
    """Return the one-sided 95 % upper bound of a rate (Clopper and Pearson 1934): 3/n, nearly, for none of n."""
    if succeeded >= cases:
        return 1.0
    low, high = succeeded / cases, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(succeeded, cases, middle) > 1 - _CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(count: int, cases: int, rate: float) -> float:
    """Return the chance of *count* successes at most."""
    logs = (
        math.lgamma(cases + 1)
        - math.lgamma(each + 1)
        - math.lgamma(cases - each + 1)
        + each * math.log(rate)
        + (cases - each) * math.log1p(-rate)
        for each in range(count + 1)
    )
    return math.fsum(map(math.exp, logs)) if 0 < rate < 1 else float(rate <= 0)


@define
class _Tally:
    cases: int = 0
    succeeded: int = 0
    told: list[Success] = field(factory=list[Success])
    passes: int = 0
    untried: str = ""


def attack(
    flow: Flow,
    *,
    cases: int = 10_000,
    seed: str = "1",
    attributes: ExtraAttributes | None = None,
    families: tuple[Family, ...] = FAMILIES,
    progress: Callable[[int], None] | None = None,
    registry: Registry | None = None,
) -> Outcome:
    """Try about *cases* attacks of *families* on *flow*, the same ones for the same *seed*; return what came of them.

    Everything runs in this process, on a virtual clock: nothing sleeps, nothing is sent. Every family is tried, so a run
    has some hundred cases at least. *progress* is told how many cases were tried so far. *attributes* are what the users have
    whom the corpus plays, beside an address: the same for all, or a function that enrols a user by name and returns them. *registry* finds the kinds that the corpus brings in itself.

    Raises:
        ConfigurationError: if the flow has no challenge of its own, what it needs is not installed, or the users have no right answer
            to one of its kinds.
    """
    run = _Run(flow, seed, attributes or {}, registry or Registry())
    with _quiet():
        _demand_right_answers(Arena(flow, seed, attributes=run.attributes))
    tallies = {each.id: _Tally() for each in families}
    shares = sum(each.share for each in families)
    done = 0
    with _quiet():
        for each in families:
            _try(run, each, tallies[each.id], max(LEAST, round(cases * each.share / shares)))
            done += tallies[each.id].cases
            if progress is not None:
                progress(done)
        # What short families left goes to those that never run dry.
        endless = [each for each in families if tallies[each.id].passes < _PASSES]
        shares = sum(each.share for each in endless)
        for each in endless:
            more = round((cases - done) * each.share / shares) if done < cases else 0
            if more > 0:
                _try(run, each, tallies[each.id], more)
                if progress is not None:
                    progress(sum(tally.cases for tally in tallies.values()))
    return Outcome(
        seed,
        {name: tally.cases for name, tally in tallies.items() if tally.cases},
        {name: tally.succeeded for name, tally in tallies.items() if tally.succeeded},
        {name: tuple(tally.told[:_TOLD]) for name, tally in tallies.items() if tally.told},
        tuple(each.id for each in families if run.elsewhere(each) and tallies[each.id].cases),
        {name: tally.untried or "it found no case" for name, tally in tallies.items() if not tally.cases},
    )


def _own_flow(need: Need, registry: Registry) -> Flow:
    """Return a flow of the corpus's own that gives occasion for what has *need*."""
    match need:
        case "offer":
            return offering_flow()
        case "held" | "app" | "passkey":
            return holding_flow(registry)
        case "enrols" | "enrolling":
            return enrolling_flow(registry)
        case "link":
            return linking_flow(registry)
        case "sms":
            return texting_flow(registry)
        case "work":
            return working_flow(registry)
        case "token":
            return step_up_flow(registry)
        case _:
            return own_flow(registry)


class _Run:
    """The arenas of one run."""

    def __init__(self, flow: Flow, seed: str, attributes: ExtraAttributes, registry: Registry) -> None:
        self._flow = flow
        self._registry = registry
        self.seed = seed
        self.attributes = attributes
        self._memory: dict[str, Mapping[str, set[str]]] = {}
        arena = Arena(flow, seed, attributes=attributes, registry=registry)
        targets = arena.targets
        self._has: Mapping[Need, bool] = {
            "": True,
            "mail": any(target.sends for target in targets),
            "email": any(target.emails for target in targets),
            "sms": any(target.texts for target in targets),
            "link": any(target.step.powers.links for target in targets),
            "puzzle": any(target.puzzles for target in targets),
            "work": any(target.works for target in targets),
            "drawn": any(target.puzzles and target.draws for target in targets),
            "offer": any(target.offered for target in targets),
            "budget": any(target.charged for target in targets),
            **{need: bool(held(arena, sort)) for need, sort in _SORTS.items()},
            "enrolling": any(target.enrolling for target in targets),
            "enrols": any(step.powers.enrols for step in flow.steps.values()),
            "token": any(target.wants_token for target in targets),
        }

    def elsewhere(self, family: Family) -> bool:
        """Say whether the flow gives no occasion for *family*."""
        return not self._has[family.needs]

    def arena(self, family: Family, again: int) -> Arena:
        """Return an arena for *family* of its own, with its own chance: what another did before changes nothing."""
        flow, attributes = self._flow, self.attributes
        if self.elsewhere(family):
            # What users have beside an address is for the flow at hand: the corpus's own may write to other numbers.
            flow, attributes = _own_flow(family.needs, self._registry), dict[str, str]()
        return Arena(
            flow,
            f"{self.seed} {family.id} {again}",
            attributes=attributes,
            memory=self._memory,
            registry=self._registry,
        )


def _demand_right_answers(arena: Arena) -> None:
    """Demand that there is a right answer to each kind for the users of the corpus, as its attacks suppose."""
    if not arena.targets:
        raise ConfigurationError("the flow asks for no challenge of its own that could be attacked: give it a step")
    for target in arena.targets:
        if remedy := target.step.powers.remedy():
            raise ConfigurationError(
                f"step {target.step.name!r}: the kind {target.step.kind.kind!r} needs more than is installed: {remedy}"
            )
        ann = arena.person("ann", target.scene)
        if probed(arena.given.steps[target.step.name].kind, User(ann.name, ann.attributes, key="1" * 64)).right is None:
            raise ConfigurationError(
                f"step {target.step.name!r}: the users of the corpus have no right answer to it; give them the attributes that the kind "
                f"{target.step.kind.kind!r} needs: --attribute NAME=VALUE, or attack(…, attributes=…)"
            )


def one_case(
    flow: Flow, family: str, *, seed: str, run: int, case: int, attributes: ExtraAttributes | None = None
) -> Success | None:
    """Try again number *case* of the *run*-th run of *family*, as `attack` did for *seed*; return its success, if it is one.

    Raises:
        ConfigurationError: if there is no such family.
    """
    found = next((each for each in FAMILIES if each.id == family), None)
    if found is None:
        raise ConfigurationError(f"there is no family {family!r}: `watchword attack` lists them")
    tally = _Tally(passes=run - 1)
    with _quiet():
        _try(_Run(flow, seed, attributes or {}, Registry()), found, tally, case, most=1)
    return next((each for each in tally.told if each.case == case), None)


def _try(run: _Run, family: Family, tally: _Tally, wanted: int, most: int = _PASSES) -> None:
    """Try *wanted* cases of *family*; fewer if it has no more. One that comes to an end begins again, *most* times in all."""
    goal = tally.cases + wanted
    last = min(_PASSES, tally.passes + most)
    while tally.cases < goal and tally.passes < last:
        tally.passes += 1
        arena = run.arena(family, tally.passes)
        missing = _missing(family.needs, arena)
        if missing:
            tally.passes = _PASSES
            tally.untried = missing
        else:
            _count(run, family, arena, tally, goal)


def _missing(need: Need, arena: Arena) -> str:
    """Return why not even a flow of the corpus's own gives occasion for what has *need*; nothing if it does."""
    if need in {"puzzle", "drawn"} and not any(target.puzzles for target in arena.targets):
        return "neither has the flow a puzzle, nor is the extra captcha installed"
    if need == "work" and not any(target.works for target in arena.targets):
        return "neither asks the flow for work, nor is the extra proof-of-work installed"
    if need in _SORTS and not held(arena, _SORTS[need]):
        return f"neither asks the flow for one, nor is the extra {'totp' if need == 'app' else need} installed"
    return ""


def _count(run: _Run, family: Family, arena: Arena, tally: _Tally, goal: int) -> None:
    cases = family.cases(arena)
    for number, succeeded in enumerate(_guarded(cases, arena), 1):
        tally.cases += 1
        if succeeded or arena.breaches:
            tally.succeeded += 1
            if tally.succeeded <= _TOLD or tally.cases == goal:
                tally.told.append(success_of(family, arena, cases, seed=run.seed, run=tally.passes, case=number))
            arena.breaches.clear()
        arena.trail.clear()
        if tally.cases >= goal:
            return


def _guarded(cases: Cases, arena: Arena) -> Iterator[bool]:
    try:
        yield from cases
    except Exception as error:  # noqa: BLE001 - an attack that breaks the machinery is a success
        arena.breaches.append(f"died with {type(error).__name__}: {error!s:.200}")
        yield True


@contextmanager
def _quiet() -> Generator[None]:
    """Keep what is logged meanwhile off the terminal."""
    logger = logging.getLogger("watchword")
    before, handler = logger.propagate, logging.NullHandler()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
