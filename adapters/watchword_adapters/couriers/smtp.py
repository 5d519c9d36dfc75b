"""The courier that hands messages to a mail server, by SMTP (RFC 5321)."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from watchword.contract.hookspecs import RegisterCourier, hookimpl
from watchword.contract.kinds import Email
from watchword.contract.ports import Clock, Courier, Receipt
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers.envelope import Sender, refuse_unfit
from watchword_adapters.couriers.send_timeout import Attempt, send_within
from watchword_adapters.urls import PortURL

Security: TypeAlias = Literal["starttls", "implicit", "none"]

_CONNECT = 1.0
"""Seconds for connecting."""
_READ = 2.0
"""Seconds for each reply."""

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}  # RFC 6409, RFC 8314 3.3, RFC 5321
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")


class SmtpCourier:
    """A `Courier` that sends e-mail through the mail server *host*, a new connection for each message.

    *sender* is ``a@b.c`` or ``Name <a@b.c>``. *tls* is ``starttls`` (the default), ``implicit``, or ``none``, which is
    the default for this machine's own server only; *port* is 587, 465 or 25 accordingly. *user* and *password* log in,
    never without TLS over a network. *context* replaces the system's trusted authorities. *floor* is the seconds to
    which answers are padded (0.5): choose more than the server takes, as a rule. *clock* tells how long a message has taken.
    """

    channel: ClassVar[str] = "email"

    def __init__(
        self,
        host: str,
        *,
        sender: str,
        port: int | None = None,
        tls: Security | None = None,
        user: str = "",
        password: str = "",
        context: ssl.SSLContext | None = None,
        floor: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        if not host or not host.isprintable() or re.search(r"[\s/@\[\]]", host):
            raise ConfigurationError("the SMTP courier needs the name or address of a mail server as its host")
        local = _LOOPBACK.fullmatch(host) is not None
        self._tls: Security = tls or ("none" if local else "starttls")
        if self._tls not in _PORTS:
            raise ConfigurationError("the SMTP courier's tls is starttls, implicit or none")
        if bool(user) != bool(password):
            raise ConfigurationError("the SMTP courier needs both user and password to log in, or neither")
        if password and self._tls == "none" and not local:
            raise ConfigurationError(
                "the SMTP courier would send the password in clear text: use tls=starttls or tls=implicit"
            )
        port = _PORTS[self._tls] if port is None else port
        if not 1 <= port <= 65535:
            raise ConfigurationError("the SMTP courier's port is a number from 1 to 65535")
        self._host, self._port = host, port
        self._sender = Sender.parse(sender)
        self._user, self._password = user, password
        self._context = context
        self._floor = floor
        self._clock = clock or SystemClock()

    def __repr__(self) -> str:
        return f"SmtpCourier({self._host!r}, port={self._port}, tls={self._tls!r})"

    @property
    def floor(self) -> float:
        """Seconds to which an answer is padded so that sending cannot be told from not sending."""
        return self._floor

    def prepare(self) -> None:
        """Load the trusted authorities, if TLS is used: otherwise the first message waits for it."""
        if self._tls != "none" and self._context is None:
            self._context = ssl.create_default_context()

    def send(self, message: Email, within: float) -> Receipt:
        """Send *message* within *within* seconds, once.

        Raises:
            UnavailableError: if the server did not say that it took it. ``undelivered=True`` if it certainly did not:
                the end of the message was never sent, or it answered that with 4xx or 5xx. ``refused=True`` from RCPT
                on.
        """
        refuse_unfit(message, "email")
        content = self._written(message)
        return send_within(
            self._clock,
            within,
            f"the mail server {self._host}:{self._port}",
            lambda attempt: self._send(attempt, message.to, content),
        )

    def _written(self, message: Email) -> bytes:
        """Return *message* as RFC 5322 has it, with the dots of RFC 5321 4.5.2 in front of lines that begin with one."""
        from email.headerregistry import Address  # noqa: PLC0415 - heavy
        from email.message import EmailMessage  # noqa: PLC0415
        from email.policy import SMTP  # noqa: PLC0415
        from email.utils import formatdate  # noqa: PLC0415

        domain = self._sender.address.rpartition("@")[2]
        written = EmailMessage(policy=SMTP)
        written["From"] = Address(self._sender.name, addr_spec=self._sender.address)
        written["To"] = Address(addr_spec=message.to)
        written["Subject"] = message.subject
        written["Date"] = formatdate(usegmt=True)
        # The same for every try, so that a mail store can tell a double. 40 characters keep the line unfolded.
        written["Message-ID"] = f"<{re.sub('[^A-Za-z0-9]+', '-', message.id)[:40]}@{domain}>"
        written["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
        written.set_content(message.text, cte="quoted-printable")
        if message.html:
            written.add_alternative(message.html, subtype="html", cte="quoted-printable")
        content = written.as_bytes()
        return re.sub(rb"(?m)^\.", b"..", content if content.endswith(b"\r\n") else content + b"\r\n")

    def _send(self, attempt: Attempt, to: str, content: bytes) -> Receipt:
        wait = attempt.enter("connecting", _CONNECT)
        connection = socket.create_connection((self._host, self._port), timeout=wait)
        # A name of its own would have to be looked up; a literal is allowed (RFC 5321 4.1.3).
        smtp = smtplib.SMTP(local_hostname="[127.0.0.1]")
        smtp.sock = connection
        try:
            attempt.watch(connection)
            if self._tls == "implicit":
                self._encrypt(attempt, smtp)
            self._expect(attempt, smtp, 220, "greeting")
            self._greet(attempt, smtp)
            if self._tls == "starttls":
                self._expect(attempt, smtp, 220, "STARTTLS")
                self._encrypt(attempt, smtp)
                self._greet(attempt, smtp)
            if self._password:
                self._wait(attempt, smtp, "AUTH")
                self._log_in(smtp)
            self._expect(attempt, smtp, 250, f"MAIL FROM:<{self._sender.address}>")
            # A server may look a recipient up far away, refuse it late, or hang on it.
            attempt.addressed = True
            self._expect(attempt, smtp, 250, f"RCPT TO:<{to}>")
            self._expect(attempt, smtp, 354, "DATA")
            smtp.send(content)
            self._wait(attempt, smtp, "the end of the message")
            # Until now the server has no message. From the final dot on, nobody knows before it answers.
            attempt.commit()
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
            if not 200 <= code <= 299:
                reason = "message_refused" if code >= 500 else "unknown"
                raise _refusal("the message", code, text, reason, undelivered=400 <= code <= 599)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.putcmd("QUIT")
            return Receipt()
        finally:
            smtp.close()

    def _greet(self, attempt: Attempt, smtp: smtplib.SMTP) -> None:
        self._wait(attempt, smtp, "EHLO")
        smtp.ehlo_or_helo_if_needed()

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as error:
            code = str(error.smtp_code)
            what = f"failed at AUTH: {type(error).__name__}"
            raise UnavailableError(what, undelivered=True, reason="credentials", code=code) from None

    def _encrypt(self, attempt: Attempt, smtp: smtplib.SMTP) -> None:
        self.prepare()
        self._wait(attempt, smtp, "TLS")
        if self._context is None or smtp.sock is None:
            raise UnavailableError("has no TLS", undelivered=True, reason="setup")
        encrypted = self._context.wrap_socket(smtp.sock, server_hostname=self._host, do_handshake_on_connect=False)
        # What was said in clear text is forgotten (RFC 3207 4.2), and what is still unread is dropped.
        smtp.sock, smtp.file = encrypted, None
        smtp.helo_resp = smtp.ehlo_resp = None
        smtp.esmtp_features, smtp.does_esmtp = {}, False
        attempt.watch(encrypted)
        encrypted.do_handshake()

    def _expect(self, attempt: Attempt, smtp: smtplib.SMTP, wanted: int, command: str) -> None:
        """Say *command*, or wait for the greeting, and refuse to go on at any other answer than *wanted*."""
        name = command.partition(" ")[0]
        self._wait(attempt, smtp, name)
        code, text = smtp.getreply() if command == "greeting" else smtp.docmd(command)
        # RCPT may also be answered with 251, "will forward".
        if code != wanted and not (wanted == 250 and 250 <= code <= 252):
            reason = {"MAIL": "sender_refused", "RCPT": "recipient_refused"}.get(name, "internal")
            raise _refusal(name, code, text, reason, undelivered=True)

    @staticmethod
    def _wait(attempt: Attempt, smtp: smtplib.SMTP, stage: str) -> None:
        if smtp.sock is not None:
            smtp.sock.settimeout(attempt.enter(stage, _READ))


_BY_CODE: Mapping[str, str] = {
    # RFC 4954 4.1 and 6; RFC 3463 3.8, 3.5 and 3.4.
    "530": "credentials",
    "535": "credentials",
    "5.7.8": "credentials",
    "421": "internal",
    "4.3.1": "internal",
    "4.3.2": "internal",
    "4.4.2": "timeout",
    "5.1.7": "sender_refused",
    "5.1.8": "sender_refused",
}
"""What certain reply codes, and enhanced codes behind them, mean whatever they answer."""


def _refusal(what: str, code: int, text: bytes, reason: str, *, undelivered: bool) -> UnavailableError:
    """Return what to raise where the server answered *what* with *code*. Its *text* may quote the address."""
    enhanced = re.match(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])", text)
    shown = f"{code} {enhanced[1].decode()}" if enhanced else str(code)
    for each in reversed(shown.split()):
        reason = _BY_CODE.get(each, reason)
    return UnavailableError(f"refused {what} with {code}", undelivered=undelivered, reason=reason, code=shown)


@hookimpl
def register_couriers(register: RegisterCourier) -> None:
    """Register ``smtp://user:password@host:587?from=a@b.c&tls=starttls`` and ``smtps://…``, with TLS from the start."""
    register("smtp", _from_url)
    register("smtps", _from_url)


def _from_url(url: str) -> Courier:
    parts = PortURL.parse(url, options=("from", "tls"))
    if parts.path not in ("", "/"):
        raise ConfigurationError(f"the URL {parts.scheme}: takes no path after the host")
    if "from" not in parts.options:
        raise ConfigurationError(f"the URL {parts.scheme}: needs the sender, as in ?from=no-reply@example.com")
    chosen = parts.options.get("tls")
    if parts.scheme == "smtps" and chosen not in (None, "implicit"):
        raise ConfigurationError("the URL smtps: has TLS from the start: leave tls out, or use smtp:")
    tls: Security | None = "implicit" if parts.scheme == "smtps" else None
    for known in ("starttls", "implicit", "none"):
        if chosen == known:
            tls = known
    if chosen and chosen != tls:
        raise ConfigurationError(f"the URL {parts.scheme}: has an option tls that is not starttls, implicit or none")
    return SmtpCourier(
        parts.host,
        port=parts.port,
        sender=parts.options["from"],
        tls=tls,
        user=parts.user,
        password=parts.password,
    )
