"""The verdicts agree with evaluators that know no algebra: they play every session, or every strategy, of small flows."""

from itertools import product

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kit.checked_flows import FACE, PASSKEY, PIN, RECOVERY, TOTP, WORK, Letter, Silent, Toy
from kit.dressed_flows import dressed_flows
from kit.random_flows import Password, Quiz
from kit.sessions import judged, session
from oracles.block_player import decision as played
from oracles.block_player import facts_of
from watchword import (
    ConfigurationError,
    Flow,
    Limits,
    all_of,
    ask_first,
    at_least,
    attribute,
    check,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.attributes import may_change, who_can_change
from watchword.algebra.session_notation import parse_session
from watchword.analysis.assurance import assurance
from watchword.analysis.checks import unproven
from watchword.analysis.findings import CODES, MAX_SOLE_FACTOR, Finding, Report
from watchword.contract.members import FACTORS
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.srp import Srp

KINDS = [
    Toy("puzzle", cognitive=True),
    WORK,
    PIN,
    PASSKEY,
    FACE,
    Toy("long_code", frozenset({"possession"}), 5e-8),  # 5e-7 a user-day: just sound
    Letter("letter", frozenset({"possession"}), 1e-8),  # 4.9e-7 at forty-nine guesses
    Letter("short_letter", frozenset({"possession"}), 3e-8),  # 1.5e-6
    Letter("advertisement"),
    Toy("possession"),  # by name only
    Toy("both", frozenset({"knowledge", "possession"}), 1e-12, cognitive=True),
]
WHO = [
    {"attributes": attributes, "client": app}
    for attributes, app in product([{}, {"custom:tier": "gold"}], ["app-1", "app-2"])
]


# --- an evaluator that plays every session ------------------------------------------------------------------------


def asked(flow, words, who, facts):
    """Return what the player of blocks asks for after *words*, whatever the client chooses: step names, and the decision."""
    rounds = session(" ".join(words), flow, facts=facts)
    action = "resend" if words and words[-1].endswith("~") else None
    decided = played(flow, rounds, action=action, **who)
    steps = [decided[1]] if decided[0] == "present" else []
    if decided[0] in {"present", "select", "fail"} and choices(flow.body):
        wanted = [name for name in flow.steps if name not in steps]
        steps += [
            name for name in wanted if played(flow, rounds, action=action, choice=name, **who) == ("present", name)
        ]
    return steps, decided


def choices(body):
    """Say whether the client may choose anywhere in *body*."""
    return any(block in repr(body) for block in ("OneOf(", "AtLeast(", "AskFirst("))


def sessions(flow, who, resends=0):
    """Yield every session of *flow* for *who* with few resends: its words, what may be asked then, and the decision."""
    facts = "".join("01"[held] for held in facts_of(flow, who["attributes"], who["client"], True).values())
    waiting = [["srp_a+"], []]
    while waiting:
        words = waiting.pop()
        steps, decided = asked(flow, words, who, facts)
        if words == ["srp_a+"] and decided == ("fail",):
            continue
        yield words, steps, decided
        signs = "+-~" if sum(word.endswith("~") for word in words) < resends else "+-"
        waiting += [[*words, step + sign] for step in steps for sign in signs + "!" * sends(flow, step)]
        if decided[0] == "host":
            waiting.append([*words, f"{decided[1].lower()}+"])


def sends(flow, step):
    """Say whether *step* sends a message, so that it may be found impossible to ask."""
    return hasattr(flow.steps[step].kind, "channel")


def outcomes(flow, who):
    """Return how the conditions of *flow* turn out for *who*."""
    return facts_of(flow, who["attributes"], who["client"], True)


@attrs.frozen
class Evidence:
    """What the sessions of a flow showed."""

    passing: list  # (words, names of the steps that were right, who)
    mailed: list  # words after which something is sent, though nothing was right
    gone: list  # whether anybody got through, for each who

    @classmethod
    def of(cls, flow, resends=0, most=None):
        """Play every session of *flow*; give up a drawn flow that has more than *most*."""
        passing, mailed, gone = [], [], []
        count = 0
        for who in WHO:
            if any(outcomes(flow, who) == outcomes(flow, other) for other in WHO[: WHO.index(who)]):
                continue
            before = len(passing)
            for words, steps, decided in sessions(flow, who, resends):
                count += 1
                if most is not None:
                    assume(count <= most)
                right = [word[:-1] for word in words if word.endswith("+") and word != "srp_a+"]
                if decided == ("tokens",):
                    passing.append((words, right, who))
                if not right and any(hasattr(flow.steps[step].kind, "resend_after") for step in steps):
                    mailed.append(words)
            gone.append(len(passing) > before)
        return cls(passing, mailed, gone)


def kinds_of(flow, right):
    """Return the kinds of the steps that were *right*; a password stands for itself."""
    return [flow.steps[name].kind if name in flow.steps else name for name in right]


def proven(flow, right):
    """Return the factors that the steps that were *right* prove."""
    factors = [{"knowledge"} if kind == "password_verifier" else kind.proves for kind in kinds_of(flow, right)]
    return set().union(*factors) & set(FACTORS)


def terms_of(flow, right):
    """Return the terms of a requirement that hold when these steps were *right*."""
    kinds = kinds_of(flow, right)
    names = {kind.kind for kind in kinds if kind != "password_verifier"} - {"possession"}
    password = {"password", "srp"} if "password_verifier" in kinds else set()
    return proven(flow, right) | names | password


def shortest(found):
    """Return the number of rounds of the shortest of *found*, or None."""
    return min(map(len, found), default=None)


def agree(report, code, found):
    """Demand that *code* is in *report* exactly if something was *found*, with a session as short as any."""
    findings = [each for each in report.findings if each.code == code]
    assert bool(findings) is bool(found), (code, report.flow.body, found[:1])
    if findings and findings[0].session is not None:
        assert shortest(found) == len(findings[0].session)
    return findings


def shows(flow, finding):
    """Return the rounds of the finding's session that were right, having judged that it gives tokens."""
    words = " ".join(finding.session)
    for who in WHO:
        facts = "".join("01"[held] for held in facts_of(flow, who["attributes"], who["client"], True).values())
        if judged(words, flow, facts=facts, **who) == ("tokens",):
            return [word[:-1] for word in finding.session if word.endswith("+") and word != "srp_a+"]
    raise AssertionError(f"{words} gives no tokens")


TERMS = [*FACTORS, "password", "srp", *(kind.kind for kind in KINDS)]


@st.composite
def requirements(draw, flow):
    """Draw a requirement of the factors, the password and the kinds of *flow*."""
    known = sorted({*FACTORS, "password", "srp", *(step.kind.kind for step in flow.steps.values())})
    words = st.recursive(
        st.sampled_from(known),
        lambda inner: st.builds(
            lambda word, parts: f"({f' {word} '.join(parts)})",
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        max_leaves=5,
    )
    return draw(words)


@given(flow=dressed_flows(KINDS, most_steps=3), data=st.data())
@settings(max_examples=40)
def test_the_verdicts_are_those_of_whoever_plays_every_session(flow, data):
    """Proof, requirement, dead ends, sole factors, mail and cognitive tests: found exactly where a session shows it."""
    compare(flow, data.draw(requirements(flow)), Evidence.of(flow, most=200))


@given(flow=dressed_flows(KINDS, most_steps=2, attempts=1), data=st.data())
@settings(max_examples=12)
def test_resends_change_no_verdict(flow, data):
    """The same with resends in the sessions that are played, as many as are excused and one more."""
    compare(flow, data.draw(requirements(flow)), Evidence.of(flow, resends=3, most=150))


def compare(flow, require, evidence):
    """Demand that the check of *flow* says what the *evidence* says."""
    report = check(flow, require=require)

    bare = [words for words, right, _ in evidence.passing if not proven(flow, right)]
    alone = unproven(flow)
    for finding in agree(report, "WW101", bare):
        assert not proven(flow, shows(flow, finding))
        assert finding == alone
    assert bool(bare) == (alone is not None)

    def meets(right):
        held = terms_of(flow, right)
        return eval(require, {"__builtins__": {}}, {term: term in held for term in TERMS})

    weak = [words for words, right, _ in evidence.passing if not meets(right)]
    for finding in agree(report, "WW102", weak):
        assert not meets(shows(flow, finding))

    assert all(evidence.gone)
    agree(report, "WW105", [])
    agree(report, "WW103", [])
    agree(report, "WW201", evidence.mailed)

    for finding in agree(report, "WW203", trapped(flow, evidence)):
        assert any(cognitive(kind) for kind in kinds_of(flow, shows(flow, finding)))

    easy = {}
    for words, right, _ in evidence.passing:
        identity = [name for name in right if name not in flow.steps or flow.steps[name].kind.proves]
        if len(identity) == 1 and identity[0] in flow.steps and too_easy(flow.steps[identity[0]].kind):
            easy.setdefault(identity[0], []).append(words)
    findings = [each for each in report.findings if each.code == "WW107"]
    told = {}
    for finding in findings:
        (name,) = [name for name in shows(flow, finding) if name not in flow.steps or flow.steps[name].kind.proves]
        assert repr(name) in finding.message
        told[name] = len(finding.session)
    assert {name: shortest(found) for name, found in easy.items()} == told


def trapped(flow, evidence):
    """Return the ways through of those for whom every way has a cognitive test, passed."""
    found = []
    for who in WHO:
        alike = [other for other in WHO if outcomes(flow, who) == outcomes(flow, other)]
        ways = [(words, kinds_of(flow, right)) for words, right, them in evidence.passing if them in alike]
        if all(any(map(cognitive, kinds)) for _, kinds in ways):
            found += [words for words, _ in ways]
    return found


def cognitive(kind):
    """Say whether *kind* is a cognitive test."""
    return getattr(kind, "cognitive", False)


def too_easy(kind):
    """Say whether *kind* alone is guessed too easily at ten guesses a day and, if it sends, three own tries of thirteen messages."""
    guesses = 49 if hasattr(kind, "resend_after") else 10
    return 1 - (1 - kind.guess_probability()) ** guesses > 1e-6


def test_the_evaluator_sees_something_of_everything():
    """A test of agreement needs both sides of every verdict: each kind of evidence is found in one flow and not in another."""
    puzzle, letter = KINDS[0], KINDS[6]
    guarded = Flow(sequence(one_of(named("s1", puzzle), named("s2", WORK)), named("s3", PASSKEY)))
    careless = Flow(fallback(named("s1", PASSKEY), named("s2", letter), named("s3", puzzle)))
    shut = Flow(sequence(named("s1", puzzle), named("s2", PIN)))
    seen = [(flow, Evidence.of(flow)) for flow in (guarded, careless, shut)]
    assert [False, True, False] == [bool(evidence.mailed) for _, evidence in seen]
    assert [True, False, True] == [all(proven(flow, right) for _, right, _ in each.passing) for flow, each in seen]
    assert [False, False, True] == [bool(trapped(flow, evidence)) for flow, evidence in seen]
    assert [True, False, True] == [too_easy(kind) for kind in (PIN, letter, KINDS[7])]


# --- findings of one fact -----------------------------------------------------------------------------------------


def found(flow, code, **asked):
    """Return the findings of *code*."""
    return [each for each in check(flow, **asked).findings if each.code == code]


def test_what_is_certain_is_found_though_a_shorter_way_is_worse():
    """A weak factor is named even where a CAPTCHA alone leads to tokens sooner: accepting the one hides not the other."""
    flow = Flow(one_of(Captcha(), PIN), accept={"WW101": "a guest book"})
    assert [("pin+",)] == [each.session for each in found(flow, "WW107")]
    assert ["error"] == [each.severity for each in check(flow).errors]
    assert unproven(flow).severity == "error"


def test_mail_after_wrong_answers_is_mail_to_whoever_names_a_user():
    """Nobody has to pass a CAPTCHA who may as well fail it."""
    flow = Flow(fallback(Captcha(attempts=2), EmailOtp()))
    assert [("captcha-", "captcha-")] == [each.session for each in found(flow, "WW201")]
    assert [] == found(Flow(sequence(Captcha(), EmailOtp())), "WW201")
    assert [] == found(Flow(sequence(Srp(), EmailOtp())), "WW201")
    assert [()] == [each.session for each in found(Flow(one_of(Srp(), EmailOtp())), "WW201")]
    assert [()] == [each.session for each in found(Flow(EmailOtp(), unwanted_srp="ignore"), "WW201")]
    for asking in (ask_first(EmailOtp()), one_of(EmailOtp(), Captcha())):
        assert [((), "email_otp")] == [(each.session, each.choice) for each in found(Flow(asking), "WW201")]


@pytest.mark.parametrize("name", [*FACTORS, "password", "srp"])
def test_no_kind_proves_by_its_name(name):
    """A CAPTCHA that is called as a factor or as the password is a CAPTCHA."""
    flow = Flow(Toy(name))
    assert 1 == len(found(flow, "WW101"))
    assert 1 == len(found(flow, "WW102", require=name))


def test_a_requirement_of_a_kind_that_is_not_there_is_refused():
    """It would be met on no path, or be misspelt; the message names the kinds of the flow."""
    with pytest.raises(
        ConfigurationError, match="'totp' is no factor and no kind of this flow: captcha, email_otp, inh"
    ):
        check(Flow(sequence(Captcha(), EmailOtp())), require="totp")


def test_both_requirements_are_checked():
    """That of the flow and that of who asks; blank ones ask nothing."""
    flow = Flow(one_of(EmailOtp(), PIN), require="knowledge")
    messages = [each.message for each in found(flow, "WW102", require="inherence")]
    assert ["'knowledge'", "'inherence'"] == [message.split()[5].rstrip(":") for message in messages]
    assert 1 == len(found(flow, "WW102", require="  "))
    assert [] == found(Flow(EmailOtp(), require="\n"), "WW102")


def test_a_requirement_is_spelt_as_it_was_read():
    """With the brackets that it needs, and what the weakest path proves instead."""
    flow = Flow(sequence(Captcha(), EmailOtp()))
    (finding,) = found(flow, "WW102", require="captcha and (knowledge or inherence)")
    assert (
        "a path does not meet 'captcha and (knowledge or inherence)': it proves captcha, possession only"
        == finding.message
    )
    (finding,) = found(Flow(WORK), "WW102", require="knowledge")
    assert finding.message.endswith("it proves nothing only")


def test_who_is_concerned_is_told():
    """Where a finding holds for some, the message says for whom; a session for nobody else is printed."""
    flow = Flow(
        sequence(
            when(client("kiosk"), when(attribute("custom:tier", "gold"), WORK, otherwise=PASSKEY), otherwise=PIN),
            Captcha(),
        )
    )
    (finding,) = found(flow, "WW101")
    assert "(where client = kiosk and custom:tier = gold)" in finding.message
    assert ("proof_of_work+", "captcha+") == finding.session


# In whose hands an attribute is: every standard one, what Cognito adds in events, and custom ones.
WRITTEN_BY_USERS = ["locale", "email", "phone_number", "preferred_username", "name", "updated_at", "zoneinfo"]
CHANGED_BY_USERS = {
    "email_verified": "by changing or verifying their address",
    "phone_number_verified": "by changing or verifying their telephone number",
    "cognito:email_alias": "by changing or verifying their address",
    "cognito:phone_number_alias": "by changing or verifying their telephone number",
    "cognito:user_status": "by confirming themselves or setting a new password",
    "cognito:mfa_enabled": "by turning MFA on or off",
    "cognito:whatever_comes": "through Cognito",
    **dict.fromkeys(WRITTEN_BY_USERS, "by writing it"),
}


def on_attribute(name):
    """Return a flow that decides by the attribute *name*."""
    return Flow(when(attribute(name, "x"), EmailOtp(), otherwise=named("code", EmailOtp())))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *((name, "WW104") for name in CHANGED_BY_USERS),
        ("custom:tier", "WW204"),
        ("dev:custom:tier", "WW204"),
        ("sub", None),
        ("identities", None),
    ],
)
def test_a_condition_is_judged_by_who_can_change_the_attribute(name, code):
    """Users change some whatever the client may write; custom ones only if the app client lets them; a sub nobody."""
    flow = on_attribute(name)
    named_by = [each for each in check(flow).findings if each.code in {"WW104", "WW204"}]
    assert ([] if code is None else [code]) == [each.code for each in named_by]
    assert all(repr(name) in each.message for each in named_by)
    assert all(f"users can change {CHANGED_BY_USERS[name]}:" in each.message for each in named_by if code == "WW104")
    assert 1 == len(found(flow, "WW202"))


