"""Keys that are fetched: from Secrets Manager and Parameter Store of an emulator, by a clock that tests turn."""

import base64
import logging
import math
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit.aws import LONG, REGION, Aws, isolate
from kit.threaded_clock import ThreadedClock
from watchword import Flow
from watchword.errors import ConfigurationError, UnavailableError
from watchword.runtime.keyring import Keyring, Ring
from watchword.testing.time import VirtualClock
from watchword_adapters import keys
from watchword_adapters.aws import keys_in_aws
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.keys import FetchedKeyring, keyring_from
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

NOW = 1_800_000_000.0
LIMITS = (keys_in_aws._CONNECT, keys_in_aws._READ)
K0, K1, K2, K3 = (bytes(range(first, first + 32)) for first in (0, 40, 80, 120))


def encoded(*secrets):
    return ",".join(base64.b64encode(secret).decode() for secret in secrets)


def ids(*secrets):
    return [key.id for key in Keyring.of(list(secrets)).keys]


class Later(VirtualClock):
    """A clock on which nothing that is called has begun yet."""

    def __init__(self):
        super().__init__(NOW)
        self.called = []

    def call(self, work, within):
        self.called.append(work)
        raise UnavailableError("late")


class Source:
    """A place of keys in the test itself: gives *keys*, or raises what it finds there."""

    def __init__(self, *secrets):
        self.keys = secrets
        self.asked = 0

    def __str__(self):
        return "test://source"

    def fetch(self):
        self.asked += 1
        if isinstance(self.keys, Exception):
            raise self.keys
        return self.keys


@pytest.fixture
def clock():
    return VirtualClock(NOW)


@pytest.fixture(scope="module")
def aws():
    """The emulator."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        patch.setattr(keys_in_aws, "_READ", LONG)
        patch.setattr(keys_in_aws, "_CONNECT", LONG)
        server = Aws()
        server.secrets, server.parameters = server.client("secretsmanager"), server.client("ssm")
        yield server
        server.close()


@pytest.fixture
def url(aws, request):
    """The URL of a secret or parameter by its name, at the emulator."""
    yield lambda scheme, name, more="": f"{scheme}://{name}?region={REGION}&endpoint={aws.endpoint}{more}"
    aws.faults.clear()


# What is fetched


def test_a_secret_is_read_when_the_ring_is_made(aws, url, clock):
    """AWSCURRENT makes, AWSPREVIOUS still reads; by name and by ARN, in text and in bytes."""
    arn = aws.secrets.create_secret(Name="acme/Watch+Word@1", SecretString=encoded(K1))["ARN"]
    assert [key.id for key in keyring_from(url("secretsmanager", "acme/Watch+Word@1"), clock)._keyring.keys] == ids(K1)
    aws.secrets.put_secret_value(SecretId=arn, SecretBinary=K2)
    made = keyring_from(f"secretsmanager://{arn}?endpoint={aws.endpoint}", clock)
    assert [key.id for key in made._keyring.keys] == ids(K2, K1)
    assert [made.current.id, made.root_key.id] == ids(K2, K1)
    assert isinstance(made, Ring)


def test_the_last_key_of_a_list_stays_the_last_over_rotations(aws, url, clock):
    """A list keeps the key that names users at its end, whatever is rotated in front of it."""
    aws.secrets.create_secret(Name="list", SecretString=encoded(K1, K0))
    for secrets, expected in (((K2, K0), (K2, K1, K0)), ((K3, K0), (K3, K2, K0)), ((K3,), (K3, K0))):
        aws.secrets.put_secret_value(SecretId="list", SecretString=encoded(*secrets))
        assert [key.id for key in keyring_from(url("secretsmanager", "list"), clock)._keyring.keys] == ids(*expected)


def test_the_current_key_is_the_first_whatever_the_previous_stage_holds(aws, url, clock):
    """A rotation that was taken back leaves the current key in front."""
    aws.secrets.create_secret(Name="back", SecretString=encoded(K1, K2))
    aws.secrets.put_secret_value(SecretId="back", SecretString=encoded(K2))
    assert [key.id for key in keyring_from(url("secretsmanager", "back"), clock)._keyring.keys] == ids(K2, K1)


def test_a_parameter_holds_a_list(aws, url, clock):
    """Newest first, with commas and spaces between."""
    value = f" {encoded(K2)} , {encoded(K1)}\n"
    aws.parameters.put_parameter(Name="/acme/Watchword", Value=value, Type="SecureString")
    made = keyring_from(url("ssm", "/acme/Watchword"), clock)
    assert [key.id for key in made._keyring.keys] == ids(K2, K1)
    aws.parameters.put_parameter(Name="plain-name", Value=encoded(K3), Type="SecureString")
    assert keyring_from(url("ssm", "plain-name"), clock).current.id == ids(K3)[0]


def test_generated_text_is_a_key(aws, url, clock):
    """64 letters and digits, as CloudFormation's GenerateSecretString makes them, read as base64 of 48 bytes."""
    aws.secrets.create_secret(Name="generated", SecretString="abcdefghijklmnopQRSTUVWXYZ012345" * 2)
    assert keyring_from(url("secretsmanager", "generated"), clock).current


