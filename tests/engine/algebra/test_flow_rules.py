"""The nine rules of `docs/explanation/algebra.md`, each over random flows and random sessions, against an interpreter of another sort."""

import pytest
from attrs import evolve
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from kit.random_flows import APP, FOREIGN, SETTINGS, TIER, Password, Quiz, facts, flows, walks
from kit.sessions import judged, metadata, session
from oracles.block_player import decision as played
from oracles.block_player import facts_of
from watchword import Flow, all_of, at_least, explore, fallback, named, one_of, sequence, when
from watchword.algebra import derivative

CUSTOM, SRP_A, VERIFIER = "CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER"
MANY = settings(max_examples=300)
SOME = settings(max_examples=120)

ONE, TWO, THREE = (named(f"s{number}", Quiz(attempts=2)) for number in (1, 2, 3))


def without_reason(decided):
    """Drop the operator's word from a decision."""
    return ("fail",) if decided[0] == "fail" else decided


def walked(data, flow, *, attributes=None, client="", had=(), lucky=False):
    """Draw a session that goes where *flow* leads; return its rounds and the client's last action."""
    told = facts(flow, attributes or {}, client, had)

    def decide(words):
        return judged(words, flow, attributes=attributes, client=client, had=had, facts=told)

    words = data.draw(walks(flow, decide, lucky=lucky))
    return session(words, flow, facts=told), "resend" if words.endswith("~") else None


def evaluated(flow, rounds, action=None, *, attributes=None, client="", named=False):
    """All that is known of *rounds* by *flow*, for somebody who exists; *action* is the client's last one."""
    return derivative.evaluate_session(
        rounds, [flow.program], attributes or {}, client, True, action, None, named=named
    )


ODD_RESULTS = st.sampled_from([True, True, False, False, None, "true", 1, 0, "", []])


def edited(data, flow, rounds):
    """Draw a hostile edit of *rounds*: dropped, doubled, swapped, moved, foreign or altered rounds."""
    rounds = list(rounds)
    place = data.draw(st.integers(0, len(rounds)))
    steps = [*flow.steps, "select", SRP_A, VERIFIER, "nobody"]
    before = data.draw(st.sampled_from(["-", "answer", "resend", "choice"]))
    fields = data.draw(
        st.sampled_from(
            [
                {},
                {},
                {},
                {"facts": "1"},
                {"signin": "x"},
                {"flow": "0" * 16},
                {"v": "1"},
                {"asked": "0"},
                {"asked": "x"},
                {"carry": "a;b"},
            ]
        )
    )
    host = st.sampled_from([SRP_A, VERIFIER, "NEW_PASSWORD_REQUIRED", "SMS_MFA", "ADMIN_NO_SRP_AUTH", "junk"])
    custom = (CUSTOM, data.draw(ODD_RESULTS), metadata(flow, data.draw(st.sampled_from(steps)), before, **fields))
    match data.draw(st.sampled_from(["drop", "double", "swap", "foreign", "host", "custom", "replace", "result"])):
        case "drop":
            del rounds[place : place + 1]
        case "double":
            rounds[place:place] = rounds[place : place + 1]
        case "swap":
            rounds[place : place + 2] = reversed(rounds[place : place + 2])
        case "foreign":
            rounds.insert(place, data.draw(st.sampled_from(FOREIGN))[1])
        case "host":
            rounds.insert(place, (data.draw(host), data.draw(ODD_RESULTS), None))
        case "custom":
            rounds.insert(place, custom)
        case "replace":
            rounds[place : place + 1] = [custom]
        case "result" if place < len(rounds):
            rounds[place] = (rounds[place][0], data.draw(ODD_RESULTS), rounds[place][2])
    return rounds


def rechained(flow, rounds):
    """Return *rounds* with "how the round before ended" made to fit wherever it can be."""
    fitted = []
    for name, result, text in rounds:
        fields = derivative.read_metadata(text) if name == CUSTOM else None
        if fields:
            before = "-"
            if fitted and fitted[-1][0] == CUSTOM:
                last = derivative.read_metadata(fitted[-1][2])
                before = "choice" if last and last["step"] == "select" else "answer"
                before = "resend" if fields["before"] == "resend" and before == "answer" else before
            text = ";".join(f"{key}={before if key == 'before' else value}" for key, value in fields.items())
        fitted.append((name, result, text))
    return fitted


# --- all rules at once --------------------------------------------------------------------------------------------


@given(st.data())
@MANY
def test_every_session_of_every_flow_is_decided_as_by_the_player(data):
    """Derivative and coroutines say the same of walks, of edited walks, of unknown users, choices and resends.

    What is enrolled may have changed since the sign-in began.
    """
    flow = data.draw(flows(remembering=data.draw(st.booleans())))
    circumstances = data.draw(SETTINGS)
    had, later = (data.draw(st.sampled_from([(), ("had",), ("lacking",), ("had", "lacking")])) for _ in range(2))
    rounds, action = walked(data, flow, **circumstances, had=had)
    for _ in range(data.draw(st.integers(0, 2))):
        rounds = edited(data, flow, rounds)
    if data.draw(st.booleans()):
        rounds = rechained(flow, rounds)
    action = data.draw(st.sampled_from([action, None, "resend", "tokens"]))
    known = data.draw(st.integers(0, 5)) > 0
    choice = data.draw(st.sampled_from([None, *flow.steps, "select", VERIFIER, "tokens"]))
    status = data.draw(st.sampled_from([{}, {}, {"cognito:user_status": "FORCE_CHANGE_PASSWORD"}]))
    attributes = {**circumstances["attributes"], **status}
    client = circumstances["client"]
    who = {"attributes": attributes, "client": client, "known": known, "had": later}
    wanted = played(flow, rounds, **who, action=action, choice=choice)
    event(wanted[0])
    decided = judged(rounds, flow, **who, action=action, choice=choice)
    assert without_reason(decided) == wanted


