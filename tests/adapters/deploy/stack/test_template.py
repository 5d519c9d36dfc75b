"""The template: valid, least privilege, and exactly the flows, times and attributes that keep a sign-in closed."""

import base64
import copy
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.checked_flows import Toy
from kit.paths import FLOWS
from kit.template_flows import MAIL, PICTURE, TARGET, TIERS, Oracle, zips
from watchword import ConfigurationError, Flow, attribute, enrol, load_flow, named, one_of, sequence, when
from watchword.algebra.attributes import may_change
from watchword.analysis.checks import check
from watchword.loading.registry import Registry
from watchword.runtime.keyring import Keyring
from watchword_adapters.cli import main
from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.manifest import FlowMark
from watchword_adapters.deploy.reading import template_text
from watchword_adapters.deploy.reading.template_values import TemplateValues
from watchword_adapters.deploy.stack.pool_needs import pool_needs, session_minutes
from watchword_adapters.deploy.stack.template import MEMORY, Template, fingerprint_in
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS
from watchword_adapters.deploy.target import Target
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp


def resources(flow=MAIL, **settings):
    """Return the resources of the template of *flow*."""
    return Template(flow, TARGET, **settings).document()["Resources"]


def actions(role):
    """Return what a role allows, with the resource of each."""
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {action: each["Resource"] for each in statements for action in each["Action"]}


def test_only_create_may_send_and_only_if_a_kind_does():
    """And from one address alone."""
    mail = resources()
    sending = {name for name, each in mail.items() if name.endswith("Role") and "ses:SendEmail" in actions(each)}
    assert {"CreateRole"} == sending
    statement = mail["CreateRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][-1]
    assert {"StringEquals": {"ses:FromAddress": {"Fn::Sub": "${Sender}"}}} == statement["Condition"]
    picture = Template(PICTURE, TARGET).document()
    assert "ses:" not in json.dumps(picture)
    assert "Sender" not in picture["Parameters"]


def test_roles_allow_what_a_function_needs_and_no_more():
    """Define: its log. Create and Verify: the ledger's items and the key too. No resource is a star."""
    made = resources()
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} == set(actions(made["DefineRole"]))
    both = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    both |= {"logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:GetSecretValue"}
    assert both == set(actions(made["VerifyRole"]))
    assert both | {"ses:SendEmail"} == set(actions(made["CreateRole"]))
    allowed = [each for role in ("DefineRole", "CreateRole", "VerifyRole") for each in actions(made[role]).values()]
    assert "*" not in allowed


def test_functions_have_five_seconds_and_their_own_log_with_an_end():
    """Cognito waits no longer; logs are not kept for ever."""
    made = resources()
    for trigger in POOL_TRIGGERS:
        memory = MEMORY[trigger]
        name = trigger.capitalize()
        properties = made[f"{name}Function"]["Properties"]
        assert (5, memory, f"{trigger}.{trigger}") == (
            properties["Timeout"],
            properties["MemorySize"],
            properties["Handler"],
        )
        assert ("python3.12", ["arm64"]) == (properties["Runtime"], properties["Architectures"])
        assert {"LogGroup": {"Ref": f"{name}Logs"}} == properties["LoggingConfig"]
        assert {"Ref": "LogRetentionDays"} == made[f"{name}Logs"]["Properties"]["RetentionInDays"]


def test_define_gets_no_key_and_no_setting():
    """It cannot leak what it does not have; and no function has the key itself in its environment."""
    made = resources()
    assert "Environment" not in made["DefineFunction"]["Properties"]
    verify = made["VerifyFunction"]["Properties"]["Environment"]["Variables"]
    assert {"WATCHWORD_ROOT_KEY", "WATCHWORD_KEY", "WATCHWORD_LEDGER", "WATCHWORD_RESTART"} == set(verify)


