"""The contract of a courier, as tests: subclass `CourierContract` and say which courier, and what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

from attrs import evolve

from watchword.contract.kinds import Email
from watchword.contract.ports import Courier, Receipt
from watchword.errors import UnavailableError

LETTER = Email(
    id="0123456789abcdef0123456789abcdef",
    to="ann@example.com",
    subject="Your code",
    text="Your code is 12345678.\n",
    html="<p>Your code is <b>12345678</b>.</p>\n",
)
"""A message as Watchword sends it."""

Delivered = Callable[[], Sequence[Email]]

_LINE_ENDS = ("\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
_NOT_ONE_ADDRESS = (
    "",
    "ann",
    "@example.com",
    "ann@",
    "ann@example.com,eve@example.com",
    "ann@example.com;eve@example.com",
    "ann@example.com eve@example.com",
    "ann@example.com@example.net",
    "<ann@example.com>",
    "Ann <ann@example.com>",
    '"eve@example.net"@example.com',
    "group:ann@example.com;",
    "ann(comment)@example.com",
    "ann\uff20example.com",
    "ann@ex\u00e4mple.com",
    "ann..lee@example.com",
    ".ann@example.com",
    "ann@example..com",
    "ann@-example.com",
    "ann@[127.0.0.1]",
    "a" * 65 + "@example.com",
    "ann@" + "a" * 63 + ".example." * 30 + "com",
    " ann@example.com",
    "ann@example.com\n",
)


class CourierContract:
    """What every courier of e-mail must do.

    Subclass it under a name that begins with Test, and give it three pytest fixtures: ``courier`` makes one;
    ``delivered`` returns a function that returns the messages that have arrived, as `Email` (their ids are not
    looked at); ``hanging`` makes a courier whose carrier never answers, or None where nothing can hang::

        class TestMyCourier(CourierContract):
            secrets = ("the password",)

            @pytest.fixture
            def courier(self, server):
                return MyCourier(server.url, password="the password")

            @pytest.fixture
            def delivered(self, server):
                return server.messages

            @pytest.fixture
            def hanging(self, tarpit):
                return MyCourier(tarpit.url)

    *within* is how many seconds a send may take in these tests; *secrets* are texts that it is set up with and that
    must never show.
    """

    within: float = 600.0
    secrets: Sequence[str] = ()

    def test_a_message_arrives(self, courier: Courier, delivered: Delivered) -> None:
        """One message is delivered once, with its recipient, subject, text and HTML, and a receipt."""
        assert isinstance(courier.send(LETTER, self.within), Receipt)
        assert _seen(delivered()) == _seen([LETTER])

    def test_html_may_be_empty(self, courier: Courier, delivered: Delivered) -> None:
        """A message of text alone has no HTML part."""
        plain = evolve(LETTER, html="")
        courier.send(plain, self.within)
        assert _seen(delivered()) == _seen([plain])

    def test_any_text_arrives_as_it_was(self, courier: Courier, delivered: Delivered) -> None:
        """Other scripts, lines that begin with a dot, long lines and markup arrive to the character."""
        long = "Ein langer Betreff mit Umlauten: äöü " * 5
        odd = "äöü € 𝄞 \u05e9\u05dc\u05d5\u05dd\n.\n..\n.x\nFrom here\n\n" + "x" * 2000 + "\n=3D =\ntrailing \t\nend"
        letter = evolve(LETTER, subject=long.strip(), text=odd, html=f"<pre>{odd}</pre>")
        courier.send(letter, self.within)
        assert _seen(delivered()) == _seen([letter])

    def test_messages_arrive_from_many_threads(self, courier: Courier, delivered: Delivered) -> None:
        """Messages that are sent at once arrive once each, none mixed with another."""
        letters = [evolve(LETTER, id=f"id{n}", to=f"ann{n}@example.com", text=f"code {n}\n") for n in range(16)]

        def send(letter: Email) -> Receipt:
            return courier.send(letter, 3 * self.within)

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(send, letters))
        assert sorted(_seen(delivered())) == sorted(_seen(letters))

    def test_headers_cannot_be_injected(self, courier: Courier, delivered: Delivered) -> None:
        """A line end of any sort in id, recipient or subject is refused, and nothing leaves."""
        for end in _LINE_ENDS:
            for letter in (
                evolve(LETTER, id=f"id{end}Bcc: eve@example.com"),
                evolve(LETTER, to=f"ann@example.com{end}Bcc: eve@example.com"),
                evolve(LETTER, subject=f"Hello{end}Bcc: eve@example.com"),
            ):
                assert _undelivered(courier, letter, self.within) is True, f"{end!r} passed"
        assert not delivered()

    def test_there_is_exactly_one_recipient(self, courier: Courier, delivered: Delivered) -> None:
        """Whatever is not one plain address is refused, and nothing leaves."""
        for to in _NOT_ONE_ADDRESS:
            assert _undelivered(courier, evolve(LETTER, to=to), self.within) is True, f"{to!r} passed"
        assert not delivered()

    def test_a_refused_recipient_is_no_outage(self, courier: Courier) -> None:
        """What is wrong with one recipient is said of that recipient: anybody can have such an address."""
        for to in _NOT_ONE_ADDRESS:
            failure = _failure(courier, evolve(LETTER, to=to), self.within)
            assert failure is not None, f"{to!r} passed"
            assert failure.refused, f"{to!r} is told as an outage"

    def test_text_that_is_no_text_is_refused(self, courier: Courier, delivered: Delivered) -> None:
        """Half a surrogate pair, which no encoding can carry, is an UnavailableError like any other."""
        for letter in (evolve(LETTER, subject="\ud800"), evolve(LETTER, text="\ud800"), evolve(LETTER, html="\udfff")):
            assert _undelivered(courier, letter, self.within) is True
        assert not delivered()

    def test_without_time_nothing_leaves(self, courier: Courier, delivered: Delivered) -> None:
        """With no time left the message certainly did not leave, and that is what is said."""
        for within in (0.0, -1.0):
            assert _undelivered(courier, LETTER, within) is True
        assert not delivered()

    def test_a_carrier_that_hangs_ends_in_time(self, hanging: Courier | None) -> None:
        """A carrier that never answers costs what *within* says, and ends in UnavailableError."""
        if hanging is None:
            return
        outcomes: list[bool | None] = []
        thread = Thread(target=lambda: outcomes.append(_undelivered(hanging, LETTER, 0.2)), daemon=True)
        thread.start()
        thread.join(_PATIENT)
        assert outcomes
        assert outcomes[0] is not None

    def test_nothing_secret_shows(self, courier: Courier) -> None:
        """Neither what it was set up with nor what it sent is in its repr."""
        courier.send(LETTER, self.within)
        shown = repr(courier) + str(courier)
        for secret in (*self.secrets, LETTER.to, "12345678"):
            assert secret not in shown

    def test_the_floor_is_a_number_of_seconds(self, courier: Courier) -> None:
        """Answers are padded to between 0 and 3 seconds, inside a trigger's deadline."""
        assert 0 <= courier.floor <= 3


_PATIENT = 60.0
"""Seconds after which a send that should have ended counts as hung, on however slow a machine."""


def _seen(messages: Sequence[Email]) -> list[tuple[str, str, str, str]]:
    """Return what a recipient sees; how lines end, and whether the last one does, is the carrier's business."""

    def body(text: str) -> str:
        return text.replace("\r\n", "\n").rstrip("\n")

    return [(each.to, each.subject, body(each.text), body(each.html)) for each in messages]


def _undelivered(courier: Courier, letter: Email, within: float) -> bool | None:
    """Send, and return what the error says of delivery; None if there was no error."""
    failure = _failure(courier, letter, within)
    if failure is None:
        return None
    assert not letter.to or letter.to not in str(failure), "the error shows the address"
    return failure.undelivered


def _failure(courier: Courier, letter: Email, within: float) -> UnavailableError | None:
    try:
        courier.send(letter, within)
    except UnavailableError as error:
        return error
    return None