@pytest.mark.parametrize("name", ["sub", "identities", *CHANGED_BY_USERS, "custom:tier", "dev:custom:tier"])
def test_what_a_client_may_write_its_users_can_change(name):
    """A list that names it lets them; without a list they change the standard ones; what they change anyway no list stops."""
    hands = who_can_change(name)
    assert (hands != "administrator") is may_change(name, [name])
    assert (hands == "user") is may_change(name, ["nickname"])
    assert (hands == "user" or (hands == "client" and "custom:" not in name)) is may_change(name, [])


def test_a_condition_on_the_app_client_tells_nothing_of_users():
    """It is the same for everybody in the app."""
    codes = {each.code for each in check(Flow(when(client("app"), EmailOtp(), otherwise=PASSKEY))).findings}
    assert codes.isdisjoint({"WW104", "WW202", "WW204"})


@pytest.mark.parametrize(
    ("seconds", "minutes", "late"), [(179, 3, 0), (180, 3, 1), (181, 3, 1), (599, 10, 0), (600, 10, 1)]
)
def test_a_resend_must_come_while_the_session_lasts(seconds, minutes, late):
    """At the end of the session it is over."""
    flow = Flow(EmailOtp(resend_after=seconds, lifetime=60))
    assert late == len(found(flow, "WW106", session_minutes=minutes))


