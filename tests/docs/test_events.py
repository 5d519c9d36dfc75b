"""The examples in the reference of events are what the local pool sends, and what the triggers read."""

import copy
import json
import re

import pytest

from kit.paths import DOCS
from watchword import Flow
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

PAGE = DOCS / "reference" / "events.md"
PASSWORD = "Passw0rd!x"
CAPTURED = "CAPTURED"  # of the service itself, so the local pool is not asked for it


def examples():
    """Each example of the page, by its trigger's source; of those captured at the service, the source and CAPTURED."""
    found = {}
    for said, block in re.findall(r"(Captured[^\n]*\n+)?```json\n(.*?)\n```", PAGE.read_text(), re.DOTALL):
        event = json.loads(block)
        found[f"{event['triggerSource']} {CAPTURED}" if said else event["triggerSource"]] = event
    return found


def keeping(kept, trigger=None):
    """A trigger that keeps a copy of its first event of each source, and answers as *trigger* does."""

    def kept_first(event, context):
        kept.setdefault(event["triggerSource"], copy.deepcopy(event))
        return event if trigger is None else trigger(event, context)

    return kept_first


@pytest.fixture(scope="module")
def sent():
    """The first event of each source that a local pool sends in the life of an account."""
    kept = {}
    clock, outbox = VirtualClock(1_795_888_000), Outbox()
    made = triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=outbox, clock=clock, environment={})
    others = dict.fromkeys(("pre_sign_up", "post_confirmation", "pre_token_generation"), keeping(kept))

    def migrate(event, context):
        event["response"].update(userAttributes={"email": "bob@example.com"}, finalUserStatus="CONFIRMED")
        return event

    pool = LocalUserPool(
        *(keeping(kept, each) for each in made),
        **others,
        user_migration=keeping(kept, migrate),
        pre_token_version="V2_0",
        clock=clock,
        random=SeededRandom(),
    )
    client = {"ClientId": pool.client_id}
    email = [{"Name": "email", "Value": "ann@example.com"}]
    pool.sign_up(**client, Username="ann", Password=PASSWORD, UserAttributes=email)
    code = pool.outbox[-1].text.split()[-1]
    pool.confirm_sign_up(**client, Username="ann", ConfirmationCode=code)
    reply = pool.initiate_auth(**client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    answer = {"USERNAME": "ann", "ANSWER": re.search(r"\d{8}", outbox.messages[-1].text)[0]}
    asked = {"ChallengeName": reply["ChallengeName"], "Session": reply["Session"], "ChallengeResponses": answer}
    pool.respond_to_auth_challenge(**client, **asked, ClientMetadata={"device": "laptop"})
    bob = {"USERNAME": "bob", "PASSWORD": PASSWORD}
    pool.initiate_auth(**client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=bob)
    return kept


def shape(value, name=""):
    """The form of an event: its keys, and the types of what they hold; what differs from user to user is left open."""
    if isinstance(value, dict) and name in {"userAttributes", "privateChallengeParameters", "clientMetadata"}:
        assert all(isinstance(each, str) for each in value.values())
        return "texts"
    if isinstance(value, dict):
        return {key: shape(each, key) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("source", [each for each in examples() if CAPTURED not in each])
def test_an_example_is_what_the_local_pool_sends(sent, source):
    """Key by key, nulls among them."""
    assert shape(sent[source]) == shape(examples()[source])


def test_every_trigger_has_an_example(sent):
    """Of each kind of trigger that the pool calls, at least one."""
    prefixes = {source.partition("_")[0] for source in examples()}
    assert prefixes == {source.partition("_")[0] for source in sent}


@pytest.mark.parametrize("source", [each for each in examples() if "AuthChallenge" in each])
@pytest.mark.parametrize("response", ["as it is", {}, None, "missing"])
def test_the_triggers_read_the_examples(source, response):
    """With whatever response they come."""
    event = copy.deepcopy(examples()[source])
    if response == "missing":
        del event["response"]
    elif response != "as it is":
        event["response"] = response
    made = triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=Outbox(), clock=VirtualClock(), environment={})
    assert made.handler(event, None)["response"]


MISSING = object()
ODD = [
    (path, MISSING if form == "missing" else json.loads(form.strip("`")))
    for path, forms in re.findall(
        r"^\| `([\w.]+)` \| ([^|]+) \| [^|]+ \|$", PAGE.read_text().split("## Odd forms")[1], re.MULTILINE
    )
    for form in re.findall(r"missing|`[^`]+`", forms)
]


def with_form(event, path, form):
    """Return *event* with *form* at *path*, or None if it has no such place."""
    event = copy.deepcopy(event)
    *way, last = path.split(".")
    place = event
    for step in way:
        if isinstance(place, list):
            place = place[int(step)] if int(step) < len(place) else None
        else:
            place = place.get(step) if isinstance(place, dict) else None
    if not isinstance(place, dict) or (last not in place and form is MISSING):
        return None
    place.pop(last, None)
    if form is not MISSING:
        place[last] = form
    return event


@pytest.mark.parametrize(("path", "form"), ODD)
def test_the_triggers_take_each_odd_form(path, form):
    """In every example that has the place; none makes tokens or a right answer."""
    made = triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=Outbox(), clock=VirtualClock(), environment={})
    examined = [with_form(each, path, form) for source, each in examples().items() if "AuthChallenge" in source]
    assert any(examined)
    for event in filter(None, examined):
        answer = made.handler(event, None)["response"]
        assert answer.get("issueTokens") is not True
        assert answer.get("answerCorrect") is not True


def test_the_events_after_a_password_are_those_of_the_page():
    """The session of a sign-in that began with the password names both of its rounds."""
    kept = []

    def define(event, context):
        kept.append(copy.deepcopy(event["request"]["session"]))
        return made.define(event, context)

    made = triggers(Flow(Srp()), key=bytes(range(32)), clock=VirtualClock(), environment={})
    pool = LocalUserPool(define, None, None, random=SeededRandom())
    pool.add_user("ann", password=PASSWORD)
    srp = SrpClient(pool.pool_id, "ann", PASSWORD, SeededRandom())
    client = {"ClientId": pool.client_id}
    reply = pool.initiate_auth(**client, AuthFlow="CUSTOM_AUTH", AuthParameters=srp.auth_parameters())
    proof = srp.answer(reply["ChallengeParameters"], pool.clock.now())
    asked = {"ChallengeName": "PASSWORD_VERIFIER", "Session": reply["Session"], "ChallengeResponses": proof}
    pool.respond_to_auth_challenge(**client, **asked)
    page = PAGE.read_text()
    assert all(json.dumps(each) in page for each in kept[-1])


MODELS = {
    "DefineAuthChallenge_Authentication": "CognitoDefineAuthChallengeTriggerModel",
    "CreateAuthChallenge_Authentication": "CognitoCreateAuthChallengeTriggerModel",
    "PreSignUp_SignUp": "CognitoPreSignupTriggerModel",
    "PostConfirmation_ConfirmSignUp": "CognitoPostConfirmationTriggerModel",
    "TokenGeneration_Authentication": "CognitoPreTokenGenerationTriggerModelV1",  # the second's has scopes as no list
    "UserMigration_Authentication": "CognitoMigrateUserTriggerModel",
}


@pytest.mark.parametrize("source", MODELS)
def test_powertools_models_take_what_the_local_pool_sends(sent, source):
    """A handler that parses its events works here as it does there. Its model of Verify wants an answer that is not there yet."""
    models = pytest.importorskip("aws_lambda_powertools.utilities.parser.models")
    assert getattr(models, MODELS[source]).model_validate(sent[source]).triggerSource == source
