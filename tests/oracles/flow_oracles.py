"""What decides whether an interpreter of flows is right: the models' verdicts on lists of sessions, for any interpreter.

The tests put the engine's own interpreter through these, and the deliberately broken ones.
"""

from itertools import product

from kit.paths import FLOWS
from kit.random_flows import APP, FOREIGN, HAD, TIER, Card, Password, Quiz
from kit.sessions import judged, listed, metadata, session
from oracles.block_player import decision as played
from oracles.reference_model import decision as expected
from watchword import Flow, ReadRound, all_of, ask_first, at_least, fallback, load_flow, named, one_of, sequence, when
from watchword.algebra import derivative
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

CUSTOM, SRP_A, VERIFIER, MFA = "CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", "SMS_MFA"
NAMES = (SRP_A, VERIFIER, CUSTOM, MFA, "unknown")
MISSING, UNASKED = object(), object()

EXAMPLES = {
    "email_code": (load_flow(FLOWS / "email_code.toml"), {"plain": [("email_otp", 3)]}),
    "srp_then_code": (load_flow(FLOWS / "srp_then_code.toml"), {"srp": [("email_otp", 3)]}),
    "captcha_only": (load_flow(FLOWS / "captcha_only.toml"), {"plain": [("captcha", 3)]}),
    "password_or_code": (
        load_flow(FLOWS / "password_or_code.toml"),
        {"srp": [("short_code", 3)], "plain": [("email_otp", 3)]},
    ),
    "password alone, or code": (Flow(one_of(Srp(), EmailOtp())), {"srp": [], "plain": [("email_otp", 3)]}),
    "acme": (
        Flow(sequence(Srp(), Captcha(attempts=2), EmailOtp(attempts=3)), name="acme"),
        {"srp": [("captcha", 2), ("email_otp", 3)]},
    ),
}
OTHER = Flow(sequence(Srp(), EmailOtp(length=12)))

PASSING = {
    "email_code": ["email_otp+", "email_otp- email_otp~ email_otp- email_otp~ email_otp+"],
    "srp_then_code": [
        "srp_a+ password_verifier+ email_otp+",
        "srp_a+ password_verifier+ sms_mfa+ email_otp- email_otp~ email_otp+",
        "srp_a+ password_verifier+ new_password_required+ email_otp+",
    ],
    "captcha_only": ["captcha+", "captcha- captcha+", "captcha~ captcha~ captcha- captcha+"],
    "password alone, or code": ["srp_a+ password_verifier+", "email_otp+", "email_otp- email_otp- email_otp+"],
    "password_or_code": ["srp_a+ password_verifier+ short_code- short_code+", "email_otp~ email_otp+"],
    "acme": [
        "srp_a+ password_verifier+ captcha+ email_otp+",
        "srp_a+ password_verifier+ software_token_mfa+ captcha- captcha~ captcha+ email_otp- email_otp- email_otp+",
    ],
}


def steps_of(flow):
    """Return the names of the steps."""
    return list(flow.steps)


def written(flow):
    """Return what Create could have written, as the model wants it."""
    return {
        metadata(flow, step, before, asked=asked): (step, before, asked == "1")
        for step in steps_of(flow)
        for before in ("-", "answer", "resend")
        for asked in ("1", "0")
    }


def without_reason(decided):
    """Drop the operator's word from a decision."""
    return ("fail",) if decided[0] == "fail" else decided


def chained(flow, symbols):
    """Turn (name, result, step) into rounds with our metadata, each telling how the one before ended."""
    reads = [
        ReadRound(name, step, "unasked" if result is UNASKED else "answer", result is True)
        for name, result, step in symbols
    ]
    return listed(reads, flow)


