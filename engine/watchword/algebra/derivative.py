"""Interpret a flow: read a session, take the derivative of the flow by each round, and decide what comes next.

This file imports nothing and works on tuples, strings and booleans only, so that it can be shipped alone: a Lambda
that only defines needs it and a lowered flow. The engine uses the same file, so the two cannot disagree.
(Its types, and what a program, a body and a state are made of, are in ``derivative.pyi``.)
"""

PASSED, FAILED, BROKEN = ("passed",), ("failed",), ("broken",)
ENDS = (PASSED, FAILED, BROKEN)

REQUESTS, ASKS = 5, 3
SELECT = "select"
UNASKED = "unasked"
OFFERED = "offered"
ANSWERS = ("answer", OFFERED)

CUSTOM = "CUSTOM_CHALLENGE"
SRP_A = "SRP_A"
PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105 - the name of a round
SRP_ROUNDS = (SRP_A, PASSWORD_VERIFIER)
NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - the name of a round

# Cognito runs these by itself after PASSWORD_VERIFIER (developer guide, custom authentication challenge flow).
HOSTED = ("SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")
MUST_CHANGE = ("FORCE_CHANGE_PASSWORD", "RESET_REQUIRED")

CLOSED, OPEN, PROVEN, CUSTOMISED = "closed", "open", "proven", "customised"
BEFORE_PASSWORD = (CLOSED, OPEN)

# Metadata is one text: the sign-in's fields, the same in every round, with dots between; the round's, with semicolons.
FORMAT = "3"
SIGN_IN_FIELDS = ("v", "flow", "facts", "signin")
ROUND_FIELDS = ("step", "asked", "before", "claim", "issued", "carry")
METADATA_FIELDS = SIGN_IN_FIELDS + ROUND_FIELDS
MAX_METADATA = 4096
MAX_ROUNDS = 1000


def head(body):
    """Return the part of *body* that the next round answers: a step, a choice, the SRP prelude, or an end."""
    while body[0] in {"sequence", "fallback", "chosen"}:
        body = body[2] if body[0] == "chosen" else body[1]
    return body


def heads(body):
    """Return the names of the rounds that may come next: step names, or the host's."""
    part = head(body)
    if part[0] in {"step", "ask"}:
        return (part[1],)
    if part[0] == "choose":
        return tuple([name for option in part[2] for name in heads(option)])
    return (SRP_ROUNDS[part[1]],) if part[0] == "srp" else ()


def find(body, name):
    """Return the step *name* as it stands at the head of *body*, or None."""
    part = head(body)
    if part[0] in {"step", "ask"}:
        return part if part[1] == name else None
    found = next(filter(None, (find(option, name) for option in part[2])), None) if part[0] == "choose" else None
    return found and _capped(found, part[5])


def shown(body):
    """Return the step that was presented last, if the client may still choose another one; else None."""
    part = head(body)
    return part[4] if part[0] == "choose" else None


def asks(body):
    """Return how many select rounds may still be asked at the head of *body*."""
    part = head(body)
    return part[3] if part[0] == "choose" else int(part[0] == "ask")


def step_body(body, name, use, right):
    """Return the derivative of *body* by one round: what is left to do after it."""
    tag = body[0]
    if tag in {"step", "ask"}:
        return _answered(body, name, use, right)
    if tag in {"sequence", "fallback"}:
        return _in_turn(tag, step_body(body[1], name, use, right), body[2])
    if tag == "chosen":
        return _settle(body[1], step_body(body[2], name, use, right), body[3], body[4])
    if tag == "choose":
        return _choosing(body, name, use, right)
    if tag == "srp" and right and name == SRP_ROUNDS[body[1]]:
        return PASSED if body[1] else ("srp", 1)
    return BROKEN


def _answered(body, name, use, right):
    tag, own_name, tries, requests = body
    if name != own_name or use == "choice":
        asked = tag == "ask" and name == SELECT and use == "choice" and not right
        return ("step", own_name, tries, requests) if asked else BROKEN
    if right:
        return BROKEN if use in {"resend", UNASKED} else PASSED
    if use == UNASKED:
        return FAILED
    if use == "resend":
        return ("step", own_name, tries, requests - 1) if requests else FAILED
    return ("step", own_name, tries - 1, requests) if tries > 1 else FAILED


