"""The passwordless client, in Chromium with virtual authenticators, against the served pool."""

import re

import pytest

from kit.chromium import AUTHENTICATORS, ClientError, chromium
from kit.served_pool import PASSWORD, served

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def browser():
    """One browser for the module; pages have profiles of their own."""
    with chromium() as running:
        yield running


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
    opened = browser.page(origin)
    opened.configure(
        cognitoIdpEndpoint=server.endpoint,
        clientId=server.client_id,
        userPoolId=server.pool_id,
        fido2={"baseUrl": f"{server.endpoint}/fido2", "rp": {"id": "localhost"}},
    )
    return opened


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


def test_the_password_and_then_a_code_sign_in(page, server):
    """The client's own SRP opens the flow, and its callback answers the step behind: no dialect is needed for that."""
    page.run(PASSWORD_FIRST, username="ann", password=PASSWORD)
    page.run("({ code }) => globalThis.answer(code)", code=server.code_for("ann"))
    tokens = page.run("() => globalThis.signedIn")

    assert "ann" == tokens["username"]
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", tokens["idToken"])
