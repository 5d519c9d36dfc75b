"""The protocol of a kind of challenge, and the values that it takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

from attrs import evolve, field, fields_dict, frozen, has

from watchword.contract.ports import read_only
from watchword.contract.typed_codes import read_token_answer
from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from watchword.contract.credentials import Credential

Factor = Literal["knowledge", "possession", "inherence"]

RESERVED_PUBLIC = frozenset(
    {
        "USERNAME",
        "kind",
        "step",
        "attempts_left",
        "expires_at",
        "resend_after",
        "error",
        "ref",
        "choices",
        "offers",
        "enrol",
        "signin",
    }
)
"""Public parameters that the engine writes; a kind may not."""


@frozen
class User:
    """The user who signs in, as the host knows them.

    *known* is False for somebody who does not exist: then *attributes* is empty and everything a kind makes must have
    the same shape as for a real user, without a message. *key* is a keyed digest that stands for the user in budgets.
    *id* is the user's ``sub``, which never changes; for somebody unknown it is made up, the same each time.
    """

    name: str = field(repr=False)
    attributes: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    known: bool = True
    key: str = ""
    id: str = field(default="", repr=False)


class Message(Protocol):
    """A message that a kind wants sent: a value, an attrs class with a field ``id``.

    The engine gives it its id, which is the same for every try to send it, and hands it to the courier of its channel.
    A plugin may bring a message of its own, with a courier for its channel.
    """

    channel: ClassVar[str]

    @property
    def id(self) -> str:
        """Empty until the engine has given it one."""
        ...

    @property
    def to(self) -> str:
        """Exactly one recipient."""
        ...

    def texts(self) -> tuple[str, ...]:
        """Return every text that the recipient reads."""
        ...


@frozen
class Email:
    """A message by e-mail: *to* is exactly one address, *html* may be empty."""

    channel: ClassVar[str] = "email"

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    id: str = field(default="", kw_only=True)

    def texts(self) -> tuple[str, ...]:
        """Return the subject, the text and the HTML."""
        return self.subject, self.text, self.html


def is_telephone_number(text: str) -> bool:
    """Say whether *text* is exactly one telephone number as ITU-T E.164 has it: a plus sign, then 7 to 15 digits, the first not 0."""
    digits = text[1:]
    return text[:1] == "+" and 7 <= len(digits) <= 15 and digits.isascii() and digits.isdigit() and digits[0] != "0"


@frozen
class Sms:
    """A text message: *to* is exactly one number in E.164, such as +4915112345678.

    *expires* is when the text is of no use any more, in epoch seconds; 0 if that is not known. A carrier that can be told
    delivers nothing after it.
    """

    channel: ClassVar[str] = "sms"

    to: str = field(repr=False)
    text: str = field(repr=False)
    expires: int = field(default=0, kw_only=True)
    id: str = field(default="", kw_only=True)

    def texts(self) -> tuple[str, ...]:
        """Return the one text."""
        return (self.text,)


def _no_ticket(_: str = "") -> Any:
    raise ConfigurationError(
        "the kind makes or redeems a ticket, and it has no links: give it redirects and opens, as watchword.contract.Links has them"
    )


@frozen(eq=False, repr=False)
class RequestMethods:
    """What is behind the methods of a request: the engine's arithmetic for one round of one user, and the store.

    *root_key* is the id of the newest root key. The others are as the requests have them; *same* compares in constant time. A kind
    without links has no tickets, and where there is no host no text is an access token.
    """

    code: Callable[[str, int], str]
    seal: Callable[[str], str]
    same: Callable[[str, str], bool]
    pseudonym: Callable[[str], str]
    derive: Callable[[str, str], bytes]
    credentials: Callable[[], tuple[Credential, ...]]
    root_key: str
    is_access_token: Callable[[str], bool] = lambda _: False
    ticket: Callable[[], str] = _no_ticket
    redeem: Callable[[str], Verdict] = _no_ticket


@frozen(eq=False, repr=False)
class KindRequest:
    """What every request to a kind has, whatever it asks for.

    *step* names the step; *now* is epoch seconds; *round* is the id of the round, the same when the host repeats Verify;
    *within* is how many seconds are left for the kind; *methods* is the engine's.
    """

    step: str
    user: User
    now: float
    round: str = field(default="", kw_only=True)
    within: float = field(default=3.0, kw_only=True)
    methods: RequestMethods = field(kw_only=True, repr=False, eq=False)

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """What the user has enrolled for this kind, oldest first. For a challenge the store is read when the kind asks; for an answer, before.

        Raises:
            UnavailableError: if the store cannot be read; let it pass.
        """
        return self.methods.credentials()

    @property
    def root_key(self) -> str:
        """The id of the newest root key. Write it into the state of a credential whose secret `derive` gives."""
        return self.methods.root_key

    def pseudonym(self, value: str) -> str:
        """Return a keyed digest (64 hex digits) of *value* that never changes. Use it for made-up facts that must look the same each time."""
        return self.methods.pseudonym(value)

    def derive(self, id: str, root: str) -> bytes:  # noqa: A002 - the field's word
        """Return 32 secret bytes for the credential *id*, from the root key whose id is *root*: nothing secret is stored.

        They belong to this kind and user alone, and are the same each time.

        Raises:
            UnavailableError: if there is no such root key any more; let it pass.
        """
        return self.methods.derive(id, root)


@frozen
class CreateRequest(KindRequest):
    """Everything a kind may know when it makes a challenge.

    *expires* is when the answer stops counting; *ref* is the reference that the user sees;
    *again* is True if the round before was this step, answered wrong; *carry* is what this kind's challenge of the
    round before handed on. *proven* is True if a factor was proven before in this sign-in. Until then a stranger looks
    on, who must not learn who exists: a challenge shows nothing that belongs to the user, such as a masked address or
    what is enrolled. *redirect* is the name under which the kind knows where the client wants the link to lead; empty if the
    client said none that the kind has.
    """

    expires: int
    ref: str
    again: bool = False
    carry: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    proven: bool = False
    redirect: str = field(default="", kw_only=True)

    def code(self, alphabet: str, length: int) -> str:
        """Return a secret of *length* symbols of *alphabet*, each equally likely and independent.

        It is derived from the key and the challenge's id: the same challenge gives the same code, and nothing has to
        be stored. For a kind that sends, a host's retry has the same id; every other kind gets a new id on every call.
        """
        return self.methods.code(alphabet, length)

    def seal(self, answer: str) -> str:
        """Return a keyed digest of *answer*, good for this challenge, kind and user only. Put this in ``private``."""
        return self.methods.seal(answer)

    def ticket(self) -> str:
        """Return the ticket of this challenge: what a link carries in place of the code. Nothing is stored for it.

        It is good for this user, pool, app client and step alone, until the challenge ends, and once. Where the kind opens in the
        same browser, it is good in this sign-in alone. Put it into a link of a message, behind a ``#``, and nowhere else.

        Raises:
            ConfigurationError: if the kind is none that `Links`.
        """
        return self.methods.ticket()


@frozen
class Challenge:
    """What a kind made: *public* for the client, *private* for `verify`, *carry* for a later round, *messages* to send.

    Strings only. The secret itself may stand in *messages* and nowhere else (and in *public* as a picture). Where there is
    no message for a user who exists, *reason* is a word for the audit (``[a-z][A-Za-z0-9_]{0,63}``) that says why.
    """

    public: Mapping[str, str] = field(factory=dict[str, str], converter=read_only)
    private: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    carry: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    messages: tuple[Message, ...] = ()
    reason: str = ""


@frozen
class VerifyRequest(KindRequest):
    """Everything a kind may know when it judges an answer: never another kind's, never the session.

    *issued* are challenges that the host gave out before the sign-in began, and has used up for this round. A kind whose answers
    sign a challenge takes them beside its own.
    """

    answer: str = field(repr=False)
    private: Mapping[str, str] = field(converter=read_only, repr=False)
    issued: tuple[str, ...] = field(default=(), kw_only=True)

    def seal(self, answer: str) -> str:
        """Return the keyed digest that `CreateRequest.seal` gives for *answer* in the challenge at hand."""
        return self.methods.seal(answer)

    def matches(self, expected: str | None, answer: str) -> bool:
        """Say, in constant time, whether *answer* seals to *expected*. An expected value that is missing never matches."""
        return bool(expected) and self.methods.same(expected or "", self.methods.seal(answer))

    def answer_with_token(self) -> str | None:
        """Return the answer that came with a good access token of this user, in this pool and app client; None without one.

        Client and kind agree on one form: JSON with the members ``jwt`` and ``secretCode``. The kind says ``with_token``, so that
        no host without access tokens takes it.

        Raises:
            UnavailableError: if the token cannot be checked; let it pass.
        """
        token, answer = read_token_answer(self.answer)
        return answer if token and self.methods.is_access_token(token) else None

    def redeem(self, text: str) -> Verdict:
        """Return the verdict on *text* as a ticket. Return it as it is: the engine uses the ticket up.

        White space in *text* counts for nothing, nor does what stands before a ``#``: it may be a whole link.
        It is right for a ticket that is good here. Else its reason is ``wrong``, ``expired``, or ``other_browser`` for a good
        ticket of another sign-in, which costs no guess and is not used up.

        Raises:
            ConfigurationError: if the kind is none that `Links`.
        """
        return self.methods.redeem(text)


@frozen
class Verdict:
    """What `verify` says of an answer. *reason* is a word for the audit, never shown to the client; a right answer may have one.

    *use* is the one write that a right answer may ask for: a credential that the request gave, with a new *state*. The engine
    writes it in the name of the round, so that a host's repeat reads right again and nobody else uses it twice. *redeems* is the
    ticket that `VerifyRequest.redeem` was asked about: the engine reads it itself.
    """

    right: bool
    reason: str = ""
    use: Credential | None = field(default=None, repr=False)
    redeems: str = field(default="", repr=False, kw_only=True)


class Kind(Protocol):
    """A kind of challenge: two methods and two facts. No base class.

    ``kind`` is its name, ``[a-z][a-z0-9_]{1,31}``. Settings are attrs fields with validators. Facts, each with a default:

    * ``attempts`` (tries per sign-in, 3 if absent) and ``lifetime`` (seconds, 180 if absent), as fields;
    * ``cosmetic: ClassVar[frozenset[str]]``, the settings that neither the flow nor `verify` reads;
    * ``cognitive: ClassVar[bool]``, True for a test of reading or puzzling (WCAG 2.2 SC 3.3.8);
    * ``backup: ClassVar[bool]``, True for a backup, which must not sign anybody in alone;
    * ``with_token``, True if an answer comes with an access token, as `VerifyRequest.answer_with_token` reads it.

    More abilities are powers, each a protocol in `watchword.contract.powers`.
    """

    kind: ClassVar[str]

    @property
    def proves(self) -> frozenset[Factor]:
        """Which factors a right answer proves; none for a CAPTCHA.

        A kind writes ``proves = frozenset[Factor]({"possession"})`` without an annotation, or a property where a setting
        decides.
        """
        ...

    def create(self, request: CreateRequest) -> Challenge:
        """Make a challenge: values in, values out."""
        ...

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge an answer. Anything odd about it is a wrong answer, never an exception.

        Raises:
            UnavailableError: if what the kind needs to compare fails, before it has compared. The client is told to try
                again, the guess is given back, and the round may be answered again. Any other exception is a wrong answer.
        """
        ...