# --- rule 1 -------------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=40)
def test_one_foreign_round_in_any_passing_session_of_any_flow_never_gives_tokens(data):
    """Rule 1. Foreign: an unknown name, no metadata of ours, a host round out of place, another step's, a forger's."""
    flow = data.draw(flows(conditions=False))
    rounds, _ = walked(data, flow, lucky=True)
    assume(judged(rounds, flow) == ("tokens",))
    event(f"{len(rounds)} rounds")
    for place in range(len(rounds) + 1):
        verified = any(name == VERIFIER for name, _, _ in rounds[:place])
        before = "answer" if place and rounds[place - 1][0] == CUSTOM else "-"
        asked = derivative.heads(evaluated(flow, rounds[:place])[1][0])
        foreign = [(name, result, text) for _, (name, _, text) in FOREIGN for result in (True, False)]
        foreign += [(name, False, None) for name in (*derivative.HOSTED, SRP_A, VERIFIER, "NEW_PASSWORD_REQUIRED")]
        if place or flow.unwanted_srp == "refuse" or SRP_A in (name for name, _, _ in rounds):
            foreign.append((SRP_A, True, None))
        foreign += [(name, True, None) for name in derivative.HOSTED if not verified]
        foreign.append((VERIFIER, True, None))
        for step in (*flow.steps, SRP_A, VERIFIER, "nobody"):
            text = metadata(flow, step, before)
            if step not in asked or step in {SRP_A, VERIFIER}:
                foreign += [(CUSTOM, True, text), (CUSTOM, False, text)]
            foreign += [(CUSTOM, odd, text) for odd in (None, 1, "true")]
            foreign += [
                (CUSTOM, result, metadata(flow, step, before, **fields))
                for result in (True, False)
                for fields in ({"signin": "another"}, {"flow": "f" * 16}, {"facts": "10"}, {"v": "0"})
            ]
        for each in foreign:
            spoilt = [*rounds[:place], each, *rounds[place:]]
            for version in (spoilt, rechained(flow, spoilt)):
                # One that was drawn into a session of its own, with nothing else of ours, is the whole session.
                if [name for name, _, _ in version].count(CUSTOM) == 1 and each[0] == CUSTOM:
                    continue
                assert judged(version, flow)[0] != "tokens", (place, each)


@given(st.data())
@SOME
def test_only_true_counts(data):
    """Rule 1. A result that is not exactly True or False ends every sign-in; what is merely truthy proves nothing."""
    flow = data.draw(flows())
    rounds, action = walked(data, flow)
    assume(rounds)
    place = data.draw(st.integers(0, len(rounds) - 1))
    odd = data.draw(st.sampled_from([None, 1, 0, "true", "True", "", [], {}, 1.0]))
    rounds[place] = (rounds[place][0], odd, rounds[place][2])
    assert judged(rounds, flow, action=action)[0] == "fail"


def test_a_bare_srp_a_proves_nothing():
    """Rule 1. Cognito writes SRP_A as true before any password is checked."""
    with_password = Flow(sequence(Password(), ONE))
    assert judged("srp_a+", with_password) == ("host", VERIFIER)
    assert judged("srp_a+ s1+", with_password)[0] == "fail"
    assert judged("srp_a+ password_verifier-", with_password)[0] == "fail"
    assert judged("srp_a-", with_password)[0] == "fail"
    assert judged("srp_a+", Flow(Password())) == ("host", VERIFIER)
    assert judged("srp_a+", Flow(ONE))[0] == "fail"
    assert judged("password_verifier+", Flow(Password()))[0] == "fail"
    assert judged("password_verifier+ srp_a+", Flow(Password()))[0] == "fail"


@pytest.mark.parametrize("step", [SRP_A, VERIFIER])
def test_a_custom_round_cannot_stand_for_a_round_of_the_hosts(step):
    """Rule 1. Whatever its metadata says, a CUSTOM_CHALLENGE round is no SRP_A and no PASSWORD_VERIFIER."""
    flow = Flow(Password())
    forged = (CUSTOM, True, metadata(flow, step))
    prelude = [(SRP_A, True, None), (VERIFIER, True, None)]
    prelude[(SRP_A, VERIFIER).index(step)] = forged
    assert judged(prelude, flow)[0] == "fail"
    assert judged([(SRP_A, True, None), forged], flow)[0] == "fail"


# --- the three ends -----------------------------------------------------------------------------------------------


def test_a_broken_step_is_not_a_failed_one():
    """Junk is not swallowed by a fallback or by at_least: only used-up tries let those go on."""
    for flow in (Flow(fallback(ONE, TWO)), Flow(at_least(1, ONE, TWO)), Flow(at_least(2, ONE, TWO, THREE))):
        assert judged("s1- s1-", flow)[0] in {"present", "select"}
        assert judged("s1- nobody-", flow) == ("fail", "broken")
        assert judged("s1- nobody- s2+", flow) == ("fail", "broken")


@given(st.data())
@SOME
def test_broken_and_failed_are_final(data):
    """After an end nothing leads to tokens: not one more round of any sort."""
    flow = data.draw(flows())
    rounds, action = walked(data, flow)
    for _ in range(2):
        rounds = edited(data, flow, rounds)
    assume(judged(rounds, flow, action=action) in {("fail", "broken"), ("fail", "tries_used_up")})
    more, _ = walked(data, flow, lucky=True)
    assert judged(rechained(flow, [*rounds, *more]), flow)[0] == "fail"


