"""The passwordless client, in Chromium with virtual authenticators, against the served pool."""

import re
from itertools import cycle

import pytest
from attrs import frozen

from kit.chromium import AUTHENTICATORS, SYNCED, ClientError, Page
from kit.served_pool import PASSWORD, served

pytestmark = pytest.mark.exhaustive

NAMES = [f"user{number}" for number in range(16)]
_names = cycle(NAMES)
INCORRECT = "Incorrect username or password"


@pytest.fixture(scope="module")
def origin(browser):
    return browser.origin()


@pytest.fixture(scope="module")
def server(browser):
    """One server for the module."""
    with served("--user", "ann") as running:
        yield running


@pytest.fixture
def page(browser, origin, server):
    """A page in a new profile, whose client knows the pool."""
    return opened(browser, origin, server)


def opened(browser, origin, server):
    page = browser.page(origin)
    configured(page, server)
    return page


def configured(page, server):
    """Tell the client where pool and API are."""
    base = server.fido2_base_url or f"{server.endpoint}/fido2"
    known = {"cognitoIdpEndpoint": server.endpoint, "clientId": server.client_id, "userPoolId": server.pool_id}
    page.configure(**known, fido2={"baseUrl": base})


REGISTERED_AND_ASKED = """async () => {
    const challenge = new Uint8Array(32)
    const made = await navigator.credentials.create({ publicKey: {
        challenge, rp: { name: 'Test', id: 'localhost' }, user: { id: new Uint8Array(8), name: 'ann', displayName: 'ann' },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }], authenticatorSelection: { residentKey: 'preferred' },
    } })
    const listed = { allowCredentials: [{ type: 'public-key', id: made.rawId }] }
    const got = await navigator.credentials.get({ publicKey: { challenge, rpId: 'localhost', ...listed } })
    const flags = (answer) => new Uint8Array(answer)[32]
    return [made.response.getTransports(), got.id === made.id, flags(got.response.authenticatorData)]
}"""


@pytest.mark.parametrize(
    ("name", "transports", "flags"),
    [("platform", ["internal"], 0b0_0101), ("synced", ["internal"], 0b1_1101), ("roaming", ["usb"], 0b0_0001)],
)
def test_virtual_authenticators_differ_as_real_ones_do(browser, origin, name, transports, flags):
    """By transport, user verification and backup: bits 0, 2, 3 and 4 of the authenticator data (WebAuthn Level 3, 6.1)."""
    page = browser.page(origin)
    page.plug_in(AUTHENTICATORS[name])

    assert [transports, True, flags] == page.run(REGISTERED_AND_ASKED)


def test_a_flow_without_passkeys_is_told_from_an_outage(page):
    """The client says that the server has no passkey challenge; it is asked in its own words, over CORS, by Chromium."""
    with pytest.raises(ClientError, match="Server did not send a FIDO2 challenge"):
        page.run("({ username }) => client.authenticateWithFido2({ username }).signedIn", username="ann")


PASSWORD_FIRST = """async ({ username, password }) => {
    const asked = new Promise((resolve) => { globalThis.asked = resolve })
    globalThis.signedIn = client.authenticateWithSRP({
        username, password, authflow: 'CUSTOM_AUTH',
        customChallengeAnswer: () => new Promise((resolve) => { globalThis.answer = resolve; globalThis.asked() }),
    }).signedIn
    await Promise.race([asked, globalThis.signedIn])
}"""


def with_password(page, server, username="ann"):
    """Sign in by the client's own SRP, and by the code that comes behind it."""
    page.run(PASSWORD_FIRST, username=username, password=PASSWORD)
    page.run("({ code }) => globalThis.answer(code)", code=server.newest_code())
    return page.run("() => globalThis.signedIn")


def test_the_password_and_then_a_code_sign_in(page, server):
    """The client's own SRP opens the flow, and its callback answers the step behind: no dialect is needed for that."""
    tokens = with_password(page, server)

    assert "ann" == tokens["username"]
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", tokens["idToken"])


FLOW = """
name = "passkey_or_password"

[limits]
messages = "100/h"

[[steps]]
one_of = [
    {{ sequence = [{{ kind = "srp" }}, {{ kind = "email_otp", length = 6 }}] }},
    {{ kind = "passkey", rp_id = "localhost", origins = ["{origin}"], {settings} }},
]
"""
REQUIRED = 'user_verification = "required"'
SETTINGS = {
    "platform": REQUIRED,
    "synced": REQUIRED,
    "roaming": 'user_verification = "discouraged", resident_key = "discouraged", list_credentials = "always"',
}


@pytest.fixture(scope="module")
def flows(tmp_path_factory, origin):
    """Where the flow with these settings of its passkey is."""

    def flow(settings):
        path = tmp_path_factory.mktemp("flow") / "flow.toml"
        path.write_text(FLOW.format(origin=origin, settings=settings))
        return path

    return flow


