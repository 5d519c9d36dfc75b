"""The passwordless client's links and its step-up by SMS, in Chromium against the served pool."""

import json
import urllib.error
import urllib.request

import pytest

from kit.chromium import ClientError
from kit.served_pool import served

pytestmark = pytest.mark.exhaustive

INCORRECT = "Incorrect username or password"

FLOW = """
name = "link_or_step_up"

[limits]
messages = "100/h"

[[steps]]
one_of = [
    {{ kind = "magic_link", redirects = {{ page = "{origin}/" }}, opens = "anywhere" }},
    {{ kind = "sms_otp", countries = ["+1"], with_token = true }},
]
"""

REQUESTED = "(given) => client.requestSignInLink(given).signInLinkRequested.then((asked) => asked.ChallengeParameters)"

OPENED = """async () => {
    const said = []
    const ended = client.signInWithLink({ statusCb: (status) => said.push(status) }).signedIn
    const error = await ended.then(() => '', (error) => error.message)
    const tokens = await ended.catch(() => undefined)
    return { status: said.at(-1), said, error, name: tokens?.username, left: location.hash }
}"""

STEPPED_UP = """async ({ username, accessToken }) => {
    globalThis.shown = []
    const asked = new Promise((resolve) => { globalThis.heard = resolve })
    globalThis.signedIn = client.stepUpAuthenticationWithSmsOtp({ username, accessToken,
        smsMfaCode: (phone, attempt) => new Promise((resolve) => {
            globalThis.answer = resolve
            globalThis.shown.push([phone, attempt])
            globalThis.heard()
        }),
    }).signedIn
    await Promise.race([asked, globalThis.signedIn])
    return globalThis.shown.at(-1)
}"""

TYPED = """async ({ code }) => {
    const asked = new Promise((resolve) => { globalThis.heard = resolve })
    globalThis.answer(code)
    const tokens = await Promise.race([asked, globalThis.signedIn])
    return tokens?.accessToken ?? globalThis.shown.at(-1)
}"""

PHONE = "+***********"


@pytest.fixture(scope="module")
def origin(browser):
    return browser.origin()


@pytest.fixture(scope="module")
def server(origin, tmp_path_factory):
    """One server, whose users have an address and a number."""
    folder = tmp_path_factory.mktemp("links")
    (folder / "flow.toml").write_text(FLOW.format(origin=origin))
    people = [
        {"name": name, "email": f"{name}@example.com", "phone_number": f"+1555555010{number}"}
        for number, name in enumerate(("ann", "bob"))
    ]
    (folder / "users.json").write_text(json.dumps(people))
    options = ("--users", str(folder / "users.json"), "--dialect", "passwordless")
    with served(*options, flow=folder / "flow.toml") as running:
        yield running


def opened(browser, server, address):
    """A page at *address* in a new profile, whose client knows the pool."""
    page = browser.page(address)
    configured(page, server)
    return page


def configured(page, server):
    page.configure(cognitoIdpEndpoint=server.endpoint, clientId=server.client_id, userPoolId=server.pool_id)


@pytest.fixture
def page(browser, server, origin):
    return opened(browser, server, f"{origin}/")


def link_to(server, name):
    """The link in the newest message to *name*."""
    return [each for each in server.get("/_watchword/outbox.json") if each["username"] == name][-1]["link"]


def code_to(server, name):
    """The code in the newest SMS to *name*."""
    outbox = server.get("/_watchword/outbox.json")
    return [each for each in outbox if each["username"] == name and each["channel"] == "sms"][-1]["text"][:6]


def requested(page, server, name="ann"):
    """The link that *page* asked for."""
    page.run(REQUESTED, username=name)
    return link_to(server, name)


def signed_in(page, server, name="ann"):
    """Sign *name* in by a link, in the browser of *page*; the client keeps the tokens."""
    page.go(requested(page, server, name))
    configured(page, server)
    assert name == page.run(OPENED)["name"]


