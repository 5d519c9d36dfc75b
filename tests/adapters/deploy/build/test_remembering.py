"""Functions of flows that remember: each starts from its zip alone, holds what it needs, and the APIs are built where asked."""

import json
import re

import pytest
from attrs import evolve

from kit import lambda_runtime
from kit.artefact import shelf_of, unpacked
from kit.paths import DOCS
from watchword import Flow, ask_first, load_flow
from watchword.loading.registry import Registry
from watchword_adapters.cli import main
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.function_plan import plan_function
from watchword_adapters.deploy.build.smoke_test import _environment
from watchword_adapters.deploy.manifest import FUNCTIONS, FlowMark, Manifest, read_manifest
from watchword_adapters.deploy.target import PYTHONS, Target, this_python
from watchword_plugins.sms_otp import SmsOtp

HERE = Target("x86_64", this_python()) if this_python() in PYTHONS else None
pytestmark = [pytest.mark.exhaustive, pytest.mark.skipif(HERE is None, reason="Lambda has no such Python")]

MAIL = '[[steps]]\nkind = "email_otp"\n\n'
PASSKEY = '{ kind = "passkey", rp_id = "example.com", origins = ["https://example.com"] }'
FLOWS = {
    "totp": f'{MAIL}[[steps]]\nwhen = {{ enrolled = "totp" }}\nthen = {{ kind = "totp" }}\n',
    "recovery_codes": f'{MAIL}[[steps]]\none_of = [{{ kind = "totp" }}, {{ kind = "recovery_codes" }}]\n',
    "step_up": '[[steps]]\nask_first = { kind = "sms_otp", countries = ["+1"], with_token = true }\n',
    "passkey": f'[[steps]]\none_of = [{PASSKEY}, {{ kind = "email_otp" }}]\n',
    "enrol": f'{MAIL}[[steps]]\nenrol = {{ kind = "totp" }}\n',
}
READS_TOKENS = {"cffi", "cryptography", "pycparser", "pyjwt"}
ALL = {"credentials_api": True, "dialect": "passwordless", "pre_token": True}


@pytest.fixture
def order(tmp_path, monkeypatch):
    """A function that writes the flow of a name, and returns an order to build it."""
    monkeypatch.chdir(tmp_path)

    def made(name, **settings):
        (tmp_path / "flow.toml").write_text(FLOWS[name])
        return BuildOrder("flow.toml", HERE, **settings)

    return made


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Wheels of all that these flows need, so that no index is asked."""
    return shelf_of(tmp_path_factory.mktemp("wheels"), "pyotp", "fido2", *READS_TOKENS)


def plans(order):
    """What each function of *order* would be made of, by its name."""
    flows, registry = (load_flow(order.flow),), Registry()
    return {name: plan_function(name, order, flows, registry, {}) for name in order.functions(flows[0])}


@pytest.mark.parametrize(("name", "settings"), [("totp", {}), ("recovery_codes", {}), ("enrol", {}), ("passkey", ALL)])
def test_every_function_starts_from_its_zip(name, settings, order, shelf):
    """With a store of credentials set, as every function of the flow has it."""
    made = build(order(name, wheels=shelf, **settings))
    assert [*FUNCTIONS] == [each.trigger for each in made.functions] if settings else ["define", "create", "verify"]
    assert {""} == {each.tried.untried for each in made.functions}
    assert 100_000 > made.functions[0].archive.unpacked  # Define remembers nothing
    assert not [file for file in made.functions[0].archive.files if "credentials" in file]


def test_the_trial_sets_every_variable_that_a_function_may_demand(tmp_path):
    """What is on the page of variables, but for those that nothing demands: else a flow of a new kind could not be built."""
    page = (DOCS / "reference" / "environment.md").read_text("utf-8")
    told = set(re.findall(r"^\| `(WATCHWORD_\w+)` \|", page, re.MULTILINE))
    given = _environment(tmp_path, Manifest("create", "create.create", "python3.12", "arm64", FlowMark("a", "b")))
    assert {"WATCHWORD_ORIGINS", "WATCHWORD_RESTART", "WATCHWORD_DEBUG"} == told - given.keys()
    assert 5 < len(told & given.keys())


def test_each_function_holds_the_distributions_that_it_needs(order):
    """A signature is judged in Verify and in the APIs, a token read in the APIs alone."""
    passkey = {name: set(plan.manifest.distributions) for name, plan in plans(order("passkey", **ALL)).items()}
    judging = {"attrs", "pluggy", "fido2"} | READS_TOKENS
    assert {"attrs", "pluggy"} == passkey["create"]
    assert judging - {"pyjwt"} == passkey["verify"]
    assert judging == passkey["credentials_api"] == passkey["fido2_api"]
    totp = {name: set(plan.manifest.distributions) for name, plan in plans(order("totp", credentials_api=True)).items()}
    assert {"attrs", "pluggy", "pyotp"} == totp["create"] == totp["verify"]
    assert {"attrs", "pluggy", "pyotp"} | READS_TOKENS == totp["credentials_api"]


def test_a_zip_says_which_store_and_courier_it_holds(order):
    """An API tells users of what they changed, so it sends; Verify only where a step enrols."""
    made = {name: plan.manifest for name, plan in plans(order("totp", credentials_api=True)).items()}
    assert {("dynamodb",)} == {each.credentials for each in made.values()}
    assert {"create": ("ses",), "verify": (), "credentials_api": ("ses",)} == {
        name: each.couriers for name, each in made.items()
    }
    assert ("ses",) == plans(order("enrol"))["verify"].manifest.couriers
    assert ("sqlite",) == plans(order("totp", credentials="sqlite"))["verify"].manifest.credentials


def test_the_function_of_tokens_holds_the_ledger_alone(order):
    """It reads what Verify has noted: neither store nor courier, and nothing that a kind requires."""
    plan = plans(order("passkey", **ALL))["pre_token"]
    assert (("dynamodb",), (), ()) == (plan.manifest.ledgers, plan.manifest.credentials, plan.manifest.couriers)
    assert {"attrs", "pluggy"} == set(plan.manifest.distributions)
    assert not [name for name in plan.files if name.startswith("watchword_adapters/co")]


def test_functions_of_a_sign_in_hold_nothing_of_the_apis(order):
    """Nor the other way round; and one API nothing of the other."""
    made = {name: set(plan.files) for name, plan in plans(order("passkey", **ALL)).items()}
    assert not [name for each in ("create", "verify") for name in made[each] if "_api/" in name or "/rest/" in name]
    for each in ("credentials_api", "fido2_api"):
        assert "watchword_adapters/aws_lambda.py" not in made[each]
        other = {"credentials_api": "fido2_api", "fido2_api": "credentials_api"}[each]
        assert not [name for name in made[each] if name.startswith(f"watchword_adapters/{other}/")]
    assert not [name for name in made["credentials_api"] if "/dialects/" in name]


def test_verify_holds_what_reads_tokens_where_an_answer_comes_with_one(order):
    """And no other function does: Create makes no call of the pool."""
    made = plans(order("step_up", couriers=("sns",), dialect="passwordless", wheels=None))

    held = {name: "watchword_adapters/rest/access_tokens.py" in plan.files for name, plan in made.items()}
    assert {"create": False, "verify": True} == held
    readers = {
        name: {each.name for each in plan.distributions} & {"pyjwt", "cryptography"} for name, plan in made.items()
    }
    assert {"create": set(), "verify": {"pyjwt", "cryptography"}} == readers
    assert not [name for name in made["verify"].files if "_api/" in name]


def test_apis_are_built_where_they_are_asked_for(order):
    """The client's own with its dialect, since it registers passkeys there and nowhere else."""
    flow = load_flow(order("passkey").flow)
    step_up = Flow(ask_first(SmsOtp(countries=("+1",), with_token=True)))
    assert ("create", "verify") == order("passkey").functions(flow)
    assert ("create", "verify", "credentials_api") == order("passkey", credentials_api=True).functions(flow)
    assert ("create", "verify", "fido2_api") == order("passkey", dialect="passwordless").functions(flow)
    assert ("create", "verify") == order("passkey", dialect="passwordless").functions(step_up)