def test_both_end_up_in_the_triggers(aws, url):
    """``WATCHWORD_KEY`` and ``key=`` take the same text; a sign-in runs on a fetched key."""
    aws.secrets.create_secret(Name="triggers", SecretString=encoded(K1))
    outbox = Outbox()
    made = triggers(Flow(EmailOtp()), courier=outbox, environment={"WATCHWORD_KEY": url("secretsmanager", "triggers")})
    pool = LocalUserPool(*made)
    pool.add_user("ann", attributes={"email": "ann@example.com", "email_verified": "true"})
    asked = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    code = next(line for line in outbox.messages[-1].text.splitlines() if line.strip().isdigit())
    reply = pool.respond_to_auth_challenge(
        ClientId=pool.client_id,
        ChallengeName="CUSTOM_CHALLENGE",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann", "ANSWER": code.strip()},
    )
    assert "AuthenticationResult" in reply
    assert HostSettings(key=url("secretsmanager", "triggers"), environment={}).keyring.current.id == ids(K1)[0]


def test_keys_given_otherwise_stay_as_they_were(clock):
    """Bytes, a list, a ring and text in base64 need no source."""
    for given in (K1, [K1], Keyring.of(K1), encoded(K1)):
        assert HostSettings(key=given, environment={}).keyring.current.id == ids(K1)[0]
    fetched = FetchedKeyring(Source(K2), clock=clock)
    assert HostSettings(key=fetched, environment={}).keyring is fetched
    with pytest.raises(ConfigurationError, match="set WATCHWORD_KEY or pass key="):
        HostSettings(environment={"WATCHWORD_KEY": " "}).keyring  # noqa: B018
    with pytest.raises(ConfigurationError, match="WATCHWORD_KEY: key 2 is no base64"):
        HostSettings(key=f"{encoded(K1)},###", environment={}).keyring  # noqa: B018


def test_a_root_key_is_fetched_once_and_by_the_same_client(aws, url, clock):
    """It never rotates; making a second client would take a fifth of a second of every start."""
    aws.secrets.create_secret(Name="root", SecretString=encoded(K0))
    aws.secrets.create_secret(Name="rotating", SecretString=encoded(K1))
    made = keyring_from(url("secretsmanager", "rotating"), clock, url("secretsmanager", "root"))
    assert [made.current.id, made.root_key.id] == ids(K1, K0)
    aws.secrets.put_secret_value(SecretId="root", SecretString=encoded(K3))
    aws.secrets.put_secret_value(SecretId="rotating", SecretString=encoded(K2))
    clock.advance(300)
    assert [made.current.id, made.root_key.id] == ids(K2, K0)
    assert made.find(ids(K1)[0]) is not None
    again = keyring_from(url("secretsmanager", "rotating"), clock, url("secretsmanager", "root"))
    assert again.root_key.id == ids(K0)[0]


@pytest.mark.parametrize("root", ["text", "ssm"])
def test_root_key_and_rotating_key_are_kept_in_different_ways(aws, url, clock, root):
    """Either may be text, or be in another service."""
    aws.secrets.create_secret(Name=f"beside-{root}", SecretString=encoded(K1))
    aws.parameters.put_parameter(Name=f"/beside/{root}", Value=encoded(K0), Type="SecureString")
    said = encoded(K0) if root == "text" else url("ssm", f"/beside/{root}")
    world = {"environment": {"WATCHWORD_ROOT_KEY": said}, "clock": clock}
    made = HostSettings(key=url("secretsmanager", f"beside-{root}"), **world).keyring
    assert [made.current.id, made.root_key.id] == ids(K1, K0)
    assert HostSettings(key=K2, **world).keyring.root_key.id == ids(K0)[0]