def test_a_link_signs_in_where_it_was_asked_for(page, server):
    """The page is loaded anew by the link, and the session is still in its storage: no sign-in begins."""
    page.go(requested(page, server))
    configured(page, server)
    page.requests()
    got = page.run(OPENED)

    assert ("ann", "SIGNED_IN_WITH_LINK", "") == (got["name"], got["status"], got["left"])
    assert 1 == len([each for each in page.requests() if each.startswith("POST")])
    assert "ann" == page.retrieveTokens()["username"]


def test_a_link_signs_in_in_another_browser(browser, page, server):
    """Which has no session: it begins a sign-in of its own, and answers with the link at once."""
    other = opened(browser, server, requested(page, server))
    mails = len(server.mails_for("ann"))
    other.requests()

    assert "ann" == other.run(OPENED)["name"]
    assert 2 == len([each for each in other.requests() if each.startswith("POST")])
    assert mails == len(server.mails_for("ann"))


def test_a_link_signs_in_once(browser, page, server):
    """Whoever opens it second reads that it has expired, in the browser that asked as well."""
    link = requested(page, server)
    first, second = (opened(browser, server, link) for _ in range(2))

    assert "SIGNED_IN_WITH_LINK" == first.run(OPENED)["status"]
    page.go(link)
    configured(page, server)
    for late in (second, page):
        assert "SIGNIN_LINK_EXPIRED" == late.run(OPENED)["status"]
        assert late.run("() => client.retrieveTokens().then((tokens) => tokens?.idToken ?? null)") is None


@pytest.mark.parametrize("same", [True, False], ids=["same browser", "another"])
@pytest.mark.parametrize("part", [0, 1], ids=["head", "signature"])
def test_a_link_that_was_tampered_with_signs_nobody_in(browser, page, server, same, part):
    """A head of somebody else's name, and another signature; the link itself is still good."""
    link = requested(page, server)
    address, ticket = link.split("#")
    head, signature = ticket.split(".")
    other = link_to_other(page, server).split("#")[1].split(".")
    forged = f"{address}#" + (f"{other[0]}.{signature}" if part == 0 else f"{head}.{other[1]}")
    if same:
        page.go(forged)
        configured(page, server)
    else:
        page = opened(browser, server, forged)

    assert "SIGNIN_LINK_EXPIRED" == page.run(OPENED)["status"]
    assert "SIGNED_IN_WITH_LINK" == opened(browser, server, link).run(OPENED)["status"]


def link_to_other(page, server):
    page.run(REQUESTED, username="bob")
    return link_to(server, "bob")


def test_a_link_that_is_over_is_not_even_sent(browser, page, server):
    """The client reads the end in the link and looks at its own clock."""
    late = opened(browser, server, requested(page, server))
    late.run("() => { const now = Date.now() + 180_001; Date.now = () => now }")
    late.requests()

    assert "SIGNIN_LINK_EXPIRED" == late.run(OPENED)["status"]
    assert [] == late.requests()


SPENT = """async ({ username }) => {
    const name = Object.keys(localStorage).find((each) => each.endsWith(`${username}.session`))
    const answer = { challengeName: 'CUSTOM_CHALLENGE', session: localStorage[name], challengeResponses: { ANSWER: 'x', USERNAME: username } }
    await client.respondToAuthChallenge(answer)
}"""


def test_a_session_that_is_over_is_no_hindrance(page, server):
    """Cognito says "Invalid session for the user"; the client begins anew by itself, and the link is still good."""
    link = requested(page, server)
    page.run(SPENT, username="ann")
    page.go(link)
    configured(page, server)
    page.requests()

    assert "SIGNED_IN_WITH_LINK" == page.run(OPENED)["status"]
    assert 3 == len([each for each in page.requests() if each.startswith("POST")])


