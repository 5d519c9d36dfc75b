"""The users of a pool: names, aliases, attributes, passwords as SRP verifiers, and codes."""

from __future__ import annotations

import hmac
import threading
import uuid
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager

from attrs import evolve, field, frozen

from watchword.contract.ports import Clock, Random
from watchword.errors import ConfigurationError
from watchword.runtime.services import fold_name
from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.api.schema import check_attributes, check_username, is_email, is_true, required
from watchword_adapters.userpool.directory.lockouts import Lockouts
from watchword_adapters.userpool.directory.records import Code, PoolUser, Purpose, Status
from watchword_adapters.userpool.directory.user_draft import Draft
from watchword_adapters.userpool.directory.user_store import Keeper, NothingKept

ALIASES = ("email", "phone_number", "preferred_username")
"""The attributes that a pool may sign users in by, as `AliasAttributes` of the service."""

DEFAULT_ALIASES = ("email", "phone_number")
"""Those that a pool has unless it is told otherwise."""

_ADDRESSES: Mapping[str, str] = {"email": "an email", "phone_number": "a phone number"}

_CODE_SECONDS: Mapping[Purpose, int] = {"sign-up": 86_400, "forgot-password": 3_600, "verify-email": 86_400}


@frozen
class TypedUser:
    """Whoever a typed name stands for; *user* is None for somebody who does not exist.

    *username* is then made up, and always the same for the same typed name.
    """

    typed: str = field(repr=False)
    username: str = field(repr=False)
    user: PoolUser | None = field(repr=False)


def new_uuid(random: Random) -> str:
    """Return a random UUID."""
    return str(uuid.UUID(bytes=random.bytes(16), version=4))


