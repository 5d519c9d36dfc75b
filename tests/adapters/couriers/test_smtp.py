"""The SMTP courier, against a real SMTP server on loopback, and against servers that misbehave."""

import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import logging
import smtplib
import socket
import ssl
from threading import Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from attrs import evolve

from kit.mail_server import answering, failure
from kit.messages import TEXT
from watchword.contract.kinds import Email
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.couriers import LETTER, CourierContract
from watchword.testing.time import VirtualClock
from watchword_adapters.couriers import SmtpCourier, smtp
from watchword_adapters.couriers.send_timeout import Attempt

PASSWORD = "p@ss:w/rd"


class Mailbox:
    """What the server took: envelopes and messages; and the reply it gives to each command, if not its own."""

    def __init__(self):
        self.envelopes = []
        self.replies = {}

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        reply = self.replies.get("DATA", "250 2.0.0 OK")
        if reply.startswith("2"):
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return reply

    def letters(self):
        return [email.message_from_bytes(content, policy=email.policy.default) for _, _, content, _ in self.envelopes]

    def messages(self):
        return [
            Email(
                letter["To"],
                letter["Subject"],
                letter.get_body(("plain",)).get_content(),
                letter.get_body(("html",)).get_content() if letter.get_body(("html",)) else "",
            )
            for letter in self.letters()
        ]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """The server may take its time: its machine may be slow."""
    monkeypatch.setattr(smtp, "_CONNECT", 3600.0)
    monkeypatch.setattr(smtp, "_READ", 3600.0)


@contextlib.contextmanager
def serving(mailbox, **options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=3600, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def server():
    """One server for all tests that do not need one of their own: its mailbox and port."""
    mailbox = Mailbox()
    with serving(mailbox) as port:
        yield mailbox, port


@pytest.fixture
def mailbox(server):
    server[0].envelopes.clear()
    server[0].replies.clear()
    return server[0]


@pytest.fixture
def courier(server, mailbox):
    return SmtpCourier("127.0.0.1", port=server[1], sender="Acme <no-reply@acme.example>")


class TestSmtpCourier(CourierContract):
    within = 3600.0
    secrets = (PASSWORD, "the-user")

    @pytest.fixture
    def courier(self, server, mailbox):
        # The server asks for no login, and the courier, having no TLS, gives none: it is there for its repr.
        courier = SmtpCourier(
            "127.0.0.1", port=server[1], sender="no-reply@acme.example", user="the-user", password=PASSWORD
        )
        courier._password = ""
        yield courier
        courier._password = PASSWORD

    @pytest.fixture
    def delivered(self, mailbox):
        return mailbox.messages

    @pytest.fixture
    def hanging(self):
        with answering("hang") as (port, _):
            yield SmtpCourier("127.0.0.1", port=port, sender="no-reply@acme.example")


# What is sent


def test_the_envelope_and_the_headers_say_the_same(courier, mailbox):
    """One sender, one recipient, in the envelope and in the headers, each header once."""
    courier.send(LETTER, 3600.0)
    ((sender, recipients, content, _),) = mailbox.envelopes
    (letter,) = mailbox.letters()
    assert (sender, recipients) == ("no-reply@acme.example", ["ann@example.com"])
    assert (letter["From"], letter["To"]) == ("Acme <no-reply@acme.example>", "ann@example.com")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert len(letter.keys()) == len(set(letter.keys()))
    assert not {"Bcc", "Cc"} & set(letter.keys())
    assert letter.defects == []
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


@pytest.mark.parametrize("name", ["m1", "0123456789abcdef" * 4, "a b/c:d@e"])
def test_every_try_has_the_same_message_id(courier, mailbox, name):
    """The header is made of the message's id alone, and is a valid one."""
    for _ in range(2):
        courier.send(evolve(LETTER, id=name), 3600.0)
    one, other = mailbox.letters()
    assert one["Message-ID"] == other["Message-ID"]
    left, _, right = str(one["Message-ID"]).strip("<>").partition("@")
    assert right == "acme.example"
    assert left[:10] == {"m1": "m1", "a b/c:d@e": "a-b-c-d-e"}.get(name, "0123456789")


def test_a_message_of_another_channel_is_not_sent(courier, mailbox):
    """A text message is none of this courier's."""
    with pytest.raises(UnavailableError, match="channel"):
        courier.send(TEXT, 3600.0)
    assert mailbox.envelopes == []


# Refusals


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    "reply", ["451 4.3.0 Try later", "550 5.1.1 <ann@example.com> unknown", "421 4.3.2 Going down"]
)
def test_a_refusal_means_undelivered(server, mailbox, command, reply):
    """4xx and 5xx to MAIL, RCPT or the message: the server has nothing, and its words are not passed on."""
    mailbox.replies[command] = reply
    error = failure(server[1])
    assert error.undelivered
    assert str(error).endswith(f"refused {'the message' if command == 'DATA' else command} with {reply[:3]}")
    assert mailbox.envelopes == []
    reasons = {
        "MAIL": "sender_refused",
        "RCPT": "recipient_refused",
        "DATA": "message_refused" if reply[0] == "5" else "unknown",
    }
    assert (command != "MAIL") is error.refused
    assert (error.reason, error.code) == ("internal" if reply[:3] == "421" else reasons[command], reply[:9])