def test_a_scanner_that_fetches_the_link_uses_nothing_up(browser, page, server):
    """HEAD and GET carry no fragment."""
    link = requested(page, server)
    for method in ("HEAD", "GET"):
        with urllib.request.urlopen(
            urllib.request.Request(link.replace("localhost", "127.0.0.1"), method=method)
        ) as got:
            assert 200 == got.status

    assert "SIGNED_IN_WITH_LINK" == opened(browser, server, link).run(OPENED)["status"]


def test_a_scanner_that_runs_the_page_is_signed_in(browser, page, server):
    """As the documents warn: this client signs in when its page loads, so the user comes too late."""
    link = requested(page, server)
    scanner = opened(browser, server, link)

    assert "SIGNED_IN_WITH_LINK" == scanner.run(OPENED)["status"]
    page.go(link)
    configured(page, server)
    assert "SIGNIN_LINK_EXPIRED" == page.run(OPENED)["status"]


def test_a_link_leads_to_no_other_page(page, server):
    """The client tells the text of the sample."""
    before = len(server.mails_for("ann"))
    for address in ("https://evil.example/", "http://localhost:1/"):
        with pytest.raises(ClientError, match=f"Invalid redirectUri: {address}"):
            page.run(REQUESTED, username="ann", redirectUri=address)

    assert before == len(server.mails_for("ann"))


def test_nobody_learns_who_exists_by_a_request(page, server):
    """The members are the same; nothing is sent."""
    known, nobody = (page.run(REQUESTED, username=name) for name in ("bob", "nobody"))

    assert known.keys() == nobody.keys()
    assert [] == server.mails_for("nobody")


def test_somebody_signed_in_steps_up_by_sms(page, server):
    """Two wrong codes, then the right one, with the token that the client keeps."""
    signed_in(page, server)
    token = page.retrieveTokens()["accessToken"]

    assert [PHONE, 1] == page.run(STEPPED_UP, username="ann")
    code = code_to(server, "ann")
    wrong = f"{(int(code[0]) + 1) % 10}{code[1:]}"
    assert [[PHONE, 2], [PHONE, 3]] == [page.run(TYPED, code=wrong) for _ in range(2)]
    got = page.run(TYPED, code=code)
    assert isinstance(got, str)
    assert token != got
    assert len(token) > 700


def test_the_third_wrong_code_ends_the_step_up(page, server):
    """As in the sample."""
    signed_in(page, server)
    page.run(STEPPED_UP, username="ann")
    code = code_to(server, "ann")
    wrong = f"{(int(code[0]) + 1) % 10}{code[1:]}"
    for _ in range(2):
        page.run(TYPED, code=wrong)
    with pytest.raises(ClientError, match=INCORRECT):
        page.run(TYPED, code=wrong)


@pytest.mark.parametrize("whose", ["nobody's", "another user's", "ID token", "revoked"])
def test_a_right_code_alone_is_no_step_up(page, server, whose):
    """Without a good access token of the same user every code is wrong."""
    signed_in(page, server, "bob" if whose == "another user's" else "ann")
    tokens = page.retrieveTokens()
    token = {"nobody's": "a.b.c", "ID token": tokens["idToken"]}.get(whose, tokens["accessToken"])
    if whose == "revoked":
        page.run("(given) => client.revokeToken(given)", refreshToken=tokens["refreshToken"])
    page.run(STEPPED_UP, username="ann", accessToken=token)

    code = code_to(server, "ann")
    assert [[PHONE, 2], [PHONE, 3]] == [page.run(TYPED, code=code) for _ in range(2)]
    with pytest.raises(ClientError, match=INCORRECT):
        page.run(TYPED, code=code)


def test_who_is_not_signed_in_asks_nothing(page):
    """The client throws by itself."""
    page.requests()
    with pytest.raises(ClientError, match="You must be signed-in already"):
        page.run(STEPPED_UP, username="ann")
    assert [] == page.requests()


def test_a_flow_without_passkeys_has_no_api_of_theirs(server):
    """The server says so, as for any path that is not there."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(urllib.request.Request(f"{server.fido2_base_url}/sign-in-challenge", method="POST"))