class UserDirectory:
    """The directory. Every method is atomic; users are values, replaced as a whole.

    Two methods hold the rules, and whatever writes users goes through both: `_written` says what a user's attributes
    may be, and `_keep` that each name and each alias signs one user in.
    """

    def __init__(
        self,
        pool_id: str,
        *,
        clock: Clock,
        random: Random,
        email_as_username: bool,
        case_sensitive: bool,
        aliases: Collection[str] = DEFAULT_ALIASES,
        keeper: Keeper | None = None,
    ) -> None:
        self._pool_id = pool_id
        self._clock = clock
        self._random = random
        self._email_as_username = email_as_username
        self._case_sensitive = case_sensitive
        self._by_alias = tuple(name for name in ALIASES if name in aliases)
        self._keeper = keeper or NothingKept()
        self._key = self._keeper.secret("made-up users", lambda: random.bytes(32))
        self._lock = threading.RLock()
        self._users: dict[str, PoolUser] = {}
        self._names: dict[str, str] = {}  # folded user name or sub -> user name
        self._aliases: dict[str, str] = {}  # folded address -> user name
        self.lockouts = Lockouts(clock)
        self._load(self._keeper.users())

    def find(self, name: str) -> TypedUser:
        """Return whom *name* (a user name, a sub, or a verified address) stands for."""
        with self._lock:
            username = self._owner(name)
            if username is not None:
                return TypedUser(name, username, self._users[username])
        return TypedUser(name, self._made_up(name), None)

    def get(self, username: str) -> PoolUser | None:
        """Return the user with exactly this internal name, or None."""
        with self._lock:
            return self._users.get(username)

    def verifier_of(self, person: TypedUser) -> srp6a.Verifier:
        """Return the verifier to run SRP with: a made-up one for somebody unknown or without a password."""
        if person.user is not None and person.user.verifier is not None:
            return person.user.verifier
        return srp6a.made_up_verifier(self._key, self._pool_id, self._folded(person.typed))

    def new_verifier(self, username: str, password: str) -> srp6a.Verifier:
        """Return a verifier of *password* under a fresh salt."""
        return srp6a.make_verifier(self._pool_id, username, password, srp6a.draw_salt(self._random))

    def has_password(self, person: TypedUser, password: str) -> bool:
        """Say whether *password* is right, at the same cost whether or not the user exists."""
        expected = self.verifier_of(person)
        claimed = srp6a.make_verifier(self._pool_id, person.username, password, expected.salt)
        same = srp6a.same_verifier(expected, claimed)
        return same and person.user is not None and person.user.verifier is not None

    def check_sign_up(self, attributes: Mapping[str, str]) -> None:
        """Refuse what nobody may sign up with.

        Raises:
            InvalidParameterException: if a preferred user name is given where it signs in: it has to wait for the confirmation.
        """
        if attributes.get("preferred_username") and "preferred_username" in self._by_alias:
            raise errors.InvalidParameterException(
                "User can not sign up with preferred username. Preferred username can be added only when user is confirmed."
            )

    def name_for(self, name: str) -> tuple[str, str]:
        """Return user name and sub for somebody who signs up as *name*.

        Raises:
            InvalidParameterException: if it cannot be a name, or the pool wants an e-mail address and this is none.
        """
        check_username(name)
        sub = new_uuid(self._random)
        if not self._email_as_username:
            return name, sub
        if not is_email(name):
            raise errors.InvalidParameterException("Username should be an email.")
        return sub, sub

    def first_attributes(self, name: str, given: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes that somebody who is *given* some begins with: the name is the address where the pool wants one."""
        return {**given, "email": name} if self._email_as_username else dict(given)

    def must_have(self, name: str) -> bool:
        """Say whether every user has this attribute: the one that all sign in by."""
        return self._email_as_username and name == "email"

    def add(
        self,
        name: str,
        attributes: Mapping[str, str],
        *,
        status: Status,
        password: str | None,
        named: tuple[str, str] | None = None,
        codes: Mapping[str, Code] | None = None,
        move_aliases: bool = False,
        odd_addresses: bool = False,
    ) -> PoolUser:
        """Add a user called *name*; *named* is what `name_for` returned, if it was asked before.

        An address that signs somebody else in is refused, or taken from that user if *move_aliases* is true. With
        *odd_addresses* an address may have any form.

        Raises:
            UsernameExistsException: if the name is taken.
            AliasExistsException: if an address signs somebody else in and is not to be moved.
            InvalidParameterException: if the name or an attribute is none that a user may have.
        """
        username, sub = named or self.name_for(name)
        verifier = None if password is None else self.new_verifier(username, password)
        now = self._clock.now()
        bare = PoolUser(username, sub, {}, status, now, now, verifier, codes or {})
        user = self._written(bare, self.first_attributes(name, attributes), odd_addresses=odd_addresses)
        with self._lock:
            if self._owner(name) is not None:
                raise errors.UsernameExistsException("User already exists")
            self._keep(user, move_aliases=move_aliases)
        return user

    @contextmanager
    def changing(self, username: str) -> Generator[Draft]:
        """Hold the directory while the user's draft is changed; nothing is kept if the block raises.

        Raises:
            UserNotFoundException: if the user is gone.
            AliasExistsException: if an alias signs somebody else in, and the draft does not move it.
        """
        with self._lock:
            user = self._users.get(username)
            if user is None:
                raise errors.UserNotFoundException("User does not exist.")
            draft = Draft(user, self._written)
            yield draft
            self._keep(evolve(draft.user, modified=self._clock.now()), move_aliases=draft.move_aliases)

    def members_of(self, group: str) -> list[PoolUser]:
        """Return who is in *group*, by user name."""
        with self._lock:
            return sorted(
                (user for user in self._users.values() if group in user.groups), key=lambda user: user.username
            )

    def leave_group(self, group: str) -> None:
        """Forget *group*, and have nobody in it: both, or neither if that cannot be kept."""
        with self._lock:
            now = self._clock.now()
            left = [
                evolve(user, groups=tuple(name for name in user.groups if name != group), modified=now)
                for user in self.members_of(group)
            ]
            self._keeper.drop_group(group, left)
            self._users.update({user.username: user for user in left})

    def remove(self, username: str) -> None:
        """Forget a user."""
        with self._lock:
            self._keeper.drop_user(username)
            self._drop_names(self._users.pop(username))
            self.lockouts.forget(username)

    # Codes

    def new_code(self, purpose: Purpose, to: str) -> Code:
        """Return a six-digit code for *purpose* that is to be sent *to* an address."""
        digits = f"{int.from_bytes(self._random.bytes(16), 'big') % 1_000_000:06d}"
        return Code(digits, self._clock.now() + _CODE_SECONDS[purpose], to=to)

    @contextmanager
    def changing_by_code(self, username: str, purpose: Purpose, claimed: str) -> Generator[tuple[Draft, str]]:
        """Change a user as `changing` does, and use the code up; yield the draft and the address that it was sent to.

        The code is not used up if the block raises.

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
            if not hmac.compare_digest(code.digits.encode(), claimed.encode()):
                with self.changing(username) as draft:
                    draft.set_code(purpose, evolve(code, tries_left=code.tries_left - 1))
                raise errors.CodeMismatchException("Invalid verification code provided, please try again.")
            with self.changing(username) as draft:
                draft.set_code(purpose, None)
                yield draft, code.to

    def made_up_address(self, name: str) -> str:
        """Return the masked address to show for somebody unknown, always the same for *name*."""
        first, second = hmac.digest(self._key, f"address:{self._folded(name)}".encode(), "sha256")[:2]
        return f"{chr(97 + first % 26)}***@{chr(97 + second % 26)}***"

    def _folded(self, name: str) -> str:
        return name if self._case_sensitive else fold_name(name)

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

    def _written(self, user: PoolUser, changes: Mapping[str, str], *, odd_addresses: bool = False) -> PoolUser:
        """Return *user* with *changes* of attributes.

        A blank one is removed. An address that is new is not verified unless the changes say so, and one that is
        removed takes along whether it is verified.

        Raises:
            InvalidParameterException: if the schema refuses one, something is said of an address that the user has not,
                or what every user signs in by is removed.
        """
        check_attributes(changes, odd_addresses=odd_addresses)
        before = user.attributes
        new = [name for name in _ADDRESSES if changes.get(name) and changes[name] != before.get(name)]
        merged = {**before, **changes, **{f"{name}_verified": changes.get(f"{name}_verified", "false") for name in new}}
        gone = {name for name, value in merged.items() if not value}
        for name, word in _ADDRESSES.items():
            if f"{name}_verified" in changes and not merged.get(name):
                raise errors.InvalidParameterException(
                    f"{word.partition(' ')[2].capitalize()} is required to verify/un-verify {word}"
                )
            if name in gone and name in before and self.must_have(name):
                raise required(name)
        gone |= {f"{name}_verified" for name in gone}
        return evolve(user, attributes={name: value for name, value in merged.items() if name not in gone})

    def _keep(self, user: PoolUser, *, move_aliases: bool) -> None:
        """Keep *user* and those from whom she takes aliases, all or none.

        Raises:
            AliasExistsException: if an alias signs somebody else in and is not to be moved, or is a name, which never moves.
        """
        kept = {user.username: user}
        for name, owner in self._rivals(user):
            value = self._folded(user.attributes[name])
            poorer = kept.get(owner, self._users[owner])
            # Under whichever attribute: one's preferred user name may be the other's address.
            same = [each for each, alias in self._sign_in_aliases(poorer).items() if self._folded(alias) == value]
            if not move_aliases or value in self._names or any(map(self.must_have, same)):
                raise errors.AliasExistsException(f"An account with the {name} already exists.")
            for alias in same:
                poorer = self._without_alias(poorer, alias)
            kept[owner] = evolve(poorer, modified=user.modified)
        self._keeper.keep_users(tuple(kept.values()))
        for username in kept:
            if username in self._users:
                self._drop_names(self._users[username])
        for each in kept.values():
            self._remember(each)

    def _load(self, users: Sequence[PoolUser]) -> None:
        """Take over what was kept, perhaps with other settings: of two users with one alias, the older one has it.

        Raises:
            ConfigurationError: if two users have one name.
        """
        by_age = sorted(users, key=lambda user: (user.created, user.username))
        for user in by_age:
            other = self._names.get(self._folded(user.username))
            if other is not None:
                names = f"{other!a} and {user.username!a}"
                raise ConfigurationError(f"two users that are kept, {names}, differ in case only: set case_sensitive")
            self._remember_names(user)
        for user in by_age:
            rest = user
            for name, _ in self._rivals(user):
                rest = self._without_alias(rest, name)
            if rest is not user:  # kept at once: else the address comes back to him when the older user is gone
                self._keeper.keep_users((rest,))
            self._remember(rest)

    def _rivals(self, user: PoolUser) -> list[tuple[str, str]]:
        """Return which aliases of *user* sign whom else in."""
        owners = ((name, self._owner(value)) for name, value in self._sign_in_aliases(user).items())
        return [(name, owner) for name, owner in owners if owner is not None and owner != user.username]

    def _without_alias(self, user: PoolUser, name: str) -> PoolUser:
        """Return *user*, whom the attribute *name* no longer signs in: an address stays, but is not verified."""
        if name in _ADDRESSES and not self.must_have(name):
            return evolve(user, attributes={**user.attributes, f"{name}_verified": "false"})
        gone = (name, f"{name}_verified")
        return evolve(user, attributes={each: value for each, value in user.attributes.items() if each not in gone})

    def _remember(self, user: PoolUser) -> None:
        self._users[user.username] = user
        self._remember_names(user)
        for alias in self._sign_in_aliases(user).values():
            self._aliases[self._folded(alias)] = user.username

    def _remember_names(self, user: PoolUser) -> None:
        self._names[self._folded(user.username)] = self._names[user.sub] = user.username

    def _drop_names(self, user: PoolUser) -> None:
        self._names.pop(self._folded(user.username), None)
        self._names.pop(user.sub, None)
        for alias in self._sign_in_aliases(user).values():
            if self._aliases.get(self._folded(alias)) == user.username:
                del self._aliases[self._folded(alias)]

    def _sign_in_aliases(self, user: PoolUser) -> dict[str, str]:
        """Return the attributes that sign *user* in: verified addresses, and what the pool takes for a name."""
        given = user.attributes
        found = {name: given[name] for name in self._by_alias if given.get(name)}
        proven = {
            name: value
            for name, value in found.items()
            if name == "preferred_username" or is_true(given.get(f"{name}_verified", ""))
        }
        if self._email_as_username and given.get("email"):
            proven["email"] = given["email"]
        return proven


def check_may_sign_in(user: PoolUser) -> None:
    """Refuse a user whose account is not in order; the service says so before it asks for anything.

    Raises:
        NotAuthorizedException: if an administrator has disabled the account.
        UserNotConfirmedException: if the sign-up is not confirmed, whatever the password (amazon-cognito-identity-js#288).
        PasswordResetRequiredException: if the password was reset; only ForgotPassword's code leads on.
    """
    if not user.enabled:
        raise errors.NotAuthorizedException(errors.DISABLED)
    if user.status == "UNCONFIRMED":
        raise errors.UserNotConfirmedException("User is not confirmed.")
    if user.status == "RESET_REQUIRED":
        raise errors.PasswordResetRequiredException("Password reset required for the user")