def test_root_key_and_rotating_key_are_two_secrets_that_stay():
    """Who has the stack of before, with one secret alone, keeps it as the root: it has its name in the template."""
    made = resources()
    for trigger in ("Create", "Verify"):
        variables = made[f"{trigger}Function"]["Properties"]["Environment"]["Variables"]
        assert {"Fn::Sub": "secretsmanager://${Key}"} == variables["WATCHWORD_ROOT_KEY"]
        assert {"Fn::Sub": "secretsmanager://${RotatingKey}"} == variables["WATCHWORD_KEY"]
        # Another value of the parameter is another configuration: it ends the containers that are warm.
        assert {"Ref": "Restart"} == variables["WATCHWORD_RESTART"]
        statements = made[f"{trigger}Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        readable = [each["Resource"] for each in statements if "secretsmanager:GetSecretValue" in each["Action"]]
        assert [[{"Ref": "Key"}, {"Ref": "RotatingKey"}]] == readable
    for name in ("Key", "RotatingKey"):
        assert ("Retain", "Retain") == (made[name]["DeletionPolicy"], made[name]["UpdateReplacePolicy"])
        assert "GenerateSecretString" in made[name]["Properties"]
    outputs = Template(MAIL, TARGET).document()["Outputs"]
    assert {"Ref": "RotatingKey"} == outputs["KeySecret"]["Value"]
    assert {"Ref": "Key"} == outputs["RootKeySecret"]["Value"]


@pytest.mark.parametrize("existing", [False, True])
def test_only_the_pool_may_call_the_functions(existing):
    """A permission without the pool's ARN would let any pool of any account call."""
    made = resources(existing_pool=existing)
    for trigger in POOL_TRIGGERS:
        properties = made[f"{trigger.capitalize()}Permission"]["Properties"]
        assert "cognito-idp.amazonaws.com" == properties["Principal"]
        assert {"Ref": "AWS::AccountId"} == properties["SourceAccount"]
        assert ("UserPoolId" in json.dumps(properties["SourceArn"])) is existing
    assert ("UserPool" in made) is not existing


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=64))
def test_a_function_tells_which_flow_it_runs(name):
    """By its description, which whoever may look at the function may read; no name of a flow is taken for a fingerprint."""
    flow = Flow(EmailOtp(), name=name)
    for each in resources(flow).values():
        if each["Type"] == "AWS::Lambda::Function":
            description = each["Properties"]["Description"]
            assert flow.fingerprint == fingerprint_in(description)
            assert 256 >= len(description)  # Lambda's bound
    assert fingerprint_in(f"CreateAuthChallenge of the flow {name}") in {"", name[-17:-1]}
    assert "" == fingerprint_in("")


def test_the_client_allows_custom_authentication_and_nothing_else():
    """Any other flow would go past every challenge; and nobody learns who exists."""
    properties = resources()["Client"]["Properties"]
    assert ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"] == properties["ExplicitAuthFlows"]
    assert "ENABLED" == properties["PreventUserExistenceErrors"]


@pytest.mark.parametrize(
    ("body", "recovery"),
    [
        (sequence(Srp(), EmailOtp()), "admin_only"),
        (sequence(Srp(), one_of(Captcha(), EmailOtp())), "admin_only"),
        (sequence(Srp(), when(attribute("custom:tier", "gold"), EmailOtp())), "admin_only"),
        (one_of(Srp(), EmailOtp()), "verified_email"),
        (sequence(Srp(), Captcha()), "verified_email"),
        (EmailOtp(), "verified_email"),
    ],
)
def test_the_mailbox_of_the_code_recovers_no_password(body, recovery):
    """Else one mailbox would be both factors; where it is one factor anyway, users may help themselves."""
    setting = resources(Flow(body))["UserPool"]["Properties"]["AccountRecoverySetting"]
    assert {"RecoveryMechanisms": [{"Name": recovery, "Priority": 1}]} == setting


def test_a_changed_address_counts_once_it_is_verified():
    """Else a user who mistypes it is out, and whoever holds a session moves the mailbox at once."""
    assert ["email"] == resources()["UserPool"]["Properties"]["UserAttributeUpdateSettings"][
        "AttributesRequireVerificationBeforeUpdate"
    ]


@attrs.frozen
class Reading(Toy):
    """A kind that is told which attribute to read."""

    attribute: object = None


def test_a_client_may_not_write_what_the_flow_decides_by():
    """The pool has the attribute, the client may not write it."""
    made = resources(TIERS)
    assert [{"Name": "tier", "AttributeDataType": "String", "Mutable": True}] == made["UserPool"]["Properties"][
        "Schema"
    ]
    assert "custom:tier" not in made["Client"]["Properties"]["WriteAttributes"]


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("custom:phone", ["phone"]),
        (("custom:phone", "custom:floor"), ["phone", "floor"]),
        ("phone_number", []),
        ("custom:", []),
        ("see custom:phone", []),
        (None, []),
    ],
)
def test_the_pool_has_what_a_setting_of_a_kind_reads(setting, names):
    """A custom attribute that no condition names is in the schema too, and no client may write it; so say the manifests."""
    flow = Flow(sequence(Srp(), named("call", Reading("call", attribute=setting)), EmailOtp()))
    made = resources(flow)
    assert names == [each["Name"] for each in made["UserPool"]["Properties"].get("Schema", [])]
    assert not any(name.startswith("custom:") for name in made["Client"]["Properties"]["WriteAttributes"])
    assert tuple(f"custom:{name}" for name in sorted(names)) == pool_needs([flow])["attributes"]


@pytest.mark.parametrize("names", [["email"], ["email", "name"], ["custom:tier", "name"], ["locale"], []])
def test_a_client_may_write_something_or_else_everything(names):
    """None of what the flow decides by, and never nothing: Cognito takes an empty list for every standard attribute."""
    body = sequence(Srp(), *(when(attribute(name, "x"), Captcha()) for name in names[:1]), EmailOtp())
    for name in names[1:]:
        body = sequence(Srp(), when(attribute(name, "y"), named("other", Captcha())), *body.parts[1:])
    written = resources(Flow(body))["Client"]["Properties"]["WriteAttributes"]
    assert written
    assert not any(may_change(name, written) for name in names)


