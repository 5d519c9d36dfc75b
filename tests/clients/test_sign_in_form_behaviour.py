"""The sign-in form in Chromium, as a page has it: late replies, two forms, a form that goes away, what is kept, other origins."""

import base64
import json

import pytest

from kit.chromium import ClientError
from kit.sign_in_form import STATES, Keyboard, shows, site, state
from watchword import Flow, Limits
from watchword_adapters.poolserver import pages
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

FORM = "document.querySelector('watchword-sign-in')"
RESTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def served():
    """One pool, in which each test may have messages of its own."""
    with site(lambda origin: Flow(EmailOtp(), limits=Limits(messages="1000/h"))) as running_site:
        yield running_site


@pytest.fixture
def page(browser, served):
    return browser.page(f"{served.page}?locale=en")


WAITS = """() => {
    const form = document.querySelector('watchword-sign-in')
    globalThis.asked = []
    globalThis.told = []
    for (const name of ['challenge', 'signed-in', 'error']) document.addEventListener(`watchword:${name}`, () => told.push(name))
    const next = (...given) => new Promise((reply, fail) => asked.push({ given, reply, fail }))
    form.handler = { begin: next, respond: next }
}"""
REPLIES = "async ({ place, reply }) => { asked[place].reply(reply); await new Promise((done) => setTimeout(done)) }"
FAILS = "async ({ place }) => { asked[place].fail(new Error('late')); await new Promise((done) => setTimeout(done)) }"
CODE = {"challenge": STATES["code_to_nobody_in_particular"]}


def waiting(page):
    """Have each step wait for `answered`."""
    page.run(WAITS)
    return Keyboard(page)


def answered(page, place, reply):
    page.run(REPLIES, place=place, reply=reply)


def given(page):
    return page.run("() => asked.map(({ given }) => given[0])")


def test_enter_twice_sends_once(page):
    """Enter, Enter, the button, and a submit of a script: one step is taken at a time."""
    user = waiting(page)
    user.enter("User name", "ann")
    page.keys("Enter", "Enter", "Tab", "Enter", "Space")
    page.run("() => document.querySelector('form').requestSubmit()")
    assert ["ann"] == given(page)
    answered(page, 0, CODE)
    user.enter("Code", "123456")
    page.keys("Enter")
    assert ["ann", "123456"] == given(page)


def test_a_button_that_is_pressed_twice_sends_once(page):
    """And so it is if two are pressed."""
    user = waiting(page)
    user.enter("User name", "ann")
    answered(page, 0, {"challenge": STATES["choice"]})
    page.run(
        "() => { for (const each of document.querySelectorAll('.ww-stack button')) { each.click(); each.click() } }"
    )
    assert ["ann", "-"] == given(page)


@pytest.mark.parametrize("late", ["challenge", "tokens", "failure"])
def test_a_reply_that_comes_after_start_again_is_not_shown(page, late):
    """Nor told: neither a challenge, nor tokens, nor an error. The next sign-in goes on as if there had been none."""
    user = waiting(page)
    user.enter("User name", "ann")
    answered(page, 0, CODE)
    user.fill("Code", "123456")
    page.keys("Enter")
    page.run("() => [...document.querySelectorAll('button')].at(-1).click()")
    user.fill("User name", "bob")
    before = page.run("() => told.length")
    if late == "failure":
        page.run(FAILS, place=1)
    else:
        answered(page, 1, {"done": {}} if late == "tokens" else {"challenge": STATES["choice"]})
    assert before == page.run("() => told.length")
    assert "bob" == page.run("() => document.querySelector('input').value")
    page.keys("Enter")
    answered(page, 2, CODE)
    user.reach("Code")


def test_the_focus_stays_while_a_step_is_taken(page):
    """And the form says that it is busy."""
    user = waiting(page)
    user.fill("User name", "ann")
    user.press("Continue")
    page.run(RESTED)
    assert "Continue" == page.focus()["name"]
    page.sees("One moment")
    answered(page, 0, CODE)
    assert "Code" == page.focus()["name"]
    assert "" == page.run("() => document.querySelector('[role=status]').textContent")