class HostRun(Protocol):
    """A kind whose rounds the host itself runs and checks, such as the SRP prelude."""

    kind: ClassVar[str]
    host_rounds: ClassVar[tuple[str, ...]]


MAX_MESSAGE = 1_000_000
"""Characters of a message in all: ten times what a template may have."""


def why_no_message(message: object, channel: str) -> str:
    """Return why a kind that sends by *channel* cannot have made *message*; nothing if it can."""
    made_by = cast("Any", type(message))
    if not has(made_by) or "id" not in fields_dict(made_by):
        return "made a message that is no attrs class with a field id"
    made = cast("Message", message)
    try:
        to, texts, by = cast("object", made.to), cast("object", made.texts()), cast("object", made.channel)
        evolve(cast("Any", message), id="")  # as the engine gives it its id
    except BaseException as error:  # noqa: BLE001 - a message of a stranger
        return f"made a message that cannot be read or given an id: {type(error).__name__}"
    said = cast("tuple[object, ...]", texts) if isinstance(texts, tuple) else (None,)
    if not all(isinstance(each, str) for each in (to, by, *said)):
        return "made a message that is not all text"
    if sum(map(len, cast("tuple[str, ...]", (to, *said)))) > MAX_MESSAGE:
        return f"made a message of more than {MAX_MESSAGE} characters"
    return "" if by == channel else f"made a message of the channel {by!r:.40}, although it sends by {channel!r}"