@given(st.integers(60, 600), st.integers(16, 600))
def test_the_session_outlives_every_step(lifetime, resend_after):
    """So that `check` has nothing to say about it; and not longer than it must."""
    flow = Flow(EmailOtp(lifetime=lifetime, resend_after=resend_after))
    minutes = session_minutes(flow)
    late = {"WW106", "WW111", "WW205"}
    assert not late & {each.code for each in check(flow, session_minutes=minutes).findings}
    if minutes > 3:
        assert late & {each.code for each in check(flow, session_minutes=minutes - 1).findings}


def test_the_table_is_the_ledgers_own():
    """Key and time to live are named as the ledger names them."""
    properties = resources()["Ledger"]["Properties"]
    assert [{"AttributeName": "pk", "KeyType": "HASH"}] == properties["KeySchema"]
    assert {"AttributeName": "ttl", "Enabled": True} == properties["TimeToLiveSpecification"]
    assert "Retain" == resources()["Ledger"]["DeletionPolicy"]


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", min_size=64, max_size=64))
def test_what_secrets_manager_makes_is_a_key(text):
    """Letters and digits, in fours, are base64: 48 bytes; only a visibly repeating one would be refused."""
    made = resources()["Key"]["Properties"]["GenerateSecretString"]
    assert (64, True, False) == (made["PasswordLength"], made["ExcludePunctuation"], made["IncludeSpace"])
    assert not set(text) & set(made["ExcludeCharacters"])
    secret = base64.b64decode(text, validate=True)
    assert 48 == len(secret)
    if len(set(secret)) > 16:
        assert Keyring.of(secret)


def keys_of(document):
    """Return where each function's zip is, by trigger."""
    return {
        trigger: document["Resources"][f"{trigger.capitalize()}Function"]["Properties"]["Code"]["S3Key"]
        for trigger in POOL_TRIGGERS
    }


def test_no_parameter_has_a_zip_as_its_default():
    """An update keeps the values of before: a default would be seen the first time only."""
    document = Template(MAIL, TARGET).document()
    for trigger, key in keys_of(document).items():
        assert "Default" not in document["Parameters"][key["Ref"]]
        assert f"{trigger.capitalize()}Key" == key["Ref"]


def test_another_zip_has_another_name(tmp_path):
    """It stands in the template itself, so an update deploys it; and a folder without the zips is refused."""
    before = Template(MAIL, dist=zips(tmp_path))
    assert before.uploads == keys_of(before.document())
    after = Template(MAIL, dist=zips(tmp_path, of=["create"], filling=b"two"))
    assert ["create"] == [trigger for trigger in POOL_TRIGGERS if before.uploads[trigger] != after.uploads[trigger]]
    (tmp_path / "verify.zip").unlink()
    with pytest.raises(ConfigurationError, match=r"verify\.zip is not there: run watchword build"):
        Template(MAIL, dist=tmp_path)


# --- the zips -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [Target("arm64", "3.12"), Target("x86_64", "3.13")])
def test_the_zips_say_what_the_functions_run_on(tmp_path, target):
    """Whatever runs the template's command; and who says something else is told."""
    zips(tmp_path, runtime=target.runtime, architecture=target.architecture)
    for asked in (None, target):
        made = Template(MAIL, asked, dist=tmp_path).document()["Resources"]["CreateFunction"]["Properties"]
        assert (target.runtime, [target.architecture]) == (made["Runtime"], made["Architectures"])
    other = attrs.evolve(target, python="3.11")
    with pytest.raises(
        ConfigurationError, match=rf"built for {target.runtime} on {target.architecture}, not for python3\.11"
    ):
        Template(MAIL, other, dist=tmp_path)


@pytest.mark.parametrize(
    ("of", "said", "culprit"),
    [
        (["verify"], {"trigger": "create"}, "verify.zip holds the function create"),
        (
            POOL_TRIGGERS,
            {"flow": FlowMark("mail", "0" * 16)},
            "define.zip was built of the flow mail (0000000000000000)",
        ),
        (POOL_TRIGGERS, {"flow": FlowMark("other", MAIL.fingerprint)}, "was built of the flow other"),
        (["create"], {"flow": FlowMark("mail", "0" * 16)}, "create.zip was built of the flow mail (0000000000000000)"),
        (["verify"], {"runtime": "python3.13"}, "their runtime differ"),
        (["create"], {"architecture": "x86_64"}, "their architecture differ"),
        (["verify"], {"previous": (FlowMark("mail", "1" * 16),)}, "their flows of before differ"),
        (["create"], {"kinds": ("captcha",)}, "their kinds differ"),
        (["create"], {"watchword": "0.0.1"}, "their versions of Watchword differ"),
        (["create"], {"ledgers": ("sqlite",)}, "create.zip holds another ledger (sqlite)"),
        (["verify"], {"ledgers": ()}, "verify.zip holds another ledger (none)"),
        (["create"], {"couriers": ()}, "create.zip holds no courier"),
    ],
)
def test_zips_that_do_not_fit_are_refused(tmp_path, of, said, culprit):
    """To each other, to the flow, to the ledger's table: one of them, or all. The culprit is named."""
    zips(tmp_path)
    assert Template(MAIL, dist=tmp_path)
    zips(tmp_path, of=of, **said)
    with pytest.raises(ConfigurationError, match=re.escape(culprit)):
        Template(MAIL, dist=tmp_path)


