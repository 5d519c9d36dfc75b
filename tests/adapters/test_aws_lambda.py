"""The Lambda triggers: every event shape of the contract, fixed failure texts, settings checked when they are made."""

import base64
import copy
import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import KEY, DeadLedger, Mail, Post, Puzzle, Riddle
from kit.hosts import event, triggers_of
from watchword import ConfigurationError, Flow, ask_first, sequence
from watchword.errors import FAILURE_TEXTS
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.srp import Srp

FLOW = Flow(sequence(Riddle(), Mail()))


@pytest.mark.parametrize("session", [{}, {"session": None}, {"session": []}], ids=["missing", "null", "empty"])
def test_missing_null_and_empty_session_are_the_same(session):
    """The first call of a sign-in comes in three shapes."""
    response = triggers_of(FLOW).define(event(**session), None)["response"]
    assert {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False} == response


def test_a_whole_sign_in_through_the_handler():
    """One handler for all three triggers, chosen by triggerSource; unknown fields are kept, the event is not changed."""
    post = Post()
    handler = triggers_of(FLOW, courier=post).handler
    session = []
    for answer in ("fish", None):
        asked = event("define", session=session) | {"newField": 1}
        before = copy.deepcopy(asked)
        reply = handler(asked, None)
        assert before == asked
        assert 1 == reply["newField"]
        assert "CUSTOM_CHALLENGE" == reply["response"]["challengeName"]
        create = handler(event("create", challengeName="CUSTOM_CHALLENGE", session=session), None)["response"]
        assert create["privateChallengeParameters"]
        for name in ("publicChallengeParameters", "privateChallengeParameters"):
            assert all(isinstance(text, str) for pair in create[name].items() for text in pair)
        json.dumps(create)
        verify = event(
            "verify",
            privateChallengeParameters=create["privateChallengeParameters"],
            challengeAnswer=answer or post.code,
        )
        assert {"answerCorrect": True} == handler(verify, None)["response"]
        session.append(
            {
                "challengeName": "CUSTOM_CHALLENGE",
                "challengeResult": True,
                "challengeMetadata": create["challengeMetadata"],
            }
        )
    assert {"issueTokens": True, "failAuthentication": False} == handler(event(session=session), None)["response"]


def test_what_the_caller_put_into_the_response_is_overwritten():
    """A-11: issueTokens or answerCorrect in the incoming response mean nothing."""
    t = triggers_of(FLOW)
    asked = event() | {"response": {"issueTokens": True, "challengeName": "x"}}
    assert t.define(asked, None)["response"]["issueTokens"] is False
    answered = event("verify", privateChallengeParameters={}, challengeAnswer=None) | {
        "response": {"answerCorrect": True}
    }
    assert {"answerCorrect": False} == t.verify(answered, None)["response"]


@pytest.mark.parametrize(
    "session",
    [
        "x",
        {"a": 1},
        ["x"],
        [None],
        [{}],
        [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": None}],
        [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True}],
        [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}],
        [{"challengeName": 7, "challengeResult": True}],
    ],
    ids=str,
)
def test_a_hostile_session_fails(session):
    """S-01, S-16: what Cognito never wrote ends the sign-in; tokens are never the answer."""
    assert {"issueTokens": False, "failAuthentication": True} == triggers_of(FLOW).define(event(session=session), None)[
        "response"
    ]


def test_a_bare_srp_a_gives_the_password_never_tokens():
    """Cognito writes {SRP_A, true} before any password is checked."""
    session = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
    response = triggers_of(Flow(sequence(Srp(), Riddle()))).define(event(session=session), None)["response"]
    assert {"challengeName": "PASSWORD_VERIFIER", "issueTokens": False, "failAuthentication": False} == response


@pytest.mark.parametrize(
    ("work", "given"),
    [
        ("define", event("create")),
        ("create", event("verify")),
        ("verify", event("define")),
        ("handler", event() | {"triggerSource": "PreSignUp_SignUp"}),
        ("handler", {}),
        ("define", None),
        ("define", "text"),
        ("define", event() | {"request": "x"}),
        ("define", event() | {"userName": 7}),
        ("create", event("create", challengeName="PASSWORD_VERIFIER")),
        ("verify", event("verify", privateChallengeParameters=["x"])),
    ],
    ids=str,
)
def test_an_event_that_is_not_for_this_trigger_is_a_bad_request(work, given):
    """Wrong source or wrong types: one fixed text, with a reference."""
    with pytest.raises(TriggerError, match=r"^BAD_REQUEST \(ref [BCDFGHJKLMNPQRSTVWXZ]{8}\)$"):
        getattr(triggers_of(FLOW), work)(given, None)


