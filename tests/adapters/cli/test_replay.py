"""`watchword replay`: captured events are explained as the triggers judge them, and their secrets come out nowhere."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pprint
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.paths import FLOWS
from kit.random_flows import FOREIGN, SETTINGS, facts, flows, walks
from kit.sessions import judged, results, session
from watchword import load_flow
from watchword.algebra.derivative import read_metadata
from watchword.algebra.evaluation import evaluate
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws.cognito import session_request_of
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.cli import main
from watchword_adapters.cli.logs import captured_events, log_events
from watchword_adapters.cli.logs.captured_events import RULES, read_events
from watchword_adapters.cli.logs.log_events import UnreadableError, events_in
from watchword_adapters.couriers import Outbox
from watchword_adapters.userpool import LocalUserPool

CODE = str(FLOWS / "email_code.toml")
ADDRESS = "ann.secret@example.com"
WRONG_ANSWER = "98765432"


@pytest.fixture(scope="module")
def sign_in():
    """Every event of a sign-in by e-mail as Lambda gets it, with the response: a wrong answer, a resend, the right one."""
    events = []

    def watched(trigger):
        def handler(event, context):
            answered = trigger(copy.deepcopy(event), context)
            events.append(copy.deepcopy(answered))
            return answered

        return handler

    clock, outbox = VirtualClock(), Outbox()
    made = triggers(
        load_flow(CODE), key=bytes(range(32)), courier=outbox, clock=clock, random=SeededRandom(), audit=MemoryAudit()
    )
    pool = LocalUserPool(*map(watched, made), clock=clock, session_minutes=15)
    pool.add_user("ann.secret", attributes={"email": ADDRESS, "email_verified": "true"})
    reply = pool.initiate_auth(
        ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann.secret"}
    )

    def answer(text, **said):
        return pool.respond_to_auth_challenge(
            ClientId=pool.client_id,
            ChallengeName=reply["ChallengeName"],
            Session=reply["Session"],
            ChallengeResponses={"USERNAME": reply["ChallengeParameters"]["USERNAME"], "ANSWER": text},
            ClientMetadata={"device": "secret-device-name", **said},
        )

    reply = answer(WRONG_ANSWER)
    clock.advance(61)
    reply = answer("-", watchword_action="resend")
    codes = [re.search(r"\d{8}", message.text)[0] for message in outbox.messages]
    reply = answer(codes[-1])
    assert "AuthenticationResult" in reply
    return events, codes


@pytest.fixture
def write(tmp_path):
    """Return a function that writes events to a file: one as an object, several as an array, or as lines."""

    def write(events, *, lines=False):
        path = tmp_path / "events.json"
        path.write_text("\n".join(map(json.dumps, events)) if lines else json.dumps(events, indent=2))
        return str(path)

    return write


def replayed(capsys, flow, path, *options):
    """Return what `replay --json` prints, and what is said on stderr."""
    assert 0 == main(["replay", flow, path, "--json", *options])
    out, err = capsys.readouterr()
    return json.loads(out), err


# --- real events --------------------------------------------------------------------------------------------------


def test_a_whole_sign_in_is_explained(sign_in, write, capsys):
    """Every event of it; each decision is what the trigger answered when it was captured."""
    events, _ = sign_in
    told, _ = replayed(capsys, CODE, write(events))
    sources = [event["triggerSource"].partition("AuthChallenge")[0] for event in events]
    present, done = "present email_otp", "tokens"
    define = [present, present, present, done]
    assert define == [each["decision"] for each, source in zip(told, sources, strict=True) if source == "Define"]
    assert [present] * 3 == [each["decision"] for each, source in zip(told, sources, strict=True) if source == "Create"]
    verify = [each for each, source in zip(told, sources, strict=True) if source == "Verify"]
    assert ["undecided", "wrong", "undecided"] == [each["decision"] for each in verify]
    assert ["email_otp-", "email_otp~", "email_otp+"] == [each["word"] for each in told[-1]["rounds"]]
    assert not any("but the response captured" in each["reason"] for each in told)


def test_no_secret_of_a_sign_in_comes_out(sign_in, write, capsys):
    """Codes, answers, address, names, digests, claims, tokens: in lines and in JSON, on stdout and on stderr."""
    events, codes = sign_in
    secrets = {ADDRESS, ADDRESS.partition("@")[0], "ann.secret", WRONG_ANSWER, "secret-device-name", *codes}
    for event in events:
        request = event["request"]
        private = request.get("privateChallengeParameters") or event["response"].get("privateChallengeParameters") or {}
        told = {"v", "flow", "kind", "step", "issued", "expires", "proven", "passed", "ends"}
        secrets |= {value for name, value in private.items() if name not in told}
        secrets.add(request["userAttributes"]["sub"])
        for entry in request.get("session") or []:
            fields = read_metadata(entry["challengeMetadata"])
            secrets |= {fields["claim"], fields["carry"]}
    secrets = {secret for secret in secrets if len(secret) > 3}  # the kind's own flags are too short to look for
    assert len(secrets) >= 15
    path = write(events)
    for options in ([], ["--json"]):
        assert 0 == main(["replay", CODE, path, *options])
        printed = "".join(capsys.readouterr())
        assert [] == [secret for secret in secrets if secret in printed]


def test_the_rules_that_took_something_out_are_said(sign_in, write, capsys):
    """On stderr, with the number of events that each was for; every rule is in the help."""
    events, _ = sign_in
    _, err = replayed(capsys, CODE, write(events))
    assert (
        "taken out on reading: answers (3), names (10), attributes (10), private parameters (3), metadata (5), "
        "responses (3)\n"
    ) == err
    assert 0 == main(["replay", "--help"])
    text = capsys.readouterr().out
    assert all(f"  {rule}: {what}" in text for rule, what in RULES.items())


def test_where_nothing_was_taken_out_nothing_is_said(write, capsys):
    """An event without names, attributes or rounds is as it was."""
    assert "" == replayed(capsys, CODE, write({**event(), "userName": ""}))[1]


def test_an_event_is_one_object_and_many_are_a_list(sign_in, write, capsys):
    """One event gives one object, in the shape of `explain`; arrays and lines give the same list."""
    events, _ = sign_in
    one, _ = replayed(capsys, CODE, write(events[0]))
    assert ["decision", "reason", "rounds"] == list(one)
    assert (
        one == replayed(capsys, CODE, write(events[:1]))[0] == replayed(capsys, CODE, write(events[:1], lines=True))[0]
    )
    many, _ = replayed(capsys, CODE, write(events))
    assert len(events) == len(many)
    assert many == replayed(capsys, CODE, write(events, lines=True))[0]
    assert {("decision", "reason", "rounds")} == {tuple(each) for each in many}


def test_a_person_reads_event_after_event(sign_in, write, capsys):
    """Each with its number and trigger, then as `explain` tells it."""
    events, _ = sign_in
    assert 0 == main(["replay", CODE, write(events)])
    lines = capsys.readouterr().out.splitlines()
    assert "event 1 of 10: define" == lines[0]
    assert ["define", "create", "verify"] == [line.split()[-1] for line in lines if line.startswith("event ")][:3]
    assert "decision: tokens" in lines


def test_an_old_session_needs_the_old_flow(sign_in, write, capsys, tmp_path):
    """Under another flow it is unknown, and so is its challenge; with --previous it is explained by the old one."""
    events, _ = sign_in
    new = tmp_path / "new.toml"
    new.write_text('[[steps]]\nkind = "email_otp"\nlength = 9\n')
    last, verify = events[-1], next(event for event in events if event["triggerSource"].startswith("Verify"))
    path = write([last, verify])
    told, _ = replayed(capsys, str(new), path)
    assert ("fail", "wrong") == (told[0]["decision"], told[1]["decision"])
    assert told[0]["reason"].startswith("unknown_flow: ")
    assert "but the response captured with the event is tokens" in told[0]["reason"]
    assert "no_challenge: the challenge was made by another flow" in told[1]["reason"]
    told, _ = replayed(capsys, str(new), path, "--previous", CODE)
    assert ["tokens", "undecided"] == [each["decision"] for each in told]


# --- logs ---------------------------------------------------------------------------------------------------------

PREFIX = "2024-05-01T10:00:00.000Z\t4c1e\tINFO\t"
NOISE = "START RequestId: 4c1e Version: $LATEST\n", "\nREPORT RequestId: 4c1e\tDuration: 3.1 ms {x}\n"


def node(value, depth=0):
    """Return *value* as console.log of Node.js prints it."""
    if isinstance(value, dict):
        if depth > 2:
            return "[Object]"
        names = (name if name.isidentifier() else f"'{name}'" for name in value)
        inside = ", ".join(f"{name}: {node(each, depth + 1)}" for name, each in zip(names, value.values(), strict=True))
        return f"{{ {inside} }}" if value else "{}"
    if isinstance(value, list):
        return f"[ {', '.join(node(each, depth + 1) for each in value)} ]" if value else "[]"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


FORMS = {
    "print of Python": repr,
    "pretty print": pprint.pformat,
    "console.log of an object": node,
    "console.log of a text": lambda event: PREFIX + json.dumps(event),
    "console.log of many lines": lambda event: PREFIX + json.dumps(event, indent=2),
    "logging of Python": lambda event: f"[INFO]\t2024-05-01T10:00:00.000Z\t4c1e\t{event}",
    "a prefix with braces": lambda event: f"{{not it}} {{}} {json.dumps(event)}".replace("{not", "x {not"),
    "Lambda's JSON log, an object": lambda event: json.dumps({"level": "INFO", "message": event}),
    "Lambda's JSON log, a text": lambda event: json.dumps({"level": "INFO", "message": json.dumps(event)}),
    "a JSON text": lambda event: json.dumps(json.dumps(event)),
    "a JSON text behind a prefix": lambda event: PREFIX + json.dumps(json.dumps(event)),
    "filter-log-events": lambda event: json.dumps(
        {"events": [{"message": NOISE[0]}, {"message": PREFIX + json.dumps(event) + "\n"}, {"message": NOISE[1]}]}
    ),
    "a subscription": lambda event: json.dumps({"logGroup": "g", "logEvents": [{"id": "1", "message": repr(event)}]}),
    "Logs Insights": lambda event: json.dumps(
        {"results": [[{"field": "@timestamp", "value": "t"}, {"field": "@message", "value": json.dumps(event)}]]}
    ),
}


@pytest.mark.parametrize("around", [("", ""), NOISE], ids=["alone", "among other lines"])
@pytest.mark.parametrize("form", FORMS)
def test_an_event_is_read_as_logs_hold_it(form, around, sign_in, tmp_path, capsys):
    """Whatever wrote it, and whatever stands around it: the same event gives the same decision."""
    if around != ("", "") and form in {"filter-log-events", "a subscription", "Logs Insights"}:
        around = "", ""
    given_event = copy.deepcopy(sign_in[0][0])
    given_event["request"].update(session=[], userNotFound=None, clientMetadata={})
    path = tmp_path / "events.log"
    path.write_text(around[0] + FORMS[form](given_event) + around[1])
    told, _ = replayed(capsys, CODE, str(path))
    assert "present email_otp" == told["decision"]


def test_all_events_of_a_log_are_read_in_their_order(sign_in, tmp_path, capsys):
    """With what the functions wrote between them, audit events among it."""
    events, _ = sign_in
    log = "".join(
        f'{NOISE[0]}{PREFIX}{json.dumps(each)}\n{{"event": "authn_login_success"}}{NOISE[1]}' for each in events
    )
    path = tmp_path / "events.log"
    path.write_text(log)
    told, _ = replayed(capsys, CODE, str(path))
    assert len(events) == len(told)
    assert told == replayed(capsys, CODE, write_lines(tmp_path, events))[0]


def node_text(text):
    """Return *text* as Node.js prints one that is nested: in the first of its quotes that it does not hold."""
    quote = next((each for each in "'\"`" if each not in text), "'")
    written = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace(quote, f"\\{quote}")
    return f"{quote}{written}{quote}"


# What takes a list of events, or what has been made of it, and gives a value or a text around it.
VALUES = {
    "an array": lambda held: [held],
    "Lambda's JSON log": lambda held: {"timestamp": "t", "level": "INFO", "message": held, "requestId": "4c1e"},
    "Powertools": lambda held: {"level": "INFO", "location": "handler:7", "message": "got it", "event": held},
    "telemetry": lambda held: {"time": "t", "type": "function", "record": held},
    "a key of one's own": lambda held: {"what came": {"in": held}},
}
REPLIES = {
    "filter-log-events": lambda text: {"events": [{"message": NOISE[0]}, {"message": text, "eventId": "1"}]},
    "a subscription": lambda text: {"logGroup": "g", "logEvents": [{"id": "1", "message": text}]},
    "Logs Insights": lambda text: {
        "results": [[{"field": "@timestamp", "value": "t"}, {"field": "@message", "value": text}]]
    },
}
WRITTEN = {
    "JSON": json.dumps,
    "JSON of many lines": lambda held: json.dumps(held, indent=2),
    "print of Python": repr,
    "pretty print": pprint.pformat,
}
LINES = {
    "a prefix": lambda text: PREFIX + text,
    "a date in brackets": lambda text: f"[2024-05-01 10:00:00] INFO {text}",
    "other lines": lambda text: f"{NOISE[0]}{text}{NOISE[1]}",
    "a JSON text": json.dumps,
    "a JSON text behind a prefix": lambda text: f"{PREFIX}got {json.dumps(text)} today",
    "console.log of a text in an object": lambda text: f"{{ level: 'INFO', message: {node_text(text)} }}",
}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_forms_are_read_however_they_are_nested(data, tmp_path_factory):
    """Any form in any other, and several events on one line: each is read once, in their order."""
    held = events = [
        {"triggerSource": f'it\'s "{number}"\n`', "n": number} for number in range(data.draw(st.integers(1, 3)))
    ]
    for _ in range(data.draw(st.integers(0, 4))):
        if isinstance(held, str):
            forms = LINES | REPLIES | VALUES
        else:
            forms = VALUES | WRITTEN
            if held is events:
                forms["several on a line"] = lambda given: PREFIX + " and ".join(map(json.dumps, given))
        form = data.draw(st.sampled_from(sorted(forms)))
        held = forms[form](held)
    path = tmp_path_factory.mktemp("log") / "events.log"
    path.write_text(held if isinstance(held, str) else json.dumps(held), "utf-8")
    assert events == list(captured_events._values(path))
    if isinstance(held, str):
        assert events == list(events_in(held))


@pytest.mark.parametrize(
    "written",
    [json.dumps, repr, lambda held: json.dumps(held, indent=1), lambda held: json.dumps({"message": json.dumps(held)})],
)
@pytest.mark.parametrize("between", [" ", f"\n{PREFIX}"])
def test_an_event_that_is_cut_off_is_never_passed_over(written, between):
    """Wherever the log ends: each event that has begun to say what it is is given, or the log is refused."""
    text = PREFIX + between.join(map(written, [event(), event(client="two")]))
    for end in range(len(text) + 1):
        with contextlib.suppress(UnreadableError):
            assert text[:end].count("triggerSource") == len(list(events_in(text[:end])))


def test_words_about_events_are_no_event():
    """Functions print the name of the field, too: before an event, behind it, and on lines of their own."""
    said = "INFO triggerSource: DefineAuthChallenge_Authentication"
    line = f"{said} {GOOD} and triggerSource again {GOOD}, triggerSource too"
    assert 2 == len(list(events_in(line)))
    assert 4 == len(list(events_in(f"{said}\n{line}\n{json.dumps({'message': said})}\n{line}\n{said}\n")))
    for cut in (
        f"y {{x triggerSource}} {line}",
        '  "triggerSource": "Define"',
        "  triggerSource: 'Define'",
        "x triggerSource:",
    ):
        with pytest.raises(UnreadableError, match="cut off"):
            list(events_in(cut))


def test_more_texts_than_any_log_has_are_refused_and_not_passed_over():
    """One in the other, so deep that something else is wrong."""
    text = json.dumps(event())
    for _ in range(log_events._DEEPEST):
        text = f"{{ message: `{text}` }}" if "`" not in text else json.dumps(text)
    with pytest.raises(UnreadableError, match="texts, one in the other"):
        list(log_events.unwrapped(text))


def write_lines(folder, events):
    """Write bare events, one a line."""
    path = folder / "bare.jsonl"
    path.write_text("\n".join(map(json.dumps, events)))
    return str(path)


CUT = {
    "Node.js printed [Object] in place of what is nested there": "{ triggerSource: 'x', request: { a: [Object] } }",
    "an event that is cut off": PREFIX + '{"triggerSource": "DefineAuthChallenge_Authentication", "request": {',
    "no JSON": "{'triggerSource': datetime.now()}",
}


@pytest.mark.parametrize("told", CUT)
def test_what_cannot_be_read_says_how_to_log_it(told, tmp_path, capsys):
    """One line, status 2, the number of the line, and no text of the event."""
    path = tmp_path / "events.log"
    path.write_text(NOISE[0] + CUT[told])
    assert 2 == main(["replay", CODE, str(path)])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert told in err
    assert "line 2" in err
    assert "print(json.dumps(event)) or console.log(JSON.stringify(event))" in err


def test_what_begins_like_an_event_and_has_no_end_is_not_read_again_and_again():
    """From each line to the end of the text would be quadratic: it ends when all of it was read some times."""
    lines = 40
    log = ("1 {" + "1," * 1000 + "\n") * lines
    steps = 0

    def watched(pattern):
        class Counting:
            def match(self, *given):
                nonlocal steps
                steps += 1
                return pattern.match(*given)

        return Counting()

    with pytest.MonkeyPatch.context() as patch, pytest.raises(UnreadableError):
        patch.setattr(log_events, "_TOKEN", watched(log_events._TOKEN))
        list(events_in(log))
    assert steps < 3 * len(log)


@given(text=st.text(alphabet="{}[]()'\"`\\,:\n\t aN1$-", max_size=60))
def test_no_text_of_a_log_raises_anything_else(text):
    """Events, or one sort of error that names the line."""
    with contextlib.suppress(UnreadableError):
        list(events_in(text))


# --- made events --------------------------------------------------------------------------------------------------


def event(rounds=(), *, trigger="Define", attributes=None, client="", unknown=False, said=None, **response):
    """Return an event as Cognito writes it for *rounds* (name, result, metadata)."""
    request = {"userAttributes": attributes or {}, "session": results(rounds)}
    if unknown:
        request["userNotFound"] = True
    if said:
        request["clientMetadata"] = said
    return {
        "version": "1",
        "triggerSource": f"{trigger}AuthChallenge_Authentication",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann.secret",
        "callerContext": {"clientId": client},
        "request": request,
        "response": response,
    }


@settings(max_examples=100, deadline=None)
@given(data=st.data(), flow=flows(most_steps=3), who=SETTINGS, unknown=st.booleans())
def test_taking_secrets_out_changes_no_decision(data, flow, who, unknown, tmp_path_factory):
    """For any session, with a foreign round in it or not, whoever signs in and whatever the client sends."""
    given_facts = facts(flow, {} if unknown else who["attributes"], who["client"])

    def decide(words):
        return judged(words, flow, **who, known=not unknown, facts=given_facts)

    words = data.draw(walks(flow, decide))
    trigger = data.draw(st.sampled_from(["Define", "Create"]))
    rounds = session(words, flow, facts=given_facts, claim="k1secretclaim", carry="c2VjcmV0")
    if data.draw(st.booleans()):
        rounds.insert(data.draw(st.integers(0, len(rounds))), data.draw(st.sampled_from(FOREIGN))[1])
    status = data.draw(
        st.sampled_from([{}, {"cognito:user_status": "CONFIRMED"}, {"cognito:user_status": "RESET_REQUIRED"}])
    )
    attributes = {**who["attributes"], **status, "email": ADDRESS}
    said = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "watchword_action": st.sampled_from(["resend", ADDRESS]),
                "watchword_choice": st.sampled_from(["s1", "s2", ADDRESS]),
            },
        )
    )
    given_event = event(
        rounds, trigger=trigger, attributes=attributes, client=who["client"], unknown=unknown, said=said
    )
    path = tmp_path_factory.mktemp("events") / "event.json"
    path.write_text(json.dumps(given_event))
    (read,) = read_events(path, [flow])
    assert evaluate(session_request_of(given_event), (flow,)).decision == evaluate(read.request, (flow,)).decision
    kept = (
        repr(read)
        + repr(read.request.client_metadata)
        + repr(read.request.user.attributes)
        + repr(read.request.user.name)
    )
    for secret in (ADDRESS, "ann.secret", "k1secretclaim", "c2VjcmV0", "CONFIRMED"):
        assert secret not in kept


def test_metadata_of_another_making_is_explained_and_not_shown(write, capsys):
    """Its text is taken out; why it fails is told."""
    given_event = event([("CUSTOM_CHALLENGE", True, "CODE-31415926")], failAuthentication=True, issueTokens=False)
    told, err = replayed(capsys, CODE, write(given_event))
    assert "fail" == told["decision"]
    assert "foreign_metadata: round 1 carries metadata in another form than Watchword's" in told["reason"]
    assert "31415926" not in json.dumps(told) + err
    assert "metadata (1)" in err
    told, _ = replayed(capsys, CODE, write(event([("CUSTOM_CHALLENGE", True, None)])))
    assert "round 1 carries no metadata" in told["reason"]


FORGED = "x\nevent 9 of 9: define\r\ndecision: tokens\u2028"


@pytest.mark.parametrize(
    "forged",
    [
        event([(FORGED, True, None)]),
        event([("CUSTOM_CHALLENGE", True, FORGED)]),
        event([("CUSTOM_CHALLENGE", FORGED, None)]),
        event(challengeName=FORGED),
        event(attributes={FORGED: FORGED}, client=FORGED, said={"watchword_choice": FORGED}),
    ],
)
def test_a_captured_event_writes_no_line_of_its_own(write, capsys, forged):
    """What stands in an event came from strangers: its line ends begin no line of what is told."""
    assert 0 == main(["replay", CODE, write(forged)])
    lines = capsys.readouterr().out.splitlines()
    assert 1 == sum(line.startswith("event ") for line in lines)
    assert 1 == sum(line.startswith("decision: ") for line in lines)
    assert not any(line.startswith("decision: tokens") for line in lines)


# The response captured with an event of Define, and whether the flow says the same.
RESPONSES = [
    ({}, ""),
    ({"challengeName": None, "issueTokens": None, "failAuthentication": None}, ""),
    ({"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False}, ""),
    ({"challengeName": "SRP_A", "issueTokens": False, "failAuthentication": False}, "to present SRP_A"),
    ({"challengeName": "SRP_A", "issueTokens": True, "failAuthentication": False}, "tokens"),
    ({"challengeName": "SRP_A", "issueTokens": True, "failAuthentication": True}, "fail"),
]


@pytest.mark.parametrize(("response", "otherwise"), RESPONSES)
def test_a_response_that_differs_is_pointed_out(response, otherwise, write, capsys):
    """Fail goes before tokens, as with Cognito; an empty response, or one of nulls, was captured before the trigger answered."""
    told, _ = replayed(capsys, CODE, write(event(**response)))
    said = told["reason"].partition("; but the response captured with the event is ")[2]
    assert ("present email_otp", otherwise) == (told["decision"], said)


def test_the_hosts_round_is_compared_by_its_name(write, capsys):
    """Present PASSWORD_VERIFIER is what both say."""
    response = {"challengeName": "PASSWORD_VERIFIER", "issueTokens": False, "failAuthentication": False}
    told, _ = replayed(capsys, str(FLOWS / "srp_then_code.toml"), write(event([("SRP_A", True, None)], **response)))
    assert "host PASSWORD_VERIFIER" == told["decision"]
    assert "but the response" not in told["reason"]


# --- Verify -------------------------------------------------------------------------------------------------------


@pytest.fixture
def verify(sign_in):
    """A captured event of Verify, to be changed."""
    events, _ = sign_in
    return copy.deepcopy(next(event for event in events if event["triggerSource"].startswith("Verify")))


def test_what_can_be_told_of_an_answer_without_the_key(verify, write, capsys):
    """Step, kind and times, and what was answered then; not whether the answer is right."""
    told, _ = replayed(capsys, CODE, write(verify))
    assert ("undecided", []) == (told["decision"], told["rounds"])
    assert "step email_otp of kind email_otp, made " in told["reason"]
    made, until = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["reason"])
    assert made < until
    assert told["reason"].endswith("the captured response says wrong")
    verify["response"] = {}
    assert "captured response" not in replayed(capsys, CODE, write(verify))[0]["reason"]


CHANGES = {
    "no_challenge: the private parameters": lambda request: request.update(privateChallengeParameters={"answer": "31415926"}),
    "are not of the form": lambda request: request["privateChallengeParameters"].update(expires="soon"),
    "was made by another flow": lambda request: request["privateChallengeParameters"].update(flow="0" * 16),
    "has no such step": lambda request: request["privateChallengeParameters"].update(step="nosuch"),
    "no such step of that kind": lambda request: request["privateChallengeParameters"].update(kind="captcha"),
    "Verify says false to it": lambda request: request["privateChallengeParameters"].update(step="select", kind="select"),
    "the client asked for another message": lambda request: request.update(clientMetadata={"watchword_action": "resend"}),
    "malformed: the answer is no text": lambda request: request.update(challengeAnswer=31415926),
    "malformed: the answer is too long": lambda request: request.update(challengeAnswer="31415926" * 3000),
    "unknown_user: ": lambda request: request.update(userNotFound=True),
}  # fmt: skip


@pytest.mark.parametrize("told_as", CHANGES)
def test_an_answer_that_is_surely_wrong_is_told_so(told_as, verify, write, capsys):
    """With the reason, and without the answer."""
    CHANGES[told_as](verify["request"])
    told, err = replayed(capsys, CODE, write(verify))
    assert "wrong" == told["decision"]
    assert told_as in told["reason"]
    assert "31415926" not in json.dumps(told) + err


def test_a_time_beyond_the_calendar_is_told_in_seconds(verify, write, capsys):
    """Private parameters may hold twelve digits, a date fewer."""
    verify["request"]["privateChallengeParameters"]["expires"] = "9" * 12
    assert "until at second 999999999999" in replayed(capsys, CODE, write(verify))[0]["reason"]


# --- files --------------------------------------------------------------------------------------------------------

GOOD = json.dumps(event())
MALFORMED = {
    "holds no event": ["", " \n", "[]"],
    "no JSON": ["{", "{'a': 1}", GOOD + "\n{", "[" * 100_000, "1" * 5000],
    "events.json, line 3: no JSON": [GOOD + "\n" + GOOD + "\n{oops}"],
    "event 1: the event is no object but int": ["7"],
    "event 2: the event is no object but list": [f"[{GOOD}, [7]]", f"{GOOD} []"],
    "event 2: triggerSource is none of": [GOOD + '{"triggerSource": "PreSignUp_SignUp"}'],
    "event 2: a TokenGeneration event asks for claims when tokens are issued already, and decides nothing: take it out": [
        GOOD + json.dumps({**event(), "triggerSource": f"TokenGeneration_{source}"}) for source in ("Authentication", "RefreshTokens")
    ],
    "event 1: request is no object but str": [json.dumps({**event(), "request": "x"})],
    "event 1: userAttributes is no object but list": [json.dumps({**event(), "request": {"userAttributes": []}})],
}  # fmt: skip


@pytest.mark.parametrize(("told", "text"), [(told, text) for told, texts in MALFORMED.items() for text in texts])
def test_a_malformed_file_is_one_line_and_status_two(told, text, tmp_path, capsys):
    """It is told where; nothing of the events before is printed."""
    path = tmp_path / "events.json"
    path.write_text(text)
    assert 2 == main(["replay", CODE, str(path)])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert told in err
    assert "events.json" in err


def test_a_file_that_cannot_be_read_is_one_line_and_status_two(tmp_path, capsys):
    """Missing, a folder, bytes; a previous flow that is none."""
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{}")
    (tmp_path / "good.json").write_text(GOOD)
    for name, told in (("nowhere", "No such file"), (".", "cannot be read"), ("bytes.json", "UTF-8")):
        assert 2 == main(["replay", CODE, str(tmp_path / name)])
        err = capsys.readouterr().err
        assert 1 == err.count("\n")
        assert told in err
    assert 2 == main(["replay", CODE, str(tmp_path / "good.json"), "--previous", "nowhere.toml"])
    assert "nowhere.toml" in capsys.readouterr().err


LINE = json.dumps(event())


@pytest.fixture
def large(tmp_path, monkeypatch):
    """Write a file that counts as large, of lines that are read a few bytes at a time."""
    monkeypatch.setattr(captured_events, "MAX_WHOLE", 10)
    monkeypatch.setattr(captured_events, "_CHUNK", 7)

    def written(text):
        path = tmp_path / "large.jsonl"
        path.write_bytes(text.encode())
        return path

    return written


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\n  \n" + " " * 50 + "\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_large_file_is_read_line_by_line(large, capsys, between, end):
    """As many events as lines, but for empty ones; a mark at the beginning is no text."""
    told, _ = replayed(capsys, CODE, str(large("\ufeff" + between.join([LINE] * 3) + end)))
    assert ["present email_otp"] * 3 == [each["decision"] for each in told]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="pipes have no path here")
def test_a_pipe_is_read_like_a_file(large, capsys):
    """It has no size to go by."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as filled:
        filled.write(f"{LINE}\n{LINE}\n")
    told, _ = replayed(capsys, CODE, f"/dev/fd/{read}")
    os.close(read)
    assert ["present email_otp"] * 2 == [each["decision"] for each in told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{LINE}\n\n[{LINE}", "line 3: no JSON: a file of more than 10 bytes holds one event a line"),
        (json.dumps([event()] * 2, indent=1), "line 1: no JSON"),
        ("\n" * 20 + f"{LINE}\n" + "[" * 100_000, "line 22"),
        (f"{LINE}\n[]\n", "event 2: the event is no object"),
        (" \n" * 50, "holds no event"),
    ],
)
def test_a_large_file_of_something_else_is_refused_with_the_line(large, capsys, text, told):
    """And with what to write."""
    assert 2 == main(["replay", CODE, str(large(text))])
    err = capsys.readouterr().err
    assert 1 == err.count("\n")
    assert told in err


def test_a_line_that_never_ends_is_not_read_to_its_end(large, capsys, monkeypatch):
    """At most as long as is said."""
    monkeypatch.setattr(captured_events, "MAX_LINE", len(LINE))
    assert 0 == main(["replay", CODE, str(large(LINE)), "--json"])
    capsys.readouterr()
    assert 2 == main(["replay", CODE, str(large(f"{LINE}\n{'x' * (len(LINE) + 8)}\n"))])
    assert f"line 2 has more than {len(LINE)} bytes: a file of more than 10 bytes" in capsys.readouterr().err


def test_a_mark_at_the_beginning_of_the_file_is_no_text(tmp_path, capsys):
    """Some editors put one there."""
    path = tmp_path / "events.json"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert "present email_otp" == replayed(capsys, CODE, str(path))[0]["decision"]


def test_many_events_tell_their_progress(write, capsys, monkeypatch):
    """On stderr; standard output stays pure JSON."""
    monkeypatch.setattr("watchword_adapters.cli.progress._EVERY", 0.0)
    told, err = replayed(capsys, CODE, write([event()] * 3))
    assert 3 == len(told)
    assert ["1 events replayed …", "2 events replayed …", "3 events replayed …"] == err.splitlines()[:3]
