"""The API for passkeys: the sample's paths and words, and who may do what."""

import json

import pytest

from kit.authenticator import UP, Authenticator, decode
from kit.engine_host import ANN, DeadLedger, Mail, Post, Riddle
from kit.hosts import triggers_of
from kit.passwordless_client import Client, challenge_in
from watchword import ConfigurationError, Flow, one_of
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.fido2_api import Fido2Api
from watchword_adapters.rest.exchange import HttpRequest
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key
from watchword_plugins.passkey import Passkey

POOL, ISSUER = "us-east-1_Abc123", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123"
ORIGIN = "https://app.example.com"
FLOW = Flow(Passkey(rp_id="example.com", origins=(ORIGIN,)))
CHOICE = Flow(one_of(Mail(), Passkey(rp_id="example.com", origins=(ORIGIN,))))
KEY = signing_key(new_private_key())
BOB = ANN | {"sub": "22222222-2222-4333-8444-555555555555", "email": "bob@example.com"}
START, COMPLETE = "/register-authenticator/start", "/register-authenticator/complete"
LIST, UPDATE, DELETE = "/authenticators/list", "/authenticators/update", "/authenticators/delete"


class World:
    """The triggers of one flow with the API beside them, and ann's token."""

    def __init__(self, flow=FLOW, **settings):
        self.clock, self.audit, self.store = VirtualClock(), MemoryAudit(), MemoryCredentials()
        given = {"clock": self.clock, "audit": self.audit, "credentials": self.store} | settings
        self.triggers = triggers_of(flow, dialect="passwordless", **given)
        tokens = PoolTokens(ISSUER, frozenset({"client"}), key_set({"keys": [KEY.jwk]}).get, self.clock)
        self.api = Fido2Api(self.triggers.services, POOL, tokens)

    def token(self, user=ANN, name="ann", **changed):
        now = int(self.clock.now())
        claims = {"iss": ISSUER, "aud": "client", "token_use": "id", "iat": now, "exp": now + 3600, "auth_time": now}
        return KEY.token(claims | user | {"cognito:username": name, "email_verified": True} | changed)

    def ask(self, path, body=None, *, token=None, query=None, method="POST", origin=ORIGIN):
        """The reply, and what its body says."""
        bearer = self.token() if token is None else token
        headers = {"origin": origin, "authorization": f"Bearer {bearer}"}
        octets = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        known = {"rpId": "example.com"} if query is None else query
        reply = self.api(HttpRequest(method, path, known, headers, octets))
        return reply, json.loads(reply.body) if reply.body else None

    def enrolled(self, device=None, *, label="laptop", **given):
        """Register *device*; return it, and what the API says of it."""
        device = device or Authenticator(origin=ORIGIN)
        _, options = self.ask(START, **given)
        device.user_handle = options["user"]["id"].encode()
        registration = device.register(decode(options["challenge"])) | {"friendlyName": label}
        reply, said = self.ask(COMPLETE, registration, **given)
        assert 200 == reply.status, said
        return device, said

    def signed_in(self, device, *, user=ANN, challenge=None, **odd):
        """How the sign-in of *user* with *device* ends."""
        client = Client(self.triggers, user)
        public = client.begin()
        device.count += 1
        return client.answer(json.dumps(device.use(decode(challenge or challenge_in(public)), **odd)))


def test_whoever_registered_signs_in():
    """With the options of the API, the answer to it, and the round of the dialect."""
    world = World()
    device, said = world.enrolled()

    assert {"friendlyName": "laptop", "rpId": "example.com", "signCount": 0} == {
        name: said[name] for name in ("friendlyName", "rpId", "signCount")
    }
    assert "tokens" == world.signed_in(device)
    assert "failure" == world.signed_in(device, user=BOB)


def test_the_options_are_those_of_the_client():
    """The user's id is text, and the list of what is excluded is there even if it is empty."""
    world = World()
    _, options = world.ask(START)

    assert f"s|{ANN['sub']}" == options["user"]["id"]
    assert [] == options["excludeCredentials"]
    assert {"none", "example.com"} == {options["attestation"], options["rp"]["id"]}
    _, said = world.enrolled()
    assert [said["credentialId"]] == [each["id"] for each in world.ask(START)[1]["excludeCredentials"]]


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        (ANN["sub"], ANN["sub"]),
        ("0b8ee5a0-0000-4000-8000-0123456789ab", "u|0b8ee5a0-0000-4000-8000-0123456789ab"),
        ("ann@example.com", f"s|{ANN['sub']}"),
    ],
)
def test_the_user_handle_leads_back_to_the_name_where_that_is_no_address(name, handle):
    """The client strips ``u|``, and refuses ``s|``: then the user has to type the name."""
    world = World()

    assert handle == world.ask(START, token=world.token(name=name))[1]["user"]["id"]


def test_a_challenge_for_somebody_whom_nobody_knows_signs_in():
    """No token, no user name, nothing written: and what is signed for it counts once."""
    world = World()
    device, _ = world.enrolled()
    reply, options = world.ask("/sign-in-challenge", token="")

    assert (200, 300_000, "required") == (reply.status, options["timeout"], options["userVerification"])
    assert "tokens" == world.signed_in(device, challenge=options["challenge"])
    assert "failure" == world.signed_in(device, challenge=options["challenge"])


