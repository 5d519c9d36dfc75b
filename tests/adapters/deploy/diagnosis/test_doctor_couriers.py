"""The doctor on couriers: a channel without one, a role that may not send, and what SMS may cost at the service."""

import json

import pytest

from kit.template_flows import TARGET
from watchword import Flow, sequence
from watchword_adapters.deploy.diagnosis.courier_findings import courier_findings
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment
from watchword_adapters.deploy.reading.read_aws import _Reading
from watchword_adapters.deploy.reading.read_template import read_template
from watchword_adapters.deploy.reading.values import Unknown
from watchword_adapters.deploy.stack.template import Template
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

boto3 = pytest.importorskip("boto3", reason="pip install boto3")
moto = pytest.importorskip("moto", reason="pip install moto")
stub = pytest.importorskip("botocore.stub")

TEXTED = Flow(sequence(Srp(), SmsOtp(countries=("+49",))), name="texted")
BOTH = Flow(sequence(EmailOtp(), SmsOtp(countries=("+49",))), name="both")
MAIL, VOICE, SNS = "ses://?from=a@b.example", "sms-voice://?origination=pool-0123&max_price=0.10", "sns://"


BAD = "sns://?max_prise=1"


def function(urls, rights=None):
    """A function with these couriers, and a role with the statements *rights*."""
    facts = {"Environment": {"Variables": {"WATCHWORD_COURIER": urls}}}
    return DeployedFunction("create", facts, rights=rights)


def found(urls, flow=None, rights=None, **settings):
    """What is found on the couriers *urls* of Create."""
    deployment = Deployment(functions={"create": function(urls, rights)}, **settings)
    return [(each.code, each.message) for each in courier_findings(deployment, flow)]


@pytest.mark.parametrize(
    ("flow", "urls", "missing"),
    [(TEXTED, MAIL, "sms"), (BOTH, MAIL, "sms"), (BOTH, VOICE, "email"), (BOTH, SNS, "email")],
)
def test_a_channel_without_a_courier_is_found(flow, urls, missing):
    """By its name."""
    assert [("WD26", f"create has no courier for {missing}, by which the flow sends: it does not start")] == found(
        urls, flow
    )


@pytest.mark.parametrize(
    ("flow", "urls"),
    [
        (TEXTED, VOICE),
        (TEXTED, f"{MAIL} {SNS}"),
        (BOTH, f"{MAIL} {VOICE}"),
        (TEXTED, ""),
        (TEXTED, "pigeon://"),
        (TEXTED, f"pigeon:// {BAD}"),
        (Flow(Srp()), BAD),
    ],
)
def test_no_channel_is_missed_without_a_reason(flow, urls):
    """Every channel has one; none at all is found elsewhere; what is not installed here is not known here."""
    assert [] == found(urls, flow)


@pytest.mark.parametrize("flow", [TEXTED, None], ids=["flow", "none"])
@pytest.mark.parametrize(
    ("urls", "why"),
    [
        (BAD, "an option that it does not know"),
        ("sms-voice://?origination=pool-0123&max_price=eleven", "max_price"),
        ("sms-voice://?origination=pool-*&max_price=0.1", "origination"),
        ("sms-voice://?max_price=0.1", "needs the option origination"),
        ("ses://", "from"),
        (f"{MAIL} {SNS} {VOICE}", "two couriers carry the channel 'sms'"),
        (f"{SNS}&{MAIL}", "does not know"),
        (f"{SNS} pigeon", "given by a URL"),
    ],
)
def test_a_url_is_read_as_create_will_read_it(urls, why, flow):
    """Where its courier is installed: with one that it cannot read, Create does not start."""
    ((code, message),) = (each for each in found(urls, flow) if each[0] != "WD26")
    assert ("WD48", True) == (code, message.startswith("create cannot read WATCHWORD_COURIER: "))
    assert why in message


def allow(*actions, effect="Allow"):
    """A statement on everything."""
    return {"Effect": effect, "Action": list(actions), "Resource": "*"}


@pytest.mark.parametrize(
    ("urls", "rights", "lacking"),
    [
        (VOICE, (), "sms-voice:SendTextMessage"),
        (VOICE, (allow("sns:Publish"),), "sms-voice:SendTextMessage"),
        (VOICE, (allow("sms-voice:SendTextMessage", effect="Deny"),), "sms-voice:SendTextMessage"),
        (SNS, (allow("sms-voice:SendTextMessage"),), "sns:Publish"),
        (MAIL, (allow("sns:Publish"),), "ses:SendEmail"),
        (f"{MAIL} {SNS}", (allow("dynamodb:*"),), "ses:SendEmail, sns:Publish"),
    ],
)
def test_a_role_that_may_not_send_is_found(urls, rights, lacking):
    """Whatever service it is."""
    assert [("WD42", f"create may not send: its role lacks {lacking}")] == found(urls, rights=rights)


