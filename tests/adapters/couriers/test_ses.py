"""The SES courier, against an emulator, and against a server on loopback that answers as SES does when it fails."""

import contextlib
import json
import logging
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from attrs import evolve

from kit.aws import isolate
from kit.messages import TEXT
from watchword.contract.kinds import Email
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.couriers import LETTER, CourierContract
from watchword.testing.time import VirtualClock
from watchword_adapters.couriers import SesCourier, aws_sending, ses

SENDER = "Acme <no-reply@acme.example>"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    """Credentials that are none, and nothing of the machine's own settings."""
    isolate(monkeypatch)


class Service:
    """SES on loopback: *answer* is a status with an error's name, or what to do instead; it keeps every request."""

    def __init__(self, answer=(200, "")):
        self.answer = answer
        self.lasting = False
        self.requests = []
        self.peers = []
        self.done = Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                service.peers.append(self.client_address)
                service.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.reply(service.answer)

            def reply(self, answer):
                self.close_connection = not service.lasting
                match answer:
                    case "hang":
                        service.done.wait()
                    case "close":
                        pass
                    case "reset":
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    case "half":
                        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                    case "rubbish":
                        self.wfile.write(b"rubbish\r\n\r\n")
                    case (status, error):
                        # SES quotes the address in some of its messages.
                        said = {"message": service.words} if error else {"MessageId": "the-id"}
                        body = b"<html>" if error == "html" else json.dumps(said).encode()
                        self.send_response(status)
                        if error:
                            self.send_header("x-amzn-ErrorType", error)
                        self.send_header("Content-Length", str(len(body)))
                        self.send_header("Connection", "keep-alive" if service.lasting else "close")
                        self.end_headers()
                        self.wfile.write(body)

            def log_message(self, *given):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.words = "canary ann@example.com"
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def messages(self):
        found = []
        for request in self.requests:
            content = request["Content"]["Simple"]
            (to,) = request["Destination"]["ToAddresses"]
            body = {part: text["Data"] for part, text in content["Body"].items()}
            found.append(Email(to, content["Subject"]["Data"], body["Text"], body.get("Html", "")))
        return found


@contextlib.contextmanager
def serving(answer=(200, "")):
    service = Service(answer)
    thread = Thread(target=service.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.done.set()
        service.server.shutdown()
        service.server.server_close()
        thread.join()


def made(service_url, **options):
    return SesCourier(SENDER, region="eu-west-1", endpoint=service_url, **options)


LIMITS = (aws_sending.CONNECT, aws_sending.READ)


@pytest.fixture(scope="module", autouse=True)
def unhurried():
    """The service may take its time: its machine may be slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_sending, "CONNECT", 3600.0)
        patch.setattr(aws_sending, "READ", 3600.0)
        yield


@pytest.fixture(scope="module")
def shared():
    """A service and its courier for all tests that do not need their own: making a client takes a while."""
    with serving() as service:
        yield service, made(service.url)


@pytest.fixture
def service(shared):
    service, courier = shared
    courier.prepare()
    yield service
    service.answer, service.words = (200, ""), "canary ann@example.com"
    service.requests.clear()
    service.done.set()  # Whoever still hangs may go.
    service.done = Event()


@pytest.fixture
def courier(shared, service):
    return shared[1]


class TestSesCourier(CourierContract):
    within = 3600.0
    secrets = ("AKIACANARY", "canary-secret")

    @pytest.fixture
    def delivered(self, service):
        return service.messages

    @pytest.fixture
    def hanging(self, service, courier):
        service.answer = "hang"
        return courier


# An emulator


@pytest.fixture(scope="module")
def emulator():
    """moto's server on loopback: its URL and what it has sent."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.server import ThreadedMotoServer
    from moto.ses.models import ses_backends

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].sent_messages
    server.stop()


def test_an_emulator_takes_the_message(emulator):
    """From a verified identity the message is accepted, with SES's own id; from another it is refused."""
    import boto3

    url, sent = emulator
    with pytest.raises(UnavailableError, match=r"MessageRejected \(400\)") as caught:
        made(url).send(LETTER, 3600.0)
    assert caught.value.undelivered
    client = boto3.client("sesv2", region_name="eu-west-1", endpoint_url=url)
    client.create_email_identity(EmailIdentity="no-reply@acme.example")
    client.close()
    receipt = made(url).send(LETTER, 3600.0)
    (message,) = sent
    assert receipt.id == message.id
    assert (message.source, message.destinations) == (SENDER, {"ToAddresses": ["ann@example.com"]})
    assert (message.subject, message.body) == (LETTER.subject, LETTER.html)


# What is asked of SES


def test_the_request_says_what_was_set_up():
    """Sender, one recipient, configuration set and UTF-8; the receipt has SES's id."""
    with serving() as service:
        courier = made(service.url, configuration_set="codes")
        assert courier.send(evolve(LETTER, html=""), 3600.0).id == "the-id"
    assert service.requests == [
        {
            "FromEmailAddress": SENDER,
            "Destination": {"ToAddresses": ["ann@example.com"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": LETTER.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": LETTER.text, "Charset": "UTF-8"}},
                }
            },
            "ConfigurationSetName": "codes",
        }
    ]