# --- rule 2 -------------------------------------------------------------------------------------------------------


@given(st.data())
@SOME
def test_an_empty_session_asks_for_the_first_thing(data):
    """Rule 2. Nothing has happened: a step, a choice, or no way in without SRP_A; the same for a list and a tuple."""
    flow = data.draw(flows())
    decided = judged([], flow)
    assert decided == judged((), flow)
    assert decided[0] in {"present", "select"} or decided == ("fail", "srp_required")
    assert without_reason(decided) == played(flow, [])


@pytest.mark.parametrize(
    "text",
    [None, "", "{}", "CAPTCHA_CHALLENGE", "v=1", 7, b"v=1", ["v=1"], {"step": "s1"}, "v=1;" * 9, "x" * 5000],
    ids=repr,
)
def test_a_custom_round_without_our_metadata_is_not_ours(text):
    """Rule 2. Missing, malformed or oversized metadata: broken, whatever its place."""
    flow = Flow(sequence(ONE, TWO))
    good = session("s1+ s2+", flow)
    assert judged([(CUSTOM, True, text)], flow) == ("fail", "foreign_metadata")
    assert judged([good[0], (CUSTOM, True, text)], flow) == ("fail", "foreign_metadata")
    assert judged([(CUSTOM, True, text), good[1]], flow) == ("fail", "foreign_metadata")


def test_metadata_must_tell_how_the_round_before_ended():
    """Rule 2, rule 3. A chain that does not fit was not made by one sign-in."""
    flow = Flow(one_of(ONE, TWO))
    for words, before in [("s1-", "-"), ("s1-", "choice"), ("s1-", ""), ("select-", "answer"), ("select-", "-")]:
        rounds = [*session(words, flow), (CUSTOM, True, metadata(flow, "s1", before))]
        assert judged(rounds, flow) == ("fail", "foreign_metadata"), (words, before)
    for before in ("answer", "resend", "choice", ""):
        assert judged([(CUSTOM, True, metadata(flow, "s1", before))], flow) == ("fail", "foreign_metadata")


# --- rule 3 -------------------------------------------------------------------------------------------------------


def test_the_use_of_a_round_stands_in_the_next_and_of_the_last_in_this_call():
    """Rule 3. A resend costs no try; whether the last round was one is told by the client's metadata of this call."""
    flow = Flow(ONE)
    assert judged("s1~ s1~ s1- s1+", flow) == ("tokens",)
    assert judged("s1- s1-", flow) == ("fail", "tries_used_up")
    assert judged("s1- s1~", flow) == ("present", "s1")
    assert judged("s1-", flow, action="RESEND") == judged("s1-", flow)
    # The action belongs to the last round only.
    assert judged("s1- s1-", flow, action="resend") == ("present", "s1")
    assert judged("s1~ s1- s1-", flow, action=None) == ("fail", "tries_used_up")


def test_true_with_another_use_is_broken():
    """Rule 3. Verify says false to a resend and to a choice, so a true one was not made by this flow."""
    flow = Flow(one_of(ONE, TWO))
    assert judged("s1+", flow, action="resend") == ("fail", "broken")
    assert judged([(CUSTOM, True, metadata(flow, "select"))], flow) == ("fail", "broken")
    resent = [(CUSTOM, True, metadata(flow, "s1")), (CUSTOM, True, metadata(flow, "s1", "resend"))]
    assert judged(resent, flow) == ("fail", "broken")
    assert judged(resent, Flow(ONE))[0] == "fail"


def test_a_select_round_is_always_a_choice():
    """Rule 3. Asking for a resend of it changes nothing."""
    flow = Flow(one_of(ONE, TWO))
    assert judged("select-", flow, action="resend") == ("select", ("s1", "s2"))


@given(st.data())
@SOME
def test_a_resend_never_helps_a_true_answer(data):
    """Rule 3. With action=resend the last custom round gives no tokens."""
    flow = data.draw(flows())
    rounds, _ = walked(data, flow, lucky=True)
    assume(rounds and rounds[-1][0] == CUSTOM)
    assert judged(rounds, flow, action="resend")[0] != "tokens"


# --- rule 4 -------------------------------------------------------------------------------------------------------


def test_a_step_takes_five_resend_requests_and_fails_at_the_sixth():
    """Rule 4. None of the five costs a try."""
    flow = Flow(ONE)
    assert judged("s1~ s1~ s1~ s1~ s1~", flow) == ("present", "s1")
    assert judged("s1~ s1~ s1~ s1~ s1~ s1-", flow) == ("present", "s1")
    assert judged("s1~ s1~ s1- s1~ s1~ s1~ s1+", flow) == ("tokens",)
    assert judged("s1~ s1~ s1~ s1~ s1~ s1~", flow) == ("fail", "tries_used_up")
    assert judged("s1~ s1~ s1~ s1~ s1~ s1~", Flow(fallback(ONE, TWO))) == ("present", "s2")


def test_a_choice_takes_five_resend_requests_whichever_option_they_are_for():
    """Rule 4. Those before the choice is pinned count as well."""
    flow = Flow(one_of(ONE, TWO))
    assert judged("s1~ s2~ s2~ s1~ s2~", flow) == ("present", "s2")
    assert judged("s1~ s2~ s2~ s1~ s2~ s2~", flow) == ("fail", "tries_used_up")
    assert judged("s1~ s2~ s1- s1~ s1~ s1~", flow) == ("present", "s1")
    assert judged("s1~ s2~ s1- s1~ s1~ s1~ s1~", flow) == ("fail", "tries_used_up")
    assert judged("s1~ s1- s1~ s1+", flow) == ("tokens",)