def test_only_our_keys_of_client_metadata_are_read():
    """C-04 to C-07: attempts, destinations, huge or odd metadata change nothing."""
    t = triggers_of(Flow(Mail()))
    plain = t.define(event(session=[]), None)["response"]
    for metadata in (
        None,
        "x",
        {"attempts": "99", "email": "eve@evil.com"},
        {"watchword_choice": 7},
        {str(n): "x" for n in range(10_000)},
    ):
        assert plain == t.define(event(session=[], clientMetadata=metadata), None)["response"]


def test_the_name_of_a_redirect_reaches_the_kind():
    """By the trigger as by the engine: the link of the message leads there."""
    post = Post()
    redirects = {"web": "https://app.example/", "other": "https://other.example/"}
    t = triggers_of(Flow(ask_first(MagicLink(redirects=redirects))), courier=post)
    asked = {"watchword_choice": "magic_link", "watchword_redirect": "other"}
    t.create(event("create", session=[], clientMetadata=asked), None)
    assert "https://other.example/#" in post.sent[-1].text


def test_an_unknown_user_is_asked_and_never_given_tokens():
    """userNotFound: true in each trigger; attributes may be empty."""
    post = Post()
    t = triggers_of(Flow(Mail()), courier=post)
    unknown = {"userAttributes": {}, "userNotFound": True}
    assert "CUSTOM_CHALLENGE" == t.define(event(**unknown), None)["response"]["challengeName"]
    assert t.create(event("create", **unknown), None)["response"]["publicChallengeParameters"]["destination"]
    assert [] == post.sent


def test_powertools_event_objects_are_read():
    """Handlers decorated with Powertools' event classes pass their objects on."""
    powertools = pytest.importorskip("aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event")
    wrapped = powertools.DefineAuthChallengeTriggerEvent(event(session=[]))
    assert "CUSTOM_CHALLENGE" == triggers_of(FLOW).define(wrapped, None)["response"]["challengeName"]


@pytest.mark.parametrize("trigger", ["define", "create", "verify", "handler"])
@pytest.mark.parametrize("metadata", [{}, {"clientMetadata": None}, {"clientMetadata": {"a": "b"}}])
@pytest.mark.parametrize("unknown", [{}, {"userNotFound": None}, {"userNotFound": True}])
def test_powertools_parsed_models_are_read_as_the_events_that_they_are_of(trigger, metadata, unknown):
    """Null, missing or odd: a handler that parses its event decides as one that does not, and keeps no more fields."""
    models = pytest.importorskip("aws_lambda_powertools.utilities.parser.models")
    request = {"session": [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]}
    model, response = models.CognitoDefineAuthChallengeTriggerModel, {"challengeName": None}
    match trigger:
        case "create":
            model, response = models.CognitoCreateAuthChallengeTriggerModel, {"publicChallengeParameters": None}
            request = {"session": []}
        case "verify":
            model, response = models.CognitoVerifyAuthChallengeTriggerModel, {"answerCorrect": False}
            request = {"privateChallengeParameters": {"a": "b"}, "challengeAnswer": "fish"}
    given = event("define" if trigger == "handler" else trigger, **request, **metadata, **unknown)
    given["response"] = response
    plain, parsed = (getattr(triggers_of(FLOW), trigger)(each, None) for each in (given, model.model_validate(given)))
    assert plain == parsed