@pytest.mark.parametrize(("seconds", "lifetime", "late"), [(60, 60, 0), (61, 60, 1), (90, 600, 0), (600, 180, 1)])
def test_a_resend_must_come_while_the_code_is_good(seconds, lifetime, late):
    """Else the client tells users to wait although nothing that they have is good; whether or not the session lasts."""
    flow = Flow(EmailOtp(resend_after=seconds, lifetime=lifetime))
    assert late == len(found(flow, "WW208", session_minutes=15))
    assert late == len(found(Flow(sequence(Srp(), flow.body)), "WW208", session_minutes=15))


@pytest.mark.parametrize(
    "place", [lambda step: step, lambda step: sequence(Srp(), step), lambda step: one_of(PIN, step)]
)
@pytest.mark.parametrize(
    ("messages", "guesses", "many"),
    [
        ("100000/s", "10/day", 1),
        ("21/day", "10/day", 1),
        ("20/day", "10/day", 0),
        (["100000/s", "10/day"], "10/day", 0),
        ("5/h", "10/day", 1),
        ("10/day", "100/day", 1),
        ("3/15min", "10/day", 1),
    ],
)
def test_limits_that_leave_a_message_no_try_are_found(messages, guesses, many, place):
    """Wherever the step is: a hundred guesses a day have room for an own try of each message, or the finding says that they have not."""
    flow = Flow(place(EmailOtp()), limits=Limits(messages=messages, guesses=guesses))
    assert many == len(found(flow, "WW209"))