def dead_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_dead_server_means_undelivered():
    """A connection refused is certain, and the error names the server and what happened."""
    port = dead_port()
    error = failure(port)
    assert error.undelivered
    assert str(error) == f"the mail server 127.0.0.1:{port} failed at connecting: ConnectionRefusedError"


def test_a_name_that_does_not_exist_means_undelivered(monkeypatch):
    """So is a name that cannot be looked up."""

    def getaddrinfo(*given, **named):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    courier = SmtpCourier("mail.example", sender="no-reply@acme.example")
    with pytest.raises(UnavailableError, match="failed at connecting: gaierror") as caught:
        courier.send(LETTER, 3600.0)
    assert caught.value.undelivered


OK = "250 OK"
UP_TO_DATA = ("220 hello", OK, OK, OK, "354 go on")


@pytest.mark.parametrize(
    ("script", "undelivered"),
    [
        (("554 no service",), True),
        (("close",), True),
        (("rubbish",), True),
        (("220 hello", "close"), True),
        (("220 hello", "500 no", "502 no", "503 no"), True),
        (("220 hello", OK, OK, "close"), True),
        (("220 hello", OK, OK, OK, "554 no"), True),
        (("220 hello", OK, OK, OK, "250 what"), True),
        (("220 hello", OK, OK, OK, "close"), True),
        ((*UP_TO_DATA, "body", "552 too big"), True),
        ((*UP_TO_DATA, "body", "452 no room"), True),
        ((*UP_TO_DATA, "body", "354 what"), False),
        ((*UP_TO_DATA, "body", "what"), False),
        ((*UP_TO_DATA, "body", "close"), False),
        ((*UP_TO_DATA, "body", "reset"), False),
    ],
)
def test_undelivered_is_said_exactly_when_it_is_certain(script, undelivered):
    """Before the final dot the server cannot have the message; after it, only a refusal is certain."""
    with answering(*script) as (port, _):
        assert failure(port).undelivered is undelivered


def test_a_break_in_the_middle_of_the_message_means_undelivered():
    """A server that goes away before the final dot was sent cannot have the message."""
    large = evolve(LETTER, text="a long line\n" * 500_000)
    with answering(*UP_TO_DATA, "reset") as (port, _):
        assert failure(port, message=large).undelivered


def test_an_old_server_is_greeted_with_helo():
    """A server that does not know EHLO is spoken to in the old way (RFC 5321 3.2)."""
    with answering("220 hello", "500 what", OK, OK, OK, "354 go on", "body", OK) as (port, heard):
        SmtpCourier("127.0.0.1", port=port, sender="no-reply@acme.example").send(LETTER, 3600.0)
    assert heard[:2] == ["ehlo [127.0.0.1]", "helo [127.0.0.1]"]


def test_a_server_that_forwards_has_taken_the_message():
    """251 to RCPT is as good as 250 (RFC 5321 3.4)."""
    with answering("220 hello", OK, OK, "251 will forward", "354 go on", "body", OK) as (port, _):
        SmtpCourier("127.0.0.1", port=port, sender="no-reply@acme.example").send(LETTER, 3600.0)