def test_a_file_that_is_no_built_zip_is_refused(tmp_path, capsys):
    """With 2, and nothing is written."""
    flow, output = str(FLOWS / "email_code.toml"), tmp_path / "stack.yaml"
    for content in (b"", b"PK", pack_zip({"lambda.py": b""}).data):
        for trigger in POOL_TRIGGERS:
            (tmp_path / f"{trigger}.zip").write_bytes(content)
        assert 2 == main(["template", flow, "--dist", str(tmp_path), "-o", str(output)])
        assert "run watchword build again" in capsys.readouterr().err
        assert not output.exists()


# --- sending ------------------------------------------------------------------------------------------------------


def sent(**settings):
    """Return the statements about sending, and the courier's URL, of the template of the flow that mails."""
    document = Template(MAIL, TARGET, **settings).document()
    granted = document["Resources"]["CreateRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    settings = document["Resources"]["CreateFunction"]["Properties"]["Environment"]["Variables"]
    return [each for each in granted if "ses:SendEmail" in each["Action"]], settings["WATCHWORD_COURIER"], document


@pytest.mark.parametrize(
    "sender", ["login@example.com", "login+codes@example.com", "a+b+c@example.com", "+@example.com"]
)
@pytest.mark.parametrize("configured", ["", "acme"])
def test_the_courier_sends_from_the_address_that_was_given(sender, configured):
    """Each that the parameter takes: a plus in it is no space."""
    _, url, document = copy.deepcopy(sent())
    for name, value in (("Sender", sender), ("ConfigurationSet", configured)):
        assert re.fullmatch(document["Parameters"][name]["AllowedPattern"], value)
        document["Parameters"][name]["Default"] = value
    said = TemplateValues(document).value(url)
    expected = {"from": [sender], **({"configuration_set": [configured]} if configured else {})}
    assert expected == parse_qs(urlsplit(said).query)


def test_a_configuration_set_may_be_used_if_one_is_named():
    """SES asks for it beside the identity, named in the request or the identity's default; no other may be used."""
    (statement,), url, document = sent()
    identity, configuration_set = statement["Resource"]
    assert identity["Fn::Sub"].endswith(":${AWS::AccountId}:identity/*")
    condition, granted, otherwise = configuration_set["Fn::If"]
    assert granted["Fn::Sub"].endswith(":${AWS::AccountId}:configuration-set/${ConfigurationSet}")
    assert {"Ref": "AWS::NoValue"} == otherwise
    assert [condition, "ses://?from=${From}&configuration_set=${ConfigurationSet}", "ses://?from=${From}"] == [
        each["Fn::Sub"][0] if isinstance(each, dict) else each for each in url["Fn::If"]
    ]
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "ConfigurationSet"}, ""]}]} == document["Conditions"][condition]
    assert "" == document["Parameters"]["ConfigurationSet"]["Default"]


@pytest.mark.parametrize(
    ("url", "ends"),
    [
        ("ses://?from=a@b.example", ["ses:${AWS::Region}:${AWS::AccountId}:identity/*"]),
        (
            "ses://?from=Acme%20<a@b.example>&configuration_set=log-in&region=eu-central-1",
            [
                "ses:eu-central-1:${AWS::AccountId}:identity/*",
                "ses:eu-central-1:${AWS::AccountId}:configuration-set/log-in",
            ],
        ),
    ],
)
def test_permissions_follow_the_couriers_url(url, ends):
    """Region, sender and configuration set, and nothing more; the template asks for no parameter then."""
    (statement,), set_to, document = sent(courier=url)
    assert [f"arn:${{AWS::Partition}}:{each}" for each in ends] == [each["Fn::Sub"] for each in statement["Resource"]]
    assert {"StringEquals": {"ses:FromAddress": "a@b.example"}} == statement["Condition"]
    assert url == set_to
    assert not {"Sender", "ConfigurationSet", "CourierUrl"} & set(document["Parameters"])