def _in_turn(tag, first, rest):
    """Return what is left of a sequence or a fallback, by *tag*, of which the first part has come to *first*."""
    if first == (PASSED if tag == "sequence" else FAILED):
        return rest[0] if len(rest) == 1 else (tag, rest[0], rest[1:])
    return first if first in ENDS else (tag, first, rest)


def _choosing(body, name, use, right):
    _, need, options, left, last, requests = body
    if name == SELECT:
        if use == "choice" and not right and left and last is None and len(heads(body)) > 1:
            return ("choose", need, options, left - 1, None, requests)
        return BROKEN
    place = _place(options, name)
    if place is None:
        return BROKEN
    if use == "resend" and not right and requests:
        # A resend request is no answer, so it pins nothing: the user may still choose another option. It is drawn
        # from the block, not from the option: one number for all of them keeps the states few.
        return ("choose", need, options, 0, name, requests - 1)
    then = step_body(_capped(options[place], requests), name, use, right)
    others = options[:place] + options[place + 1 :]
    if use == UNASKED and then != BROKEN:
        # Nothing was asked, so nothing pins: what is left of the option, if anything, is offered with the others.
        rest = others if then == FAILED else (*options[:place], then, *options[place + 1 :])
        return _choice(need, rest, requests) if len(rest) >= max(need, 1) else FAILED
    return _settle(need, then, others, requests) if need else then


def _place(options, name):
    for place, option in enumerate(options):
        if name == option[1] if option[0] == "step" else name in heads(option):
            return place
    return None


def _capped(body, requests):
    """Return *body* with no more than *requests* at its head: those before the choice was pinned count as well."""
    tag = body[0]
    if tag in {"step", "ask"}:
        return body if body[3] <= requests else (*body[:3], requests)
    if tag in {"sequence", "fallback"}:
        return (tag, _capped(body[1], requests), body[2])
    return (*body[:5], min(body[5], requests)) if tag == "choose" else body


def _settle(need, current, rest, requests):
    if current == PASSED:
        return PASSED if need == 1 else _choice(need - 1, rest, requests)
    if current == FAILED:
        return FAILED if len(rest) < need else _choice(need, rest, requests)
    return BROKEN if current == BROKEN else ("chosen", need, current, rest, requests)


def _choice(need, options, requests):
    if len(options) == 1:
        return _capped(options[0], requests)
    return ("choose", need, options, ASKS, None, requests)


def without_srp(body):
    """Return what is left of *body* for a client that began without SRP_A, or None if that client cannot pass."""
    tag = body[0]
    if tag == "srp":
        return None
    if tag in {"sequence", "fallback"}:
        first = without_srp(body[1])
        return None if first is None else (tag, first, body[2])
    if tag == "choose":
        options = tuple(option for option in map(without_srp, body[2]) if option is not None)
        if not options or len(options) < body[1]:
            return None
        return options[0] if len(options) == 1 else ("choose", body[1], options, *body[3:])
    return body


def resolve(body, outcomes):
    """Return *body* with every condition decided by *outcomes*."""
    tag = body[0]
    if tag == "when":
        return resolve(body[2] if outcomes[body[1]] else body[3], outcomes)
    if tag in {"sequence", "fallback"}:
        parts = [resolve(part, outcomes) for part in (body[1], *body[2])]
        # Only a `when` without an alternative, directly in a sequence, resolves to nothing at all.
        parts = [part for part in parts if part != PASSED]
        if not parts:
            return PASSED
        return parts[0] if len(parts) == 1 else (tag, parts[0], tuple(parts[1:]))
    if tag == "choose":
        return ("choose", body[1], tuple(resolve(option, outcomes) for option in body[2]), *body[3:])
    return body


def begin(program, outcomes):
    """Return the state of a sign-in in which nothing has happened yet."""
    body = resolve(program[2], outcomes) if outcomes else program[2]
    return (body, program[3], CLOSED, ())


def after(state, name, step, use, right):
    """Return the state after one round that was read.

    *name* is the round's challenge name and *right* its result. For a custom round *step* and *use* say what it was;
    for a host round *use* is "answer".
    """
    body, unwanted, phase, hosts = state
    if body == BROKEN or (right is not True and right is not False):
        return (BROKEN, unwanted, phase, hosts)
    if phase == CLOSED and name != SRP_A:
        body = without_srp(body) or BROKEN
        state = (body, unwanted, phase, hosts)
    if name != CUSTOM:
        return _after_host(state, name, right)
    if use == OFFERED:
        # A choice and an answer in one round leave what they would one after the other.
        body, use = step_body(body, SELECT, "choice", False), "answer"
    # A custom round is never one of the host's own, whatever step its metadata names.
    left = BROKEN if step in SRP_ROUNDS else step_body(body, step, use, right)
    return (left, unwanted, OPEN if phase in BEFORE_PASSWORD else CUSTOMISED, hosts)