def test_a_message_of_another_channel_is_not_sent(service, courier):
    """A text message is none of this courier's."""
    with pytest.raises(UnavailableError, match="channel"):
        courier.send(TEXT, 3600.0)
    assert service.requests == []


# Failures


@pytest.mark.parametrize(
    ("answer", "undelivered", "reason"),
    [
        ((429, "TooManyRequestsException"), True, "throttled"),
        ((400, "ThrottlingException"), True, "throttled"),
        ((503, "ThrottlingException"), True, "throttled"),
        ((400, "MessageRejected"), True, "message_refused"),
        ((400, "MailFromDomainNotVerifiedException"), True, "sender_refused"),
        ((400, "SendingPausedException"), True, "paused"),
        ((400, "AccountSuspendedException"), True, "paused"),
        ((400, "LimitExceededException"), True, "throttled"),
        ((403, "AccessDeniedException"), True, "permission"),
        ((403, "UnrecognizedClientException"), True, "credentials"),
        ((404, "NotFoundException"), True, "missing"),
        ((407, "html"), True, "unknown"),
        ((500, "InternalFailure"), False, "internal"),
        ((503, "ServiceUnavailable"), False, "internal"),
        ((502, "html"), False, "unknown"),
        ("close", False, "unreachable"),
        ("reset", False, "unreachable"),
        ("half", False, None),
        ("rubbish", False, None),
    ],
)
def test_what_became_of_the_message_and_why_is_told(service, courier, answer, undelivered, reason):
    """SES asked once, its refusals are certain, faults and silence say nothing; its words stay out."""
    service.answer = answer
    with pytest.raises(UnavailableError, match=r"^Amazon SES ") as caught:
        courier.send(LETTER, 3600.0)
    assert caught.value.undelivered is undelivered
    assert reason in (caught.value.reason, None)
    assert isinstance(answer, str) or answer[1] in ("html", caught.value.code)
    assert "canary" not in str(caught.value)
    assert "ann@" not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(service.requests) == 1


NOT_VERIFIED = "Email address is not verified. The following identities failed the check in region EU-WEST-1: "


@pytest.mark.parametrize(
    ("said", "reason", "refused"),
    [
        (("MessageRejected", NOT_VERIFIED + "ann@example.com"), "sandbox", True),
        (("MessageRejected", NOT_VERIFIED + "Ann@Example.com"), "sandbox", True),
        (("MessageRejected", NOT_VERIFIED + "no-reply@acme.example"), "sender_refused", False),
        (("MessageRejected", NOT_VERIFIED + "acme.example, ann@example.com"), "sender_refused", False),
        (("MessageRejected", NOT_VERIFIED + "acme.example@evil.example"), "unverified", False),
        (("MessageRejected", "Email address is not verified."), "unverified", False),
        (("MessageRejected", "Message contains a virus"), "message_refused", True),
        (("BadRequestException", "Domain contains illegal character"), "recipient_refused", True),
        (("AccessDeniedException", "ann@example.com"), "permission", False),
        (("TooManyRequestsException", "ann@example.com"), "throttled", False),
    ],
)
def test_a_refused_recipient_is_told_from_a_channel_that_is_down(service, courier, said, reason, refused):
    """SES names who is not verified: that tells the sandbox from a sender that was forgotten. Its words stay out."""
    code, service.words = said
    service.answer = (400, code)
    with pytest.raises(UnavailableError) as caught:
        courier.send(LETTER, 3600.0)
    assert (caught.value.reason, caught.value.refused, caught.value.code) == (reason, refused, code)
    assert service.words not in str(caught.value)


def test_a_dead_service_means_undelivered():
    """A connection refused is certain."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match="EndpointConnectionError") as caught:
        made(f"http://127.0.0.1:{port}").send(LETTER, 3600.0)
    assert caught.value.undelivered


def test_without_credentials_nothing_leaves(monkeypatch):
    """So is a request that could not be signed."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with serving() as service, pytest.raises(UnavailableError, match="NoCredentialsError") as caught:
        made(service.url).send(LETTER, 3600.0)
    assert caught.value.undelivered
    assert service.requests == []


def test_every_name_of_an_error_exists():
    """The list of botocore's errors that are certain has no name that botocore does not know."""
    import botocore.exceptions

    assert [name for name in aws_sending._UNSENT if not hasattr(botocore.exceptions, name)] == []


def test_the_client_does_not_try_again_and_waits_briefly(monkeypatch):
    """The limits of the client are those of the courier: one attempt, a second to connect, two to read."""
    monkeypatch.setattr(aws_sending, "CONNECT", LIMITS[0])
    monkeypatch.setattr(aws_sending, "READ", LIMITS[1])
    courier = made("http://127.0.0.1:1")
    courier.prepare()
    config = courier._client.ready().meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.0, 2.0)
    assert config.retries["total_max_attempts"] == 1