FIVE = "s1~ s1~ s1~ s1~ s1~"


def test_a_choice_that_comes_up_again_takes_the_requests_that_are_left():
    """Rule 4. An option that is left for another comes back with the requests that are left; all options share them."""
    flow = Flow(all_of(ONE, TWO, THREE))
    assert judged(f"{FIVE} s2+ s1-", flow) == ("present", "s1")
    assert judged(f"{FIVE} s2+ s1~", flow) == ("fail", "tries_used_up")
    assert judged("s1~ s1~ s2+ s3~ s3- s3+", flow) == ("present", "s1")
    nested = Flow(all_of(one_of(ONE, TWO), THREE))
    assert judged(f"{FIVE} s3+ s1~", nested) == ("fail", "tries_used_up")
    assert judged("s1~ s3+", nested) == ("select", ("s1", "s2"))
    assert judged("s1~ s1~ s3+ s1~ s1~ s1~ s1~", nested) == ("fail", "tries_used_up")
    in_order = Flow(all_of(sequence(ONE, TWO), fallback(THREE, named("s4", Quiz()))))
    assert judged(f"{FIVE} s3+ s1~", in_order) == ("fail", "tries_used_up")
    assert judged("s3~ s3~ s3~ s3~ s3~ s1+ s2+ s3~", in_order) == ("present", "s4")


@given(st.data())
@MANY
def test_a_resend_request_never_costs_a_try(data):
    """Rule 4, over random flows: after one the step has as many tries as before, or it has failed at the sixth."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    state = evaluated(flow, rounds, action, **circumstances)[1]
    if state[2] == derivative.CLOSED:
        state = derivative.after(state, SRP_A, "", "answer", True) if SRP_A in derivative.heads(state[0]) else state
    for name in derivative.heads(derivative.without_srp(state[0]) or derivative.FAILED):
        before = derivative.find(state[0], name)
        tries, asked = before[2], 0
        while (found := derivative.find(state[0], name)) is not None:
            assert (tries, before[3] - asked) == (found[2], found[3])
            state, asked = derivative.after(state, CUSTOM, name, "resend", False), asked + 1
        assert asked == before[3] + 1 <= derivative.REQUESTS + 1
        break


@given(st.data())
@MANY
def test_no_session_has_more_rounds_of_a_step_than_its_tries_and_five_requests(data):
    """Rule 4, over random flows: rounds of one step that did not end it are at most tries - 1 and five requests."""
    flow = data.draw(flows(attempts=2))
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    told = judged(rounds, flow, action=action, **circumstances)
    assume(told[0] != "fail")
    for step in flow.steps.values():
        texts = [derivative.read_metadata(text) for name, _, text in rounds if name == CUSTOM]
        asked = sum(fields["step"] == step.name for fields in texts)
        assert asked <= step.attempts + derivative.REQUESTS


def test_a_step_that_cannot_be_asked_has_failed():
    """Rule 4. What the flow has instead comes next; where it has nothing, the sign-in is over."""
    assert judged("s1!", Flow(ONE)) == ("fail", "tries_used_up")
    assert judged("s1!", Flow(sequence(ONE, TWO))) == ("fail", "tries_used_up")
    assert judged("s1!", Flow(fallback(ONE, TWO))) == ("present", "s2")
    assert judged("s1! s2+", Flow(fallback(ONE, TWO))) == ("tokens",)
    assert judged("s1! s1+", Flow(fallback(ONE, TWO))) == ("fail", "broken")
    assert judged("s1! s2!", Flow(fallback(ONE, TWO))) == ("fail", "tries_used_up")
    assert judged("s1- s1!", Flow(fallback(ONE, TWO))) == ("present", "s2")


def test_an_option_that_cannot_be_asked_leaves_the_others():
    """Rule 4. Nothing was answered, so nothing is pinned: what is left of the choice is offered anew."""
    either = Flow(one_of(ONE, TWO, THREE))
    assert judged("s1!", either) == ("select", ("s2", "s3"))
    assert judged("s1! s2! s3+", either) == ("tokens",)
    assert judged("s1! s2! s3!", either) == ("fail", "tries_used_up")
    assert judged("s1~ s1!", either) == ("select", ("s2", "s3")), "what was shown last is gone"
    assert judged("s1- s1!", either) == ("fail", "tries_used_up"), "an answer has pinned the choice"
    assert judged("select- select- select- s1! select-", either) == ("select", ("s2", "s3"))
    assert judged("s1!", Flow(all_of(ONE, TWO))) == ("fail", "tries_used_up")
    assert judged("s1! s2+ s3+", Flow(at_least(2, ONE, TWO, THREE))) == ("tokens",)
    assert judged("s1+ s2! s3+", Flow(at_least(2, ONE, TWO, THREE))) == ("tokens",)
    inner = Flow(one_of(fallback(ONE, TWO), THREE))
    assert judged("s1!", inner) == ("select", ("s2", "s3"))
    assert judged("s1~ s1~ s1! s2~ s2~ s2~ s2~", inner) == ("fail", "tries_used_up"), (
        "the requests are those of the choice"
    )


@given(st.data())
@MANY
def test_who_cannot_be_asked_gets_no_further_than_who_answers_wrongly(data):
    """Rule 1, over random flows: `unasked` rounds pass nothing; without them and what they stand for, nothing is missing."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    spoilt = []
    for name, result, text in rounds:
        fields = derivative.read_metadata(text) if name == CUSTOM else None
        spoilt.append((name, True if fields and fields["asked"] == "0" else result, text))
    assume(spoilt != rounds)
    assert judged(spoilt, flow, action=action, **circumstances) == ("fail", "broken")


