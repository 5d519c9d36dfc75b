"""A second interpreter of flows, for tests: it plays the public blocks as coroutines and knows no derivative.

Each block is a generator that yields what it asks for, is sent the round that came, and returns ``passed`` or
``failed``; anything unexpected raises `Broken`. It reads metadata with its own pattern and shares no code with `derivative`.
"""

import re

from watchword.algebra.blocks import (
    AskFirst,
    AtLeast,
    AttributeCondition,
    Enrol,
    EnrolledCondition,
    Fallback,
    InSequence,
    Named,
    OneOf,
    When,
    children,
)
from watchword.contract.powers import is_host_run

PASSED, FAILED, FAIL = "passed", "failed", ("fail",)
SHUT = ["needs SRP_A"]
MFA = {"SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"}
WRITTEN = re.compile(r"3\.([^.;]*)\.([^.;]*)\.([^.;]+);([^;]+);([01]);([^;]*);[^;]*;[^;]*;[^;]*")


class Broken(Exception):  # noqa: N818 - it is an end, not an error
    """Something came that the flow did not ask for."""


class Player:
    """One sign-in."""

    def __init__(self, facts, opened_with_srp):
        self.facts = facts
        self.opened_with_srp = opened_with_srp
        self.put_back = []
        self.gone = set()

    def ask(self, *question):
        """Ask, unless a round was put back by a choice that it decided."""
        if self.put_back:
            return self.put_back.pop()
        return (yield question)

    def play(self, block, requests=5):
        """Play *block* to its end; *requests* are the resend requests that its first challenge still takes."""
        match block:
            case InSequence(parts):
                for part in parts:
                    if not self.firsts(part):
                        continue
                    if (yield from self.play(part, requests)) == FAILED:
                        return FAILED
                    requests = 5
                return PASSED
            case Fallback(parts):
                for part in parts:
                    if self.dead(part):
                        continue
                    if (yield from self.play(part, requests)) == PASSED:
                        return PASSED
                    requests = 5
                return FAILED
            case When():
                taken = self.taken(block)
                return (yield from self.play(taken, requests)) if taken else PASSED
            case OneOf(options):
                return (yield from self.choose(self.openable(options), None, requests))
            case AtLeast(count, options):
                return (yield from self.choose(options, count, requests))
            case _ if is_host_run(block):
                for name in ("SRP_A", "PASSWORD_VERIFIER"):
                    if (yield from self.ask("host", name)) != (name, "answer", True):
                        raise Broken
                return PASSED
            case AskFirst(step):
                return (yield from self.ask_first(step, requests))
            case Named(name, Enrol(kind)):
                return (yield from self.tries(name, kind.attempts, requests))
            case Named(name, kind):
                return (yield from self.tries(name, kind.attempts, requests))
            case Enrol(kind):
                return (yield from self.tries(f"enrol_{kind.kind}", kind.attempts, requests))
        return (yield from self.tries(block.kind, block.attempts, requests))

    def tries(self, name, left, requests):
        """Play one step."""
        while left:
            step, use, right = yield from self.ask("step", name)
            if step != name or use == "choice" or (right and use != "answer"):
                raise Broken
            if use == "unasked":
                return FAILED
            if right:
                return PASSED
            if use == "answer":
                left -= 1
            elif requests:
                requests -= 1
            else:
                return FAILED
        return FAILED

    def ask_first(self, step, requests):
        """Play a step that somebody must have asked for: by an answer to a select round, or by the choice before it."""
        (name,) = self.firsts(step)
        came = yield from self.ask("choice", (name,), None, 1)
        if came != ("select", "choice", False):
            self.put_back.append(came)
        return (yield from self.play(step, requests))

    def choose(self, options, count, requests):
        """Play a choice: of one for good if *count* is None, else of one after the other until *count* have passed.

        *requests* are the resend requests before an option is pinned, one number for all of them; who is pinned has no more left.
        """
        options = [option for option in options if not self.dead(option)]
        while len(options) > 1:
            names = tuple(name for option in options for name in self.firsts(option))
            asks, last = 3, None
            while True:
                step, use, right = yield from self.ask("choice", names, last, asks)
                if step == "select" and use == "choice" and not right and asks and not last:
                    asks -= 1
                elif step not in names:
                    raise Broken
                elif use == "resend" and not right and requests:
                    requests, last = requests - 1, step
                else:
                    break
            if use == "unasked" and not right:
                # Nothing was asked, so nothing is pinned: what is left is offered anew.
                self.gone.add(step)
                options = [option for option in options if not self.dead(option)]
                if len(options) < (count or 1):
                    return FAILED
                continue
            self.put_back.append((step, use, right))
            chosen = next(option for option in options if step in self.firsts(option))
            outcome = yield from self.play(chosen, requests)
            if count is None:
                return outcome
            options.remove(chosen)
            count -= outcome == PASSED
            if not count:
                return PASSED
            if len(options) < count:
                return FAILED
        return (yield from self.play(options[0], requests))

    def dead(self, block):
        """Say whether *block* has failed before it began, since its first steps could not be asked."""
        match block:
            case InSequence(parts):
                return self.dead(next((part for part in parts if self.firsts(part)), block.parts[-1]))
            case Fallback(parts):
                return all(map(self.dead, parts))
            case OneOf(options):
                return all(map(self.dead, options))
            case AtLeast(count, options):
                return sum(not self.dead(option) for option in options) < count
            case When():
                taken = self.taken(block)
                return bool(taken) and self.dead(taken)
            case AskFirst(step):
                return self.dead(step)
            case _ if is_host_run(block):
                return False
        return self.firsts(block)[0] in self.gone

    def taken(self, block):
        """Return the branch of a `when`."""
        match block.condition:
            case AttributeCondition(name, value):
                key = ("attribute", name, value)
            case EnrolledCondition(kind):
                key = ("enrolled", kind)
            case condition:
                key = ("client", condition.id)
        return block.then if self.facts[key] else block.otherwise

    def firsts(self, block):
        """Return the names of the rounds that *block* may begin with; none if it asks for nothing, SHUT if it cannot."""
        match block:
            case InSequence(parts):
                return next((names for names in map(self.firsts, parts) if names), [])
            case Fallback(parts):
                return self.firsts(next((part for part in parts if not self.dead(part)), parts[0]))
            case OneOf(options):
                alive = [option for option in options if not self.dead(option)]
                return [name for option in self.openable(alive) for name in self.firsts(option)] or SHUT
            case AtLeast(_, options):
                return [name for option in options if not self.dead(option) for name in self.firsts(option)]
            case When():
                taken = self.taken(block)
                return self.firsts(taken) if taken else []
            case _ if is_host_run(block):
                return ["SRP_A"] if self.opened_with_srp else SHUT
            case AskFirst(step):
                return self.firsts(step)
            case Named(name, _):
                return [name]
            case Enrol(kind):
                return [f"enrol_{kind.kind}"]
        return [block.kind]

    def openable(self, options):
        """Return the options that are left once the client has opened with SRP_A, or without."""
        with_srp = [option for option in options if "SRP_A" in self.firsts(option)]
        return with_srp or [option for option in options if self.firsts(option) != SHUT]