@pytest.mark.parametrize("written", [lambda text: f"{text}==", lambda text: text.replace("-", "+").replace("_", "/")])
def test_a_challenge_comes_back_as_clients_write_it(written):
    """React Native pads it and may take the other alphabet: the bytes count."""
    world = World()
    device, _ = world.enrolled()
    challenge = world.ask("/sign-in-challenge", token="")[1]["challenge"]
    said = {"type": "webauthn.get", "challenge": written(challenge), "origin": ORIGIN, "crossOrigin": False}

    assert "tokens" == world.signed_in(device, client_data=json.dumps(said).encode())


def test_a_list_has_what_the_user_enrolled_for_this_site():
    """Times as ISO 8601, and no member for what is not there."""
    world = World()
    world.enrolled(label="laptop")
    world.enrolled(Authenticator(origin=ORIGIN, id=b"\x02" * 32), label="phone")
    listed = world.ask(LIST)[1]["authenticators"]

    assert ["laptop", "phone"] == [each["friendlyName"] for each in listed]
    assert all(each["createdAt"].endswith("Z") and "lastSignIn" not in each for each in listed)
    assert [] == world.ask(LIST, token=world.token(BOB, "bob"))[1]["authenticators"]


def test_a_credential_is_renamed_by_its_owner_alone():
    """Another user's is unknown."""
    world = World()
    _, said = world.enrolled()
    change = {"credentialId": said["credentialId"], "friendlyName": "work"}

    assert (400, "Unknown credential") == refused(world.ask(UPDATE, change, token=world.token(BOB, "bob")))
    assert (200, "") == (world.ask(UPDATE, change)[0].status, world.ask(UPDATE, change)[0].body)
    assert ["work"] == [each["friendlyName"] for each in world.ask(LIST)[1]["authenticators"]]


def test_a_credential_is_deleted_by_its_owner_alone():
    """After that it signs nobody in. Deleting it again is no error."""
    world = World(CHOICE)
    device, said = world.enrolled()
    change = {"credentialId": said["credentialId"]}

    assert 204 == world.ask(DELETE, change, token=world.token(BOB, "bob"))[0].status
    assert "tokens" == world.signed_in(device)
    assert [204, 204] == [world.ask(DELETE, change)[0].status for _ in range(2)]
    assert "failure" == world.signed_in(device)


def test_the_last_way_to_sign_in_is_kept():
    """Where the flow has nothing else for its user."""
    world = World()
    device, said = world.enrolled()

    assert (400, "This is your last way to sign in: add another one first") == refused(
        world.ask(DELETE, {"credentialId": said["credentialId"]})
    )
    assert "tokens" == world.signed_in(device)


def test_the_user_is_told_of_each_change():
    """By mail, at the address of the token: whoever has stolen it cannot read there."""
    post = Post()
    world = World(CHOICE, courier=post)
    _, said = world.enrolled()
    world.ask(DELETE, {"credentialId": said["credentialId"]})

    assert [ANN["email"]] * 2 == [mail.to for mail in post.sent]
    assert [True, True] == [word in mail.subject for word, mail in zip(("added", "removed"), post.sent, strict=True)]


def refused(answered):
    reply, said = answered
    return reply.status, said["message"]


@pytest.mark.parametrize("path", [START, LIST])
@pytest.mark.parametrize(
    ("query", "message"),
    [({}, "Missing RP ID"), ({"rpId": ""}, "Missing RP ID"), ({"rpId": "evil.example"}, "Unrecognized RP ID")],
)
def test_the_site_is_named(path, query, message):
    """In the sample's words."""
    assert (400, message) == refused(World().ask(path, query=query))


@pytest.mark.parametrize("path", [START, COMPLETE, LIST, UPDATE, DELETE])
def test_each_path_wants_the_id_token(path):
    """A missing or foreign one is told nothing, the access token is told apart."""
    world = World()
    access = world.token(token_use="access", client_id="client")

    assert (401, "Unauthorized") == refused(world.ask(path, token=""))
    assert (401, "Unauthorized") == refused(world.ask(path, token=world.token(aud="another")))
    assert (401, "Unauthorized") == refused(world.ask(path, {}, token=world.token(name="")))
    assert (400, "Use your ID token to access this API") == refused(world.ask(path, token=access))


@pytest.mark.parametrize(("path", "body"), [(START, None), (DELETE, {"credentialId": "x"})])
def test_what_adds_or_removes_wants_a_fresh_sign_in(path, body):
    """Of the last five minutes. A token that was stolen yesterday and refreshed adds nothing that stays."""
    world = World()
    old = world.token(auth_time=int(world.clock.now()) - 301)

    status, message = refused(world.ask(path, body, token=old))
    assert (403, True) == (status, "Sign in again" in message)
    assert ["sign_in_too_old"] == [event.detail["reason"] for event in world.audit.events if event.name == "authz_fail"]
    assert 200 == world.ask(LIST, token=old)[0].status


