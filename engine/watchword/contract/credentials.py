"""Credentials: what users enrolled, how an enrolment is begun and completed, and the port of the store that keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import Attribute, field, frozen

from watchword.contract.ports import Reach, read_only
from watchword.errors import ConfigurationError

MAX_CREDENTIALS = 20
"""How many credentials one user may have, of all kinds."""

MAX_CREDENTIAL_STATE = 2048
"""Characters of the state of one credential, names and values."""

KEPT_ROUNDS = 8
"""How many rounds a credential remembers that used or added it."""


def _texts(of: object, attribute: Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    pairs = [text for pair in value.items() for text in pair]
    if not all(isinstance(text, str) for text in pairs):
        raise ConfigurationError(f"{type(of).__name__}.{attribute.name} holds what is no text: write texts only")
    if sum(map(len, pairs)) > MAX_CREDENTIAL_STATE:
        raise ConfigurationError(
            f"{type(of).__name__}.{attribute.name} has more than {MAX_CREDENTIAL_STATE} characters"
        )


@frozen
class Credential:
    """What one user has enrolled for one kind, and what must be remembered of it.

    *owner* is the user pool and the user's ``sub``, with ``#`` between. *label* is how the user calls it; *created* and
    *used* are epoch seconds, 0 if it was not used yet. *state* is the kind's own: texts, at most 2,048 characters, never a
    secret in clear. The store counts *version*; *rounds* are the last rounds that used or added it, the newest last.

    Raises:
        ConfigurationError: if *state* is not all text, or too long.
    """

    id: str
    owner: str
    kind: str
    label: str = ""
    created: int = 0
    used: int = 0
    state: Mapping[str, str] = field(
        factory=dict[str, str], converter=read_only, validator=_texts, repr=False, kw_only=True
    )
    version: int = field(default=0, kw_only=True)
    rounds: tuple[str, ...] = field(default=(), kw_only=True, repr=False)


@frozen
class NewCredential:
    """What a kind gives when an enrolment is complete: all that it invents. The engine adds the rest.

    *id* must be unique among the credentials of the kind over all users.

    Raises:
        ConfigurationError: if *state* is not all text, or too long.
    """

    id: str
    state: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, validator=_texts, repr=False)
    label: str = ""


LONGEST_CREDENTIAL_ID = 1400
"""Characters of the id of a credential: those of the longest that Web Authentication has (1,023 bytes) in base64url, and a few."""

LONGEST_LABEL = 64
"""Characters of a label."""


def is_usable(new: Credential | NewCredential) -> bool:
    """Say whether every store can keep *new*: all of it is text, id and label are not too long, and there is an id."""
    return (
        new.id != ""
        and _is_kept(new.id, LONGEST_CREDENTIAL_ID)
        and _is_kept(new.label, LONGEST_LABEL)
        and is_kept_state(new.state)
    )


def is_kept_state(state: Mapping[str, str]) -> bool:
    """Say whether every store can keep *state*: a text of JSON may hold half a surrogate pair, which is no character."""
    return all(_is_kept(text, MAX_CREDENTIAL_STATE) for pair in state.items() for text in pair)


def _is_kept(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most and text.encode("utf-8", "replace").decode() == text


@frozen
class Enrolment:
    """An enrolment that has begun. The user sees *public*.

    A kind gives *private* for its `complete` (it is kept sealed), and *carry* for its `begin` in a later round. A host gives
    *handle*, by which the enrolment is completed.
    """

    public: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    private: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False, kw_only=True)
    carry: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False, kw_only=True)
    handle: str = field(default="", repr=False, kw_only=True)


class Credentials(Protocol):
    """The store of what users enrolled. It lives for years: nothing in it ends by itself.

    Every call is atomic, also between processes, and strongly consistent. *within* is how many seconds it may take. Every call
    raises UnavailableError if the store fails or is late; nothing is then half-written.
    """

    @property
    def reach(self) -> Reach:
        """Which processes share this store: this one alone, those of this machine, or all, wherever they run."""
        ...

    def list(self, owner: str, *, within: float) -> tuple[Credential, ...]:
        """Return the credentials of *owner*, oldest first."""
        ...

    def add(self, credential: Credential, *, replace: bool, most: int, within: float) -> bool:
        """Add *credential*; return False, and change nothing, if its id is known for its kind or its owner has *most*.

        With *replace* those that the owner has of this kind go, in the same write, and do not count.
        """
        ...

    def swap(self, credential: Credential, *, version: int, within: float) -> bool:
        """Put *credential* in place of the stored one if that has *version*; the stored version is then *version* and one.

        Return False, and change nothing, if it has another version, or is gone.
        """
        ...

    def remove(self, owner: str, kind: str, id: str, *, within: float) -> bool:  # noqa: A002 - the field's word
        """Remove a credential; return False if there is none such."""
        ...
