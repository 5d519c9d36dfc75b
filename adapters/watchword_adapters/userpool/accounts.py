"""A user's account: sign-up, codes, passwords, attributes, and what an administrator may do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from watchword.ports import Clock, Random
from watchword_adapters.userpool import errors
from watchword_adapters.userpool.client import AppClient
from watchword_adapters.userpool.outbox import SentMessage, masked
from watchword_adapters.userpool.schema import attributes_from, check_password, is_true
from watchword_adapters.userpool.tokens import Tokens
from watchword_adapters.userpool.users import Person, Purpose, User, Users

Reply = dict[str, Any]
Given = Mapping[str, Any]

_SUBJECTS: Mapping[Purpose, str] = {
    "sign-up": "Your verification code",
    "forgot-password": "Your password reset code",
    "verify-email": "Your verification code",
}


@frozen
class Accounts:
    """The operations on accounts, each named as Cognito names it."""

    client: AppClient
    users: Users
    tokens: Tokens
    clock: Clock
    random: Random
    legacy: bool
    deliver: Callable[[SentMessage], None]

    # By anybody

    def sign_up(self, given: Given) -> Reply:
        """Add an unconfirmed user and send the code to the address, if there is one."""
        name: str = given["Username"]
        self.client.check_hash(given.get("SecretHash"), name)
        check_password(given["Password"])
        attributes = attributes_from(given.get("UserAttributes", ()), by_user=True)
        user = self.users.add(name, attributes, status="UNCONFIRMED", password=given["Password"])
        reply: Reply = {"UserConfirmed": False, "UserSub": user.sub}
        if user.attributes.get("email"):
            reply["CodeDeliveryDetails"] = self._send_code(user, "sign-up")
        return reply

    def confirm_sign_up(self, given: Given) -> Reply:
        """Confirm a user by the code, which also verifies the address."""
        person = self._person(given)
        user = person.user
        if user is None:
            raise errors.ExpiredCodeException("Invalid code provided, please request a code again.")
        if user.status != "UNCONFIRMED":
            raise errors.NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
        if not given.get("ForceAliasCreation") and self.users.alias_taken(user):
            raise errors.AliasExistsException("An account with the email already exists.")
        self.users.use_code(user.username, "sign-up", given["ConfirmationCode"])
        with self.users.changing(user.username) as draft:
            draft.set_status("CONFIRMED")
            draft.set_attributes({"email_verified": "true"})
        return {}

    def resend_confirmation_code(self, given: Given) -> Reply:
        """Send a new sign-up code."""
        person = self._person(given)
        user = person.user
        if user is None:
            return {"CodeDeliveryDetails": self._simulated(person)}
        if user.status != "UNCONFIRMED":
            raise errors.InvalidParameterException("User is already confirmed.")
        if not user.attributes.get("email"):
            raise errors.InvalidParameterException("Cannot resend codes. Auto verification not turned on.")
        return {"CodeDeliveryDetails": self._send_code(user, "sign-up")}

    def forgot_password(self, given: Given) -> Reply:
        """Send a code that sets a new password, to a verified address only."""
        person = self._person(given)
        user = person.user
        if user is None:
            return {"CodeDeliveryDetails": self._simulated(person)}
        if user.status == "FORCE_CHANGE_PASSWORD":
            raise errors.NotAuthorizedException("User password cannot be reset in the current state.")
        if not (user.attributes.get("email") and is_true(user.attributes.get("email_verified", ""))):
            raise errors.InvalidParameterException(
                "Cannot reset password for the user as there is no registered/verified email or phone_number"
            )
        return {"CodeDeliveryDetails": self._send_code(user, "forgot-password")}

    def confirm_forgot_password(self, given: Given) -> Reply:
        """Set a new password by the code."""
        person = self._person(given)
        check_password(given["Password"])
        if person.user is None:
            raise errors.CodeMismatchException("Invalid verification code provided, please try again.")
        username = person.username
        self.users.use_code(username, "forgot-password", given["ConfirmationCode"])
        self._set_password(username, given["Password"])
        self.users.forget_failures(person)
        return {}

    # By the user, with an access token

    def get_user(self, given: Given) -> Reply:
        """Return the signed-in user's name and attributes."""
        user = self._signed_in(given)
        return {"Username": user.username, "UserAttributes": _pairs(user)}

    def update_user_attributes(self, given: Given) -> Reply:
        """Change attributes; a new e-mail address has to be verified anew."""
        user = self._signed_in(given)
        changes = attributes_from(given["UserAttributes"], by_user=True)
        email = changes.get("email")
        is_new = email is not None and email != user.attributes.get("email")
        with self.users.changing(user.username) as draft:
            draft.set_attributes({**changes, "email_verified": "false"} if is_new else changes)
        changed = self.users.get(user.username)
        if not is_new or changed is None:
            return {"CodeDeliveryDetailsList": []}
        return {"CodeDeliveryDetailsList": [self._send_code(changed, "verify-email")]}

    def change_password(self, given: Given) -> Reply:
        """Change the password of somebody who knows the old one."""
        user = self._signed_in(given)
        person = self.users.find(user.username)
        check_password(given["ProposedPassword"])
        if self.users.is_locked(person):
            raise errors.NotAuthorizedException("Password attempts exceeded")
        if not self.users.has_password(person, given["PreviousPassword"]):
            self.users.count_failure(person)
            raise errors.NotAuthorizedException(errors.INCORRECT)
        self._set_password(user.username, given["ProposedPassword"])
        return {}

    def global_sign_out(self, given: Given) -> Reply:
        """Revoke every token of the signed-in user."""
        self.tokens.revoke_all(self._signed_in(given).sub)
        return {}

    def revoke_token(self, given: Given) -> Reply:
        """Revoke a refresh token and the tokens that came from it."""
        self.client.check_secret(given.get("ClientSecret"))
        self.tokens.revoke(given["Token"])
        return {}

    # By an administrator

    def admin_create_user(self, given: Given) -> Reply:
        """Add a user with a temporary password, and invite her by mail unless told to SUPPRESS."""
        password: str = given.get("TemporaryPassword") or self._temporary_password()
        check_password(password)
        attributes = attributes_from(given.get("UserAttributes", ()), by_user=False)
        user = self.users.add(given["Username"], attributes, status="FORCE_CHANGE_PASSWORD", password=password)
        address = user.attributes.get("email")
        if address and given.get("MessageAction") != "SUPPRESS":
            text = f"Your username is {given['Username']} and temporary password is {password}."
            self._deliver(user, address, "Your temporary password", text)
        described = _described(user)
        return {"User": {"Username": user.username, "Attributes": described.pop("UserAttributes"), **described}}

    def admin_get_user(self, given: Given) -> Reply:
        """Return everything about a user but the password."""
        user = self._existing(given)
        return {"Username": user.username, **_described(user)}

    def admin_delete_user(self, given: Given) -> Reply:
        """Remove a user, tokens included."""
        user = self._existing(given)
        self.users.remove(user.username)
        self.tokens.revoke_all(user.sub)
        return {}

    def admin_set_user_password(self, given: Given) -> Reply:
        """Set a password, for good if *Permanent*, else to be changed at the next sign-in."""
        user = self._existing(given)
        check_password(given["Password"])
        self._set_password(user.username, given["Password"])
        with self.users.changing(user.username) as draft:
            draft.set_status("CONFIRMED" if given.get("Permanent") else "FORCE_CHANGE_PASSWORD")
        return {}

    def admin_confirm_sign_up(self, given: Given) -> Reply:
        """Confirm a user without a code."""
        user = self._existing(given)
        if user.status != "UNCONFIRMED":
            raise errors.NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
        with self.users.changing(user.username) as draft:
            draft.set_status("CONFIRMED")
        return {}

    def _person(self, given: Given) -> Person:
        name: str = given["Username"]
        self.client.check_hash(given.get("SecretHash"), name)
        person = self.users.find(name)
        if person.user is None and self.legacy:
            raise errors.UserNotFoundException("Username/client id combination not found.")
        return person

    def _existing(self, given: Given) -> User:
        user = self.users.find(given["Username"]).user
        if user is None:
            raise errors.UserNotFoundException("User does not exist.")
        return user

    def _signed_in(self, given: Given) -> User:
        user = self.users.get(self.tokens.username_of_access(given["AccessToken"]))
        if user is None:
            raise errors.UserNotFoundException("User does not exist.")
        return user

    def _set_password(self, username: str, password: str) -> None:
        verifier = self.users.new_verifier(username, password)
        with self.users.changing(username) as draft:
            draft.set_verifier(verifier)

    def _temporary_password(self) -> str:
        return f"Tmp-{self.random.bytes(9).hex()}1a"

    def _send_code(self, user: User, purpose: Purpose) -> Reply:
        address = user.attributes["email"]
        code = self.users.new_code(user.username, purpose)
        self._deliver(user, address, _SUBJECTS[purpose], f"Your confirmation code is {code}")
        return _delivery(masked(address))

    def _deliver(self, user: User, to: str, subject: str, text: str) -> None:
        message = SentMessage(to=to, subject=subject, text=text, html="", at=self.clock.now(), username=user.username)
        self.deliver(message)

    def _simulated(self, person: Person) -> Reply:
        return _delivery(self.users.made_up_address(person.typed))


def _delivery(destination: str) -> Reply:
    return {"Destination": destination, "DeliveryMedium": "EMAIL", "AttributeName": "email"}


def _pairs(user: User) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in {"sub": user.sub, **user.attributes}.items()]


def _described(user: User) -> Reply:
    return {
        "UserAttributes": _pairs(user),
        "UserCreateDate": datetime.fromtimestamp(user.created, UTC),
        "UserLastModifiedDate": datetime.fromtimestamp(user.modified, UTC),
        "Enabled": True,
        "UserStatus": user.status,
    }
