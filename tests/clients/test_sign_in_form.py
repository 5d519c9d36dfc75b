"""The sign-in form in Chromium, by keyboard alone: every example flow, and one for each other kind, against the local pool."""

import base64
import json
import time
from typing import ClassVar

import pytest

pytest.importorskip("altcha")
pytest.importorskip("fido2.webauthn")

import pyotp
from attrs import frozen

from kit.chromium import PLATFORM
from kit.paths import FLOWS
from kit.sign_in_form import NEW_PASSWORD, Keyboard, artefacts, site
from kit.user_pool import PASSWORD
from watchword import (
    Challenge,
    Flow,
    UnavailableError,
    Verdict,
    ask_first,
    enrol,
    fallback,
    load_flow,
    named,
    one_of,
    sequence,
)
from watchword.contract import Factor
from watchword_adapters.clock import SystemClock
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.passkey import Passkey
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

DONE = "You are signed in."
EXAMPLES = sorted(path.stem for path in FLOWS.glob("*.toml"))


@frozen
class Visitor(Keyboard):
    """Ann at her keyboard, at the page of a pool."""

    site: object

    def begin(self, password=None):
        """Say who signs in, with a *password* if the form asks for one."""
        if password is None:
            return self.enter("User name", "ann")
        self.fill("User name", "ann")
        return self.enter("Password", password)

    def again(self):
        """Load the page anew."""
        self.page.go(self.site.page)

    def answer(self, label, step):
        """Answer *step* rightly in the field called *label*, and press Enter."""
        self.reach(label)
        self.enter(label, self.site.answer(step))

    def read(self, selector):
        """The text of what is shown."""
        return self.page.run("({ selector }) => document.querySelector(selector).textContent", selector=selector)

    def done(self):
        """Be signed in, with the focus on what says so."""
        self.page.sees(DONE)
        assert DONE == self.page.focus()["name"]

    def code_of_app(self, secret, later=0):
        return pyotp.TOTP(secret).at(int(time.time()) + later)


def visiting(browser, running_site, query="", *devices):
    """Open the page of *running_site* in a new profile, with virtual authenticators."""
    page = browser.page(f"{running_site.page}?locale=en{query}")
    for each in devices:
        page.plug_in(each)
    return Visitor(page, running_site)


def loaded(name):
    return lambda origin: load_flow(FLOWS / f"{name}.toml")


def captcha_only(user):
    user.begin()
    user.answer("Characters in the picture", "captcha")


def email_code(user):
    user.begin()
    user.answer("Code", "email_otp")


def srp_then_code(user):
    user.begin(PASSWORD)
    user.answer("Code", "email_otp")


def password_or_code(user):
    user.begin(PASSWORD)
    user.answer("Code", "short_code")


def password_and_app(user):
    user.begin(PASSWORD)
    user.answer("Code", "email_otp")
    label = "Code from your authenticator app"
    user.reach(label)
    secret = user.read("code")
    user.enter(label, user.code_of_app(secret))
    user.done()
    user.page.go(f"{user.site.page}?locale=en&flow=custom-srp")
    user.begin(PASSWORD)
    user.reach(label)
    user.enter(label, user.code_of_app(secret, later=30))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_flow_is_signed_in_by_keyboard_alone(browser, name, tmp_path):
    """From the user name to the tokens; the focus is always seen."""
    query = "&flow=custom-srp" if "password" in name or "srp" in name else ""
    with site(loaded(name)) as running_site:
        user = visiting(browser, running_site, query)
        globals()[name](user)
        user.done()
        user.page.keep(artefacts(tmp_path), f"flow-{name}")


def test_a_flow_with_two_ways_is_signed_in_without_the_password(browser):
    """The form that asks for none opens the other way."""
    with site(loaded("password_or_code")) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.answer("Code", "email_otp")
        user.done()


def passkey(origin):
    return Passkey(rp_id="localhost", origins=(origin,), lifetime=180)