@pytest.fixture(scope="module", params=AUTHENTICATORS)
def passkeys(request, flows):
    """A server that speaks to the client, and the authenticator that its users have."""
    people = [word for name in NAMES for word in ("--user", name)]
    with served(*people, "--dialect", "passwordless", flow=flows(SETTINGS[request.param])) as running:
        yield running, AUTHENTICATORS[request.param]


@pytest.fixture(scope="module")
def addressed(flows):
    """A server whose users sign up with an address and get a UUID as their name, so that a passkey can tell it."""
    people = [word for name in NAMES for word in ("--user", f"{name}@example.com")]
    settings = ("--email-as-username", "--dialect", "passwordless")
    with served(*people, *settings, flow=flows(REQUIRED)) as running:
        yield running


@frozen
class Enrolled:
    """A user who has just registered a passkey: the page, the passkey as the client has it, and the authenticator's id."""

    name: str
    page: Page
    passkey: dict
    device: str

    @property
    def shown(self):
        """The passkey as a caller of the client shows it, for devices that keep none."""
        return [{"id": self.passkey["credentialId"]}]

    def sign_in(self, **given):
        return self.page.run("(given) => client.authenticateWithFido2(given).signedIn", **given)


def enrolled_at(browser, origin, server, options, name):
    page = opened(browser, origin, server)
    device = page.plug_in(options)
    with_password(page, server, name)
    return Enrolled(name, page, page.fido2CreateCredential(friendlyName="laptop"), device)


@pytest.fixture
def user(browser, origin, passkeys):
    """Another one for each test."""
    server, options = passkeys
    return enrolled_at(browser, origin, server, options, next(_names))


@pytest.fixture
def nameless(browser, origin, addressed):
    """A user whose device tells their name."""
    return enrolled_at(browser, origin, addressed, SYNCED, f"{next(_names)}@example.com")


def test_a_passkey_is_registered_listed_and_renamed(user):
    """The client reads times and counts; what it asks is answered in the words of the sample."""
    listed = user.page.fido2ListCredentials()["authenticators"]

    assert [user.passkey["credentialId"]] == [each["credentialId"] for each in listed]
    assert ("laptop", "localhost") == (listed[0]["friendlyName"], listed[0]["rpId"])
    user.page.fido2UpdateCredential(credentialId=user.passkey["credentialId"], friendlyName="work")
    assert ["work"] == [each["friendlyName"] for each in user.page.fido2ListCredentials()["authenticators"]]


def test_a_device_registers_once(user):
    """The options exclude what the user has, and the browser refuses to make another."""
    with pytest.raises(ClientError, match="InvalidStateError"):
        user.page.fido2CreateCredential(friendlyName="again")


def test_a_passkey_signs_in_by_the_users_name(user):
    """Twice: each sign-in has a challenge of its own, and the count grows."""
    before = user.passkey["signCount"]

    assert [user.name] * 2 == [user.sign_in(username=user.name)["username"] for _ in range(2)]
    listed = user.page.fido2ListCredentials()["authenticators"]
    assert before + 2 == listed[0]["signCount"]
    assert "lastSignIn" in listed[0]


def test_a_passkey_signs_nobody_else_in(user):
    """Another user's name, whose owner has none; and a name that nobody has."""
    for name in (next(_names), "nobody"):
        with pytest.raises(ClientError, match=INCORRECT):
            user.sign_in(username=name, credentials=user.shown)


def test_a_passkey_that_was_deleted_signs_nobody_in(user):
    """The device still has it."""
    user.page.fido2DeleteCredential(credentialId=user.passkey["credentialId"])

    assert [] == user.page.fido2ListCredentials()["authenticators"]
    with pytest.raises(ClientError, match=INCORRECT):
        user.sign_in(username=user.name, credentials=user.shown)


def test_a_copy_of_a_passkey_signs_nobody_in(user):
    """Its count stays behind that of the original (WebAuthn Level 3, 7.2 step 22)."""
    kept = user.page.cdp("getCredentials", authenticatorId=user.device)["credentials"][0]
    user.sign_in(username=user.name)
    user.page.cdp("removeCredential", authenticatorId=user.device, credentialId=kept["credentialId"])
    user.page.cdp("addCredential", authenticatorId=user.device, credential=kept)

    with pytest.raises(ClientError, match=INCORRECT):
        user.sign_in(username=user.name, credentials=user.shown)


def test_a_page_at_another_origin_gets_no_tokens(browser, passkeys, user):
    """The browser signs for it, since the site is the same; the flow lists the origins to the letter."""
    user.page.go(browser.origin())
    configured(user.page, passkeys[0])

    with pytest.raises(ClientError, match=INCORRECT):
        user.sign_in(username=user.name, credentials=user.shown)
    with pytest.raises(ClientError, match="Failed to fetch"):
        user.sign_in()  # the API lets no page of that origin read its challenge


def test_a_passkey_that_tells_its_user_signs_in_without_a_name(nameless):
    """The challenge comes from the API before anybody is known; the name comes from the device."""
    tokens = nameless.sign_in()

    assert nameless.page.retrieveTokens()["username"] == tokens["username"]
    requested = [each.rpartition("/")[2] for each in nameless.page.requests() if each.startswith("POST")]
    assert ["sign-in-challenge", "", ""] == requested[-3:]


