"""The pytest plugin: it is there for everybody who installs Watchword, and loads the engine for nobody who does not ask."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from kit.engine_host import Mail
from watchword import Flow, sequence
from watchword.testing import Mailbox, SeededRandom, VirtualClock
from watchword_adapters.srp.client import SrpClient
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

BOTH = Flow(sequence(Srp(), EmailOtp(length=6)), name="both")


def run(*command, cwd):
    """Run a program of its own, without the settings of this test run; return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    done = subprocess.run([*command], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_is_registered():
    """As `watchword` in the group that pytest reads."""
    (entry,) = entry_points(group="pytest11", name="watchword")
    assert "watchword_adapters.pytest_plugin" == entry.value


def test_it_loads_the_engine_for_nobody_who_does_not_ask(tmp_path):
    """Or coverage that begins later would not see what was loaded before; and other projects would pay for it."""
    program = (
        "import sys, watchword_adapters.pytest_plugin\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in "
        "('watchword', 'watchword_plugins', 'attrs', 'hypothesis', 'boto3')), "
        "sorted(name for name in sys.modules if name.startswith('watchword_adapters')))"
    )
    expected = "[] ['watchword_adapters', 'watchword_adapters.pytest_plugin']\n"
    assert (0, expected) == run(sys.executable, "-W", "error", "-c", program, cwd=tmp_path)


def test_a_run_that_does_not_use_it_does_not_load_the_engine(tmp_path):
    """With the plugin found by its entry point, in a project that knows nothing of Watchword."""
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\n\ndef test_nothing(request):\n"
        "    assert request.config.pluginmanager.has_plugin('watchword')\n"
        "    assert 'watchword' not in sys.modules and 'attrs' not in sys.modules\n"
    )
    status, told = run(sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", cwd=tmp_path)
    assert 0 == status, told


def test_the_kits_assertions_show_values(tmp_path):
    """A contract that fails says what it saw, as a test's own assertions do."""
    (tmp_path / "test_kit.py").write_text(
        "import pytest\nfrom watchword.testing import CourierContract\n"
        "from watchword_adapters.couriers import Outbox\n\n\n"
        "class TestLost(CourierContract):\n"
        "    @pytest.fixture\n    def courier(self):\n        return Outbox()\n\n"
        "    @pytest.fixture\n    def delivered(self):\n        return lambda: []\n\n"
        "    @pytest.fixture\n    def hanging(self):\n        return None\n"
    )
    command = (sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-k", "a_message_arrives")
    status, told = run(*command, cwd=tmp_path)
    assert 1 == status
    assert "assert [] == [('ann@exampl" in told


def test_the_fixtures_share_one_world(flow_user, outbox, frozen_clock):
    """One outbox, one clock, one ledger for every user of a test."""
    assert isinstance(outbox, Mailbox)
    assert isinstance(frozen_clock, VirtualClock)
    one, two = flow_user(BOTH), flow_user(BOTH, name="bob")
    assert (outbox, frozen_clock) == (one.outbox, one.clock) == (two.outbox, two.clock)
    assert one.ledger is two.ledger


def test_a_flow_may_be_a_file(flow_user, local_pool, tmp_path):
    """As for the triggers."""
    path = tmp_path / "flow.toml"
    path.write_text('name = "acme"\n\n[[steps]]\nkind = "email_otp"\n')
    flow_user(str(path)).signs_in().is_asked("email_otp")
    assert "ann" == local_pool(path).admin_get_user(UserPoolId="us-east-1_AbCdEf123", Username="ann")["Username"]


def test_the_outbox_is_as_strict_as_a_courier(flow_user, outbox):
    """An address that no courier takes is refused in a test too; to the client it looks sent."""
    user = flow_user(Flow(Mail()), attributes={"email": "not an address"})
    user.signs_in().is_asked("mail", error=None)
    assert ["sys_message_refused"] == [event.name for event in user.events]
    assert [] == outbox.messages


def answered(pool, reply, responses):
    """Answer the challenge of *reply*."""
    return pool.respond_to_auth_challenge(
        ClientId=pool.client_id,
        ChallengeName=reply["ChallengeName"],
        Session=reply["Session"],
        ChallengeResponses={"USERNAME": "ann", **responses},
    )


def test_the_local_pool_runs_the_flow(local_pool, outbox, frozen_clock):
    """Real SRP and real triggers with the driver's user; mail in the outbox, time by the clock."""
    pool = local_pool(BOTH, session_minutes=15)
    client = SrpClient(pool.pool_id, "ann", "Passw0rd!x", SeededRandom("client"))
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=client.auth_parameters())
    reply = answered(pool, reply, client.answer(reply["ChallengeParameters"], frozen_clock.now()))
    frozen_clock.advance(181)
    reply = answered(pool, reply, {"ANSWER": outbox.code})
    assert "expired" == reply["ChallengeParameters"]["error"]


def test_the_local_pool_gives_tokens(local_pool, outbox):
    """For the code of the mail."""
    pool = local_pool(Flow(EmailOtp()))
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    assert "AuthenticationResult" in answered(pool, reply, {"ANSWER": outbox.code})


def test_the_user_of_the_local_pool_has_what_the_flow_writes_to(local_pool, outbox):
    """As in `serve`: a verified number in one of the countries. A test may give others."""
    flow = Flow(SmsOtp(countries=("+49",), length=8))
    pool = local_pool(flow)
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    assert outbox.messages[-1].to.startswith("+49")
    assert "AuthenticationResult" in answered(pool, reply, {"ANSWER": outbox.code})
    pool = local_pool(flow, attributes={"phone_number": "+4915112345678", "custom:tier": "gold"})
    told = pool.admin_get_user(UserPoolId=pool.pool_id, Username="ann")["UserAttributes"]
    assert {("phone_number", "+4915112345678"), ("custom:tier", "gold"), ("phone_number_verified", "true")} <= {
        (each["Name"], each["Value"]) for each in told
    }


def test_a_flow_without_mail_needs_no_courier(local_pool):
    """The pool is set up for the channels that there are."""
    pool = local_pool(Flow(Captcha()), client_id="another")
    assert "another" == pool.client_id


@pytest.mark.parametrize("setting", [{"colour": "red"}, {"session_minutes": 1}])
def test_settings_are_those_of_the_pool(local_pool, setting):
    """An unknown or impossible one is refused."""
    with pytest.raises(Exception, match=r"colour|session_minutes"):
        local_pool(Flow(Captcha()), **setting)