def test_one_place_is_not_both(clock):
    """A root key in the secret that rotates would rotate with it."""
    with pytest.raises(ConfigurationError, match="name the same place, secretsmanager://acme: keep the root key"):
        keyring_from("secretsmanager://acme?cache=60", clock, "secretsmanager://acme")


def test_a_root_key_has_no_cache(clock):
    """It is fetched once: a time after which it is fetched again would be a promise that is not kept."""
    with pytest.raises(ConfigurationError, match="an option that it does not know: it knows endpoint, region"):
        keyring_from("secretsmanager://acme", clock, "secretsmanager://root?cache=60")


def test_a_weak_root_key_in_a_secret_is_named(aws, url, clock):
    """By the secret that holds it."""
    aws.secrets.create_secret(Name="weak-root", SecretString="c2hvcnQ=")
    with pytest.raises(ConfigurationError, match="the key source secretsmanager://weak-root: key 1 is too short"):
        environment = {"WATCHWORD_ROOT_KEY": url("secretsmanager", "weak-root")}
        HostSettings(key=K1, environment=environment, clock=clock).keyring  # noqa: B018


# What goes wrong at the start


def refused(text, clock):
    with pytest.raises(ConfigurationError) as caught:
        keyring_from(text, clock)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ((400, "AccessDeniedException"), "AccessDeniedException): allow {permission} on it, and kms:Decrypt"),
        ((400, "DecryptionFailure"), "DecryptionFailure): allow kms:Decrypt with its key, and see that"),
        ((400, "InvalidKeyId"), "InvalidKeyId): allow kms:Decrypt"),
        ((400, "UnrecognizedClientException"), "see that there are credentials"),
        ((400, "SomethingNew"), "SomethingNew): see that the service can be reached"),
        ((500, "InternalServiceError"), "InternalServiceError): see that the service can be reached"),
        ("cut", "ConnectionClosedError): see that the service can be reached"),
    ],
)
@pytest.mark.parametrize(
    ("scheme", "name", "permission"),
    [("secretsmanager", "s", "secretsmanager:GetSecretValue"), ("ssm", "/p", "ssm:GetParameter")],
)
def test_a_source_that_cannot_be_read_is_named_with_the_remedy(aws, url, clock, fault, said, scheme, name, permission):  # noqa: PLR0917
    """One line says which source, why and what to do; and nothing of what the service said."""
    aws.faults[:] = [fault] * 9
    told = refused(url(scheme, name), clock)
    assert told.startswith(f"the key source {scheme}://{name} cannot be read (")
    assert said.format(permission=permission) in told
    assert "canary" not in told


@pytest.mark.parametrize(("scheme", "name"), [("secretsmanager", "missing"), ("ssm", "/missing")])
def test_a_source_that_does_not_exist_is_named(url, clock, scheme, name):
    """The emulator's own refusal."""
    assert "does not exist in this region: create it" in refused(url(scheme, name), clock)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("canary, secret", "(AWSCURRENT): key 1 is no base64"),
        (f"{encoded(K1)},canary!", "(AWSCURRENT): key 2 is no base64"),
        ('{"canary": "secret"}', "(AWSCURRENT): it is JSON; keep the key alone"),
        ("  ", "(AWSCURRENT): it is empty"),
        ("Y2FuYXJ5", "key 1 is too short: 6 bytes"),
        ("A" * 64, "key 1 is not random"),
    ],
)
def test_a_weak_or_unreadable_key_is_refused_and_not_shown(aws, url, clock, value, said):
    """What is wrong with the key is said, without the key."""
    name = f"weak-{abs(hash(value))}"
    aws.secrets.create_secret(Name=name, SecretString=value)
    told = refused(url("secretsmanager", name), clock)
    assert f"the key source secretsmanager://{name}" in told
    assert said in told
    for shown in ("canary", "Y2Fu", "AAAA", encoded(K1)):
        assert shown not in told


def test_a_parameter_in_clear_text_is_refused(aws, url, clock):
    """A key that anybody can read who may list parameters is burnt."""
    aws.parameters.put_parameter(Name="/clear", Value=encoded(K1), Type="String")
    assert "kept in clear text: make it a SecureString, with a new key" in refused(url("ssm", "/clear"), clock)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vault://canary", "a URL that Watchword does not know: there is secretsmanager://name and ssm:///path"),
        ("canary://x", "a URL that Watchword does not know"),
        ("secretsmanager://", "needs a name or an ARN"),
        ("ssm://?region=eu-west-1", "needs a name or an ARN"),
        ("ssm:///a b", "needs a name or an ARN"),
        ("secretsmanager://x?regoin=eu-west-1", "has an option that it does not know, 'regoin'"),
        ("secretsmanager://x?cache=5m", "cache is in whole seconds"),
        ("secretsmanager://x?cache=1", "cache is 1; it is from 30 to 86400 seconds"),
        ("secretsmanager://x?cache=99999", "it is from 30 to 86400 seconds"),
        (
            "secretsmanager://x",
            "it can make no client (NoRegionError): give region=eu-west-1 or set AWS_DEFAULT_REGION",
        ),
    ],
)
def test_a_bad_url_is_refused(monkeypatch, clock, text, said):
    """What is wrong with the URL is said, with the form that is right."""
    isolate(monkeypatch)
    told = refused(text, clock)
    assert said in told
    assert "canary" not in told


