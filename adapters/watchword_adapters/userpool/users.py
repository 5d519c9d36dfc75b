"""The users of a pool: names, aliases, attributes, passwords as SRP verifiers, codes and lockouts."""

from __future__ import annotations

import hmac
import threading
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from attrs import define, evolve, field, frozen

from watchword import srp6a
from watchword.ports import Clock, Random
from watchword_adapters.userpool import errors
from watchword_adapters.userpool.keeping import Keeper, NothingKept
from watchword_adapters.userpool.schema import is_true

Status = Literal["UNCONFIRMED", "CONFIRMED", "FORCE_CHANGE_PASSWORD"]
Purpose = Literal["sign-up", "forgot-password", "verify-email"]

_ALIASES = ("email", "phone_number")

_CODE_SECONDS: Mapping[Purpose, int] = {"sign-up": 86_400, "forgot-password": 3_600, "verify-email": 86_400}
_CODE_TRIES = 15
_FREE_FAILURES = 5
_LONGEST_LOCK = 900


@frozen
class Code:
    """A confirmation code that was sent: good until *expires* (epoch seconds), for *tries_left* tries."""

    digits: str = field(repr=False)
    expires: float
    tries_left: int = _CODE_TRIES


@frozen
class User:
    """One user as the pool keeps it; there is no password, only what SRP leaves of it."""

    username: str = field(repr=False)
    sub: str
    attributes: Mapping[str, str] = field(repr=False)
    status: Status
    created: float
    modified: float
    verifier: srp6a.Verifier | None = field(default=None, repr=False)
    codes: Mapping[str, Code] = field(factory=dict[str, Code], repr=False)


@frozen
class Person:
    """Whoever a typed name stands for; *user* is None for somebody who does not exist.

    *username* is then made up, and always the same for the same typed name.
    """

    typed: str = field(repr=False)
    username: str = field(repr=False)
    user: User | None = field(repr=False)


@define
class _Failures:
    count: int = 0
    last: float = 0.0


def new_uuid(random: Random) -> str:
    """Return a random UUID."""
    return str(uuid.UUID(bytes=random.bytes(16), version=4))