def test_a_whole_sign_in_goes_through_parsed_models():
    """What the local pool sends can be parsed, once the model knows CUSTOM_CHALLENGE and an empty response of Verify."""
    models = pytest.importorskip("aws_lambda_powertools.utilities.parser.models.cognito")

    class Round(models.CognitoChallengeResultModel):
        challengeName: str  # noqa: N815 - Cognito's

    class Request(models.CognitoAuthChallengeRequestModel):
        session: list[Round]

    class Define(models.CognitoDefineAuthChallengeTriggerModel):
        request: Request

    class Create(models.CognitoCreateAuthChallengeTriggerModel):
        request: Request

    class Response(models.CognitoVerifyAuthChallengeResponseModel):
        answerCorrect: bool | None  # noqa: N815

    class Verify(models.CognitoVerifyAuthChallengeTriggerModel):
        response: Response

    three = triggers_of(Flow(Riddle()))
    pool = LocalUserPool(
        lambda event, context: three.define(Define.model_validate(event), context),
        lambda event, context: three.create(Create.model_validate(event), context),
        lambda event, context: three.verify(Verify.model_validate(event), context),
    )
    pool.add_user("ann", attributes={"email": "ann@example.com", "email_verified": "true"})
    client = {"ClientId": pool.client_id}
    reply = pool.initiate_auth(**client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    for text in ("no", "fish"):
        answer = {"USERNAME": "ann", "ANSWER": text}
        asked = {"ChallengeName": reply["ChallengeName"], "Session": reply["Session"], "ChallengeResponses": answer}
        reply = pool.respond_to_auth_challenge(**client, **asked)
    assert "AuthenticationResult" in reply


def test_failures_have_fixed_texts_and_tell_nothing(caplog):
    """L-03: the client sees one of five texts and a reference, the operator's log says what happened."""
    t = triggers_of(FLOW, ledger=DeadLedger())
    with caplog.at_level(logging.ERROR), pytest.raises(TriggerError, match=r"^UNAVAILABLE") as caught:
        t.verify(
            event(
                "verify",
                privateChallengeParameters=triggers_of(FLOW).create(event("create"), None)["response"][
                    "privateChallengeParameters"
                ],
                challengeAnswer="fish",
            ),
            None,
        )
    assert caught.value.__cause__ is None
    ref = str(caught.value).split()[-1].strip(")")
    assert ref in caplog.text
    assert "the ledger is down" in caplog.text
    assert "UNAVAILABLE" in FAILURE_TEXTS


def test_an_error_of_any_other_sort_shows_its_type_only(caplog):
    """What a bug raises may quote a secret; neither client nor log sees its text."""

    class Bug(MemoryLedger):
        def claim(self, *args, **settings):
            raise ValueError("the code is 12345678")

    t = triggers_of(Flow(Mail()), ledger=Bug())
    with caplog.at_level(logging.DEBUG), pytest.raises(TriggerError, match=r"^UNAVAILABLE"):
        t.create(event("create"), None)
    assert "ValueError" in caplog.text
    assert "12345678" not in caplog.text


def test_a_canary_appears_nowhere(caplog, capsys):
    """L-01: code, key and address are in no log at DEBUG, repr, exception, metadata or private parameter."""
    post = Post()
    with caplog.at_level(logging.DEBUG):
        t = triggers(Flow(Mail()), courier=post, key=KEY, clock=VirtualClock(), random=SeededRandom(), environment={})
        created = t.create(event("create"), None)["response"]
        code = post.code
        t.verify(
            event("verify", privateChallengeParameters=created["privateChallengeParameters"], challengeAnswer="0"), None
        )
        t.verify(
            event("verify", privateChallengeParameters=created["privateChallengeParameters"], challengeAnswer=code),
            None,
        )
        post.failing = RuntimeError(f"cannot deliver {code} to ann@example.com")
        with pytest.raises(TriggerError) as caught:
            t.create(event("create") | {"callerContext": {"clientId": "other"}}, None)
    out = capsys.readouterr()
    said = [
        caplog.text,
        out.out,
        out.err,
        repr(t),
        repr(t.flows),
        repr(caught.value),
        repr(post.sent),
        json.dumps(created),
    ]
    for canary in (code, base64.b64encode(KEY).decode(), KEY.hex(), repr(KEY), "ann@example.com"):
        for place, text in enumerate(said):
            assert canary not in text, place
    assert "authn_code_sent" in caplog.text


def test_iterating_gives_define_create_verify():
    """In a Lambda project the three handlers are one line."""
    define, create, verify = triggers_of(FLOW)
    assert "CUSTOM_CHALLENGE" == define(event(), None)["response"]["challengeName"]
    private = create(event("create"), None)["response"]["privateChallengeParameters"]
    answered = event("verify", privateChallengeParameters=private, challengeAnswer="fish")
    assert {"answerCorrect": True} == verify(answered, None)["response"]


IN_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "f", "WATCHWORD_KEY": base64.b64encode(KEY).decode()}