def test_another_courier_needs_no_permission_on_ses(tmp_path):
    """Its URL may hold a password: it is a parameter that nobody is shown, and never stands in the template."""
    zips(tmp_path)
    zips(tmp_path, of=["create"], couriers=("smtp",))
    granted, url, document = sent(dist=tmp_path)
    assert ([], {"Ref": "CourierUrl"}) == (granted, url)
    assert document["Parameters"]["CourierUrl"]["NoEcho"] is True
    assert not {"Sender", "ConfigurationSet"} & set(document["Parameters"])
    granted, url, _ = sent(dist=tmp_path, courier="smtp://mail.example.com:587?from=a@b.example")
    assert ([], "smtp://mail.example.com:587?from=a@b.example") == (granted, url)
    with pytest.raises(ConfigurationError, match="give it as the parameter CourierUrl") as refused:
        sent(dist=tmp_path, courier="smtp://ann:s3cret@mail.example.com:587?from=a@b.example")
    assert "s3cret" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="give it as the parameter CourierUrl") as refused:
        sent(courier="ses://?from=a@b.example&endpoint=http%3A%2F%2Fann%3As3cret%40localhost%2F")
    assert "s3cret" not in str(refused.value)


def test_every_courier_that_the_zips_hold_is_set(tmp_path):
    """A flow that sends by several channels has one for each: by parameters, or by a URL for each; not one can be left out."""
    zips(tmp_path)
    zips(tmp_path, of=["create"], couriers=("smtp", "ses"))
    (statement,), url, document = sent(dist=tmp_path)
    assert ["ses:SendEmail"] == statement["Action"]
    assert {"Sender", "ConfigurationSet", "CourierUrl"} <= set(document["Parameters"])
    by_sender, others = url["Fn::Join"][1]
    assert (" ", {"Ref": "CourierUrl"}) == (url["Fn::Join"][0], others)
    assert "Fn::If" in by_sender
    smtp, ses = "smtp://mail.example.com:587?from=a@b.example", "ses://?from=a@b.example"
    granted, url, _ = sent(dist=tmp_path, courier=f"{smtp} {ses}")
    assert ([statement["Action"]], f"{smtp} {ses}") == ([each["Action"] for each in granted], url)
    for one in (smtp, ses):
        with pytest.raises(ConfigurationError, match=r"holds (smtp, ses|ses, smtp): give one URL of each"):
            sent(dist=tmp_path, courier=one)


def test_a_courier_that_cannot_be_is_refused(tmp_path):
    """One that Create does not hold, one that is wrong, and any where nothing is sent."""
    with pytest.raises(ConfigurationError, match="holds ses: give one URL of each, or build with --courier smtp"):
        sent(dist=zips(tmp_path), courier="smtp://mail.example.com?from=a@b.example")
    with pytest.raises(ConfigurationError, match="needs the sender"):
        sent(courier="ses://?region=eu-west-1")
    with pytest.raises(ConfigurationError, match="no kind of the flow sends"):
        Template(PICTURE, TARGET, courier="ses://?from=a@b.example")


def test_verify_may_send_where_a_step_enrols(tmp_path):
    """The user is told of what was enrolled; Create has the courier only if a kind sends, too."""
    enrolling = enrol(Totp())
    quiet, loud = Flow(sequence(Srp(), enrolling)), Flow(sequence(EmailOtp(), enrolling))
    for flow, senders in ((quiet, {"Verify"}), (loud, {"Create", "Verify"}), (MAIL, {"Create"})):
        made = resources(flow, courier="ses://?from=a@b.example")
        told = {name for name in ("Define", "Create", "Verify") if "WATCHWORD_COURIER" in str(made[f"{name}Function"])}
        allowed = {name for name in ("Define", "Create", "Verify") if "ses:SendEmail" in actions(made[f"{name}Role"])}
        assert senders == told == allowed
    zips(tmp_path, quiet, couriers=())
    with pytest.raises(ConfigurationError, match=r"verify\.zip holds no courier"):
        Template(quiet, dist=tmp_path)
    zips(tmp_path, quiet, of=["verify"], couriers=("ses",))
    made = Template(quiet, dist=tmp_path, courier="ses://?from=a@b.example").document()["Resources"]
    assert "WATCHWORD_COURIER" in str(made["VerifyFunction"])
    assert "WATCHWORD_COURIER" not in str(made["CreateFunction"])


def test_a_kind_says_what_it_must_be_allowed():
    """Create and Verify run it and may do it, Define may not; once, for however many steps."""
    flow = Flow(sequence(Oracle("oracle", frozenset({"knowledge"})), named("again", Oracle("oracle"))))
    made = resources(flow)
    told = {
        role: json.dumps(made[role]).count("bedrock:InvokeModel") for role in ("DefineRole", "CreateRole", "VerifyRole")
    }
    assert {"DefineRole": 0, "CreateRole": 1, "VerifyRole": 1} == told
    broken = attrs.make_class("Broken", [], bases=(Oracle,), frozen=True, class_body={"permissions": ("bedrock:*",)})
    with pytest.raises(
        ConfigurationError, match=r"kind 'oracle': permissions is .* a tuple of watchword\.contract\.Permission"
    ):
        Flow(broken("oracle", frozenset({"knowledge"})))