def test_too_many_messages_are_found_where_nobody_guesses():
    """An advertisement, or a code of 128 bits, fills a mailbox all the same; what sends nothing has no messages."""
    limits = Limits(messages="101/day")
    for kind in (Letter("advertisement"), Letter("link", frozenset({"possession"}), 2.0**-128)):
        (finding,) = found(Flow(kind, limits=limits), "WW209")
        assert "101 messages a day" in finding.message
        assert "try of its own" not in finding.message
        assert [] == found(Flow(kind, limits=Limits(messages="100/day")), "WW209")
    assert [] == found(Flow(PIN, limits=limits), "WW209")


@pytest.mark.parametrize(("guesses", "told"), [("50/day", ""), ("51/day", "51"), ("100/day", "100"), ("3/h", "72")])
def test_more_guesses_than_a_budget_has_are_found(guesses, told):
    """A kind that sends nothing is charged 50 a day at most, whatever the flow allows; one that nobody guesses is not charged."""
    limits = Limits(guesses=guesses)
    findings = found(Flow(PIN, limits=limits), "WW209")
    assert [told] * bool(told) == [each.message.split()[2] for each in findings]
    assert [] == found(Flow(Letter("link", frozenset({"possession"}), 2.0**-128), limits=limits), "WW209")


def test_mail_that_no_number_of_sign_ins_locks_is_told_by_its_number():
    """Sign-ins that share a message do not use up a limit of many a second."""
    (finding,) = found(Flow(EmailOtp(), limits=Limits(messages="20/s")), "WW201")
    assert "strangers can have a user sent 1,728,000 a day" in finding.message
    (finding,) = found(Flow(EmailOtp()), "WW201")
    assert "3 sign-ins by a stranger keep a user from further mail for a while, 10 for the day" in finding.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (sequence(Captcha(), PASSKEY), "every path goes through a cognitive test (captcha)"),
        (
            sequence(when(client("kiosk"), Captcha()), PASSKEY),
            "every path (where client = kiosk) goes through a cognitive test (captcha)",
        ),
        (
            sequence(when(client("kiosk"), PIN, otherwise=Captcha()), PASSKEY),
            "every path (where no condition holds) goes through a cognitive test (captcha)",
        ),
        (
            when(client("kiosk"), one_of(Captcha(), Toy("puzzle", cognitive=True)), otherwise=PASSKEY),
            "every path (where client = kiosk) goes through a cognitive test (captcha, puzzle)",
        ),
        (
            sequence(when(client("kiosk"), Captcha(), otherwise=named("other", Captcha())), PASSKEY),
            "every path goes through a cognitive test (captcha, other)",
        ),
    ],
)
def test_every_path_is_every_path(body, said):
    """Where some users have a way around a test, the finding says for whom there is none; it names the tests of the way."""
    (finding,) = found(Flow(body), "WW203")
    assert finding.message.startswith(f"{said}: fails")