@pytest.mark.parametrize(
    ("environment", "settings", "words"),
    [
        ({}, {"key": None}, "WATCHWORD_KEY"),
        ({"WATCHWORD_KEY": "@@"}, {"key": None}, "key 1 is no base64"),
        ({}, {"key": b"short"}, "too short"),
        ({}, {"key": b"k" * 40}, "not random"),
        ({}, {"key": [KEY, b"changeme" * 4]}, "key 2 is not random"),
        ({}, {"key": [7]}, "no bytes but int"),
        ({}, {"courier": None}, "WATCHWORD_COURIER"),
        (IN_LAMBDA, {"key": None}, "process-only"),
        (IN_LAMBDA, {"ledger": None}, "process-only"),
        (IN_LAMBDA | {"WATCHWORD_LEDGER": "memory:"}, {"ledger": None}, "process-only"),
        (IN_LAMBDA | {"WATCHWORD_LEDGER": "sqlite:///x.db"}, {"ledger": None}, "process-only"),
        ({}, {"pad_to": 4}, "pad_to"),
        ({}, {"flow": 7}, "no flow"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_when_the_triggers_are_made(environment, settings, words):
    """Configuration is checked at cold start, with the name of the setting and the remedy."""
    with pytest.raises(ConfigurationError, match=words):
        triggers_of(**{"flow": FLOW, "environment": environment, **settings})


class Elsewhere(MemoryLedger):
    """A ledger of somebody else, in a module of any name."""


ELSEWHERE = """
from watchword.contract.hookspecs import hookimpl
from watchword_adapters.ledgers.memory import MemoryLedger


class Redis(MemoryLedger):
    reach = {reach!r}


@hookimpl
def register_ledgers(register):
    register("redis", lambda url: Redis())
"""


@pytest.mark.parametrize("name", ["memory", "sqlite", "acme.redis"])
@pytest.mark.parametrize("reach", ["everywhere", "machine", "process", True, None, []])
@pytest.mark.parametrize("way", ["an object", "a URL"])
def test_in_lambda_a_ledger_is_taken_for_what_it_says_of_itself(monkeypatch, tmp_path, name, reach, way):
    """Whatever its class and its module are called, and whether an entry point or the caller brings it."""
    if way == "an object":
        monkeypatch.setattr(Elsewhere, "reach", reach)
        monkeypatch.setattr(Elsewhere, "__module__", name)
        settings = {"ledger": Elsewhere(), "environment": IN_LAMBDA}
    else:
        (tmp_path / "acme_redis.py").write_text(ELSEWHERE.format(reach=reach))
        folder = tmp_path / "acme_redis-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-redis\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[watchword.ledgers]\nredis = acme_redis\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "acme_redis", raising=False)
        settings = {"ledger": None, "environment": IN_LAMBDA | {"WATCHWORD_LEDGER": "redis:"}}
    if reach == "everywhere":
        assert triggers_of(**{"flow": FLOW, **settings})
        return
    words = "process-only" if reach in ("machine", "process") else "does not say which processes share it"
    with pytest.raises(ConfigurationError, match=words):
        triggers_of(**{"flow": FLOW, **settings})


def test_the_environment_says_what_is_not_passed():
    """WATCHWORD_KEY with rotation, WATCHWORD_LEDGER written out as process-only."""
    environment = IN_LAMBDA | {"WATCHWORD_LEDGER": "process-only"}
    environment["WATCHWORD_KEY"] = base64.b64encode(bytes(range(32, 64))).decode() + ", " + environment["WATCHWORD_KEY"]
    t = triggers_of(FLOW, key=None, ledger=None, environment=environment)
    older = triggers_of(FLOW).create(event("create"), None)["response"]["privateChallengeParameters"]
    answered = event("verify", privateChallengeParameters=older, challengeAnswer="fish")
    assert {"answerCorrect": True} == t.verify(answered, None)["response"]


def test_a_function_that_only_defines_needs_no_key_and_loads_no_heavy_module():
    """`_HANDLER` ends in .define: neither key nor ledger nor courier is asked for; Create there ends closed."""
    t = triggers_of(
        FLOW,
        key=None,
        ledger=None,
        courier=None,
        environment={"AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "app.define"},
    )
    assert "CUSTOM_CHALLENGE" == t.define(event(), None)["response"]["challengeName"]
    with pytest.raises(TriggerError, match=r"^BAD_REQUEST"):
        t.create(event("create"), None)
    script = (
        "import os, sys; os.environ.update(AWS_LAMBDA_FUNCTION_NAME='f', _HANDLER='app.define');"
        "from watchword import Flow, sequence; from watchword_plugins.email_otp import EmailOtp;"
        "from watchword_plugins.captcha import Captcha; from watchword_adapters.aws_lambda import triggers;"
        "t = triggers(Flow(sequence(Captcha(), EmailOtp())));"
        "assert t.define({'request': {}, 'response': {}}, None)['response']['challengeName'];"
        "heavy = {'PIL', 'boto3', 'botocore', 'captcha', 'cryptography', 'watchword.runtime.creation'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_function_that_only_defines_tells_the_end_of_a_sign_in():
    """Without a key the user is not named; the end, its reason and the reference are told all the same."""
    events = MemoryAudit()
    t = triggers_of(
        FLOW,
        key=None,
        ledger=None,
        courier=None,
        audit=events,
        environment={"AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "app.define"},
    )
    t.define(event(), None)
    assert [] == events.events
    t.define(event(session=[{"challengeName": "SRP_A", "challengeResult": True}]), None)
    assert [("authn_login_fail", "", "broken")] == [
        (each.name, each.user, each.detail["reason"]) for each in events.events
    ]


def test_a_verify_function_needs_no_courier():
    """`_HANDLER` ends in .verify: what only Create needs is not asked for."""
    environment = IN_LAMBDA | {"_HANDLER": "app.verify"}

    class Needy(Puzzle):
        requires_create = ("no_such_module",)
        requires_verify = ()
        extra = "watchword[needy]"

    triggers_of(Flow(Needy()), environment=environment, ledger=DeadLedger(), courier=None)
    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[needy\]'"):
        triggers_of(Flow(Needy()), environment=environment | {"_HANDLER": "app.create"}, ledger=DeadLedger())


@pytest.mark.parametrize(
    "environment", [{}, IN_LAMBDA | {"_HANDLER": "app.verify"}, IN_LAMBDA | {"_HANDLER": "app.handler"}]
)
def test_what_only_verify_needs_is_asked_for_wherever_answers_are_judged(environment):
    """Not in a function of Create, which may be built without it."""

    class Needy(Puzzle):
        requires_create = ()
        requires_verify = ("no_such_module",)
        extra = "watchword[needy]"

    settings = {"ledger": DeadLedger(), "courier": None}
    with pytest.raises(ConfigurationError, match=r"needs no_such_module, .*pip install 'watchword\[needy\]'"):
        triggers_of(Flow(Needy()), environment=environment, **settings)
    triggers_of(Flow(Needy()), environment=IN_LAMBDA | {"_HANDLER": "app.create"}, **settings)


UNFIT = {"WATCHWORD_KEY": "@@", "WATCHWORD_LEDGER": "nowhere:", "WATCHWORD_COURIER": "pigeon://loft"}
NEEDED = {
    ("define", "sends"): (),
    ("define", "asks"): (),
    ("verify", "sends"): ("WATCHWORD_KEY", "WATCHWORD_LEDGER"),
    ("verify", "asks"): ("WATCHWORD_KEY", "WATCHWORD_LEDGER"),
    ("create", "sends"): ("WATCHWORD_KEY", "WATCHWORD_LEDGER", "WATCHWORD_COURIER"),
    ("create", "asks"): ("WATCHWORD_KEY", "WATCHWORD_LEDGER"),
}


@pytest.mark.parametrize(("trigger", "flow"), NEEDED, ids="-".join)
def test_one_environment_serves_every_function(trigger, flow):
    """What a function needs is read, and refused if it is unfit; every other setting may say whatever it likes."""
    flows = {"sends": Flow(EmailOtp()), "asks": Flow(Puzzle())}
    fit = IN_LAMBDA | {
        "_HANDLER": f"app.{trigger}",
        "WATCHWORD_LEDGER": "process-only",
        "WATCHWORD_COURIER": "console:",
    }
    needed = NEEDED[trigger, flow]
    unneeded = {name: text for name, text in UNFIT.items() if name not in needed}
    triggers(flows[flow], environment=fit | unneeded)
    for name in needed:
        with pytest.raises(ConfigurationError):
            triggers(flows[flow], environment=fit | {name: UNFIT[name]})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from(["define", "create", "verify"]),
    st.fixed_dictionaries(
        {},
        optional={
            "session": anything,
            "userAttributes": anything,
            "clientMetadata": anything,
            "userNotFound": anything,
            "challengeName": anything,
            "challengeAnswer": anything,
            "privateChallengeParameters": anything,
        },
    ),
)
def test_no_event_makes_a_trigger_say_yes_or_crash(trigger, request):
    """Whatever stands in an event: an ordinary answer or one of the fixed texts; no tokens, nothing right."""
    try:
        response = getattr(SHARED, trigger)(event(trigger, **request), None)["response"]
    except TriggerError as error:
        assert str(error).split()[0] in FAILURE_TEXTS
    else:
        assert not response.get("issueTokens")
        assert not response.get("answerCorrect")


SHARED = triggers_of(Flow(sequence(Riddle(), Puzzle())))


@pytest.mark.parametrize("given", ["flow.toml", Flow(EmailOtp())])
def test_previous_flows_are_given_as_a_list(given):
    """One alone is refused by the name of the argument."""
    with pytest.raises(ConfigurationError, match="previous is"):
        triggers(Flow(EmailOtp()), previous=given, key=bytes(range(32)), environment={})
