"""Functions that were built for a dialect: Define answers as the engine's does there, and Create and Verify know its words."""

import copy
import logging
import os
from itertools import product

import pytest

from kit import hosts
from kit.artefact import built_define
from kit.engine_host import Mail
from kit.linking_kinds import Linked
from kit.passkeys import StandIn
from kit.sessions import results
from oracles.flow_oracles import short_lists
from watchword import ConfigurationError, Flow, ask_first, one_of
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.target import PYTHONS, Target, this_python
from watchword_plugins.sms_otp import SmsOtp

pytestmark = pytest.mark.exhaustive

STEP = SmsOtp(countries=("+1",), with_token=True)
FLOWS = {
    "alone": Flow(StandIn()),
    "choice": Flow(one_of(Mail(), StandIn())),
    "link": Flow(ask_first(Linked(opens="anywhere"))),
    "step-up": Flow(ask_first(STEP)),
    "all": Flow(one_of(StandIn(), Linked(opens="anywhere"), STEP)),
}
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "define", "_HANDLER": "define.define"}
SAID = [
    None,
    *(
        {name: value for name, value in said.items() if value}
        for said in (
            {"signInMethod": method, "watchword_action": action, "watchword_choice": choice}
            for method, action, choice in product(("FIDO2", "", 7), ("answer", "resend", ""), ("passkey", "mail", ""))
        )
    ),
    *({"signInMethod": "MAGIC_LINK", "alreadyHaveMagicLink": have} for have in ("yes", "no", "YES", 7, None)),
    {"signInMethod": "MAGIC_LINK"},
    {"signInMethod": "SMS_OTP_STEPUP", "alreadyHaveMagicLink": "yes", "watchword_action": "answer"},
    "no mapping",
]


@pytest.fixture(autouse=True)
def _quiet():
    logger = logging.getLogger("watchword.audit")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.mark.parametrize("name", FLOWS)
def test_every_short_session_list_is_answered_as_by_the_engine(name, tmp_path):
    """Whatever the client says in its own words, in the engine's, or in both."""
    flow = FLOWS[name]
    audit = MemoryAudit()
    define = triggers(flow, dialect="passwordless", audit=audit, environment=LAMBDA).define
    ends = set()
    with built_define(tmp_path, flow, dialect="passwordless") as built:
        for rounds in short_lists(flow, 2):
            for said in SAID:
                session = results(rounds)
                given = hosts.event(session=session, **({} if said is None else {"clientMetadata": said}))
                expected = define(copy.deepcopy(given))
                assert expected == built.define(copy.deepcopy(given)), (rounds, said)
                ends.add(expected["response"]["issueTokens"])

    assert {True, False} == ends


FLOW = """
[[steps]]
one_of = [{ kind = "email_otp" }, { kind = "passkey", rp_id = "example.com", origins = ["https://example.com"] }]
"""


@pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python")
@pytest.mark.skipif(
    os.environ.get("WATCHWORD_INDEX_TESTS") != "1", reason="asks the package index; set WATCHWORD_INDEX_TESTS=1"
)
def test_create_and_verify_know_the_words(tmp_path):
    """They hold the dialect, and nothing of the API, which is a function beside them; each starts from its zip alone."""
    (tmp_path / "flow.toml").write_text(FLOW)
    order = BuildOrder(str(tmp_path / "flow.toml"), Target("x86_64", this_python()), dialect="passwordless")
    define, create, verify, api = (dict(each.archive.files) for each in build(order).functions)

    assert "passwordless_words.py" in define
    assert "watchword_adapters/fido2_api/api.py" in api
    for files in (create, verify):
        assert "watchword_adapters/dialects/passwordless.py" in files
        assert [] == [name for name in files if "_api/" in name or "/rest/" in name]


def test_a_flow_that_the_client_cannot_pass_is_not_built(tmp_path):
    """It is said before anything is fetched."""
    (tmp_path / "flow.toml").write_text('[[steps]]\nkind = "email_otp"\n')

    with pytest.raises(ConfigurationError, match="no step that the passwordless client can sign in with"):
        build(BuildOrder(str(tmp_path / "flow.toml"), Target("x86_64", "3.12"), dialect="passwordless"))