@pytest.mark.parametrize(("seconds", "minutes", "long"), [(180, 3, 0), (181, 3, 1), (600, 10, 0), (600, 9.9, 1)])
def test_a_lifetime_longer_than_the_session_is_told(seconds, minutes, long):
    """As long is no longer."""
    assert long == len(found(Flow(EmailOtp(lifetime=seconds)), "WW205", session_minutes=minutes))


@pytest.mark.parametrize(("seconds", "minutes", "long"), [(180, 3, 0), (181, 3, 1), (600, 10, 0), (600, 9.9, 1)])
def test_a_link_that_outlives_its_session_is_an_error(seconds, minutes, long):
    """It signs in that session and no other; one that opens anywhere begins a session of its own."""
    redirects = {"web": "https://app.example/"}
    flows = {
        opens: Flow(ask_first(MagicLink(redirects=redirects, lifetime=seconds, opens=opens)))
        for opens in ("same_browser", "anywhere")
    }
    here, anywhere = flows["same_browser"], flows["anywhere"]
    assert (long, 0) == tuple(len(found(here, code, session_minutes=minutes)) for code in ("WW111", "WW205"))
    assert (0, long) == tuple(len(found(anywhere, code, session_minutes=minutes)) for code in ("WW111", "WW205"))


def test_a_link_that_opens_anywhere_is_a_warning():
    """Since programs that visit links may run what its page says."""
    redirects = {"web": "https://app.example/"}
    assert [] == found(Flow(ask_first(MagicLink(redirects=redirects))), "WW212")
    (finding,) = found(Flow(ask_first(MagicLink(redirects=redirects, opens="anywhere"))), "WW212")
    assert "the page must wait for a click" in finding.message


