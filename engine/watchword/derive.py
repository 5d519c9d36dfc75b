"""The interpreter of flows: reads a session, takes the flow's derivative by each round, says what comes next.

This file imports nothing and works on tuples, strings and booleans only, so that it can be shipped alone: a Lambda
that only defines needs it and a lowered flow. The engine uses the same file, so the two cannot disagree.
(Its types stand in ``derive.pyi``: without imports there is no ``Any``.)

A lowered flow is a *program*: ``(fingerprint, conditions, body, unwanted_srp)``. A body is a nested tuple:

    ("passed",) ("failed",) ("broken",)            the three ends
    ("step", name, tries, requests)                one challenge; requests are the wishes for another message that it
                                                   still takes: none of them costs a try
    ("srp", phase)                                 the SRP prelude: 0 waits for SRP_A, 1 for PASSWORD_VERIFIER
    ("sequence", first, rest)                      rest is a tuple of bodies
    ("fallback", first, rest)                      rest is entered when first has failed
    ("choose", need, options, asks, shown, requests)
                                                   need 0: one_of; else: that many of options must pass; asks are the
                                                   select rounds left, shown the step last presented and not answered
    ("chosen", need, current, rest, requests)      an option of at_least under way
    ("when", index, then, otherwise)               by the outcome of condition *index*; gone once resolved

The state of a sign-in is ``(body, unwanted_srp, phase, hosts)``: what is left of the body, and what the host's own
rounds have shown so far.
"""

PASSED = ("passed",)
FAILED = ("failed",)
BROKEN = ("broken",)

REQUESTS = 5
ASKS = 3
SELECT = "select"
UNASKED = "unasked"

CUSTOM = "CUSTOM_CHALLENGE"
SRP_A = "SRP_A"
PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105 - the name of a round
NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - the name of a round

# Cognito runs these by itself after PASSWORD_VERIFIER (developer guide, custom authentication challenge flow).
HOSTED = ("SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")
MUST_CHANGE = ("FORCE_CHANGE_PASSWORD", "RESET_REQUIRED")

CLOSED, OPEN, PROVEN, CUSTOMISED = "closed", "open", "proven", "customised"

FORMAT = "2"
METADATA_FIELDS = ("v", "flow", "facts", "step", "asked", "before", "signin", "claim", "issued", "carry")
MAX_METADATA = 4096
MAX_ROUNDS = 1000


# --- bodies -------------------------------------------------------------------------------------------------------


def heads(body):
    """Return the names of the rounds that may come next: step names, or the host's."""
    tag = body[0]
    if tag == "step":
        return (body[1],)
    if tag == "srp":
        return (PASSWORD_VERIFIER,) if body[1] else (SRP_A,)
    if tag in {"sequence", "fallback"}:
        return heads(body[1])
    if tag == "choose":
        return tuple(name for option in body[2] for name in heads(option))
    if tag == "chosen":
        return heads(body[2])
    return ()


def find(body, name):
    """Return the step *name* as it stands at the head of *body*, or None."""
    tag = body[0]
    if tag == "step":
        return body if body[1] == name else None
    if tag in {"sequence", "fallback"}:
        return find(body[1], name)
    if tag == "choose":
        for option in body[2]:
            found = find(option, name)
            if found:
                return _capped(found, body[5])
        return None
    return find(body[2], name) if tag == "chosen" else None


def shown(body):
    """Return the step that was presented last and is still free to be left, or None."""
    tag = body[0]
    if tag in {"sequence", "fallback"}:
        return shown(body[1])
    if tag == "choose":
        return body[4]
    return shown(body[2]) if tag == "chosen" else None


def asks(body):
    """Return how often a select round may still be asked at the head of *body*."""
    tag = body[0]
    if tag in {"sequence", "fallback"}:
        return asks(body[1])
    if tag == "choose":
        return body[3]
    return asks(body[2]) if tag == "chosen" else 0


def step_body(body, name, use, right):
    """Return the derivative of *body* by one round: what is left to do after it."""
    tag = body[0]
    if tag == "step":
        return _answered(body, name, use, right)
    if tag == "srp":
        if right and name == heads(body)[0]:
            return PASSED if body[1] else ("srp", 1)
        return BROKEN
    if tag == "sequence":
        return _join(step_body(body[1], name, use, right), body[2])
    if tag == "fallback":
        first = step_body(body[1], name, use, right)
        if first == FAILED:
            return body[2][0] if len(body[2]) == 1 else ("fallback", body[2][0], body[2][1:])
        return first if first in {PASSED, BROKEN} else ("fallback", first, body[2])
    if tag == "choose":
        return _choosing(body, name, use, right)
    if tag == "chosen":
        return _settle(body[1], step_body(body[2], name, use, right), body[3], body[4])
    return BROKEN