def test_a_connection_that_has_idled_is_not_used_again():
    """A container that was frozen finds its connection dead, so after a while a new one is made."""
    clock = VirtualClock()
    with serving() as service:
        service.lasting = True
        courier = made(service.url, clock=clock)
        for pause in (0, 19.9, 20.1, 600, 1):
            clock.advance(pause)
            courier.send(LETTER, 3600.0)
    assert [service.peers.index(peer) for peer in service.peers] == [0, 0, 2, 3, 3]


# Set-up


def test_one_client_is_made_for_all_threads(monkeypatch):
    """Preparing makes the client, and nothing makes another."""
    clients = []
    courier = made("http://127.0.0.1:1")
    monkeypatch.setattr(aws_sending, "aws_client", lambda *_, **__: clients.append(object()) or clients[-1])
    threads = [Thread(target=courier.prepare) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 1


def test_without_a_region_the_courier_is_not_set_up():
    """Preparing says what to set; sending says the same and that nothing left."""
    courier = SesCourier(SENDER)
    with pytest.raises(ConfigurationError, match="AWS_DEFAULT_REGION"):
        courier.prepare()
    with pytest.raises(UnavailableError, match="AWS_DEFAULT_REGION") as caught:
        courier.send(LETTER, 3600.0)
    assert caught.value.undelivered


def test_the_region_of_the_environment_is_used(monkeypatch):
    """Where none is given, boto3's own settings hold."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    courier = SesCourier(SENDER)
    courier.prepare()
    assert courier._client.ready().meta.region_name == "eu-central-1"


def test_an_endpoint_that_is_no_url_is_refused():
    """A wrong endpoint is a ConfigurationError when the courier is prepared."""
    with pytest.raises(ConfigurationError, match="endpoint is a URL"):
        made("nowhere").prepare()


def test_without_boto3_the_remedy_is_named(monkeypatch):
    """The extra to install stands in the message."""
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[aws\]'"):
        made("http://127.0.0.1:1").prepare()


def test_importing_the_module_loads_no_boto3():
    """Nor does building a courier: only preparing or sending does."""
    code = (
        "import sys; from watchword_adapters.couriers.ses import SesCourier; SesCourier('a@b.c')\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_floor_can_be_set():
    """It is half a second unless said otherwise."""
    assert SesCourier("a@b.c").floor == 0.5
    assert SesCourier("a@b.c", floor=1.5).floor == 1.5


def from_url(url):
    found = {}
    ses.register_couriers(lambda scheme, factory: found.update({scheme: factory}))
    assert set(found) == {"ses"}
    return found["ses"](url)


def test_ses_couriers_are_made_of_urls():
    """Sender, region, configuration set and endpoint are options."""
    courier = from_url(
        "ses://?from=a+b@b.c&region=eu-west-1&configuration_set=codes&endpoint=http%3A%2F%2F127.0.0.1%3A1"
    )
    assert repr(courier) == "SesCourier(region='eu-west-1', configuration_set='codes')"
    assert (courier._sender.address, courier._endpoint) == ("a+b@b.c", "http://127.0.0.1:1")
    assert repr(from_url("ses://?from=a@b.c")) == "SesCourier(region='', configuration_set='')"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ses:", "sender"),
        ("ses://", "sender"),
        ("ses://?region=eu-west-1", "sender"),
        ("ses://?from=nobody", "one plain address"),
        ("ses://host?from=a@b.c", "options alone"),
        ("ses://key:canary@?from=a@b.c", "options alone"),
        ("ses:///path?from=a@b.c", "options alone"),
        ("ses://?from=a@b.c&regionn=eu-west-1", "'regionn': it knows configuration_set, endpoint, from, region"),
    ],
)
def test_a_bad_ses_url_is_refused(url, what):
    """The part that is wrong is named, with the form that is right."""
    with pytest.raises(ConfigurationError, match=what) as caught:
        from_url(url)
    assert "canary" not in str(caught.value)


# Secrets


@pytest.mark.parametrize("answer", [(200, ""), (400, "MessageRejected"), "reset"])
def test_nothing_secret_is_logged(caplog, answer):
    """At DEBUG of all of boto3, no log record of a sending holds the code, the address or the secret key (L-01)."""
    caplog.set_level(logging.DEBUG)
    with serving(answer) as service, contextlib.suppress(UnavailableError):
        made(service.url).send(LETTER, 3600.0)
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert "botocore" in names
    said = [f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records]
    assert not [line for line in said if "12345678" in line or "ann@" in line or "canary-secret" in line]


def test_other_users_of_boto3_log_as_before(caplog):
    """Only the threads that send are silent."""
    import boto3

    caplog.set_level(logging.DEBUG)
    with serving() as service:
        made(service.url).prepare()
        client = boto3.client("sesv2", region_name="eu-west-1", endpoint_url=service.url)
        client.send_email(Content={"Simple": {"Subject": {"Data": "theirs"}, "Body": {"Text": {"Data": "x"}}}})
        client.close()
    assert [
        record for record in caplog.records if record.name == "botocore.endpoint" and "theirs" in record.getMessage()
    ]