@pytest.mark.parametrize("minutes", [3, 3.5, 15])
def test_sessions_of_cognito_are_allowed(minutes):
    """3 to 15 minutes, also in halves."""
    assert f"each with {minutes:g} minutes" in found(Flow(PASSKEY), "WW302", session_minutes=minutes)[0].message


@pytest.mark.parametrize("minutes", [2.9, 0, -3, 15.1, float("inf"), float("nan")])
def test_no_other_session_is_allowed(minutes):
    """The message says what Cognito has."""
    with pytest.raises(ConfigurationError, match="3 to 15 minutes"):
        check(Flow(PASSKEY), session_minutes=minutes)


def test_the_host_is_told_of_pool_mfa_where_there_is_a_password():
    """By the rounds, not by names: a step that is called srp is none."""
    messages = [found(flow, "WW206")[0].message for flow in (Flow(Srp()), Flow(named("srp", PASSKEY)))]
    assert [True, False] == ["pool MFA" in message for message in messages]


# --- accepting ----------------------------------------------------------------------------------------------------


def test_an_accepted_finding_is_a_note_with_its_reason():
    """It is found all the same, with its session, and no error any more; the others stay as they are."""
    plain, knowing = Flow(PIN), Flow(PIN, accept={"WW107": "four digits, behind a locked door"})
    before, after = (found(flow, "WW107")[0] for flow in (plain, knowing))
    assert attrs.evolve(before, severity="note", message=after.message) == after
    assert f"{before.message} (accepted: four digits, behind a locked door)" == after.message
    assert [1, 0] == [len(check(flow).errors) for flow in (plain, knowing)]
    assert check(plain).figures == check(knowing).figures