def _answered(body, name, use, right):
    _, own_name, tries, requests = body
    if name != own_name or use == "choice":
        return BROKEN
    if use == "resend":
        if right:
            return BROKEN
        return ("step", own_name, tries, requests - 1) if requests else FAILED
    if use == UNASKED:
        return BROKEN if right else FAILED
    if right:
        return PASSED
    return ("step", own_name, tries - 1, requests) if tries > 1 else FAILED


def _join(first, rest):
    if first == PASSED:
        return rest[0] if len(rest) == 1 else ("sequence", rest[0], rest[1:])
    if first in {FAILED, BROKEN}:
        return first
    return ("sequence", first, rest)


def _choosing(body, name, use, right):
    _, need, options, left, last, requests = body
    if name == SELECT:
        if use == "choice" and not right and left and last is None and len(heads(body)) > 1:
            return ("choose", need, options, left - 1, None, requests)
        return BROKEN
    for place, option in enumerate(options):
        if name not in heads(option):
            continue
        if use == "resend" and not right and requests:
            # A resend request is no answer, so it pins nothing: the user may still choose another option. It is drawn
            # from the block, not from the option: one number for all of them keeps the states few.
            return ("choose", need, options, 0, name, requests - 1)
        then = step_body(_capped(option, requests), name, use, right)
        if use == UNASKED and then != BROKEN:
            # Nothing was asked, so nothing pins: what is left of the option, if anything, is offered with the others.
            rest = (*options[:place], *(() if then == FAILED else (then,)), *options[place + 1 :])
            return _choice(need, rest, requests) if len(rest) >= max(need, 1) else FAILED
        return _settle(need, then, options[:place] + options[place + 1 :], requests) if need else then
    return BROKEN


def _capped(body, requests):
    """Return *body* with no more than *requests* at its head: those before the choice was pinned count as well."""
    tag = body[0]
    if tag == "step":
        return ("step", body[1], body[2], min(body[3], requests))
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
    """Return what is left of *body* for a client that opened without SRP_A, or None if nothing is."""
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


# --- states -------------------------------------------------------------------------------------------------------


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
    if phase == CLOSED:
        if name == SRP_A and SRP_A not in heads(body):
            # A bare SRP_A proves nothing: Cognito writes it before any password is checked.
            return (body if unwanted == "ignore" and right else BROKEN, unwanted, OPEN, hosts)
        if name != SRP_A:
            body = without_srp(body) or BROKEN
    elif name == SRP_A:
        return (BROKEN, unwanted, phase, hosts)
    if name == CUSTOM:
        phase = CUSTOMISED if phase in {PROVEN, CUSTOMISED} else OPEN
        # A custom round is never one of the host's own, whatever step its metadata names.
        left = BROKEN if step in (SRP_A, PASSWORD_VERIFIER) else step_body(body, step, use, right)
        return (left, unwanted, phase, hosts)
    if name in (SRP_A, PASSWORD_VERIFIER) and name in heads(body):
        return (step_body(body, name, use, right), unwanted, PROVEN if name == PASSWORD_VERIFIER else OPEN, hosts)
    allowed = name in HOSTED and phase in {PROVEN, CUSTOMISED}
    if name == NEW_PASSWORD:
        allowed = phase == PROVEN
    if right and allowed and name not in hosts:
        return (body, unwanted, phase, (*hosts, name))
    return (BROKEN, unwanted, phase, hosts)


def decide(state, choice=None, must_change=False, known=True):
    """Return what comes next: ("present", step), ("select", names), ("host", round), ("tokens",) or ("fail", reason)."""
    body, _, phase, hosts = state
    if must_change and known and phase == PROVEN and NEW_PASSWORD not in hosts and body not in {FAILED, BROKEN}:
        return ("host", NEW_PASSWORD)
    if body == PASSED:
        return ("tokens",) if known else ("fail", "unknown_user")
    if body == FAILED:
        return ("fail", "tries_used_up")
    if phase == CLOSED:
        body = without_srp(body)
        if body is None:
            return ("fail", "srp_required")
    names = heads(body)
    if not names:
        return ("fail", "broken")
    if names[0] in {SRP_A, PASSWORD_VERIFIER}:
        return ("host", names[0])
    if choice in names:
        return ("present", choice)
    if len(names) == 1:
        return ("present", names[0])
    last = shown(body)
    if last:
        return ("present", last)
    return ("select", names) if asks(body) else ("fail", "no_choice")


