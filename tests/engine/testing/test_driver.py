"""The driver: sign-ins that read like speech, and failures that say what happened."""

import re

import pytest
from attrs import evolve, frozen

from kit.engine_host import Mail, Puzzle, Riddle
from watchword import (
    Challenge,
    ConfigurationError,
    Flow,
    Limits,
    all_of,
    attribute,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.testing import FlowUser, Mailbox, VirtualClock
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

CODE = Flow(EmailOtp(), name="code")
BOTH = Flow(sequence(Srp(), EmailOtp(length=6)), name="both")


def says(call):
    """What a failed expectation says."""
    with pytest.raises(AssertionError) as failure:
        call()
    return str(failure.value)


# What a user does


def test_a_sign_in_reads_as_a_sentence(flow_user, outbox):
    """Password, code from the mail, tokens."""
    user = flow_user(BOTH)
    user.signs_in().is_asked("srp").answers(user.password).is_asked("email_otp").answers(outbox.code).gets_tokens()


def test_the_password_round_is_known_by_its_own_name_too(flow_user):
    """`srp` and the host's name are the same round; a step's name is not."""
    sign_in = flow_user(BOTH).signs_in()
    sign_in.is_asked("srp").is_asked("PASSWORD_VERIFIER")
    assert "the host asks for PASSWORD_VERIFIER" in says(lambda: sign_in.is_asked("email_otp"))


def test_a_wrong_password_is_the_hosts_to_refuse(flow_user, outbox):
    """Nothing of the flow's own is asked and no mail goes out."""
    flow_user(BOTH).signs_in().answers_wrongly().is_refused("wrong_password")
    flow_user(BOTH).signs_in().answers("").is_refused("wrong_password")
    assert [] == outbox.messages


def test_wrong_answers_use_up_the_tries(flow_user, outbox):
    """Each is counted, none sends anything, the last ends the sign-in."""
    sign_in = flow_user(CODE).signs_in()
    sign_in.answers_wrongly().is_asked("email_otp", attempts_left=2, error="wrong")
    sign_in.answers_wrongly(2).is_refused("tries_used_up")
    assert 1 == len(outbox.messages)


def test_a_step_that_cannot_be_asked_is_told_as_such(flow_user, outbox):
    """Its word has a sign of its own, and any response goes on."""
    user = flow_user(Flow(fallback(EmailOtp(), Riddle()), limits=Limits(messages="1/h")))
    user.signs_in().waits(20)
    sign_in = user.signs_in().is_asked("email_otp", error="unavailable", attempts_left=0)
    sign_in.asks_for_resend().is_asked("riddle").answers("fish").gets_tokens()
    assert "email_otp! riddle+" == sign_in.session
    assert 1 == len(outbox.messages)


@pytest.mark.parametrize("step", [Captcha(), EmailOtp(), EmailOtp(alphabet="letters"), Mail()])
def test_the_right_answer_is_known_where_a_kind_asked_for_a_code(flow_user, step):
    """Also where only a picture shows it; and the wrong answer differs from it in one symbol."""
    user = flow_user(Flow(step))
    user.signs_in().answers_wrongly().answers_rightly().gets_tokens()


def test_an_answer_that_no_code_was_asked_for_must_be_said(flow_user):
    """A riddle's answer is its own."""
    sign_in = flow_user(Flow(Riddle())).signs_in()
    assert "answers('…')" in says(sign_in.answers_rightly)
    sign_in.answers_wrongly().answers("fish").gets_tokens()


def test_a_resend_brings_a_new_code_after_its_cool_down(flow_user, outbox):
    """Before it none; after it a second message, and the old code is worth nothing."""
    sign_in = flow_user(CODE).signs_in()
    old = outbox.code
    sign_in.asks_for_resend().is_asked("email_otp", attempts_left=3)
    assert 1 == len(outbox.messages)
    sign_in.waits(61).asks_for_resend()
    assert 2 == len(outbox.messages)
    sign_in.answers(old).is_asked("email_otp", error="wrong").answers(outbox.code).gets_tokens()


def test_a_code_expires(flow_user, outbox, frozen_clock):
    """At the end of its lifetime the right code is too late, and the client is told why; it costs no try."""
    sign_in = flow_user(CODE, session_minutes=15).signs_in()
    frozen_clock.advance(181)
    sign_in.answers(outbox.code).is_asked("email_otp", error="expired", attempts_left=3)


def test_the_host_waits_for_so_long(flow_user, outbox):
    """After the session's validity, three minutes by default, no trigger is asked any more."""
    user = flow_user(CODE)
    user.signs_in().waits(179.9).answers(outbox.code).gets_tokens()
    user.signs_in().waits(180).answers(outbox.code).is_refused("session_over")


def test_a_choice_is_asked_for_and_made(flow_user, outbox):
    """By its own round, or along with an answer; who names none is asked again."""
    user = flow_user(Flow(all_of(EmailOtp(), Riddle())))
    sign_in = user.signs_in().is_asked("select", choices="email_otp,riddle")
    sign_in.answers("nothing").is_asked("select").chooses("riddle").answers("fish")
    sign_in.is_asked("email_otp").answers(outbox.code).gets_tokens()
    three = flow_user(Flow(all_of(named("one", Riddle()), named("two", Riddle()), named("three", Riddle()))))
    sign_in = three.signs_in().chooses("two").answers("fish", choice="three").is_asked("three")
    assert "there is no choice here" in says(lambda: sign_in.chooses("one"))


def test_a_choice_may_come_with_a_resend(flow_user, outbox):
    """A user who gets no mail takes the other option."""
    sign_in = flow_user(Flow(one_of(EmailOtp(), Riddle()))).signs_in().chooses("email_otp")
    sign_in.asks_for_resend(choice="riddle").is_asked("riddle").answers("fish").gets_tokens()


def test_a_choice_may_come_with_the_password(flow_user):
    """The host hands it on with the password's round, as with any other; after a new password it comes with that."""
    body = sequence(Srp(), one_of(EmailOtp(), Riddle()))
    user = flow_user(Flow(body))
    user.signs_in().answers_rightly(choice="riddle").is_asked("riddle").answers("fish").gets_tokens()
    user.signs_in().answers(user.password, choice="riddle").is_asked("riddle")
    invited = flow_user(Flow(body), name="bob", attributes={"cognito:user_status": "FORCE_CHANGE_PASSWORD"})
    invited.signs_in().answers_rightly().answers("N3w-password", choice="riddle").is_asked("riddle")


THREE = Flow(sequence(Srp(), one_of(named("one", Riddle()), named("two", Riddle())), named("three", Riddle())))
IDLE = {
    "a choice that is no step": (
        lambda sign_in: sign_in.answers_rightly(choice="tow"),
        "choice='tow' names no step: one, two, three",
    ),
    "a choice that is not offered": (
        lambda sign_in: sign_in.answers_rightly(choice="three"),
        "choice='three' was of no use where the host asks for PASSWORD_VERIFIER: now the flow asks for select",
    ),
    "a choice where none is left": (
        lambda sign_in: sign_in.answers_rightly(choice="one").answers("fish", choice="two"),
        "choice='two' was of no use where the flow asks for one",
    ),
    "a choice after a wrong answer": (
        lambda sign_in: sign_in.answers_rightly(choice="one").answers("cat", choice="two"),
        "choice='two' was of no use",
    ),
    "a choice with the last answer": (
        lambda sign_in: sign_in.answers_rightly(choice="one").answers("fish").answers("fish", choice="one"),
        "choice='one' was of no use where the flow asks for three (attempts_left=3): now tokens are issued",
    ),
    "chosen from what is not offered": (
        lambda sign_in: sign_in.answers_rightly().chooses("three"),
        "choice='three' was of no use where the flow asks for select (choices=one,two)",
    ),
    "a resend of the password": (
        lambda sign_in: sign_in.asks_for_resend(),
        "a message can be asked for in a round of the flow's own only, but the host asks for PASSWORD_VERIFIER",
    ),
    "no wrong answer": (lambda sign_in: sign_in.answers_wrongly(0), "times=0 does nothing"),
    "no retry": (lambda sign_in: sign_in.host_retries(-1), "times=-1 does nothing"),
}


@pytest.mark.parametrize("what", IDLE)
def test_nothing_that_a_test_says_is_passed_over_in_silence(flow_user, what):
    """A word that does nothing fails the test, with the remedy."""
    act, told = IDLE[what]
    assert told in says(lambda: act(flow_user(THREE).signs_in()))


def test_a_choice_that_ends_in_a_refusal_is_judged_by_what_is_expected_next(flow_user):
    """It was offered, but no mail could be sent."""
    user = flow_user(Flow(one_of(EmailOtp(), named("other", EmailOtp())), limits=Limits(messages="1/h")))
    user.signs_in().chooses("email_otp").waits(20)
    user.signs_in().chooses("email_otp").is_asked("email_otp", error="unavailable")
    alone = flow_user(Flow(sequence(Riddle(), EmailOtp()), limits=Limits(messages="1/h")), name="bob")
    alone.signs_in().answers("fish", choice="email_otp").waits(20)
    alone.signs_in().answers("fish", choice="email_otp").is_refused("TRY_LATER")


@pytest.mark.parametrize("minutes", [2.9, 0, 15.1, float("nan")])
def test_the_host_waits_as_long_as_cognito_can(flow_user, minutes):
    """Three to fifteen minutes; a test of another host would show nothing."""
    with pytest.raises(ConfigurationError, match="3 to 15"):
        flow_user(CODE, session_minutes=minutes)


# A deployment while people sign in


LONGER = Flow(sequence(EmailOtp(), Riddle()), name="code")


def test_a_sign_in_under_way_goes_on_by_the_flow_that_it_began_with(flow_user, outbox):
    """Where that is passed as previous; who begins later is asked what the new one asks."""
    user = flow_user(CODE)
    sign_in = user.signs_in().answers_wrongly()
    assert user is user.deploys(LONGER, previous=[CODE])
    sign_in.answers_wrongly().host_retries().answers(outbox.code).gets_tokens()
    user.clock.advance(20)
    user.signs_in().answers(outbox.code).is_asked("riddle").answers("fish").gets_tokens()


def test_without_the_flow_before_a_sign_in_under_way_is_over(flow_user, outbox):
    """In both directions: what the new flow does not know it does not take for its own."""
    for old, new in ((CODE, LONGER), (LONGER, CODE)):
        user = flow_user(old, name=f"{len(outbox.messages)}")
        sign_in = user.signs_in()
        user.deploys(new)
        sign_in.answers(outbox.code).is_refused("unknown_flow")


def test_a_deployment_keeps_the_budgets(flow_user, outbox):
    """Ledger, clock and outbox are those of before."""
    one_mail = Limits(messages="1/h")
    user = flow_user(Flow(EmailOtp(), limits=one_mail))
    user.signs_in().waits(20)
    user.deploys(Flow(sequence(Puzzle(), EmailOtp()), limits=one_mail))
    user.signs_in().answers("fish").is_refused("TRY_LATER")
    assert 1 == len(outbox.messages)


def test_what_is_deployed_is_a_flow(flow_user):
    """A path or a single previous flow is told with the remedy."""
    with pytest.raises(ConfigurationError, match="load_flow"):
        flow_user(CODE).deploys("flow.toml")
    with pytest.raises(ConfigurationError, match="a list of the flows deployed before"):
        flow_user(CODE).deploys(LONGER, previous=CODE)


def test_the_opening_may_be_told(flow_user):
    """By itself a client opens with SRP_A where the flow has a place for that; it may do otherwise."""
    user = flow_user(Flow(one_of(sequence(Srp(), EmailOtp(length=6)), named("long", EmailOtp()))))
    user.signs_in().is_asked("srp")
    user.signs_in(srp=False).is_asked("long")
    flow_user(BOTH).signs_in(srp=False).is_refused("srp_required")
    flow_user(CODE).signs_in(srp=True).is_refused("broken")


def test_somebody_unknown_goes_the_same_way_and_never_in(flow_user, outbox):
    """Asked alike, mailed nothing, refused in the end, whatever is answered."""
    stranger = flow_user(CODE, known=False)
    stranger.signs_in().is_asked("email_otp", attempts_left=3).answers_rightly().answers_wrongly(2).is_refused()
    flow_user(BOTH, known=False).signs_in().is_asked("srp").answers_rightly().is_refused("wrong_password")
    assert [] == outbox.messages


def test_attributes_and_client_decide_conditions(flow_user):
    """Attributes are added to a verified address, and may change between sign-ins."""
    gold = Flow(sequence(when(attribute("custom:tier", "gold"), Riddle()), EmailOtp()))
    user = flow_user(gold, attributes={"custom:tier": "gold"})
    user.signs_in().is_asked("riddle")
    user.attributes["custom:tier"] = "tin"
    user.signs_in().is_asked("email_otp")
    app = Flow(when(client("app-1"), Riddle(), EmailOtp()))
    flow_user(app, client="app-1").signs_in().is_asked("riddle")
    flow_user(app).signs_in().is_asked("email_otp")


def test_a_new_password_is_asked_for_once(flow_user, outbox):
    """Where the user's status says so, the host asks for one behind the right password, and it counts from then on."""
    user = flow_user(BOTH, attributes={"cognito:user_status": "FORCE_CHANGE_PASSWORD"})
    sign_in = user.signs_in().answers_rightly().is_asked("NEW_PASSWORD_REQUIRED").answers("Another1!")
    sign_in.is_asked("email_otp").answers(outbox.code).gets_tokens()
    user.signs_in().answers("Another1!").is_asked("email_otp")
    user.signs_in().answers("Passw0rd!x").is_refused("wrong_password")


def test_budgets_are_of_one_world(flow_user, outbox):
    """Users of one test share the ledger: a mail beyond the limit is not sent, whichever of them asks for it."""
    flow = Flow(EmailOtp(), limits=Limits(messages="2/15min"))
    for _ in range(2):
        flow_user(flow).signs_in().waits(20)
    flow_user(flow).signs_in().is_refused("TRY_LATER")
    assert 2 == len(outbox.messages)


def test_sign_ins_of_one_user_may_overlap(flow_user, outbox, frozen_clock):
    """Each has a session of its own, and its own code is still the right one."""
    user = flow_user(CODE)
    first, code = user.signs_in(), outbox.code
    frozen_clock.advance(20)
    second = user.signs_in()
    second.answers(outbox.code).gets_tokens()
    first.answers(code).gets_tokens()


def test_an_outage_is_unavailable(flow_user, outbox):
    """A courier that is down ends the sign-in in the client's words."""
    outbox.down = True
    flow_user(CODE).signs_in().is_refused("UNAVAILABLE")


def test_sessions_of_a_flow_before_go_on(flow_user):
    """A previous flow's extras and couriers are there as well."""
    user = flow_user(Flow(Riddle()), previous=[CODE])
    assert (CODE,) == user.engine.previous
    user.signs_in().answers("fish").gets_tokens()


# The host's retries


def test_a_host_that_calls_again_changes_nothing(flow_user, outbox):
    """The same verdicts, the same challenge, one message and one guess, at every point of a sign-in."""
    user = flow_user(Flow(sequence(Srp(), Captcha(), EmailOtp(), Riddle())))
    sign_in = user.signs_in().host_retries().answers_rightly().host_retries().is_asked("captcha")
    sign_in.answers_wrongly().host_retries().is_asked("captcha", attempts_left=2)
    sign_in.answers_rightly().host_retries(5).is_asked("email_otp")
    sign_in.asks_for_resend().host_retries()
    sign_in.answers(outbox.code).host_retries().is_asked("riddle").answers("fish").host_retries().gets_tokens()
    assert 1 == len(outbox.messages)


def test_a_host_that_calls_again_after_the_end_is_told_the_same(flow_user):
    """Refused stays refused; and what the host itself refused it does not ask about again."""
    sign_in = flow_user(Flow(Riddle(attempts=1))).signs_in().answers_wrongly().host_retries()
    sign_in.is_refused("tries_used_up")
    flow_user(BOTH).signs_in().answers_wrongly().host_retries().is_refused("wrong_password")


class Forgetful:
    """A ledger that forgets every claim and every recorded answer."""

    def __init__(self, *forgets):
        self.inner, self.forgets, self.calls = MemoryLedger(), forgets, 0

    def __getattr__(self, name):
        def call(first, *rest, **named):
            self.calls += 1
            fresh = f"{first}-{self.calls}" if name in self.forgets else first
            if name == "consume" and name in self.forgets:
                named["by"] += str(self.calls)
                fresh = first
            return getattr(self.inner, name)(fresh, *rest, **named)

        return call


def test_another_challenge_is_caught():
    """A ledger that forgets claims makes a new one for every call."""
    user = FlowUser(CODE, ledger=Forgetful("claim"))
    assert "something else" in says(lambda: user.signs_in().host_retries())


def test_a_second_message_is_caught():
    """A ledger that takes everybody for the first has the same one sent again."""

    class AlwaysFresh(MemoryLedger):
        def claim(self, key, claim_id, **named):
            return evolve(super().claim(key, claim_id, **named), fresh=True)

    user = FlowUser(CODE, ledger=AlwaysFresh())
    assert "had 2 more messages sent" in says(lambda: user.signs_in().host_retries(2))


def test_another_verdict_is_caught():
    """A ledger that does not know who won says true once and false afterwards."""
    user = FlowUser(CODE, ledger=Forgetful("consume"))
    sign_in = user.signs_in().answers(user.outbox.code)
    assert "another verdict than True" in says(sign_in.host_retries)


def test_a_challenge_that_changes_is_caught():
    """A kind that sends must show the same to a host that calls again."""
    shown = iter(range(99))

    @frozen
    class Restless(Mail):
        def create(self, request):
            return evolve(Mail.create(self, request), public={"hint": str(next(shown))})

    assert "something else" in says(lambda: FlowUser(Flow(Restless()), ledger=MemoryLedger()).signs_in().host_retries())


# What failures say


def test_a_failure_tells_the_flow_the_user_the_rounds_and_why(flow_user):
    """Everything that a person needs to see is in the message; nothing secret is."""
    user = flow_user(Flow(sequence(Srp(), Captcha(), EmailOtp()), name="acme"))
    told = says(lambda: user.signs_in().answers_rightly().answers_wrongly().is_asked("email_otp"))
    assert "expected to be asked for 'email_otp', but the flow asks for captcha (attempts_left=2, error=wrong)" in told
    for part in (
        "flow 'acme': srp, captcha, email_otp",
        "user 'ann', known, client 'app-client'",
        "session: srp_a+ password_verifier+ captcha-",
        "password_verifier+  the flow asks for captcha (attempts_left=3)",
        "why: captcha was answered wrong; 2 tries are left",
        "recorded: authn_login_fail (wrong)",
    ):
        assert part in told
    assert user.password not in told


def test_what_the_host_refuses_is_told_without_a_reason_of_the_flows(flow_user):
    """The flow was not asked."""
    told = says(lambda: flow_user(BOTH).signs_in().answers_wrongly().gets_tokens())
    assert "(gives a wrong password)  the sign-in is refused (wrong_password)" in told
    assert "why:" not in told


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        (lambda sign_in: sign_in.gets_tokens(), "expected tokens, but the flow asks for riddle"),
        (lambda sign_in: sign_in.is_refused(), "expected to be refused, but the flow asks for riddle"),
        (lambda sign_in: sign_in.is_asked("mail"), "expected to be asked for 'mail', but the flow asks for riddle"),
        (lambda sign_in: sign_in.is_asked("riddle", attempts_left=1), "expected attempts_left='1' of 'riddle', but it is '3'"),
        (lambda sign_in: sign_in.is_asked("riddle", attempts_left=None), "expected attempts_left=None"),
        (lambda sign_in: sign_in.is_asked("riddle", error="wrong"), "expected error='wrong' of 'riddle', but it is None"),
        (lambda sign_in: sign_in.chooses("riddle"), "there is no choice here"),
        (lambda sign_in: sign_in.answers("fish").is_refused(), "expected to be refused, but tokens are issued"),
        (lambda sign_in: sign_in.answers("fish").answers("fish"), "there is nothing to answer: tokens are issued"),
        (lambda sign_in: sign_in.answers("fish").is_asked("riddle"), "asked for 'riddle', but tokens are issued"),
        (lambda sign_in: sign_in.answers_wrongly(4), "there is nothing to answer: the sign-in is refused (tries_used_up)"),
        (lambda sign_in: sign_in.answers_wrongly(3).is_refused("TRY_LATER"), "refused for 'TRY_LATER', but it was for"),
        (lambda sign_in: sign_in.answers_wrongly(3).gets_tokens(), "expected tokens, but the sign-in is refused"),
    ],
)  # fmt: skip
def test_each_expectation_can_fail(flow_user, expectation, told):
    """An expectation that cannot fail would be worth nothing."""
    assert told in says(lambda: expectation(flow_user(Flow(Riddle())).signs_in()))