@pytest.mark.parametrize(
    ("urls", "rights"),
    [
        (VOICE, (allow("sms-voice:SendTextMessage"),)),
        (VOICE, (allow("sms-voice:Send*"),)),
        (SNS, (allow("*"),)),
        (SNS, (allow("SNS:publish"),)),
        ("smtp://mail.example.com?from=a@b.example", ()),
        (VOICE, None),
        (VOICE, Unknown("a parameter")),
    ],
)
def test_a_role_that_may_send_or_is_not_known_is_no_finding(urls, rights):
    """A star and a pattern allow what they cover."""
    assert [] == found(urls, rights=rights)


@pytest.mark.parametrize("scheme", ["sns", "sms-voice"])
def test_sms_without_a_limit_of_ones_own_are_found(scheme):
    """The remedy is the service's command."""
    (finding,) = courier_findings(Deployment(spending={scheme: ""}), None)
    assert ("WD43", "warning") == (finding.code, finding.severity)
    assert finding.remedy.startswith("aws ")
    assert [] == list(courier_findings(Deployment(spending={scheme: "50"}), None))


@pytest.mark.parametrize("url", [f"{MAIL} {VOICE}", f"{MAIL} {SNS}"])
def test_the_template_of_a_flow_by_sms_has_no_finding_on_couriers(tmp_path, url):
    """What it grants is what the courier needs; without the grant it is found."""
    document = json.loads(json.dumps(Template(BOTH, TARGET, courier=url).document()))
    path = tmp_path / "template.json"

    def codes():
        path.write_text(json.dumps(document), encoding="utf-8")
        return {each.code for each in diagnose(read_template(path), BOTH)} & {"WD26", "WD42", "WD43"}

    assert set() == codes()
    policies = document["Resources"]["CreateRole"]["Properties"]["Policies"]
    for policy in policies:
        statements = policy["PolicyDocument"]["Statement"]
        statements[:] = [
            each
            for each in statements
            if not str(each["Action"]).count("SendTextMessage") and "sns:Publish" not in str(each["Action"])
        ]
    assert {"WD42"} == codes()


def spending(clients, *urls):
    """What is read of the services, and what could not be."""
    reading = _Reading(clients)
    return dict(reading.spending([function(" ".join(urls))])), reading.unread


@pytest.fixture
def sns(monkeypatch):
    """SNS, as moto has it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        yield boto3.client("sns", region_name="eu-west-1")


def test_the_limit_of_sns_is_read(sns):
    """None, until one is set."""
    assert ({"sns": ""}, []) == spending(lambda _: sns, SNS)
    sns.set_sms_attributes(attributes={"MonthlySpendLimit": "50"})
    assert ({"sns": "50"}, []) == spending(lambda _: sns, f"{MAIL} {SNS}")


@pytest.fixture
def voice():
    """AWS End User Messaging, by botocore's model of the service."""
    client = boto3.client(
        "pinpoint-sms-voice-v2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with stub.Stubber(client) as stubbed:
        yield client, stubbed


def limits(**text):
    """What the service says of its limits."""
    others = {"Name": "VOICE_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": 1, "MaxLimit": 1, "Overridden": True}
    return {"SpendLimits": [others, {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "MaxLimit": 100, **text}]}


@pytest.mark.parametrize(("overridden", "limit"), [(True, "50"), (False, "")])
def test_the_limit_of_end_user_messaging_is_read(voice, overridden, limit):
    """Of texts, and only if it is the operator's own."""
    client, stubbed = voice
    stubbed.add_response("describe_spend_limits", limits(EnforcedLimit=50, Overridden=overridden))
    assert ({"sms-voice": limit}, []) == spending(lambda _: client, VOICE)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalServerException"])
def test_a_limit_that_cannot_be_read_is_not_known(voice, code):
    """It is no finding, and what was not checked is said."""
    client, stubbed = voice
    stubbed.add_client_error("describe_spend_limits", code)
    assert ({}, [f"the spending limit of sms-voice ({code})"]) == spending(lambda _: client, VOICE)


def test_a_limit_in_another_region_is_not_known(voice):
    """Each region has its own; the remedy is to ask there."""
    client, _ = voice
    told, unread = spending(lambda _: client, f"{VOICE}&region=us-east-1")
    assert ({}, ["the spending limit of sms-voice (it is in us-east-1, ask with --region)"]) == (told, unread)


def test_no_service_is_asked_that_no_courier_uses():
    """Who sends mail needs no rights on SNS."""
    assert ({}, []) == spending(lambda service: pytest.fail(service), MAIL)