def ending(body):
    """Say whether nothing can come after *body*."""
    return body in {PASSED, FAILED, BROKEN}


# --- reading ------------------------------------------------------------------------------------------------------


def read_metadata(text):
    """Return the fields of one round's metadata as a dict, or None if this is not our format."""
    if not isinstance(text, str) or not text or len(text) > MAX_METADATA:
        return None
    parts = text.split(";")
    if len(parts) != len(METADATA_FIELDS):
        return None
    fields = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            return None
        fields[name] = value
    if tuple(fields) != METADATA_FIELDS:
        return None
    ours = fields["v"] == FORMAT and fields["asked"] in {"0", "1"}
    return fields if ours and fields["step"] and fields["signin"] else None


def outcomes_of(conditions, attributes, client, known):
    """Return the outcome of each condition.

    Somebody unknown has no attributes and takes `otherwise`. The app client is not the user's: it counts for all,
    since otherwise an unknown user would be asked something else than a known one in the same app.
    """
    return tuple(
        client == condition[1] if condition[0] == "client" else known and attributes.get(condition[1]) == condition[2]
        for condition in conditions
    )


def facts_of(outcomes):
    """Return *outcomes* as they stand in the metadata."""
    return "".join("1" if outcome else "0" for outcome in outcomes)


def read(session, programs, attributes, client, known, action):
    """Read a session: which flow it belongs to, and what the client did in each round.

    *session* is a list of (name, result, metadata); *programs* the flow's own and the previous ones.
    Returns (program, outcomes, rounds, problem): rounds are (name, step, use, right, fields), as far as they could be
    read; problem is None, or why the rest is not of this flow's making.
    """
    metadata = [read_metadata(round_[2]) if round_[0] == CUSTOM else None for round_ in session[:MAX_ROUNDS]]
    first = next((fields for fields in metadata if fields), None)
    program = programs[0]
    if first:
        program = next((each for each in programs if each[0] == first["flow"]), None)
    problem = None if program else "unknown_flow"
    program = program or programs[0]
    outcomes = outcomes_of(program[1], attributes, client, known)
    facts = facts_of(outcomes)
    rounds = []
    if len(session) > MAX_ROUNDS:
        problem = "too_many_rounds"
    if problem:
        return program, outcomes, (), problem
    for place, (name, result, _) in enumerate(session):
        fields = metadata[place]
        if name != CUSTOM:
            rounds.append((name, "", "answer", result, None))
            continue
        problem = _mismatch(fields, first, facts, session, metadata, place)
        if problem:
            return program, outcomes, tuple(rounds), problem
        step = fields["step"]
        if step == SELECT:
            use = "choice"
        elif fields["asked"] == "0":
            use = UNASKED
        elif place + 1 < len(session):
            # Metadata is written before the answer: how this round ended stands in the next one's.
            use = metadata[place + 1]["before"] if metadata[place + 1] else "answer"
        else:
            use = "resend" if action == "resend" else "answer"
        rounds.append((name, step, use, result, fields))
    return program, outcomes, tuple(rounds), None


def _mismatch(fields, first, facts, session, metadata, place):
    if not fields:
        return "foreign_metadata"
    if fields["flow"] != first["flow"] or fields["signin"] != first["signin"]:
        return "mixed_sessions"
    if fields["facts"] != facts:
        return "facts_changed"
    expected = ("-",)
    if place and session[place - 1][0] == CUSTOM:
        before = metadata[place - 1]
        if before and before["step"] == SELECT:
            expected = ("choice",)
        elif before and before["asked"] == "0":
            expected = (UNASKED,)
        else:
            expected = ("answer", "resend")
    return None if fields["before"] in expected else "foreign_metadata"


def judge(session, programs, attributes, client, known, action, choice):
    """Return (decision, state, program, outcomes, rounds, before) for a whole session: what Define answers.

    *before* is the state before the last round: who reads that round otherwise goes on from there.
    """
    program, outcomes, rounds, problem = read(session, programs, attributes, client, known, action)
    state = before = begin(program, outcomes)
    for round_ in rounds:
        before, state = state, after(state, *round_[:4])
    if problem:
        return ("fail", problem), (BROKEN, state[1], state[2], state[3]), program, outcomes, rounds, before
    must_change = attributes.get("cognito:user_status") in MUST_CHANGE
    return decide(state, choice, must_change, known), state, program, outcomes, rounds, before