# TLS and login


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, signed by itself: the path of it with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(scope="module")
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture(scope="module")
def secure(certificate):
    """A server that wants STARTTLS and a login: its mailbox and port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    mailbox = Mailbox()

    def authenticator(server, session, envelope, mechanism, login):
        right = (login.login, login.password) == (b"the-user", PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    with serving(
        mailbox, tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticator
    ) as port:
        yield mailbox, port


def test_starttls_and_login(secure, trusting):
    """Under STARTTLS the courier logs in, and the message arrives encrypted."""
    mailbox, port = secure
    courier = SmtpCourier(
        "127.0.0.1", port=port, sender="a@b.c", tls="starttls", user="the-user", password=PASSWORD, context=trusting
    )
    courier.send(LETTER, 3600.0)
    (_, recipients, _, encrypted) = mailbox.envelopes.pop()
    assert (recipients, encrypted) == (["ann@example.com"], True)


def test_a_wrong_password_means_undelivered_and_is_not_shown(secure, trusting):
    """A refused login is told as such, without the password or the server's words."""
    error = failure(secure[1], tls="starttls", user="the-user", password="canary", context=trusting)
    assert error.undelivered
    assert str(error).endswith("failed at AUTH: SMTPAuthenticationError")
    assert (error.reason, error.code) == ("credentials", "535")


def test_a_server_that_is_not_trusted_gets_nothing(secure):
    """A certificate that the system does not trust ends the attempt before the login."""
    error = failure(secure[1], tls="starttls", user="the-user", password=PASSWORD)
    assert error.undelivered
    assert str(error).endswith("failed at TLS: SSLCertVerificationError")


def test_a_server_without_starttls_gets_nothing(server, mailbox, trusting):
    """Whoever strips STARTTLS from the conversation gets neither login nor message in clear text."""
    error = failure(server[1], tls="starttls", user="the-user", password=PASSWORD, context=trusting)
    assert error.undelivered
    assert "refused STARTTLS with" in str(error)
    assert mailbox.envelopes == []


def test_what_is_said_before_tls_is_forgotten(certificate, trusting):
    """A reply that was slipped in behind STARTTLS in clear text is not taken for one under TLS (RFC 3207 4.2)."""
    script = ("220 hello", OK, "220 go on\r\n250 slipped in", "tls", "550 the real answer", "550 no", "550 no")
    with answering(*script, certificate=certificate) as (port, heard):
        error = failure(port, tls="starttls", context=trusting)
    assert error.undelivered
    assert str(error).endswith("failed at EHLO: SMTPHeloError")
    assert heard[2:] == ["ehlo [127.0.0.1]", "helo [127.0.0.1]", ""]


