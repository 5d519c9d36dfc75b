"""The values that plain functions take and return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from attrs import field, frozen

from watchword.contract.kinds import Factor
from watchword.contract.ports import read_only
from watchword.runtime.services import identity


@frozen
class UserRecord:
    """What a program knows of a user.

    *attributes* as Cognito names them (``email``, ``email_verified`` as ``"true"``). One is demanded: ``sub``, a text that
    is nobody else's and never changes, by which budgets and audit know the user whatever was typed. *salt* and
    *verifier* (both hexadecimal, see `SignIn.verifier`) stand for the password; empty for a user without one.

    Raises:
        ConfigurationError: if there is no ``sub``.
    """

    attributes: Mapping[str, str] = field(converter=read_only, repr=False)
    salt: str = field(default="", repr=False)
    verifier: str = field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        """Demand the one identity of the user."""
        identity(self.attributes)


class Users(Protocol):
    """Where a program's users are."""

    def find(self, name: str) -> UserRecord | None:
        """Return the user called *name*, or None: then the sign-in goes the same way, and never to its end."""
        ...


@frozen
class Asked:
    """A challenge for the client: *public* are its parameters, *token* is what `SignIn.respond` takes, once.

    Where the step enrols, a secret of the user's may stand in *public*: never log it.
    """

    step: str
    public: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)


@frozen
class SignedIn:
    """The flow is passed, by *passed* steps, which prove *factors*. *methods* are the words for them that tokens would have (RFC 8176)."""

    name: str = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    passed: tuple[str, ...]
    factors: frozenset[Factor]
    methods: tuple[str, ...] = ()


@frozen
class Refused:
    """The sign-in is over. *text* is one of the fixed failure texts, or empty where the answers were simply wrong.

    *ref* is the reference of a failure, under which the audit says more; the user may see it.
    """

    text: str = ""
    ref: str = field(default="", eq=False)


Reply: TypeAlias = Asked | SignedIn | Refused
