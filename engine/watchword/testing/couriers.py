"""The contract of a courier, as tests: subclass `CourierContract` and say which courier, and what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Thread
from typing import Any, cast

from attrs import NOTHING, evolve, fields, frozen

from watchword.contract.kinds import Email, Message, Sms
from watchword.contract.ports import Courier, Receipt
from watchword.errors import UnavailableError

LETTER = Email(
    id="0123456789abcdef0123456789abcdef",
    to="ann@example.com",
    subject="Your code",
    text="Your code is 12345678.\n",
    html="<p>Your code is <b>12345678</b>.</p>\n",
)
"""A message by e-mail as Watchword sends it."""

TEXT_MESSAGE = Sms(
    id="0123456789abcdef0123456789abcdef",
    to="+15555550100",
    text="12345678 is your code to sign in.\n\n@example.com #12345678\n",
)
"""A text message as Watchword sends it."""

Delivered = Callable[[], Sequence[Any]]

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
_NOT_ONE_NUMBER = (
    *("", "+", "15555550100", "0015555550100", "+0155555501", "+155555", "+1555555501000000", "tel:+15555550100"),
    *("+15555550100,+15555550101", "+15555550100;+15555550101", "+15555550100+15555550101", "+1 555 555 0100"),
    *("+1-555-555-0100", "+1(555)5550100", "+15555550100x1", " +15555550100", "+15555550100\n", "++15555550100"),
    *("\uff0b15555550100", "+1555555010\uff10", "+1555555010\u0660", "+1555555010\u00b2", "ann@example.com"),
)


@frozen
class _ChannelFacts:
    """What the contract needs to know of a channel: who is no recipient, the sixteen who are, and how many characters pass."""

    not_one_recipient: tuple[str, ...] = ("",)
    recipient: str = ""
    longest: int = 1_000


_CHANNELS = {
    "email": _ChannelFacts(_NOT_ONE_ADDRESS, "ann{:02}@example.com", 10_000),
    "sms": _ChannelFacts(_NOT_ONE_NUMBER, "+155555501{:02}"),
}


class CourierContract:
    """What every courier must do, whatever its channel.

    Subclass it under a name that begins with Test, and give it three pytest fixtures: ``courier`` makes one;
    ``delivered`` returns a function that returns the messages that have arrived, of the class of ``letter`` (their ids are
    not looked at); ``hanging`` makes a courier whose carrier never answers, or None where nothing can hang::

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

    *letter* is a message of the courier's channel: `LETTER`, an e-mail, unless said; `TEXT_MESSAGE` is one by SMS. A
    plugin gives a message of its own, an attrs class whose texts are fields, with 12345678 as its code, and in
    *not_one_recipient* texts that are no recipient of its channel. *within* is how many seconds a send may take in these
    tests; *secrets* are texts that the courier is set up with and that must never show.
    """

    letter: Any = LETTER
    not_one_recipient: Sequence[str] = ()
    within: float = 600.0
    secrets: Sequence[str] = ()

    def test_a_message_arrives(self, courier: Courier, delivered: Delivered) -> None:
        """One message is delivered once, with its recipient and all its texts, and a receipt."""
        assert isinstance(courier.send(self.letter, self.within), Receipt)
        assert _seen(delivered()) == _seen([self.letter])

    def test_what_may_be_empty_may_be_left_out(self, courier: Courier, delivered: Delivered) -> None:
        """A message without those of its texts that may be empty, such as HTML, arrives without them."""
        optional = dict.fromkeys((name for name, default in _texts_of(self.letter).items() if default == ""), "")
        plain = evolve(self.letter, **optional)
        courier.send(plain, self.within)
        assert _seen(delivered()) == _seen([plain])

    def test_any_text_arrives_as_it_was(self, courier: Courier, delivered: Delivered) -> None:
        """Other scripts, lines that begin with a dot, long lines and markup arrive to the character."""
        long = "Ein langer Betreff mit Umlauten: äöü " * 5
        odd = "äöü € 𝄞 \u05e9\u05dc\u05d5\u05dd\n.\n..\n.x\nFrom here\n\n<pre>\n=3D =\ntrailing \t\nend\n"
        odd += "x" * min(2000, self._channel.longest - len(odd))
        letter = self._with(odd, line=long.strip())
        courier.send(letter, self.within)
        assert _seen(delivered()) == _seen([letter])

    def test_messages_arrive_from_many_threads(self, courier: Courier, delivered: Delivered) -> None:
        """Messages that are sent at once arrive once each, none mixed with another."""
        recipient = self._channel.recipient or self.letter.to
        letters = [evolve(self._with(f"code {n}\n"), id=f"id{n}", to=recipient.format(n)) for n in range(16)]

        def send(letter: Message) -> Receipt:
            return courier.send(cast("Any", letter), 3 * self.within)

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(send, letters))
        assert sorted(_seen(delivered())) == sorted(_seen(letters))

    def test_headers_cannot_be_injected(self, courier: Courier, delivered: Delivered) -> None:
        """A line end of any sort in id, recipient or a text of one line is refused, and nothing leaves."""
        for end in _LINE_ENDS:
            for part in ("id", "to", *self._lines):
                letter = evolve(self.letter, **{part: f"{getattr(self.letter, part)}{end}Bcc: eve@example.com"})
                assert _undelivered(courier, letter, self.within) is True, f"{end!r} passed in {part}"
        assert not delivered()

    def test_there_is_exactly_one_recipient(self, courier: Courier, delivered: Delivered) -> None:
        """Whatever is not exactly one recipient is refused, and nothing leaves."""
        for to in self._no_recipients:
            assert _undelivered(courier, evolve(self.letter, to=to), self.within) is True, f"{to!r} passed"
        assert not delivered()

    def test_a_refused_recipient_is_no_outage(self, courier: Courier) -> None:
        """What is wrong with one recipient is said of that recipient: anybody can have such an address."""
        for to in self._no_recipients:
            failure = _failure(courier, evolve(self.letter, to=to), self.within)
            assert failure is not None, f"{to!r} passed"
            assert failure.refused, f"{to!r} is told as an outage"

    def test_text_that_is_no_text_is_refused(self, courier: Courier, delivered: Delivered) -> None:
        """Half a surrogate pair, which no encoding can carry, is an UnavailableError like any other."""
        for half, name in zip(cycle(("\ud800", "\udfff")), _texts_of(self.letter), strict=False):
            assert _undelivered(courier, evolve(self.letter, **{name: half}), self.within) is True
        assert not delivered()

    def test_without_time_nothing_leaves(self, courier: Courier, delivered: Delivered) -> None:
        """With no time left the message certainly did not leave, and that is what is said."""
        for within in (0.0, -1.0):
            assert _undelivered(courier, self.letter, within) is True
        assert not delivered()

    def test_a_carrier_that_hangs_ends_in_time(self, hanging: Courier | None) -> None:
        """A carrier that never answers costs what *within* says, and ends in UnavailableError."""
        if hanging is None:
            return
        outcomes: list[bool | None] = []
        thread = Thread(target=lambda: outcomes.append(_undelivered(hanging, self.letter, 0.2)), daemon=True)
        thread.start()
        thread.join(_PATIENT)
        assert outcomes
        assert outcomes[0] is not None

    def test_nothing_secret_shows(self, courier: Courier) -> None:
        """Neither what it was set up with nor what it sent is in its repr."""
        courier.send(self.letter, self.within)
        shown = repr(courier) + str(courier)
        for secret in (*self.secrets, self.letter.to, "12345678"):
            assert secret not in shown

    def test_the_floor_is_a_number_of_seconds(self, courier: Courier) -> None:
        """Answers are padded to between 0 and 3 seconds, inside a trigger's deadline."""
        assert 0 <= courier.floor <= 3

    @property
    def _channel(self) -> _ChannelFacts:
        return _CHANNELS.get(self.letter.channel, _ChannelFacts())

    @property
    def _no_recipients(self) -> Sequence[str]:
        return self.not_one_recipient or self._channel.not_one_recipient

    @property
    def _lines(self) -> list[str]:
        """The texts of the letter that are one line each: the others hold line ends."""
        return [name for name in _texts_of(self.letter) if "\n" not in getattr(self.letter, name)]

    def _with(self, text: str, *, line: str = "Hello") -> Any:
        """Return the letter with *text* in each of its texts, and with *line* where one line is asked for."""
        lines = self._lines
        return evolve(self.letter, **{name: line if name in lines else text for name in _texts_of(self.letter)})


