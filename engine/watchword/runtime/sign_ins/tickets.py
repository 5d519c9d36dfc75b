"""Tickets: the long form of a claim, which a link carries in place of the code. Nothing is stored for one."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from watchword.contract.kinds import Verdict
from watchword.runtime.keyring import Key
from watchword.runtime.wire import LONGEST_CLAIM, OTHER_BROWSER

if TYPE_CHECKING:
    from watchword.algebra.lowering import Step

LONGEST_TICKET = 2048
_MARK, _MAC = 16, 64  # hex digits


@frozen
class Ticket:
    """A ticket that was made here: its *claim*, when it *expires* (epoch seconds), and whether it is *own* to the sign-in at hand."""

    claim: str
    expires: int
    own: bool


@frozen(eq=False, repr=False)
class Tickets:
    """The tickets of one *step*, for one user of one app client of one pool (*binding*), as the sign-in *signin* sees them.

    *find* returns the key of an id. A ticket is ``H.S``: *H* says the user's name, when it was issued, when it expires, and
    ``"opens": "anywhere"`` if it does so. It is base64url (RFC 4648 5) of JSON, for the page that the link leads to. *S* is the claim,
    a mark of the sign-in and a MAC over all.
    """

    find: Callable[[str], Key | None]
    binding: tuple[str, str, str]
    step: Step
    signin: str

    @property
    def opens_anywhere(self) -> bool:
        """Whether a ticket signs in outside the sign-in that asked for it."""
        return self.step.powers.opens == "anywhere"

    def write(self, key: Key, claim: str, name: str, *, issued: int, expires: int) -> str:
        """Return the ticket of *claim*, which *key* made, for the user called *name*."""
        facts: dict[str, object] = {"userName": name, "iat": issued, "exp": expires}
        if self.opens_anywhere:
            facts["opens"] = "anywhere"
        # A name of Cognito's has 128 characters: as escapes in ASCII some of them were longer than any answer.
        said = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
        head = _encoded(said.encode("utf-8", "backslashreplace"))
        mark = self._mark(key, self.signin)
        return f"{head}.{_encoded(bytes.fromhex(claim + mark + self._mac(key, head, claim, mark)))}"

    def read(self, text: str) -> Ticket | None:
        """Return the ticket that *text* is; None if it was not made for this user, app client and step, or is odd in any way.

        A mail program may wrap a link, and its reader may copy the whole of it: white space counts for nothing, nor does what stands
        before a ``#``.
        """
        text = "".join(text.split()).rpartition("#")[2]
        head, _, tail = text[: LONGEST_TICKET + 1].partition(".")
        said = _decoded(tail).hex()
        claim, mark, mac = said[: -_MARK - _MAC], said[-_MARK - _MAC : -_MAC], said[-_MAC:]
        key = self.find(claim[:8]) if 0 < len(claim) <= LONGEST_CLAIM else None
        if key is None or len(text) > LONGEST_TICKET:
            return None
        genuine = hmac.compare_digest(self._mac(key, head, claim, mark).encode(), mac.encode())
        # Only who holds the key wrote what is read from here on. One text alone is a ticket: no padding, no other base64.
        if not genuine or text != f"{head}.{_encoded(bytes.fromhex(said))}":
            return None
        facts = cast("dict[str, Any]", json.loads(_decoded(head)))
        return Ticket(claim, facts["exp"], own=hmac.compare_digest(mark, self._mark(key, self.signin)))

    def verdict(self, text: str, now: float) -> Verdict:
        """Return what a kind says of *text* at *now* (epoch seconds): right, or why not."""
        ticket = self.read(text)
        if ticket is None:
            return Verdict(right=False, reason="wrong")
        if now >= ticket.expires:
            return Verdict(right=False, reason="expired")
        right = self.is_good(ticket)
        return Verdict(right, "" if right else OTHER_BROWSER, redeems=text)

    def is_good(self, ticket: Ticket) -> bool:
        """Say whether *ticket* signs in here: it is of this sign-in, or may be opened anywhere."""
        return ticket.own or self.opens_anywhere

    def _mark(self, key: Key, signin: str) -> str:
        return key.digest("ticket sign-in", signin)[:_MARK]

    def _mac(self, key: Key, head: str, claim: str, mark: str) -> str:
        return key.digest(f"ticket {self.step.kind.kind}", *self.binding, self.step.name, head, claim, mark)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """Return what *text* is in base64url; nothing if it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        return b""