def fold(state, rounds):
    """Return the states of a sign-in: *state*, and the one after each of *rounds*, which were read."""
    states = [state]
    for name, step, use, right, _ in rounds:
        state = after(state, name, step, use, right)
        states.append(state)
    return states


def _after_host(state, name, right):
    """Return the state after a round that the host ran by itself."""
    body, unwanted, phase, hosts = state
    if name == SRP_A and phase == CLOSED:
        if name in heads(body):
            return (step_body(body, name, "answer", right), unwanted, OPEN, hosts)
        # A bare SRP_A proves nothing: Cognito writes it before any password is checked.
        return (body if unwanted == "ignore" and right else BROKEN, unwanted, OPEN, hosts)
    if name == PASSWORD_VERIFIER and name in heads(body):
        return (step_body(body, name, "answer", right), unwanted, PROVEN, hosts)
    allowed = phase == PROVEN if name == NEW_PASSWORD else name in HOSTED and phase not in BEFORE_PASSWORD
    if right and allowed and name not in hosts:
        return (body, unwanted, phase, (*hosts, name))
    return (BROKEN, unwanted, phase, hosts)


def decide(state, choice=None, must_change=False, known=True):
    """Return what comes next: ("present", step), ("select", names), ("host", round), ("tokens",) or ("fail", reason)."""
    body, _, phase, hosts = state
    if must_change and known and phase == PROVEN and NEW_PASSWORD not in hosts and body not in (FAILED, BROKEN):
        return ("host", NEW_PASSWORD)
    if body == PASSED:
        return ("tokens",) if known else ("fail", "unknown_user")
    if body == FAILED:
        return ("fail", "tries_used_up")
    if phase == CLOSED:
        body = without_srp(body)
        if body is None:
            return ("fail", "srp_required")
    part = head(body)
    names = (part[1],) if part[0] in {"step", "ask"} else heads(part)
    if not names:
        return ("fail", "broken")
    if names[0] in SRP_ROUNDS:
        return ("host", names[0])
    asked = choice if choice in names else names[0] if part[0] == "step" else shown(part)
    if asked:
        return ("present", asked)
    return ("select", names) if asks(part) else ("fail", "no_choice")


def read_metadata(text):
    """Return the fields of one round's metadata as a dict, or None if this is not our format."""
    parts = _parts(text)
    sign_in = _sign_in(parts)
    return dict(zip(METADATA_FIELDS, (*sign_in, *parts[1:]), strict=True)) if sign_in else None


def _parts(text):
    """Return the part of one round's metadata that is the sign-in's, and the round's values; None if it is not ours."""
    if not isinstance(text, str) or len(text) > MAX_METADATA:
        return None
    parts = text.split(";")
    ours = len(parts) == 7 and parts[1] and parts[2] in {"0", "1"}
    return parts if ours else None


def _sign_in(parts):
    """Return the values of the sign-in's part of one round's metadata, or None if they are not ours."""
    values = parts[0].split(".") if parts else ()
    ours = len(values) == 4 and values[0] == FORMAT and values[3]
    return values if ours else None


def outcomes_of(conditions, attributes, client, known, enrolled=(), recorded=""):
    """Return the outcome of each condition.

    Somebody unknown has no attributes and takes `otherwise`. The app client is not the user's: it counts for all,
    since otherwise an unknown user would be asked something else than a known one in the same app.
    What is *enrolled* may change while somebody signs in: once an outcome is *recorded*, in facts, that counts.
    """
    user = attributes if known else {}
    had = {"enrolled": enrolled, "client": (client,)}
    outcomes = [each[1] in had[each[0]] if each[0] in had else user.get(each[1]) == each[2] for each in conditions]
    if recorded:
        both = zip(conditions, outcomes, recorded, strict=True)
        outcomes = [digit == "1" if each[0] == "enrolled" else outcome for each, outcome, digit in both]
    return tuple(outcomes)


def facts_of(outcomes):
    """Return *outcomes* as the metadata has them: a text of 0 and 1."""
    return "".join(["1" if outcome else "0" for outcome in outcomes])