def divergences(flow, plain, lists, interpreter=derivative):
    """Yield the session lists on which *interpreter* and the model decide otherwise."""
    texts = written(flow)
    for rounds in lists:
        for action in (None, "resend"):
            decided = interpreter.evaluate_session(rounds, [flow.program], {}, "", True, action, None)[0]
            wanted = expected(plain, rounds, texts, resend=action == "resend")
            if without_reason(decided) != wanted:
                yield rounds, action, wanted, decided


def short_lists(flow, most):
    """Yield every session up to *most* rounds with true and false results and our own metadata of each step, unasked ones too."""
    symbols = [(name, result, "") for name in NAMES if name != CUSTOM for result in (True, False)]
    symbols += [(CUSTOM, result, step) for step in steps_of(flow) for result in (True, False, UNASKED)]
    for length in range(most + 1):
        for chosen in product(symbols, repeat=length):
            yield chained(flow, chosen)


def odd_lists(flow):
    """Yield every session up to two rounds with odd results and metadata."""
    step = steps_of(flow)[-1]
    texts = [
        metadata(flow, step),
        metadata(flow, "other_step"),
        metadata(OTHER, step),
        None,
    ]
    later = [metadata(flow, step, "answer"), metadata(flow, step, "resend"), *texts[1:]]
    events = []
    for options in (texts, later):
        rounds = [
            {"challengeName": name, "challengeResult": result, "challengeMetadata": text}
            for name, result, text in product(NAMES, (True, False, None, MISSING, "true", 1), options)
        ]
        events.append([read_event(event) for event in rounds])
    yield from ([each] for each in events[0])
    # By what is written: true and 1 are equal, and are two results all the same.
    second = {repr(each): each for each in (*events[0], *events[1])}
    yield from map(list, product(events[0], second.values()))


def read_event(event):
    """Return a round as the host's event tells it: a missing result reads as null."""
    event = {key: value for key, value in event.items() if value is not MISSING}
    return (event.get("challengeName"), event.get("challengeResult"), event.get("challengeMetadata"))


def foreign_rounds(flow, rounds, place):
    """Yield rounds that do not belong at *place* of a session of *flow*, each with a name for it."""
    for what, (name, _, text) in FOREIGN:
        for result in (True, False):
            yield what, (name, result, text)
    before = "answer" if place and rounds[place - 1][0] == CUSTOM else "-"
    verified = any(name == VERIFIER for name, _, _ in rounds[:place])
    for name in (SRP_A, VERIFIER):
        yield f"another {name}", (name, True, None)
    for name in (*derivative.HOSTED, "NEW_PASSWORD_REQUIRED"):
        yield f"{name} false", (name, False, None)
        if not verified or any(each == name for each, _, _ in rounds):
            yield f"{name} where it cannot stand", (name, True, None)
    expected_step = judged(rounds[:place], flow)[1:]
    # False ones, too: where they were taken for a wrong answer, the session would go on to its tokens.
    for step in (*steps_of(flow), "other_step", "select", SRP_A, VERIFIER):
        for result in (True, False):
            if step not in expected_step:
                yield f"{step} out of turn", (CUSTOM, result, metadata(flow, step, before))
    for step, result in product(steps_of(flow), (True, False)):
        good = metadata(flow, step, before)
        yield "another flow's", (CUSTOM, result, metadata(OTHER, step, before))
        yield "another sign-in's", (CUSTOM, result, metadata(flow, step, before, signin="f" * 16))
        yield "changed facts", (CUSTOM, result, metadata(flow, step, before, facts="1"))
        yield "another format's", (CUSTOM, result, metadata(flow, step, before, v="1"))
        yield "one that was not asked", (CUSTOM, True, metadata(flow, step, before, asked="0"))
        yield "neither asked nor unasked", (CUSTOM, result, metadata(flow, step, before, asked="2"))
        yield "cut short", (CUSTOM, result, good.rpartition(";")[0])
        yield "too long", (CUSTOM, result, good + ";x=1")
        yield "in another order", (CUSTOM, result, ";".join(reversed(good.split(";"))))
        yield "in capitals", (CUSTOM, result, good.upper())
    for step, odd in product(steps_of(flow), ("true", 1, None, 0, "")):
        yield "a result that is none", (CUSTOM, odd, metadata(flow, step, before))