def test_flows_of_before_go_on_sending(tmp_path):
    """Their sign-ins are under way when a flow that sends nothing comes: Create keeps its courier, and what it may do."""
    before = (FlowMark("mail", MAIL.fingerprint),)
    zips(tmp_path, PICTURE, previous=before, kinds=("captcha", "email_otp", "not_installed", "srp"))
    document = Template(PICTURE, dist=tmp_path).document()
    made = document["Resources"]
    assert "WATCHWORD_COURIER" in made["CreateFunction"]["Properties"]["Environment"]["Variables"]
    assert "ses:SendEmail" in actions(made["CreateRole"])
    assert {"Sender", "ConfigurationSet"} <= set(document["Parameters"])
    zips(tmp_path, PICTURE)
    zips(tmp_path, PICTURE, of=["create"], couriers=())
    assert "ses:" not in json.dumps(Template(PICTURE, dist=tmp_path).document())


def test_kinds_of_flows_before_go_on_with_what_they_may_do(tmp_path, monkeypatch):
    """The zips say which they are."""
    monkeypatch.setattr(Registry, "find_kind", lambda _, name: {"oracle": Oracle, "captcha": Captcha}[name])
    zips(tmp_path, kinds=("captcha", "email_otp", "oracle"))
    made = Template(MAIL, dist=tmp_path).document()["Resources"]
    told = {
        role: json.dumps(made[role]).count("bedrock:InvokeModel") for role in ("DefineRole", "CreateRole", "VerifyRole")
    }
    assert {"DefineRole": 0, "CreateRole": 1, "VerifyRole": 1} == told


def test_the_pool_keeps_the_attributes_of_flows_before():
    """Cognito can take none out of a pool: an update that leaves one out would fail."""
    made = resources(MAIL, attributes=("custom:tier",))
    assert ["tier"] == [each["Name"] for each in made["UserPool"]["Properties"]["Schema"]]
    assert ["tier"] == [
        each["Name"] for each in resources(TIERS, attributes=("custom:tier",))["UserPool"]["Properties"]["Schema"]
    ]
    with pytest.raises(ConfigurationError, match="write it as custom:tier"):
        Template(MAIL, TARGET, attributes=("tier",))


PREVIOUS = {
    "an attribute": (TIERS, "custom:tier"),
    "a standard attribute": (Flow(sequence(Srp(), when(attribute("email", "a@b.c"), Captcha()))), "email"),
    "two attributes": (
        Flow(
            sequence(Srp(), when(attribute("custom:a", "1"), when(attribute("custom:b", "1"), Captcha(), EmailOtp())))
        ),
        "custom:b",
    ),
    "long steps": (Flow(EmailOtp(lifetime=600)), ""),
    "mail": (MAIL, ""),
}


@pytest.mark.parametrize("own", [PICTURE, MAIL, TIERS], ids=lambda flow: flow.name)
@pytest.mark.parametrize("name", PREVIOUS)
def test_pool_and_client_are_those_of_the_flows_before_too(own, name, tmp_path):
    """Their sign-ins are under way: what they decide by is kept and not written, their steps fit, their mailbox is closed."""
    before, decided = PREVIOUS[name]
    made = Template(own, dist=zips(tmp_path, own, **pool_needs([own, before]))).document()["Resources"]
    pool, client = made["UserPool"]["Properties"], made["Client"]["Properties"]
    alone = [Template(flow, TARGET).document()["Resources"] for flow in (own, before)]
    schema = {each["Name"] for one in alone for each in one["UserPool"]["Properties"].get("Schema", ())}
    assert schema == {each["Name"] for each in pool.get("Schema", ())}
    assert not decided or not may_change(decided, client["WriteAttributes"])
    assert max(one["Client"]["Properties"]["AuthSessionValidity"] for one in alone) == client["AuthSessionValidity"]
    ways = [one["UserPool"]["Properties"]["AccountRecoverySetting"] for one in alone]
    closed = next((way for way in ways if way["RecoveryMechanisms"][0]["Name"] == "admin_only"), ways[0])
    assert closed == pool["AccountRecoverySetting"]


# --- YAML ---------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)  # longer ones are read as texts
    | st.text()
    | st.sampled_from(["yes", "No", "1.0", "a: b", "- a", "#", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), VALUES, min_size=1, max_size=4))
def test_what_is_written_as_yaml_reads_the_same(value):
    """Whatever texts it holds: words that YAML takes for something else, line ends, signs."""
    pytest.importorskip("yaml")
    assert value == template_text.parse_template_text(template_text.template_as_yaml(value), "it")


