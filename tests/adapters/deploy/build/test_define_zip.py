"""The built Define: the same answers as the engine, from three small files that load next to nothing."""

import copy
import importlib.util
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import hosts, lambda_runtime
from kit.artefact import built_define, define_archive, written
from kit.paths import FLOWS
from kit.random_flows import SETTINGS, flows
from kit.sessions import metadata, results, session
from oracles.flow_oracles import CUSTOM, EXAMPLES, GOLD, SMALL, odd_lists, short_lists
from watchword import Flow, load_flow, sequence
from watchword.testing import events
from watchword_adapters import aws_lambda
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws import cognito
from watchword_adapters.deploy.build import define_handler
from watchword_adapters.deploy.build.define_zip import define_files
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "define", "_HANDLER": "define.define"}
FIELDS = ("triggerSource", "userPoolId", "userName", "callerContext", "request")


def engine(flow, *previous, audit=None):
    """Return the engine's Define, as in a function that only defines."""
    return aws_lambda.triggers(flow, previous=previous, audit=audit or MemoryAudit(), environment=LAMBDA).define


def event(rounds=(), attributes=None, client="client", **request):
    """Return an event of Define."""
    return hosts.event(user=attributes or {"sub": "1"}, client=client, session=results(rounds), **request)


def outcome(define, given):
    """Return the event that *define* answers, or the fixed part of the text that it ends with."""
    try:
        return define(copy.deepcopy(given))
    except Exception as error:  # noqa: BLE001
        return type(error).__name__, str(error).partition(" (ref")[0]


@pytest.fixture(autouse=True)
def _quiet():
    """Keep thousands of audit lines out of pytest's memory; tests of the log put the level back."""
    logger = logging.getLogger("watchword.audit")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_session_list_up_to_four_rounds_is_answered_as_by_the_engine(name, tmp_path):
    """The whole event, over every list: five names, both results, each last round answered or resent."""
    flow = EXAMPLES[name][0]
    define = engine(flow)
    with built_define(tmp_path, flow) as built:
        for rounds in short_lists(flow, 4):
            given = event(rounds)
            assert define(given) == built.define(given), rounds
            if rounds and rounds[-1][0] == CUSTOM:
                given["request"]["clientMetadata"] = {"watchword_action": "resend"}
                assert define(given) == built.define(given), rounds


def test_every_odd_session_list_is_answered_as_by_the_engine(tmp_path):
    """Six results, true ones only in form among them, and metadata of ours, another step, a forger, none."""
    flow = EXAMPLES["acme"][0]
    define = engine(flow)
    with built_define(tmp_path, flow) as built:
        for rounds in odd_lists(flow):
            assert define(event(rounds)) == built.define(event(rounds)), rounds