def test_boto3_that_is_missing_is_named():
    """Who keeps keys in AWS needs boto3, and nobody else loads it."""
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "from watchword_adapters.host_settings import HostSettings\n"
        "try: HostSettings(key='ssm:///x', environment={}).keyring\nexcept Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "the key source ssm:///x: it needs boto3: pip install 'watchword[aws]'\n"


# Renewal


def test_keys_are_fetched_again_when_their_time_is_over(clock):
    """Within the time nothing is asked; after it once, whoever comes first."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.advance(299.999)
    assert made.current.id == ids(K1)[0]
    assert source.asked == 1
    clock.advance(0.001)
    assert [made.current.id, made.root_key.id] == ids(K2, K1)
    assert source.asked == 2
    clock.advance(299)
    assert made.find(ids(K2)[0]) == made.current
    assert source.asked == 2


def test_the_time_can_be_set(aws, url, clock):
    """``cache=`` of the URL is in seconds."""
    aws.secrets.create_secret(Name="cached", SecretString=encoded(K1))
    assert keyring_from(url("secretsmanager", "cached", "&cache=60"), clock)._cache == 60
    assert keyring_from(url("secretsmanager", "cached"), clock)._cache == 300


def test_a_rotation_reaches_a_running_ring(aws, url, clock):
    """A new AWSCURRENT is used after the time, and what the old one made is still read."""
    aws.secrets.create_secret(Name="rotated", SecretString=encoded(K1))
    made = keyring_from(url("secretsmanager", "rotated"), clock)
    aws.secrets.put_secret_value(SecretId="rotated", SecretString=encoded(K2))
    clock.advance(300)
    assert made.current.id == ids(K2)[0]
    assert made.find(ids(K1)[0]) is not None


def test_a_clock_set_back_makes_keys_old(clock):
    """A time in the future is no reason to keep keys for ever."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.set_by(-86400)
    assert made.current.id == ids(K2)[0]


def test_no_call_waits_for_a_renewal():
    """While one thread fetches, all calls go on with the keys that there are, and no second fetch begins."""
    clock, source = Later(), Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.advance(300)
    for _ in range(5):
        assert made.current.id == made.root_key.id == made.find(ids(K1)[0]).id == ids(K1)[0]
    clock.advance(3600)
    assert made.current.id == ids(K1)[0]
    assert (len(clock.called), source.asked) == (1, 1)
    clock.called[0]()
    assert made.current.id == ids(K2)[0]


def test_a_key_that_is_not_in_the_ring_is_waited_for(clock):
    """What another container made with a newer key is read, before the time of the ring is over."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.advance(keys.MISSED)
    assert made.find(ids(K2)[0]).id == ids(K2)[0]
    assert made.current.id == ids(K2)[0]


def test_a_key_that_another_thread_fetches_is_waited_for(monkeypatch):
    """Whoever misses a key while a fetch is under way gets what it brings."""
    begun, release = threading.Event(), threading.Event()

    class Slow(Source):
        def fetch(self):
            if self.asked:
                begun.set()
                release.wait()
            return super().fetch()

    monkeypatch.setattr(keys, "PATIENCE", math.inf)
    clock, source = ThreadedClock(NOW), Slow(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.advance(keys.MISSED)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(made.find, ids(K2)[0])
        begun.wait()
        second = threads.submit(made.find, ids(K2)[0])
        release.set()
        assert first.result() == second.result() == made.current
    assert source.asked == 2


def test_keys_that_are_nowhere_are_not_asked_for_without_end(clock):
    """An unknown id costs one look in five seconds, and no wait where nobody fetches."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    for _ in range(20):
        assert made.find("deadbeef") is None
    assert source.asked == 1
    clock.advance(keys.MISSED)
    for _ in range(20):
        assert made.find("deadbeef") is None
    assert source.asked == 2
    clock = Later()
    waiting = FetchedKeyring(source, clock=clock)
    clock.advance(keys.MISSED)
    assert waiting.find("deadbeef") is None