def test_a_kind_that_takes_anything_is_caught(flow_user):
    """A wrong answer that passes fails the test where it was given."""

    @frozen
    class Open(Puzzle):
        def create(self, request):
            return Challenge(private={"digest": request.seal(request.code("0123456789", 8))})

        def verify(self, request):
            return evolve(Riddle.verify(self, request), right=True)

    sign_in = flow_user(Flow(Open())).signs_in()
    assert "was taken for right" in says(sign_in.answers_wrongly)


def test_a_sign_in_shows_where_it_is(flow_user):
    """In a debugger too."""
    sign_in = flow_user(Flow(fallback(Riddle(attempts=1), Mail()))).signs_in().answers_wrongly()
    assert "DrivenSignIn('riddle-', the flow asks for mail (attempts_left=3))" == repr(sign_in)
    assert "riddle-" == sign_in.session
    assert "a***@e***" == sign_in.public["destination"]


def test_a_user_shows_no_secret():
    """Neither password nor attributes nor key."""
    user = FlowUser(CODE, ledger=MemoryLedger(), outbox=Mailbox(), clock=VirtualClock())
    assert not re.search("Passw0rd|example", repr(user))


def test_what_the_engine_recorded_can_be_looked_at(flow_user):
    """As an operator's log would show it."""
    user = flow_user(Flow(Riddle(), limits=Limits(guesses="1/day")))
    user.signs_in().answers_wrongly().answers("fish").is_asked("riddle", error="wrong")
    assert ["authn_login_fail", "authn_login_lock"] == [event.name for event in user.events]
