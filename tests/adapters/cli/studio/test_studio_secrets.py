"""What the studio tells of triggers holds no secret, of any kind and any event; and it lights up where a sign-in is."""

import json
from pathlib import Path

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.paths import FLOWS
from kit.studio import answered, begun
from watchword_adapters.cli.logs.captured_events import RULES
from watchword_adapters.cli.studio.redaction import redacted_event, redacted_response
from watchword_adapters.cli.studio.workshop import PASSWORD, Workshop
from watchword_adapters.poolserver.inspector import TriggerRun
from watchword_adapters.userpool import ClientError

SECRET = "s3cr3t"
_NAMES = [
    "userName",
    "userAttributes",
    "sub",
    "email",
    "challengeAnswer",
    "privateChallengeParameters",
    "publicChallengeParameters",
    "clientMetadata",
    "session",
    "challengeMetadata",
    "challengeName",
    "challengeResult",
    "userNotFound",
    "password",
    "validationData",
    "claimsOverrideDetails",
    "v",
    "flow",
    "kind",
    "step",
    "issued",
    "expires",
    "proven",
    "own",
    "enrols",
    "claim",
    "carry",
    "answer",
    "code",
    "digest",
    "ref",
    "signin",
    "USERNAME",
    "secret",
    "otpauth_uri",
    "codes",
    "watchword_action",
    "watchword_choice",
    "watchword_redirect",
    "watchword_signin",
    "request",
    "response",
    "callerContext",
    "triggerSource",
]
_values = st.recursive(
    st.just(SECRET) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=12,
)
_ENGINE = {"kind", "step", "attempts_left", "expires_at", "resend_after", "error", "ref", "choices", "offers", "enrol"}
"""Of public parameters, what the engine says, and no kind can."""
_ENGINE |= {"v", "flow", "issued", "expires", "proven", "own", "enrols", "facts", "asked", "before"}
_ENGINE |= {"challengeName", "challengeResult", "userNotFound", "triggerSource", "issueTokens", "failAuthentication"}


def shown(value, name=""):
    """The names under which a secret is shown."""
    if isinstance(value, dict):
        return {found for key, each in value.items() for found in shown(each, key)}
    if isinstance(value, list):
        return {found for each in value for found in shown(each, name)}
    return {name} if SECRET in str(value) else set()


@given(st.dictionaries(st.sampled_from(_NAMES), _values, max_size=8), st.dictionaries(st.sampled_from(_NAMES), _values))
def test_only_what_the_engine_itself_writes_is_shown(request, response):
    """Whatever an event holds, and wherever: everything else is hidden."""
    event = {"triggerSource": "x", "userName": SECRET, "request": request, "response": response}
    assert shown(redacted_event(event)) <= _ENGINE
    assert shown(redacted_response(response)) <= _ENGINE


def test_the_rules_are_those_of_replay():
    """Each of them has its way here: what replay takes out of a captured event, the studio does not show."""
    request = {
        "userAttributes": {"email": SECRET, "custom:tier": SECRET},
        "challengeAnswer": SECRET,
        "privateChallengeParameters": {"digest": SECRET},
        "clientMetadata": {"watchword_action": SECRET, "watchword_choice": SECRET, "app": SECRET},
        "session": [{"challengeName": "CUSTOM_CHALLENGE", "challengeMetadata": SECRET}],
    }
    response = {"publicChallengeParameters": {"code": SECRET}, "privateChallengeParameters": {"claim": SECRET}}
    event = {"userName": SECRET, "request": request, "response": response}
    assert SECRET not in json.dumps(redacted_event(event))
    assert len(RULES) == 7  # a new rule wants its own line above


def test_what_a_client_may_choose_is_shown():
    """A step of the flow, or where a link leads; of actions the two that there are."""
    said = {"watchword_action": "resend", "watchword_choice": "email_otp", "watchword_redirect": "web"}
    told = redacted_event({"request": {"clientMetadata": said}}, {"email_otp", "web"})
    assert said == told["request"]["clientMetadata"]


KINDS = {
    "email": '[[steps]]\nkind = "email_otp"\n',
    "sms": '[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\n',
    "choice": '[[steps]]\none_of = [{kind = "email_otp"}, {kind = "captcha"}]\n',
    "link": '[[steps]]\nkind = "email_otp"\n[[steps]]\nkind = "magic_link"\nredirects = {web = "https://app.example/in"}\n',
    "totp": '[[steps]]\nkind = "email_otp"\n[[steps]]\nenrol = {kind = "totp", issuer = "Example"}\n',
    "recovery": '[[steps]]\nkind = "email_otp"\n[[steps]]\nenrol = {kind = "recovery_codes"}\n',
    "work": '[[steps]]\nkind = "proof_of_work"\n[[steps]]\nkind = "email_otp"\n',
    "when": '[[steps]]\nkind = "email_otp"\n[[steps]]\nwhen = { enrolled = "totp" }\nthen = { kind = "captcha" }\notherwise = { enrol = { kind = "totp", issuer = "Example" } }\n',
}