class Users:
    """The directory. Every method is atomic; users are values, replaced as a whole."""

    def __init__(
        self,
        pool_id: str,
        *,
        clock: Clock,
        random: Random,
        email_as_username: bool,
        case_sensitive: bool,
        keeper: Keeper | None = None,
    ) -> None:
        self._pool_id = pool_id
        self._clock = clock
        self._random = random
        self._email_as_username = email_as_username
        self._case_sensitive = case_sensitive
        self._keeper = keeper or NothingKept()
        self._key = self._keeper.secret("made-up users", lambda: random.bytes(32))
        self._lock = threading.RLock()
        self._users: dict[str, User] = {}
        self._names: dict[str, str] = {}  # folded user name or sub -> user name
        self._aliases: dict[str, str] = {}  # folded address -> user name
        self._failures: dict[str, _Failures] = {}
        for user in self._keeper.users():
            self._remember(user)

    def find(self, name: str) -> Person:
        """Return whom *name* (a user name, a sub, or a verified address) stands for."""
        with self._lock:
            username = self._owner(name)
            if username is not None:
                return Person(name, username, self._users[username])
        return Person(name, self._made_up(name), None)

    def get(self, username: str) -> User | None:
        """Return the user with exactly this internal name, or None."""
        with self._lock:
            return self._users.get(username)

    def verifier_of(self, person: Person) -> srp6a.Verifier:
        """Return the verifier to run SRP with: a made-up one for somebody unknown or without a password."""
        if person.user is not None and person.user.verifier is not None:
            return person.user.verifier
        return srp6a.made_up_verifier(self._key, self._pool_id, self._folded(person.typed))

    def new_verifier(self, username: str, password: str) -> srp6a.Verifier:
        """Return a verifier of *password* under a fresh salt."""
        return srp6a.make_verifier(self._pool_id, username, password, srp6a.draw_salt(self._random))

    def has_password(self, person: Person, password: str) -> bool:
        """Say whether *password* is right, at the same cost whether or not the user exists."""
        expected = self.verifier_of(person)
        claimed = srp6a.make_verifier(self._pool_id, person.username, password, expected.salt)
        same = srp6a.same_verifier(expected, claimed)
        return same and person.user is not None and person.user.verifier is not None

    def add(self, name: str, attributes: Mapping[str, str], *, status: Status, password: str | None) -> User:
        """Add a user called *name*.

        Raises:
            UsernameExistsException: if the name is taken.
            InvalidParameterException: if the pool wants an e-mail address as the name and this is none.
        """
        attributes = dict(attributes)
        if self._email_as_username:
            if "@" not in name:
                raise errors.InvalidParameterException("Username should be an email.")
            attributes["email"] = name
        sub = new_uuid(self._random)
        username = sub if self._email_as_username else name
        verifier = None if password is None else self.new_verifier(username, password)
        now = self._clock.now()
        user = User(username, sub, attributes, status, now, now, verifier)
        with self._lock:
            if self._owner(name) is not None:
                raise errors.UsernameExistsException("User already exists")
            self._put(user)
        return user

    @contextmanager
    def changing(self, username: str) -> Generator[_Draft]:
        """Hold the directory while the user's draft is changed; nothing is kept if the block raises.

        Raises:
            UserNotFoundException: if the user is gone.
        """
        with self._lock:
            user = self._users.get(username)
            if user is None:
                raise errors.UserNotFoundException("User does not exist.")
            draft = _Draft(user)
            yield draft
            changed = evolve(draft.user, modified=self._clock.now())
            self._keeper.keep_user(changed)
            self._drop_names(user)
            self._remember(changed)

    def remove(self, username: str) -> None:
        """Forget a user."""
        with self._lock:
            self._drop_names(self._users.pop(username))
            self._keeper.drop_user(username)
            self._failures.pop(username, None)

    def alias_taken(self, user: User) -> bool:
        """Say whether an address of *user*, once verified, would sign somebody else in."""
        with self._lock:
            owners = (self._owner(user.attributes.get(name, "")) for name in _ALIASES)
            return any(owner not in {None, user.username} for owner in owners)

    # Lockout: five failures are free, then 1 s, 2 s, 4 s … up to 15 minutes; unknown names are treated alike.

    def is_locked(self, person: Person) -> bool:
        """Say whether password sign-in is locked for now; trying meanwhile does not lengthen it."""
        with self._lock:
            failures = self._failures.get(person.username)
            if failures is None or failures.count < _FREE_FAILURES:
                return False
            seconds = min(1 << min(failures.count - _FREE_FAILURES, 10), _LONGEST_LOCK)
            return self._clock.now() < failures.last + seconds

    def count_failure(self, person: Person) -> None:
        """Remember a wrong password."""
        now = self._clock.now()
        with self._lock:
            if len(self._failures) > 10_000:  # names are free to invent
                self._failures = {k: f for k, f in self._failures.items() if now < f.last + _LONGEST_LOCK}
            failures = self._failures.setdefault(person.username, _Failures())
            failures.count = 1 if now > failures.last + _LONGEST_LOCK else failures.count + 1
            failures.last = now

    def forget_failures(self, person: Person) -> None:
        """Start over after a right password."""
        with self._lock:
            self._failures.pop(person.username, None)

    # Codes

    def new_code(self, username: str, purpose: Purpose) -> str:
        """Make and keep a six-digit code for *purpose*, in place of an older one."""
        digits = f"{int.from_bytes(self._random.bytes(16), 'big') % 1_000_000:06d}"
        with self.changing(username) as draft:
            draft.set_code(purpose, Code(digits, self._clock.now() + _CODE_SECONDS[purpose]))
        return digits

    def use_code(self, username: str, purpose: Purpose, claimed: str) -> None:
        """Use the code up.

        Raises:
            CodeMismatchException: if it is another one.
            ExpiredCodeException: if it is too old, or there is none.
            LimitExceededException: if it was tried too often.
        """
        with self._lock:
            user = self._users.get(username)
            code = None if user is None else user.codes.get(purpose)
            if code is None or self._clock.now() >= code.expires:
                raise errors.ExpiredCodeException("Invalid code provided, please request a code again.")
            if code.tries_left == 0:
                raise errors.LimitExceededException("Attempt limit exceeded, please try after some time.")
            right = hmac.compare_digest(code.digits.encode(), claimed.encode())
            with self.changing(username) as draft:
                draft.set_code(purpose, None if right else evolve(code, tries_left=code.tries_left - 1))
        if not right:
            raise errors.CodeMismatchException("Invalid verification code provided, please try again.")

    def made_up_address(self, name: str) -> str:
        """Return the masked address to show for somebody unknown, always the same for *name*."""
        first, second = hmac.digest(self._key, f"address:{self._folded(name)}".encode(), "sha256")[:2]
        return f"{chr(97 + first % 26)}***@{chr(97 + second % 26)}***"

    def _folded(self, name: str) -> str:
        return name if self._case_sensitive else name.casefold()

    def _made_up(self, name: str) -> str:
        if not self._email_as_username and "@" not in name and not name.startswith("+"):
            return name
        # Cognito's stand-in for an unknown address is a UUID of version 3, the same each time.
        digest = hmac.digest(self._key, f"username:{self._folded(name)}".encode(), "sha256")
        return str(uuid.UUID(bytes=digest[:16], version=3))

    def _owner(self, name: str) -> str | None:
        # A name goes before an address: nobody takes over an account by verifying an address that is its name.
        folded = self._folded(name)
        return self._names.get(folded) or self._aliases.get(folded)

    def _put(self, user: User) -> None:
        self._keeper.keep_user(user)
        self._remember(user)

    def _remember(self, user: User) -> None:
        self._users[user.username] = user
        self._names[self._folded(user.username)] = self._names[user.sub] = user.username
        for address in self._addresses(user):
            self._aliases[self._folded(address)] = user.username

    def _drop_names(self, user: User) -> None:
        self._names.pop(self._folded(user.username), None)
        self._names.pop(user.sub, None)
        for address in self._addresses(user):
            if self._aliases.get(self._folded(address)) == user.username:
                del self._aliases[self._folded(address)]

    def _addresses(self, user: User) -> Iterator[str]:
        for name in _ALIASES:
            is_name = self._email_as_username and name == "email"
            if name in user.attributes and (is_name or is_true(user.attributes.get(f"{name}_verified", ""))):
                yield user.attributes[name]


class _Draft:
    """A user while it is being changed."""

    def __init__(self, user: User) -> None:
        self.user = user

    def set_attributes(self, attributes: Mapping[str, str]) -> None:
        self.user = evolve(self.user, attributes={**self.user.attributes, **attributes})

    def set_status(self, status: Status) -> None:
        self.user = evolve(self.user, status=status)

    def set_verifier(self, verifier: srp6a.Verifier) -> None:
        self.user = evolve(self.user, verifier=verifier)

    def set_code(self, purpose: Purpose, code: Code | None) -> None:
        codes = {name: kept for name, kept in self.user.codes.items() if name != purpose}
        if code is not None:
            codes[purpose] = code
        self.user = evolve(self.user, codes=codes)