def test_a_choice_is_asked_three_times():
    """Rule 4. A fourth select round is broken, and after the third the flow is over unless a valid choice came."""
    flow = Flow(one_of(ONE, TWO))
    assert judged("", flow) == ("select", ("s1", "s2"))
    assert judged("select- select-", flow) == ("select", ("s1", "s2"))
    assert judged("select- select- select-", flow) == ("fail", "no_choice")
    assert judged("select- select- select-", flow, choice="s2") == ("present", "s2")
    assert judged("select- select- select- s2+", flow) == ("tokens",)
    assert judged("select- select- select- select-", flow) == ("fail", "broken")
    assert judged("s1~ select-", flow) == ("fail", "broken")
    assert judged("select-", Flow(ONE)) == ("fail", "broken")


def reachable_longest(flow, *, must_change):
    """Return the most rounds that any sign-in can have: by trying everything, host rounds of MFA left out."""
    seen = {}

    def longest(state):
        if state in seen:
            return seen[state]
        most = 0
        for choice in (None, *flow.steps):
            decided = derivative.decide(state, choice, must_change)
            if decided[0] == "host":
                moves = [(decided[1], "", "answer", True)]
            elif decided[0] == "select":
                moves = [(CUSTOM, "select", "choice", False)]
            elif decided[0] == "present":
                moves = [
                    (CUSTOM, decided[1], use, right)
                    for use, right in (("answer", True), ("answer", False), ("resend", False))
                ]
            else:
                continue
            most = max(most, *(1 + longest(derivative.after(state, *move)) for move in moves))
        seen[state] = most
        return most

    found = 0
    for number in range(2 ** len(flow.conditions)):
        start = derivative.begin(flow.program, [bool(number >> place & 1) for place in range(len(flow.conditions))])
        opened = derivative.after(start, SRP_A, "", "answer", True)
        found = max(found, longest(start))
        if derivative.decide(opened)[0] != "fail":
            found = max(found, 1 + longest(opened))
    return found


@given(flows(most_steps=4, attempts=2))
@settings(max_examples=80)
def test_the_longest_path_is_exactly_the_longest_that_can_be_walked(flow):
    """Rule 4. The longest way equals brute force over every reachable state."""
    event(f"longest path {explore(flow).longest()}")
    assert explore(flow).longest() == reachable_longest(flow, must_change=True)


def test_the_longest_path_counts_the_ignored_srp_a_only_where_it_is_ignored():
    """Rule 4. In password-or-code an SRP_A is wanted, so nothing is ignored there."""
    flow = Flow(one_of(Password(), ONE), unwanted_srp="ignore")
    assert explore(flow).longest() == reachable_longest(flow, must_change=True) == 7
    assert explore(Flow(ONE, unwanted_srp="ignore")).longest() == 8


@given(st.data())
@SOME
def test_no_walk_is_longer_than_the_longest_path(data):
    """Rule 4, by walking."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, _ = walked(data, flow, **circumstances)
    # The round that ends a sign-in still belongs to it.
    counted = [name for name, _, _ in rounds if name not in derivative.HOSTED]
    assume(judged(rounds[:-1], flow, **circumstances)[0] != "fail")
    assert len(counted) <= explore(flow).longest()


@given(st.data())
@SOME
def test_no_flow_passes_without_a_round(data):
    """Rule 4. Whatever the conditions say, an empty session never gives tokens."""
    flow = data.draw(flows())
    for attributes in ({}, {"custom:tier": "gold"}):
        for client in ("app-1", "app-2"):
            assert judged([], flow, attributes=attributes, client=client)[0] in {"present", "select", "fail"}


# --- rule 5 -------------------------------------------------------------------------------------------------------


def test_a_choice_can_be_made_and_changed_until_a_round_is_answered():
    """Rule 5. The first answered round pins it; a resend does not."""
    flow = Flow(one_of(ONE, TWO))
    assert judged("", flow, choice="s2") == ("present", "s2")
    assert judged("s1~", flow, choice="s2") == ("present", "s2")
    assert judged("s1~", flow) == ("present", "s1")
    assert judged("s1~ s2+", flow) == ("tokens",)
    assert judged("s1-", flow, choice="s2") == ("present", "s1")
    assert judged("s1- s2+", flow) == ("fail", "broken")
    assert judged("s1- s1-", flow, choice="s2") == ("fail", "tries_used_up")


@pytest.mark.parametrize("choice", [None, "", "S2", "s3", "select", "s1,s2", 2, ["s2"], "tokens"], ids=repr)
def test_an_invalid_choice_is_no_choice(choice):
    """Rule 5. Only the name of an option's first step counts."""
    assert judged("", Flow(one_of(ONE, sequence(TWO, THREE))), choice=choice) == ("select", ("s1", "s2"))


def test_options_are_named_by_their_first_step():
    """Rule 5, through nested blocks."""
    options = (
        sequence(ONE, named("s9", Quiz())),
        fallback(TWO, named("s8", Quiz())),
        one_of(THREE, named("s4", Quiz())),
    )
    assert judged("", Flow(one_of(*options))) == ("select", ("s1", "s2", "s3", "s4"))
    assert judged("", Flow(one_of(*options)), choice="s8") == ("select", ("s1", "s2", "s3", "s4"))


def test_at_least_goes_on_with_what_is_left():
    """Rule 5. Passed and failed options are gone; it fails when too few are left."""
    flow = Flow(at_least(2, ONE, TWO, THREE))
    assert judged("s2+", flow) == ("select", ("s1", "s3"))
    assert judged("s2+ s2+", flow) == ("fail", "broken")
    assert judged("s2+ s1- s1-", flow) == ("present", "s3")
    assert judged("s2- s2- s1- s1-", flow) == ("fail", "tries_used_up")
    assert judged("s2- s2- s1+ s3+", flow) == ("tokens",)
    assert judged("s2- s1+", flow) == ("fail", "broken")