def test_implicit_tls(certificate, trusting):
    """With ``implicit`` the connection is encrypted from the first byte."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    mailbox = Mailbox()
    with serving(mailbox, ssl_context=context) as port:
        courier = SmtpCourier("127.0.0.1", port=port, sender="a@b.c", tls="implicit", context=trusting)
        courier.send(LETTER, 3600.0)
        assert mailbox.messages()[0].to == "ann@example.com"


def test_a_connection_under_tls_is_cut_as_well(certificate, trusting):
    """Giving up ends the thread that sends, though it is in the middle of reading from an encrypted connection."""
    with answering("220 hello", OK, "220 go on", "tls", "drip", certificate=certificate) as (port, heard):
        courier = SmtpCourier("127.0.0.1", port=port, sender="a@b.c", tls="starttls", context=trusting)
        attempt = Attempt(VirtualClock(), 3600.0)

        def work():
            with contextlib.suppress(smtplib.SMTPException, OSError):
                courier._send(attempt, LETTER.to, b"")

        thread = Thread(target=work)
        thread.start()
        while thread.is_alive() and len(heard) < 3:  # Until the server has heard EHLO under TLS, and drips.
            thread.join(0.01)
        assert len(heard) == 3
        attempt.give_up()
        thread.join()
        assert not thread.is_alive()


# Set-up


def test_tls_is_the_default_but_for_this_machine():
    """A server elsewhere is spoken to under STARTTLS, one on loopback in the clear; each mode has its port."""

    def shown(host, **options):
        return repr(SmtpCourier(host, sender="a@b.c", **options))

    assert shown("mail.example") == "SmtpCourier('mail.example', port=587, tls='starttls')"
    assert shown("mail.example", tls="implicit") == "SmtpCourier('mail.example', port=465, tls='implicit')"
    assert shown("mail.example", tls="none") == "SmtpCourier('mail.example', port=25, tls='none')"
    for local in ("localhost", "127.0.0.1", "127.1.2.3", "::1"):
        assert shown(local) == f"SmtpCourier({local!r}, port=25, tls='none')"
    assert "starttls" in shown("127.evil.example")


def test_the_floor_can_be_set():
    """It is half a second unless said otherwise."""
    assert SmtpCourier("h", sender="a@b.c").floor == 0.5
    assert SmtpCourier("h", sender="a@b.c", floor=1.5).floor == 1.5


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "a@b"}, "host"),
        ({"sender": "nobody"}, "sender"),
        ({"tls": "maybe"}, "starttls, implicit or none"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"user": "me"}, "both user and password"),
        ({"password": "canary"}, "both user and password"),
        ({"user": "me", "password": "canary", "tls": "none"}, "clear text"),
    ],
)
def test_bad_settings_are_refused(options, what):
    """Each is a ConfigurationError that names what is wrong, without the password."""
    options = {"host": "mail.example", "sender": "a@b.c"} | options
    with pytest.raises(ConfigurationError, match=what) as caught:
        SmtpCourier(options.pop("host"), **options)
    assert "canary" not in str(caught.value)


def made(url):
    found = {}
    smtp.register_couriers(lambda scheme, factory: found.update({scheme: factory}))
    assert set(found) == {"smtp", "smtps"}
    return found[url.partition(":")[0]](url)


def test_smtp_couriers_are_made_of_urls():
    """User, password, host, port, sender and TLS are read from the URL; the repr shows no login."""
    courier = made("smtp://me:p%40ss@mail.example:2525?from=Acme%20<a@b.c>&tls=implicit")
    assert repr(courier) == "SmtpCourier('mail.example', port=2525, tls='implicit')"
    assert (courier._user, courier._password, courier._sender.name) == ("me", "p@ss", "Acme")
    assert repr(made("smtp://mail.example?from=a@b.c")) == "SmtpCourier('mail.example', port=587, tls='starttls')"
    assert repr(made("smtps://mail.example/?from=a@b.c")) == "SmtpCourier('mail.example', port=465, tls='implicit')"
    assert repr(made("smtp://[::1]:25?from=a@b.c")) == "SmtpCourier('::1', port=25, tls='none')"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("smtp:", "sender"),
        ("smtp://?from=a@b.c", "host"),
        ("smtp://u:canary@h", "sender"),
        ("smtp://u:canary@h?from=canary", "one plain address"),
        ("smtp://u:canary@h/path?from=a@b.c", "path"),
        ("smtp://u:canary@h?from=a@b.c&tls=yes", "starttls, implicit or none"),
        ("smtps://u:canary@h?from=a@b.c&tls=starttls", "TLS from the start"),
        ("smtp://u:canary@h?from=a@b.c&tls=none", "clear text"),
        ("smtp://u:canary@h:0?from=a@b.c", "port"),
        ("smtp://canary@h?from=a@b.c", "both user and password"),
    ],
)
def test_a_bad_smtp_url_is_refused(url, what):
    """The part that is wrong is named, never the password."""
    with pytest.raises(ConfigurationError, match=what) as caught:
        made(url)
    assert "canary" not in str(caught.value)


def test_nothing_secret_is_logged(secure, trusting, caplog):
    """At DEBUG, no log record of a sending holds the code, the address or the password."""
    caplog.set_level(logging.DEBUG)
    courier = SmtpCourier(
        "127.0.0.1",
        port=secure[1],
        sender="a@b.c",
        tls="starttls",
        user="the-user",
        password=PASSWORD,
        context=trusting,
    )
    courier.send(LETTER, 3600.0)
    # aiosmtpd, the server, runs in this process too and logs whatever it hears.
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("mail")]
    assert not [line for line in said if "12345678" in line or "ann@" in line or PASSWORD in line]
