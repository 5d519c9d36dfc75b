"""What a function in Lambda loads: by its trigger, and by what its flow remembers."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
had = set(sys.modules)
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
{flow}
given = triggers(flow, key=bytes(range(32)), courier=Outbox(), ledger="process-only", credentials={store})
getattr(given, {trigger!r})({event!r}, None)
print("loaded", *set(sys.modules) - had)
"""
MAIL = """
from watchword import Flow
from watchword_plugins.email_otp import EmailOtp
flow = Flow(EmailOtp())
"""
REMEMBERING = """
from watchword import Flow, enrol, enrolled, sequence, when
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp
passkey = Passkey(rp_id="example.com", origins=("https://example.com",))
flow = Flow(sequence(EmailOtp(), when(enrolled("totp"), Totp(), otherwise=enrol(passkey)), RecoveryCodes()))
"""
ANN = {"sub": "11111111-2222-4333-8444-555555555555", "email": "ann@example.com", "email_verified": "true"}
STORE = "'process-only'"
STORES = ("watchword_adapters.credentials", "sqlite3", "boto3", "botocore")
LIBRARIES = ("fido2", "cryptography", "pyotp", "segno", "jwt", "pluggy", "tomllib")
OF_ENROLMENTS = ("watchword.contract.credentials", "watchword.contract.enrolments")
ENGINE = ("watchword.runtime", "watchword.analysis", "watchword.loading", "watchword_adapters.ledgers")
APIS = ("watchword_adapters.credentials_api", "watchword_adapters.fido2_api", "watchword_adapters.dialects")


SOURCES = {"define": "DefineAuthChallenge", "create": "CreateAuthChallenge", "verify": "VerifyAuthChallengeResponse"}
REQUESTS = {
    "define": {"session": []},
    "create": {"session": [], "challengeName": "CUSTOM_CHALLENGE"},
    "verify": {"privateChallengeParameters": {}, "challengeAnswer": "x"},
}


def loaded(trigger, flow, store=""):
    """Return the modules that a fresh process loads for the first call of *trigger*."""
    event = {
        "version": "1",
        "triggerSource": f"{SOURCES[trigger]}_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"clientId": "client"},
        "request": {"userAttributes": ANN, **REQUESTS[trigger]},
        "response": {},
    }
    program = PROGRAM.format(flow=flow, store=store or "None", trigger=trigger, event=event)
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "acme", "_HANDLER": f"app.{trigger}"}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not ran.returncode, ran.stderr
    (told,) = (line for line in ran.stdout.splitlines() if line.startswith("loaded "))
    return set(told.split()[1:])


def those_of(names, loaded):
    """Return which of *loaded* are one of *names*, or in it."""
    return sorted(each for each in loaded if any(each == name or each.startswith(f"{name}.") for name in names))


@pytest.mark.parametrize("flow", [MAIL, REMEMBERING], ids=["a flow with a code by mail", "a flow that remembers"])
def test_who_only_defines_loads_nothing_of_the_runtime(flow):
    """No engine, no ports, no library of a kind, and no API."""
    assert [] == those_of((*ENGINE, *STORES, *LIBRARIES, *APIS), loaded("define", flow))


def test_who_defines_without_what_is_enrolled_loads_no_word_of_it():
    """The classes of credentials and enrolments are for flows whose kinds use them. Nothing reads JSON either."""
    assert [] == those_of((*OF_ENROLMENTS, "json"), loaded("define", MAIL))


@pytest.mark.parametrize("trigger", ["create", "verify"])
def test_a_flow_that_remembers_nothing_loads_no_store(trigger):
    """Nor an API, nor a library of a kind that it has not."""
    assert [] == those_of((*STORES, *LIBRARIES, *APIS), loaded(trigger, MAIL))


def test_create_of_a_flow_that_remembers_nothing_loads_no_word_of_enrolments():
    """They are loaded where something is enrolled."""
    assert [] == those_of(OF_ENROLMENTS, loaded("create", MAIL))


@pytest.mark.parametrize("trigger", ["create", "verify"])
def test_kinds_that_remember_load_their_libraries_where_they_need_them(trigger):
    """Not before a challenge or an answer of theirs; of the stores only the one that was given."""
    found = loaded(trigger, REMEMBERING, STORE)
    assert [] == those_of((*LIBRARIES, *APIS, "sqlite3", "boto3", "botocore"), found)
    assert "watchword_adapters.credentials.memory" in found