def workshop_of(path, text):
    path.write_text(text)
    return Workshop(path)


def sign_in(workshop):
    """Sign Ann in, as far as right answers are known; return what must never be told, and the step asked last at each Define."""
    pool, secrets, asked = workshop.pool, {PASSWORD, "ann@example.com"}, []
    runs, record = [], workshop.sign_ins.record
    workshop.sign_ins.record = lambda call: runs.extend(call.runs) or record(call)
    reply = begun(workshop)
    for _ in range(4):
        parameters = reply["ChallengeParameters"]
        asked.append((parameters.get("kind"), parameters.get("step")))
        said = {"watchword_choice": "email_otp"} if parameters.get("kind") == "select" else {}
        known = {each.step: each.text for each in workshop.inspector.answers_for("ann")}
        answer = known.get(parameters.get("step")) or _computed(parameters, workshop.clock.now()) or "-"
        secrets |= {answer, reply["Session"], *_long(parameters)}
        reply = answered(workshop, reply, answer, **said)
        if isinstance(reply, ClientError):  # a picture that nobody here reads
            break
        if "AuthenticationResult" in reply:
            secrets |= {reply["AuthenticationResult"]["AccessToken"]}
            break
    secrets |= {pool.admin_get_user(UserPoolId=pool.pool_id, Username="ann")["UserAttributes"][0]["Value"]}
    secrets |= {each.to for each in workshop.inspector.mails} | {each.link for each in workshop.inspector.mails}
    for run in runs:
        secrets |= _private(run)
    return {each for each in secrets if len(each) > 3 and each not in workshop.good.flow.steps}, asked


def _computed(parameters, now):
    """What a user's device answers to *parameters*."""
    if "otpauth_uri" in parameters:
        return pyotp.parse_uri(parameters["otpauth_uri"]).at(int(now))
    return parameters.get("codes", "").partition(" ")[0]


def _long(parameters):
    """What kinds showed the user."""
    return {
        parameters[name]
        for name in ("otpauth_uri", "secret", "codes", "challenge", "image", "signin")
        if parameters.get(name)
    }


def _private(run: TriggerRun):
    """What kinds and the engine keep: digests, claims, seals."""
    response = (run.returned or {}).get("response", {}) if isinstance(run.returned, dict) else {}
    kept = {
        **response.get("privateChallengeParameters", {}),
        **run.event["request"].get("privateChallengeParameters", {}),
    }
    shown_too = {"kind", "step", "issued", "expires", "v", "flow", "proven", "own", "enrols"}
    return {str(value) for name, value in kept.items() if name not in shown_too}


@pytest.mark.parametrize("name", KINDS)
def test_no_sign_in_leaves_a_secret_in_the_events(tmp_path, name):
    """Of any kind: no code, name, address, ticket, claim, secret, recovery code or private parameter."""
    workshop = workshop_of(tmp_path / "flow.toml", f'name = "a_flow"\n{KINDS[name]}')
    secrets, _ = sign_in(workshop)
    told = json.dumps(workshop.since(0)["events"])
    assert len(secrets) > 8
    assert [] == [each for each in secrets if each in told]


@pytest.mark.parametrize("name", KINDS)
def test_the_lit_node_is_the_step_that_is_asked(tmp_path, name):
    """At each run of Define, also where something is enrolled or chosen; each lit node is drawn."""
    workshop = workshop_of(tmp_path / "flow.toml", f'name = "a_flow"\n{KINDS[name]}')
    _, asked = sign_in(workshop)
    svg = workshop.good.shown()["svg"]
    nodes = [each["node"] for each in workshop.since(0)["events"] if each["trigger"] == "define"]
    for node, (kind, step) in zip(nodes, asked, strict=False):
        assert f'data-node="{node}"' in svg
        assert node.startswith("choose_") if kind == "select" else node == f"step_{step}"


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.toml")), ids=lambda path: path.stem)
def test_each_example_begins_at_a_node_that_is_drawn(tmp_path, path: Path):
    """And the sign-in is told without a secret."""
    workshop = workshop_of(tmp_path / "flow.toml", path.read_text())
    srp = {"SRP_A": "a" * 64, "CHALLENGE_NAME": "SRP_A"} if workshop.good.report.password else {}
    begun(workshop, **srp)
    node = workshop.since(0)["events"][0]["node"]
    assert f'data-node="{node}"' in workshop.good.shown()["svg"]