def test_a_name_that_is_no_uuid_has_to_be_typed(browser, origin, flows):
    """A handle must not hold an address or a name (WebAuthn Level 3, 14.6.1), and the client says what is missing."""
    with served("--user", "ann", "--dialect", "passwordless", flow=flows(REQUIRED)) as server:
        ann = enrolled_at(browser, origin, server, SYNCED, "ann")
        with pytest.raises(ClientError, match="Username is required for initiating sign-in"):
            ann.sign_in()


AUTOFILL = """async () => {
    const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0))
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '')
    const credentialGetter = async ({ challenge, relyingPartyId, userVerification }) => {
        const { rawId, response } = await navigator.credentials.get({ mediation: 'conditional', publicKey: {
            challenge: octets(challenge), rpId: relyingPartyId, userVerification,
        } })
        return {
            credentialIdB64: text(rawId), authenticatorDataB64: text(response.authenticatorData),
            clientDataJSON_B64: text(response.clientDataJSON), signatureB64: text(response.signature),
            userHandleB64: text(response.userHandle),
        }
    }
    return await client.authenticateWithFido2({ credentialGetter }).signedIn
}"""


def test_the_browser_fills_the_field_in(nameless):
    """A field with ``autocomplete="username webauthn"`` waits, and the user picks the passkey there (conditional mediation)."""
    assert nameless.page.run("() => PublicKeyCredential.isConditionalMediationAvailable()")
    assert nameless.page.run(AUTOFILL)["idToken"]


def test_a_field_that_waits_for_hours_sends_nothing(nameless, addressed):
    """Clients begin again every few minutes, and the sign-in works all the same in the end."""
    before = addressed.get("/_watchword/outbox.json")
    for _ in range(20):
        nameless.page.run(
            "(given) => client.initiateAuth(given)", authflow="CUSTOM_AUTH", authParameters={"USERNAME": nameless.name}
        )

    assert before == addressed.get("/_watchword/outbox.json")
    assert nameless.sign_in(username=nameless.name)["idToken"]


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("MAGIC_LINK", "Sign-in with Magic Link not supported"),
        ("SMS_OTP_STEPUP", "Step-up authentication with SMS OTP not supported"),
    ],
)
def test_what_is_not_supported_is_said_in_the_words_of_the_sample(nameless, method, text):
    """The client shows them to its user as they are."""
    script = """async ({ username, signInMethod }) => {
        const begun = await client.initiateAuth({ authflow: 'CUSTOM_AUTH', authParameters: { USERNAME: username } })
        return client.respondToAuthChallenge({ challengeName: begun.ChallengeName, session: begun.Session,
            challengeResponses: { ANSWER: '__dummy__', USERNAME: username }, clientMetadata: { signInMethod } })
    }"""
    with pytest.raises(ClientError, match=text):
        nameless.page.run(script, username=nameless.name, signInMethod=method)


CHOICE = """
name = "code_or_passkey"

[limits]
messages = "100/h"

[[steps]]
one_of = [
    {{ kind = "email_otp" }},
    {{ kind = "passkey", rp_id = "localhost", origins = ["{origin}"] }},
]
"""

CHOSEN = """async ({ username }) => {
    const begun = await client.initiateAuth({ authflow: 'CUSTOM_AUTH', authParameters: { USERNAME: username } })
    globalThis.asked = await client.respondToAuthChallenge({ challengeName: begun.ChallengeName, session: begun.Session,
        challengeResponses: { ANSWER: '__dummy__', USERNAME: username }, clientMetadata: { watchword_choice: 'email_otp' } })
    return globalThis.asked.ChallengeParameters.step
}"""

TYPED = """async ({ username, code }) => {
    const { AuthenticationResult: got } = await client.respondToAuthChallenge({
        challengeName: asked.ChallengeName, session: asked.Session, challengeResponses: { ANSWER: code, USERNAME: username } })
    await client.storeTokens({ accessToken: got.AccessToken, idToken: got.IdToken, refreshToken: got.RefreshToken,
        expireAt: new Date(Date.now() + got.ExpiresIn * 1000) })
}"""


def test_the_first_passkey_is_registered_after_a_code(browser, origin, tmp_path):
    """Where the flow lets the user choose, the client answers for the passkey; the application chooses the code in its own words."""
    (tmp_path / "flow.toml").write_text(CHOICE.format(origin=origin))
    with served("--user", "ann", "--dialect", "passwordless", flow=tmp_path / "flow.toml") as server:
        page = opened(browser, origin, server)
        page.plug_in(SYNCED)
        assert "email_otp" == page.run(CHOSEN, username="ann")
        page.run(TYPED, username="ann", code=server.newest_code())
        page.fido2CreateCredential(friendlyName="laptop")
        mails = len(server.mails_for("ann"))
        tokens = page.run("(given) => client.authenticateWithFido2(given).signedIn", username="ann")

        assert "ann" == tokens["username"]
        assert mails == len(server.mails_for("ann"))