def test_yaml_has_no_anchor_keeps_the_order_and_folds_no_line():
    """A person searches it for what it says."""
    pytest.importorskip("yaml")
    shared = {"b": "word " * 60 + "end", "a": ["2012-10-17"]}
    once = f"  b: {shared['b']}\n  a:\n  - '2012-10-17'\n"
    assert f"z:\n{once}y:\n{once}" == template_text.template_as_yaml({"z": shared, "y": shared})


def test_without_pyyaml_the_template_is_written_as_json_alone(tmp_path, monkeypatch, capsys):
    """The remedy is said, and nothing is written."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    target, flow = tmp_path / "stack", str(FLOWS / "srp_then_code.toml")
    assert 2 == main(["template", flow, "-o", str(target)])
    assert "writing YAML needs PyYAML: pip install 'watchword[aws]'" in capsys.readouterr().err
    assert not target.exists()
    assert 0 == main(["template", flow, "-o", str(target), "--format", "json"])


def test_short_forms_of_cloudformation_are_read_as_long_ones():
    """As a person writes them."""
    pytest.importorskip("yaml")
    text = "A: !Ref Pool\nB: !GetAtt Pool.Arn\nC: !Sub 'x${Pool}'\nD: !If [Yes, 1, !Ref 'AWS::NoValue']\n"
    read = template_text.parse_template_text(text, "it")
    assert {"A": {"Ref": "Pool"}, "B": {"Fn::GetAtt": ["Pool", "Arn"]}, "C": {"Fn::Sub": "x${Pool}"}} == {
        name: read[name] for name in "ABC"
    }
    assert {"Ref": "AWS::NoValue"} == read["D"]["Fn::If"][2]


def test_what_is_no_yaml_is_refused_by_line(monkeypatch):
    """And without a reader of YAML, the remedy is said. No object is ever made of it."""
    pytest.importorskip("yaml")
    with pytest.raises(ConfigurationError, match=r"stack\.yaml, line 2 is neither"):
        template_text.parse_template_text("a: 1\nb: [", "stack.yaml")
    assert {"Fn::!python/object/apply:os.system": ["true"]} != template_text.parse_template_text("a: 1", "x")
    with pytest.raises(ConfigurationError, match="neither JSON nor YAML"):
        template_text.parse_template_text("a: !!python/object/apply:os.system ['true']", "x")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[aws\]'"):
        template_text.parse_template_text("a: 1", "x")


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_writes_the_template_and_says_how_the_zips_get_there(tmp_path, capsys):
    """The commands go to standard output, or beside it where the template takes that."""
    flow = FLOWS / "srp_then_code.toml"
    zips(tmp_path, load_flow(flow))
    target = tmp_path / "stack.json"
    assert 0 == main(["template", str(flow), "--dist", str(tmp_path), "-o", str(target), "--format", "json"])
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert 3 == len(lines)
    made = json.loads(target.read_text())["Resources"]
    for trigger, line in zip(POOL_TRIGGERS, lines, strict=True):
        key = made[f"{trigger.capitalize()}Function"]["Properties"]["Code"]["S3Key"]
        assert ["aws", "s3", "cp", str(tmp_path / f"{trigger}.zip"), f"s3://${{BUCKET:?}}/{key}"] == shlex.split(line)
    assert 0 == main(["template", str(flow), "--dist", str(tmp_path)])
    said = capsys.readouterr()
    assert said.out.startswith("AWSTemplateFormatVersion")
    assert lines == said.err.splitlines()[1:]
    assert f"Runtime: {TARGET.runtime}" in said.out.replace('"', "")
    for option in (["--python", "3.13"], ["--arch", "x86_64"]):
        assert 2 == main(["template", str(flow), "--dist", str(tmp_path), *option])
        assert "leave --arch and --python out" in capsys.readouterr().err
    assert 0 == main(["template", str(flow), "--dist", str(tmp_path), "--python", "3.12", "--attribute", "custom:tier"])
    assert "Name: tier" in capsys.readouterr().out


def test_a_zip_that_the_template_leaves_out_is_told(tmp_path, capsys):
    """Who built it wanted its function; the option that makes it is named."""
    flow = FLOWS / "srp_then_code.toml"
    zips(tmp_path, load_flow(flow), of=(*POOL_TRIGGERS, "pre_token", "credentials_api"))
    assert 0 == main(["template", str(flow), "--dist", str(tmp_path), "-o", str(tmp_path / "stack.yaml")])
    said = capsys.readouterr().err
    for name, option in (("pre_token", "--pre-token"), ("credentials_api", "--credentials-api")):
        assert f"{tmp_path / name}.zip was built, and the template has no function for it: say {option}" in said
    (tmp_path / "credentials_api.zip").unlink()
    assert 0 == main(
        ["template", str(flow), "--dist", str(tmp_path), "--pre-token", "-o", str(tmp_path / "stack.yaml")]
    )
    assert "was built" not in capsys.readouterr().err


def test_what_is_printed_runs_in_a_shell(tmp_path, capsys):
    """With the bucket in a variable, whatever the folder is called; without the variable it fails."""
    dist, tools = tmp_path / "it's a $HOME", tmp_path / "bin"
    tools.mkdir()
    zips(dist, load_flow(FLOWS / "email_code.toml"))
    (tools / "aws").write_text('#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done\n')
    (tools / "aws").chmod(0o755)
    assert 0 == main(["template", str(FLOWS / "email_code.toml"), "--dist", str(dist), "-o", str(tmp_path / "t.yaml")])
    script, path = capsys.readouterr().out, {"PATH": f"{tools}:/usr/bin:/bin"}
    ran = subprocess.run(["sh", "-e", "-c", script], env={**path, "BUCKET": "acme"}, capture_output=True, text=True)
    words = ran.stdout.splitlines()
    assert [str(dist / f"{trigger}.zip") for trigger in POOL_TRIGGERS] == words[2::4]
    assert all(each.startswith("s3://acme/") for each in words[3::4])
    assert subprocess.run(["sh", "-e", "-c", script], env=path, capture_output=True).returncode


@pytest.mark.parametrize("command", ["template", "graph"])
def test_no_input_file_is_overwritten(tmp_path, command, capsys, monkeypatch):
    """By its own name, by a link, or by way of a module; and a place that cannot be written is a wrong argument."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    toml, module = Path("flow.toml"), Path(f"flow_of_{command}.py")
    toml.write_bytes((FLOWS / "email_code.toml").read_bytes())
    module.write_text(
        "from watchword import Flow\nfrom watchword_plugins.email_otp import EmailOtp\nit = Flow(EmailOtp())\n"
    )
    Path("link").symlink_to(toml)
    Path("hard").hardlink_to(toml)
    for flow, output in (
        ("flow.toml", "flow.toml"),
        ("flow.toml", "./flow.toml"),
        ("flow.toml", "link"),
        ("flow.toml", "hard"),
        (f"{module.stem}:it", str(module)),
    ):
        before = toml.read_bytes(), module.read_bytes()
        assert 2 == main([command, flow, "-o", output])
        assert f"{Path(output)} is read by this command" in capsys.readouterr().err
        assert before == (toml.read_bytes(), module.read_bytes())
    assert 2 == main([command, "flow.toml", "-o", str(tmp_path)])
    assert "cannot be written" in capsys.readouterr().err