def test_nobody_is_taken_away_from_where_they_are(page):
    """Neither by the first form of a page, nor by a reply that comes while they read something else."""
    page.run(
        "() => { const b = document.createElement('button'); b.textContent = 'Elsewhere'; document.body.append(b) }"
    )
    assert "body" == page.focus()["tag"]
    user = waiting(page)
    user.enter("User name", "ann")
    page.run("() => [...document.querySelectorAll('button')].at(-1).focus()")
    answered(page, 0, CODE)
    assert "Elsewhere" == page.focus()["name"]


def test_two_forms_on_a_page_have_nothing_in_common(page):
    """Ids are unique, and each goes its own way."""
    page.run(
        f"() => {{ const again = {FORM}.cloneNode(); {FORM}.after(again); again.handler = {{ begin: async () => ({{ challenge: {json.dumps(STATES['choice'])} }}) }} }}"
    )
    page.run(RESTED)
    shows(page, STATES["app_new"])
    page.run("() => document.querySelectorAll('watchword-sign-in')[1].begin('bob', '')")
    page.sees("How do you want to sign in?")
    ids = page.run("() => Array.from(document.querySelectorAll('[id]'), (each) => each.id)")
    assert len(ids) == len(set(ids))
    assert 1 == page.run("() => document.adoptedStyleSheets.length")
    assert page.run(f"() => {FORM}.textContent").startswith("Authenticator app")


def test_a_form_that_is_taken_away_ends(page):
    """What comes for it is told to nobody. Put back, it begins anew."""
    user = waiting(page)
    user.enter("User name", "ann")
    page.run(f"() => {{ globalThis.form = {FORM}; form.remove() }}")
    answered(page, 0, {"done": {}})
    assert [] == page.run("() => told")
    assert "" == page.run("() => form.textContent")
    page.run("() => document.querySelector('main').append(form)")
    user.reach("User name")


def test_a_form_that_is_moved_goes_on(page):
    """With what it asked, and the step that is being taken."""
    user = waiting(page)
    user.enter("User name", "ann")
    page.run(f"() => document.body.append({FORM})")
    answered(page, 0, CODE)
    page.run(f"() => document.body.append({FORM})")
    user.enter("Code", "123456")
    assert ["ann", "123456"] == given(page)


MADE_FIRST = """async ({ file }) => {
    const frame = document.createElement('iframe')
    document.body.append(frame)
    const inside = frame.contentDocument
    const form = inside.createElement('watchword-sign-in')
    form.handler = { begin: async () => ({ done: 1 }) }
    form.accessToken = 'token'
    inside.body.append(form)
    const script = Object.assign(inside.createElement('script'), { type: 'module', src: file })
    inside.head.append(script)
    await new Promise((loaded) => (script.onload = loaded))
    return [typeof form.handler?.begin, form.accessToken, !!form.querySelector('input')]
}"""


def test_what_an_app_sets_before_the_file_is_loaded_counts(page):
    """As it does where a framework sets properties first."""
    assert ["function", "token", True] == page.run(MADE_FIRST, file="/_watchword/watchword-sign-in.js")


def test_the_form_has_its_style_in_a_shadow_tree(page):
    """Where a site keeps its own away."""
    shown = page.run("""async () => {
        const host = document.createElement('div')
        document.body.append(host)
        host.attachShadow({ mode: 'open' }).innerHTML = '<watchword-sign-in></watchword-sign-in>'
        await new Promise((done) => requestAnimationFrame(done))
        return getComputedStyle(host.shadowRoot.querySelector('button')).minHeight
    }""")
    assert "44px" == shown