def test_a_source_that_fails_later_leaves_the_keys_and_is_told_once(clock, caplog):
    """The last keys stay in use however long it lasts; the log says so at the beginning and at the end."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    with caplog.at_level(logging.INFO, "watchword"):
        source.keys = ConfigurationError("the key source test://source cannot be read (Why): remedy")
        for _ in range(10):
            clock.advance(3600)
            assert made.current.id == ids(K1)[0]
        assert source.asked == 11
        source.keys = ValueError("canary")
        clock.advance(3600)
        assert made.current.id == ids(K1)[0]
        source.keys = (K1,)
        clock.advance(3600)
        assert made.current.id == ids(K1)[0]
    assert [record.getMessage() for record in caplog.records] == [
        "the key source test://source cannot be read (Why): remedy; the keys that were fetched before stay in use",
        "the key source test://source can be read again",
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO, "watchword"):
        source.keys = ValueError("canary")
        clock.advance(300)
        assert made.current
    assert "test://source failed (ValueError)" in caplog.text
    assert "canary" not in caplog.text


def test_a_source_that_fails_is_left_in_peace_for_a_while(clock):
    """After a failure the next attempt is half a minute later."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = ConfigurationError("no")
    clock.advance(300)
    for _ in range(290):
        assert made.current
        clock.advance(0.1)
    assert source.asked == 2
    clock.advance(1.1)
    assert made.current
    assert source.asked == 3


@pytest.mark.parametrize("weak", [(), (b"short",), (b"a" * 32,), ("text",)])
def test_a_weak_key_never_takes_the_place_of_a_good_one(clock, caplog, weak):
    """What a rotation broke is told, and not used."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = weak
    clock.advance(300)
    with caplog.at_level(logging.INFO, "watchword"):
        assert made.current.id == ids(K1)[0]
    assert "the key source test://source: " in caplog.text
    assert "stay in use" in caplog.text


def test_new_keys_are_told_by_their_ids(clock, caplog):
    """The log says which keys are in use since when, by ids that tell nothing of the keys."""
    source = Source(K1)
    made = FetchedKeyring(source, clock=clock)
    source.keys = (K2, K1)
    clock.advance(300)
    with caplog.at_level(logging.INFO, "watchword"):
        assert made.current
    assert caplog.messages == [f"the key source test://source has new keys: {' '.join(ids(K2, K1))}"]


def test_no_thread_is_no_reason_to_stop():
    """If no thread can be started, the keys stay in use."""

    class Full(VirtualClock):
        def call(self, work, within):
            raise UnavailableError("there was no thread for the call", undelivered=True)

    clock = Full(NOW)
    made = FetchedKeyring(Source(K1), clock=clock)
    clock.advance(300)
    assert made.current.id == ids(K1)[0]
    assert made.find("deadbeef") is None


def test_no_key_shows(aws, url, clock, caplog):
    """Neither a text form nor botocore's debug log, which writes whole answers, holds a key."""
    aws.secrets.create_secret(Name="hidden", SecretString=encoded(K1))
    aws.parameters.put_parameter(Name="/hidden", Value=encoded(K1), Type="SecureString")
    with caplog.at_level(logging.DEBUG):
        shown = [
            repr(keyring_from(url(scheme, name), clock))
            for scheme, name in (("secretsmanager", "hidden"), ("ssm", "/hidden"))
        ]
        boto3_talks = "botocore" in caplog.text
    assert shown == ["FetchedKeyring('secretsmanager://hidden')", "FetchedKeyring('ssm:///hidden')"]
    assert boto3_talks
    assert encoded(K1) not in caplog.text


def test_the_first_fetch_fits_into_the_start_of_a_function(monkeypatch):
    """Two secrets, each call tried twice, are there within the ten seconds that Lambda gives to starting.

    Both stages of a secret are asked for at once.
    """
    pauses = 2  # botocore waits up to a second before a second try.
    assert 2 * 2 * sum(LIMITS) + pauses < 10
    isolate(monkeypatch)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(keys_in_aws, "_CONNECT", LIMITS[0])
    monkeypatch.setattr(keys_in_aws, "_READ", LIMITS[1])
    config = keys_in_aws.LazyClient("ssm", "", "")._make().meta.config
    assert (config.connect_timeout, config.read_timeout) == LIMITS
    assert config.retries["total_max_attempts"] == 2