def read_session(session, programs, attributes, client, known, action, enrolled=()):
    """Read a session: which flow it belongs to, and what the client did in each round.

    *session* is a list of (name, result, metadata); *programs* the flow's own and the previous ones.
    Returns (program, outcomes, rounds, problem): rounds are (name, step, use, right, metadata), as far as they could be
    read; problem is None, or why the rest is not of this flow's making.
    """
    metadata = [_parts(text) if name == CUSTOM else None for name, _, text in session[:MAX_ROUNDS]]
    first = next(filter(None, map(_sign_in, metadata)), None)
    named = [each for each in programs if each[0] == first[1]] if first else programs
    problem = "too_many_rounds" if len(session) > MAX_ROUNDS else None if named else "unknown_flow"
    program = named[0] if named else programs[0]
    outcomes = ()
    if program[1]:
        recorded = first[2] if first and named and are_facts(first[2], program[1]) else ""
        outcomes = outcomes_of(program[1], attributes, client, known, enrolled, recorded)
    if problem:
        return program, outcomes, (), problem
    facts = facts_of(outcomes) if outcomes else ""
    sign_in = ".".join(first) if first and first[2] == facts else None
    # Metadata is written before the answer: how a round ended is in the metadata of the next one.
    ended = [parts[3] if parts else "answer" for parts in metadata[1:]]
    ended.append("resend" if action == "resend" else "answer")
    rounds = []
    expected = ("-",)
    for (name, result, text), parts, use in zip(session, metadata, ended, strict=False):
        if name != CUSTOM:
            rounds.append((name, "", "answer", result, None))
            expected = ("-",)
            continue
        if not parts or parts[0] != sign_in or parts[3] not in expected:
            return program, outcomes, tuple(rounds), _mismatch(parts, first, facts)
        if parts[1] == SELECT:
            answered = use[7:] if use[:7] == "answer:" and use[7:] in program[4] else ""
            expected = (use,) if answered else ("choice",)
            rounds.append((name, answered or SELECT, OFFERED if answered else "choice", result, text))
            continue
        expected = (UNASKED,) if parts[2] == "0" else ("answer", "resend")
        rounds.append((name, parts[1], use if use in expected else expected[0], result, text))
    return program, outcomes, tuple(rounds), None


def _mismatch(parts, first, facts):
    """Say what is wrong with the metadata of a round, in a sign-in of which the *first* one's and *facts* are known."""
    sign_in = _sign_in(parts)
    if not sign_in:
        return "foreign_metadata"
    _, flow, recorded, signin = sign_in
    if flow != first[1] or signin != first[3]:
        return "mixed_sessions"
    return "facts_changed" if recorded != facts and are_facts(recorded, facts) else "foreign_metadata"


def are_facts(text, conditions):
    """Say whether *text* can be what `facts_of` wrote for so many *conditions*."""
    return len(text) == len(conditions) and not text.strip("01")


def evaluate_session(session, programs, attributes, client, known, action, choice, enrolled=(), named=False):
    """Return (decision, state, program, outcomes, rounds, before) for a whole session: what Define answers.

    *before* is the state before the last round: who reads that round otherwise goes on from there. *named* says that the client
    names a sign-in. Verify looks at that; after a round of the host's own, which no Verify sees, there are no tokens.
    """
    program, outcomes, rounds, problem = read_session(session, programs, attributes, client, known, action, enrolled)
    states = fold(begin(program, outcomes), rounds)
    state, before = states[-1], states[-2:][0]
    if problem:
        return ("fail", problem), (BROKEN, state[1], state[2], state[3]), program, outcomes, rounds, before
    offered = program[4] if action == "answer" and rounds and rounds[-1][1] == SELECT else ()
    if choice in offered and choice in heads(before[0]):
        rounds = (*rounds[:-1], (CUSTOM, choice, OFFERED, *rounds[-1][3:]))
        state = after(before, *rounds[-1][:4])
    must_change = attributes.get("cognito:user_status") in MUST_CHANGE
    decided = decide(state, choice, must_change, known)
    # Behind the rounds of a device tokens tell nothing anyhow.
    if named and decided == ("tokens",) and [each[0] for each in rounds if each[0][:7] != "DEVICE_"][-1:] != [CUSTOM]:
        decided = ("fail", "foreign_sign_in")
    return decided, state, program, outcomes, rounds, before