def facts_of(flow, attributes, client, known, had=()):
    """Return each condition's outcome: an attribute is never that of somebody unknown, a client is the same for all."""
    facts = {}
    for condition in flow.conditions:
        match condition:
            case ("client", name):
                facts[condition] = client == name
            case ("enrolled", kind):
                facts[condition] = kind in had
            case (_, name, value):
                facts[condition] = known and name in attributes and attributes[name] == value
    return facts


def recorded(facts, digits):
    """Return *facts* with what was enrolled as *digits* say, if they can be of this flow: it may have changed since."""
    if not re.fullmatch(f"[01]{{{len(facts)}}}", digits):
        return facts
    told = {
        condition: digit == "1" for condition, digit in zip(facts, digits, strict=True) if condition[0] == "enrolled"
    }
    return {**facts, **told}


def offered(block):
    """Return the names of the steps in *block* that a select round offers."""
    if isinstance(block, Enrol):
        return set()
    if isinstance(block, Named):
        return {block.name} if hasattr(block.kind, "offer") else set()
    inner = [each for each in children(block) if each is not block]
    if inner:
        return set().union(*map(offered, inner))
    return {block.kind} if hasattr(block, "offer") else set()


def readings(session, flows, facts_by_flow, action):
    """Return the flow that *session* belongs to and its rounds as (name, step, use, result).

    A select round that was answered is two rounds, the choice and the answer; after the last one only `decision` knows.
    """
    texts = [
        WRITTEN.fullmatch(text) if name == "CUSTOM_CHALLENGE" and isinstance(text, str) else None
        for name, _, text in session
    ]
    marks = [match.groups() for match in texts if match]
    flow = flows[0]
    if marks:
        flow = next((each for each in flows if each.fingerprint == marks[0][0]), None)
    if flow is None:
        raise Broken
    if marks:
        facts_by_flow[flow.fingerprint] = recorded(facts_by_flow[flow.fingerprint], marks[0][1])
    facts = "".join("01"[outcome] for outcome in facts_by_flow[flow.fingerprint].values())
    rounds = []
    for place, (name, result, _) in enumerate(session):
        if name != "CUSTOM_CHALLENGE":
            rounds.append((name, name, "answer", result))
            continue
        if not texts[place]:
            raise Broken
        fingerprint, its_facts, signin, step, its_asked, before = texts[place].groups()
        if (fingerprint, its_facts, signin) != (flow.fingerprint, facts, marks[0][2]):
            raise Broken
        previous = rounds[-1] if rounds and rounds[-1][0] == "CUSTOM_CHALLENGE" else None
        ends = {"choice"} if previous and previous[1] == "select" else {"answer", "resend"}
        if previous and previous[2] == "unasked":
            ends = {"unasked"}
        if ends == {"choice"} and before.partition(":")[0] == "answer" and before[7:] in offered(flow.body):
            rounds[-1:] = [(*previous[:3], False), (name, before[7:], "answer", previous[3])]
            ends, previous = {before}, ()
        if before not in (ends if previous is not None else {"-"}):
            raise Broken
        if previous and before == "resend":
            rounds[-1] = (*previous[:2], "resend", previous[3])
        last = place + 1 == len(session)
        use = "resend" if last and action == "resend" else "answer"
        use = "choice" if step == "select" else "unasked" if its_asked == "0" else use
        rounds.append((name, step, use, result))
    return flow, rounds