def test_all_of_needs_all_in_any_order():
    """Rule 5. Three of three, and one failure ends it."""
    flow = Flow(all_of(ONE, TWO, THREE))
    assert judged("s3+ s1+ s2+", flow) == ("tokens",)
    assert judged("s3+ s1+", flow) == ("present", "s2")
    assert judged("s3+ s1- s1-", flow) == ("fail", "tries_used_up")


@given(st.data())
@SOME
def test_client_metadata_of_this_call_never_makes_tokens(data):
    """Rule 5. Whatever choice or action comes along: tokens only if they come without it, too."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, _ = walked(data, flow, lucky=data.draw(st.booleans()), **circumstances)
    choice = data.draw(st.sampled_from([None, *flow.steps, "select", "tokens", VERIFIER]))
    action = data.draw(st.sampled_from([None, "resend", "skip", "choice"]))
    with_it = judged(rounds, flow, choice=choice, action=action, **circumstances)
    assert with_it[0] != "tokens" or judged(rounds, flow, **circumstances) == ("tokens",)


def least_passes(block, outcomes):
    """Return how many steps must at least be answered right (the password counts one) to pass *block*."""
    match type(block).__name__:
        case "InSequence":
            return sum(least_passes(part, outcomes) for part in block.parts)
        case "OneOf":
            return min(least_passes(option, outcomes) for option in block.options)
        case "AtLeast":
            return sum(sorted(least_passes(option, outcomes) for option in block.options)[: block.count])
        case "Fallback":
            return min(least_passes(part, outcomes) for part in block.parts)
        case "When":
            key = ("client", block.condition.id) if block.condition == APP else ("attribute", "custom:tier", "gold")
            taken = block.then if outcomes[key] else block.otherwise
            return least_passes(taken, outcomes) if taken else 0
    return 1


@given(st.data())
@MANY
def test_tokens_take_as_many_right_answers_as_the_blocks_say(data):
    """Rule 5, rule 1. No choice, resend or order of rounds gives tokens for fewer steps than the cheapest way through."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, _ = walked(data, flow, lucky=True, **circumstances)
    assume(judged(rounds, flow, **circumstances) == ("tokens",))
    right = [each for each in rounds if each[1] is True and each[0] in {CUSTOM, VERIFIER}]
    needed = least_passes(flow.body, facts_of(flow, circumstances["attributes"], circumstances["client"], known=True))
    event(f"{needed} needed")
    assert len(right) >= needed >= 1


# --- rule 6 -------------------------------------------------------------------------------------------------------


def test_the_opening_decides_between_password_and_code():
    """Rule 6. No select round: SRP_A or not is the choice."""
    flow = Flow(one_of(sequence(Password(), ONE), TWO))
    assert judged("", flow) == ("present", "s2")
    assert judged("", flow, choice="s1") == ("present", "s2")
    assert judged("srp_a+", flow) == ("host", VERIFIER)
    assert judged("srp_a+", flow, choice="s2") == ("host", VERIFIER)
    assert judged("srp_a+ s2+", flow) == ("fail", "broken")
    assert judged("srp_a+ password_verifier+ s1+", flow) == ("tokens",)
    assert judged("srp_a+ password_verifier+ s2+", flow) == ("fail", "broken")
    assert judged("s2- srp_a+", flow) == ("fail", "broken")
    assert judged("s1+", flow) == ("fail", "broken")
    reverse = Flow(one_of(TWO, THREE, Password()))
    assert judged("", reverse) == ("select", ("s2", "s3"))
    assert judged("srp_a+", reverse) == ("host", VERIFIER)
    assert judged("select- s3+", reverse) == ("tokens",)


def test_a_flow_that_is_all_password_needs_srp_a():
    """Rule 6. A client that opens without it cannot go on."""
    assert judged("", Flow(Password())) == ("fail", "srp_required")
    assert judged("s1+", Flow(sequence(Password(), ONE)))[0] == "fail"
    assert judged("", Flow(one_of(Password()))) == ("fail", "srp_required")


def test_an_unwanted_srp_a_is_refused_or_ignored():
    """Rule 6. `ignore` passes over one true SRP_A at the very beginning and nothing else."""
    refusing, ignoring = Flow(ONE), Flow(ONE, unwanted_srp="ignore")
    assert judged("srp_a+", refusing) == ("fail", "broken")
    assert judged("srp_a+", ignoring) == ("present", "s1")
    assert judged("srp_a+ s1+", ignoring) == ("tokens",)
    assert judged("s1+", ignoring) == ("tokens",)
    for words in ("srp_a-", "srp_a+ srp_a+", "srp_a+ srp_a+ s1+", "s1- srp_a+ s1+", "srp_a+ password_verifier+ s1+"):
        assert judged(words, ignoring)[0] == "fail", words
    assert judged("srp_a+ sms_mfa+ s1+", ignoring)[0] == "fail"