def test_no_zip_is_overwritten_by_the_template(tmp_path, capsys):
    """A zip is read too."""
    for trigger in POOL_TRIGGERS:
        (tmp_path / f"{trigger}.zip").write_bytes(trigger.encode())
    output = tmp_path / "create.zip"
    assert 2 == main(["template", str(FLOWS / "email_code.toml"), "--dist", str(tmp_path), "-o", str(output)])
    assert "write to another file" in capsys.readouterr().err
    assert b"create" == output.read_bytes()


TEXTED = Flow(SmsOtp(length=8, countries=("+49",)), name="texted")
BOTH = Flow(sequence(EmailOtp(), SmsOtp(countries=("+49",))), name="both")
VOICE = "sms-voice://?origination=pool-0123&max_price=0.10"


@pytest.mark.parametrize(
    ("url", "actions", "resource"),
    [
        (VOICE, ["sms-voice:SendTextMessage"], "sms-voice:${AWS::Region}:${AWS::AccountId}:pool/pool-0123"),
        (
            "sms-voice://?origination=%2B4915112345678&max_price=0.1&region=eu-west-1",
            ["sms-voice:SendTextMessage"],
            "sms-voice:eu-west-1:${AWS::AccountId}:phone-number/*",
        ),
        ("sns://", ["sns:Publish"], "*"),
    ],
)
def test_create_may_send_sms_as_the_url_says(url, actions, resource):
    """By the one identity that the URL names; a telephone number that is written to has no ARN."""
    role = Template(TEXTED, TARGET, courier=url).document()["Resources"]["CreateRole"]["Properties"]
    (found,) = [
        each
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
        if set(actions) <= set(each["Action"])
    ]
    assert resource in json.dumps(found["Resource"])
    other = Template(TEXTED, TARGET, courier=url).document()["Resources"]["VerifyRole"]
    assert actions[0] not in json.dumps(other)


@pytest.mark.parametrize(
    ("flow", "url", "said"),
    [
        (TEXTED, "", "the flow sends by sms: give --courier its URL"),
        (BOTH, "", "the flow sends by sms: give --courier its URL"),
        (TEXTED, "ses://?from=a@b.example", "no URL for sms"),
        (BOTH, VOICE, "no URL for email"),
    ],
)
def test_a_channel_without_a_courier_is_refused(flow, url, said):
    """Otherwise the stack would be made, and no code would go out."""
    with pytest.raises(ConfigurationError, match=said):
        Template(flow, TARGET, courier=url)
    Template(flow, TARGET, courier=f"ses://?from=a@b.example {VOICE}")