def test_an_app_that_shows_a_challenge_itself_goes_on_by_the_element(page):
    """With `preventDefault` of its event, and `respond`; the name of the sign-in goes along."""
    waiting(page)
    page.run("() => document.addEventListener('watchword:challenge', (event) => event.preventDefault())")
    Keyboard(page).enter("User name", "ann")
    answered(page, 0, {"challenge": state("email_otp", signin="ab" * 16)})
    assert "User name" == page.run("() => document.querySelector('label').textContent")
    page.run(f"() => void {FORM}.respond('123456', {{ watchword_redirect: 'web' }})")
    assert ["123456", {"watchword_redirect": "web", "watchword_signin": "ab" * 16}] == page.run(
        "() => asked[1].given.slice(0, 2)"
    )


def test_nothing_is_kept_and_nothing_is_in_an_address(browser, served):
    """After a sign-in: no storage, no cookie, no token in the page, and no request but the files and the operations."""
    page = browser.page(f"{served.page}?locale=en")
    page.run("() => document.addEventListener('watchword:signed-in', ({ detail }) => (globalThis.tokens = detail))")
    user = Keyboard(page)
    user.enter("User name", "ann")
    user.reach("Code")
    user.enter("Code", served.answer("email_otp"))
    page.sees("You are signed in.")
    tokens = page.run("() => Object.values(tokens).filter((each) => typeof each === 'string')")
    kept = page.run("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
    assert '[{},{},""]' == kept
    inside = page.run(
        f"() => JSON.stringify(Object.entries({FORM}), (key, value) => (value instanceof Function ? String(value) : value)) + document.documentElement.outerHTML"
    )
    assert not any(each in inside or each in page.text() for each in tokens if each != "Bearer")
    asked = {each.partition(served.origin)[2] for each in page.requests()}
    assert {
        "/",
        "/_watchword/sign-in?locale=en",
        *(f"/_watchword/{name}" for name in ("sign-in.css", "sign-in.js", "watchword-sign-in.js")),
    } >= asked


def test_a_page_says_which_language_its_form_speaks(browser, served):
    """Asked for one that it does not speak, it takes the browser's."""
    page = browser.page(f"{served.page}?locale=xx")
    page.sees("User name")
    assert ["en", "en"] == page.run(f"() => [document.documentElement.lang, {FORM}.lang]")


def test_a_browser_that_keeps_nothing_signs_in_all_the_same(page, served):
    """Some refuse to say what they keep, in frames and in private windows."""
    page.run(
        "() => Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    user = Keyboard(page)
    user.enter("User name", "ann")
    user.reach("Code")
    user.enter("Code", served.answer("email_otp"))
    page.sees("You are signed in.")


def test_without_a_connection_the_same_answer_can_be_sent_again(page, served):
    """The user is told, and nothing is lost."""
    user = Keyboard(page)
    user.enter("User name", "ann")
    user.reach("Code")
    page.run(
        "() => { globalThis.real = fetch; globalThis.fetch = async () => { throw new TypeError('Failed to fetch') } }"
    )
    user.enter("Code", served.answer("email_otp"))
    page.sees("There is no connection.")
    page.run("() => { globalThis.fetch = real }")
    user.enter("Code", served.answer("email_otp"))
    page.sees("You are signed in.")


def test_whoever_gives_up_a_passkey_goes_on(page):
    """What the browser says is told in words, and the button is there again."""
    shows(page, STATES["passkey"])
    page.run(
        "() => { navigator.credentials.get = async () => { throw new DOMException('<b>no</b>', 'NotAllowedError') } }"
    )
    user = Keyboard(page)
    user.press("Use a passkey")
    page.sees("The passkey was not used.")
    page.run("() => { navigator.credentials.get = () => new Promise(() => {}) }")
    user.press("Use a passkey", "Space")
    page.run("() => document.querySelector('button').click()")
    assert 1 == page.run("() => taken.length")
    page.run("() => [...document.querySelectorAll('button')].at(-1).click()")
    user.reach("User name")


def test_a_passkey_that_comes_too_late_is_no_answer(page):
    """The user has begun anew meanwhile, whatever the browser does about that."""
    shows(page, STATES["passkey"])
    page.run("() => { navigator.credentials.get = () => new Promise((given) => (globalThis.give = given)) }")
    user = Keyboard(page)
    user.press("Use a passkey")
    page.run("() => [...document.querySelectorAll('button')].at(-1).click()")
    empty = "new ArrayBuffer(1)"
    response = f"{{ clientDataJSON: {empty}, authenticatorData: {empty}, signature: {empty} }}"
    page.run(
        f"() => give({{ id: '', rawId: {empty}, type: 'public-key', getClientExtensionResults: () => ({{}}), response: {response} }})"
    )
    page.run(RESTED)
    assert 1 == page.run("() => taken.length")
    user.reach("User name")


OPENED = """async ({ ticket }) => {
    location.hash = ticket
    await new Promise((done) => addEventListener('hashchange', () => setTimeout(done), { once: true }))
    return [location.hash, document.querySelector('watchword-sign-in').textContent]
}"""


TICKETS = (
    "x.y",
    "e30.y",
    "bnVsbA.y",
    "WzFd.y",
    "//.y",
    "%00.y",
    "constructor",
    "eyJ1c2VyTmFtZSI6IjxpbWcgc3JjPXg-In0.y",
)


def test_what_looks_like_a_ticket_asks_nothing_and_makes_no_element(page):
    """Until somebody presses the button, and then for the user that it names; a name that looks like HTML is shown as text."""
    page.run("() => { globalThis.fetch = async () => { throw new Error('asked') } }")
    for ticket in TICKETS:
        _, shown = page.run(OPENED, ticket=ticket)
        assert "User name" in shown or "Open this link in the browser in which you began" in shown, ticket
        assert 0 == page.run("() => document.querySelectorAll('watchword-sign-in img').length"), ticket
    assert [] == page.errors()


ENDS = (
    (1, None, "This link does not work any more."),
    (9e9, None, "Open this link in the browser in which you began"),
    ("1", None, "Open this link in the browser in which you began"),
    (1, "anywhere", "You can sign in here with this link."),
)


def test_a_link_that_has_expired_is_said_to_be_over(page):
    """Where no sign-in waits for it. What opens anywhere is left to the service, whose clock is right."""
    for end, opens, said in ENDS:
        facts = json.dumps({"userName": "ann", "exp": end, "opens": opens}).encode()
        _, shown = page.run(OPENED, ticket=f"{base64.urlsafe_b64encode(facts).decode().rstrip('=')}.x")
        assert said in shown, (end, opens)
        assert "User name: ann" in shown


def test_a_link_that_cannot_be_used_first_leads_back_to_where_it_was_asked_for(page):
    """The flow has something else before it: nothing is answered, and no code is asked for here."""
    head = base64.urlsafe_b64encode(b'{"userName":"ann","opens":"anywhere"}').decode().rstrip("=")
    page.run(OPENED, ticket=f"{head}.xxxx")
    page.sees("You can sign in here with this link.")
    Keyboard(page).press("Sign in with the link")
    page.sees("Open this link in the browser in which you began to sign in")
    Keyboard(page).reach("User name")


KEPT = (
    "7",
    "null",
    "{",
    '{"username": 1, "session": 2, "until": 9e9}',
    '{"username": "ann", "session": "x", "until": 1}',
    '{"username": "ann", "session": "x"}',
)
READ = """({ kept }) => {
    const form = document.querySelector('watchword-sign-in')
    localStorage.setItem(form.place, kept)
    return [form.kept(), localStorage.length]
}"""


def test_what_is_kept_counts_only_as_the_form_wrote_it(page):
    """Anything else, or what has expired, is no sign-in to go on with; and the place is cleared."""
    for kept in KEPT:
        assert [None, 0] == page.run(READ, kept=kept), kept


REPLIES_OF_COGNITO = """
    const form = document.querySelector('watchword-sign-in')
    const told = []
    for (const name of ['challenge', 'signed-in', 'error']) form.addEventListener(`watchword:${name}`, ({ detail }) => told.push(name === 'error' ? detail.code : name))
    const asks = (parameters, more = {}) => ({ text: JSON.stringify({ ChallengeName: 'CUSTOM_CHALLENGE', Session: 's', ChallengeParameters: { USERNAME: 'ann', kind: 'email_otp', step: 'email_otp', destination: '', ...parameters }, ...more }) })
    let requests = 0, sent
    const serves = (...replies) => {
        requests = 0
        globalThis.fetch = async (_, { body }) => {
            sent = JSON.parse(body)
            const { text, status, headers, fails } = replies[Math.min(requests++, replies.length - 1)]
            if (fails || requests > 20) throw new TypeError('Failed to fetch')
            return new Response(text, { status: status ?? 200, headers })
        }
    }
    const alert = () => form.querySelector('.ww-wrong')?.textContent ?? ''
    const label = () => form.querySelector('label')?.textContent ?? ''
"""
"""What a script in the page needs to have the form talk to a service that says what the script likes."""

NO_REPLIES = (
    *("", "<html>", "null", "1", "[]", "{}", '"x"', "{"),
    '{"Session": "other", "ChallengeName": "CUSTOM_CHALLENGE"}',
    '{"Session": "other", "ChallengeParameters": {"kind": "email_otp"}}',
    '{"Session": "other", "ChallengeName": 1, "ChallengeParameters": {}}',
    *(
        f'{{"Session": "other", "ChallengeName": "CUSTOM_CHALLENGE", "ChallengeParameters": {odd}}}'
        for odd in ("null", "[]", '"x"', "7")
    ),
    *(f'{{"Session": "other", "AuthenticationResult": {odd}}}' for odd in ("null", '"x"', "true", "[]")),
)
ANSWERED_BY = f"""async ({{ cases }}) => {{
    {REPLIES_OF_COGNITO}
    const seen = []
    for (const each of cases) {{
        form.start()
        serves(each)
        await form.begin('ann', '')
        const atFirst = [label(), alert()]
        serves(asks({{}}), each)
        await form.begin('ann', '')
        told.length = 0
        await form.respond('1')
        seen.push([...atFirst, label(), alert(), form.driver?.session, told.join(), requests])
    }}
    return seen
}}"""
WRONG = "Something went wrong. Try again later."


def test_what_is_no_reply_changes_nothing(page):
    """A page of a proxy, no JSON, a challenge that lacks something: the form stays, the session stays, and no challenge is told."""
    seen = page.run(ANSWERED_BY, cases=[{"text": each} for each in NO_REPLIES])
    assert [["User name", WRONG, "Code", WRONG, "s", "broken", 2]] * len(NO_REPLIES) == seen


LATER_WORDS = "Too many attempts. Try again later."
OFFLINE_WORDS = "There is no connection. Try again."
GOES_ON = {
    "an error of the service": ({"status": 500, "text": '{"__type": "InternalErrorException"}'}, WRONG, "broken"),
    "a page of a proxy": ({"status": 503, "text": "<html>"}, WRONG, "broken"),
    "nothing in a failure": ({"status": 502, "text": "null"}, WRONG, "broken"),
    "a firewall": ({"status": 403, "text": '{"__type": "ForbiddenException"}'}, WRONG, "broken"),
    "an odd failure": ({"status": 400, "text": '{"__type": {}, "message": []}'}, WRONG, "broken"),
    "too much, in a number": ({"status": 429, "text": ""}, LATER_WORDS, "later"),
    "too much": ({"status": 400, "text": '{"__type": "TooManyRequestsException"}'}, LATER_WORDS, "later"),
    "no connection": ({"fails": True}, OFFLINE_WORDS, "offline"),
}


def test_what_may_be_tried_again_keeps_the_sign_in(page):
    """Only the service ends it: by a refusal, or by a trigger that has failed, for which the session is spent."""
    seen = page.run(ANSWERED_BY, cases=[case for case, _, _ in GOES_ON.values()])
    for name, (_, words, code), at in zip(GOES_ON, GOES_ON.values(), seen, strict=True):
        assert ["User name", words, "Code", words, "s", code, 2] == at, name
    ends = [("NotAuthorizedException", "x"), ("UnexpectedLambdaException", "x")]
    cases = [{"status": 400, "text": json.dumps({"__type": type_, "message": said})} for type_, said in ends]
    assert ["User name", "User name"] == [at[2] for at in page.run(ANSWERED_BY, cases=cases)]


ASKED_AGAIN = f"""async ({{ challenge }}) => {{
    {REPLIES_OF_COGNITO}
    form.setAttribute('flow', 'custom-srp')
    form.start()
    serves({{ text: JSON.stringify({{ ChallengeName: 'PASSWORD_VERIFIER', Session: 's', ChallengeParameters: {{ SRP_B: '2', SALT: '1', USER_ID_FOR_SRP: 'u', SECRET_BLOCK: 'AA==' }} }}), headers: {{ date: 'Sat, 01 Jan 2022 00:00:00 GMT' }} }})
    await form.begin('ann', 'password')
    const verified = [requests, alert(), label(), form.pending, sent.ChallengeResponses.TIMESTAMP]
    form.removeAttribute('flow')
    serves(asks(challenge), {{ fails: true }})
    await form.begin('ann', '')
    while (!alert()) await new Promise((done) => setTimeout(done, 5))
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setTimeout(done, 5))
    return [verified, requests, alert(), Array.from(form.querySelectorAll('button'), (each) => each.textContent)]
}}"""


def test_the_form_asks_nothing_twice_by_itself(page):
    """One proof of the password in a sign-in, of the service's own time, whatever the service says; and work that could not be sent waits for the user."""
    work = json.loads(STATES["work"]["challenge"])
    work["parameters"] |= {"cost": 1, "keyPrefix": ""}
    easy = STATES["work"] | {"challenge": json.dumps(work)}
    verified, requests, *shown = page.run(ASKED_AGAIN, challenge=easy)
    assert [2, WRONG, "User name", False, "Sat Jan 1 00:00:00 UTC 2022"] == verified
    assert (2, [OFFLINE_WORDS, ["Continue", "Start again"]]) == (requests, shown)


CLOCKS = f"""async ({{ skews, tells }}) => {{
    {REPLIES_OF_COGNITO}
    const real = Date.now, seen = []
    for (const skew of skews) {{
        const served = Math.floor(real.call(Date) / 1000)
        Date.now = () => real.call(Date) + 1000 * skew
        const headers = tells ? {{ date: new Date(1000 * served).toUTCString() }} : {{}}
        serves({{ ...asks({{ link: '1', resend_after: String(served + 30), expires_at: String(served + 300) }}), headers }})
        await form.begin('ann', '')
        const again = form.querySelector('.ww-row button').textContent.match(/\\d+/)
        seen.push([again ? Number(again[0]) : 0, Math.round(form.ends - form.came), form.kept()?.username])
    }}
    Date.now = real
    return seen
}}"""
SECONDS = f"""async ({{ skews }}) => {{
    {REPLIES_OF_COGNITO}
    const real = Date.now, seen = []
    for (const skew of skews) {{
        form.start()
        const began = 1800000000
        let at, asked = began
        const step = async (passed, take) => {{
            at = began + passed
            Date.now = () => 1000 * (at + skew)
            serves({{ ...asks({{ resend_after: String(asked + 60), expires_at: String(began + 300) }}), headers: {{ date: new Date(1000 * Math.floor(at)).toUTCString() }} }})
            await take()
            seen.push([skew, Number(form.textContent.match(/again in (\\d+) s/)?.[1]), form.textContent.match(/Valid until (\\S+)/)[1]])
        }}
        await step(0.99, () => form.begin('ann', ''))
        await step(5, () => form.respond('1'))
        await step(6.9, () => form.respond('2'))
        asked = began + 70
        await step(70, () => form.respond('-', {{ watchword_action: 'resend' }}))
    }}
    Date.now = real
    return seen
}}"""
SKEWS = (0, -600, -86400, 600, 86400)


def test_a_clock_that_is_wrong_changes_no_countdown(page):
    """The service's own time counts. Where it is hidden, a wait and an end stay within what a step can take, or are left out; the link still finds its sign-in."""
    for again, end, kept in page.run(CLOCKS, skews=SKEWS, tells=True):
        assert 0 < again <= 30
        assert (300, "ann") == (end, kept)
    for again, end, kept in page.run(CLOCKS, skews=SKEWS, tells=False):
        assert 0 <= again <= 600
        assert -1 <= end <= 600 or end < -1_000_000_000
        assert "ann" == kept


def test_whole_seconds_change_no_countdown(page):
    """The header `Date` has no fractions: no countdown begins above the wait, and one end is shown as one time."""
    seen = page.run(SECONDS, skews=[0, 600, 0.4, -600, -0.4, 86400, -1.7, -86400])
    for first, second, third, resent in zip(*[iter(seen)] * 4, strict=True):
        assert first[1] == resent[1] == 60
        assert 53 <= third[1] <= second[1] <= 56
        assert first[2] == second[2] == third[2] == resent[2], first


def test_an_app_that_says_nothing_signs_nobody_in(page):
    """Nor does one that says something else: that is an error, and the sign-in goes on."""
    odd = [
        None,
        {},
        {"challenge": None},
        {"done": None},
        {"done": False},
        {"challenge": "x"},
        {"challenge": []},
        7,
        "x",
    ]
    seen = page.run(
        """async ({ odd, good }) => {
            const form = document.querySelector('watchword-sign-in'), seen = []
            form.addEventListener('watchword:error', ({ detail }) => seen.push(detail.code))
            form.addEventListener('watchword:signed-in', () => seen.push('signed in'))
            for (const reply of [...odd, undefined, { challenge: undefined }]) {
                form.handler = { begin: async () => reply, respond: async () => reply }
                await form.begin('ann', '')
                form.handler.begin = async () => good
                await form.begin('ann', '')
                await form.respond('1')
                seen.push(form.querySelector('label').textContent)
            }
            return seen
        }""",
        odd=odd,
        good=CODE,
    )
    assert ["broken", "broken", "Code"] * (len(odd) + 2) == seen


ODD_VALUES = """({ challenges }) => {
    const form = document.querySelector('watchword-sign-in')
    return challenges.map((challenge) => {
        form.asked(challenge, 'CUSTOM_CHALLENGE', Date.now() / 1000)
        return form.textContent
    })
}"""
ODD_NUMBERS = ("-3", "-5", "Infinity", "NaN", "1e300", "8640000000001", "0x10", " ", "", "1.5", "0", "x")


def test_numbers_that_make_no_sense_are_left_out(page):
    """Of tries, of an end and of a wait."""
    names = ("attempts_left", "expires_at", "resend_after")
    challenge = {"kind": "x", "step": "x", "destination": ""}
    odd = [challenge | dict.fromkeys(names, each) for each in ODD_NUMBERS]
    plain, *odd = page.run(ODD_VALUES, challenges=[challenge, *odd])
    assert [plain] * len(ODD_NUMBERS) == odd


TURNED = "\u202eTurned"


def test_no_text_turns_around_what_stands_beside_it(page):
    """In a language that is written from left to right, too."""
    field = json.dumps({"name": "a", "label": TURNED, "help": TURNED})
    texts = dict.fromkeys(("title", "question", "alt", "destination"), TURNED)
    (shown,) = page.run(ODD_VALUES, challenges=[{"kind": "x", "step": "x", "image": "AA==", "input": field, **texts}])
    assert shown.count("Turned") == 5
    assert "\u202e" not in shown + page.run(f"() => {FORM}.querySelector('img').alt")
    (arabic,) = page.run(ODD_VALUES, challenges=[{"kind": "x", "step": "x", "destination": "\u0627***@\u0627***"}])
    assert "\u2068\u0627***@\u0627***\u2069" in arabic


LINKED = f"""async ({{ anywhere }}) => {{
    {REPLIES_OF_COGNITO}
    const ticket = btoa(JSON.stringify({{ userName: 'ann', opens: anywhere ? 'anywhere' : undefined }})).replace(/=+$/, '') + '.x'
    serves(asks({{ link: '1', expires_at: String(Math.floor(Date.now() / 1000) + 300) }}))
    if (!anywhere) await form.begin('ann', '')
    const offered = {{ kind: 'select', choices: 'a', offers: 'a', offer_a: JSON.stringify({{ kind: 'magic_link', link: 'anywhere' }}) }}
    serves({{ fails: true }}, ...(anywhere ? [asks(offered)] : []), {{ text: '{{"AuthenticationResult": {{}}}}' }})
    // As in a new tab.
    form.challenge = null
    history.replaceState(null, '', '#' + ticket)
    form.open()
    if (anywhere) form.querySelector('form').requestSubmit()
    while (form.pending) await new Promise((done) => setTimeout(done, 5))
    const failed = [alert(), form.textContent.includes('User name: ann')]
    form.querySelector('form').requestSubmit()
    while (form.pending) await new Promise((done) => setTimeout(done, 5))
    return [...failed, told.at(-1)]
}}"""


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_link_that_could_not_be_sent_can_be_sent_again(page, anywhere):
    """The sign-in that waits for it waits on, and so does the ticket."""
    assert [OFFLINE_WORDS, True, "signed-in"] == page.run(LINKED, anywhere=anywhere)


_LATE = "if (turn !== this.turn) return\n      this.pending = false\n      "
TWINS = {
    "two steps at a time": ("if (this.pending) return\n    const turn", "const turn", test_a_button_that_is_pressed_twice_sends_once, ()),
    "submits while it is busy": ("this.pending || submit()", "((this.pending = false), submit())", test_enter_twice_sends_once, ()),
    "takes a late reply": (_LATE + "if (reply", "this.pending = false\n      if (reply", test_a_reply_that_comes_after_start_again_is_not_shown, ("tokens",)),
    "tells a late failure": (_LATE + "//", "this.pending = false\n      //", test_a_reply_that_comes_after_start_again_is_not_shown, ("failure",)),
    "goes on when it is taken away": ("      if (this.isConnected) return\n", "      return\n", test_a_form_that_is_taken_away_ends, ()),
    "disables what has the focus": ("    this.setAttribute('aria-busy', 'true')", "    for (const each of this.querySelectorAll('button')) each.disabled = true", test_the_focus_stays_while_a_step_is_taken, ()),
    "takes the focus from elsewhere": ("if (here) (first", "if (true) (first", test_nobody_is_taken_away_from_where_they_are, ()),
    "forgets what was set before": ("given.handler ?? null", "null", test_what_an_app_sets_before_the_file_is_loaded_counts, ()),
    "takes a late passkey": ("if (signal.aborted) return\n    this.pending = false\n    return this.respond", "return this.respond", test_a_passkey_that_comes_too_late_is_no_answer, ()),
}  # fmt: skip
"""What breaks the form, and which test shows it."""


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_form_is_caught(browser, served, monkeypatch, name):
    """Each rule has a test that fails without it."""
    sound, broken, shown_by, more = TWINS[name]
    whole = pages.component()
    assert whole.count(sound) == 1
    monkeypatch.setattr(pages, "component", lambda: whole.replace(sound, broken))
    page = browser.page(f"{served.page}?locale=en")
    with pytest.raises((AssertionError, ClientError)):
        shown_by(page, *more)