_SHORTEST_RECIPIENT = 4
"""Characters of a recipient that is looked for in errors."""

_PATIENT = 60.0
"""Seconds after which a send that should have ended counts as hung, on however slow a machine."""


def _texts_of(letter: Any) -> dict[str, object]:
    """Return the names of the fields of *letter* that hold its texts, each with its default."""
    texts = letter.texts()
    return {
        each.name: None if each.default is NOTHING else each.default
        for each in fields(cast("Any", type(letter)))
        if each.name not in ("id", "to") and getattr(letter, each.name) in texts
    }


def _seen(messages: Sequence[Any]) -> list[tuple[str, ...]]:
    """Return what a recipient sees; how lines end, and whether the last one does, is the carrier's business."""
    return [(each.to, *(text.replace("\r\n", "\n").rstrip("\n") for text in each.texts())) for each in messages]


def _undelivered(courier: Courier, letter: Any, within: float) -> bool | None:
    """Send, and return what the error says of delivery; None if there was no error."""
    failure = _failure(courier, letter, within)
    if failure is None:
        return None
    told = letter.to.strip()
    # What is shorter is in every text.
    assert len(told) < _SHORTEST_RECIPIENT or told not in str(failure), "the error shows the address"
    return failure.undelivered


def _failure(courier: Courier, letter: Any, within: float) -> UnavailableError | None:
    try:
        courier.send(letter, within)
    except UnavailableError as error:
        return error
    return None