@pytest.mark.parametrize("status", ["FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"])
def test_a_new_password_is_asked_for_once_when_the_status_says_so(status):
    """Rule 6. After the password, before anything of the flow; also where the password is the whole flow."""
    due = {"cognito:user_status": status}
    for flow, then in ((Flow(sequence(Password(), ONE)), ("present", "s1")), (Flow(Password()), ("tokens",))):
        assert judged("srp_a+", flow, attributes=due) == ("host", VERIFIER)
        assert judged("srp_a+ password_verifier+", flow, attributes=due) == ("host", "NEW_PASSWORD_REQUIRED")
        assert judged("srp_a+ password_verifier+ sms_mfa+", flow, attributes=due) == ("host", "NEW_PASSWORD_REQUIRED")
        assert judged("srp_a+ password_verifier+ new_password_required+", flow, attributes=due) == then
        assert judged("srp_a+ password_verifier-", flow, attributes=due)[0] == "fail"
    assert judged("srp_a+ password_verifier+ s1-", Flow(sequence(Password(), ONE)), attributes=due) == ("present", "s1")
    assert judged("", Flow(ONE), attributes=due) == ("present", "s1")
    assert judged("srp_a+ password_verifier+", Flow(Password()), attributes={"cognito:user_status": "CONFIRMED"}) == (
        "tokens",
    )


# --- rule 7 -------------------------------------------------------------------------------------------------------


@given(st.data())
@SOME
def test_mfa_rounds_count_only_after_a_true_password_once_each(data):
    """Rule 7. An MFA round changes no decision where it is allowed, and ends the sign-in everywhere else."""
    flow = data.draw(flows(conditions=False))
    rounds, _ = walked(data, flow)
    assume(judged(rounds, flow)[0] != "fail")
    name = data.draw(st.sampled_from(derivative.HOSTED))
    verified = any(each == VERIFIER for each, _, _ in rounds)
    seen = any(each == name for each, _, _ in rounds)
    event(f"verified {verified}")
    decided = judged([*rounds, (name, True, None)], flow)
    assert decided == (judged(rounds, flow) if verified and not seen else ("fail", "broken"))
    assert judged([*rounds, (name, False, None)], flow) == ("fail", "broken")


# --- rule 8 -------------------------------------------------------------------------------------------------------


def test_conditions_are_resolved_together_and_recorded():
    """Rule 8. The first metadata holds the outcomes; a later difference is broken, whichever way it goes."""
    flow = Flow(sequence(when(TIER, ONE, otherwise=TWO), THREE))
    gold, tin = {"custom:tier": "gold"}, {"custom:tier": "tin"}
    assert judged("", flow, attributes=gold) == ("present", "s1")
    assert judged("", flow, attributes=tin) == ("present", "s2")
    assert judged("", flow) == ("present", "s2")
    assert judged("s1+ s3+", flow, attributes=gold, facts="1") == ("tokens",)
    assert judged("s1+", flow, attributes=tin, facts="1") == ("fail", "facts_changed")
    assert judged("s2+", flow, attributes=gold, facts="0") == ("fail", "facts_changed")
    mixed = [session("s1+ s3+", flow, facts="1")[0], session("s1+ s3+", flow, facts="0")[1]]
    assert judged(mixed, flow, attributes=gold) == ("fail", "facts_changed")
    assert judged(mixed, flow, attributes=tin) == ("fail", "facts_changed")


def test_an_attribute_is_compared_to_the_letter():
    """Rule 8. A missing attribute is not the empty one."""
    flow = Flow(sequence(when(TIER, ONE), TWO))
    for value in ("Gold", "gold ", "", "go"):
        assert judged("", flow, attributes={"custom:tier": value}) == ("present", "s2")
    by_client = Flow(sequence(when(APP, ONE), TWO))
    assert judged("", by_client, client="app-1") == ("present", "s1")
    assert judged("", by_client, client="APP-1") == ("present", "s2")
    assert judged("", by_client) == ("present", "s2")


def test_what_vanishes_leaves_no_trace():
    """Rule 8. A `when` without otherwise that does not hold is as if it were not written, at any depth."""
    flow = Flow(sequence(sequence(when(TIER, ONE)), when(APP, TWO), THREE))
    assert judged("", flow) == ("present", "s3")
    assert judged("s3+", flow, facts="00") == ("tokens",)
    assert judged("s2+ s3+", flow, client="app-1", facts="01") == ("tokens",)
    both = sequence(sequence(when(TIER, ONE), when(APP, TWO)), sequence(THREE, when(TIER, named("s4", Quiz()))))
    assert judged("s3+", Flow(both), facts="00") == ("tokens",)


@given(st.data())
@SOME
def test_changed_facts_never_lead_to_tokens(data):
    """Rule 8. A session whose facts are others than now's ends, at every length."""
    flow = Flow(
        sequence(
            when(TIER, named("first", Quiz())), when(APP, named("second", Quiz())), data.draw(flows(srp=False)).body
        )
    )
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    other = data.draw(SETTINGS)
    assume(facts(flow, **other) != facts(flow, **circumstances))
    decided = judged(rounds, flow, action=action, **other)
    if any(name == CUSTOM for name, _, _ in rounds):
        assert decided == ("fail", "facts_changed")
    assert decided[0] != "tokens"


@given(st.data())
@SOME
def test_an_unknown_user_goes_the_same_way_and_gets_no_tokens(data):
    """Rule 8. Each decision is that for a user without attributes in the same app, and tokens become a failure."""
    flow = data.draw(flows())
    rounds, action = walked(data, flow, client="app-1", lucky=data.draw(st.booleans()))
    unknown = judged(rounds, flow, action=action, known=False, client="app-1", attributes={"custom:tier": "gold"})
    known = judged(rounds, flow, action=action, client="app-1")
    assert unknown == (("fail", "unknown_user") if known == ("tokens",) else known)


def test_an_unknown_user_is_never_asked_for_a_new_password():
    """Rule 8. Nobody who does not exist has a status."""
    due = {"cognito:user_status": "FORCE_CHANGE_PASSWORD"}
    flow = Flow(sequence(Password(), ONE))
    assert judged("srp_a+ password_verifier+", flow, attributes=due, known=False) == ("present", "s1")