def insertions(flow, rounds):
    """Yield *rounds* with one foreign round put in: as it is, and with the next round's metadata made to fit."""
    for place in range(len(rounds) + 1):
        for what, foreign in foreign_rounds(flow, rounds, place):
            yield f"{what} at {place}", [*rounds[:place], foreign, *rounds[place:]]
            if place < len(rounds) and rounds[place][0] == CUSTOM:
                step = derivative.read_metadata(rounds[place][2])["step"]
                before = "answer" if foreign[0] == CUSTOM else "-"
                fitted = (*rounds[place][:2], metadata(flow, step, before))
                yield f"{what} at {place}, fitted", [*rounds[:place], foreign, fitted, *rounds[place + 1 :]]


def tokens_after_insertion(flow, words, interpreter=derivative):
    """Yield the foreign rounds after which *interpreter* still issues tokens."""
    for what, rounds in insertions(flow, session(words, flow)):
        for action in (None, "resend"):
            if interpreter.evaluate_session(rounds, [flow.program], {}, "", True, action, None)[0] == ("tokens",):
                yield what


# --- small flows, walked everywhere -------------------------------------------------------------------------------

ONE, TWO, THREE = (named(f"s{number}", Quiz(attempts=2)) for number in (1, 2, 3))
OFFERED = named("card", Card(attempts=2))
SMALL = {
    "step": Flow(ONE),
    "sequence": Flow(sequence(when(TIER, ONE), TWO)),
    "fallback": Flow(fallback(ONE, TWO)),
    "choice": Flow(one_of(ONE, TWO)),
    "all": Flow(all_of(ONE, TWO)),
    "two of three": Flow(at_least(2, *(named(f"s{number}", Quiz(attempts=1)) for number in (1, 2, 3)))),
    "password": Flow(Password()),
    "password, step": Flow(sequence(Password(), when(APP, ONE, otherwise=TWO))),
    "password or choice": Flow(one_of(sequence(Password(), ONE), TWO, THREE)),
    "srp ignored": Flow(ONE, unwanted_srp="ignore"),
    "offer": Flow(one_of(OFFERED, TWO)),
    "two offers": Flow(sequence(ask_first(TWO), all_of(OFFERED, named("s3", Card(attempts=1))))),
    "asked first": Flow(at_least(2, ONE, ask_first(OFFERED))),
}
GOLD = {"attributes": {"custom:tier": "gold"}, "client": "app-1"}
FORCED = {"attributes": {"cognito:user_status": "FORCE_CHANGE_PASSWORD"}}


def everywhere(flow, most):
    """Yield the words of every walk of up to *most* rounds through *flow*, as the player leads it."""
    waiting = ["", "srp_a+", "srp_a-"]
    while waiting:
        words = waiting.pop()
        yield words
        if len(words.split()) == most:
            continue
        match played(flow, session(words, flow), **said_last(words)):
            case ("present", step):
                waiting += [f"{words} {step}{sign}".strip() for sign in "+-~!"]
            case ("select", steps):
                waiting += [f"{words} select-".strip()]
                answered = [step for step in steps if step in flow.offered]
                waiting += [f"{words} select:{step}{sign}".strip() for step in answered for sign in "+-"]
                waiting += [f"{words} {step}{sign}".strip() for step in steps for sign in "+-~!"]
            case ("host", name):
                waiting += [f"{words} {name.lower()}{sign}" for sign in "+-"]


def said_last(words):
    """Return what the client says in the last round of *words*, as arguments of an interpreter."""
    last = words.split()[-1:] or [""]
    if last[0].startswith("select:"):
        return {"action": "answer", "choice": last[0][len("select:") : -1]}
    return {"action": "resend"} if last[0].endswith("~") else {}