def test_a_registration_belongs_to_whoever_began_it():
    """Another user's challenge is unknown, and so is one that nobody has given out."""
    world = World()
    device = Authenticator(origin=ORIGIN)
    _, options = world.ask(START)
    registration = device.register(decode(options["challenge"])) | {"friendlyName": "x"}

    assert (400, "Challenge not found") == refused(world.ask(COMPLETE, registration, token=world.token(BOB, "bob")))
    made_up = device.register(b"x" * 24) | {"friendlyName": "x"}
    assert (400, "Challenge not found") == refused(world.ask(COMPLETE, made_up))
    world.clock.advance(600)
    assert (400, "Challenge not found") == refused(world.ask(COMPLETE, registration))


def test_a_registration_that_is_repeated_reads_the_same():
    """The client may not have heard the first reply; one credential is there."""
    world = World()
    device = Authenticator(origin=ORIGIN)
    registration = device.register(decode(world.ask(START)[1]["challenge"])) | {"friendlyName": "x"}
    first, again = world.ask(COMPLETE, registration), world.ask(COMPLETE, registration)

    assert first == again
    assert 1 == len(world.ask(LIST)[1]["authenticators"])
    other = Authenticator(origin=ORIGIN, id=b"\x03" * 32)
    second = other.register(decode(json.loads(world.ask(START)[0].body)["challenge"])) | {"friendlyName": "y"}
    assert 200 == world.ask(COMPLETE, second)[0].status


def test_a_credential_that_somebody_has_is_not_registered_again():
    """Ids are unique over all users (WebAuthn Level 3, 7.1 step 26)."""
    world = World()
    device, _ = world.enrolled()
    bobs = world.token(BOB, "bob")
    registration = device.register(decode(world.ask(START, token=bobs)[1]["challenge"])) | {"friendlyName": "x"}

    assert (400, "Credential already registered") == refused(world.ask(COMPLETE, registration, token=bobs))


@pytest.mark.parametrize("odd", [{"origin": "https://evil.example"}, {"flags": UP}, {"rp_id": "evil.example"}], ids=str)
def test_a_registration_that_is_not_right_is_refused(odd):
    """Wrong page, user not verified, other site; why is for the audit."""
    world = World()
    device = Authenticator(**({"origin": ORIGIN} | odd))
    registration = device.register(decode(world.ask(START)[1]["challenge"])) | {"friendlyName": "x"}

    assert (400, "The passkey could not be verified") == refused(world.ask(COMPLETE, registration))
    assert [] == world.ask(LIST)[1]["authenticators"]


@pytest.mark.parametrize("path", [COMPLETE, UPDATE, DELETE])
@pytest.mark.parametrize(
    "body",
    [
        None,
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"credentialId":7,"friendlyName":"x"}',
        b"[" * 60_000,
        b" " * 70_000,
    ],
    ids=range(9),
)
def test_a_body_that_cannot_be_used_is_a_bad_request(path, body):
    """With a message, and no traceback."""
    status, message = refused(World().ask(path, body))

    assert status in {400, 413}
    assert message


@pytest.mark.parametrize("label", ["", 7, None, "x" * 65, "a\nb"])
@pytest.mark.parametrize("path", [COMPLETE, UPDATE])
def test_a_name_is_one_short_line(path, label):
    """It is shown to the user, and stored."""
    assert 400 == World().ask(path, {"credentialId": "x", "friendlyName": label})[0].status


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", LIST), ("DELETE", DELETE), ("POST", "/"), ("POST", "/authenticators"), ("POST", f"{LIST}/")],
)
def test_there_is_nothing_else(method, path):
    """In the sample's words."""
    assert (404, "Not found") == refused(World().ask(path, method=method))


def test_registrations_are_not_begun_without_end():
    """Each is an entry of the ledger."""
    world = World()
    replies = [world.ask(START)[0].status for _ in range(21)]

    assert [200] * 20 + [429] == replies


def test_an_outage_is_told_without_its_cause():
    """The audit has it."""
    world = World(ledger=DeadLedger())

    assert (500, "Internal Server Error") == refused(world.ask(START))
    assert "sys_call_failed" in [event.name for event in world.audit.events]


@pytest.mark.parametrize("path", [START, "/sign-in-challenge", "/nothing"])
def test_only_the_passkeys_own_pages_read_a_reply(path):
    """The origins of the flow, and no list of its own beside them."""
    world = World()

    assert ORIGIN == world.ask(path)[0].headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Origin" not in world.ask(path, origin="https://evil.example")[0].headers
    before = world.ask(path, method="OPTIONS")[0]
    assert (204, ORIGIN, "POST") == (
        before.status,
        before.headers["Access-Control-Allow-Origin"],
        before.headers["Access-Control-Allow-Methods"],
    )


def test_a_flow_without_a_passkey_has_no_api():
    """It is said when the API is made."""
    with pytest.raises(ConfigurationError, match="no step of kind 'passkey'"):
        Fido2Api(triggers_of(Flow(Riddle())).services, POOL, World().api.tokens)