# --- rule 9 -------------------------------------------------------------------------------------------------------


def test_a_session_is_judged_by_the_flow_that_began_it():
    """Rule 9. Wholly by the old flow if that is given as a previous one, else broken."""
    old, new = Flow(ONE), Flow(sequence(TWO, ONE))
    begun = session("s1-", old)
    assert judged(begun, new) == ("fail", "unknown_flow")
    assert judged(begun, new, previous=[old]) == ("present", "s1")
    assert judged(session("s1- s1+", old), new, previous=[old]) == ("tokens",)
    assert judged(session("s1+", old), new) == ("fail", "unknown_flow")
    assert judged(session("s1+", new), new, previous=[old]) == ("fail", "broken")
    assert judged([], new, previous=[old]) == ("present", "s2")


def test_two_flows_cannot_be_mixed_in_one_session():
    """Rule 9. Neither old rounds in a new session nor new ones in an old session, nor junk in front of either."""
    old, new = Flow(ONE), Flow(sequence(TWO, ONE))
    in_new = [session("s2+", new)[0], (CUSTOM, True, metadata(old, "s1", "answer"))]
    in_old = [session("s1-", old)[0], (CUSTOM, True, metadata(new, "s1", "answer"))]
    for rounds in (in_new, in_old):
        assert judged(rounds, new, previous=[old]) == ("fail", "mixed_sessions")
    assert judged([(CUSTOM, True, None), *session("s1+", old)], new, previous=[old]) == ("fail", "foreign_metadata")


def test_the_previous_flow_reads_its_own_conditions():
    """Rule 9. Facts are those of the flow that the session belongs to."""
    old, new = Flow(sequence(when(TIER, ONE), TWO)), Flow(sequence(when(APP, TWO), when(TIER, THREE), ONE))
    gold = {"custom:tier": "gold"}
    rounds = session("s1+ s2+", old, facts="1")
    assert judged(rounds, new, previous=[old], attributes=gold) == ("tokens",)
    assert judged(rounds, new, previous=[old]) == ("fail", "facts_changed")


@given(st.data())
@SOME
def test_previous_flows_change_nothing_for_new_sessions_and_judge_old_ones(data):
    """Rule 9, over pairs of random flows."""
    old, new = data.draw(flows()), data.draw(flows())
    rounds, action = walked(data, old)
    told = judged(rounds, old, action=action)
    if any(name == CUSTOM for name, _, _ in rounds):
        assert judged(rounds, new, previous=[new, old], action=action) == told
        if old.fingerprint != new.fingerprint:
            assert judged(rounds, new, action=action) == ("fail", "unknown_flow")
    rounds, action = walked(data, new)
    assert judged(rounds, new, previous=[old], action=action) == judged(rounds, new, action=action)


# --- both triggers ------------------------------------------------------------------------------------------------


@given(st.data())
@SOME
def test_a_sign_in_is_named_only_with_an_answer_that_verify_judges(data):
    """Over random flows: else there are no tokens. In all other respects it changes nothing."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    plain, *rest = evaluated(flow, rounds, action, **circumstances)
    decided, *other = evaluated(flow, rounds, action, **circumstances, named=True)
    assert rest == other
    without_devices = [each for each in rounds if not each[0].startswith("DEVICE_")]
    judged_by_verify = bool(without_devices) and (CUSTOM, True) == without_devices[-1][:2]
    refused = plain == ("tokens",) and not judged_by_verify
    assert decided == (("fail", "foreign_sign_in") if refused else plain)


PASSED_BY_HOST = [
    ("srp_a+ password_verifier+", True),
    ("srp_a+ password_verifier+ sms_mfa+", True),
    ("srp_a+ password_verifier+ device_srp_auth+ device_password_verifier+", True),
    ("srp_a+ password_verifier+ s1+", False),
    ("srp_a+ password_verifier+ s1+ device_srp_auth+ device_password_verifier+", False),
    ("srp_a+ password_verifier+ s1+ sms_mfa+", True),
]


@pytest.mark.parametrize(("words", "refused"), PASSED_BY_HOST)
def test_a_round_of_the_host_takes_no_name_of_a_sign_in(words, refused):
    """But those of a device, after which tokens tell nothing anyhow."""
    flow = Flow(sequence(Password(), ONE)) if "s1" in words else Flow(Password())
    rounds = session(words, flow)
    assert ("tokens",) == evaluated(flow, rounds)[0]
    decided = evaluated(flow, rounds, named=True)[0]
    assert decided == (("fail", "foreign_sign_in") if refused else ("tokens",))


@given(st.data())
@SOME
def test_folding_round_by_round_is_the_same_as_judging_the_session(data):
    """Define folds a session; `Flow.after` walks it: one state."""
    flow = data.draw(flows())
    circumstances = data.draw(SETTINGS)
    rounds, action = walked(data, flow, **circumstances)
    decided, state, program, outcomes, read, before = evaluated(flow, rounds, action, **circumstances)
    folded = flow.given(*outcomes)
    for name, step, use, right, _ in read:
        folded = folded.after(type_of_round(name, step, use, right))
    assert program == flow.program
    assert folded.state == state
    assert derivative.decide(folded.state) == decided
    # Create is called with the same list and asks the same function: deciding has no memory.
    again = evaluated(flow, tuple(rounds), action, **circumstances)
    assert again == (decided, state, program, outcomes, read, before)


def type_of_round(name, step, use, right):
    """Return the public value for a round that was read."""
    from watchword import ReadRound

    return evolve(ReadRound.custom(step, right=right), use=use) if name == CUSTOM else ReadRound.host(name, right=right)