def test_many_longer_sessions_are_answered_as_by_the_engine(tmp_path):
    """Sampled up to twelve rounds, near what the flows ask for, with facts, choices, resends and unknown users.

    Twenty thousand; with WATCHWORD_LONG_TESTS=1 a hundred thousand, which take a quarter of a minute.
    """
    number = 100_000 if os.environ.get("WATCHWORD_LONG_TESTS") == "1" else 20_000
    chance = Random(20_261_123)
    every = [*(flow for flow, _ in EXAMPLES.values()), *SMALL.values()]
    seen = set()
    for place, flow in enumerate(every):
        define = engine(flow)
        steps = [*flow.steps, "select", "other_step"]
        texts = {
            (step, before, facts): metadata(flow, step, before, facts=facts)
            for step in steps
            for before in ("-", "answer", "resend", "choice")
            for facts in ("0" * len(flow.conditions), "1" * len(flow.conditions))
        }
        with built_define(tmp_path / str(place), flow) as built:
            for _ in range(number // len(every) + 1):
                gold = chance.random() < 0.5
                facts = ("1" if gold and chance.random() < 0.9 else "0") * len(flow.conditions)
                given = event(sampled(chance, texts, steps, facts), **(GOLD if gold else {}))
                if chance.random() < 0.3:
                    given["request"]["clientMetadata"] = {
                        "watchword_choice": chance.choice(steps),
                        "watchword_action": chance.choice(["resend", "else"]),
                        "watchword_signin": chance.choice(["", "0" * 32, "0a" * 16, "0" * 31, "A" * 32, "0" * 33]),
                    }
                if chance.random() < 0.1:
                    given["request"]["userNotFound"] = True
                answered = define(given)
                seen.add(tuple(answered["response"].values()))
                assert answered == built.define(given), given
    assert {("CUSTOM_CHALLENGE", False, False), (True, False), (False, True)} <= seen


def sampled(chance, texts, steps, facts):
    """Draw a session of up to twelve rounds that mostly goes where a flow could lead."""
    rounds = [("SRP_A", True, None), ("PASSWORD_VERIFIER", True, None)] if chance.random() < 0.4 else []
    own = 0
    while len(rounds) < 12 and chance.random() < 0.8:
        if chance.random() < 0.1:
            host = chance.choice(["SMS_MFA", "NEW_PASSWORD_REQUIRED", "SRP_A", "PASSWORD_VERIFIER", "unknown"])
            rounds.append((host, chance.random() < 0.9, None))
            continue
        after_own = bool(rounds) and rounds[-1][0] == CUSTOM
        before = chance.choice(["answer"] * 4 + ["resend", "choice"]) if after_own else "-"
        step = steps[min(own, len(steps) - 1)] if chance.random() < 0.7 else chance.choice(steps)
        result = chance.choice([True] * 5 + [False] * 4 + [None, 1, "true"])
        own += result is True
        rounds.append((CUSTOM, result, texts[step, before, facts]))
    return rounds


@given(st.data())
@settings(max_examples=60)
def test_any_flow_is_answered_as_by_the_engine(tmp_path_factory, data):
    """Blocks of every sort, conditions among them, over sessions near and far from what they ask for."""
    flow = data.draw(flows(remembering=data.draw(st.booleans())))
    circumstances = data.draw(SETTINGS)
    given = data.draw(events(flow))
    given["request"]["userAttributes"].update(circumstances["attributes"])
    with built_define(tmp_path_factory.mktemp("built"), flow) as built:
        assert outcome(engine(flow), given) == outcome(built.define, given)


ODD = [
    None,
    "",
    "text",
    7,
    True,
    False,
    [],
    {},
    ["x"],
    {"a": 1},
    [None],
    [[]],
    [{"challengeName": 7}],
    {"watchword_action": 7},
]
PLACES = [
    *((name,) for name in FIELDS),
    ("callerContext", "clientId"),
    *(("request", name) for name in ("userAttributes", "session", "clientMetadata", "userNotFound", "challengeName")),
    ("request", "userAttributes", "cognito:user_status"),
]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_events_of_odd_shapes_end_as_with_the_engine(place, tmp_path):
    """Missing, null and of every wrong type, in each field that is read: the same leniency, the same fixed texts."""
    flow = EXAMPLES["acme"][0]
    with built_define(tmp_path, flow) as built:
        passing = session("srp_a+ password_verifier+ captcha+ email_otp+", flow)
        for value, rounds in product([*ODD, "gone"], [[("SRP_A", True, None)], passing]):
            given = event(rounds)
            inner = given
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = value
            if value == "gone":
                del inner[place[-1]]
            assert outcome(engine(flow), given) == outcome(built.define, given), value
        for given in ODD:
            assert outcome(engine(flow), given) == outcome(built.define, given), given


def test_conditions_stay_conditions(tmp_path):
    """Nothing is decided when it is built: the same function asks gold and others differently, and ends a change under way."""
    flow = SMALL["sequence"]
    with built_define(tmp_path, flow) as built:
        asked = [("CUSTOM_CHALLENGE", True, metadata(flow, "s1", facts="1"))]
        gold = built.define(event(asked, {"sub": "1", "custom:tier": "gold"}))["response"]
        assert {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False} == gold
        assert built.define(event(asked, {"sub": "1", "custom:tier": "tin"}))["response"]["failAuthentication"] is True
        plain = [("CUSTOM_CHALLENGE", True, metadata(flow, "s2", facts="0"))]
        assert built.define(event(plain))["response"]["issueTokens"] is True


def test_what_is_enrolled_is_taken_from_the_metadata(tmp_path):
    """The function reads no store: before the first challenge it says that one comes, then it goes by what that recorded."""
    flow = load_flow(FLOWS / "password_and_app.toml")
    with built_define(tmp_path, flow) as built:

        def answer(words, facts="0"):
            given = event(session(words, flow, facts=facts))
            assert engine(flow)(given) == built.define(given)
            return built.define(given)["response"]

        password = "srp_a+ password_verifier+"
        assert "CUSTOM_CHALLENGE" == answer(password)["challengeName"]
        for words, facts in (("totp+", "1"), ("email_otp+ enrol_totp+", "0")):
            assert answer(f"{password} {words}", facts)["issueTokens"]
            assert answer(f"{password} {words}", "10"[int(facts)])["failAuthentication"]


def test_a_session_of_a_previous_flow_is_judged_by_it(tmp_path):
    """And one of a flow that is not baked in is over; a previous flow that differs in texts alone is not written twice."""
    old, new = Flow(EmailOtp(), name="old"), Flow(sequence(Srp(), EmailOtp()), name="new")
    given = event(session("email_otp+", old))
    with built_define(tmp_path / "both", new, old) as built:
        assert engine(new, old)(given) == built.define(given)
        assert built.define(given)["response"]["issueTokens"] is True
    with built_define(tmp_path / "one", new) as built:
        assert built.define(given)["response"]["failAuthentication"] is True
    with built_define(tmp_path / "same", old, Flow(EmailOtp(app="Acme"), name="texts")) as built:
        assert ["old"] == [name for name, _ in built.FLOWS]


@pytest.mark.parametrize(
    "words",
    ["email_otp+", "email_otp- email_otp+", "email_otp- email_otp- email_otp-", "srp_a+", "email_otp~ email_otp+"],
)
def test_the_end_of_a_sign_in_is_told_as_by_the_engine(words, tmp_path, caplog):
    """Event, flow, reference and detail are those of the engine's Define without a key; nobody is named."""
    caplog.set_level(logging.INFO, "watchword.audit")
    flow = EXAMPLES["email_code"][0]
    audit = MemoryAudit()
    given = event(session(words, flow))
    engine(flow, audit=audit)(given)
    with built_define(tmp_path, flow) as built:
        built.define(given)
    told, expected = json.loads(caplog.messages[-1]), audit.events[0]
    assert (expected.name, expected.flow, dict(expected.detail)) == (told["event"], told["flow"], told["detail"])
    assert (expected.ref, False) == (told.get("ref", ""), "user" in told)


def test_a_log_that_fails_changes_no_decision(tmp_path, monkeypatch):
    """ASVS 5.0 16.5: the tokens are issued whatever the log does."""
    flow = EXAMPLES["email_code"][0]
    monkeypatch.setattr(json, "dumps", lambda *_: 1 / 0)
    with built_define(tmp_path, flow) as built:
        assert built.define(event(session("email_otp+", flow)))["response"]["issueTokens"] is True


def test_a_defect_shows_the_client_a_fixed_text(caplog):
    """Whatever is raised inside, its text stays in neither the error nor the log."""
    with pytest.raises(define_handler.TriggerError, match=r"^UNAVAILABLE \(ref [B-Z]{8}\)$"):
        define_handler.define_event(event(), [("f", ())], lambda *_, **__: 1 / len([]) and "hunter2")
    assert "ZeroDivisionError" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_handler_reads_the_words_that_the_engine_reads():
    """Both spell the two keys of client metadata, the reference and the trigger's name alike."""
    from watchword.algebra import evaluation
    from watchword.runtime import wire

    assert (evaluation.ACTION, evaluation.CHOICE) == (define_handler.ACTION, define_handler.CHOICE)
    assert wire.reference("c1a1é") == define_handler._reference("c1a1é")
    assert cognito.SOURCES["define"] == "DefineAuthChallenge"


ABSENT = ("attr", "attrs", "pluggy", "typing", "inspect", "importlib.metadata", "watchword", "dataclasses", "hashlib")
PROBE = """
import sys
{client}
before = set(sys.modules)
sys.path.insert(0, {folder!r})
import define
assert define.define({event!r})["response"]["challengeName"] == "CUSTOM_CHALLENGE"
absent = {absent!r}
print(sorted(name for name in set(sys.modules) if name in absent or name.startswith("watchword")))
print(sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("client", ["", "import awslambdaric.bootstrap"], ids=["plain", "runtime client"])
def test_it_loads_its_three_files_and_nothing_else(client, tmp_path):
    """Neither attrs, pluggy, typing, inspect, importlib.metadata nor the engine; in Lambda no other module at all."""
    if client and importlib.util.find_spec("awslambdaric") is None:
        pytest.skip("the runtime client is not installed: pip install awslambdaric")
    written(define_files([EXAMPLES["email_code"][0]]), tmp_path)
    source = PROBE.format(client=client, folder=str(tmp_path), event=event(), absent=ABSENT)
    command = [sys.executable, *([] if client else ["-I", "-S"]), "-c", source]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    absent, added = ran.stdout.splitlines()
    assert "[]" == absent
    assert ["define", "define_handler", "derivative"] == sorted(json.loads(added.replace("'", '"')))


def test_the_same_flow_gives_the_same_bytes_in_another_process():
    """Times, order, permissions and hashes of the machine that builds are nowhere in the zip."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:];"
        "from kit.artefact import define_archive; from oracles.flow_oracles import EXAMPLES;"
        "print(define_archive(EXAMPLES['acme'][0]).sha256)"
    )
    path = [each for each in sys.path if each]
    sums = {
        subprocess.run(
            [sys.executable, "-c", program, *path],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert {define_archive(EXAMPLES["acme"][0]).sha256} == {each.strip() for each in sums}


def test_the_zip_has_three_files_readable_by_all():
    """Lambda runs as another user than who built it."""
    with zipfile.ZipFile(io.BytesIO(define_archive(EXAMPLES["acme"][0]).data)) as made:
        assert ["define.py", "define_handler.py", "derivative.py"] == made.namelist()
        assert {0o644} == {(each.external_attr >> 16) & 0o777 for each in made.infolist()}


def test_it_answers_under_lambdas_own_client(tmp_path):
    """Cold and warm, tokens and refusals; the error that Cognito would show is a fixed text and a reference."""
    pytest.importorskip("awslambdaric", reason="pip install awslambdaric")
    flow = EXAMPLES["email_code"][0]
    written(define_files([flow]), tmp_path)
    with lambda_runtime.function(tmp_path, "define.define") as call:
        assert "CUSTOM_CHALLENGE" == call(event())["response"]["challengeName"]
        assert call(event(session("email_otp+", flow)))["response"]["issueTokens"] is True
        with pytest.raises(lambda_runtime.Answer, match=r"^BAD_REQUEST \(ref [B-Z]{8}\)$"):
            call({**event(), "triggerSource": "CreateAuthChallenge_Authentication"})
        assert 1 == call.log().count('"event": "authn_login_success"')