@pytest.mark.parametrize("code", ["WW999", "ww107", "", "proof"])
def test_an_unknown_code_cannot_be_accepted(code):
    """Whoever misspells a code must not believe it accepted."""
    with pytest.raises(ConfigurationError, match=f"accept: {code!r} is no finding; there are WW101"):
        check(Flow(PIN, accept={code: "because"}))


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_nothing_is_accepted_for_no_reason(reason):
    """The reason is the point of it."""
    with pytest.raises(ConfigurationError, match="WW107 is accepted for no reason; write why"):
        check(Flow(PIN, accept={"WW107": reason}))


# --- the report ---------------------------------------------------------------------------------------------------


@given(flow=dressed_flows(KINDS, most_steps=3))
@settings(max_examples=25)
def test_a_report_is_in_order_and_complete(flow):
    """Errors, then warnings, then notes, each by code; every code has the severity of the table; the counts are right."""
    report = check(flow)
    ranks = [(["error", "warning", "note"].index(each.severity), each.code) for each in report.findings]
    assert sorted(ranks) == ranks
    assert all(CODES[each.code][0] == each.severity for each in report.findings)
    assert {"WW206", "WW301", "WW302"} <= {each.code for each in report.findings}
    assert tuple(each for each in report.findings if each.severity == "error") == report.errors
    assert (len(report.exploration.states), report.exploration.transitions) == (report.states, report.transitions)
    assert flow is report.flow
    for each in report.findings:
        assert isinstance(each, Finding)
        if each.session is not None:
            parse_session(" ".join(each.session), flow.steps)
    assert isinstance(report, Report)


def test_a_check_is_limited_and_tells_how_far_it_is(monkeypatch):
    """As an exploration is."""
    flow = Flow(all_of(*(named(f"s{number}", Quiz()) for number in range(3))))
    monkeypatch.setattr("watchword.analysis.state_space._PROGRESS_EVERY", 10)
    told = []
    check(flow, progress=told.append)
    assert told[:2] == [10, 20]
    with pytest.raises(ConfigurationError, match="more than 20 states"):
        check(flow, limit=20)


# --- assurance ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        (Captcha(), ["nothing: no AAL"]),
        (Srp(), ["knowledge: AAL1"]),
        (EmailOtp(), ["possession: no AAL (NIST SP 800-63B-4 does not count possession by e-mail)"]),
        (TOTP, ["possession: AAL1"]),
        (sequence(Srp(), TOTP), ["knowledge and possession: AAL2"]),
        (
            sequence(Srp(), EmailOtp()),
            ["knowledge and possession: AAL1 (NIST SP 800-63B-4 does not count possession by e-mail)"],
        ),
        (FACE, ["inherence: no AAL"]),
        (sequence(FACE, RECOVERY), ["inherence and knowledge: AAL1"]),
        (sequence(FACE, PASSKEY), ["inherence and possession: AAL2"]),
        # The same factors twice, once by e-mail: two notes.
        (
            one_of(TOTP, EmailOtp()),
            ["possession: AAL1", "possession: no AAL (NIST SP 800-63B-4 does not count possession by e-mail)"],
        ),
        (sequence(EmailOtp(), TOTP), ["possession: AAL1"]),
        (fallback(PIN, FACE), ["knowledge: AAL1", "inherence: no AAL"]),
        (at_least(1, PIN, RECOVERY), ["knowledge: AAL1"]),
        (when(client("kiosk"), PIN, otherwise=RECOVERY), ["knowledge: AAL1"]),
    ],
)
def test_each_path_is_told_with_its_assurance(body, notes):
    """Factors and level of NIST SP 800-63B-4: no e-mail (3.1.3.1), no biometric without something that the user has (3.2.3)."""
    assert [f"a path proves {note}" for note in notes] == [each.message for each in found(Flow(body), "WW301")]


def test_assurance_counts_what_is_left():
    """Two factors of which e-mail was one make one."""
    assert "no AAL" == assurance(frozenset())
    assert "AAL1" == assurance(frozenset({"knowledge", "nist knowledge"}))
    both = frozenset({"knowledge", "possession", "nist knowledge", "nist possession"})
    assert "AAL2" == assurance(both)


# --- a broken interpreter is found out ----------------------------------------------------------------------------


def breaking(monkeypatch, answered):
    """Let every step be answered by *answered* instead; it is told the body, the use, the result and how it should be."""
    honest = derivative._answered

    def broken(body, name, use, right):
        return answered(use, right, honest(body, name, use, right))

    monkeypatch.setattr(derivative, "_answered", broken)


