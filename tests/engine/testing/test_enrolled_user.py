"""Users of a test who have enrolled: over the engine's own enrolment, in the store that the test shares."""

import pytest

from watchword import ConfigurationError, Flow, enrol, enrolled, one_of, sequence, when
from watchword.errors import ProtocolError
from watchword.testing import FlowUser
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

pyotp = pytest.importorskip("pyotp")

FLOW = Flow(sequence(Srp(), one_of(Totp(), RecoveryCodes())))


def first_code(shown):
    """The first of the codes that are shown."""
    return shown["codes"].split()[0]


def test_a_user_enrols_and_signs_in(flow_user, frozen_clock):
    """With what they were shown; each code once, whichever sign-in it is."""
    user = flow_user(FLOW)
    app = pyotp.TOTP(user.enrol("totp", lambda shown: pyotp.TOTP(shown["secret"]).at(frozen_clock.now()))["secret"])
    frozen_clock.advance(30)
    code = app.at(frozen_clock.now())
    user.signs_in().answers_rightly(choice="totp").answers(code).host_retries().gets_tokens()
    user.signs_in().answers_rightly(choice="totp").answers(code).is_asked("totp", error="wrong")


def test_a_recovery_code_signs_in_once(flow_user):
    """And how many are left is told behind the password."""
    user = flow_user(FLOW)
    codes = user.enrol("recovery_codes", first_code)["codes"].split()
    sign_in = user.signs_in().answers_rightly(choice="recovery_codes")
    sign_in.is_asked("recovery_codes", codes_left=10).answers(codes[0]).gets_tokens()
    sign_in = user.signs_in().answers_rightly(choice="recovery_codes").is_asked("recovery_codes", codes_left=9)
    sign_in.answers(codes[0]).is_asked("recovery_codes", error="wrong").answers(codes[1].lower()).gets_tokens()


def test_new_codes_void_the_old(flow_user):
    """The first list is worth nothing when there is a second."""
    user = flow_user(FLOW)
    old = user.enrol("recovery_codes", first_code)["codes"].split()
    new = user.enrol("recovery_codes", first_code, label="new")["codes"].split()
    sign_in = user.signs_in().answers_rightly(choice="recovery_codes").is_asked("recovery_codes", codes_left=10)
    sign_in.answers(old[1]).is_asked("recovery_codes", error="wrong").answers(new[1]).gets_tokens()


def test_users_of_one_test_share_the_store_and_nothing_in_it(flow_user):
    """Ann's codes are not Bob's."""
    ann, bob = flow_user(FLOW), flow_user(FLOW, name="bob", attributes={"sub": "22222222-2222-4222-8222-222222222222"})
    assert ann.credentials is bob.credentials
    codes = ann.enrol("recovery_codes", first_code)["codes"].split()
    bob.enrol("recovery_codes", first_code)
    sign_in = bob.signs_in().answers_rightly(choice="recovery_codes")
    sign_in.answers(codes[1]).is_asked("recovery_codes", error="wrong")


def test_the_first_sign_in_enrols_and_the_next_one_asks(flow_user, frozen_clock, outbox):
    """The flow of the reference: who has nothing enrols both on the way; from then on the app is asked for, or a code from the list."""
    both = sequence(EmailOtp(), enrol(Totp(issuer="Acme")), enrol(RecoveryCodes()))
    user = flow_user(Flow(sequence(Srp(), when(enrolled("totp"), one_of(Totp(), RecoveryCodes()), otherwise=both))))
    sign_in = user.signs_in().answers_rightly().answers(outbox.code).is_asked("enrol_totp")
    secret = sign_in.public["secret"]
    sign_in.answers("000000").is_asked("enrol_totp", error="wrong", secret=secret)
    sign_in.answers(pyotp.TOTP(secret).at(frozen_clock.now())).is_asked("enrol_recovery_codes")
    codes = sign_in.public["codes"].split()
    sign_in.answers("0" * 16).is_asked("enrol_recovery_codes", codes=" ".join(codes))
    sign_in.answers(codes[0]).host_retries().gets_tokens()
    frozen_clock.advance(30)
    sign_in = user.signs_in().answers_rightly(choice="totp")
    sign_in.answers(pyotp.TOTP(secret).at(frozen_clock.now())).gets_tokens()
    user.signs_in().answers_rightly(choice="recovery_codes").answers(codes[0]).gets_tokens()


def test_a_wrong_answer_fails_the_test(flow_user):
    """A text may complete it too; here it is wrong."""
    with pytest.raises(AssertionError, match="'ann' is not enrolled for 'totp': wrong"):
        flow_user(FLOW).enrol("totp", "000000")


def test_nobody_enrols_for_what_is_not_there(flow_user):
    """A kind that the flow has not; a user who does not exist; a flow without a store."""
    with pytest.raises(ProtocolError):
        flow_user(FLOW).enrol("passkey", "x")
    with pytest.raises(ProtocolError):
        flow_user(FLOW, known=False).enrol("totp", "x")
    with pytest.raises(ConfigurationError, match=r"there is no store of it: .*pass credentials="):
        FlowUser(FLOW, ledger=MemoryLedger())