def test_a_passkey_is_made_and_then_used(browser):
    """In an enrolment behind a code, in the next sign-in as a step."""
    with site(lambda origin: Flow(sequence(EmailOtp(), enrol(passkey(origin))))) as running_site:
        user = visiting(browser, running_site, "", PLATFORM)
        for button in ("Create a passkey", "Use a passkey"):
            user.begin()
            user.answer("Code", "email_otp")
            user.press(button)
            user.done()
            user.again()


def test_a_passkey_is_offered_in_a_choice(browser):
    """The browser is asked at once (conditional mediation), and the button does the same."""
    with site(
        lambda origin: Flow(one_of(sequence(named("first", EmailOtp()), enrol(passkey(origin))), passkey(origin)))
    ) as running_site:
        user = visiting(browser, running_site, "", PLATFORM)
        user.page.run("() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false }")
        user.begin()
        user.press("First")
        user.answer("Code", "first")
        user.press("Create a passkey")
        user.done()
        user.again()
        user.page.run("() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false }")
        user.begin()
        user.press("Passkey")
        user.done()
        user.again()
        user.page.run(
            "() => { globalThis.asked = []; const get = navigator.credentials.get.bind(navigator.credentials); navigator.credentials.get = (how) => (asked.push(how.mediation), get(how)) }"
        )
        user.begin()
        user.done()
        assert ["conditional"] == user.page.run("() => asked")