def decision(flow, session, *, previous=(), attributes=(), client="", known=True, action=None, choice=None, had=()):
    """Return ("fail",), ("tokens",), ("present", step), ("select", names) or ("host", round) for *session*."""
    attributes = dict(attributes)
    facts = {each.fingerprint: facts_of(each, attributes, client, known, had) for each in (flow, *previous)}
    try:
        flow, rounds = readings(session, [flow, *previous], facts, action)
        if action == "answer" and choice in offered(flow.body) and rounds and rounds[-1][1] == "select":
            rounds = answered(flow, rounds, facts[flow.fingerprint], choice)
        wants_password = attributes.get("cognito:user_status") in {"FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"} and known
        asked = fold(flow, rounds, facts[flow.fingerprint], wants_password=wants_password)
    except Broken:
        return FAIL
    if asked == PASSED:
        return ("tokens",) if known else FAIL
    kind, *details = asked
    if kind == "choice":
        names, last, asks = details
        if choice in names or last:
            return ("present", choice if choice in names else last)
        return ("select", names) if asks else FAIL
    return ("present" if kind == "step" else kind, details[0])


def answered(flow, rounds, facts, choice):
    """Return *rounds* with the answer to *choice* behind the last of them, a select round, if it could be chosen there."""
    name, *_, result = rounds[-1]
    asked = fold(flow, rounds[:-1], facts, wants_password=False)
    if asked[0] == "choice" and choice in asked[1]:
        return [*rounds[:-1], (name, "select", "choice", False), (name, choice, "answer", result)]
    return rounds


def fold(flow, rounds, facts, *, wants_password):
    """Play *rounds*; return what is asked then, or `PASSED`."""
    opened = bool(rounds) and rounds[0][0] == "SRP_A"
    player = Player(facts, opened)
    wanted = player.firsts(flow.body)
    if opened and "SRP_A" not in wanted:
        if flow.unwanted_srp != "ignore" or rounds[0][3] is not True:
            raise Broken
        rounds = rounds[1:]
    if wanted == SHUT:
        raise Broken
    game = player.play(flow.body)
    asked = advance(game, None)
    extra, verified, customised = set(), False, False
    for name, step, use, right in rounds:
        if right is not True and right is not False:
            raise Broken
        if name == "CUSTOM_CHALLENGE":
            if asked in {PASSED, FAILED} or asked[0] == "host":
                raise Broken
            customised = True
            asked = advance(game, (step, use, right))
        elif asked not in {PASSED, FAILED} and asked == ("host", name):
            asked = advance(game, (step, use, right))
            verified = name == "PASSWORD_VERIFIER"
        else:
            allowed = name in MFA or (name == "NEW_PASSWORD_REQUIRED" and not customised)
            if not (verified and right and allowed) or name in extra:
                raise Broken
            extra.add(name)
    if asked == FAILED:
        raise Broken
    if wants_password and verified and not customised and "NEW_PASSWORD_REQUIRED" not in extra:
        return ("host", "NEW_PASSWORD_REQUIRED")
    return asked


def advance(game, sent):
    """Send a round; return the next question, or the outcome."""
    try:
        return game.send(sent)
    except StopIteration as end:
        return end.value
