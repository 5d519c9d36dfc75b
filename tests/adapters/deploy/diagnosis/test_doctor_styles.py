"""The doctor on other people's templates, through the command: style by planted fault gives a finding, "not known", or nothing."""

import base64
import copy
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.doctor import COURIERS, CREDENTIALS, TOKENS
from kit.template_styles import BOTH, FLOW, STYLES, TRIGGERS, another_client, codes, judge, said, variable
from watchword import ConfigurationError, load_flow
from watchword_adapters.cli import main
from watchword_adapters.deploy.diagnosis.doctor_finding import SEVERITIES
from watchword_adapters.deploy.manifest import MANIFEST_NAME, FlowMark, Manifest

pytest.importorskip("yaml")

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    """A function that runs the command on a document, and returns its status and its findings."""
    folder = tmp_path_factory.mktemp("doctor")
    flow, path = folder / "flow.toml", folder / "stack.json"
    flow.write_text(FLOW)

    def run(document, *more, capsys, flow=flow, text=None):
        path.write_text(json.dumps(document) if text is None else text)
        capsys.readouterr()
        status = main(["doctor", str(flow), "--template", str(path), *map(str, more), "--json"])
        said = capsys.readouterr()
        assert "" == said.err
        told = json.loads(said.out)
        assert [] == told["commands"]
        assert (1 if any(each["severity"] == "error" for each in told["findings"]) else 0) == status
        return told["findings"]

    return run


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A function that returns the findings on a document, without the command around."""
    return judge(tmp_path_factory.mktemp("judged"))


@pytest.mark.parametrize("style", STYLES)
def test_a_sound_template_has_no_finding(style, examined, capsys):
    """As it was written: in YAML with tags and aliases, or in JSON."""
    assert [] == examined(None, capsys=capsys, text=STYLES[style].text)
    assert [] == examined(STYLES[style].document(), capsys=capsys)


# --- each finding, in each style ----------------------------------------------------------------------------------


def unsaid(what, name):
    """Return a plant that takes a member away."""
    return lambda style, document: style.properties(document, what).pop(name, None)


PLANTED = {
    "SRP left on": (said("client", "ExplicitAuthFlows", ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH"]), "WD01"),
    "every way in by default": (unsaid("client", "ExplicitAuthFlows"), "WD01"),
    "custom authentication off": (said("client", "ExplicitAuthFlows", ["ALLOW_REFRESH_TOKEN_AUTH"]), "WD02"),
    "existence told": (said("client", "PreventUserExistenceErrors", "LEGACY"), "WD03"),
    "existence told by default": (unsaid("client", "PreventUserExistenceErrors"), "WD03"),
    "no Create": (lambda style, document: style.detach(document, "create"), "WD04"),
    "no permission": (lambda style, document: style.unpermit(document, "verify"), "WD05"),
    "everybody may call": (lambda style, document: style.permit(document, "define", Principal="*"), "WD06"),
    "every pool may call": (
        lambda style, document: style.permit(
            document, "define", SourceArn={"Fn::Sub": "arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/*"}
        ),
        "WD06",
    ),
    "short sessions": (said("client", "AuthSessionValidity", 3), "WD07"),
    "short sessions by default": (unsaid("client", "AuthSessionValidity"), "WD07"),
    "no time to live": (unsaid("table", "TimeToLiveSpecification"), "WD08"),
    "time to live off": (said("table", "TimeToLiveSpecification", "Enabled", "false"), "WD08"),
    "a sort key": (said("table", "KeySchema", [{"AttributeName": "pk"}, {"AttributeName": "sk"}]), "WD09"),
    "weak key": (variable("WATCHWORD_KEY", "changeme", *BOTH), "WD10"),
    "no key": (variable("WATCHWORD_KEY", "", *BOTH), "WD10"),
    "key in the environment": (variable("WATCHWORD_KEY", KEY, *BOTH), "WD11"),
    "key put there by a dynamic reference": (
        variable("WATCHWORD_KEY", "{{resolve:secretsmanager:acme:SecretString:key}}", *BOTH),
        "WD11",
    ),
    "debug level": (variable("LOG_LEVEL", "debug", "define"), "WD12"),
    "debug by Lambda's own": (said("verify", "LoggingConfig", "ApplicationLogLevel", "DEBUG"), "WD12"),
    "long timeout": (said("verify", "Timeout", 30), "WD13"),
    "MFA": (said("pool", "MfaConfiguration", "OPTIONAL"), "WD14"),
    "tier writable": (said("client", "WriteAttributes", ["email", "custom:tier"]), "WD15"),
    "case sensitive": (said("pool", "UsernameConfiguration", "CaseSensitive", True), "WD16"),
    "case sensitive by default": (unsaid("pool", "UsernameConfiguration"), "WD16"),
    "managed login": (said("client", "AllowedOAuthFlowsUserPoolClient", True), "WD17"),
    "log for ever": (unsaid("log", "RetentionInDays"), "WD18"),
    "process-only": (variable("WATCHWORD_LEDGER", "process-only", *BOTH), "WD19"),
    "no ledger": (variable("WATCHWORD_LEDGER", "", *BOTH), "WD19"),
    "another client": (another_client, "WD20"),
    "128 MB": (said("create", "MemorySize", 128), "WD22"),
    "no revocation": (said("client", "EnableTokenRevocation", False), "WD23"),
    "two keys": (variable("WATCHWORD_KEY", "ssm:///other", "verify"), "WD24"),
    "two roots": (variable("WATCHWORD_ROOT_KEY", "ssm:///other", "verify"), "WD24"),
    "no root": (variable("WATCHWORD_ROOT_KEY", "", *BOTH), "WD32"),
    "no courier": (variable("WATCHWORD_COURIER", "", "create"), "WD26"),
    "an attribute that the pool lacks": (said("pool", "Schema", [{"Name": "level"}]), "WD49"),
    "a courier that prints codes": (variable("WATCHWORD_COURIER", "console:", "create"), "WD50"),
    "a courier's URL that cannot be read": (variable("WATCHWORD_COURIER", "ses://", "create"), "WD48"),
    "another flow": (
        said("create", "Description", "CreateAuthChallenge of the flow acme (0123456789abcdef)"),
        "WD29",
    ),
    "Define as Create": (said("create", "Handler", "define.define"), "WD33"),
    "Create as Define": (
        said("define", "Description", "CreateAuthChallenge of the flow acme (0123456789abcdef)"),
        "WD33",
    ),
    "an old runtime": (said("verify", "Runtime", "python3.8"), "WD34"),
    "invitations": (said("pool", "AdminCreateUserConfig", "AllowAdminCreateUserOnly", True), "WD30"),
    "recovery by mail": (
        said("pool", "AccountRecoverySetting", {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}),
        "WD31",
    ),
    "recovery by default": (unsaid("pool", "AccountRecoverySetting"), "WD31"),
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("style", STYLES)
def test_what_is_planted_is_found_and_nothing_else(style, name, examined, capsys):
    """Whatever the style: each with its code and its remedy, and no secret."""
    plant, code = PLANTED[name]
    document = STYLES[style].document()
    plant(STYLES[style], document)
    found = examined(document, "--client-id", STYLES[style].names["client"], capsys=capsys)
    assert {code} == codes(found)
    assert all(each["remedy"] and KEY not in each["message"] for each in found)


def test_every_finding_is_planted_in_every_style():
    """The table above; mail as the only factor, what is not known and what is in the zips have their own below, credentials their own file."""
    elsewhere = {"WD21", "WD25", "WD27", "WD28"} | CREDENTIALS | COURIERS | TOKENS
    assert set(SEVERITIES) - elsewhere == {code for _, code in PLANTED.values()}


@pytest.mark.parametrize("style", STYLES)
def test_mail_as_the_only_factor_is_noted(style, examined, capsys, tmp_path):
    """By another flow."""
    flow = tmp_path / "mail.toml"
    flow.write_text('name = "mail"\n[[steps]]\nkind = "email_otp"\nlifetime = 300\n')
    assert {"WD21"} == codes(examined(STYLES[style].document(), capsys=capsys, flow=flow))


def built(folder, trigger, **changes):
    """Write the zip of *trigger* as the build does."""
    told = {
        "runtime": "python3.12",
        "architecture": "x86_64",
        "ledgers": () if trigger == "define" else ("dynamodb",),
        "couriers": ("ses",) if trigger == "create" else (),
    }
    manifest = Manifest(trigger=trigger, handler=f"{trigger}.{trigger}", **{**told, **changes})
    with zipfile.ZipFile(folder / f"{trigger}.zip", "w") as opened:
        opened.writestr(MANIFEST_NAME, manifest.as_json())


ZIPS = {
    "sound": ({}, None),
    "another courier": ({"couriers": ("smtp",)}, "WD27"),
    "another ledger": ({"ledgers": ()}, "WD27"),
    "another runtime": ({"runtime": "python3.13"}, "WD28"),
    "another processor": ({"architecture": "arm64"}, "WD28"),
    "another flow": ({"flow": FlowMark("old", "0123456789abcdef")}, "WD29"),
    "an empty file": (b"", "WD28"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "WD28"),
    "no zip": (None, "WD28"),
}


@pytest.mark.parametrize("name", ZIPS)
@pytest.mark.parametrize("style", STYLES)
def test_what_is_built_is_compared(style, name, examined, capsys, tmp_path):
    """With what the template deploys, by --dist; and a zip that SAM names beside its template, without."""
    changes, code = ZIPS[name]
    (tmp_path / "flow.toml").write_text(FLOW)
    fingerprint = load_flow(tmp_path / "flow.toml").fingerprint
    mark = FlowMark("acme", fingerprint)
    for trigger in TRIGGERS:
        built(tmp_path, trigger, flow=mark)
    if isinstance(changes, dict):
        built(tmp_path, "create", **{"flow": mark, **changes})
    elif changes is None:
        (tmp_path / "create.zip").unlink()
    else:
        (tmp_path / "create.zip").write_bytes(changes)
    expected = {code} - {None}
    assert expected == codes(examined(STYLES[style].document(), "--dist", tmp_path, capsys=capsys))
    if name != "no zip":
        document = STYLES[style].document()
        STYLES[style].properties(document, "create").pop("Code", None)
        STYLES[style].properties(document, "create")["CodeUri"] = str(tmp_path / "create.zip")
        assert expected == codes(examined(document, capsys=capsys))


@pytest.mark.parametrize("style", STYLES)
def test_a_program_in_the_template_is_no_package(style, examined, capsys):
    """CloudFormation's ZipFile and SAM's InlineCode."""
    for name, value in (("Code", {"ZipFile": "def create(event, context): ..."}), ("InlineCode", "pass")):
        document = STYLES[style].document()
        said("create", name, value)(STYLES[style], document)
        assert {"WD28"} == codes(examined(document, capsys=capsys))


def test_a_package_of_ones_own_is_left_alone(examined, capsys, tmp_path):
    """A handler by hand, with Watchword beside it or in a layer."""
    style = STYLES["SAM with events"]
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as opened:
        opened.writestr("watchword/__init__.py", "")
    document = style.document()
    said("create", "CodeUri", str(tmp_path / "own.zip"))(style, document)
    assert [] == examined(document, capsys=capsys)
    document = style.document()
    said("create", "InlineCode", "from handlers import create")(style, document)
    said("create", "Layers", [{"Ref": "Layer"}])(style, document)
    assert [] == examined(document, capsys=capsys)


# --- whatever a template holds ------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "Ref",
        "Fn::GetAtt",
        "Fn::Sub",
        "Fn::Join",
        "Fn::If",
        "Fn::FindInMap",
        "Fn::Select",
        "Fn::Split",
        "Fn::ImportValue",
        "Fn::Transform",
        "Fn::Equals",
        "Fn::And",
        "Fn::Not",
        "Condition",
        "Type",
        "Properties",
        "Default",
        "Events",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["\ud800", "Pool", "Create", "Create.Alias", "AWS::NoValue", "AWS::Region", "${Pool.Arn}", "${!x}", "${", "*"]
    )
    | st.sampled_from(
        ["dynamodb://${Ledger}", "{{resolve:ssm:x}}", "arn:aws:lambda:x:1:function:", ":function:a:", "1", ":"]
    ),
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | TEXTS, inner, max_size=2),
    max_leaves=8,
)


def paths(value, here=()):
    """Return the path of every value in *value*."""
    yield here
    if isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(each, (*here, name))


@st.composite
def templates(draw):
    """A template in one of the styles, with something else in place of some of its values."""
    document = STYLES[draw(st.sampled_from(sorted(STYLES)))].document()
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([each for each in paths(document) if each] or [("Resources",)]))
        fields = document
        for each in way:
            fields = fields[each]
        fields[last] = copy.deepcopy(draw(TREES))
    return document


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(templates(), st.sampled_from(["", "# JSON is YAML too\n"]))
def test_no_template_raises_anything_else(judged, document, before):
    """Whatever takes the place of any value: there are findings, or a line that says what is wrong with it."""
    try:
        found = judged(document, before=before)
    except ConfigurationError as error:
        assert str(error)
    else:
        assert all(each["code"] in SEVERITIES and each["message"] for each in found)


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(templates())
def test_no_template_ends_the_command_in_another_way(capsys, tmp_path_factory, document):
    """Whatever takes the place of any value: the status is 0, 1 or 2, with words, and never a defect."""
    folder = tmp_path_factory.getbasetemp()
    flow, path = folder / "any.toml", folder / "any.json"
    flow.write_text(FLOW)
    path.write_text(json.dumps(document))
    capsys.readouterr()
    status = main(["doctor", str(flow), "--template", str(path)])
    said = capsys.readouterr()
    assert status in {0, 1, 2}
    assert "defect" not in said.err
    assert said.err if status == 2 else said.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere.toml", "--template", "stack.json"], "nowhere.toml"),
        (["flow.toml", "--template", "nowhere.json"], "nowhere.json"),
        (["flow.toml", "--template", "."], "."),
        (["flow.toml", "--template", "flow.toml"], "flow.toml"),
        (["flow.toml", "--template", "stack.json", "--dist", "nowhere"], "--dist nowhere"),
        (["flow.toml", "--template", "stack.json", "--pool-id", "Nowhere"], "has no user pool Nowhere"),
        (["flow.toml", "--template", "stack.json", "--client-id", "Nowhere"], "has no app client Nowhere"),
        (["stack.json", "--template", "flow.toml"], "stack.json"),
        (["flow.toml"], "--template"),
        (["."], "."),
    ],
)
def test_what_is_given_wrongly_has_status_2(words, why, tmp_path, monkeypatch, capsys):
    """With what is wrong, and nothing said of the rest."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.toml").write_text(FLOW)
    (tmp_path / "stack.json").write_text(json.dumps(STYLES["CDK"].document()))
    assert 2 == main(["doctor", *words])
    said = capsys.readouterr()
    assert why in said.err
    assert "" == said.out