def test_without_a_passkey_the_choice_goes_on(browser):
    """Whoever has none chooses another way; what the browser proposes is given up."""
    with site(lambda origin: Flow(one_of(EmailOtp(), passkey(origin)))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.press("Code by e-mail")
        user.answer("Code", "email_otp")
        user.done()


def test_a_link_signs_in_in_the_tab_that_waits_for_it(browser):
    """Where a browser opens it there; the ticket is taken out of the address."""
    kind = lambda origin: MagicLink(redirects={"web": f"{origin}/_watchword/sign-in"})  # noqa: E731
    with site(lambda origin: Flow(ask_first(kind(origin)))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.press("Link by e-mail")
        user.reach("Code")
        ticket = running_site.message.link.partition("#")[2]
        user.page.run("({ ticket }) => { location.hash = ticket }", ticket=ticket)
        user.page.sees(DONE)
        assert ["", None] == user.page.run("() => [location.hash, localStorage.getItem('watchword-sign-in:local')]")


@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
def test_a_link_names_its_sign_in_wherever_it_is_opened(browser, opens):
    """Else its tokens tell nothing of what was proved."""
    made, said = [], []

    def wrap(name, trigger):
        def watched(event, context=None):
            answer = trigger(event, context)
            if name == "create":
                made.append(answer["response"]["publicChallengeParameters"]["signin"])
            elif name == "verify":
                said.append((event["request"].get("clientMetadata", {}).get("watchword_signin"), made[-1]))
            return answer

        return watched

    kind = lambda origin: MagicLink(redirects={"web": f"{origin}/_watchword/sign-in"}, opens=opens)  # noqa: E731
    with site(lambda origin: Flow(ask_first(kind(origin))), wrap=wrap) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.press("Link by e-mail")
        user.reach("Code")
        if opens == "anywhere":
            tab = browser.page(running_site.message.link)
            Keyboard(tab).press("Sign in with the link")
        else:
            tab = user.page.tab(running_site.message.link)
        tab.sees(DONE)
    assert len(said) == 2
    assert all(named == expected for named, expected in said), said


def test_the_link_of_another_user_leaves_alone_the_sign_in_that_waits(browser):
    """Two users of one browser, or a page that leads here by a link that it made up: no try is lost, and the code is still good."""
    answers = []

    def wrap(name, trigger):
        return lambda event, context=None: (name == "verify" and answers.append(name)) or trigger(event, context)

    kind = lambda origin: MagicLink(redirects={"web": f"{origin}/_watchword/sign-in"})  # noqa: E731
    with site(lambda origin: Flow(ask_first(kind(origin))), wrap=wrap) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.press("Link by e-mail")
        user.reach("Code")
        before = len(answers)
        head = base64.urlsafe_b64encode(b'{"userName":"bob"}').decode()
        tab = user.page.tab(f"{running_site.page}?locale=en#{head}.xxxx")
        tab.sees("User name: bob")
        tab.sees("Open this link in the browser in which you began")
        assert before == len(answers)
        user.page.tab(running_site.message.link).sees(DONE)


def test_the_code_beside_a_link_signs_in(browser):
    """While the link waits, its session is kept; then no more."""
    with site(
        lambda origin: Flow(ask_first(MagicLink(redirects={"web": f"{origin}/_watchword/sign-in"})))
    ) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.press("Link by e-mail")
        user.reach("Code")
        kept = "() => Object.values(localStorage).map((each) => Object.keys(JSON.parse(each)).join())"
        assert ["username,session,signin,until"] == user.page.run(kept)
        user.answer("Code", "magic_link")
        user.done()
        assert [] == user.page.run(kept)


def test_work_is_done_before_the_code(browser):
    """Nobody does anything for it."""
    with site(lambda origin: Flow(sequence(ProofOfWork(cost=1000, work=20), EmailOtp()))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.page.sees("If you can receive messages")
        user.answer("Code", "email_otp")
        user.done()


def test_whoever_does_not_want_to_wait_for_the_work_begins_anew(browser):
    """The page stays alive while the browser works, and no answer comes afterwards."""
    with site(lambda origin: Flow(sequence(ProofOfWork(cost=100_000, work=100_000), EmailOtp()))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.page.sees("Tries:")
        user.press("Start again")
        user.reach("User name")
        assert "ann" == user.page.run("() => document.activeElement.value")


def test_a_code_by_sms_signs_in(browser):
    """The text goes to the number."""
    with site(lambda origin: Flow(SmsOtp(countries=("+49",)))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.answer("Code", "sms_otp")
        user.done()


def test_a_step_up_takes_the_access_token_from_the_app(browser):
    """Without one the form says so, and sends nothing."""
    flow = Flow(one_of(EmailOtp(), SmsOtp(countries=("+49",), with_token=True)))
    with site(lambda origin: flow) as running_site:
        user = visiting(browser, running_site)
        user.page.run(
            "() => document.addEventListener('watchword:signed-in', ({ detail }) => (globalThis.token = detail.AccessToken))"
        )
        user.begin()
        user.press("Code by e-mail")
        user.answer("Code", "email_otp")
        user.done()
        user.page.run("() => document.querySelector('watchword-sign-in').start()")
        user.begin()
        user.press("Code by text message")
        user.answer("Code", "sms_otp")
        user.page.sees("For this step you have to be signed in.")
        user.page.run("() => { document.querySelector('watchword-sign-in').accessToken = token }")
        user.answer("Code", "sms_otp")
        user.done()


def test_recovery_codes_are_shown_and_then_used(browser):
    """In an enrolment one of them is typed; the next sign-in takes another."""
    with site(lambda origin: Flow(sequence(EmailOtp(), enrol(RecoveryCodes())))) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.answer("Code", "email_otp")
        label = "Type one of the codes, to show that you kept them"
        user.reach(label)
        codes = user.page.run("() => Array.from(document.querySelectorAll('li'), (each) => each.textContent)")
        user.enter(label, codes[0])
        user.done()
        user.again()
        user.begin()
        user.answer("Code", "email_otp")
        user.enter("Recovery code", codes[1])
        user.done()


class Down:
    """A courier that brings nothing."""

    channel: ClassVar[str] = "email"
    floor = 0.0

    def send(self, letter, within):
        raise UnavailableError("down")


def test_what_cannot_be_asked_is_told_and_passed(browser):
    """The user goes on with what the flow has instead."""
    with site(lambda origin: Flow(fallback(EmailOtp(), Captcha())), courier=Down()) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.page.sees("This is not available now.")
        user.press("Continue")
        user.answer("Characters in the picture", "captcha")
        user.done()


@frozen
class Siblings:
    """A kind of a plugin, with two fields of its own."""

    kind: ClassVar[str] = "siblings"
    proves = frozenset[Factor]({"knowledge"})
    attempts = 3
    lifetime = 180

    def create(self, request):
        fields = [
            {"name": "older", "label": "Your older sister"},
            {"name": "younger", "label": "Your younger sister", "help": "Or a dash"},
        ]
        return Challenge(public={"title": "Your sisters", "input": json.dumps(fields)})

    def verify(self, request):
        return Verdict(right=json.loads(request.answer) == {"older": "Sophia", "younger": "-"}, reason="wrong")


def test_a_plugins_kind_asks_for_fields_of_its_own(browser):
    """By `input` and `title`, without a word of it in the form."""
    with site(lambda origin: Flow(Siblings())) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.page.sees("Your sisters")
        user.fill("Your older sister", "Sophia")
        user.enter("Your younger sister", "-")
        user.done()


def test_an_invited_user_chooses_a_password(browser):
    """Cognito's own round; a password against its rules is asked for again."""

    def wrap(name, trigger):
        def define(event, context):
            decided = trigger(event, context)
            if [each["challengeName"] for each in event["request"]["session"]][-1:] == ["PASSWORD_VERIFIER"]:
                decided["response"] |= {
                    "challengeName": "NEW_PASSWORD_REQUIRED",
                    "issueTokens": False,
                    "failAuthentication": False,
                }
            return decided

        return define if name == "define" else trigger

    with site(lambda origin: Flow(sequence(Srp(), EmailOtp())), wrap=wrap) as running_site:
        running_site.pool.admin_create_user(
            UserPoolId=running_site.pool.pool_id,
            Username="bob",
            TemporaryPassword=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": "bob@example.com"}, {"Name": "email_verified", "Value": "true"}],
        )
        user = visiting(browser, running_site, "&flow=custom-srp")
        user.fill("User name", "bob")
        user.enter("Password", PASSWORD)
        user.enter("New password", "short")
        user.page.sees("This password does not fit the rules.")
        user.enter("New password", NEW_PASSWORD)
        user.page.sees("A code was sent to b***@e***.")


class Shifted(SystemClock):
    """The time of a server whose clock a test puts forward."""

    shift = 0.0

    def now(self):
        return super().now() + self.shift


LATER = """async () => {
    const real = Date.now
    Date.now = () => real.call(Date) + 20_000
    while (document.querySelector('.ww-row button').disabled) await new Promise((done) => setTimeout(done, 20))
}"""
"""Lets the browser wait for 20 seconds."""


def test_a_code_is_sent_again_and_one_that_is_late_is_told(browser):
    """The button counts down until another message can be sent."""
    clock = Shifted()
    with site(lambda origin: Flow(EmailOtp(resend_after=16, lifetime=60)), clock=clock) as running_site:
        user = visiting(browser, running_site)
        user.begin()
        user.page.sees("Send again in")
        clock.shift = 20
        user.page.run(LATER)
        user.press("Send again")
        user.page.sees("Send again in")
        assert 2 == len(running_site.inspector.mails)
        clock.shift = 120
        user.answer("Code", "email_otp")
        user.page.sees("That code is no longer valid.")
        user.answer("Code", "email_otp")
        user.done()


@pytest.mark.parametrize("password", ["Pässwörd €1 \u4e16\u754c", " Aa1! \"'\\<&>{} "])
def test_passwords_of_any_characters_are_proved(browser, password):
    """And a wrong one is refused without a word about why."""
    with site(loaded("srp_then_code"), password=password) as running_site:
        user = visiting(browser, running_site, "&flow=custom-srp")
        user.begin(password + "x")
        user.page.sees("The sign-in failed.")
        user.begin(password)
        user.answer("Code", "email_otp")
        user.done()