def altered(flow, rounds):
    """Yield *rounds* with one thing altered, in every place: what it is, and the session."""
    steps = [*flow.steps, "select", SRP_A, VERIFIER]
    hosts = (SRP_A, VERIFIER, MFA, "EMAIL_OTP", "NEW_PASSWORD_REQUIRED")
    for place in range(len(rounds) + 1):
        before, after = rounds[:place], rounds[place:]
        ended = "answer" if before and before[-1][0] == CUSTOM else "-"
        for name in hosts:
            for result in (True, False):
                yield [*before, (name, result, None), *after]
        yield [*before, (MFA, True, None), (MFA, True, None), *after]
        for step in steps:
            yield [*before, (CUSTOM, True, metadata(flow, step, ended)), *after]
        if not after:
            continue
        name, result, text = after[0]
        yield [*before, *after[1:]]
        yield [*before, after[0], *after]
        for odd in (None, 1, "true", not result):
            yield [*before, (name, odd, text), *after[1:]]
        if name == CUSTOM:
            told = derivative.read_metadata(text)
            others = {"signin": "b" * 16, "facts": "1" * len(flow.conditions) or "1", "v": "1", "flow": "0" * 16}
            changes = [*others.items(), *(("before", each) for each in ("-", "answer", "resend", "choice", "unasked"))]
            changes += [("before", f"answer:{step}") for step in steps]
            changes += [("asked", each) for each in ("0", "1", "")]
            changes += [("step", step) for step in steps]
            for field, value in changes:
                fields = {**told, field: value}
                changed = metadata(flow, fields.pop("step"), fields.pop("before"), **fields)
                yield [*before, (name, result, changed), *after[1:]]


def player_divergences(flow, interpreter=derivative):
    """Yield where *interpreter* and the player of blocks differ: on every short walk, and with one thing altered."""
    most = 3 if len(flow.steps) == 3 and derivative.SRP_A not in derivative.heads(flow.program[2]) else 4
    for words in everywhere(flow, most):
        rounds = session(words, flow)
        last = said_last(words)
        for action in {last.get("action"), None, "resend"}:
            for circumstances in ({}, {"known": False}, {"known": False, **GOLD}, FORCED, {"choice": "s2"}):
                yield from difference(flow, rounds, interpreter, action=action, **circumstances)
        for choice in (*flow.offered, "s2"):
            yield from difference(flow, rounds, interpreter, action="answer", choice=choice)
        for changed in altered(flow, rounds):
            yield from difference(flow, changed, interpreter, **last)


def enrolled_divergences(interpreter=derivative):
    """Yield where *interpreter* and the player differ on a flow that asks what is enrolled, whatever was recorded and is now."""
    flow = Flow(sequence(ONE, when(HAD, TWO, THREE), when(TIER, named("s4", Quiz(attempts=1)))))
    for digits in ("00", "01", "10", "11", "", "0", "000", "1x", "2"):
        for words in ("", "s1+", "s1+ s2+", "s1+ s3+", "s1- s1+ s2+", "s1+ s2+ s4+", "s1+ s3+ s4+"):
            rounds = session(words, flow, facts=digits)
            for had, attributes in product([(), ("had",)], [{}, GOLD["attributes"]]):
                yield from difference(flow, rounds, interpreter, attributes=attributes, had=had)


def difference(
    flow, rounds, interpreter, *, previous=(), attributes=None, client="", known=True, action=None, choice=None, had=()
):
    """Yield *rounds* with both decisions, if they differ."""
    wanted = played(
        flow,
        rounds,
        previous=previous,
        attributes=attributes or {},
        client=client,
        known=known,
        action=action,
        choice=choice,
        had=had,
    )
    programs = [each.program for each in (flow, *previous)]
    decided = interpreter.evaluate_session(rounds, programs, attributes or {}, client, known, action, choice, had)[0]
    if without_reason(decided) != wanted:
        yield rounds, action, wanted, decided