def test_a_resend_that_passes_is_found(monkeypatch):
    """WW103: client metadata would lead to tokens by fewer factors; the plain way of somebody else is no excuse."""
    flow = Flow(sequence(when(client("kiosk"), WORK, otherwise=PASSKEY), Captcha()))
    assert [] == found(flow, "WW103")
    breaking(monkeypatch, lambda use, right, then: derivative.PASSED if use == "resend" else then)
    (finding,) = found(flow, "WW103")
    assert ("passkey~", "captcha+") == finding.session


def test_a_step_that_cannot_be_passed_is_found(monkeypatch):
    """WW105: under an outcome in which no session leads to tokens."""
    flow = Flow(sequence(when(client("kiosk"), Quiz()), PASSKEY))
    breaking(monkeypatch, lambda use, right, then: derivative.FAILED if right else then)
    messages = [each.message for each in found(flow, "WW105")]
    assert [
        f"no session leads to tokens (where {whom})" for whom in ("no condition holds", "client = kiosk")
    ] == messages
    assert [(), ()] == [each.session for each in found(flow, "WW105")]
    assert [] == found(flow, "WW101") + found(flow, "WW203")


def test_a_way_out_that_cannot_be_passed_is_no_way_through(monkeypatch):
    """WW203 is about ways to tokens: where there is none, nothing is said of it; WW104 then has no session to show."""
    flow = Flow(when(attribute("locale", "de"), Captcha(), otherwise=named("other", Captcha())))
    breaking(monkeypatch, lambda use, right, then: derivative.FAILED if right else then)
    assert [] == found(flow, "WW203")
    assert [None] == [each.session for each in found(flow, "WW104")]


def test_a_state_that_nothing_can_follow_is_found(monkeypatch):
    """WW105: neither passed nor failed, and no round that could come."""
    flow = Flow(sequence(Quiz(), named("more", PASSKEY)))
    breaking(monkeypatch, lambda use, right, then: derivative.BROKEN if use == "resend" else then)
    (finding,) = found(flow, "WW105")
    assert ("a sign-in gets stuck: nothing can follow", ("quiz~",)) == (finding.message, finding.session)


def test_the_threshold_is_the_one_of_the_documents():
    """A sole factor above one in a million a user-day; a user-day of a kind that sends has five times the guesses."""
    assert 1e-6 == MAX_SOLE_FACTOR
    for kind, flagged in ((Toy, 1.01e-7), (Letter, 2.05e-8)):
        proves = frozenset({"possession"})
        assert 1 == len(found(Flow(kind("code", proves, flagged)), "WW107"))
        assert [] == found(Flow(kind("code", proves, flagged * 0.98)), "WW107")
        assert [] == found(Flow(sequence(Password(), kind("code", proves, flagged))), "WW107")
    assert [] == found(Flow(Toy("code", frozenset({"possession"}), 1e-6), limits=Limits(guesses="1/day")), "WW107")
    assert 1 == len(found(Flow(Silent()), "WW107"))
    assert 1 == len(found(Flow(Toy("code", frozenset({"possession"}), 1.5)), "WW107"))


LETTER = Letter("letter", frozenset({"possession"}), 1e-9)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (fallback(LETTER, PASSKEY), ("letter!", "passkey")),
        (sequence(Password(), fallback(LETTER, PASSKEY)), ("srp_a+ password_verifier+ letter!", "passkey")),
        (one_of(LETTER, PASSKEY, TOTP), ("letter!", "passkey, totp")),
        (LETTER, None),
        (sequence(LETTER, PASSKEY), None),
        (fallback(PASSKEY, TOTP), None),
    ],
    ids=repr,
)
def test_a_note_says_what_comes_where_a_message_cannot_be_sent(body, shown):
    """Where the flow goes on, with the session that shows it."""
    notes = found(Flow(body), "WW303")
    assert (shown is None) == (notes == [])
    if shown:
        assert shown[0] == " ".join(notes[0].session)
        assert f"goes on with {shown[1]}:" in notes[0].message


def test_a_stranger_is_taken_to_reach_what_comes_where_a_message_cannot_be_sent():
    """An option of a choice that needs no factor is found behind a courier that is down as well."""
    flow = Flow(sequence(Password(), fallback(LETTER, WORK)), require="knowledge and possession")
    assert "srp_a+ password_verifier+ letter! proof_of_work+" == " ".join(found(flow, "WW102")[0].session)