def test_no_api_is_built_for_a_flow_for_which_nobody_enrols(tmp_path, monkeypatch, capsys):
    """It is said before anything is fetched, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.toml").write_text(MAIL)
    assert 2 == main(["build", "flow.toml", "--credentials-api"])
    assert "users enrol for no kind of the flow" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_the_api_of_an_earlier_build_goes(order, shelf, tmp_path):
    """Otherwise the one that is deployed beside the new functions would be of another flow. Other files stay."""
    dist = tmp_path / "dist"
    wanted = order("totp", wheels=shelf, credentials_api=True)
    build(wanted).write(dist)
    assert "credentials_api" == read_manifest(dist / "credentials_api.zip").trigger
    (dist / "other.zip").write_bytes(b"")
    build(evolve(wanted, credentials_api=False)).write(dist)
    assert ["create.zip", "define.zip", "other.zip", "verify.zip"] == sorted(each.name for each in dist.iterdir())


def event(method, path):
    """An event of an HTTP API, payload format 2.0."""
    headers = {"origin": "https://example.com"}
    return {"version": "2.0", "rawPath": path, "headers": headers, "requestContext": {"http": {"method": method}}}


def test_the_apis_run_under_the_runtime_client(order, shelf, tmp_path):
    """Each at its path: who has no token is refused, and a page of the origin may ask."""
    pytest.importorskip("awslambdaric", reason="pip install awslambdaric")
    made = build(order("passkey", wheels=shelf, **ALL))
    environment = {
        "WATCHWORD_KEY": "MDEyMzQ1Njc4OWFiY2RlZkFCQ0RFRkdISUpLTE1OT1A=",
        "WATCHWORD_LEDGER": "process-only",
        "WATCHWORD_CREDENTIALS": "process-only",
        "WATCHWORD_COURIER": "ses://?from=a@example.com",
        "WATCHWORD_POOL": "us-east-1_Abc123",
        "WATCHWORD_CLIENTS": "one two",
        "WATCHWORD_ORIGINS": "https://example.com",
    }
    for function, path in (("credentials_api", "/credentials"), ("fido2_api", "/fido2/authenticators/list")):
        (one,) = [each for each in made.functions if each.trigger == function]
        folder = unpacked(one.archive, tmp_path / function)
        with lambda_runtime.function(folder, one.handler, environment) as run:
            refused = run(event("GET" if function == "credentials_api" else "POST", path))
            asked = run(event("OPTIONS", path))
        assert (401, "Unauthorized") == (refused["statusCode"], json.loads(refused["body"])["message"])
        assert (204, "https://example.com") == (asked["statusCode"], asked["headers"]["Access-Control-Allow-Origin"])
